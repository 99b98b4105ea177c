# A company on software that everybody knows: the ERP in PostgreSQL, the web shop in
# MariaDB, nginx before it, an Asterisk in the call centre, and a CRM over HTTP. README.md
# says how to run it on your own.

unsilo {
  required_version = ">= 0.1.0"
}

warehouse "duckdb" {
  path         = "real.duckdb"
  memory_limit = "2GB"
}

privacy {
  key            = secret("env:PRIVACY_KEY")
  key_id         = "p1"
  default_region = "FI"
}

variable "erp_url" {
  description = "where the ERP's PostgreSQL is: postgres://erp.example.com:5432/erp"
  sensitive   = true
}
variable "shop_url" {
  description = "where the web shop's MariaDB is: mysql://shop.example.com:3306/shop"
  sensitive   = true
}
variable "crm_url" {
  description = "where the CRM answers"
  default     = "https://api.hubapi.com"
}
variable "web_logs" {
  description = "nginx's access log and what its rotation makes of it"
  default     = "/var/log/nginx/access.log*"
}
variable "call_logs" {
  description = "the folder in which Asterisk writes"
  default     = "/var/log/asterisk"
}
variable "call_timezone" {
  description = "the zone that Asterisk writes its times in"
  default     = "Europe/Helsinki"
}
