# The shop gives every browser a cookie "vid", and nginx logs it:
#
#   log_format shop '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
#                   '"$http_referer" "$http_user_agent" "$cookie_vid" "$request_id" $request_time';

source "file" "web" {
  department = "marketing"

  stream "access" {
    path    = var.web_logs
    format  = "access_log"
    pattern = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" \"$cookie_vid\" \"$request_id\" $request_time"
    mask    = { remote_addr = "hmac", http_user_agent = "drop" }
  }
}
