package sql_test

import (
	"context"
	dbsql "database/sql"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/connectors/sql/sqltest"
	"github.com/unsilo/unsilo/core"

	_ "modernc.org/sqlite"
)

// A silo is a database that tests share across dialects.
type silo struct {
	kind   string
	values map[string]any
	exec   func(tb testing.TB, statements string)
	// server is nil for SQLite.
	server *sqltest.Server
	// clock is the type of a time column; big inserts n numbered rows by a generator.
	clock string
	big   func(n int, insert string) string
}

// eachSilo runs a test on every kind of database, each time on an empty one.
func eachSilo(t *testing.T, test func(t *testing.T, s silo)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteSilo(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, postgresSilo(t, postgresServer(t))) })
	t.Run("mysql", func(t *testing.T) { test(t, mysqlSilo(t, mariadbServer(t))) })
}

func sqliteSilo(t *testing.T) silo {
	path := filepath.Join(t.TempDir(), "erp.db")
	db, err := dbsql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	s := silo{kind: "sqlite", values: map[string]any{"path": path}, clock: "datetime"}
	s.exec = func(tb testing.TB, statements string) {
		tb.Helper()
		if _, err := db.ExecContext(context.Background(), statements); err != nil {
			tb.Fatalf("run statements: %v", err)
		}
	}
	s.exec(t, "PRAGMA journal_mode = WAL")
	s.big = func(n int, insert string) string {
		return strings.Replace(insert, "#FROM", fmt.Sprintf("FROM (WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g WHERE i < %d) SELECT i FROM g) AS g", n), 1)
	}
	return s
}

func postgresSilo(t *testing.T, server *sqltest.Server) silo {
	db := server.Database(t)
	return silo{
		kind: "postgres", values: map[string]any{"url": server.URL(db)}, server: server, clock: "timestamptz",
		exec: func(tb testing.TB, statements string) { tb.Helper(); server.Exec(tb, db, statements) },
		big: func(n int, insert string) string {
			return strings.Replace(insert, "#FROM", fmt.Sprintf("FROM generate_series(1, %d) AS g(i)", n), 1)
		},
	}
}

func mysqlSilo(t *testing.T, server *sqltest.Server) silo {
	db := server.Database(t)
	return silo{
		kind: "mysql", values: map[string]any{"url": server.URL(db)}, server: server, clock: "datetime(6)",
		exec: func(tb testing.TB, statements string) { tb.Helper(); server.Exec(tb, db, statements) },
		big: func(n int, insert string) string {
			return strings.Replace(insert, "#FROM", fmt.Sprintf("FROM (SELECT seq AS i FROM seq_1_to_%d) AS g", n), 1)
		},
	}
}

// open opens the silo with one declared stream.
func (s silo) open(tb testing.TB, streams ...core.StreamConfig) core.Source {
	tb.Helper()
	return open(tb, s.kind, s.values, streams...)
}

// items makes a table of n rows; three of them share each time.
func (s silo) items(tb testing.TB, n int) {
	tb.Helper()
	s.exec(tb, "CREATE TABLE item (id bigint NOT NULL PRIMARY KEY, name varchar(100), amount decimal(12,2), changed "+s.clock+" NULL)")
	s.exec(tb, s.big(n, "INSERT INTO item (id, name, amount, changed) SELECT i, "+s.concat("'n'", "i")+", i / 4.0, "+s.at("i / 3")+" #FROM"))
}

// at is the SQL of a moment, in seconds after the start of 2026.
func (s silo) at(seconds string) string {
	switch s.kind {
	case "postgres":
		return "timestamptz '2026-01-01 00:00:00+00' + ((" + seconds + ")::int * interval '1 second')"
	case "mysql":
		return "timestampadd(SECOND, floor(" + seconds + "), '2026-01-01 00:00:00')"
	}
	return "datetime('2026-01-01', (" + seconds + ") || ' seconds')"
}

func (s silo) concat(a, b string) string {
	if s.kind == "mysql" {
		return "concat(" + a + ", " + b + ")"
	}
	return a + " || " + b
}

// itemConfig declares the stream "item" with a cursor.
func itemConfig() core.StreamConfig {
	return core.StreamConfig{Name: "item", Values: map[string]any{}, CursorField: "changed"}
}
