package configs_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A program is a built unsilo with its plugins beside it.
type program struct{ dir string }

// builds makes the program once for all tests.
var builds struct {
	once sync.Once
	dir  string
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if builds.dir != "" {
		_ = os.RemoveAll(builds.dir) // a temporary folder left behind is no reason to fail
	}
	os.Exit(code)
}

// testProgram gives the program: that in the folder UNSILO_BIN, or one built for the test.
func testProgram(t *testing.T) program {
	t.Helper()
	if testing.Short() {
		t.Skip("builds and runs the whole program")
	}
	if dir := os.Getenv("UNSILO_BIN"); dir != "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			t.Fatal(err)
		}
		return program{abs}
	}
	builds.once.Do(func() { builds.dir, builds.err = build() })
	if builds.err != nil {
		t.Fatal(builds.err)
	}
	return program{builds.dir}
}

func build() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "unsilo-bin-"); err != nil {
		return "", fmt.Errorf("make folder: %w", err)
	}
	// The go command answers from its cache unless it has seen the test read the sources.
	err = filepath.WalkDir("..", func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() && strings.HasPrefix(e.Name(), ".") && path != ".." {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		return dir, fmt.Errorf("walk sources: %w", err)
	}
	plugins, err := filepath.Glob("../plugins/unsilo-plugin-*")
	if err != nil {
		return dir, fmt.Errorf("find plugins: %w", err)
	}
	if err := goBuild(dir, "1", "-tags", "duckdb_arrow", "../cmd/unsilo"); err != nil {
		return dir, err
	}
	return dir, goBuild(dir, "0", plugins...)
}

func goBuild(dir, cgo string, args ...string) error {
	cmd := exec.Command("go", append([]string{"build", "-o", dir + string(filepath.Separator)}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+cgo)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("build %v: %w\n%s", args, err, out)
	}
	return nil
}

// running is the program at work, and the processes it has started.
type running struct {
	cmd          *exec.Cmd
	stdout, errs bytes.Buffer
	ended        context.CancelFunc
	watched      chan map[int]string
}

// outcome is what is left of it.
type outcome struct {
	code           int
	stdout, stderr string
	took           time.Duration
	// children are the processes that it started, by number.
	children map[int]string
}

const runTimeout = 5 * time.Minute

// start starts the program with more variables in its environment.
func (p program) start(t *testing.T, env []string, args ...string) *running {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), runTimeout) // cleanups run it too
	r := &running{cmd: exec.CommandContext(ctx, filepath.Join(p.dir, "unsilo"), args...), watched: make(chan map[int]string, 1)}
	r.cmd.Env = append(os.Environ(), env...)
	r.cmd.Stdout, r.cmd.Stderr = &r.stdout, &r.errs
	r.cmd.WaitDelay = 10 * time.Second
	if err := r.cmd.Start(); err != nil {
		cancel()
		t.Fatal(err)
	}
	watching, stop := context.WithCancel(ctx)
	r.ended = func() { stop(); cancel() }
	go func() { r.watched <- watchChildren(watching, r.cmd.Process.Pid) }()
	return r
}

// watchChildren collects the processes that a process starts until ctx ends.
func watchChildren(ctx context.Context, pid int) map[int]string {
	seen := map[int]string{}
	for {
		addChildren(seen, pid)
		select {
		case <-ctx.Done():
			return seen
		case <-time.After(15 * time.Millisecond):
		}
	}
}

func (r *running) wait(t *testing.T) outcome {
	t.Helper()
	began := time.Now()
	err := r.cmd.Wait()
	r.ended()
	o := outcome{stdout: r.stdout.String(), stderr: r.errs.String(), children: <-r.watched, took: time.Since(began)}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		o.code = exit.ExitCode()
	case err != nil:
		t.Fatalf("run %v: %v", r.cmd.Args, err)
	}
	return o
}

// run runs the program to its end; it must leave no process behind.
func (p program) run(t *testing.T, env []string, args ...string) outcome {
	t.Helper()
	o := p.start(t, env, args...).wait(t)
	o.wantNoneLeft(t)
	return o
}

func (o outcome) wantCode(t *testing.T, want int) outcome {
	t.Helper()
	if o.code != want {
		t.Fatalf("got exit code %d, want %d\n%s\n%s", o.code, want, o.stdout, o.stderr)
	}
	return o
}

// wantPlugins demands that the program read through processes of these plugins.
func (o outcome) wantPlugins(t *testing.T, families ...string) {
	t.Helper()
	if !canSeeProcesses {
		return
	}
	have := map[string]int{}
	for _, name := range o.children {
		have[name]++
	}
	for _, f := range families {
		if have["unsilo-plugin-"+f] == 0 {
			t.Errorf("no process of unsilo-plugin-%s was seen, only %v", f, have)
		}
	}
}

// wantNoneLeft demands that all plugins have ended with the program.
func (o outcome) wantNoneLeft(t *testing.T) {
	t.Helper()
	for pid, name := range o.children {
		if strings.HasPrefix(name, "unsilo-plugin-") && processName(pid) == name {
			t.Errorf("%s is left as process %d", name, pid)
		}
	}
}

// result is what `run -o json` tells.
type result struct {
	Status string         `json:"status"`
	Landed int64          `json:"landed"`
	Rows   []streamResult `json:"rows"`
	Models []modelResult  `json:"models"`
	Errors []string       `json:"errors"`
}

type streamResult struct {
	Stream      string `json:"stream"`
	Status      string `json:"status"`
	Read        int64  `json:"read"`
	New         int64  `json:"new"`
	Changed     int64  `json:"changed"`
	Deleted     int64  `json:"deleted"`
	Quarantined int64  `json:"quarantined"`
}

type modelResult struct {
	Model  string `json:"model"`
	Status string `json:"status"`
	Rows   int64  `json:"rows"`
	Tests  string `json:"tests"`
}

func (o outcome) result(t *testing.T) result {
	t.Helper()
	var r result
	if err := json.Unmarshal([]byte(o.stdout), &r); err != nil {
		t.Fatalf("read result: %v\n%s\n%s", err, o.stdout, o.stderr)
	}
	return r
}

func (r result) stream(t *testing.T, name string) streamResult {
	t.Helper()
	for _, s := range r.Rows {
		if s.Stream == name {
			return s
		}
	}
	t.Fatalf("the run tells nothing of %s", name)
	return streamResult{}
}

// retried reports whether a stream was read again after a failure.
func (o outcome) retried(source, stream string) bool {
	for line := range strings.Lines(o.stderr) {
		var e struct{ Kind, Source, Stream string }
		if json.Unmarshal([]byte(line), &e) == nil && e.Kind == "retry" && e.Source == source && e.Stream == stream {
			return true
		}
	}
	return false
}

// query runs a SELECT on the project's warehouse.
func (p program) query(t *testing.T, project string, env []string, sql string) (columns []string, rows [][]string) {
	t.Helper()
	o := p.run(t, env, "-C", project, "query", "-o", "csv", sql).wantCode(t, 0)
	in := csv.NewReader(strings.NewReader(o.stdout))
	all, err := in.ReadAll()
	if err != nil || len(all) == 0 {
		t.Fatalf("read answer of %s: %v\n%s", sql, err, o.stderr)
	}
	return all[0], all[1:]
}
