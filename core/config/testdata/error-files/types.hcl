source "crm" "a" {
  token     = secret("env:T")
  page_size = "many"                # ERROR: Wrong value for "page_size"
  timeout   = "5 minutes"           # ERROR: Wrong value for "timeout"
  region    = "asia"                # ERROR: Unknown value "asia" for "region"
  scopes    = "all"                 # ERROR: Wrong value for "scopes"
  archived  = 3                     # ERROR: Wrong value for "archived"
  ratio     = [1]                   # ERROR: Wrong value for "ratio"
  headers   = { "X-Trace" = [1] }   # ERROR: Wrong value for "headers"
  department = { name = "finance" } # ERROR: Wrong value for "department"
}

source "crm" "b" {
  token     = secret("env:T")
  page_size = 1.5              # ERROR: Wrong value for "page_size"
  timeout   = "-5m"            # ERROR: Wrong value for "timeout"
  scopes    = ["a", ["b"]]     # ERROR: Wrong value for "scopes"
  headers   = "X-Trace: 1"     # ERROR: Wrong value for "headers"
  base_url  = true             # ERROR: Wrong value for "base_url"
  region    = secret(["x"])    # ERROR: Invalid function argument
  archived  = secret("env:A")  # ERROR: Wrong value for "archived"
}
