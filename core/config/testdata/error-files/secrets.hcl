source "crm" "a" {
  token    = "hidden-0451"         # WARNING: Secret "token" is written in the file
  base_url = secret("env:BASE-URL") # ERROR: Invalid function argument
}

source "crm" "b" {
  token    = secret("file:../token")  # ERROR: Invalid function argument
  base_url = secret("file:/etc/token") # ERROR: Invalid function argument
  region   = secret("exec:pass crm")  # ERROR: Invalid function argument
}

source "crm" "c" {
  token    = secret("evn:TOKEN")             # ERROR: Invalid function argument
  base_url = upper(secret("env:URL"))        # ERROR: Wrong value for "base_url"
  region   = secret("env:R") == "eu" ? "eu" : "us" # ERROR: Wrong value for "region"
  headers = {
    "X-Key"   = "hidden-0452" # WARNING: Secret "headers" is written in the file
    "X-Trace" = secret("env:TRACE")
  }
}

variable "key" { default = "hidden-0453" }

source "crm" "d" {
  token = var.key # WARNING: Secret "token" comes from a value that is not marked as one
}

model "m" {
  sql = "SELECT '${secret("env:T")}'" # ERROR: A secret cannot be used in block "model"
}

variable "pin" {
  sensitive = true
  default   = "hidden-0454" # WARNING: Secret "pin" is written in the file
}

locals {
  dsn = "host?pin=${var.pin}"
}

insight "i" {
  pin = local.dsn # ERROR: A secret cannot be used in block "insight"
}

source "crm" "e" {
  token = local.dsn
}
