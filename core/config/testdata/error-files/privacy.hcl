privacy {
  key            = "hidden-0451" # WARNING: Secret "key" is written in the file
  key_id         = "key one"     # ERROR: Wrong value for "key_id"
  default_region = "fi"          # ERROR: Wrong value for "default_region"
  salt           = "x"           # ERROR: Unknown attribute "salt"
}
