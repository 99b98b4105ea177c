//go:build unix

package erp_test

import (
	"context"
	"database/sql"
	"fmt"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/unsilo/unsilo/connectors/sim"
	"github.com/unsilo/unsilo/connectors/sql/sqltest"
)

func TestPostgres(t *testing.T) {
	s := sqltest.Postgres(t)
	follow(t, "pgx", s.URL(s.Database(t)), "postgres", "SELECT count(*), coalesce(sum(total), 0)::text FROM invoices")
}

func TestMariaDB(t *testing.T) {
	s := sqltest.MariaDB(t)
	name := s.Database(t)
	follow(t, "mysql", fmt.Sprintf("%s:%s@tcp(127.0.0.1:%d)/%s", sqltest.User, sqltest.Password, s.Port, name), "mysql", "SELECT count(*), coalesce(sum(total), 0) FROM invoices")
}

// follow writes a company's ERP into a server, lets days pass, and compares.
func follow(t *testing.T, driver, url, dialect, query string) {
	t.Helper()
	ctx := context.Background()
	db, err := sql.Open(driver, url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	c := sim.New(sim.Options{Customers: 150, Seed: 6})
	if err := c.WriteERP(ctx, db, dialect); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if err := c.ApplyERP(ctx, db, dialect, c.Advance(36*time.Hour)); err != nil {
			t.Fatal(err)
		}
		var rows int
		var sum string
		if err := db.QueryRowContext(ctx, query).Scan(&rows, &sum); err != nil {
			t.Fatal(err)
		}
		want, cents := expected(t, c)
		if rows != want || sum != cents {
			t.Fatalf("%d invoices over %s, want %d over %s", rows, sum, want, cents)
		}
		compareDates(t, db, c)
	}
}

func compareDates(t *testing.T, db *sql.DB, c *sim.Company) {
	t.Helper()
	for _, table := range []string{"customers", "orders", "payments"} {
		oracle, err := c.Expected("erp", table)
		if err != nil {
			t.Fatal(err)
		}
		var rows int
		if err := db.QueryRow("SELECT count(*) FROM " + table).Scan(&rows); err != nil {
			t.Fatal(err)
		}
		if rows != len(oracle.Rows) {
			t.Errorf("%s: %d rows, want %d", table, rows, len(oracle.Rows))
		}
	}
}

func expected(t *testing.T, c *sim.Company) (rows int, total string) {
	t.Helper()
	oracle, err := c.Expected("erp", "invoices")
	if err != nil {
		t.Fatal(err)
	}
	sum := 0
	for _, row := range oracle.Rows {
		var euros, cents int
		if _, err := fmt.Sscanf(row[6].(string), "%d.%d", &euros, &cents); err != nil {
			t.Fatal(err)
		}
		sum += euros*100 + cents
	}
	return len(oracle.Rows), fmt.Sprintf("%d.%02d", sum/100, sum%100)
}
