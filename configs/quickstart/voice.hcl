# Two more silos that no connector was written for.

connector "rest" "townsquare" {
  summary = "What people say in public, from a server that speaks like Mastodon"

  field "base_url" {
    required = true
  }
  field "token" {
    required = true
    secret   = true
  }

  client {
    base_url = config.base_url
  }
  auth "bearer" {
    token = config.token
  }

  stream "statuses" {
    path        = "/api/v1/timelines/public"
    query       = { limit = 40 }
    primary_key = ["id"]
    paginate "link_header" {}
    incremental "datetime" {
      cursor      = "created_at"
      start       = "2016-01-01"
      lookback    = "3d"
      order       = "desc"
      client_side = true
    }
    means = {
      content    = "text.free"
      handle     = "social.handle"
      name       = "person.name.full"
      created_at = "event.time"
    }
    schema {
      closed = true # what is not named here does not land
      field "id" {}
      field "handle" { path = "account.username" }
      field "name" { path = "account.display_name" }
      field "content" {}
      field "replies_count" { type = "int" }
      field "favourites_count" { type = "int" }
      field "created_at" { type = "timestamp" }
      field "edited_at" { type = "timestamp" }
    }
  }
}

source "townsquare" "social" {
  department = "communication"
  base_url   = local.company
  token      = secret("file:secrets/social_token")
}

connector "rest" "surveyhall" {
  summary = "Survey answers"

  field "base_url" {
    required = true
  }
  field "api_key" {
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
    path        = "/surveys/v1/answers"
    query       = { updated_since = window.start }
    records     = "items"
    primary_key = ["id"]
    paginate "offset" {
      size       = 500
      size_param = "limit"
      param      = "offset"
      total      = response.body.total
    }
    incremental "datetime" {
      cursor = "updated_at"
      start  = "2016-01-01"
      order  = "none"
    }
    means = {
      email           = "person.email"
      customer_number = "person.id.erp"
      comment         = "text.free"
      score           = "survey.score"
      submitted_at    = "event.time"
    }
    schema {
      field "id" { type = "int" }
      field "survey" {}
      field "score" { type = "int" }
      field "comment" {}
      field "channel" {}
      field "consent" { type = "bool" }
      field "email" {}
      field "customer_number" {}
      field "submitted_at" { type = "timestamp" }
      field "updated_at" { type = "timestamp" }
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
