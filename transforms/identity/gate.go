package identity

import (
	"context"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/eval"
	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// evaluated reports whether the block measures every build.
func (m *Model) evaluated() bool { return m.def.Evaluate != nil }

// Labels reads what the evaluate block says is true: its table of labels, or the column
// truth of the records themselves.
func (m *Model) Labels(ctx context.Context, wh core.Warehouse) (Labels, error) {
	e := m.def.Evaluate
	if e == nil {
		return Labels{}, &core.Error{Kind: core.KindConfig, Op: "evaluate identity." + m.name, Err: fmt.Errorf("the block has no labels"),
			Try: "name a file of labels, or write evaluate { labels = source.x.y }"}
	}
	if len(m.tables.labels) == 1 {
		rows, err := tableRows(ctx, wh, m.tables.labels[0])
		if err != nil {
			return Labels{}, err
		}
		return labelsOf(rows, e.Truth)
	}
	l, err := m.layoutNow(ctx, wh)
	if err != nil {
		return Labels{}, err
	}
	return m.truths(ctx, wh, l)
}

// truths reads the truth column of every record table that has one.
func (m *Model) truths(ctx context.Context, wh core.Warehouse, l *layout) (Labels, error) {
	out := Labels{Entity: map[string]string{}}
	truth := m.def.Evaluate.Truth
	for i := range l.sources {
		s := &l.sources[i]
		if len(s.key) == 0 {
			continue
		}
		rows, err := wh.Scan(ctx, core.ScanRequest{Table: s.table})
		if err != nil {
			return Labels{}, fmt.Errorf("scan %s: %w", s.table, err)
		}
		r := &tableReader{layout: l, source: s}
		for rows.Next() {
			batch := rows.RecordBatch()
			if len(batch.Schema().FieldIndices(truth)) == 0 {
				break
			}
			keys := make([]arrow.Array, len(s.key))
			for k, name := range s.key {
				keys[k] = batch.Column(batch.Schema().FieldIndices(name)[0])
			}
			for row := range int(batch.NumRows()) {
				if v := cellText(batch, truth, row); v != "" && r.recordKey(keys, nil, row) {
					out.Entity[Record{Source: s.Source.Source, Stream: s.Stream, Key: string(r.key)}.String()] = v
				}
			}
		}
		rows.Release()
		if err := rows.Err(); err != nil {
			return Labels{}, fmt.Errorf("scan %s: %w", s.table, err)
		}
	}
	return labelled(out)
}

// tableRows reads a table as text, its columns' names first.
func tableRows(ctx context.Context, wh core.Warehouse, table core.TableName) ([][]string, error) {
	in, err := wh.Scan(ctx, core.ScanRequest{Table: table})
	if err != nil {
		return nil, fmt.Errorf("scan %s: %w", table, err)
	}
	defer in.Release()
	var out [][]string
	var head []string
	for in.Next() {
		batch := in.RecordBatch()
		if head == nil {
			for _, f := range batch.Schema().Fields() {
				if !strings.HasPrefix(f.Name, "_") {
					head = append(head, f.Name)
				}
			}
			out = append(out, append([]string{}, head...))
		}
		for i := range int(batch.NumRows()) {
			row := make([]string, len(head))
			for k, name := range head {
				row[k] = cellText(batch, name, i)
			}
			out = append(out, row)
		}
	}
	return out, in.Err()
}

// evaluate measures the build before it is published. Its tests fail the build when the
// figures are below those of the fail_if block; what was published before stays.
func (p *pipeline) evaluate(ctx context.Context) ([]core.TestResult, error) {
	if !p.model.evaluated() || p.unchanged {
		return nil, nil
	}
	labels, err := p.model.Labels(ctx, p.req.Warehouse)
	if err != nil {
		return nil, err
	}
	g := &graph{store: p.model.store, records: map[uint64]Record{}}
	for c, records := range p.clusters {
		for _, r := range records {
			rec := p.recordOf(r)
			rec.ID = p.ids.IDs[c]
			g.records[frame.UID(rec.Source, rec.Stream, rec.Key)] = rec
		}
	}
	x, err := evaluateGraph(g, labels)
	if err != nil {
		return nil, err
	}
	s := x.Scores
	p.measure("eval.precision", s.Precision)
	p.measure("eval.recall", s.Recall)
	p.measure("eval.f1", s.F1)
	p.note("against the labels: precision %.4f, recall %.4f, F1 %.4f", s.Precision, s.Recall, s.F1)
	p.notes = append(p.notes, x.Notes...)
	return p.model.verdict(s)
}

// verdict tests the scores against the fail_if block.
func (m *Model) verdict(s eval.Scores) ([]core.TestResult, error) {
	f := m.def.Evaluate.FailIf
	if f == nil {
		return nil, nil
	}
	var passed []core.TestResult
	var bad []string
	for _, t := range []struct {
		name  string
		least *float64
		got   float64
	}{{"precision", f.PrecisionBelow, s.Precision}, {"recall", f.RecallBelow, s.Recall}, {"F1", f.F1Below, s.F1}} {
		switch {
		case t.least == nil:
		case t.got < *t.least:
			bad = append(bad, fmt.Sprintf("%s is %.4f, below %v", t.name, t.got, *t.least))
		default:
			passed = append(passed, core.TestResult{Name: fmt.Sprintf("%s is at least %v", t.name, *t.least), Severity: core.TestError})
		}
	}
	if len(bad) == 0 {
		return passed, nil
	}
	return nil, &core.Error{Kind: core.KindData, Op: "evaluate identity." + m.name, Path: "evaluate.fail_if",
		Err: fmt.Errorf("%s; the build is not published", strings.Join(bad, ", ")), Try: "unsilo identity eval --sweep, then explain and why-not of a few mistakes"}
}
