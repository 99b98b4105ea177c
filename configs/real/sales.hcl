source "hubspot" "crm" {
  department = "sales"
  base_url   = var.crm_url
  token      = secret("env:CRM_TOKEN")

  stream "contacts" {
    properties = [
      "email", "firstname", "lastname", "phone", "mobilephone", "date_of_birth", "address", "city", "zip", "country",
      "associatedcompanyid", "customer_number", "lifecyclestage", "marketing_consent",
    ]
    means = { customer_number = "person.id.erp" }
    mask = {
      email         = "hmac"
      phone         = "hmac"
      mobilephone   = "hmac"
      date_of_birth = "hmac"
      address       = "redact"
    }
  }
  stream "companies" {}
  stream "deals" {}
}
