source "postgres" "erp" {
  url = secret("env:U")

  stream "a" {
    mode = "increment"       # ERROR: Unknown value "increment" for "mode"
    write = "upsert"         # ERROR: Unknown value "upsert" for "write"
    deletes = "reconcil"     # ERROR: Unknown value "reconcil" for "deletes"
    on_schema_change = "stop" # ERROR: Unknown value "stop" for "on_schema_change"
    lookback = "soon"        # ERROR: Wrong value for "lookback"
    primary_key = "id"       # ERROR: Wrong value for "primary_key"
    tabel = "x"              # ERROR: Unknown attribute "tabel"
    fetch = "all"            # ERROR: Wrong value for "fetch"
  }

  stream "b" {
    mode  = "append"
    write = "merge" # ERROR: write "merge" contradicts mode "append"
  }

  stream "c" {
    mode  = "incremental"
    write = "replace" # ERROR: write "replace" contradicts mode "incremental"
  }

  stream "d" {
    deletes = "flag" # ERROR: deletes "flag" needs delete_field
  }

  stream "e" {
    deletes      = "reconcile"
    delete_field = "gone" # ERROR: delete_field contradicts deletes "reconcile"
  }

  stream "f" {
    write   = "append"
    deletes = "reconcile" # ERROR: deletes "reconcile" contradicts appending
  }

  stream "g" {
    deletes          = "reconcile"
    max_delete_share = 20 # ERROR: Wrong value for "max_delete_share"
  }

  stream "h" {
    mode     = "full"
    lookback = "1h" # WARNING: "lookback" has no effect
  }

  stream "i" {
    deletes          = "feed"
    max_delete_share = 0.5 # WARNING: "max_delete_share" has no effect
  }

  stream "j" {
    deletes      = "flag"
    delete_field = secret("env:X") # ERROR: Wrong value for "delete_field"
  }
}
