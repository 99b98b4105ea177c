source "file" "calls" {
  department = "service"
  timezone   = var.call_timezone

  stream "cdr" {
    path   = "${var.call_logs}/cdr-csv/Master.csv*"
    format = "asterisk_cdr"
    mask   = { src = "hmac", caller_number = "hmac", clid = "redact" }
  }

  # The second value of ENTERQUEUE is the caller's number.
  stream "queue_log" {
    path   = "${var.call_logs}/queue_log*"
    format = "asterisk_queue_log"
    mask   = { data2 = "hmac" }
  }
}
