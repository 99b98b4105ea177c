package sql_test

import (
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/sql/sqltest"
	"github.com/unsilo/unsilo/core"
)

// wantError checks kind and path of an error, and that it holds none of the secrets.
func wantError(t *testing.T, err error, kind core.Kind, path string, words ...string) {
	t.Helper()
	var e *core.Error
	if !errors.As(err, &e) || e.Kind != kind || path != "" && e.Path != path {
		t.Errorf("got error %v of kind %q, want kind %q at %q", err, core.KindOf(err), kind, path)
		return
	}
	text := e.Error() + " " + e.Try
	for _, w := range words {
		if !strings.Contains(text, w) {
			t.Errorf("error %q lacks %q", text, w)
		}
	}
	if strings.Contains(text, sqltest.Password) {
		t.Errorf("error %q holds the password", text)
	}
}

func TestMisspeltNames(t *testing.T) {
	eachSilo(t, func(t *testing.T, s silo) {
		s.items(t, 3)
		for name, test := range map[string]struct {
			stream core.StreamConfig
			path   string
			words  []string
		}{
			"table":  {core.StreamConfig{Name: "a", Values: map[string]any{"table": "itme"}}, "stream.a.table", []string{`"itme"`, `did you mean "item"`}},
			"name":   {core.StreamConfig{Name: "items"}, "stream.items.table", []string{`did you mean "item"`}},
			"cursor": {core.StreamConfig{Name: "item", CursorField: "changd"}, "stream.item.cursor", []string{`did you mean "changed"`}},
			"key":    {core.StreamConfig{Name: "item", PrimaryKey: []string{"ids"}}, "stream.item.primary_key", []string{`did you mean "id"`}},
			"query":  {core.StreamConfig{Name: "a", Values: map[string]any{"query": "SELECT nam FROM item"}}, "stream.a.query", []string{"nam"}},
			"second statement": {core.StreamConfig{Name: "a", Values: map[string]any{"query": "SELECT 1 AS x) AS q; DROP TABLE item; SELECT (SELECT 1"}},
				"stream.a.query", nil},
		} {
			t.Run(name, func(t *testing.T) {
				src := s.open(t, test.stream)
				_, err := src.Streams(t.Context())
				wantError(t, err, core.KindConfig, test.path, test.words...)
				err = src.Read(t.Context(), core.ReadRequest{Stream: core.Stream{Name: test.stream.Name}}, func(core.Batch) error { return nil })
				if name != "cursor" && name != "key" {
					wantError(t, err, core.KindConfig, test.path, test.words...)
				}
			})
		}
		src := s.open(t, core.StreamConfig{Name: "item", Values: map[string]any{"where": "no_such_column > 1"}})
		st := stream(t, src, "item")
		err := src.Read(t.Context(), core.ReadRequest{Stream: st}, func(core.Batch) error { return nil })
		wantError(t, err, core.KindConfig, "", "no_such_column")
	})
}

// TestQueriesOnlyRead tries to write through where and query.
func TestQueriesOnlyRead(t *testing.T) {
	s := postgresSilo(t, postgresServer(t))
	s.exec(t, "CREATE TABLE item (id int PRIMARY KEY); CREATE FUNCTION sneak() RETURNS int LANGUAGE sql AS 'DELETE FROM item RETURNING 1'; INSERT INTO item VALUES (1)")
	src := s.open(t, core.StreamConfig{Name: "a", Values: map[string]any{"query": "SELECT sneak() AS x"}})
	err := src.Read(t.Context(), core.ReadRequest{Stream: core.Stream{Name: "a"}}, func(core.Batch) error { return nil })
	wantError(t, err, core.KindConfig, "", "read-only")
}

func TestRefusedLogin(t *testing.T) {
	for kind, server := range map[string]*sqltest.Server{"postgres": postgresServer(t), "mysql": mariadbServer(t)} {
		t.Run(kind, func(t *testing.T) {
			url := server.URL(server.Database(t))
			wrong := strings.Replace(url, sqltest.Password, "wrong-"+sqltest.Password, 1)
			wantError(t, open(t, kind, map[string]any{"url": wrong}).Check(t.Context()), core.KindAuth, "", sqltest.User)
			wantError(t, open(t, kind, map[string]any{"url": url, "password": "nonsense"}).Check(t.Context()), core.KindAuth, "")
			if err := open(t, kind, map[string]any{"url": wrong, "password": sqltest.Password}).Check(t.Context()); err != nil {
				t.Errorf("with the right password beside the url: %v", err)
			}
			away := strings.Replace(url, "@127.0.0.1:", "@127.0.0.1:1", 1) // a port above 65535 or unused
			if err := tryCheck(t, kind, away); err == nil || strings.Contains(err.Error(), sqltest.Password) {
				t.Errorf("nobody there: got error %v", err)
			}
			none := strings.Replace(url, "/db", "/no_such_db", 1)
			wantError(t, open(t, kind, map[string]any{"url": none}).Check(t.Context()), core.KindConfig, "url", "no_such_db")
		})
	}
}

func tryCheck(t *testing.T, kind, url string) error {
	t.Helper()
	src, err := connector(t, kind).Open(t.Context(), core.Config{Values: map[string]any{"url": url}})
	if err != nil {
		return err
	}
	return errors.Join(src.Check(t.Context()), src.Close())
}

func TestPermissionDenied(t *testing.T) {
	for name, s := range map[string]silo{"postgres": postgresSilo(t, postgresServer(t)), "mysql": mysqlSilo(t, mariadbServer(t))} {
		t.Run(name, func(t *testing.T) {
			s.items(t, 3)
			s.exec(t, "CREATE TABLE open_item (id int PRIMARY KEY)")
			user := "reader_" + name
			if name == "postgres" {
				s.exec(t, "CREATE USER "+user+" PASSWORD 'pw-reader'; GRANT SELECT ON open_item TO "+user)
			} else {
				s.exec(t, "CREATE USER "+user+"@'%' IDENTIFIED BY 'pw-reader'; GRANT SELECT ON open_item TO "+user+"@'%'")
			}
			values := maps.Clone(s.values)
			values["user"], values["password"] = user, "pw-reader"
			src := open(t, s.kind, values)
			stream(t, src, "open_item") // the other one is not offered
			declared := open(t, s.kind, values, core.StreamConfig{Name: "x", Values: map[string]any{"table": "item"}})
			err := declared.Read(t.Context(), core.ReadRequest{Stream: core.Stream{Name: "x"}}, func(core.Batch) error { return nil })
			if kind := core.KindOf(err); kind != core.KindPermission && !(name == "mysql" && kind == core.KindConfig) {
				t.Errorf("got error %v of kind %q", err, kind)
			}
		})
	}
}

// TestServerRestart kills the server in the middle of a read and goes on from the last
// position when it is back.
func TestServerRestart(t *testing.T) {
	for kind, server := range map[string]*sqltest.Server{"postgres": sqltest.Postgres(t), "mysql": sqltest.MariaDB(t)} {
		t.Run(kind, func(t *testing.T) {
			s := postgresSilo
			if kind == "mysql" {
				s = mysqlSilo
			}
			db := s(t, server)
			const rows = 80_000
			db.items(t, rows)
			src := db.open(t, itemConfig())
			st := stream(t, src, "item")
			got, state := map[string]bool{}, core.State(nil)
			killed := false
			read := func() error {
				return src.Read(t.Context(), core.ReadRequest{Stream: st, After: state}, func(b core.Batch) error {
					for i := range int(batchLen(b)) {
						got[b.Rows.Column(0).ValueStr(i)] = true
					}
					if b.After != nil {
						state = append(core.State(nil), b.After...)
					}
					if !killed {
						killed = true
						server.Kill(t)
					}
					return nil
				})
			}
			err := read()
			if len(got) < rows {
				wantError(t, err, core.KindUnavailable, "")
			}
			wantError(t, src.Check(t.Context()), core.KindUnavailable, "")
			server.Start(t)
			if err := read(); err != nil {
				t.Fatalf("after the restart: %v", err)
			}
			if len(got) != rows {
				t.Errorf("got %d rows, want %d", len(got), rows)
			}
		})
	}
}

func batchLen(b core.Batch) int64 {
	if b.Rows == nil {
		return 0
	}
	return b.Rows.NumRows()
}

func TestStatementTimeout(t *testing.T) {
	for name, query := range map[string]string{"postgres": "SELECT 1 AS x, pg_sleep(20)::text AS s", "mysql": "SELECT 1 AS x, sleep(20) AS s"} {
		t.Run(name, func(t *testing.T) {
			s := postgresSilo(t, postgresServer(t))
			if name == "mysql" {
				s = mysqlSilo(t, mariadbServer(t))
			}
			s.values["statement_timeout"] = "300ms"
			src := s.open(t, core.StreamConfig{Name: "slow", Values: map[string]any{"query": query}})
			began := time.Now()
			err := src.Read(t.Context(), core.ReadRequest{Stream: core.Stream{Name: "slow"}}, func(core.Batch) error { return nil })
			wantError(t, err, core.KindUnavailable, "", "statement_timeout")
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

// TestCancelSleepingQuery ends the context of a read that waits for the server.
func TestCancelSleepingQuery(t *testing.T) {
	for name, query := range map[string]string{
		"postgres": "SELECT pg_sleep(20)::text AS s", "mysql": "SELECT sleep(20) AS s",
		"sqlite": "WITH RECURSIVE g(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM g) SELECT count(*) AS n FROM g",
	} {
		t.Run(name, func(t *testing.T) {
			s := map[string]func() silo{
				"postgres": func() silo { return postgresSilo(t, postgresServer(t)) }, "mysql": func() silo { return mysqlSilo(t, mariadbServer(t)) },
				"sqlite": func() silo { return sqliteSilo(t) },
			}[name]()
			s.exec(t, "CREATE TABLE item (id int PRIMARY KEY)")
			where := "(" + query + ") IS NOT NULL"
			s.exec(t, "INSERT INTO item VALUES (1)")
			src := s.open(t, core.StreamConfig{Name: "item", Values: map[string]any{"where": where}})
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			err := src.Read(ctx, core.ReadRequest{Stream: core.Stream{Name: "item"}}, func(core.Batch) error { return nil })
			if took := time.Since(began); !errors.Is(err, context.DeadlineExceeded) || took > 3*time.Second {
				t.Errorf("got error %v after %v", err, took)
			}
		})
	}
}

func TestSQLiteFileFaults(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.db")
	if err := os.WriteFile(junk, []byte(strings.Repeat("this is no database ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	wantError(t, open(t, "sqlite", map[string]any{"path": filepath.Join(dir, "none.db")}).Check(t.Context()), core.KindConfig, "path")
	wantError(t, open(t, "sqlite", map[string]any{"path": dir}).Check(t.Context()), core.KindConfig, "path")
	wantError(t, open(t, "sqlite", map[string]any{"path": junk}).Check(t.Context()), core.KindData, "path")
}
