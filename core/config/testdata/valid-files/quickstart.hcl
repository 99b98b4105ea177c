unsilo { required_version = ">= 0.1.0" }

warehouse "duckdb" {
  path         = "acme.duckdb"
  memory_limit = "2GB"
}

privacy {
  key            = secret("env:PRIVACY_KEY")
  key_id         = "k1"
  default_region = "FI"
}

variable "crm_url" { default = "https://crm.example" }

locals {
  region = upper("fi")
  tables = { invoices = "public.invoice" }
}

source "crm" "sales" {
  department = "sales"
  base_url   = var.crm_url
  token      = secret("env:CRM_TOKEN")
  stream "contacts" {}
  stream "deals" { lookback = "1h" }
}

source "postgres" "erp" {
  department = "finance"
  url        = "postgres://reader:${secret("file:secrets/erp")}@db.example/erp"
  stream "invoices" {
    table            = local.tables.invoices
    primary_key      = ["id"]
    cursor           = "write_date"
    deletes          = "reconcile"
    means            = { email = "person.email", total = "money.amount" }
    mask             = { email = "hmac" }
    on_schema_change = "evolve"
  }
}

identity "person" {
  record "invoice" {
    from = source.erp.invoices
    key  = ["id"]
  }
}

model "orders" {
  sql = <<-SQL
    SELECT i.id, p.person_id, i.total
    FROM ${source.erp.invoices} i JOIN ${identity.person.map} p ON p.record_key = i.id
  SQL
  test "unique" { columns = ["id"] }
}

insight "fever_meter" {
  window  = "28d"
  weights = { calls = 2, nps = 1 }
  from    = model.orders
}

alert "fever" {
  when   = "SELECT * FROM ${insight.fever_meter} WHERE score > 70"
  notify = [webhook(secret("env:ALERT_URL"))]
}

schedule "hourly" {
  cron     = "0 * * * *"
  timezone = "Europe/Helsinki"
  run      = ["source.sales", "source.erp.invoices", "model.orders"]
}
