package sim_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/unsilo/unsilo/connectors/sim"
)

func TestServerGoesOnWhereItStood(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	ctx, dir := context.Background(), t.TempDir()
	opt := sim.ServeOptions{Options: sim.Options{Customers: 120, Seed: 9}, Dir: dir, AdminToken: "admin"}
	s := serve(t, opt)
	if _, err := s.Advance(ctx, 30*time.Hour); err != nil {
		t.Fatal(err)
	}
	now := s.Company.Now()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = serve(t, opt)
	if got := s.Company.Now(); !got.Equal(now) {
		t.Errorf("reopened at %v, want %v", got, now)
	}
	if _, err := s.Advance(ctx, 30*time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole := sim.New(sim.Options{Customers: 120, Seed: 9, Now: now.Add(30 * time.Hour), Opened: now.Add(-30 * time.Hour)})
	fresh := t.TempDir()
	if err := whole.WriteFiles(fresh, time.Time{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"web", "calls"} {
		if got, want := folder(t, filepath.Join(dir, "silos", name)), folder(t, filepath.Join(fresh, name)); got != want {
			t.Errorf("%s: files of the served company differ:\n%s\n%s", name, got, want)
		}
	}
	opt.Seed = 10
	if _, err := sim.Serve(ctx, opt); err == nil || !strings.Contains(err.Error(), "seed 9") {
		t.Errorf("another seed in the same folder: got %v, want an error that names seed 9", err)
	}
}

func serve(t *testing.T, opt sim.ServeOptions) *sim.Server {
	t.Helper()
	s, err := sim.Serve(context.Background(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestServedERPFollows(t *testing.T) {
	s := serve(t, sim.ServeOptions{Options: sim.Options{Customers: 100, Seed: 1}, Dir: t.TempDir()})
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := s.Advance(context.Background(), 24*time.Hour); err != nil {
		t.Fatal(err)
	}
	compareERP(t, s.Company, sim.Database(s))
	if _, err := os.Stat(filepath.Join(s.Truth(), "truth.parquet")); err != nil {
		t.Error(err)
	}
}

func TestAdminNeedsItsToken(t *testing.T) {
	s := serve(t, sim.ServeOptions{Options: sim.Options{Customers: 60, Seed: 1}, Dir: t.TempDir(), AdminToken: "admin"})
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if code, _ := admin(t, s, "GET", "/_sim/now", "wrong"); code != http.StatusUnauthorized {
		t.Errorf("a wrong token: got status %d, want 401", code)
	}
	before := s.Company.Now()
	code, body := admin(t, s, "POST", "/_sim/advance?d=1d", "admin")
	var answer struct {
		Now     time.Time                 `json:"now"`
		Changes map[string]map[string]int `json:"changes"`
	}
	if err := json.Unmarshal(body, &answer); err != nil || code != http.StatusOK {
		t.Fatalf("advance: status %d, %s, %v", code, body, err)
	}
	if !answer.Now.Equal(before.Add(24*time.Hour)) || answer.Changes["crm.contacts"]["create"] == 0 {
		t.Errorf("advance by a day from %v: got %+v", before, answer)
	}
	if code, body := admin(t, s, "POST", "/_sim/advance?d=-3h", "admin"); code != http.StatusBadRequest {
		t.Errorf("advance backwards: got status %d %s, want 400", code, body)
	}
}

func admin(t *testing.T, s *sim.Server, method, path, token string) (int, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, s.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	defer http.DefaultClient.CloseIdleConnections()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := resp.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, body
}

// A server that was killed while it moved the clock writes its silos anew.
func TestServerRecovers(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	opt := sim.ServeOptions{Options: sim.Options{Customers: 80, Seed: 2}, Dir: dir}
	s := serve(t, opt)
	want := folder(t, filepath.Join(dir, "silos", "calls"))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "company.json"))
	if err != nil {
		t.Fatal(err)
	}
	halfway := strings.Replace(string(text), `"written": true`, `"written": false`, 1)
	if err := os.WriteFile(filepath.Join(dir, "company.json"), []byte(halfway), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"queue_log", "cdr-csv/Master.csv"} {
		if err := os.WriteFile(filepath.Join(dir, "silos", "calls", name), []byte("half a li"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s = serve(t, opt)
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if got := folder(t, filepath.Join(dir, "silos", "calls")); got != want {
		t.Errorf("after the recovery:\n%swant\n%s", got, want)
	}
	compareERP(t, s.Company, sim.Database(s))
	if _, err := s.Advance(ctx, time.Hour); err != nil {
		t.Fatal(err)
	}
}

// TestWho: a server proves that it knows the token without being told it.
func TestWho(t *testing.T) {
	s := serve(t, sim.ServeOptions{Options: sim.Options{Customers: 60, Seed: 1}, Dir: t.TempDir(), AdminToken: "admin"})
	code, body := admin(t, s, "GET", "/_sim/who?challenge=7", "")
	if want := sim.Proof("admin", "7"); code != http.StatusOK || !strings.Contains(string(body), want) || strings.Contains(string(body), "admin") {
		t.Errorf("got %d %s, want %s", code, body, want)
	}
	if sim.Proof("admin", "7") == sim.Proof("admin", "8") || sim.Proof("admin", "7") == sim.Proof("other", "7") || sim.Proof("", "7") != "" {
		t.Error("the proof depends on too little")
	}
}
