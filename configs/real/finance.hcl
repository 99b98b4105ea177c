source "postgres" "erp" {
  department = "finance"
  url        = var.erp_url
  user       = "unsilo"
  password   = secret("env:ERP_PASSWORD")

  stream "customers" {
    table       = "public.customers"
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
    mask = {
      email      = "hmac"
      phone      = "hmac"
      birth_date = "hmac"
      street     = "redact"
    }
  }

  stream "orders" {
    table       = "public.orders"
    primary_key = ["id"]
    cursor      = "write_date"
    deletes     = "reconcile"
    means       = { total = "money.amount", currency = "money.currency", ordered_at = "event.time" }
  }

  stream "invoices" {
    table       = "public.invoices"
    primary_key = ["id"]
    cursor      = "write_date"
    deletes     = "reconcile"
    means       = { total = "money.amount", currency = "money.currency" }
  }

  stream "payments" {
    table       = "public.payments"
    primary_key = ["id"]
    cursor      = "write_date"
    deletes     = "reconcile"
    means       = { amount = "money.amount", paid_at = "event.time" }
  }

  # The one table that grows all day, and that nobody keeps whole in memory.
  stream "stock_moves" {
    table       = "logistics.stock_moves"
    primary_key = ["warehouse", "move_no"]
    cursor      = "moved_at"
    lookback    = "10m"
    deletes     = "reconcile"
    means       = { moved_at = "event.time", note = "none", details = "none" }
  }
}
