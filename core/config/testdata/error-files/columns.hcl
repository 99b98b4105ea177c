source "postgres" "erp" {
  url = secret("env:U")

  stream "a" {
    columns = ["id", "name"]
    exclude = ["email"] # ERROR: columns and exclude contradict each other
  }

  stream "b" {
    primary_key = ["id", "line"] # ERROR: The primary key needs column "line", which is left out
    exclude     = ["line"]
  }

  stream "c" {
    cursor  = "changed" # ERROR: The cursor needs column "changed", which is left out
    columns = ["id"]
  }

  stream "d" {
    primary_key = [
      "id",
      "id", # ERROR: Column "id" stands twice in primary_key
    ]
  }

  stream "e" {
    exclude      = ["gone"]
    deletes      = "flag"
    delete_field = "gone" # ERROR: The delete_field needs column "gone", which is left out
  }

  stream "f" {
    exclude = ["email"]
    means   = { email = "person.email" } # WARNING: "means" has no effect on column "email"
    mask = {
      email = "redact" # WARNING: "mask" has no effect on column "email"
    }
  }

  stream "g" {
    columns = [""] # ERROR: Empty column name in columns
  }
}
