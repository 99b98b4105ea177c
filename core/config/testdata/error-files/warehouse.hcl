warehouse "duckbd" { # ERROR: Unknown warehouse "duckbd"
  path         = secret("env:P") # ERROR: Wrong value for "path"
  memory_limit = "a lot"         # ERROR: Wrong value for "memory_limit"
  threads      = 0               # ERROR: Wrong value for "threads"
  file         = "x"             # ERROR: Unknown attribute "file"
}
