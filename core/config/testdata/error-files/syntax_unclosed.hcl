source "crm" "a" {
  token = secret("env:T")
  scopes = ["a", "b"
  region = "eu" # ERROR: Missing item separator
}
