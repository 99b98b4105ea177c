source "crm" "sales" {
  token = secret("env:T")
}

alert "a" {
  when   = "SELECT * FROM ${source.salse.contacts}" # ERROR: Unknown source "salse"
  notify = "ops"                                    # ERROR: Wrong value for "notify"
}

alert "b" { # ERROR: Missing attribute "notify"
  when = "SELECT 1"
}

alert "c" {
  when   = "SELECT '${secret("env:X")}'" # ERROR: A secret cannot be used in block "alert"
  notify = [webhook("ops@example.com")]  # ERROR: The address of a webhook is not a URL
}

alert "d" {
  when   = "SELECT 1"
  notify = ["ops"]   # ERROR: Wrong value for "notify"
  to     = "someone" # ERROR: Unknown attribute "to"
}
