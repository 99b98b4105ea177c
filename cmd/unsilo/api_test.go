package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// fakeAPI answers with the files of a folder, to whoever brings the token.
//
//	/items         the file items.json, or items
//	/hold/items    the same, but only after release
//	/status/503/x  that status
//
// Whatever it refuses it refuses with an answer that repeats the credentials it was sent,
// as careless silos do.
type fakeAPI struct {
	server *httptest.Server
	dir    string
	token  string

	mu      sync.Mutex
	asked   map[string]int
	release chan struct{}
}

func newFakeAPI(dir, token string) *fakeAPI {
	f := &fakeAPI{dir: dir, token: token, asked: map[string]int{}, release: make(chan struct{})}
	f.server = httptest.NewServer(f)
	return f
}

func (f *fakeAPI) close() {
	f.let()
	f.server.CloseClientConnections()
	f.server.Close()
}

// let answers all requests that are held, and those to come.
func (f *fakeAPI) let() {
	f.mu.Lock()
	defer f.mu.Unlock()
	select {
	case <-f.release:
	default:
		close(f.release)
	}
}

func (f *fakeAPI) count(path string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[path]
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.asked[r.URL.Path]++
	f.mu.Unlock()
	name := r.URL.Path
	if r.Header.Get("Authorization") != "Bearer "+f.token {
		f.refuse(w, r, http.StatusUnauthorized)
		return
	}
	if rest, held := strings.CutPrefix(name, "/hold"); held {
		name = rest
		select {
		case <-f.release:
		case <-r.Context().Done():
			return
		}
	}
	var status int
	if n, _ := fmt.Sscanf(name, "/status/%d/", &status); n == 1 {
		f.refuse(w, r, status)
		return
	}
	text, err := os.ReadFile(path.Join(f.dir, path.Clean(name)+".json"))
	if err != nil {
		text, err = os.ReadFile(path.Join(f.dir, path.Clean(name)))
	}
	if err != nil {
		f.refuse(w, r, http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(text)
}

func (f *fakeAPI) refuse(w http.ResponseWriter, r *http.Request, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client that has gone needs no answer.
	_ = json.NewEncoder(w).Encode(map[string]any{
		"error": "no entry with " + r.Header.Get("Authorization"), "query": r.URL.RawQuery, "header": r.Header,
	})
}

// api DIR TOKEN serves the files of DIR and sets $API; api release answers what is held.
func cmdAPI(ts *testscript.TestScript, neg bool, args []string) {
	s := stateOf(ts)
	switch {
	case !neg && len(args) == 1 && args[0] == "release" && s.api != nil:
		s.api.let()
	case !neg && len(args) == 2:
		s.api = newFakeAPI(ts.MkAbs(args[0]), args[1])
		ts.Defer(s.api.close)
		ts.Setenv("API", s.api.server.URL)
	default:
		ts.Fatalf("usage: api DIR TOKEN | api release")
	}
}

// await PATH waits until the API has been asked for a path.
func cmdAwait(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: await PATH")
	}
	for deadline := time.Now().Add(30 * time.Second); stateOf(ts).api.count(args[0]) == 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			ts.Fatalf("nobody has asked for %s", args[0])
		}
	}
}
