# Every attribute of every block, and values of every kind.
unsilo {
  required_version = "~> 0.4, != 0.4.1"
  isolation        = "none"
  parallel         = 3
  allow_exec       = true
}

warehouse "memory" {
  path    = "/var/lib/unsilo/w.duckdb"
  threads = 2
}

variable "region" {
  description = "where the CRM is"
  type        = string
}

variable "limits" {
  type    = map
  default = { crm = "10" }
}

variable "pin" {
  sensitive = true
}

variable "fallback" { default = secret("env:FALLBACK") }

locals {
  greeting = "Hei ${upper("you")}"
  base     = "https://${local.sub}.crm.example"
  sub      = lower("ACME")
  nothing  = null
  texts    = [for s in split(",", "a,b,c") : s if s != "b"]
}

source "crm" "everything" {
  department = "sales"
  disabled   = true
  base_url   = local.base
  token      = "Bearer ${var.pin}$${literal} $"
  page_size  = length(local.greeting) * 10
  timeout    = "2w"
  region     = var.region
  headers    = { "X-Key" = secret("exec:pass show crm"), "X-Other" = var.fallback }
  scopes     = concat(local.texts, ["write"])
  archived   = true
  ratio      = 2
  options    = { deep = [1, 2.5, "x", true, null, { secret = secret("file:secrets/deep") }] }

  stream "deals" {
    filter           = jsonencode({ stage = "won" })
    mode             = "incremental"
    write            = "history"
    primary_key      = ["id", "line"]
    cursor           = "updated"
    lookback         = "1d"
    lag              = "90s"
    deletes          = "flag"
    delete_field     = "is_deleted"
    on_schema_change = "quarantine"
    columns          = ["id", "line", "updated", "is_deleted", "email", "note"]
    means            = { email = "person.email", note = "text.free", id = "person.id.crm" }
    mask             = { email = "redact", note = "drop" }
  }
}

source "postgres" "all_tables" {
  url = var.fallback
}

source "file" "exports" {
  path = "exports/*.csv"
  stream "people" {
    deletes          = "reconcile"
    max_delete_share = 0.05
    exclude          = ["internal"]
  }
}

connector "rest" "tickets" {
  url = "https://${config.tenant}.example/${var.region}"
  stream "all" {
    path = "/tickets?page=${page.number}"
  }
}

source "tickets" "helpdesk" { tenant = "acme" }

model "joined" {
  # Sources without stream blocks have all the streams of their connector.
  sql = "SELECT * FROM ${source.all_tables.invoice} JOIN ${source["exports"]["people"]} USING (id)"
  tests = [for c in ["id", "line"] : {
    column = c
    table  = model.base
  }]
}

model "base" {
  sql = "SELECT 1 AS id, '${var.limits.crm}' AS n"
}

schedule "nightly" { cron = "@daily" }

alert "none" {
  when   = "SELECT 1 WHERE 1 = 0"
  notify = [webhook("https://hooks.example/x"), webhook(var.fallback)]
}
