source "mastodon" "social" {
  department = "communication"
  base_url   = local.company
  token      = secret("file:secrets/social_token")

  stream "statuses" {}
}

connector "rest" "surveyhall" {
  summary = "Survey answers"

  field "base_url" {
    type     = "string"
    required = true
  }
  field "api_key" {
    type     = "string"
    required = true
    secret   = true
  }

  client {
    base_url = config.base_url
  }
  auth "api_key" {
    header = "X-Api-Key"
    value  = config.api_key
  }

  stream "answers" {
    request {
      path = "/surveys/v1/answers"
    }
    select {
      records = "items"
    }
    paginate "offset" {
      size         = 500
      size_param   = "limit"
      offset_param = "offset"
      total        = "total"
    }
    incremental "datetime" {
      cursor = "updated_at"
      format = "rfc3339"
      lower  = "updated_since"
    }
    primary_key = ["id"]
    means = {
      email           = "person.email"
      customer_number = "person.id.erp"
      comment         = "text.free"
      score           = "survey.score"
    }
  }
}

source "surveyhall" "surveys" {
  department = "communication"
  base_url   = local.company
  api_key    = secret("file:secrets/surveys_key")

  stream "answers" {
    mask = { comment = "redact" }
  }
}
