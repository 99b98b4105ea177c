# Three answers that no silo could give alone.

# Every record of a person, one line each, is what the answers join through.
model "customers" {
  description = "ERP customers with the person each is"
  sql         = <<-SQL
    SELECT c.id AS customer_id, c.customer_no, m.person_id
    FROM ${source.erp.customers} c
    JOIN ${identity.person.map} m ON m.source = 'erp' AND m.stream = 'customers' AND m.record_key = CAST(c.id AS VARCHAR)
  SQL
  test "unique" {
    columns = ["customer_id"]
  }
  test "not_null" {
    columns = ["person_id"]
  }
}

model "calls" {
  description = "Calls with the person who called"
  sql         = <<-SQL
    SELECT c.call_id, m.person_id, c.called_at, c.talk_seconds
    FROM ${model.callers} c
    JOIN ${identity.person.map} m ON m.source = 'marts' AND m.stream = 'callers' AND m.record_key = c.call_id
  SQL
}

model "campaign_margin" {
  question = "What does a campaign cost the call centre? Margin after service, by campaign"
  chart    = "bar"
  sql      = <<-SQL
    WITH spend AS (
      SELECT campaign_id, CAST(sum(cost) AS DECIMAL(12, 2)) AS spend FROM ${source.ads.spend} GROUP BY campaign_id
    ), bought AS (
      SELECT o.campaign AS code, c.person_id, min(o.ordered_at) AS first_order, sum(o.total) AS revenue
      FROM ${source.erp.orders} o JOIN ${model.customers} c USING (customer_id)
      WHERE o.campaign IS NOT NULL
      GROUP BY ALL
    ), service AS (
      SELECT b.code, count(*) AS calls, sum(k.talk_seconds) * 1.20 / 60 AS service_cost
      FROM bought b JOIN ${model.calls} k ON k.person_id = b.person_id AND k.called_at >= b.first_order
      GROUP BY b.code
    )
    SELECT p.name AS campaign, count(DISTINCT b.person_id) AS customers, sum(b.revenue) AS revenue, any_value(s.spend) AS spend,
           coalesce(any_value(v.calls), 0) AS calls, round(coalesce(any_value(v.service_cost), 0), 2) AS service,
           round(CAST(sum(b.revenue) * 0.5 - any_value(s.spend) - coalesce(any_value(v.service_cost), 0) AS DOUBLE), 2) AS margin
    FROM ${source.ads.campaigns} p
    JOIN spend s ON s.campaign_id = p.campaign_id
    JOIN bought b ON b.code = p.code
    LEFT JOIN service v ON v.code = p.code
    GROUP BY p.campaign_id, p.name
    ORDER BY margin DESC, campaign
  SQL
  test "unique" {
    columns = ["campaign"]
  }
}

model "failed_checkout" {
  question = "Who saw the checkout fail, who called, and who stayed silent?"
  chart    = "bar"
  sql      = <<-SQL
    WITH failed AS (
      SELECT m.person_id, min(a.time) AS failed_at,
             arg_min(CAST(regexp_extract(a.path, 'value=([0-9.]+)', 1) AS DECIMAL(12, 2)), a.time) AS cart
      FROM ${source.web.access} a
      JOIN ${identity.person.map} m ON m.source = 'marts' AND m.stream = 'web_visitors' AND m.record_key = a.cookie_vid
      WHERE a.status = 503 AND a.path LIKE '/checkout/pay%'
      GROUP BY m.person_id
    ), followed AS (
      SELECT f.person_id, f.cart,
        EXISTS (SELECT 1 FROM ${model.calls} k WHERE k.person_id = f.person_id AND k.called_at > f.failed_at
                AND k.called_at <= f.failed_at + INTERVAL 24 HOUR) AS called,
        EXISTS (SELECT 1 FROM ${source.erp.orders} o JOIN ${model.customers} c USING (customer_id)
                WHERE c.person_id = f.person_id AND o.ordered_at > f.failed_at
                AND o.ordered_at <= f.failed_at + INTERVAL 72 HOUR) AS bought
      FROM failed f
    )
    SELECT CASE WHEN called THEN 'called within a day' WHEN bought THEN 'silent, bought later' ELSE 'silent, gone' END AS what_they_did,
           sum(cart) AS carts, count(*) AS people
    FROM followed GROUP BY 1 ORDER BY 1
  SQL
}

model "fever" {
  question = "Is the company's temperature rising? Calls, unhappy answers and angry posts, week by week"
  chart    = "bar"
  sql      = <<-SQL
    WITH events AS (
      SELECT date_trunc('week', start) AS week, 1 AS calls, 0 AS promoters, 0 AS detractors, 0 AS answers, 0 AS posts, 0 AS negative
      FROM (SELECT uniqueid, min(start) AS start FROM ${source.calls.cdr} GROUP BY uniqueid)
      UNION ALL
      SELECT date_trunc('week', submitted_at), 0, CAST(score >= 9 AS INT), CAST(score <= 6 AS INT), 1, 0, 0 FROM ${source.surveys.answers}
      UNION ALL
      SELECT date_trunc('week', created_at), 0, 0, 0, 0, 1,
             CAST(regexp_matches(lower(content), 'broken|disappointed|useless|refund') AS INT) FROM ${source.social.statuses}
    ), weeks AS (
      SELECT CAST(week AS DATE) AS week, sum(calls) AS calls, 100.0 * (sum(promoters) - sum(detractors)) / nullif(sum(answers), 0) AS nps,
             sum(posts) AS posts, sum(negative) AS negative
      FROM events GROUP BY 1
    ), usual AS (
      SELECT median(calls) AS calls, median(nps) AS nps, median(negative) AS negative FROM weeks
    )
    SELECT w.week, w.calls, round(w.nps, 1) AS nps, w.posts, w.negative,
           round(100 * (0.5 * (w.calls / greatest(u.calls, 1) - 1) + 0.25 * (u.nps - w.nps) / 100
                 + 0.25 * least(w.negative / greatest(u.negative, 1) - 1, 4)), 1) AS fever
    FROM weeks w, usual u
    WHERE w.week + 6 <= (SELECT CAST(max(start) AS DATE) FROM ${source.calls.cdr}) -- whole weeks only
    ORDER BY w.week DESC LIMIT 10
  SQL
}
