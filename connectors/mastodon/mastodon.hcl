connector "rest" "mastodon" {
  version        = "0.1.0"
  summary        = "Mastodon: accounts, statuses, public timeline, hashtags, directory"
  tested_against = "simulator"
  doc            = <<-DOC
    Reads what a server shows the token: the accounts that the configuration names with
    their statuses, the public timeline, and the directory. Statuses come newest first;
    every run reads back to the last one it knows and seven days beyond it, so that edits
    and counts of that time are renewed. Statuses deleted from the timeline are found by
    reading its ids.
  DOC

  field "base_url" {
    default = "https://mastodon.social"
    help    = "the server"
  }
  field "token" {
    required = true
    secret   = true
    help     = "access token with the scope read"
  }
  field "accounts" {
    type    = "strings"
    default = []
    help    = "accounts to read, such as news@example.social"
  }
  field "start_date" {
    default = "2016-01-01"
    help    = "the first read goes back to this day; set it, as a public timeline is long"
  }
  field "tags" {
    type    = "strings"
    default = []
    help    = "hashtags to read, without the sign"
  }
  field "local" {
    type    = "bool"
    default = true
    help    = "leave out what other servers have sent"
  }

  field "requests_per_5m" {
    type    = "int"
    default = 300
    help    = "calls in five minutes, as the server allows each token"
  }

  client {
    base_url = config.base_url
  }

  auth "bearer" {
    token = config.token
  }

  budget "default" {
    requests         = config.requests_per_5m
    per              = "300s"
    max_concurrency  = 4
    remaining_header = "X-RateLimit-Remaining"
    reset_header     = "X-RateLimit-Reset"
    reset_unit       = "rfc3339"
  }

  check {
    path  = "/api/v1/timelines/public"
    query = { limit = 1 }
  }

  stream "accounts" {
    help        = "The accounts that the configuration names"
    path        = "/api/v1/accounts/lookup"
    query       = { acct = partition.value }
    single      = true
    primary_key = ["id"]
    partition "list" {
      values = config.accounts
    }
    means = {
      id           = "person.id.mastodon"
      username     = "social.handle"
      acct         = "social.handle"
      display_name = "person.name.full"
      note         = "text.free"
      url          = "social.handle"
    }
    schema {
      field "id" {}
      field "username" {}
      field "acct" {}
      field "display_name" {}
      field "note" {}
      field "url" {}
      field "bot" { type = "bool" }
      field "locked" { type = "bool" }
      field "followers_count" { type = "int" }
      field "following_count" { type = "int" }
      field "statuses_count" { type = "int" }
      field "last_status_at" { type = "date" }
      field "fields" { type = "json" }
      field "created_at" { type = "timestamp" }
    }
  }

  stream "statuses" {
    help        = "Statuses of the accounts"
    path        = "/api/v1/accounts/${parent.id}/statuses"
    query       = { limit = 40 }
    primary_key = ["id"]
    partition "parent" {
      stream = "accounts"
    }
    paginate "link_header" {}
    incremental "datetime" {
      cursor      = "created_at"
      start       = config.start_date
      lookback    = "7d"
      order       = "desc"
      client_side = true
    }
    means = {
      content    = "text.free"
      account_id = "person.id.mastodon"
      acct       = "social.handle"
      created_at = "event.time"
      url        = "social.handle"
    }
    schema {
      field "id" {}
      field "account_id" { path = "account.id" }
      field "acct" { path = "account.acct" }
      field "content" {}
      field "language" {}
      field "visibility" {}
      field "url" {}
      field "in_reply_to_id" {}
      field "in_reply_to_account_id" {}
      field "replies_count" { type = "int" }
      field "reblogs_count" { type = "int" }
      field "favourites_count" { type = "int" }
      field "tags" { type = "json" }
      field "created_at" { type = "timestamp" }
      field "edited_at" { type = "timestamp" }
    }
  }

  stream "timeline" {
    help        = "Public statuses that the server knows"
    path        = "/api/v1/timelines/public"
    query       = { limit = 40, local = config.local }
    primary_key = ["id"]
    paginate "link_header" {}
    incremental "datetime" {
      cursor      = "created_at"
      start       = config.start_date
      lookback    = "7d"
      order       = "desc"
      client_side = true
    }
    means = {
      content    = "text.free"
      account_id = "person.id.mastodon"
      acct       = "social.handle"
      created_at = "event.time"
      url        = "social.handle"
    }
    schema {
      field "id" {}
      field "account_id" { path = "account.id" }
      field "acct" { path = "account.acct" }
      field "content" {}
      field "language" {}
      field "visibility" {}
      field "url" {}
      field "in_reply_to_id" {}
      field "in_reply_to_account_id" {}
      field "replies_count" { type = "int" }
      field "reblogs_count" { type = "int" }
      field "favourites_count" { type = "int" }
      field "tags" { type = "json" }
      field "created_at" { type = "timestamp" }
      field "edited_at" { type = "timestamp" }
    }
  }

  stream "tagged" {
    help        = "Public statuses with the hashtags"
    path        = "/api/v1/timelines/tag/${partition.value}"
    query       = { limit = 40, local = config.local }
    primary_key = ["id"]
    partition "list" {
      values = config.tags
    }
    paginate "link_header" {}
    incremental "datetime" {
      cursor      = "created_at"
      start       = config.start_date
      lookback    = "7d"
      order       = "desc"
      client_side = true
    }
    means = {
      content    = "text.free"
      account_id = "person.id.mastodon"
      acct       = "social.handle"
      created_at = "event.time"
      url        = "social.handle"
    }
    schema {
      field "id" {}
      field "account_id" { path = "account.id" }
      field "acct" { path = "account.acct" }
      field "content" {}
      field "language" {}
      field "visibility" {}
      field "url" {}
      field "in_reply_to_id" {}
      field "in_reply_to_account_id" {}
      field "replies_count" { type = "int" }
      field "reblogs_count" { type = "int" }
      field "favourites_count" { type = "int" }
      field "tags" { type = "json" }
      field "created_at" { type = "timestamp" }
      field "edited_at" { type = "timestamp" }
    }
  }

  stream "directory" {
    help        = "Accounts in the server's directory"
    path        = "/api/v1/directory"
    query       = { order = "new" }
    primary_key = ["id"]
    paginate "offset" {
      size       = 80
      size_param = "limit"
      param      = "offset"
    }
    means = {
      id           = "person.id.mastodon"
      username     = "social.handle"
      acct         = "social.handle"
      display_name = "person.name.full"
      note         = "text.free"
      url          = "social.handle"
    }
    schema {
      field "id" {}
      field "username" {}
      field "acct" {}
      field "display_name" {}
      field "note" {}
      field "url" {}
      field "bot" { type = "bool" }
      field "locked" { type = "bool" }
      field "followers_count" { type = "int" }
      field "following_count" { type = "int" }
      field "statuses_count" { type = "int" }
      field "last_status_at" { type = "date" }
      field "fields" { type = "json" }
      field "created_at" { type = "timestamp" }
    }
  }
}
