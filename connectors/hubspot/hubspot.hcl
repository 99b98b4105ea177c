connector "rest" "hubspot" {
  version        = "0.1.0"
  summary        = "HubSpot CRM: contacts, companies, deals, tickets, owners"
  tested_against = "simulator, vendor specification"
  doc            = <<-DOC
    Reads CRM objects with the token of a private app. The first read lists all objects,
    later ones search for what changed. The search index lags behind by up to an hour, so
    every run looks one hour back. Archived objects come from a listing of their own and
    are deleted. Associations are not read.
  DOC

  field "token" {
    required = true
    secret   = true
    help     = "access token of a private app that may read the CRM objects"
  }
  field "base_url" {
    default = "https://api.hubapi.com"
    help    = "where the API is"
  }
  field "objects_path" {
    default = "/crm/v3/objects"
    help    = "path of the objects; /crm/objects/2026-03 is the dated form"
  }
  field "start_date" {
    help = "read only what changed since this day, such as 2026-01-31; everything when left out"
  }
  field "archived_every" {
    type    = "duration"
    default = "0s"
    help    = "least time between two readings of the archived objects"
  }
  field "requests_per_10s" {
    type    = "int"
    default = 90
    help    = "calls in ten seconds; the account's tier decides, from 100 to 190"
  }
  field "searches_per_second" {
    type    = "int"
    default = 4
    help    = "searches in a second, of these calls"
  }
  stream_field "properties" {
    type = "strings"
    help = "names of the properties to read instead of the usual ones"
  }

  client {
    base_url = config.base_url
  }

  auth "bearer" {
    token = config.token
  }

  budget "default" {
    requests        = config.requests_per_10s
    per             = "10s"
    max_concurrency = 4
  }
  budget "search" {
    requests        = config.searches_per_second
    per             = "1s"
    max_concurrency = 2
  }

  on_response {
    when    = response.status == 429 && response.body.policyName == "DAILY"
    action  = "quota"
    message = "the calls of this day are used up"
  }
  on_response {
    when    = response.status == 530
    action  = "fail"
    kind    = "auth"
    message = "the token has a wrong format"
  }

  check {
    path  = "/crm/v3/owners"
    query = { limit = 1 }
  }

  stream "contacts" {
    help        = "People"
    path        = "${config.objects_path}/contacts/search"
    records     = "results"
    primary_key = ["id"]
    lift        = ["properties"]
    budget      = "search"

    # Sorted by id inside a fixed window: the sort by time is not kept reliably, and beyond
    # 10,000 results the search goes on from the last id.
    json = {
      limit      = page.size
      after      = page.token
      properties = fields
      sorts      = ["hs_object_id"]
      filterGroups = [{ filters = [
        window.start == null ? null : { propertyName = "lastmodifieddate", operator = "GTE", value = window.start },
        window.end == null ? null : { propertyName = "lastmodifieddate", operator = "LT", value = window.end },
        page.key == null ? null : { propertyName = "hs_object_id", operator = "GTE", value = page.key },
      ] }]
    }
    paginate "cursor" {
      next = response.body.paging.next.after
      size = 200
      cap  = 10000
      key  = "id"
    }

    first {
      path   = "${config.objects_path}/contacts"
      query  = { limit = page.size, after = page.token, properties = join(",", fields), archived = false }
      budget = "default"
      paginate "cursor" {
        next      = response.body.paging.next.after
        size      = 100
        resumable = true
      }
    }

    incremental "datetime" {
      cursor   = "lastmodifieddate"
      format   = "epoch_ms"
      start    = config.start_date
      lookback = "1h"
    }

    deletes "feed" {
      path   = "${config.objects_path}/contacts"
      query  = { limit = page.size, after = page.token, archived = true }
      budget = "default"
      every  = config.archived_every
      time   = "archivedAt"
      paginate "cursor" {
        next = response.body.paging.next.after
        size = 100
      }
    }

    means = {
      id                   = "person.id.hubspot"
      email                = "person.email"
      hs_additional_emails = "person.email"
      firstname            = "person.name.given"
      lastname             = "person.name.family"
      phone                = "person.phone"
      mobilephone          = "person.phone"
      date_of_birth        = "person.birth_date"
      gender               = "person.gender"
      address              = "person.address.street"
      city                 = "person.address.city"
      zip                  = "person.address.postcode"
      state                = "person.address.region"
      country              = "person.address.country"
      company              = "company.name"
      associatedcompanyid  = "company.id"
      twitterhandle        = "social.handle"
      social_handle        = "social.handle"
      hs_ip                = "person.ip"
    }
    schema {
      select      = option.properties
      select_path = "properties"
      select_default = [
        "email", "firstname", "lastname", "phone", "mobilephone", "hs_additional_emails", "date_of_birth",
        "gender", "address", "city", "zip", "state", "country", "company", "associatedcompanyid", "jobtitle",
        "lifecyclestage", "hubspot_owner_id", "twitterhandle", "hs_merged_object_ids", "createdate",
        "lastmodifieddate",
      ]
      field "id" {}
      field "createdate" {
        type = "timestamp"
        path = "properties.createdate"
      }
      field "lastmodifieddate" {
        type = "timestamp"
        path = "properties.lastmodifieddate"
      }
      field "archived" { type = "bool" }
    }
  }

  stream "companies" {
    help        = "Companies"
    path        = "${config.objects_path}/companies/search"
    records     = "results"
    primary_key = ["id"]
    lift        = ["properties"]
    budget      = "search"

    # Sorted by id inside a fixed window: the sort by time is not kept reliably, and beyond
    # 10,000 results the search goes on from the last id.
    json = {
      limit      = page.size
      after      = page.token
      properties = fields
      sorts      = ["hs_object_id"]
      filterGroups = [{ filters = [
        window.start == null ? null : { propertyName = "hs_lastmodifieddate", operator = "GTE", value = window.start },
        window.end == null ? null : { propertyName = "hs_lastmodifieddate", operator = "LT", value = window.end },
        page.key == null ? null : { propertyName = "hs_object_id", operator = "GTE", value = page.key },
      ] }]
    }
    paginate "cursor" {
      next = response.body.paging.next.after
      size = 200
      cap  = 10000
      key  = "id"
    }

    first {
      path   = "${config.objects_path}/companies"
      query  = { limit = page.size, after = page.token, properties = join(",", fields), archived = false }
      budget = "default"
      paginate "cursor" {
        next      = response.body.paging.next.after
        size      = 100
        resumable = true
      }
    }

    incremental "datetime" {
      cursor   = "hs_lastmodifieddate"
      format   = "epoch_ms"
      start    = config.start_date
      lookback = "1h"
    }

    deletes "feed" {
      path   = "${config.objects_path}/companies"
      query  = { limit = page.size, after = page.token, archived = true }
      budget = "default"
      every  = config.archived_every
      time   = "archivedAt"
      paginate "cursor" {
        next = response.body.paging.next.after
        size = 100
      }
    }

    means = {
      id      = "company.id"
      name    = "company.name"
      domain  = "company.domain"
      phone   = "none"
      address = "none"
      city    = "none"
      zip     = "none"
      state   = "none"
      country = "none"
    }
    schema {
      select      = option.properties
      select_path = "properties"
      select_default = [
        "name", "domain", "phone", "address", "city", "zip", "state", "country", "industry",
        "numberofemployees", "lifecyclestage", "hubspot_owner_id", "hs_merged_object_ids", "createdate",
        "hs_lastmodifieddate",
      ]
      field "id" {}
      field "numberofemployees" {
        type = "int"
        path = "properties.numberofemployees"
      }
      field "createdate" {
        type = "timestamp"
        path = "properties.createdate"
      }
      field "hs_lastmodifieddate" {
        type = "timestamp"
        path = "properties.hs_lastmodifieddate"
      }
      field "archived" { type = "bool" }
    }
  }

  stream "deals" {
    help        = "Deals"
    path        = "${config.objects_path}/deals/search"
    records     = "results"
    primary_key = ["id"]
    lift        = ["properties"]
    budget      = "search"

    # Sorted by id inside a fixed window: the sort by time is not kept reliably, and beyond
    # 10,000 results the search goes on from the last id.
    json = {
      limit      = page.size
      after      = page.token
      properties = fields
      sorts      = ["hs_object_id"]
      filterGroups = [{ filters = [
        window.start == null ? null : { propertyName = "hs_lastmodifieddate", operator = "GTE", value = window.start },
        window.end == null ? null : { propertyName = "hs_lastmodifieddate", operator = "LT", value = window.end },
        page.key == null ? null : { propertyName = "hs_object_id", operator = "GTE", value = page.key },
      ] }]
    }
    paginate "cursor" {
      next = response.body.paging.next.after
      size = 200
      cap  = 10000
      key  = "id"
    }

    first {
      path   = "${config.objects_path}/deals"
      query  = { limit = page.size, after = page.token, properties = join(",", fields), archived = false }
      budget = "default"
      paginate "cursor" {
        next      = response.body.paging.next.after
        size      = 100
        resumable = true
      }
    }

    incremental "datetime" {
      cursor   = "hs_lastmodifieddate"
      format   = "epoch_ms"
      start    = config.start_date
      lookback = "1h"
    }

    deletes "feed" {
      path   = "${config.objects_path}/deals"
      query  = { limit = page.size, after = page.token, archived = true }
      budget = "default"
      every  = config.archived_every
      time   = "archivedAt"
      paginate "cursor" {
        next = response.body.paging.next.after
        size = 100
      }
    }

    means = {
      dealname                      = "text.free"
      amount                        = "money.amount"
      deal_currency_code            = "money.currency"
      closedate                     = "event.time"
      hs_primary_associated_company = "company.id"
      primary_contact_id            = "person.id.hubspot"
    }
    schema {
      select      = option.properties
      select_path = "properties"
      select_default = [
        "dealname", "dealstage", "pipeline", "dealtype", "amount", "deal_currency_code", "closedate",
        "hubspot_owner_id", "hs_primary_associated_company", "primary_contact_id", "createdate",
        "hs_lastmodifieddate",
      ]
      field "id" {}
      field "amount" {
        type = "decimal(18,4)"
        path = "properties.amount"
      }
      field "closedate" {
        type = "timestamp"
        path = "properties.closedate"
      }
      field "createdate" {
        type = "timestamp"
        path = "properties.createdate"
      }
      field "hs_lastmodifieddate" {
        type = "timestamp"
        path = "properties.hs_lastmodifieddate"
      }
      field "archived" { type = "bool" }
    }
  }

  stream "tickets" {
    help        = "Service tickets"
    path        = "${config.objects_path}/tickets/search"
    records     = "results"
    primary_key = ["id"]
    lift        = ["properties"]
    budget      = "search"

    # Sorted by id inside a fixed window: the sort by time is not kept reliably, and beyond
    # 10,000 results the search goes on from the last id.
    json = {
      limit      = page.size
      after      = page.token
      properties = fields
      sorts      = ["hs_object_id"]
      filterGroups = [{ filters = [
        window.start == null ? null : { propertyName = "hs_lastmodifieddate", operator = "GTE", value = window.start },
        window.end == null ? null : { propertyName = "hs_lastmodifieddate", operator = "LT", value = window.end },
        page.key == null ? null : { propertyName = "hs_object_id", operator = "GTE", value = page.key },
      ] }]
    }
    paginate "cursor" {
      next = response.body.paging.next.after
      size = 200
      cap  = 10000
      key  = "id"
    }

    first {
      path   = "${config.objects_path}/tickets"
      query  = { limit = page.size, after = page.token, properties = join(",", fields), archived = false }
      budget = "default"
      paginate "cursor" {
        next      = response.body.paging.next.after
        size      = 100
        resumable = true
      }
    }

    incremental "datetime" {
      cursor   = "hs_lastmodifieddate"
      format   = "epoch_ms"
      start    = config.start_date
      lookback = "1h"
    }

    deletes "feed" {
      path   = "${config.objects_path}/tickets"
      query  = { limit = page.size, after = page.token, archived = true }
      budget = "default"
      every  = config.archived_every
      time   = "archivedAt"
      paginate "cursor" {
        next = response.body.paging.next.after
        size = 100
      }
    }

    means = {
      subject            = "text.free"
      content            = "text.free"
      source_type        = "event.channel"
      createdate         = "event.time"
      primary_contact_id = "person.id.hubspot"
    }
    schema {
      select      = option.properties
      select_path = "properties"
      select_default = [
        "subject", "content", "hs_pipeline", "hs_pipeline_stage", "hs_ticket_priority", "hs_ticket_category",
        "source_type", "hubspot_owner_id", "primary_contact_id", "createdate", "closed_date",
        "hs_lastmodifieddate",
      ]
      field "id" {}
      field "createdate" {
        type = "timestamp"
        path = "properties.createdate"
      }
      field "closed_date" {
        type = "timestamp"
        path = "properties.closed_date"
      }
      field "hs_lastmodifieddate" {
        type = "timestamp"
        path = "properties.hs_lastmodifieddate"
      }
      field "archived" { type = "bool" }
    }
  }

  stream "owners" {
    help        = "Users who own objects"
    path        = "/crm/v3/owners"
    query       = { limit = page.size, after = page.token }
    records     = "results"
    primary_key = ["id"]
    paginate "cursor" {
      next = response.body.paging.next.after
      size = 100
    }
    means = {
      email     = "person.email"
      firstName = "person.name.given"
      lastName  = "person.name.family"
    }
    schema {
      field "id" {}
      field "email" {}
      field "firstName" {}
      field "lastName" {}
      field "userId" { type = "int" }
      field "createdAt" { type = "timestamp" }
      field "updatedAt" { type = "timestamp" }
      field "archived" { type = "bool" }
    }
  }
}
