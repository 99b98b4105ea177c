source "crm" "a" {
  tokn     = "hidden-0451" # ERROR: Unknown attribute "tokn"
  base_url = ["x"]         # ERROR: Wrong value for "base_url"
  stream   = "contacts"    # ERROR: Unknown attribute "stream"
  token    = secret("env:T")
  paging {} # ERROR: Unknown block "paging"
  scopes {} # ERROR: Unknown block "scopes"
}

source "crm" "b" {} # ERROR: Missing attribute "token"

source "crm" "c" {
  token = null # ERROR: Attribute "token" is null
}

source "hubspto" "d" { # ERROR: Unknown connector "hubspto"
  anything = "goes"
}

source "hubspot" "e" { # ERROR: Missing attribute "token"
  disabled = "perhaps" # ERROR: Wrong value for "disabled"
}
