package rest_test

import (
	"encoding/json"
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
)

// forum is an API of accounts, each with posts of their own.
type forum struct {
	mu       sync.Mutex
	accounts map[string]int         // id to second of change
	posts    map[string]map[int]int // account to post to second of change
	gone     string                 // an account that is listed and not there
}

func newForum() *forum {
	f := &forum{accounts: map[string]int{}, posts: map[string]map[int]int{}}
	for a := range 6 {
		id := fmt.Sprintf("acc/%d ä", a) // ids that a path must escape
		f.accounts[id] = a
		f.posts[id] = map[int]int{}
		for p := range 7 {
			f.posts[id][a*100+p] = a*10 + p
		}
	}
	return f
}

func (f *forum) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r.URL.Path == "/accounts" {
		since, err := strconv.Atoi(r.URL.Query().Get("since"))
		if err != nil {
			since = -1 << 40
		}
		items := []map[string]any{}
		for _, id := range f.sorted() {
			if int(at(f.accounts[id]).Unix()) >= since {
				items = append(items, map[string]any{"id": id, "at": at(f.accounts[id]).Format(time.RFC3339)})
			}
		}
		reply(w, items)
		return
	}
	if strings.Count(r.URL.EscapedPath(), "/") != 3 {
		w.WriteHeader(500) // an id has added a segment
		return
	}
	id, ok := strings.CutPrefix(r.URL.Path, "/accounts/")
	id, rest, _ := strings.Cut(id, " ä")
	id += " ä"
	if !ok || rest != "/posts" || f.posts[id] == nil || id == f.gone {
		w.WriteHeader(404)
		return
	}
	since, err := strconv.Atoi(r.URL.Query().Get("since"))
	if err != nil {
		since = -1 << 40
	}
	items := []map[string]any{}
	for post, second := range f.posts[id] {
		if int(at(second).Unix()) >= since {
			items = append(items, map[string]any{"post": post, "at": at(second).Format(time.RFC3339)})
		}
	}
	slices.SortFunc(items, func(a, b map[string]any) int { return a["post"].(int) - b["post"].(int) })
	from, _ := strconv.Atoi(r.URL.Query().Get("from"))
	reply(w, items[min(from, len(items)):min(from+3, len(items))])
}

func (f *forum) sorted() []string {
	var ids []string
	for id := range f.accounts {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (f *forum) want(t *testing.T, got *table) {
	t.Helper()
	n := 0
	for id, posts := range f.posts {
		if id == f.gone {
			continue
		}
		for post, second := range posts {
			n++
			row := got.rows[fmt.Sprint(id, "/", post, "/")]
			stamp, _ := time.Parse("2006-01-02T15:04:05Z", fmt.Sprint(row["at"]))
			if !stamp.Equal(at(second)) || row["account"] != id || row["source"] != "forum" {
				t.Errorf("post %d of %q: got %v", post, id, row)
			}
		}
	}
	if len(got.rows) != n {
		t.Errorf("rows: got %d, want %d", len(got.rows), n)
	}
}

func forumDefinition(posts string) string {
	return api(quickRetry, `
  stream "accounts" {
    path        = "/accounts"
    query       = { since = window.start }
    primary_key = ["id"]
    incremental "datetime" {
      cursor = "at"
      format = "epoch_s"
    }
    schema {
      field "id" {}
    }
  }
  stream "posts" {
    path        = "/accounts/${parent.id}/posts"
    query       = { since = window.start }
    primary_key = ["account", "post"]
    add         = { account = parent.id, source = "forum" }
    paginate "offset" {
      size  = 3
      param = "from"
    }
    schema {
      field "post" { type = "int" }
      field "at" { type = "timestamp" }
    }
    `+posts+`
  }`)
}

const incrementalPosts = `
    partition "parent" { stream = "accounts" }
    incremental "datetime" {
      cursor = "at"
      format = "epoch_s"
    }`

func TestParents(t *testing.T) {
	for name, workers := range map[string]string{"one at a time": "", "four at a time": "budget \"default\" {\n max_concurrency = 4\n}\n"} {
		t.Run(name, func(t *testing.T) { testParents(t, workers) })
	}
}

func testParents(t *testing.T, workers string) {
	t.Helper()
	f := newForum()
	server, log := serve(t, f.ServeHTTP)
	src := openAt(t, define(t, strings.Replace(forumDefinition(incrementalPosts), "stream \"accounts\"", workers+"stream \"accounts\"", 1)), server, nil)
	got := newTable()
	if err := pull(t, src, "posts", got, nil); err != nil {
		t.Fatal(err)
	}
	f.want(t, got)
	if want := 1 + 6*4; log.count() != want {
		t.Errorf("requests: got %d, want %d", log.count(), want)
	}
	// A new account has a history that is older than everything read so far.
	f.mu.Lock()
	f.accounts["acc/9 ä"] = 1
	f.posts["acc/9 ä"] = map[int]int{900: 2, 901: 3}
	f.posts["acc/0 ä"][7] = 300
	f.mu.Unlock()
	got.sent = 0
	if err := pull(t, src, "posts", got, nil); err != nil {
		t.Fatal(err)
	}
	f.want(t, got)
	if got.sent != 4 { // two of the new account, the changed one, and the newest of before
		t.Errorf("rows in the second read: got %d, want 4", got.sent)
	}
	// An account that is listed though it has gone has no rows, and does no harm.
	f.gone = "acc/3 ä"
	fresh := newTable()
	if err := pull(t, src, "posts", fresh, nil); err != nil {
		t.Fatal(err)
	}
	f.want(t, fresh)
	keys := newTable()
	if err := pull(t, src, "posts", keys, func(r *core.ReadRequest) { r.KeysOnly = true }); err != nil {
		t.Fatal(err)
	}
	if len(keys.rows) != len(fresh.rows) || len(keys.rows["acc/9 ä/900/"]) != 2 || keys.after != nil {
		t.Errorf("keys: got %d rows, %v", len(keys.rows), keys.rows["acc/9 ä/900/"])
	}
}

// TestChangedParents reads the posts of those accounts that changed.
func TestChangedParents(t *testing.T) {
	f := newForum()
	server, log := serve(t, f.ServeHTTP)
	text := forumDefinition("partition \"parent\" {\n stream = \"accounts\"\n incremental = true\n }")
	text = strings.Replace(text, "stream \"accounts\"", "budget \"default\" {\n max_concurrency = 3\n}\nstream \"accounts\"", 1)
	src := openAt(t, define(t, text), server, nil)
	got := newTable()
	for range 2 {
		if err := pull(t, src, "posts", got, nil); err != nil {
			t.Fatal(err)
		}
	}
	f.want(t, got)
	before := log.count()
	f.mu.Lock()
	f.accounts["acc/2 ä"] = 50
	f.posts["acc/2 ä"][206] = 60
	f.mu.Unlock()
	if err := pull(t, src, "posts", got, nil); err != nil {
		t.Fatal(err)
	}
	f.want(t, got)
	if n := log.count() - before; n != 1+2*4 { // the changed account and the newest of before
		t.Errorf("requests: got %d: %q", n, log.urls[before:])
	}
	if st := streamOf(t, src, "posts"); !st.Cursor.Opaque {
		t.Errorf("cursor: got %+v, want an opaque one", st.Cursor)
	}
}

// TestListPartitions reads a value of the configuration at a time.
func TestListPartitions(t *testing.T) {
	server, log := serve(t, func(w http.ResponseWriter, r *http.Request) {
		name := r.URL.Query().Get("acct")
		reply(w, map[string]any{"name": name, "n": len(name)})
	})
	def := define(t, strings.Replace(api(quickRetry, `
  stream "accounts" {
    path        = "/lookup"
    query       = { acct = partition.value }
    single      = true
    primary_key = ["name"]
    partition "list" { values = config.accounts }
  }`), `field "token"`, "field \"accounts\" { type = \"strings\" }\nfield \"token\"", 1))
	src := openAt(t, def, server, map[string]any{"accounts": []any{"ann", "bob@example.org", "x&y=z"}})
	got := newTable()
	st := core.Stream{Name: "accounts", PrimaryKey: []string{"name"}}
	if err := src.Read(t.Context(), core.ReadRequest{Stream: st}, got.store(st.PrimaryKey)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"ann/", "bob@example.org/", "x&y=z/"}; !slices.Equal(got.ids(), want) || log.count() != 3 {
		t.Errorf("got %q in %d requests", got.ids(), log.count())
	}
}

// TestDeleteFeed reads keys of rows that went.
func TestDeleteFeed(t *testing.T) {
	type gone struct {
		ID int    `json:"id"`
		At string `json:"gone_at"`
	}
	var feed []gone
	server, log := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/gone" {
			reply(w, map[string]any{"gone": feed})
			return
		}
		reply(w, people(0, 20))
	})
	src := openAt(t, define(t, api(quickRetry, `
  stream "people" {
    path        = "/people"
    primary_key = ["id"]
    incremental "datetime" { cursor = "updated_at" }
    schema {
      field "id" { type = "int" }
    }
    deletes "feed" {
      path    = "/gone"
      records = "gone"
      time    = "gone_at"
      keys    = { id = "id" }
    }
  }`)), server, nil)
	if st := streamOf(t, src, "people"); st.Deletes != core.DeleteFeed {
		t.Errorf("deletes: got %q", st.Deletes)
	}
	got := newTable()
	// Deletes of the newest time come again, as there may be more of them.
	steps := []struct{ gone, deleted int }{{0, 0}, {3, 3}, {1, 3 + 1}, {1, 1 + 1}}
	next := 0
	for i, step := range steps {
		for range step.gone {
			feed = append(feed, gone{next, at(1000 + 100*i).Format(time.RFC3339)})
			next++
		}
		got.deleted = 0
		if err := pull(t, src, "people", got, nil); err != nil {
			t.Fatal(err)
		}
		if got.deleted != step.deleted {
			t.Errorf("step %d: got %d deletes, want %d", i, got.deleted, step.deleted)
		}
	}
	if log.count() != 8 {
		t.Errorf("requests: got %d", log.count())
	}
	got.deleted = 0
	if err := pull(t, src, "people", got, func(r *core.ReadRequest) { r.From, r.After = at(0), nil }); err != nil || got.deleted != 0 {
		t.Errorf("a backfill: got %v and %d deletes, want none", err, got.deleted)
	}
}

// TestKeysOnlyIsWhole makes sure that a sweep never takes a short answer for the truth.
func TestKeysOnlyIsWhole(t *testing.T) {
	bodies := map[string]string{
		"a record without a key": `{"items":[{"id":1},{"name":"x"}]}`,
		"a broken record":        "{\"items\":[{\"id\":1},{\"id\":2,\"name\":\"\xff\"}]}",
		"no records":             `{"problem":"none today"}`,
		"cut":                    `{"items":[{"id":1}`,
	}
	for name, body := range bodies {
		t.Run(name, func(t *testing.T) {
			server, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, body) })
			src := openAt(t, define(t, api(quickRetry, siloStream)), server, nil)
			err := pull(t, src, "people", newTable(), func(r *core.ReadRequest) { r.KeysOnly = true })
			if err == nil || core.KindOf(err) == core.KindInternal {
				t.Errorf("error: got %v", err)
			}
		})
	}
}

// TestPartitionFails ends the reading with the error of the partition that failed.
func TestPartitionFails(t *testing.T) {
	f := newForum()
	server, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/accounts/acc/3") {
			w.WriteHeader(403)
			return
		}
		f.ServeHTTP(w, r)
	})
	text := strings.Replace(forumDefinition(incrementalPosts), "stream \"accounts\"", "budget \"default\" {\n max_concurrency = 3\n}\nstream \"accounts\"", 1)
	got := newTable()
	if err := pull(t, openAt(t, define(t, text), server, nil), "posts", got, nil); core.KindOf(err) != core.KindPermission || got.after != nil {
		t.Errorf("error: got %v and position %s", err, got.after)
	}
}

// TestRoundResumes stops a round of partitions and checks that positions are JSON that
// another process can go on from.
func TestRoundResumes(t *testing.T) {
	f := newForum()
	server, _ := serve(t, f.ServeHTTP)
	def := define(t, strings.Replace(forumDefinition(incrementalPosts), "stream \"accounts\"", "budget \"default\" {\n max_concurrency = 3\n}\nstream \"accounts\"", 1))
	stop := errors.New("stop")
	got := newTable()
	for batches := 1; ; batches++ {
		src := openAt(t, def, server, nil)
		st := streamOf(t, src, "posts")
		store := got.store(st.PrimaryKey)
		n := 0
		err := src.Read(t.Context(), core.ReadRequest{Stream: st, After: got.after}, func(b core.Batch) error {
			if n++; n > batches {
				return stop
			}
			return store(b)
		})
		if err == nil {
			break
		}
		if !errors.Is(err, stop) || batches > 50 {
			t.Fatal(err)
		}
	}
	f.want(t, got)
	var position map[string]any
	if err := json.Unmarshal(got.after, &position); err != nil || position["known"] == nil {
		t.Errorf("position: %s: %v", got.after, err)
	}
}
