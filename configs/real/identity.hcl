# Who is who, over CRM, ERP, shop, web and calls. E-mail addresses, numbers and birth dates
# take part as tokens: equal ones agree, and nobody can read them.

model "callers" {
  description = "Calls with the number and the name that called"
  sql         = <<-SQL
    SELECT uniqueid AS call_id, any_value(src) AS phone, any_value(caller_name) AS name, min(start) AS called_at
    FROM ${source.calls.cdr}
    GROUP BY uniqueid
  SQL
  test "unique" {
    columns = ["call_id"]
  }
}

# A browser in which two customers logged in is nobody's.
model "web_visitors" {
  description = "Browsers, by cookie, and the customer who logged in"
  sql         = <<-SQL
    WITH hits AS (
      SELECT cookie_vid, time, nullif(regexp_extract(path, '^/account/login.customer=(K-[0-9]+)', 1), '') AS customer_no
      FROM ${source.web.access}
      WHERE cookie_vid IS NOT NULL
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
  record "shop" {
    from  = source.shop.customers
    trust = 60
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

  # The ERP gives a person one customer number: two numbers are two people.
  identifier "erp_id" {
    priority  = 1
    exclusive = true
  }
}
