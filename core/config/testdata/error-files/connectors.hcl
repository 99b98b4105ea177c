connector "graphql" "x" {} # ERROR: Unknown kind of connector "graphql"

connector "rest" "crm" {} # ERROR: Connector "crm" exists already

connector "rest" "tickets" {
  base_url = "https://tickets.example/${config.tenant}"
  limit    = var.limt # ERROR: Unknown variable "limt"
}

connector "rest" "broken" {
  fault = true # ERROR: Broken on purpose
}

source "tickets" "helpdesk" {
  tenat = "acme" # ERROR: Unknown attribute "tenat"
}

source "broken" "x" {
  goes = "unchecked"
}

source "ticket" "y" {} # ERROR: Unknown connector "ticket"
