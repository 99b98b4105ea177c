source "postgres" "erp" {
  url = secret("env:U")

  stream "a" {
    primary_key = ["id"]
    cursor      = "changed"
    means = {
      email   = "person.emial" # ERROR: Unknown meaning "person.emial"
      "phone" = "phone"        # ERROR: Unknown meaning "phone"
      crm_id  = "person.id.crm"
      erp_id  = "person.id.ERP" # ERROR: Unknown meaning "person.id.ERP"
      note    = "none"
    }
    mask = {
      email   = "hmca"   # ERROR: Unknown mask "hmca"
      phone   = "hash"   # ERROR: Unknown mask "hash"
      id      = "redact" # ERROR: Mask "redact" on column "id" of the primary key
      changed = "drop"   # ERROR: Mask "drop" on column "changed", which the stream needs
    }
  }
}
