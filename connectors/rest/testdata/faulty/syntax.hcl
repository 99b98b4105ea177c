connector "rest" "acme" {
  client {
    base_url = "https://acme.example"
  }
  stream "a" {
    path = "/a"
    recrods = "items" # want: Unsupported argument
  }
}
