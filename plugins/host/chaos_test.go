package host_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/host"
)

// A plugin that misbehaves costs one stream: the host lives on, a neighbour's source
// works, and no process is left.
func TestMisbehaviourCostsOneStream(t *testing.T) {
	for _, c := range []struct {
		act  string
		kind core.Kind
		want string // in the error
		rows int64  // that came before, when the connector itself ended the read
	}{
		{"exit", core.KindUnavailable, "exit status 1", 0},
		{"exit", core.KindUnavailable, "giving up now, token ***", 0},
		{"segv", core.KindInternal, "SIGSEGV", 0},
		{"kill", core.KindUnavailable, "signal: killed", 0},
		{"panic", core.KindInternal, "the connector panicked: assignment to entry in nil map", 200},
		{"panic-elsewhere", core.KindInternal, "panic: in a goroutine of its own", 0},
		{"stop", core.KindUnavailable, "no", 0},
		{"memory", core.KindInternal, "memory", 0},
		{"bad-text", core.KindInternal, "text is not UTF-8", 200},
		{"limited", core.KindLimited, "429", 200},
	} {
		t.Run(c.act, func(t *testing.T) {
			h, _ := newHost(t, func(o *host.Options) { o.HangTimeout, o.MemoryLimit = 1500*time.Millisecond, 96<<20 })
			neighbour := openNumbers(t, h, map[string]any{"rows": int64(50)})
			src := openNumbers(t, h, map[string]any{
				"rows": int64(1000), "batch": int64(50), "act": c.act, "at": int64(200), "token": "canary"})
			rows, _, err := readAll(t.Context(), src, nil)
			var e *core.Error
			if !errors.As(err, &e) || e.Kind != c.kind || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v (%v), want %q of kind %s", err, core.KindOf(err), c.want, c.kind)
			}
			if err != nil && strings.Contains(err.Error(), "canary") {
				t.Errorf("the token stands in %q", err)
			}
			if c.act == "limited" && (e.RetryAfter != 3*time.Second || e.Try != "wait" || e.Stream != "numbers") {
				t.Errorf("the error lost something: %+v", e)
			}
			if c.rows > 0 && rows != c.rows {
				t.Errorf("%d rows came before it, want %d", rows, c.rows)
			}
			if n, _, err := readAll(t.Context(), neighbour, nil); err != nil || n != 50 {
				t.Errorf("the neighbour: %d rows, %v", n, err)
			}
			start := time.Now()
			_ = src.Close()
			if took := time.Since(start); took > 6*time.Second {
				t.Errorf("Close took %s", took)
			}
		})
	}
}

// TestRowsBeforeACrashArrive: what was sent before the end is there, and the next read
// goes on after it, in a new process.
func TestReadGoesOnAfterACrash(t *testing.T) {
	h, _ := newHost(t, nil)
	flag := filepath.Join(t.TempDir(), "crashed")
	src := openNumbers(t, h, map[string]any{
		"rows": int64(60_000), "batch": int64(9000), "act": "exit-once:" + flag, "at": int64(30_000)})
	first, after, err := readAll(t.Context(), src, nil)
	if core.KindOf(err) != core.KindUnavailable || first == 0 {
		t.Fatalf("first read: %d rows, %v", first, err)
	}
	rest, after, err := readAll(t.Context(), src, after)
	if err != nil || first+rest != 60_000 || string(after) != `{"id":60000}` {
		t.Errorf("then: %d and %d rows, state %s, %v", first, rest, after, err)
	}
}

// TestFailedReopenLeavesNoProcess: a process in which the source could not be opened again
// ends at once, and the next use starts another.
func TestFailedReopenLeavesNoProcess(t *testing.T) {
	needProc(t)
	h, _ := newHost(t, nil)
	file := filepath.Join(t.TempDir(), "opens")
	src := openNumbers(t, h, map[string]any{"rows": int64(9), "act": "reopen:" + file})
	if _, _, err := readAll(t.Context(), src, nil); core.KindOf(err) != core.KindUnavailable {
		t.Fatalf("the first process: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	second, giveUp := context.WithCancel(ctx)
	defer giveUp()
	stop := make(chan struct{})
	defer close(stop)
	go func() { // gives up while the second Open hangs
		for {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
			if seen, _ := os.ReadFile(file); len(seen) == 2 {
				giveUp()
				return
			}
		}
	}()
	if err := src.Check(second); !errors.Is(err, context.Canceled) {
		t.Fatalf("the second process: %v", err)
	}
	if left := children(); len(left) > 0 {
		t.Errorf("it lives on: %q", left)
	}
	if n, _, err := readAll(ctx, src, nil); err != nil || n != 9 {
		t.Errorf("the third process: %d rows, %v", n, err)
	}
}

func TestRestartsEnd(t *testing.T) {
	h, _ := newHost(t, func(o *host.Options) { o.MaxRestarts = 2 })
	src := openNumbers(t, h, map[string]any{"rows": int64(9), "act": "exit"})
	for i := range 5 {
		_, _, err := readAll(t.Context(), src, nil)
		want := core.KindUnavailable
		if i > 2 {
			want = core.KindInternal
		}
		if core.KindOf(err) != want {
			t.Errorf("read %d: %v of kind %q, want %q", i, err, core.KindOf(err), want)
		}
	}
}

func TestHugeCellArrives(t *testing.T) {
	h, _ := newHost(t, nil)
	src := openNumbers(t, h, map[string]any{"rows": int64(11), "act": "huge-cell", "at": int64(10)})
	var longest int
	err := src.Read(t.Context(), core.ReadRequest{Stream: core.Stream{Name: "numbers"}}, func(b core.Batch) error {
		if b.Rows != nil && b.Rows.ColumnName(0) == "text" {
			longest = len(b.Rows.Column(0).ValueStr(0))
		}
		return nil
	})
	if err != nil || longest != 64<<20 {
		t.Errorf("a cell of %d bytes came, %v", longest, err)
	}
}

func TestHugeCellOverTheLimitIsRejected(t *testing.T) {
	h, _ := newHost(t, func(o *host.Options) { o.MaxBody = 8 << 20 })
	src := openNumbers(t, h, map[string]any{"rows": int64(11), "act": "huge-cell", "at": int64(10)})
	rejects := 0
	err := src.Read(t.Context(), core.ReadRequest{Stream: core.Stream{Name: "numbers"}}, func(b core.Batch) error {
		if b.Op == core.OpReject {
			rejects += int(b.Rows.NumRows())
		}
		return nil
	})
	if err != nil || rejects != 1 {
		t.Errorf("%d rejects, %v; want 1", rejects, err)
	}
}

func TestNoiseIsShownNotFatal(t *testing.T) {
	h, book := newHost(t, nil)
	src := openNumbers(t, h, map[string]any{"rows": int64(100), "batch": int64(50), "act": "noise", "at": int64(50), "token": "canary"})
	if rows, _, err := readAll(t.Context(), src, nil); err != nil || rows != 100 {
		t.Fatalf("%d rows, %v", rows, err)
	}
	_ = src.Close()
	for _, want := range []string{"noise on standard output", "noise on standard error", "raw noise", "the api is slow"} {
		if _, ok := book.find(want); !ok {
			t.Errorf("the log lacks %q", want)
		}
	}
	line, _ := book.find("the api is slow")
	if line.Level.String() != "WARN" || fmt.Sprint(line.Attrs) != "[token=***]" || line.Family != "chaos" {
		t.Errorf("structured line: %+v", line)
	}
	if n := strings.Count(book.text(), "the api is slow"); n != 1 {
		t.Errorf("the line was shown %d times", n)
	}
	if strings.Contains(book.text(), "canary") {
		t.Error("the token stands in the log")
	}
}

func TestEnvironmentIsAllowListed(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "not for plugins")
	t.Setenv("MY_CA", "/certs")
	h, _ := newHost(t, func(o *host.Options) { o.Env = []string{"MY_CA"} })
	src := openNumbers(t, h, map[string]any{"rows": int64(1), "act": "env"})
	var env string
	err := src.Read(t.Context(), core.ReadRequest{Stream: core.Stream{Name: "numbers"}}, func(b core.Batch) error {
		if b.Rows != nil && b.Rows.ColumnName(0) == "text" {
			env = b.Rows.Column(0).ValueStr(0)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(env, "AWS_SECRET") || strings.Contains(env, "not for plugins") {
		t.Error("the plugin sees a variable that was not named")
	}
	for _, want := range []string{"MY_CA=/certs", "GOMEMLIMIT=1073741824", "GOMAXPROCS="} {
		if !strings.Contains(env, want) {
			t.Errorf("the plugin does not see %s", want)
		}
	}
}

// TestSlowConsumerHoldsThePlugin: however many rows there are, host and plugin stay small
// while the warehouse is busy.
func TestSlowConsumerHoldsThePlugin(t *testing.T) {
	h, _ := newHost(t, nil)
	pidFile := filepath.Join(t.TempDir(), "pid")
	src := openNumbers(t, h, map[string]any{
		"rows": int64(1) << 40, "batch": int64(10_000), "act": "pid:" + pidFile})
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Second)
	defer cancel()
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	peak := uint64(0)
	err := src.Read(ctx, core.ReadRequest{Stream: core.Stream{Name: "numbers"}}, func(core.Batch) error {
		time.Sleep(100 * time.Millisecond)
		runtime.ReadMemStats(&now)
		peak = max(peak, now.HeapAlloc-min(now.HeapAlloc, before.HeapAlloc))
		return nil
	})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("read ended with %v", err)
	}
	if peak > 100<<20 {
		t.Errorf("the host held %d MiB more", peak>>20)
	}
	if rss := residentKiB(t, readPID(t, pidFile)); rss > 200<<10 {
		t.Errorf("the plugin holds %d MiB", rss>>10)
	}
}

// readPID waits for a process to write its id.
func readPID(t testing.TB, path string) int {
	t.Helper()
	for range 500 {
		if b, err := os.ReadFile(path); err == nil && len(b) > 0 {
			pid, err := strconv.Atoi(string(b))
			if err != nil {
				t.Fatal(err)
			}
			return pid
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("no process wrote %s", path)
	return 0
}

// residentKiB is 0 where the system does not tell.
func residentKiB(t testing.TB, pid int) int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	n, _ := strconv.Atoi(strings.Fields(rest)[0])
	return n
}

// TestRandomCrashes kills the plugin at random rows: going on from the last state always
// ends in the same rows, however often it happens. A plugin that has sent all its rows when
// it is killed has nothing to go on with, so there are as many rounds as it takes.
func TestRandomCrashes(t *testing.T) {
	h, _ := newHost(t, func(o *host.Options) { o.MaxRestarts = 30 })
	const rows = 200_000
	rng := rand.New(rand.NewPCG(1, 1))
	crashes := 0
	for round := 0; round < 4 || crashes < 8; round++ {
		if round == 100 {
			t.Fatalf("only %d crashes happened", crashes)
		}
		file := filepath.Join(t.TempDir(), "pid")
		src := openNumbers(t, h, map[string]any{"rows": int64(rows), "batch": int64(8200 + 700*(round%4)), "act": "pid:" + file})
		seen := make([]bool, rows)
		var after core.State
		var err error
		for attempt := 0; attempt == 0 || err != nil; attempt++ {
			if attempt > 20 {
				t.Fatalf("round %d does not end: %v", round, err)
			}
			until := 1 + rng.IntN(12)
			err = src.Read(t.Context(), core.ReadRequest{Stream: core.Stream{Name: "numbers"}, After: after}, func(b core.Batch) error {
				if b.Rows != nil {
					for _, id := range b.Rows.Column(0).(*array.Int64).Int64Values() {
						seen[id] = true
					}
				}
				if b.After != nil {
					after = b.After
				}
				if until--; until == 0 && attempt < 6 {
					crashes++
					return killProcess(readPID(t, file))
				}
				return nil
			})
			if err != nil && core.KindOf(err) != core.KindUnavailable {
				t.Fatalf("round %d: %v", round, err)
			}
		}
		for id, ok := range seen {
			if !ok {
				t.Fatalf("round %d: row %d is missing", round, id)
			}
		}
		_ = src.Close()
	}
}

func killProcess(pid int) error {
	p, err := os.FindProcess(pid)
	if err != nil {
		return err
	}
	return p.Kill()
}

// TestFloodOfLinesIsPaced: a plugin that does nothing but log costs neither memory nor disk.
func TestFloodOfLinesIsPaced(t *testing.T) {
	h, book := newHost(t, nil)
	src := openNumbers(t, h, map[string]any{"rows": int64(60_000), "batch": int64(10), "act": "noise"})
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
	defer cancel()
	_, _, _ = readAll(ctx, src, nil)
	_ = src.Close()
	if n := strings.Count(book.text(), "\n"); n > 12_000 {
		t.Errorf("%d lines were shown", n)
	}
	if _, ok := book.find("were dropped"); !ok {
		t.Error("nothing tells that lines were dropped")
	}
}
