source "sqlite" "erp" {
  department = "finance"
  path       = "${local.silos}/erp.sqlite"

  stream "customers" {
    table       = "customers"
    primary_key = ["id"]
    cursor      = "write_date"
    deletes     = "reconcile"
    means = {
      customer_no = "person.id.erp"
      name        = "person.name.full"
      given_name  = "person.name.given"
      family_name = "person.name.family"
      email       = "person.email"
      phone       = "person.phone"
      birth_date  = "person.birth_date"
      street      = "person.address.street"
      postcode    = "person.address.postcode"
      city        = "person.address.city"
      country     = "person.address.country"
      vat_no      = "company.id"
    }
    mask = { street = "redact" }
  }

  stream "orders" {
    table       = "orders"
    primary_key = ["id"]
    cursor      = "write_date"
    deletes     = "reconcile"
    means       = { total = "money.amount", currency = "money.currency", ordered_at = "event.time" }
  }

  stream "invoices" {
    table       = "invoices"
    primary_key = ["id"]
    cursor      = "write_date"
    deletes     = "reconcile"
    means       = { total = "money.amount", currency = "money.currency" }
  }
}
