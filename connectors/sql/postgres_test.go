package sql_test

import (
	"testing"
)

func TestPostgresTypes(t *testing.T) {

	server := postgresServer(t)
	db := server.Database(t)
	server.Exec(t, db, `
CREATE TYPE mood AS ENUM ('calm', 'cross');
CREATE DOMAIN email AS varchar(100);
CREATE DOMAIN price AS numeric(12,2);
CREATE TABLE everything (
  id bigint PRIMARY KEY, b boolean, i2 smallint, i4 integer, f4 real, f8 double precision,
  n numeric(12,2), big numeric(38,10), free numeric, wide numeric(50,2), p price,
  t text, v varchar(20), c char(5), e email, nm name, by bytea, u uuid, j json, jb jsonb,
  d date, tm time, ts timestamp, ts0 timestamp(0), tz timestamptz, iv interval, m mood, mon money,
  ia int[], ta text[], na numeric(5,1)[], ip inet, bits bit(4), x xml, "odd ""name" int, rng int4range);
INSERT INTO everything VALUES (
  9007199254740993, true, -7, 2147483647, 1.5, 0.1, -1234.5, 1234567890123456789012345678.0123456789, 1.10, 12345678901234567890123456789012345678901234567.89, 99.95,
  'häß', 'v', 'ab', 'a@b.example', 'nm', '\x00ff', '6f1e3c1a-0000-4000-8000-0123456789ab', '{"a": 1}', '{"a": [1, null]}',
  '2026-02-28', '23:59:59.5', '2026-10-25 03:30:00.123456', '2026-01-01 00:00:00', '2026-10-25 03:30:00+03', '1 year 2 days 03:04:05', 'cross', '12.34',
  '{1,NULL,3}', '{"a","b c"}', '{1.5,-2.0}', '10.0.0.1', '1010', '<a/>', 5, '[1,5)');
INSERT INTO everything (id, ia) VALUES (2, '{}');
`)
	src := open(t, "postgres", map[string]any{"url": server.URL(db)})
	s := stream(t, src, "everything")
	l := newLanding()
	l.mustRead(t, src, s)
	want := map[string]string{
		"b": "true", "i2": "-7", "i4": "2147483647", "f4": "1.5", "f8": "0.1",
		"n": "-1234.5", "big": "1234567890123456789012345678.0123456789", "free": "1.10",
		"wide": "12345678901234567890123456789012345678901234567.89", "p": "99.95",
		"t": "häß", "v": "v", "c": "ab   ", "e": "a@b.example", "nm": "nm", "by": "AP8=",
		"u": "6f1e3c1a-0000-4000-8000-0123456789ab", "j": `{"a": 1}`, "jb": `{"a": [1, null]}`,
		"d": "2026-02-28", "tm": "23:59:59.5", "ts": "2026-10-25T03:30:00.123456", "ts0": "2026-01-01T00:00:00",
		"tz": "2026-10-25T00:30:00Z", "iv": "P1Y2DT3H4M5S", "m": "cross", "mon": "12.34",
		"ia": "[1 <nil> 3]", "ta": "[a b c]", "na": "[1.5 -2]", "ip": "10.0.0.1/32", "bits": "1010", "x": "<a/>", `odd "name`: "5", "rng": "[1,5)",
	}
	for name, want := range want {
		if got := l.column(name)["9007199254740993"]; got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	for name := range want {
		if got := l.column(name)["2"]; got != "<nil>" && name != "ia" {
			t.Errorf("%s of the row of nulls: got %s", name, got)
		}
	}
	if got := l.column("ia")["2"]; got != "[]" {
		t.Errorf("empty array: got %s", got)
	}
	if len(l.rejects) != 0 {
		t.Errorf("rejects: %v", l.rejects)
	}
	if f, _ := s.Field("id"); f.Nullable {
		t.Error("the key is nullable")
	}
}
