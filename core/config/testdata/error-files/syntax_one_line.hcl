source "crm" "a" { token = "x" region = "eu" } # ERROR: Invalid single-argument block definition
