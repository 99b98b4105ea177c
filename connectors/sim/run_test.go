package sim_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/sim"
)

func TestCommand(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "company")
	port := filepath.Join(t.TempDir(), "port")
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var served sync.WaitGroup
	var code int
	var out, errs bytes.Buffer
	served.Go(func() {
		code = sim.Run(ctx, []string{"serve", "--dir", dir, "--customers", "80", "--seed", "5", "--port-file", port}, &out, &errs)
	})
	for i := 0; ; i++ {
		if _, err := os.Stat(port); err == nil {
			break
		}
		if i > 500 {
			t.Fatalf("the server did not start: %s", errs.String())
		}
		time.Sleep(20 * time.Millisecond)
	}
	first := advance(t, dir, 0)
	cancel()
	served.Wait()
	if code != 0 || !strings.Contains(out.String(), "url http://127.0.0.1:") {
		t.Errorf("serve: exit code %d, %s%s", code, out.String(), errs.String())
	}
	second := advance(t, dir, 0)
	if !second.Equal(first.Add(24 * time.Hour)) {
		t.Errorf("advance with and without a server: %v, then %v", first, second)
	}
	for _, name := range []string{"silos/erp.sqlite", "silos/web", "silos/calls/queue_log", "truth/truth.parquet", "truth/truth_effects.json"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
}

func advance(t *testing.T, dir string, want int) time.Time {
	t.Helper()
	var out, errs bytes.Buffer
	if code := sim.Run(context.Background(), []string{"advance", "--dir", dir, "--by", "1d"}, &out, &errs); code != want {
		t.Fatalf("advance: exit code %d, want %d: %s", code, want, errs.String())
	}
	var answer struct{ Now time.Time }
	if err := json.Unmarshal(out.Bytes(), &answer); err != nil {
		t.Fatalf("advance: %v in %s", err, out.String())
	}
	return answer.Now
}

func TestCommandLineFaults(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{nil, 2, "unsilo-sim serve"},
		{[]string{"dance"}, 2, "unsilo-sim serve"},
		{[]string{"serve"}, 2, "--dir"},
		{[]string{"serve", "--pace", "3"}, 2, "pace"},
		{[]string{"advance", "--dir", "x", "--by", "soon"}, 2, "--by 24h"},
		{[]string{"advance", "--dir", t.TempDir()}, 1, "unsilo-sim serve"},
	} {
		var out, errs bytes.Buffer
		if code := sim.Run(context.Background(), c.args, &out, &errs); code != c.code || !strings.Contains(errs.String(), c.says) {
			t.Errorf("%v: exit code %d, %q; want %d and a word of %q", c.args, code, errs.String(), c.code, c.says)
		}
	}
}
