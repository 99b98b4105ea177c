//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/sim"
)

// bystander is a process that has nothing to do with the demo.
func bystander(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have ended
		_ = cmd.Wait()
	})
	return cmd
}

func newDemo(t *testing.T) *demo {
	t.Helper()
	d := &demo{app: &app{out: io.Discard, err: io.Discard, getenv: func(string) string { return "" }, output: "table"}, dir: t.TempDir(), customers: 10, seed: 1}
	if err := os.MkdirAll(d.company(), 0o700); err != nil {
		t.Fatal(err)
	}
	return d
}

func note(t *testing.T, d *demo, s servedCompany) {
	t.Helper()
	text, err := json.Marshal(s)
	if err == nil {
		err = os.WriteFile(d.serverFile(), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestStopEndsNobodyElse: whatever answers at the port of a demo that is long gone, the
// process that has its number now lives on, and nobody is told the token.
func TestStopEndsNobodyElse(t *testing.T) {
	for name, c := range map[string]struct {
		pid   func(other int) int
		proof func(challenge string) string
	}{
		"agrees to all":    {func(other int) int { return other }, func(string) string { return "" }},
		"wrong proof":      {func(other int) int { return other }, func(c string) string { return sim.Proof("other", c) }},
		"another demo":     {func(int) int { return os.Getpid() }, func(c string) string { return sim.Proof("secret-token", c) }},
		"proof without id": {func(int) int { return 0 }, func(c string) string { return sim.Proof("secret-token", c) }},
	} {
		t.Run(name, func(t *testing.T) {
			other := bystander(t)
			asked := 0
			stranger := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				if strings.Contains(fmt.Sprint(r.URL, r.Header), "secret-token") {
					t.Errorf("the token was told: %v %v", r.URL, r.Header)
				}
				_ = json.NewEncoder(w).Encode(map[string]any{"now": time.Now(), "pid": c.pid(other.Process.Pid), "proof": c.proof(r.URL.Query().Get("challenge"))})
			}))
			defer stranger.Close()
			d := newDemo(t)
			note(t, d, servedCompany{URL: stranger.URL, PID: other.Process.Pid, Token: "secret-token"})
			if err := d.stopCompany(t.Context()); err != nil {
				t.Errorf("stop: %v", err)
			}
			time.Sleep(50 * time.Millisecond)
			if err := other.Process.Signal(syscall.Signal(0)); err != nil || asked == 0 || zombie(other.Process.Pid) {
				t.Errorf("the bystander: %v; asked %d times", err, asked)
			}
		})
	}
}

func zombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(text), ") Z ")
}

// TestStopEndsTheCompany: the process that is the company does end, before the verb does.
func TestStopEndsTheCompany(t *testing.T) {
	program, err := exec.LookPath("unsilo")
	if err != nil {
		t.Fatal(err)
	}
	d := newDemo(t)
	cmd := exec.Command(program, "demo", "--serve", "--dir", d.dir, "--customers", "10")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s, err := d.awaitCompany(t.Context(), cmd)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.stopCompany(t.Context()); err != nil {
		t.Fatal(err)
	}
	if s.answers(t.Context()) {
		t.Error("it answers still")
	}
	if err := d.stopCompany(t.Context()); err != nil {
		t.Errorf("once more: %v", err)
	}
}

// TestCompanyThatNeverAnswersIsEnded: nothing is left behind of a start that failed.
func TestCompanyThatNeverAnswersIsEnded(t *testing.T) {
	d := newDemo(t)
	if err := os.WriteFile(filepath.Join(d.company(), "server.log"), []byte("the disk is full\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sleep", "60")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err := d.awaitCompany(ctx, cmd)
	if err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Errorf("got %v", err)
	}
	if cmd.ProcessState == nil {
		t.Error("the process lives on")
		_ = cmd.Process.Kill()
	}
}
