source "file" "calls" {
  department = "service"

  stream "cdr" {
    path   = "${local.silos}/calls/cdr-csv/Master.csv"
    format = "asterisk_cdr"
  }
  stream "queue_log" {
    path   = "${local.silos}/calls/queue_log"
    format = "asterisk_queue_log"
  }
}

source "zendesk" "support" {
  department = "service"
  base_url   = local.company
  email      = secret("file:secrets/support_email")
  token      = secret("file:secrets/support_token")

  stream "users" {
    means = { external_id = "person.id.erp" }
  }
  stream "tickets" {
    mask = { description = "redact" }
  }
}
