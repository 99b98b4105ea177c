package rest_test

import (
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/unsilo/unsilo/core"
)

// TestHugePage reads an answer that is larger than what is held, and that is cut the first
// time: rows come before its end, and it is asked for again only if that can do no harm.
func TestHugePage(t *testing.T) {
	if testing.Short() {
		t.Skip("sends 150 MB over loopback")
	}
	const rows = 75_000
	row := `{"id":000000,"text":"` + strings.Repeat("x", 980) + `"},`
	for key, want := range map[string]int{`primary_key = ["id"]`: 2, "": 1} {
		t.Run(key, func(t *testing.T) {
			early := false
			var ended atomic.Bool
			var log *requests
			server, counted := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				_, _ = io.WriteString(w, "[")
				text := []byte(row)
				for i := range rows {
					for n, k := 1000000+i, 11; k > 5; n, k = n/10, k-1 {
						text[k] = byte('0' + n%10)
					}
					text[6] = byte('1' + text[6] - '0') // no leading zero
					_, _ = w.Write(text)
				}
				ended.Store(true)
				if log.count() == 1 {
					panic(http.ErrAbortHandler)
				}
				_, _ = io.WriteString(w, `{"id":1,"text":"last"}]`)
			})
			log = counted
			src := openAt(t, define(t, api(quickRetry, "stream \"x\" {\n path = \"/x\"\n schema {\n field \"id\" { type = \"int\" }\n }\n"+key+"\n}")), server, nil)
			got := newTable()
			store := got.store([]string{"id"})
			err := src.Read(t.Context(), core.ReadRequest{Stream: core.Stream{Name: "x"}}, func(b core.Batch) error {
				early = early || !ended.Load()
				return store(b)
			})
			if log.count() != want {
				t.Errorf("requests: got %d, want %d", log.count(), want)
			}
			if (want == 1) != (core.KindOf(err) == core.KindUnavailable) {
				t.Errorf("error: got %v", err)
			}
			if err == nil && len(got.rows) != rows+1 {
				t.Errorf("rows: got %d, want %d", len(got.rows), rows+1)
			}
			if !early {
				t.Error("no row came before the end of the answer")
			}
		})
	}
}
