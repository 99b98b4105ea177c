package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/vbauerster/mpb/v8"
)

// TestNarrowTables: whatever the width, every column is shown, each part names its rows,
// and no line is longer than the terminal where that can be had.
func TestNarrowTables(t *testing.T) {
	g := grid{columns: []string{"stream", "status", "read", "new", "", "after"}, right: []string{"read", "new"}}
	g.add("crm.contacts", "done", int64(53592), int64(1), "█████", "2026-04-26T18:40:05Z")
	g.add("erp.a", "failed", int64(2), nil, "█", "-")
	for width := range 100 {
		var seen []string
		for _, part := range g.split(width) {
			var out strings.Builder
			a := app{out: &out, err: &out, getenv: func(string) string { return "1" }}
			a.drawTable(part)
			if part.columns[0] != "stream" || len(part.rows) != 2 || fmt.Sprint(part.rows[1][0]) != "erp.a" {
				t.Fatalf("width %d: %+v", width, part)
			}
			seen = append(seen, part.columns[1:]...)
			for line := range strings.Lines(out.String()) {
				line = strings.TrimRight(line, " \n")
				if wide := text.StringWidthWithoutEscSequences(line); width >= 36 && wide > width && !strings.HasPrefix(line, "─") {
					t.Errorf("width %d: %d columns: %q", width, wide, line)
				}
			}
		}
		if !slices.Equal(seen, g.columns[1:]) {
			t.Errorf("width %d: columns %q", width, seen)
		}
	}
	for _, g := range []grid{{}, {columns: []string{"a"}, rows: [][]any{{"long"}}}} {
		if got := g.split(2); len(got) != 1 || len(got[0].columns) != len(g.columns) {
			t.Errorf("%+v becomes %+v", g, got)
		}
	}
}

// TestBarsAtEightyColumns: a long note takes no room from the bar.
func TestBarsAtEightyColumns(t *testing.T) {
	var out strings.Builder
	pr := &progress{p: &project{app: &app{}}, byName: map[string]*streamBar{}}
	pr.bars = mpb.New(mpb.WithOutput(&out), mpb.WithWidth(barSize), mpb.WithAutoRefresh(), mpb.WithRefreshRate(time.Millisecond))
	b := &streamBar{read: 1234567, note: strings.Repeat("new column ", 30)}
	for room := range 120 {
		got := pr.beside(b, room)
		if n := len([]rune(got)); n > max(room-barSize, countWidth+2) || !strings.Contains(got, "1 234 567") {
			t.Errorf("room %d: %q", room, got)
		}
	}
	if got := pr.beside(&streamBar{model: true, note: "done"}, 80); strings.TrimSpace(got) != "done" {
		t.Errorf("a model: %q", got)
	}
	pr.bars.Wait()
}
