package main

import (
	"database/sql"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// echoSilo refuses everything and repeats in its answers all that it was sent: over HTTP,
// and as a PostgreSQL server that asks for the password in clear.
type echoSilo struct {
	http *httptest.Server
	pg   net.Listener
	// access is the token that /ads/token gives out, and that no answer of ours may show.
	access string

	mu     sync.Mutex
	repeat int
	done   sync.WaitGroup
}

func newEchoSilo(t *testing.T, access string) *echoSilo {
	t.Helper()
	s := &echoSilo{access: access}
	s.http = httptest.NewServer(s)
	var err error
	if s.pg, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		t.Fatal(err)
	}
	s.done.Go(func() {
		for {
			conn, err := s.pg.Accept()
			if err != nil {
				return // closed
			}
			s.done.Go(func() { s.refuseLogin(conn) })
		}
	})
	t.Cleanup(func() {
		s.http.Close()
		_ = s.pg.Close() // the listener is ours and ends with the test
		s.done.Wait()
	})
	return s
}

func (s *echoSilo) url() string      { return s.http.URL }
func (s *echoSilo) postgres() string { return s.pg.Addr().String() }

func (s *echoSilo) echoed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.repeat
}

func (s *echoSilo) note() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.repeat++
}

// ServeHTTP answers /<status>/... with that status.
func (s *echoSilo) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/ads/token" {
		w.Header().Set("Content-Type", "application/json")
		// A client that has gone needs no answer.
		_ = json.NewEncoder(w).Encode(map[string]any{"access_token": s.access, "token_type": "Bearer", "expires_in": 3600})
		return
	}
	status := http.StatusForbidden
	_, _ = fmt.Sscanf(r.URL.Path, "/%d/", &status) // others are forbidden
	body, _ := io.ReadAll(io.LimitReader(r.Body, 1<<16))
	user, password, _ := r.BasicAuth()
	said := fmt.Sprintf("no entry for %s with %q, %s:%s, %s and %s", r.Header.Get("Authorization"), r.Header, user, password, r.URL.String(), body)
	s.note()
	if strings.Contains(r.URL.Path, "items") {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<h1>%s</h1>", said)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"message": said, "error": said, "errors": []string{said}})
}

// refuseLogin speaks as much PostgreSQL as it takes to get the password and repeat it.
func (s *echoSilo) refuseLogin(conn net.Conn) {
	defer conn.Close()
	for {
		startup, err := message(conn)
		if err != nil {
			return
		}
		if len(startup) >= 4 && binary.BigEndian.Uint32(startup) == 80877103 { // it asks for TLS
			if _, err := conn.Write([]byte("N")); err != nil {
				return
			}
			continue
		}
		break
	}
	if _, err := conn.Write([]byte{'R', 0, 0, 0, 8, 0, 0, 0, 3}); err != nil { // the password, in clear
		return
	}
	if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil {
		return
	}
	password, err := message(conn)
	if err != nil {
		return
	}
	s.note()
	said := "SFATAL\x00VFATAL\x00C28P01\x00Mpassword authentication failed for anna with " + strings.TrimRight(string(password), "\x00") + "\x00\x00"
	out := binary.BigEndian.AppendUint32([]byte{'E'}, uint32(len(said)+4))
	_, _ = conn.Write(append(out, said...)) // a client that has gone needs no answer
}

// message reads one message that begins with its length.
func message(conn net.Conn) ([]byte, error) {
	var size [4]byte
	if _, err := io.ReadFull(conn, size[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(size[:])
	if n < 4 || n > 1<<16 {
		return nil, fmt.Errorf("a message of %d bytes", n)
	}
	body := make([]byte, n-4)
	_, err := io.ReadFull(conn, body)
	return body, err
}

// execSQL runs statements on an SQLite file.
func execSQL(t *testing.T, file string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}
