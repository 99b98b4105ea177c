source "crm" "a" {
  token    = secret("env:T")
  base_url = uper("x")           # ERROR: Call to unknown function
  region   = file("../region")   # ERROR: Invalid function argument
  scopes   = split(",")          # ERROR: Not enough function arguments
  options  = file("missing.txt") # ERROR: Invalid function argument
  ratio    = now()               # ERROR: Call to unknown function
}

locals {
  pairs = [for a in local.many : [for b in local.many : [for c in local.many : "${a}${b}${c}"]]] # ERROR: Expression too large to evaluate
  many  = split(",", local.line)
  line  = join(",", [for x in ["a", "b", "c", "d"] : format("%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s", x, ",", x, ",", x, ",", x, ",", x, ",", x, ",", x, ",", x, ",", x, ",", x, ",")])
  huge  = format("%99999999d", 1) # ERROR: Error in function call
}
