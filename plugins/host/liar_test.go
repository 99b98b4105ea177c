package host_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/host"
)

// openLiar opens the plugin that does not use the sdk.
func openLiar(t testing.TB, h *host.Host, family, act string) core.Source {
	t.Helper()
	c, err := h.Connector(t.Context(), family, "liar")
	if err != nil {
		t.Fatal(err)
	}
	src, err := c.Open(t.Context(), core.Config{Values: map[string]any{"act": act}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	return src
}

// TestLies: whatever the plugin claims, the read fails with a typed error that names the
// plugin and costs next to no memory.
func TestLies(t *testing.T) {
	h, _ := newHost(t, func(o *host.Options) { o.HangTimeout = 3 * time.Second })
	for act, want := range map[string]string{
		"no end":               "without saying that it was complete",
		"chunk first":          "belongs to no frame",
		"empty event":          "unknown kind",
		"giant message":        "larger than max",
		"many fields":          "more than",
		"flipped bit":          "checksum",
		"short body":           "bytes came",
		"long body":            "were announced",
		"cut off":              "bytes came",
		"wrong totals":         "the end says",
		"length of a terabyte": "over the limit",
		"checksum":             "checksum",
		"sequence":             "calls itself frame 7",
		"schema id":            "names schema 9",
		"rows":                 "rows",
		"op":                   "operation 17",
		"header":               "outside its message",
		"state":                "is not JSON",
		"mark":                 "out of place",
		"hang":                 "neither rows nor a heartbeat",
	} {
		t.Run(act, func(t *testing.T) {
			src := openLiar(t, h, "liar", act)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := readAll(t.Context(), src, nil)
			runtime.ReadMemStats(&after)
			kind := core.KindInternal
			if act == "hang" {
				kind = core.KindUnavailable
			}
			if core.KindOf(err) != kind || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "plugin liar") {
				t.Errorf("got %v (%s), want %q of kind %s and the plugin's name", err, core.KindOf(err), want, kind)
			}
			if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; grown > 64 {
				t.Errorf("it cost %d MiB", grown)
			}
		})
	}
}

func TestFloodOfHeartbeatsCanBeCancelled(t *testing.T) {
	h, _ := newHost(t, nil)
	src := openLiar(t, h, "liar", "heartbeats")
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	start := time.Now()
	_, _, err := readAll(ctx, src, nil)
	if err != context.DeadlineExceeded || time.Since(start) > 2*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}

// TestHungCheckIsCancelled: a call other than Read that never answers ends with its context.
func TestHungCheckIsCancelled(t *testing.T) {
	h, _ := newHost(t, nil)
	src := openLiar(t, h, "liar", "")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := src.Check(ctx); err != context.DeadlineExceeded {
		t.Errorf("got %v", err)
	}
}

func TestPluginsThatDoNotStart(t *testing.T) {
	h, book := newHost(t, func(o *host.Options) { o.StartTimeout = time.Second })
	for family, want := range map[string]string{
		"silent":  "timeout while waiting for plugin to start",
		"quits":   "cannot find my ***",
		"babbler": "timeout",
		"future":  "incompatible",
		"missing": "there is no plugin unsilo-plugin-missing",
	} {
		t.Run(family, func(t *testing.T) {
			start := time.Now()
			_, err := h.Connector(t.Context(), family, "liar")
			if core.KindOf(err) != core.KindConfig || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
			if took := time.Since(start); took > 6*time.Second {
				t.Errorf("it took %s", took)
			}
		})
	}
	if n := len(book.text()); n > 1<<30 {
		t.Errorf("the log holds %d bytes", n)
	}
}

func TestStartIsCancelled(t *testing.T) {
	h, _ := newHost(t, nil)
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := h.Connector(ctx, "silent", "x"); err != context.DeadlineExceeded || time.Since(start) > 4*time.Second {
		t.Errorf("%v after %s", err, time.Since(start))
	}
}

func TestPrintingBeforeServeIsTolerated(t *testing.T) {
	h, book := newHost(t, nil)
	c, err := h.Connector(t.Context(), "loud", "numbers")
	if err != nil || c.Spec().Version != "1.2.3" {
		t.Fatalf("%v\n%s", err, book.text())
	}
	for _, want := range []string{"welcome to the plugin", "no end of line"} {
		if _, ok := book.find(want); !ok {
			t.Errorf("the log lacks %q", want)
		}
	}
}

func TestPluginThatIgnoresShutdownIsKilled(t *testing.T) {
	h, _ := newHost(t, func(o *host.Options) { o.CloseGrace = time.Second })
	src := openLiar(t, h, "clinger", "pid")
	pid := src.Check(t.Context()).Error()
	start := time.Now()
	_ = src.Close()
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("Close took %s", took)
	}
	if alive(pid) {
		t.Errorf("process %s is alive", pid)
	}
}
