package host_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/host"
)

// pluginDir holds the test plugin; TestMain fills it.
var pluginDir string

func TestMain(m *testing.M) { os.Exit(run(m)) }

func run(m *testing.M) int {
	if dir := os.Getenv("UNSILO_TEST_HOST"); dir != "" {
		return hostForKilling(dir, os.Getenv("UNSILO_TEST_ACT"))
	}
	dir, err := os.MkdirTemp("", "unsilo-host-test")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	pluginDir = dir
	sockets := filepath.Join(dir, "tmp") // what is left there after all tests is a leak
	if err := errors.Join(os.Mkdir(sockets, 0o700), os.Setenv("TMPDIR", sockets)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	build := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "./testdata/unsilo-plugin-chaos", "./testdata/unsilo-plugin-liar")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "build test plugin: %v\n%s", err, out)
		return 1
	}
	for _, name := range []string{"silent", "quits", "babbler", "loud", "future", "clinger"} {
		err := os.Link(filepath.Join(dir, "unsilo-plugin-liar"+exe()), filepath.Join(dir, "unsilo-plugin-"+name+exe()))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	code := m.Run()
	if left, _ := filepath.Glob(filepath.Join(sockets, "plugin*")); len(left) > 0 && code == 0 {
		fmt.Fprintf(os.Stderr, "files are left: %q\n", left)
		return 1
	}
	return code
}

func asError(err error, target **core.Error) bool { return errors.As(err, target) }

func exe() string {
	if runtime.GOOS == "windows" {
		return ".exe"
	}
	return ""
}

// logBook keeps the lines of plugins.
type logBook struct {
	mu    sync.Mutex
	lines []host.LogLine
}

func (b *logBook) add(l host.LogLine) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.lines = append(b.lines, l)
}

func (b *logBook) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var s strings.Builder
	for _, l := range b.lines {
		fmt.Fprintln(&s, l.Level, l.Family, l.Message, l.Attrs)
	}
	return s.String()
}

func (b *logBook) find(message string) (host.LogLine, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.lines {
		if strings.Contains(l.Message, message) {
			return l, true
		}
	}
	return host.LogLine{}, false
}

// newHost makes a host that is closed with the test.
func newHost(t testing.TB, change func(*host.Options)) (*host.Host, *logBook) {
	t.Helper()
	book := &logBook{}
	opt := host.Options{
		Dirs: []string{pluginDir}, Log: book.add, HangTimeout: 5 * time.Second, CloseGrace: 2 * time.Second,
		Redact: func(s string) string { return strings.ReplaceAll(s, "canary", "***") },
	}
	if change != nil {
		change(&opt)
	}
	h := host.New(opt)
	t.Cleanup(func() {
		_ = h.Close()
		if left := children(); len(left) > 0 {
			t.Errorf("processes are left: %q", left)
		}
	})
	return h, book
}

// openNumbers opens the test source with values.
func openNumbers(t testing.TB, h *host.Host, values map[string]any) core.Source {
	t.Helper()
	c, err := h.Connector(t.Context(), "chaos", "numbers")
	if err != nil {
		t.Fatal(err)
	}
	src, err := c.Open(t.Context(), core.Config{Source: "test", Values: values})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = src.Close() })
	return src
}

// readAll reads the stream and counts rows; the last state comes back.
func readAll(ctx context.Context, src core.Source, after core.State) (int64, core.State, error) {
	var rows int64
	err := src.Read(ctx, core.ReadRequest{Stream: core.Stream{Name: "numbers"}, After: after}, func(b core.Batch) error {
		if b.Rows != nil {
			rows += b.Rows.NumRows()
		}
		if b.After != nil {
			after = b.After
		}
		return nil
	})
	return rows, after, err
}

func TestReadThroughAProcess(t *testing.T) {
	h, book := newHost(t, nil)
	src := openNumbers(t, h, map[string]any{"rows": int64(25_000), "batch": int64(10)})
	if err := src.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	streams, err := src.Streams(t.Context())
	if err != nil || len(streams) != 1 || core.MeansOf(streams[0].Schema.Field(1)) != core.PersonEmail {
		t.Fatalf("streams: %v, %v", streams, err)
	}
	rows, after, err := readAll(t.Context(), src, nil)
	if err != nil || rows != 25_000 || string(after) != `{"id":25000}` {
		t.Fatalf("got %d rows, state %s, %v\n%s", rows, after, err, book.text())
	}
	if rows, _, err := readAll(t.Context(), src, after); err != nil || rows != 0 {
		t.Errorf("from the end: %d rows, %v", rows, err)
	}
	if err := src.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := src.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
	if _, ok := book.find("plugin ends"); ok {
		t.Errorf("the plugin did not end in peace:\n%s", book.text())
	}
}

// children lists the processes whose parent is this one; nothing where there is no /proc.
func children() []string {
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	var out []string
	for _, path := range all {
		b, err := os.ReadFile(path)
		if err != nil {
			continue
		}
		_, rest, _ := strings.Cut(string(b), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == fmt.Sprint(os.Getpid()) {
			out = append(out, string(b))
		}
	}
	return out
}
