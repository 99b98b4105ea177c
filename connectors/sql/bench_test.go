package sql_test

import (
	"io"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/unsilo/unsilo/connectors/sql/sqltest"
	"github.com/unsilo/unsilo/core"
)

const benchRows = 1_000_000

const benchTable = `CREATE TABLE invoice (id bigint PRIMARY KEY, customer bigint NOT NULL, number varchar(20), issued date, changed timestamptz,
  total numeric(12,2), paid boolean, currency char(3), note text, rate double precision);
INSERT INTO invoice SELECT i, i % 50000, 'INV-' || i, date '2020-01-01' + (i % 2000), timestamptz '2020-01-01' + i * interval '7 seconds',
  (i % 100000) / 100.0, i % 3 = 0, 'EUR', CASE WHEN i % 4 = 0 THEN 'please pay within fourteen days' END, i / 7.0 FROM generate_series(1, 1000000) AS g(i);
ANALYZE invoice;`

// BenchmarkPostgres compares a read of a million rows with COPY of the same table to
// nothing, in the same run.
func BenchmarkPostgres(b *testing.B) {
	server := sqltest.Postgres(b)
	db := server.Database(b)
	server.Exec(b, db, benchTable)
	src := open(b, "postgres", map[string]any{"url": server.URL(db)})
	st := stream(b, src, "invoice")
	copyOut := func() time.Duration {
		conn, err := pgx.Connect(b.Context(), server.URL(db))
		if err != nil {
			b.Fatal(err)
		}
		began := time.Now()
		if _, err := conn.PgConn().CopyTo(b.Context(), io.Discard, "COPY invoice TO STDOUT"); err != nil {
			b.Fatal(err)
		}
		took := time.Since(began)
		if err := conn.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
		return took
	}
	copyOut() // warm
	var copying, reading time.Duration
	for b.Loop() {
		copying += copyOut()
		began := time.Now()
		rows := int64(0)
		err := src.Read(b.Context(), core.ReadRequest{Stream: st}, func(batch core.Batch) error { rows += batchLen(batch); return nil })
		if err != nil || rows != benchRows {
			b.Fatalf("%d rows, error %v", rows, err)
		}
		reading += time.Since(began)
	}
	b.ReportMetric(float64(copying)/float64(reading), "of-copy-speed")
	b.ReportMetric(float64(reading.Nanoseconds())/float64(b.N)/benchRows, "ns/row")
	b.ReportMetric(float64(copying.Nanoseconds())/float64(b.N)/benchRows, "copy-ns/row")
}

func BenchmarkMySQL(b *testing.B) {
	server := sqltest.MariaDB(b)
	db := server.Database(b)
	server.Exec(b, db, `CREATE TABLE invoice (id bigint PRIMARY KEY, customer bigint NOT NULL, number varchar(20), issued date, changed datetime(6),
  total decimal(12,2), paid boolean, currency char(3), note text, rate double);
INSERT INTO invoice SELECT seq, seq % 50000, concat('INV-', seq), date_add('2020-01-01', INTERVAL seq % 2000 DAY), timestampadd(SECOND, seq * 7, '2020-01-01'),
  (seq % 100000) / 100.0, seq % 3 = 0, 'EUR', CASE WHEN seq % 4 = 0 THEN 'please pay within fourteen days' END, seq / 7.0 FROM seq_1_to_1000000`)
	src := open(b, "mysql", map[string]any{"url": server.URL(db)})
	st := stream(b, src, "invoice")
	for b.Loop() {
		rows := int64(0)
		err := src.Read(b.Context(), core.ReadRequest{Stream: st}, func(batch core.Batch) error { rows += batchLen(batch); return nil })
		if err != nil || rows != benchRows {
			b.Fatalf("%d rows, error %v", rows, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}
