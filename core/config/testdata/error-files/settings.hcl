unsilo {
  required_version = "> 99.0"      # ERROR: The project needs unsilo > 99.0
  isolation        = "container"   # ERROR: Unknown value "container" for "isolation"
  parallel         = 0             # ERROR: Wrong value for "parallel"
  allow_exec       = var.x         # ERROR: Variables not allowed
  telemetry        = true          # ERROR: Unknown attribute "telemetry"
}
