source "crm" "sales" {
  token = secret("env:T")
  stream "contacts" {}
  stream "deals" {}
}

source "crm" "all" {
  token    = secret("env:T")
  base_url = source.sales.contacts # ERROR: A reference to source.sales.contacts cannot stand here
}

identity "person" {
  record "a" {
    from = source.sales.contcts # ERROR: Unknown stream "contcts"
  }
  record "b" {
    from = source.sale.contacts # ERROR: Unknown source "sale"
  }
}

model "orders" {
  sql = <<-SQL
    SELECT *
    FROM ${source.sales.deals} d
    JOIN ${identity.persn.map} p ON true -- # ERROR: Unknown identity "persn"
    JOIN ${source.all.whatever} w ON true
    JOIN ${model.order_lines} o ON true  -- # ERROR: Unknown model "order_lines"
  SQL
}

model "shapes" {
  a = source.sales            # ERROR: Incomplete or too long reference "source.sales"
  b = source.sales.deals.id   # ERROR: Incomplete or too long reference "source.sales.deals.id"
  c = identity.person         # ERROR: Incomplete or too long reference "identity.person"
  d = sorce.sales.deals       # ERROR: Unknown name "sorce"
  e = contacts                # ERROR: Unknown name "contacts"
  f = insight.orders          # ERROR: Unknown insight "orders"
  g = source.all.Contacts     # ERROR: Invalid name "Contacts"
  h = [for s in source.sales : s] # ERROR: Incomplete or too long reference "source.sales"
  test "nested" {
    i = var.unknown # ERROR: Unknown variable "unknown"
  }
}
