source "crm" "a" {
  region = "eu # ERROR: Invalid multi-line string
}
