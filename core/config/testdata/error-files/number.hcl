source "crm" "a" {
  ratio = 1e999 # ERROR: Number too large
}
