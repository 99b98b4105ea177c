source "file" "web" {
  department = "marketing"

  stream "access" {
    path       = "${local.silos}/web/access-*.log*"
    format     = "access_log"
    log_format = "$remote_addr - $remote_user [$time_local] \"$request\" $status $body_bytes_sent \"$http_referer\" \"$http_user_agent\" \"$cookie_vid\" \"$request_id\""
    means      = { path = "none" }
    mask       = { remote_addr = "hmac" }
  }
}

# A silo that no connector was written for: HCL is enough.
connector "rest" "adbooks" {
  summary = "Campaigns and their daily spend"

  field "base_url" {
    type     = "string"
    required = true
  }
  field "client_id" {
    type     = "string"
    required = true
  }
  field "client_secret" {
    type     = "string"
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
    request {
      path = "/ads/v1/campaigns"
    }
    select {
      records = "data"
    }
    paginate "page" {
      size       = 100
      page_param = "page"
      size_param = "page_size"
      total_pages = "total_pages"
    }
    primary_key = ["campaign_id"]
  }

  stream "spend" {
    request {
      path = "/ads/v1/spend"
    }
    select {
      records = "data"
    }
    paginate "page" {
      size       = 500
      page_param = "page"
      size_param = "page_size"
      total_pages = "total_pages"
    }
    primary_key = ["campaign_id", "date"]
  }
}

source "adbooks" "ads" {
  department    = "marketing"
  base_url      = local.company
  client_id     = secret("file:secrets/ads_client_id")
  client_secret = secret("file:secrets/ads_client_secret")
}
