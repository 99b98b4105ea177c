source "file" "web" {
  department = "marketing"

  stream "access" {
    path    = "${local.silos}/web/access-*.log*"
    format  = "access_log"
    pattern = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" \"$cookie_vid\" \"$request_id\""
    settle  = "0s"
    mask    = { remote_addr = "hmac" }
  }
}

# A silo that no connector was written for: HCL is enough.
connector "rest" "adbooks" {
  summary = "Campaigns and their daily spend"

  field "base_url" {
    required = true
  }
  field "client_id" {
    required = true
    secret   = true
  }
  field "client_secret" {
    required = true
    secret   = true
  }

  client {
    base_url = config.base_url
  }

  auth "oauth2" {
    grant         = "client_credentials"
    token_url     = "${config.base_url}/ads/oauth/token"
    client_id     = config.client_id
    client_secret = config.client_secret
  }

  stream "campaigns" {
    path        = "/ads/v1/campaigns"
    records     = "data"
    primary_key = ["campaign_id"]
    paginate "page" {
      size        = 100
      param       = "page"
      start       = 1
      size_param  = "page_size"
      total_pages = response.body.total_pages
    }
  }

  # Days are restated for a while: every run reads all of them, and only rows that differ land.
  stream "spend" {
    path        = "/ads/v1/spend"
    records     = "data"
    primary_key = ["campaign_id", "date"]
    paginate "page" {
      size        = 500
      param       = "page"
      start       = 1
      size_param  = "page_size"
      total_pages = response.body.total_pages
    }
  }
}

source "adbooks" "ads" {
  department    = "marketing"
  base_url      = local.company
  client_id     = secret("file:secrets/ads_client_id")
  client_secret = secret("file:secrets/ads_client_secret")
}
