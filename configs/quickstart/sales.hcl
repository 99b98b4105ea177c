source "hubspot" "crm" {
  department = "sales"
  base_url   = local.company
  token      = secret("file:secrets/crm_token")

  stream "contacts" {
    properties = [
      "email", "firstname", "lastname", "phone", "mobilephone", "date_of_birth", "address", "city", "zip", "country",
      "associatedcompanyid", "customer_number", "social_handle", "lifecyclestage", "marketing_consent",
    ]
    means = { customer_number = "person.id.erp" }
  }
  stream "companies" {}
  stream "deals" {}
}
