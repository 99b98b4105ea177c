connector "rest" "zendesk" {
  version        = "0.1.0"
  summary        = "Zendesk Support: tickets and users"
  tested_against = "simulator"
  doc            = <<-DOC
    Reads the cursor export, whose position is the API's own, so that rows of equal time
    and rows that become visible late are neither lost nor read for ever. Deleted tickets
    come as rows with the status deleted, scrubbed by Zendesk.
  DOC

  field "subdomain" {
    help = "the part of the address before .zendesk.com"
  }
  field "base_url" {
    help = "where the API is, instead of the subdomain's address"
  }
  field "email" {
    required = true
    help     = "e-mail address of the agent that the token belongs to"
  }
  field "token" {
    required = true
    secret   = true
    help     = "API token"
  }
  field "start_date" {
    default = "2000-01-01"
    help    = "the first read begins with what changed on this day"
  }

  field "page_size" {
    type    = "int"
    default = 1000
    help    = "rows in a page, at most 1000"
  }
  field "requests_per_minute" {
    type    = "int"
    default = 10
    help    = "calls of the export in a minute; 30 with the high volume add-on"
  }

  client {
    base_url = config.base_url == null ? "https://${coalesce(config.subdomain, "unknown")}.zendesk.com" : config.base_url
  }

  auth "basic" {
    username = "${config.email}/token"
    password = config.token
  }

  # The export allows 10 calls a minute.
  budget "default" {
    requests        = config.requests_per_minute
    per             = "60s"
    max_concurrency = 1
  }

  on_response {
    when    = response.status == 429 && regex("offset model|$", coalesce(response.body.error, "")) != ""
    action  = "fail"
    message = "this listing ends at 10,000 rows"
  }

  stream "tickets" {
    help        = "Tickets, also deleted ones"
    path        = "/api/v2/incremental/tickets/cursor"
    query       = { cursor = page.token, start_time = page.token == null ? window.start : null, per_page = config.page_size }
    records     = "tickets"
    primary_key = ["id"]
    paginate "cursor" {
      next = response.body.after_cursor
      stop = response.body.end_of_stream
    }
    incremental "token" {
      token  = response.body.after_cursor
      format = "epoch_s"
      start  = config.start_date
    }
    means = {
      requester_id = "person.id.zendesk"
      submitter_id = "person.id.zendesk"
      subject      = "text.free"
      raw_subject  = "text.free"
      description  = "text.free"
      created_at   = "event.time"
      channel      = "event.channel"
    }
    schema {
      field "id" { type = "int" }
      field "external_id" {}
      field "subject" {}
      field "description" {}
      field "type" {}
      field "priority" {}
      field "status" {}
      field "channel" { path = "via.channel" }
      field "requester_id" { type = "int" }
      field "submitter_id" { type = "int" }
      field "assignee_id" { type = "int" }
      field "organization_id" { type = "int" }
      field "group_id" { type = "int" }
      field "tags" { type = "list(string)" }
      field "satisfaction_rating" { type = "json" }
      field "custom_fields" { type = "json" }
      field "created_at" { type = "timestamp" }
      field "updated_at" { type = "timestamp" }
    }
  }

  stream "users" {
    help        = "Agents and end users"
    path        = "/api/v2/incremental/users/cursor"
    query       = { cursor = page.token, start_time = page.token == null ? window.start : null, per_page = config.page_size }
    records     = "users"
    primary_key = ["id"]
    paginate "cursor" {
      next = response.body.after_cursor
      stop = response.body.end_of_stream
    }
    incremental "token" {
      token  = response.body.after_cursor
      format = "epoch_s"
      start  = config.start_date
    }
    means = {
      id    = "person.id.zendesk"
      email = "person.email"
      name  = "person.name.full"
      phone = "person.phone"
      notes = "text.free"
      alias = "person.name.full"
    }
    schema {
      field "id" { type = "int" }
      field "external_id" {}
      field "name" {}
      field "email" {}
      field "phone" {}
      field "role" {}
      field "organization_id" { type = "int" }
      field "locale" {}
      field "time_zone" {}
      field "active" { type = "bool" }
      field "verified" { type = "bool" }
      field "suspended" { type = "bool" }
      field "notes" {}
      field "tags" { type = "list(string)" }
      field "user_fields" { type = "json" }
      field "created_at" { type = "timestamp" }
      field "updated_at" { type = "timestamp" }
    }
  }
}
