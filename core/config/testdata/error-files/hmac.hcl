source "postgres" "erp" {
  url = secret("env:U")
  stream "a" {
    mask = {
      name  = "redact"
      email = "hmac" # ERROR: The hmac mask needs a key
    }
  }
}
