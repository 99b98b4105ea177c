package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/unsilo/unsilo/core"
)

// progress shows events on stderr: bars on a terminal, else a line per stream and a sign
// of life every half minute.
type progress struct {
	p      *project
	bars   *mpb.Progress
	mu     sync.Mutex
	byName map[string]*streamBar
	closed bool
}

type streamBar struct {
	bar  *mpb.Bar
	note string
	last time.Time
	read int64
	// model tells a model from a stream; a model reads no rows one by one.
	model bool
}

const (
	signOfLife = 30 * time.Second
	// barSize and countWidth are columns of the terminal.
	barSize    = 28
	countWidth = 11
)

func (p *project) progress() *progress {
	pr := &progress{p: p, byName: map[string]*streamBar{}}
	if p.colour(p.err) && p.output == "table" {
		pr.bars = mpb.New(mpb.WithOutput(p.err), mpb.WithWidth(barSize), mpb.WithRefreshRate(80*time.Millisecond))
	}
	return pr
}

func (pr *progress) close() {
	pr.mu.Lock()
	done := pr.closed
	pr.closed = true
	pr.mu.Unlock()
	if done || pr.bars == nil {
		return
	}
	for _, b := range pr.byName {
		b.bar.Abort(false)
	}
	pr.bars.Wait()
}

func (pr *progress) event(e core.Event) {
	name := e.Source + "." + e.Stream
	if e.Model != "" {
		name = e.Model
	}
	pr.mu.Lock()
	defer pr.mu.Unlock()
	if pr.closed {
		return
	}
	b := pr.stream(name, e)
	if b == nil {
		return
	}
	if e.Read > b.read {
		b.read = e.Read
	}
	b.note = noteFor(b.note, e)
	if pr.bars == nil {
		pr.line(name, b, e)
		return
	}
	b.bar.SetCurrent(b.read)
	if e.Kind == core.EventStreamEnded || e.Kind == core.EventModelEnded {
		b.bar.SetTotal(max(b.read, 1), true)
	}
}

func (pr *progress) stream(name string, e core.Event) *streamBar {
	if b, ok := pr.byName[name]; ok {
		return b
	}
	if e.Kind != core.EventStreamStarted && e.Kind != core.EventModelStarted {
		return nil
	}
	b := &streamBar{last: time.Now(), model: e.Kind == core.EventModelStarted}
	if pr.bars != nil {
		b.bar = pr.bars.New(e.Estimated, mpb.BarStyle().Lbound("").Filler("█").Tip("█").Padding("░").Rbound(""),
			mpb.PrependDecorators(decor.Name(name, decor.WCSyncSpaceR)),
			mpb.AppendDecorators(decor.Any(func(s decor.Statistics) string { return pr.beside(b, s.AvailableWidth) })))
	}
	pr.byName[name] = b
	return b
}

// beside is what stands behind a bar: how many rows, and a note as long as the terminal
// has room for.
func (pr *progress) beside(b *streamBar, room int) string {
	rows := strings.Repeat(" ", countWidth)
	if !b.model {
		rows = fmt.Sprintf("%*s", countWidth, thousands(b.read))
	}
	note := []rune(" " + plain(pr.p.redact(b.note)))
	if most := max(room-countWidth-barSize-1, 0); len(note) > most {
		note = append(note[:max(most-1, 0)], '…')
	}
	return rows + string(note)
}

func noteFor(was string, e core.Event) string {
	switch e.Kind {
	case core.EventRetry:
		return fmt.Sprintf("attempt %d failed, again in %s: %s", e.Attempt, e.Wait.Round(time.Second), e.Message)
	case core.EventWaiting:
		return fmt.Sprintf("the silo asks to wait %s", e.Wait.Round(time.Second))
	case core.EventSchemaChanged:
		return e.Message
	case core.EventCommitted:
		return fmt.Sprintf("+%d ~%d -%d", e.Counts.New, e.Counts.Changed, e.Counts.Deleted)
	case core.EventStreamEnded, core.EventModelEnded:
		return e.Message
	case core.EventModelStarted:
		return "building"
	}
	return was
}

// line writes what matters to a log: ends, failures, waits, and a sign of life.
func (pr *progress) line(name string, b *streamBar, e core.Event) {
	switch e.Kind {
	case core.EventRetry, core.EventSchemaChanged:
	case core.EventStreamEnded, core.EventModelEnded:
		if e.Err == nil && e.Kind == core.EventModelEnded {
			return
		}
	case core.EventWaiting:
		if e.Wait < 5*time.Second {
			return
		}
	default:
		if time.Since(b.last) < signOfLife {
			return
		}
	}
	b.last = time.Now()
	if pr.p.jsonDiagnostics() {
		pr.p.writeEvent(e)
		return
	}
	fmt.Fprintf(pr.p.err, "%s %s: %d rows read, %s\n", time.Now().Format(time.TimeOnly), name, b.read, plain(pr.p.redact(b.note)))
}

// writeEvent writes an event as a line of JSON, among JSON diagnostics.
func (a *app) writeEvent(e core.Event) {
	doc := struct {
		FormatVersion string `json:"format_version"`
		core.Event
	}{formatVersion, e}
	doc.Message = a.redact(e.Message)
	// Nothing can be told where nothing can be written.
	_ = json.NewEncoder(a.err).Encode(doc)
}
