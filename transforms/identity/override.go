package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/zeebo/xxh3"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// Verdict says what a person decided about two records.
type Verdict string

// The verdicts.
const (
	MustLink   Verdict = "must_link"
	CannotLink Verdict = "cannot_link"
)

// A Decision is a person's word about two records. It outlives rebuilds until it expires.
type Decision struct {
	A       Record    `json:"a"`
	B       Record    `json:"b"`
	Verdict Verdict   `json:"verdict"`
	Author  string    `json:"author"`
	Reason  string    `json:"reason,omitempty"`
	At      time.Time `json:"at"`
	// Expires is zero for a decision that holds for ever.
	Expires time.Time `json:"expires,omitzero"`
}

const tableDecision = "decision"

func (m store) decisionTable() core.Table {
	fields := []arrow.Field{text("a_source"), text("a_stream"), text("a_key"), text("b_source"), text("b_stream"), text("b_key"),
		text("verdict"), text("author"), text("reason"), moment("at"), moment("expires")}
	return core.Table{Name: m.tableOf(tableDecision), Schema: arrow.NewSchema(fields, nil),
		Key: []string{"a_source", "a_stream", "a_key", "b_source", "b_stream", "b_key"}}
}

// Decisions lists the stored decisions, oldest first.
func Decisions(ctx context.Context, wh core.Warehouse, name string) ([]Decision, error) {
	s := store{name}
	var out []Decision
	err := s.scanRows(ctx, wh, tableDecision, func(r tableRow) {
		d := Decision{A: Record{Source: r.text(0), Stream: r.text(1), Key: r.text(2)}, B: Record{Source: r.text(3), Stream: r.text(4), Key: r.text(5)},
			Verdict: Verdict(r.text(6)), Author: r.text(7), Reason: r.text(8), At: time.UnixMicro(r.number(9)).UTC()}
		if at := r.number(10); at != 0 {
			d.Expires = time.UnixMicro(at).UTC()
		}
		out = append(out, d)
	})
	slices.SortStableFunc(out, func(a, b Decision) int { return a.At.Compare(b.At) })
	return out, err
}

// Decide stores decisions; a later one about the same records replaces an earlier one. The
// next build obeys them.
func Decide(ctx context.Context, wh core.Warehouse, name string, decisions ...Decision) error {
	s := store{name}
	for _, d := range decisions {
		if d.Verdict != MustLink && d.Verdict != CannotLink || d.Author == "" || d.A == (Record{}) || d.B == (Record{}) {
			return &core.Error{Kind: core.KindConfig, Op: "decide", Err: fmt.Errorf("a decision needs two records, must_link or cannot_link, and an author")}
		}
	}
	tx, err := wh.Begin(ctx)
	if err != nil {
		return fmt.Errorf("store decisions: %w", err)
	}
	defer func() { _ = tx.End(ctx, false) }() // does nothing after a commit
	if err := tx.Define(ctx, s.decisionTable()); err != nil {
		return fmt.Errorf("store decisions: %w", err)
	}
	err = storeRows(ctx, tx, s.decisionTable(), core.WriteMerge, len(decisions), func(i int, w *rowWriter) {
		d := decisions[i]
		a, b := d.A, d.B
		if a.String() > b.String() {
			a, b = b, a
		}
		var expires any
		if !d.Expires.IsZero() {
			expires = d.Expires.UnixMicro()
		}
		w.add(a.Source, a.Stream, a.Key, b.Source, b.Stream, b.Key, string(d.Verdict), d.Author, d.Reason, d.At.UnixMicro(), expires)
	})
	if err != nil {
		return err
	}
	return tx.End(ctx, true)
}

// readDecisions reads the stored decisions and the tables of the override block, as far as
// they are in force.
func (p *pipeline) readDecisions(ctx context.Context) error {
	decisions, err := Decisions(ctx, p.req.Warehouse, p.model.name)
	if err != nil {
		return err
	}
	for _, side := range []struct {
		verdict Verdict
		tables  []core.TableName
	}{{MustLink, p.model.tables.must}, {CannotLink, p.model.tables.cannot}} {
		for _, t := range side.tables {
			more, err := readPairs(ctx, p.req.Warehouse, t, side.verdict)
			if err != nil {
				return err
			}
			decisions = append(decisions, more...)
		}
	}
	p.measure("overrides", float64(len(decisions)))
	p.decisions = slices.DeleteFunc(decisions, func(d Decision) bool { return !d.Expires.IsZero() && !d.Expires.After(p.req.At) })
	h := xxh3.New()
	for _, d := range p.decisions {
		_, _ = fmt.Fprintln(h, d.A, d.B, d.Verdict) // never fails
	}
	p.decided = fmt.Sprintf("%016x", h.Sum64())
	return nil
}

// overrides turns decisions into edges that come first and pairs that must stay apart. It
// gives the number of those that name a record which is not there.
func (p *pipeline) overrides() (unknown int) {
	p.cannot = map[pair]string{}
	for _, d := range p.decisions {
		a, b := p.find(d.A), p.find(d.B)
		switch {
		case (a < 0 || b < 0) && p.left(d):
			p.orphans = append(p.orphans, d)
		case a < 0 || b < 0:
			unknown++
		case a == b:
		case d.Verdict == MustLink:
			p.edges = append(p.edges, cluster.Edge{A: min(a, b), B: max(a, b), Bits: exactBits, Tier: cluster.Must})
		default:
			p.cannot[ordered(a, b)] = "cannot_link: " + strings.TrimSpace(d.Author+" "+d.Reason)
		}
	}
	p.contradictions()
	return unknown
}

// left reports whether a record of a decision was there in the last build and is no more.
func (p *pipeline) left(d Decision) bool {
	for _, r := range []Record{d.A, d.B} {
		if p.find(r) < 0 && p.former.find(frame.UID(r.Source, r.Stream, r.Key)) >= 0 {
			return true
		}
	}
	return false
}

// dropOrphans deletes the decisions about records that left: of an erased record nothing
// stays but its id.
func (p *pipeline) dropOrphans(ctx context.Context, tx core.Tx) error {
	if len(p.orphans) == 0 {
		return nil
	}
	p.note("%d decisions about records that are gone are gone too", len(p.orphans))
	return storeRows(ctx, tx, p.model.decisionTable(), core.WriteDelete, len(p.orphans), func(i int, w *rowWriter) {
		a, b := p.orphans[i].A, p.orphans[i].B
		if a.String() > b.String() {
			a, b = b, a
		}
		w.add(a.Source, a.Stream, a.Key, b.Source, b.Stream, b.Key, nil, nil, nil, nil, nil)
	})
}

// contradictions notes records that must-links join and a cannot-link separates.
func (p *pipeline) contradictions() {
	if len(p.cannot) == 0 {
		return
	}
	var must []cluster.Edge
	for _, e := range p.edges {
		if e.Tier == cluster.Must {
			must = append(must, e)
		}
	}
	joined := cluster.Components(p.frame.Len(), must)
	n := 0
	var first pair
	for k := range p.cannot {
		if joined[k.a] != joined[k.b] {
			continue
		}
		if n++; n == 1 || k.a < first.a || k.a == first.a && k.b < first.b {
			first = k
		}
	}
	if n > 0 {
		one, two := p.recordOf(first.a).String(), p.recordOf(first.b).String()
		p.note("%d cannot-links contradict must-links, such as %s and %s; the records stay apart: withdraw one of the decisions", n, min(one, two), max(one, two))
	}
}

// find gives the number of a record, or -1.
func (p *pipeline) find(r Record) int32 {
	at, ok := slices.BinarySearch(p.frame.UID, frame.UID(r.Source, r.Stream, r.Key))
	if !ok {
		return -1
	}
	return int32(at)
}

// readPairs reads pairs of records from a table with columns a and b (as
// source.stream:key), or a_source, a_stream, a_key and the same with b; author, reason
// and expires may be there.
func readPairs(ctx context.Context, wh core.Warehouse, table core.TableName, verdict Verdict) ([]Decision, error) {
	rows, err := wh.Scan(ctx, core.ScanRequest{Table: table})
	if err != nil {
		return nil, fmt.Errorf("scan %s: %w", table, err)
	}
	defer rows.Release()
	var out []Decision
	for rows.Next() {
		batch := rows.RecordBatch()
		cell := func(name string, i int) string {
			at := batch.Schema().FieldIndices(name)
			if len(at) == 0 {
				return ""
			}
			v, _ := appendText(nil, batch.Column(at[0]), i)
			return string(v)
		}
		for i := range int(batch.NumRows()) {
			d := Decision{Verdict: verdict, Author: orText(cell("author", i), table.String()), Reason: cell("reason", i)}
			if at := batch.Schema().FieldIndices("expires"); len(at) > 0 {
				if m := micros(batch.Column(at[0]), i); m != 0 {
					d.Expires = time.UnixMicro(m)
				}
			}
			d.A, d.B = sideOf(cell, "a", i), sideOf(cell, "b", i)
			out = append(out, d)
		}
	}
	return out, rows.Err()
}

func sideOf(cell func(string, int) string, side string, i int) Record {
	if whole := cell(side, i); whole != "" {
		r, _ := ParseRecord(whole)
		return r
	}
	return Record{Source: cell(side+"_source", i), Stream: cell(side+"_stream", i), Key: cell(side+"_key", i)}
}

// ParseRecord reads source.stream:key.
func ParseRecord(s string) (Record, bool) {
	table, key, ok := strings.Cut(s, ":")
	source, stream, dot := strings.Cut(table, ".")
	return Record{Source: source, Stream: stream, Key: key}, ok && dot && source != "" && stream != "" && key != ""
}
