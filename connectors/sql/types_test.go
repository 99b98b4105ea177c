package sql_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/core"
)

// row checks the columns of one row, as JSON gives them.
func checkRow(t *testing.T, l *landing, key string, want map[string]string) {
	t.Helper()
	for name, want := range want {
		if got := l.column(name)[key]; got != want {
			t.Errorf("row %s, %s: got %s, want %s", key, name, got, want)
		}
	}
}

func TestMySQLTypes(t *testing.T) {
	s := mysqlSilo(t, mariadbServer(t))
	s.exec(t, `
SET sql_mode = '';
CREATE TABLE everything (
  id bigint unsigned PRIMARY KEY, b boolean, i1 tinyint, u1 tinyint unsigned, i2 smallint, i3 mediumint, i4 int, u4 int unsigned, i8 bigint,
  f float, d double, n decimal(12,2), big decimal(38,10), wide decimal(50,2), t text, c char(5), v varchar(20) CHARACTER SET latin1,
  bin binary(3), bl blob, dt date, tm time, dtm datetime, dtm6 datetime(6), ts timestamp(3) NULL, y year, e enum('calm','cross'),
  st set('a','b'), bit1 bit(1), bit5 bit(5), j json);
SET time_zone = '+02:00';
INSERT INTO everything VALUES (18446744073709551615, true, -128, 255, -32768, -8388608, 2147483647, 4294967295, -9223372036854775808,
  1.5, 0.1, -1234.5, 1234567890123456789012345678.0123456789, 123456789012345678901234567890123456789012345678.89, 'häß', 'ab', 'ä',
  'a\0b', x'00ff', '2026-02-28', '-838:59:59', '2026-10-25 03:30:00', '2026-10-25 03:30:00.123456', '2026-10-25 03:30:00.5', 2026, 'cross',
  'a,b', b'1', b'10110', '{"a": 1}');
INSERT INTO everything (id, dt, dtm, ts) VALUES (1, '0000-00-00', '2026-02-00 00:00:00', 0);
INSERT INTO everything (id, b) VALUES (2, 7);`)
	src := s.open(t)
	l := newLanding()
	l.mustRead(t, src, stream(t, src, "everything"))
	checkRow(t, l, "18446744073709551615", map[string]string{
		"b": "true", "i1": "-128", "u1": "255", "i2": "-32768", "i3": "-8388608", "i4": "2147483647", "u4": "4294967295", "i8": "-9223372036854775808",
		"f": "1.5", "d": "0.1", "n": "-1234.5", "big": "1234567890123456789012345678.0123456789", "wide": "123456789012345678901234567890123456789012345678.89",
		"t": "häß", "c": "ab", "v": "ä", "bin": "YQBi", "bl": "AP8=", "dt": "2026-02-28", "tm": "-838:59:59", "dtm": "2026-10-25T03:30:00",
		"dtm6": "2026-10-25T03:30:00.123456", "ts": "2026-10-25T01:30:00.5Z", "y": "2026", "e": "cross", "st": "a,b", "bit1": "true", "bit5": "10110", "j": `{"a": 1}`,
	})
	checkRow(t, l, "1", map[string]string{"dt": "<nil>", "dtm": "<nil>", "ts": "<nil>", "j": "<nil>"})
	if len(l.rejects) != 1 || !strings.Contains(l.rejects[0].reason, `column "b"`) || !strings.Contains(l.rejects[0].record, `"id":2`) {
		t.Errorf("rejects: got %v", l.rejects)
	}
}

func TestMySQLZeroDatesRejected(t *testing.T) {
	s := mysqlSilo(t, mariadbServer(t))
	s.exec(t, "SET sql_mode = ''; CREATE TABLE d (id int PRIMARY KEY, d date); INSERT INTO d VALUES (1, '0000-00-00'), (2, '2026-01-01'), (3, '2026-00-10')")
	s.values["zero_dates"] = "reject"
	src := s.open(t)
	l := newLanding()
	l.mustRead(t, src, stream(t, src, "d"))
	if len(l.rows) != 1 || len(l.rejects) != 2 || l.rejects[0].path != "$.d" {
		t.Errorf("got rows %v, rejects %v", l.rows, l.rejects)
	}
}

func TestPostgresInfinite(t *testing.T) {
	for _, policy := range []string{"reject", "null"} {
		t.Run(policy, func(t *testing.T) {
			s := postgresSilo(t, postgresServer(t))
			s.exec(t, `CREATE TABLE v (id int PRIMARY KEY, d date, ts timestamptz, n numeric(10,2), a date[], m int[]);
INSERT INTO v VALUES (1, 'infinity', now(), 1, NULL, NULL), (2, '2026-01-01', '-infinity', 1, NULL, NULL), (3, NULL, NULL, 'NaN', NULL, NULL),
 (4, '2026-01-01', NULL, 1, '{infinity}', NULL), (5, '2026-01-01', NULL, 1, NULL, '{{1,2},{3,4}}'), (6, '0044-03-15 BC', '1400-02-28 12:00:00+00', 0, NULL, '{}');`)
			s.values["infinite"] = policy
			src := s.open(t)
			l := newLanding()
			l.mustRead(t, src, stream(t, src, "v"))
			want := map[string]int{"reject": 5, "null": 1}[policy]
			if len(l.rejects) != want || len(l.rows) != 6-want {
				t.Fatalf("got %d rows and %d rejects, want %d: %v", len(l.rows), len(l.rejects), want, l.rejects)
			}
			checkRow(t, l, "6", map[string]string{"d": "-0043-03-15", "n": "0"})
			if policy == "null" {
				checkRow(t, l, "1", map[string]string{"d": "<nil>"})
				checkRow(t, l, "4", map[string]string{"a": "[<nil>]"})
				return
			}
			if r := l.rejects[0]; r.path != "$.d" || !strings.Contains(r.record, `"d":"infinity"`) || !strings.Contains(r.reason, "infinite") {
				t.Errorf("reject: got %+v", r)
			}
		})
	}
}

func TestSQLiteTypes(t *testing.T) {
	s := sqliteSilo(t)
	s.exec(t, `
CREATE TABLE everything (id INTEGER PRIMARY KEY, r REAL, t TEXT, v VARCHAR(10), b BLOB, bo BOOLEAN, d DATE, ts DATETIME, tz "TIMESTAMP WITH TIME ZONE", n DECIMAL(10,2), nn NUMERIC, any_);
INSERT INTO everything VALUES (9007199254740993, 0.1, 'häß', 12, x'00ff', 1, '2026-02-28', '2026-10-25T03:30:00.123', '2026-10-25 03:30:00+03:00', 99.95, 1.5, 'x');
INSERT INTO everything VALUES (2, 2, NULL, NULL, 'text', 0, NULL, 1793000000, 1793000000123, '-0.07', 7, 5);
INSERT INTO everything VALUES (3, NULL, NULL, NULL, NULL, NULL, NULL, 2461338.5, NULL, 1, NULL, NULL);
INSERT INTO everything (id, bo) VALUES (4, 'maybe');
INSERT INTO everything (id, ts) VALUES (5, 'soon');
INSERT INTO everything (id, n) VALUES (6, 0.123);
CREATE VIEW counted AS SELECT t, count(*) AS n, avg(r) AS mean, 'x' || t AS label FROM everything GROUP BY t;`)
	src := s.open(t)
	l := newLanding()
	l.mustRead(t, src, stream(t, src, "everything"))
	checkRow(t, l, "9007199254740993", map[string]string{
		"r": "0.1", "t": "häß", "v": "12", "b": "AP8=", "bo": "true", "d": "2026-02-28", "ts": "2026-10-25T03:30:00.123",
		"tz": "2026-10-25T00:30:00Z", "n": "99.95", "nn": "1.5", "any_": "x",
	})
	checkRow(t, l, "2", map[string]string{"r": "2", "b": "dGV4dA==", "bo": "false", "ts": "2026-10-26T07:33:20", "tz": "2026-10-26T07:33:20.123Z", "n": "-0.07", "any_": "5"})
	checkRow(t, l, "3", map[string]string{"ts": "2026-10-25T00:00:00", "n": "1"})
	var columns []string
	for _, r := range l.rejects {
		columns = append(columns, r.path)
	}
	if want := []string{"$.bo", "$.ts", "$.n"}; !slices.Equal(columns, want) {
		t.Errorf("rejects: got %v, want %v", columns, want)
	}
	for name, want := range map[string]string{"n": "int64", "mean": "float64", "label": "utf8"} {
		if f, _ := stream(t, src, "counted").Field(name); f.Type.String() != want {
			t.Errorf("view column %s is %s, want %s", name, f.Type, want)
		}
	}
}

func TestAsText(t *testing.T) {
	eachSilo(t, func(t *testing.T, s silo) {
		s.items(t, 3)
		src := s.open(t, core.StreamConfig{Name: "item", Values: map[string]any{"as_text": []any{"amount", "id"}}, CursorField: "changed"})
		l := newLanding()
		st := stream(t, src, "item")
		l.mustRead(t, src, st)
		l.mustRead(t, src, st)
		if f, _ := st.Field("amount"); f.Type.String() != "utf8" {
			t.Errorf("amount is %s", f.Type)
		}
		if got := strings.TrimRight(l.column("amount")["2"], "0"); got != "0.5" {
			t.Errorf("amount: got %q", got)
		}
	})
}

// TestDaylightSaving reads both instants of a repeated hour, by cursor.
func TestDaylightSaving(t *testing.T) {
	s := postgresSilo(t, postgresServer(t))
	s.exec(t, `ALTER DATABASE `+strings.Split(strings.Split(s.values["url"].(string), "?")[0], "/")[3]+` SET timezone = 'Europe/Helsinki'`)
	s.exec(t, `CREATE TABLE call (id int PRIMARY KEY, at timestamptz, local timestamp);
INSERT INTO call VALUES (1, '2026-10-25 03:30:00+03', '2026-10-25 03:30'), (2, '2026-10-25 03:30:00+02', '2026-10-25 03:30'), (3, '2026-10-25 03:59:59.999999+02', NULL)`)
	s.values["timezone"] = "Europe/Helsinki"
	src := s.open(t, core.StreamConfig{Name: "call", CursorField: "at"})
	st := stream(t, src, "call")
	l := newLanding()
	l.mustRead(t, src, st)
	checkRow(t, l, "1", map[string]string{"at": "2026-10-25T00:30:00Z", "local": "2026-10-25T03:30:00"})
	checkRow(t, l, "2", map[string]string{"at": "2026-10-25T01:30:00Z", "local": "2026-10-25T03:30:00"})
	s.exec(t, "INSERT INTO call VALUES (4, '2026-10-25 04:00:00+02', NULL), (5, '2026-10-25 03:00:00+03', NULL)")
	before := l.read
	l.mustRead(t, src, st)
	if got := l.read - before; got != 2 || len(l.rows) != 4 {
		t.Errorf("second read: got %d rows, %d in all; want 3 again and 4", got, len(l.rows))
	}
}
