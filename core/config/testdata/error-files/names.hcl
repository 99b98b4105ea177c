source "crm" "CRM" { # ERROR: Invalid name "CRM"
  token = secret("env:T")
}

source "crm" "web-shop" { # ERROR: Invalid name "web-shop"
  token = secret("env:T")
}

model "2023_orders" { # ERROR: Invalid name "2023_orders"
  sql = "SELECT 1"
}

identity "" {} # ERROR: Invalid name ""

source "crm" "good" {
  token = secret("env:T")
  stream "Contacts" {} # ERROR: Invalid name "Contacts"
  stream {}            # ERROR: Block "stream" takes one label
}

model "a_name_that_is_longer_than_any_warehouse_would_take_for_a_table_of_its_own" { # ERROR: Invalid name "a_name_that_is_longer_than_any_warehouse_would_take_for_a_table_of_its_own"
  sql = "SELECT 1"
}
