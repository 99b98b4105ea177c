# Where the silos are. `unsilo demo` writes this file anew.

locals {
  company = "http://127.0.0.1:8090"
  silos   = "../company/silos"
}
