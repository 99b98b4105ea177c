unsilo {}
unsilo {} # ERROR: Duplicate block unsilo

source "crm" "a" {
  token = secret("env:T")
  stream "contacts" {}
  stream "contacts" {} # ERROR: Duplicate stream "contacts"
}

source "postgres" "a" { # ERROR: Duplicate block source.a
  url = secret("env:U")
}

model "orders" {
  sql = "SELECT 1"
}

insight "orders" { # ERROR: Duplicate block insight.orders
  window = "28d"
}

locals {
  x = 1
}

locals {
  x = 2 # ERROR: Duplicate local value "x"
}

warehouse "duckdb" {}
warehouse "memory" {} # ERROR: Duplicate block warehouse
