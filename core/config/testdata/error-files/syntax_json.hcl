source "crm" "a" {
  "region": "eu" # ERROR: Invalid argument name
}
