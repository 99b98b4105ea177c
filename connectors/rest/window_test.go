package rest_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
)

// ledger is an API of rows with a time of change, read by offset or by key inside bounds
// of time. Times are whole seconds of 2026.
type ledger struct {
	mu   sync.Mutex
	rows map[int]int // id to second
	// cap is the most rows that one query gives: beyond it an error, or nothing when quiet.
	cap   int
	quiet bool
	// most is the largest page it gives, whatever is asked for.
	most int
	// strict says that since is exclusive.
	strict bool
	// down orders newest first.
	down bool
}

func newLedger(n int, second func(i int) int) *ledger {
	l := &ledger{rows: map[int]int{}, most: 10}
	for i := range n {
		l.rows[i+1] = second(i)
	}
	return l
}

func at(second int) time.Time { return time.Date(2026, 3, 1, 0, 0, second, 0, time.UTC) }

func (l *ledger) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	q := r.URL.Query()
	number := func(name string, otherwise int) int {
		if n, err := strconv.Atoi(q.Get(name)); err == nil {
			return n
		}
		return otherwise
	}
	since, until := number("since", -1<<40), number("until", 1<<40)
	var ids []int
	for id, second := range l.rows {
		s := int(at(second).Unix())
		if s < since || (l.strict && s == since) || s >= until || id < number("from_id", 0) {
			continue
		}
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b int) int {
		if q.Get("sort") == "id" {
			return cmp.Compare(a, b)
		}
		order := cmp.Or(cmp.Compare(l.rows[a], l.rows[b]), cmp.Compare(a, b))
		if l.down {
			return -order
		}
		return order
	})
	total, offset := len(ids), number("offset", 0)
	limit := min(number("limit", l.most), l.most)
	if l.cap > 0 && offset+limit > l.cap {
		if !l.quiet {
			w.WriteHeader(400)
			fmt.Fprint(w, `{"message":"the offset is beyond the cap"}`)
			return
		}
		ids = ids[:min(len(ids), l.cap)]
	}
	doc := map[string]any{"total": total}
	var items []map[string]any
	for _, id := range ids[min(offset, len(ids)):min(offset+limit, len(ids))] {
		items = append(items, map[string]any{"id": id, "at": at(l.rows[id]).Format(time.RFC3339), "n": l.rows[id]})
	}
	doc["items"] = append([]map[string]any{}, items...)
	if offset+limit < len(ids) {
		doc["next"] = strconv.Itoa(offset + limit)
	}
	reply(w, doc)
}

func (l *ledger) change(id, second int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rows[id] = second
}

// want compares a table with the ledger.
func (l *ledger) want(t *testing.T, got *table) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(got.rows) != len(l.rows) {
		t.Errorf("rows: got %d, want %d", len(got.rows), len(l.rows))
	}
	for id, second := range l.rows {
		if row := got.rows[fmt.Sprint(id)+"/"]; row["n"] != strconv.Itoa(second) {
			t.Errorf("row %d: got %v, want second %d", id, row, second)
		}
	}
}

// ledgerStream is a stream of the ledger; parts go into its incremental and paginate
// blocks.
func ledgerStream(incremental, paginate string) string {
	sort := `null`
	if strings.Contains(paginate, "key") {
		sort = `"id"`
	}
	return api(quickRetry, `
  stream "rows" {
    path        = "/rows"
    query       = { since = window.start, until = window.end, from_id = page.key, offset = page.token, sort = `+sort+` }
    records     = "items"
    primary_key = ["id"]
    incremental "datetime" {
      cursor = "at"
      format = "epoch_s"
      `+incremental+`
    }
    paginate "cursor" {
      next       = response.body.next
      size       = 10
      size_param = "limit"
      `+paginate+`
    }
    schema {
      field "id" { type = "int" }
      field "n" { type = "int" }
    }
  }`)
}

// TestIncremental follows a ledger over several reads.
func TestIncremental(t *testing.T) {
	l := newLedger(35, func(i int) int { return i * 10 })
	server, log := serve(t, l.ServeHTTP)
	src := openAt(t, define(t, ledgerStream(`lookback = "60s"`, "")), server, nil)
	got := newTable()
	steps := []struct {
		name   string
		change func()
		sent   int
	}{
		{"first", func() {}, 35},
		{"idle: the last minute again", func() {}, 7},
		{"changed", func() { l.change(3, 400) }, 1 + 7},
		{"late, inside the look-back", func() { l.change(100, 345) }, 3},
		{"two rows of one second", func() { l.change(101, 500); l.change(102, 500) }, 5},
	}
	for _, step := range steps {
		step.change()
		got.sent = 0
		if err := pull(t, src, "rows", got, nil); err != nil {
			t.Fatal(err)
		}
		l.want(t, got)
		if got.sent != step.sent {
			t.Errorf("%s: got %d rows, want %d", step.name, got.sent, step.sent)
		}
	}
	if log.count() != 4+4 {
		t.Errorf("requests: got %d: %q", log.count(), log.urls)
	}
}

// TestWindows reads ledgers that do not give everything at once.
func TestWindows(t *testing.T) {
	spread := func(i int) int { return i * 7 }
	tests := map[string]struct {
		ledger       func() *ledger
		incremental  string
		paginate     string
		requests     int // at most
		kind         core.Kind
		explains     string
		until        time.Time
		wantedParams string // some request must hold it
	}{
		"steps": {func() *ledger { return newLedger(40, spread) }, "start = \"2026-03-01\"\n step = \"600s\"", "", 1 << 30, "", "",
			at(12_000), "until=1772323800"},
		"cap by count, split":    {func() *ledger { l := newLedger(95, spread); l.cap, l.quiet = 30, true; return l }, "", "cap = 30", 60, "", "", time.Time{}, ""},
		"cap as an error, split": {func() *ledger { l := newLedger(95, spread); l.cap = 30; return l }, "", "cap = 30", 60, "", "", time.Time{}, ""},
		"cap seen in the total": {func() *ledger { l := newLedger(95, spread); l.cap = 30; return l }, "",
			"cap = 30\n total = response.body.total", 25, "", "", time.Time{}, ""},
		"cap passed by key": {func() *ledger { l := newLedger(95, spread); l.cap = 30; return l }, "", "cap = 30\n key = \"id\"", 12, "", "", time.Time{}, ""},
		"cap, ascending":    {func() *ledger { l := newLedger(95, spread); l.cap = 30; return l }, `order = "asc"`, "cap = 30", 14, "", "", time.Time{}, ""},
		"all rows on one stamp, by key": {func() *ledger { l := newLedger(95, func(int) int { return 5 }); l.cap = 30; return l }, "",
			"cap = 30\n key = \"id\"", 12, "", "", time.Time{}, ""},
		"all rows on one stamp": {func() *ledger { l := newLedger(95, func(int) int { return 5 }); l.cap = 30; return l }, "",
			"cap = 30", 200, core.KindData, "more rows share one time", time.Time{}, ""},
		"exclusive lower bound": {func() *ledger { l := newLedger(40, func(i int) int { return i / 3 }); l.strict = true; return l },
			"start = \"2026-03-01T00:00:00Z\"\n lower_exclusive = true", "", 4, "", "", time.Time{}, "since=1772323199"},
		"newest first, bounded here": {func() *ledger { l := newLedger(60, spread); l.down = true; return l }, "order = \"desc\"\n client_side = true", "", 6, "", "", time.Time{}, ""},
		"lag":                        {func() *ledger { return newLedger(40, spread) }, `lag = "1s"`, "", 4, "", "", time.Time{}, "until="},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := tt.ledger()
			server, log := serve(t, l.ServeHTTP)
			src := openAt(t, define(t, ledgerStream(tt.incremental, tt.paginate)), server, nil)
			got := newTable()
			until := func(req *core.ReadRequest) { req.Until = tt.until }
			err := pull(t, src, "rows", got, until)
			if core.KindOf(err) != tt.kind || (err != nil && !strings.Contains(err.Error(), tt.explains)) {
				t.Fatalf("error: got %v, want kind %q", err, tt.kind)
			}
			if err != nil {
				return
			}
			l.want(t, got)
			if log.count() > tt.requests {
				t.Errorf("requests: got %d, want at most %d", log.count(), tt.requests)
			}
			if !slices.ContainsFunc(log.urls, func(u string) bool { return strings.Contains(u, tt.wantedParams) }) {
				t.Errorf("no request has %q: %q", tt.wantedParams, log.urls)
			}
			l.change(7, 10_000)
			l.change(1000, 10_000)
			if err := pull(t, src, "rows", got, until); err != nil {
				t.Fatal(err)
			}
			l.want(t, got)
		})
	}
}

// TestTies stops after every page of a ledger where a hundred rows share a stamp, and
// goes on from the last position.
func TestTies(t *testing.T) {
	stop := errors.New("stop")
	for _, order := range []string{"asc", "none"} {
		for pages := 1; pages < 14; pages += 2 {
			t.Run(fmt.Sprint(order, " ", pages), func(t *testing.T) {
				l := newLedger(130, func(i int) int { return max(10, min(i, 100)) / 90 * i })
				server, _ := serve(t, l.ServeHTTP)
				src := openAt(t, define(t, ledgerStream(`order = "`+order+`"`, "")), server, nil)
				got := newTable()
				st := streamOf(t, src, "rows")
				for tries := 0; ; tries++ {
					if tries > 30 {
						t.Fatal("never done")
					}
					left := pages + 14*tries/6
					store := got.store(st.PrimaryKey)
					err := src.Read(t.Context(), core.ReadRequest{Stream: st, After: got.after}, func(b core.Batch) error {
						if left--; left < 0 {
							return stop
						}
						return store(b)
					})
					if err == nil {
						break
					}
					if !errors.Is(err, stop) {
						t.Fatal(err)
					}
				}
				l.want(t, got)
			})
		}
	}
}

// TestLedgerContract holds definitions of several shapes to the contract.
func TestLedgerContract(t *testing.T) {
	shapes := map[string][2]string{
		"unordered": {`lookback = "30s"`, ""},
		"ascending": {`order = "asc"`, ""},
		"resumable": {"", "resumable = true"},
		"by key":    {"", "cap = 30\n key = \"id\""},
		"split":     {"", "cap = 30"},
		"stepped":   {"step = \"50s\"\n start = \"2026-03-01\"", ""},
		"reconcile": {"", "}\n deletes \"reconcile\" {"},
	}
	for name, shape := range shapes {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLedger(90, func(i int) int { return i / 4 * 3 })
			l.cap = 1 << 30
			if strings.Contains(shape[1], "cap") {
				l.cap = 30
			}
			server, _ := serve(t, l.ServeHTTP)
			text := ledgerStream(shape[0], shape[1])
			if name == "stepped" {
				text = strings.Replace(text, "step = \"50s\"", "step = \"400h\"", 1) // to the present, in few requests
			}
			def := define(t, strings.Replace(text, `connector "rest" "acme" {`, "connector \"rest\" \"acme\" {\n summary = \"x\"\n version = \"1\"", 1))
			coretest.TestConnector(t, coretest.ConnectorCase{
				Connector: genericOf(def),
				Config:    core.Config{Source: "x", Values: map[string]any{"base_url": server.URL, "token": "s3cr3t-token"}},
				Rows:      map[string]int64{"rows": 90},
				Mutate: func(context.Context) error {
					for id := 1; id < 40; id++ {
						l.change(id*3, 5000+id/2)
					}
					return nil
				},
			})
		})
	}
}

// TestKeysOutOfOrder refuses to go on from a key when rows are not sorted by it.
func TestKeysOutOfOrder(t *testing.T) {
	l := newLedger(95, func(i int) int { return (i * 37) % 95 })
	l.cap = 30
	server, _ := serve(t, l.ServeHTTP)
	text := strings.Replace(ledgerStream("", "cap = 30\n key = \"id\""), `sort = "id"`, `sort = null`, 1)
	err := pull(t, openAt(t, define(t, text), server, nil), "rows", newTable(), nil)
	if core.KindOf(err) != core.KindData || !strings.Contains(err.Error(), "do not come in the order of id") {
		t.Errorf("error: got %v", err)
	}
}

// TestChangesDuringRead changes rows while pages are read: one that was read already, and
// one that comes later with a newer time. The next read must find the first.
func TestChangesDuringRead(t *testing.T) {
	l := newLedger(30, func(i int) int { return i })
	n := 0
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", at(1000+n).Format(http.TimeFormat)) // the silo's clock is months behind
		if n++; n == 2 {
			l.change(1, 1001)
			l.change(25, 1002)
		}
		l.ServeHTTP(w, r)
	})
	text := strings.Replace(ledgerStream("", ""), `sort = null`, `sort = "id"`, 1)
	src := openAt(t, define(t, text), server, nil)
	got := newTable()
	for range 2 {
		if err := pull(t, src, "rows", got, nil); err != nil {
			t.Fatal(err)
		}
	}
	l.want(t, got)
}
