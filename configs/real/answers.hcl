# Three answers that need more than one of the systems.

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

model "cost_to_serve" {
  question = "What do the customers with open baskets cost the call centre, and what have they paid?"
  sql      = <<-SQL
    WITH paid AS (
      SELECT c.person_id, sum(p.amount) AS paid
      FROM ${source.erp.payments} p
      JOIN ${source.erp.invoices} i ON i.id = p.invoice_id
      JOIN ${model.customers} c ON c.customer_id = i.customer_id
      GROUP BY c.person_id
    ), called AS (
      SELECT m.person_id, count(*) AS calls, sum(c.billsec) AS talk_seconds
      FROM ${source.calls.cdr} c
      JOIN ${identity.person.map} m ON m.source = 'marts' AND m.stream = 'callers' AND m.record_key = c.uniqueid
      GROUP BY m.person_id
    ), waiting AS (
      SELECT m.person_id, count(*) AS baskets, sum(b.total) AS open_total
      FROM ${source.shop.baskets} b
      JOIN ${identity.person.map} m ON m.source = 'shop' AND m.stream = 'customers' AND m.record_key = CAST(b.customer_id AS VARCHAR)
      WHERE b.state = 'open'
      GROUP BY m.person_id
    )
    SELECT w.person_id, w.baskets, w.open_total, coalesce(p.paid, 0) AS paid, coalesce(c.calls, 0) AS calls,
           round(coalesce(c.talk_seconds, 0) * 1.20 / 60, 2) AS service_cost
    FROM waiting w
    LEFT JOIN paid p USING (person_id)
    LEFT JOIN called c USING (person_id)
    ORDER BY w.open_total DESC, w.person_id
  SQL
  test "unique" {
    columns = ["person_id"]
  }
  test "not_null" {
    columns = ["open_total", "paid"]
  }
}

model "failed_checkout" {
  question = "Who saw the shop fail, and who of them called?"
  sql      = <<-SQL
    WITH failed AS (
      SELECT m.person_id, min(a.time) AS failed_at, count(*) AS failures
      FROM ${source.web.access} a
      JOIN ${identity.person.map} m ON m.source = 'marts' AND m.stream = 'web_visitors' AND m.record_key = a.cookie_vid
      WHERE a.status >= 500
      GROUP BY m.person_id
    )
    SELECT f.person_id, f.failed_at, f.failures,
           EXISTS (SELECT 1 FROM ${model.callers} k
                   JOIN ${identity.person.map} m ON m.source = 'marts' AND m.stream = 'callers' AND m.record_key = k.call_id
                   WHERE m.person_id = f.person_id AND k.called_at BETWEEN f.failed_at AND f.failed_at + INTERVAL 24 HOUR) AS called
    FROM failed f
    ORDER BY f.failed_at, f.person_id
  SQL
  test "unique" {
    columns = ["person_id"]
  }
}

model "patience" {
  question = "How long do people wait in the queues, and how many hang up?"
  chart    = "bar"
  sql      = <<-SQL
    SELECT queue, count(*) FILTER (WHERE event = 'ENTERQUEUE') AS callers, count(*) FILTER (WHERE event = 'ABANDON') AS hung_up,
           round(avg(TRY_CAST(data1 AS INTEGER)) FILTER (WHERE event = 'CONNECT'), 1) AS seconds_to_answer
    FROM ${source.calls.queue_log}
    WHERE queue IS NOT NULL
    GROUP BY queue
    ORDER BY queue
  SQL
  test "unique" {
    columns = ["queue"]
  }
  test "expression" {
    sql = "hung_up <= callers"
  }
}
