package file_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/core"
)

// A logger writes lines into a log that is rotated in all the usual ways, and remembers
// what it wrote.
type logger struct {
	t     *rapid.T
	tb    testing.TB
	dir   string
	lines []string
	half  string // a line without its end yet
	steps int
}

func (l *logger) path(suffix string) string { return filepath.Join(l.dir, "app.log"+suffix) }

// append writes some lines, and perhaps the beginning of one.
func (l *logger) append() {
	var text strings.Builder
	for range rapid.IntRange(1, 40).Draw(l.t, "lines") {
		// Lines are alike on purpose, and banners recur at the start of files.
		line := fmt.Sprintf("event %d", len(l.lines)/2)
		if rapid.IntRange(0, 9).Draw(l.t, "banner") == 0 {
			line = "=== started ==="
		}
		line += strings.Repeat(".", rapid.SampledFrom([]int{0, 0, 7, 700}).Draw(l.t, "length"))
		if l.half != "" {
			line = l.half + line
			text.WriteString(strings.TrimPrefix(line, l.half) + "\n")
			l.half = ""
		} else {
			text.WriteString(line + "\n")
		}
		l.lines = append(l.lines, line)
	}
	if rapid.IntRange(0, 3).Draw(l.t, "half") == 0 {
		l.half = "half "
		text.WriteString(l.half)
	}
	l.write(text.String())
}

func (l *logger) write(text string) {
	f, err := os.OpenFile(l.path(""), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := f.WriteString(text); err != nil {
		l.t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		l.t.Fatal(err)
	}
}

// finishLine ends the half line: a rotation moves whole lines.
func (l *logger) finishLine() {
	if l.half != "" {
		l.lines = append(l.lines, l.half)
		l.half = ""
		l.write("\n")
	}
}

// rotate moves the log out of the way by one of the usual ways.
func (l *logger) rotate() {
	l.finishLine()
	text, err := os.ReadFile(l.path(""))
	if err != nil {
		return
	}
	l.shift()
	switch rapid.SampledFrom([]string{"rename", "copytruncate", "gzip"}).Draw(l.t, "rotation") {
	case "rename":
		l.must(os.Rename(l.path(""), l.path(".1")))
	case "copytruncate":
		l.must(os.WriteFile(l.path(".1"), text, 0o644))
		l.must(os.Truncate(l.path(""), 0))
	case "gzip":
		l.must(os.WriteFile(l.path(".1.gz"), gz(l.tb, string(text)), 0o644))
		l.must(os.Remove(l.path("")))
	}
}

// shift renames .1 to .2 and so on, compressing some.
func (l *logger) shift() {
	for n := 8; n >= 1; n-- {
		for _, ext := range []string{"", ".gz"} {
			from, to := l.path(fmt.Sprintf(".%d%s", n, ext)), l.path(fmt.Sprintf(".%d", n+1))
			text, err := os.ReadFile(from)
			switch {
			case err != nil:
			case ext == "" && rapid.Bool().Draw(l.t, "compress"):
				l.must(os.WriteFile(to+".gz", gz(l.tb, string(text)), 0o644))
				l.must(os.Remove(from))
			default:
				l.must(os.Rename(from, to+ext))
			}
		}
	}
}

func (l *logger) must(err error) {
	if err != nil {
		l.t.Fatal(err)
	}
}

// TestNothingLostNothingDoubled appends and rotates at random between reads, some of which
// are broken off, and compares what landed with what was written.
func TestNothingLostNothingDoubled(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "logs")
		if err != nil {
			rt.Fatal(err)
		}
		log := &logger{t: rt, tb: t, dir: dir}
		log.append()
		src := open(t, map[string]any{"path": filepath.Join(dir, "app.log*"), "format": "lines"})
		l := land(t, src)
		for range rapid.IntRange(3, 15).Draw(rt, "steps") {
			switch rapid.SampledFrom([]string{"append", "append", "rotate", "read", "read", "read a little", "lose state"}).Draw(rt, "step") {
			case "append":
				log.append()
			case "rotate":
				// Two rotations without a read between would be past what a
				// reader can follow only if files were removed; none are.
				log.rotate()
				log.append()
			case "read":
				l.next(t)
			case "read a little":
				if _, err := l.tryNext(t, core.ReadRequest{Limit: 3}); err != nil {
					rt.Fatal(err)
				}
			case "lose state":
				// The last commit did not happen: rows and position are both as before.
				state, rows, order := l.state, cloneRows(l.rows), slices.Clone(l.order)
				l.next(t)
				l.state, l.rows, l.order = state, rows, order
			}
		}
		log.finishLine()
		l.next(t)
		got := l.column("line")
		slices.Sort(got)
		want := slices.Sorted(slices.Values(log.lines))
		if !slices.Equal(got, want) {
			rt.Fatalf("landed %d lines, %d were written\n%s", len(got), len(want), difference(got, want))
		}
		if n := l.next(t); n != 0 {
			rt.Errorf("nothing new: %d rows came", n)
		}
	})
}

func cloneRows(rows map[string]map[string]any) map[string]map[string]any {
	out := make(map[string]map[string]any, len(rows))
	for k, v := range rows {
		out[k] = v
	}
	return out
}

// difference shows the first lines that one of two sorted lists has and the other has not.
func difference(got, want []string) string {
	counts := map[string]int{}
	for _, s := range got {
		counts[s]++
	}
	for _, s := range want {
		counts[s]--
	}
	out := ""
	for s, n := range counts {
		if n != 0 {
			out += fmt.Sprintf("%+d %.60q\n", n, s)
		}
	}
	return out
}
