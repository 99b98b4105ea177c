locals {
  a = 1e200 * 1e200
  b = local.a * local.a * local.a # ERROR: Number too large
  c = tonumber("1e9999")          # ERROR: Error in function call
}

source "crm" "a" {
  token = secret("env:T")
  ratio = local.b
}
