# A company in eight silos. `unsilo demo` simulates it and runs this project; with your own
# addresses and keys in company.hcl the same files read real systems.

unsilo {
  required_version = ">= 0.1.0"
}

warehouse "duckdb" {
  path         = "acme.duckdb"
  memory_limit = "2GB"
}

privacy {
  key            = secret("file:.unsilo/privacy.key")
  key_id         = "p1"
  default_region = "FI"
}
