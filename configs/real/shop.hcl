source "mysql" "shop" {
  department = "sales"
  url        = var.shop_url
  user       = "unsilo"
  password   = secret("env:SHOP_PASSWORD")

  # An account that is closed stays in the shop's table with the time of its end.
  stream "customers" {
    table        = "customers"
    primary_key  = ["id"]
    cursor       = "updated_at"
    deletes      = "flag"
    delete_field = "deleted_at"
    means = {
      erp_number  = "person.id.erp"
      email       = "person.email"
      phone       = "person.phone"
      first_name  = "person.name.given"
      last_name   = "person.name.family"
      birth_date  = "person.birth_date"
      postcode    = "person.address.postcode"
      city        = "person.address.city"
      preferences = "none"
    }
    mask = {
      email      = "hmac"
      phone      = "hmac"
      birth_date = "hmac"
    }
  }

  stream "baskets" {
    table       = "baskets"
    primary_key = ["id"]
    cursor      = "updated_at"
    deletes     = "reconcile"
    means       = { total = "money.amount", currency = "money.currency", items = "none", note = "text.free" }
    mask        = { note = "redact" }
  }
}
