variable "no_value" {} # ERROR: Variable "no_value" has no value

variable "limit" {
  type    = number
  default = "ten" # ERROR: Wrong value for variable "limit"
}

variable "kind" {
  type    = "strng" # ERROR: Unknown type "strng"
  default = "x"
}

variable "pin" {
  type      = number # ERROR: A sensitive variable is a text
  sensitive = true
  default   = 1234
}

variable "other" {
  defualt = "x" # ERROR: Unknown attribute "defualt"
  default = "y"
}

variable "chained" {
  default = var.other # ERROR: The default of a variable is a plain value
}

source "crm" "a" {
  token     = secret("env:T")
  base_url  = var.bse_url # ERROR: Unknown variable "bse_url"
  page_size = var.limit
  region    = var      # ERROR: "var" needs a name
}
