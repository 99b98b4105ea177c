package main

import (
	"bytes"
	"crypto/sha256"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	_ "modernc.org/sqlite"
)

// TestMain makes this binary the program too: tests start it as "unsilo", in processes of
// its own, and as "unsilo-small", which commits after a few rows.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"unsilo": main, "unsilo-small": smallMain})
}

// TestScript runs testdata/script/<verb>_<case>.txtar.
func TestScript(t *testing.T) {
	bins := &pluginBins{dir: t.TempDir()}
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("NO_COLOR", "1")
			env.Setenv("UNSILO_TRUST_FILE", filepath.Join(env.WorkDir, "user", "trusted"))
			env.Values[stateKey{}] = &scriptState{saved: map[string]string{}, started: map[string]*background{}}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": cmdExits, "sqlite": cmdSqlite, "same": cmdSame, "parses": cmdParses, "field": cmdField,
			"api": cmdAPI, "await": cmdAwait, "start": cmdStart, "interrupt": cmdInterrupt, "kill9": cmdKill9, "ends": cmdEnds, "damage": cmdDamage,
			"plugins": bins.command, "orphans": cmdOrphans, "weather": bins.weather, "private": cmdPrivate,
		},
	})
}

type stateKey struct{}

// scriptState is what the commands of one script remember.
type scriptState struct {
	saved   map[string]string
	started map[string]*background
	api     *fakeAPI
}

func stateOf(ts *testscript.TestScript) *scriptState { return ts.Value(stateKey{}).(*scriptState) }

// exits CODE COMMAND... runs a command and demands its exit code.
func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	if got := codeOf(ts.Exec(args[1], args[2:]...)); got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func codeOf(err error) int {
	var exit *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1
}

// sqlite FILE SQL|SQLFILE runs statements on an SQLite database, which it makes if need be.
func cmdSqlite(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: sqlite FILE SQL")
	}
	text := args[1]
	if strings.HasSuffix(text, ".sql") {
		text = ts.ReadFile(text)
	}
	db, err := sql.Open("sqlite", ts.MkAbs(args[0]))
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(text)
	ts.Check(err)
}

// same NAME PATH... remembers the bytes, modes and names under paths; at the next use
// with this NAME it demands that they have not changed.
func cmdSame(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: [!] same NAME PATH...")
	}
	var now strings.Builder
	for _, p := range args[1:] {
		ts.Check(listTree(ts.MkAbs(p), &now))
	}
	saved := stateOf(ts).saved
	was, seen := saved[args[0]]
	saved[args[0]] = now.String()
	if seen && neg == (was == now.String()) {
		ts.Fatalf("before:\n%s\nafter:\n%s", was, now.String())
	}
}

// listTree writes a line for every file: name, mode, time of change and hash.
func listTree(root string, to *strings.Builder) error {
	return filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		fmt.Fprintf(to, "%s %s %s %x\n", name, info.Mode(), info.ModTime().Format(time.RFC3339Nano), sha256.Sum256(text))
		return nil
	})
}

// parses json|ndjson|csv stdout|stderr demands that the last output is of a format: JSON
// documents carry format_version.
func cmdParses(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: parses FORMAT stdout|stderr")
	}
	if err := parses(args[0], ts.ReadFile(args[1])); err != nil {
		ts.Fatalf("%s is not %s: %v", args[1], args[0], err)
	}
}

func parses(format, text string) error {
	switch format {
	case "csv":
		_, err := csv.NewReader(strings.NewReader(text)).ReadAll()
		return err
	case "ndjson":
		for line := range strings.Lines(text) {
			if err := json.Unmarshal([]byte(line), &map[string]any{}); err != nil {
				return fmt.Errorf("%q: %w", line, err)
			}
		}
		return nil
	}
	d := json.NewDecoder(strings.NewReader(text))
	n := 0
	for ; ; n++ {
		var doc map[string]any
		if err := d.Decode(&doc); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		if _, ok := doc["format_version"]; !ok {
			return fmt.Errorf("document %d has no format_version: %v", n, doc)
		}
	}
	if n == 0 {
		return errors.New("there is no document")
	}
	return nil
}

// field PATH WANT demands a value in the JSON on stdout: field rows.0.n 12.
func cmdField(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] field PATH WANT")
	}
	d := json.NewDecoder(strings.NewReader(ts.ReadFile("stdout")))
	d.UseNumber()
	var at any
	ts.Check(d.Decode(&at))
	for part := range strings.SplitSeq(args[0], ".") {
		switch v := at.(type) {
		case map[string]any:
			at = v[part]
		case []any:
			i, err := strconv.Atoi(part)
			if err != nil || i >= len(v) {
				ts.Fatalf("no element %s of %d", part, len(v))
			}
			at = v[i]
		default:
			ts.Fatalf("nothing at %s", part)
		}
	}
	if got := fmt.Sprint(at); (got == args[1]) == neg {
		ts.Fatalf("%s is %q, want %q", args[0], got, args[1])
	}
}

// background is a command that a script has started and not awaited.
type background struct {
	cmd      *exec.Cmd
	out, err bytes.Buffer
}

// start NAME COMMAND... starts a command and goes on.
func cmdStart(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: start NAME COMMAND...")
	}
	b := &background{cmd: exec.Command(findIn(ts.Getenv("PATH"), args[1]), args[2:]...)}
	b.cmd.Dir, b.cmd.Stdout, b.cmd.Stderr = ts.MkAbs("."), &b.out, &b.err
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "WORK", "NO_COLOR", "TOKEN", "UNSILO_FAILPOINT", "UNSILO_TRUST_FILE", "UNSILO_VAR_url", "UNSILO_VAR_path"} {
		b.cmd.Env = append(b.cmd.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(b.cmd.Start())
	stateOf(ts).started[args[0]] = b
	ts.Defer(func() {
		if b.cmd.ProcessState == nil {
			_ = b.cmd.Process.Kill() // it may have ended
			_ = b.cmd.Wait()
		}
	})
}

// findIn finds a program as the script's PATH has it.
func findIn(path, name string) string {
	for _, dir := range filepath.SplitList(path) {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && !info.IsDir() {
			return filepath.Join(dir, name)
		}
	}
	return name
}

// interrupt NAME sends a started command what Ctrl-C sends.
func cmdInterrupt(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: interrupt NAME")
	}
	ts.Check(stateOf(ts).started[args[0]].cmd.Process.Signal(syscall.SIGINT))
}

// kill9 NAME kills a started command, and it alone, without warning.
func cmdKill9(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: kill9 NAME")
	}
	ts.Check(stateOf(ts).started[args[0]].cmd.Process.Kill())
}

// ends NAME CODE waits for a started command and demands its exit code; what it wrote is
// in NAME.out and NAME.err.
func cmdEnds(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: ends NAME CODE")
	}
	b := stateOf(ts).started[args[0]]
	ended := make(chan error, 1)
	go func() { ended <- b.cmd.Wait() }()
	select {
	case err := <-ended:
		ts.Check(os.WriteFile(ts.MkAbs(args[0]+".out"), b.out.Bytes(), 0o600))
		ts.Check(os.WriteFile(ts.MkAbs(args[0]+".err"), b.err.Bytes(), 0o600))
		if got := fmt.Sprint(codeOf(err)); got != args[1] {
			ts.Fatalf("%s ended with %s, want %s\n%s%s", args[0], got, args[1], b.out.String(), b.err.String())
		}
	case <-time.After(time.Minute):
		ts.Fatalf("%s did not end", args[0])
	}
}

// damage FILE OFFSET flips a byte of a file; a negative offset counts from the end.
func cmdDamage(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: damage FILE OFFSET")
	}
	at, err := strconv.Atoi(args[1])
	ts.Check(err)
	text, err := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(err)
	if at < 0 {
		at += len(text)
	}
	text[at] ^= 0x55
	ts.Check(writeKeepingMode(ts.MkAbs(args[0]), text))
}

// orphans demands that no plugin process of this script is left.
func cmdOrphans(ts *testscript.TestScript, neg bool, args []string) {
	deadline := time.Now().Add(10 * time.Second)
	for {
		left := processesOf(ts.Getenv("PLUGIN_DIR"))
		if (len(left) == 0) != neg {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("processes: %v", left)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// processesOf lists the processes whose program lies in a folder.
func processesOf(dir string) []string {
	var out []string
	links, _ := filepath.Glob("/proc/[0-9]*/exe") // there is no /proc where there is none
	for _, l := range links {
		if to, err := os.Readlink(l); err == nil && strings.HasPrefix(to, dir+string(filepath.Separator)+"unsilo-plugin-") {
			out = append(out, l+" "+to)
		}
	}
	slices.Sort(out)
	return out
}

func writeKeepingMode(name string, text []byte) error {
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	return os.WriteFile(name, text, info.Mode())
}
