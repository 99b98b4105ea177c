# Who is who. The meanings of the columns say what takes part; what stands here is what the
# defaults cannot know.

# Calls, one row each: a transferred call has several records with one number.
model "callers" {
  description = "Who called, by call"
  sql         = <<-SQL
    SELECT uniqueid AS call_id, any_value(src ORDER BY start) AS phone, any_value(caller_name ORDER BY start) AS name,
           min(start) AS called_at, sum(billsec) AS talk_seconds
    FROM ${source.calls.cdr}
    WHERE regexp_matches(src, '[0-9]{5}')
    GROUP BY uniqueid
  SQL
  test "unique" {
    columns = ["call_id"]
  }
}

# Browsers, with the customer number of each login.
model "web_visitors" {
  description = "Browsers, by cookie, and the customer each logged in as"
  sql         = <<-SQL
    WITH hits AS (
      SELECT cookie_vid, time, nullif(regexp_extract(path, '^/account/login.customer=(K-[0-9]+)', 1), '') AS customer_no
      FROM ${source.web.access}
      WHERE cookie_vid <> '-'
    )
    SELECT cookie_vid AS cookie, min(time) AS first_seen, count(DISTINCT customer_no) AS people,
           CASE WHEN count(DISTINCT customer_no) = 1 THEN any_value(customer_no) END AS customer_no
    FROM hits
    GROUP BY cookie_vid
  SQL
  test "unique" {
    columns = ["cookie"]
  }
}

identity "person" {
  id_prefix = "per"
  region    = "FI"

  record "crm" {
    from  = source.crm.contacts
    trust = 80
  }
  record "erp" {
    from  = source.erp.customers
    trust = 90
  }
  record "support" {
    from  = source.support.users
    trust = 60
  }
  record "surveys" {
    from  = source.surveys.answers
    trust = 30
  }
  record "calls" {
    from  = model.callers
    key   = ["call_id"]
    trust = 20
    map {
      phone     = "phone"
      full_name = "name"
    }
  }
  record "web" {
    from  = model.web_visitors
    key   = ["cookie"]
    trust = 10
    map {
      erp_id = "customer_no"
      cookie = "cookie"
    }
  }

  # The ERP gives a person one customer number: two numbers are two people, however much
  # else father and son, or a couple, have in common.
  identifier "erp_id" {
    priority  = 1
    exclusive = true
  }
}
