connector "soap" "acme" { # want: Unknown connector kind "soap"
  field "token" {
    secret = true
  }
  field "size" { # want: Invalid default
    type    = "int"
    default = "many"
  }
  field "token" { # want: Field "token" appears twice
  }
  field "kind" { # want: Unknown type "strng" Did you mean string?
    type = "strng"
  }
  client {
    base_url = config.base_url # want: config.base_url is not declared
    timeout  = "60s"
  }
  client { # want: Only one client block may stand here
    base_url = "https://acme.example"
  }
  auth "baerer" { # want: Unknown auth kind "baerer" Did you mean bearer?
    token = config.token
  }
  budget "default" { # want: Invalid per
    requests = 10
    per      = "a minute"
  }
  budget "default" { # want: Budget "default" appears twice
  }
  retry {
    wait_header "Retry-After" { # want: Unknown unit "minutes"
      unit = "minutes"
    }
  }
  on_response { # want: Unknown action "retryy" Did you mean retry?
    when   = response.status == 500
    action = "retryy"
  }
  on_response {
    when   = record.x == 1 # want: Unknown name "record"
    action = "fail"
  }
  stream "a" {
    path = "/a"
  }
  stream "a" { # want: Stream "a" appears twice
    path   = "/a"
    budget = "search"
  }
  stream "b" { # want: Unknown budget "search"
    path   = "/b"
    budget = "search"
  }
}
