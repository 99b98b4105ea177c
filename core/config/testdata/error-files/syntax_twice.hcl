source "crm" "a" {
  region = "eu"
  region = "us" # ERROR: Attribute redefined
}
