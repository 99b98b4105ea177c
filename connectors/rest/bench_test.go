package rest_test

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/unsilo/unsilo/connectors/rest"
	"github.com/unsilo/unsilo/core"
)

// BenchmarkRead pulls 50 pages of 1000 records over loopback and drops the batches.
func BenchmarkRead(b *testing.B) {
	const pages, size = 50, 1000
	var bodies [pages][]byte
	total := 0
	for p := range pages {
		var buf bytes.Buffer
		buf.WriteString(`{"items":[`)
		for i := range size {
			if i > 0 {
				buf.WriteByte(',')
			}
			n := p*size + i
			fmt.Fprintf(&buf, `{"id":%d,"email":"person%d@example.org","name":"Maija Meikäläinen","phone":"+35840%07d","amount":"%d.%02d",`+
				`"updated_at":"2026-01-%02dT%02d:00:00Z","open":%t,"note":null}`, n, n, n, n, n%100, 1+n%28, n%24, n%2 == 0)
		}
		fmt.Fprintf(&buf, `],"next":%q}`, map[bool]string{true: strconv.Itoa(p + 1)}[p+1 < pages])
		bodies[p] = buf.Bytes()
		total += buf.Len()
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p, _ := strconv.Atoi(r.URL.Query().Get("after"))
		_, _ = w.Write(bodies[p])
	}))
	defer server.Close()
	def, diags := rest.Parse([]byte(api(siloStream)), "bench.hcl", hcl.Pos{})
	if diags.HasErrors() {
		b.Fatal(diags)
	}
	src, err := rest.New(def).Open(b.Context(), core.Config{Values: map[string]any{"base_url": server.URL, "token": "s3cr3t-token"}})
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	streams, err := src.Streams(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(total))
	b.ReportAllocs()
	for b.Loop() {
		rows := int64(0)
		err := src.Read(b.Context(), core.ReadRequest{Stream: streams[0]}, func(batch core.Batch) error {
			if batch.Rows != nil {
				rows += batch.Rows.NumRows()
			}
			return nil
		})
		if err != nil || rows != pages*size {
			b.Fatal(err, rows)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/(pages*size), "ns/row")
}
