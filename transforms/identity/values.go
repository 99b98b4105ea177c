package identity

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// A Value is what a record says, as it came: an attribute with all its values.
type Value struct {
	Attribute string `json:"attribute"`
	Text      string `json:"text"`
}

// hiddenText stands for values of attributes that the privacy block hashes.
const hiddenText = "(hidden)"

// Values reads what the records say, by the record's name. Values of masked columns are
// tokens, and those of attributes that the privacy block hashes are not shown. It scans
// the tables of the records.
func (m *Model) Values(ctx context.Context, wh core.Warehouse, records []Record) (map[string][]Value, error) {
	l, err := m.layoutNow(ctx, wh)
	if err != nil {
		return nil, err
	}
	out := map[string][]Value{}
	for i := range l.sources {
		s := &l.sources[i]
		want := map[string]bool{}
		for _, r := range records {
			if r.Source == s.Source.Source && r.Stream == s.Stream {
				want[r.Key] = true
			}
		}
		if len(want) == 0 {
			continue
		}
		if err := m.sourceValues(ctx, wh, l, s, want, out); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (m *Model) sourceValues(ctx context.Context, wh core.Warehouse, l *layout, s *recordSource, want map[string]bool, out map[string][]Value) error {
	columns := slices.Clone(s.key)
	for _, c := range s.columns {
		columns = append(columns, c.column)
	}
	slices.Sort(columns)
	keys := s.keysOf(slices.Sorted(maps.Keys(want)))
	if keys != nil {
		defer keys.Release()
	}
	rows, err := wh.Scan(ctx, core.ScanRequest{Table: s.table, Columns: slices.Compact(columns), Keys: keys})
	if err != nil {
		return fmt.Errorf("scan %s: %w", s.table, err)
	}
	defer rows.Release()
	r := &tableReader{layout: l, source: s}
	for rows.Next() {
		batch := rows.RecordBatch()
		array := func(name string) arrow.Array { return batch.Column(batch.Schema().FieldIndices(name)[0]) }
		var keys, cells []arrow.Array
		for _, k := range s.key {
			keys = append(keys, array(k))
		}
		for _, c := range s.columns {
			cells = append(cells, array(c.column))
		}
		for row := range int(batch.NumRows()) {
			if r.recordKey(keys, cells, row) && want[string(r.key)] {
				name := Record{Source: s.Source.Source, Stream: s.Stream, Key: string(r.key)}.String()
				out[name] = m.rowValues(s, cells, row, out[name])
			}
		}
	}
	return rows.Err()
}

// rowValues adds the values of a row to those of its record.
func (m *Model) rowValues(s *recordSource, cells []arrow.Array, row int, have []Value) []Value {
	p := pipeline{model: m}
	for i, c := range s.columns {
		eachValue(cells[i], row, nil, func(v []byte) {
			text := strings.TrimSpace(string(v))
			if text == "" {
				return
			}
			if p.hashed(c.attribute) {
				text = hiddenText
			}
			at := slices.IndexFunc(have, func(x Value) bool { return x.Attribute == c.attribute })
			switch {
			case at < 0:
				have = append(have, Value{c.attribute, text})
			case !slices.Contains(strings.Split(have[at].Text, ", "), text):
				have[at].Text += ", " + text
			}
		})
	}
	return have
}

// Show adds to an explanation what its records say.
func (m *Model) Show(ctx context.Context, wh core.Warehouse, x *Explanation) error {
	values, err := m.Values(ctx, wh, x.everyRecord())
	x.Values = values
	return err
}

// everyRecord lists the records that the explanation mentions.
func (x Explanation) everyRecord() []Record {
	out := slices.Clone(x.Records)
	for _, steps := range [][]Step{x.Path, x.Refused, x.Weak} {
		for _, s := range steps {
			out = append(out, s.A, s.B)
		}
	}
	return out
}
