package frame_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zeebo/xxh3"

	"github.com/unsilo/unsilo/transforms/identity/frame"
)

type row struct {
	key    string
	at     int64
	values [2]string
}

func built(distinct bool, rows []row) *frame.Frame {
	b := frame.NewBuilder([]frame.Source{{Record: "log", Source: "web", Stream: "log", Distinct: distinct}},
		[]frame.Column{{Name: "cookie"}, {Name: "email"}})
	for _, r := range rows {
		b.Record(0, []byte(r.key), r.at, xxh3.HashString(r.values[0]+"\x00"+r.values[1]))
		for k, v := range r.values {
			if v != "" {
				b.Value(k, []byte(v))
			}
		}
	}
	f := b.Frame()
	for _, c := range f.Columns {
		c.Normalise(func(dst []byte, v string) []byte { return append(dst, v...) })
	}
	return f
}

func texts(c *frame.Column, r int32) []string {
	var out []string
	for _, code := range c.Of(r) {
		out = append(out, c.Values.Value(code))
	}
	return out
}

// TestRowsOfOneKey demands one record for each key, whatever the order of the rows.
func TestRowsOfOneKey(t *testing.T) {
	rows := []row{{"x", 1, [2]string{"x", ""}}, {"x", 1, [2]string{"x", "b@example.org"}}, {"x", 3, [2]string{"x", "a@example.org"}},
		{"y", 2, [2]string{"y", ""}}, {"x", 2, [2]string{"x", "b@example.org"}}}
	var hash uint64
	for i := range 20 {
		rand.New(rand.NewPCG(uint64(i), 1)).Shuffle(len(rows), func(a, b int) { rows[a], rows[b] = rows[b], rows[a] })
		f := built(true, rows)
		if f.Len() != 2 || f.Repeated[0] != 0 {
			t.Fatalf("%d records, %d repeated; want 2 and none", f.Len(), f.Repeated[0])
		}
		x := int32(slices.IndexFunc([]string{f.RecordKey(0), f.RecordKey(1)}, func(k string) bool { return k == "x" }))
		if got := texts(f.Column("email"), x); !slices.Equal(got, []string{"a@example.org", "b@example.org"}) || f.Updated[x] != 3 {
			t.Fatalf("mails %v at %d, want both at 3", got, f.Updated[x])
		}
		if hash != 0 && f.RowHash[x] != hash {
			t.Fatal("the hash of the record depends on the order of its rows")
		}
		hash = f.RowHash[x]
		last := built(false, rows)
		if got := texts(last.Column("email"), x); !slices.Equal(got, []string{"a@example.org"}) || last.Repeated[0] != 3 {
			t.Fatalf("mails %v, %d repeated; want that of the newest row and 3", got, last.Repeated[0])
		}
	}
}
