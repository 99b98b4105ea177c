source "crm" "sales" {
  token = secret("env:T")
  stream "contacts" {}
}

schedule "a" {
  cron     = "0 25 * * *"     # ERROR: Invalid cron expression "0 25 * * *"
  timezone = "Europe/Helsinky" # ERROR: Unknown time zone "Europe/Helsinky"
  run = [
    "source.sals",            # ERROR: Unknown source "sals"
    "sales",                  # ERROR: Unknown selector "sales"
    "source.sales.contact",   # ERROR: Unknown stream "contact"
    "model.orders",           # ERROR: Unknown model "orders"
    "source.sales.contacts",
  ]
}

schedule "b" { # ERROR: Missing attribute "cron"
  every = "1h" # ERROR: Unknown attribute "every"
}

schedule "c" {
  cron = "* * * * * *" # ERROR: Invalid cron expression "* * * * * *"
}
