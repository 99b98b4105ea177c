package plan

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// The kinds of ColumnChange.
const (
	ChangeAdd     = "add"
	ChangeWiden   = "widen"
	ChangeReplace = "replace"
	ChangeRetire  = "retire"
)

// Merge gives the columns a table will have once rows of schema next land in a table of
// schema now, and the differences. Both are brought to canonical types.
func Merge(now, next *arrow.Schema) (*arrow.Schema, []ColumnChange) {
	var fields []arrow.Field
	var changes []ColumnChange
	for _, f := range now.Fields() {
		i := next.FieldIndices(f.Name)
		if len(i) == 0 {
			if f.Name != core.HistoryFrom && f.Name != core.HistoryTo {
				changes = append(changes, ColumnChange{Column: f.Name, Kind: ChangeRetire, From: f.Type.String()})
			}
			fields = append(fields, f)
			continue
		}
		n := next.Field(i[0])
		kind, to := Widen(core.Canonical(f.Type), core.Canonical(n.Type))
		if kind != "" {
			changes = append(changes, ColumnChange{Column: f.Name, Kind: kind, From: f.Type.String(), To: to.String()})
		}
		f.Type, f.Metadata = to, n.Metadata
		fields = append(fields, f)
	}
	for _, n := range canonicalFields(next) {
		if len(now.FieldIndices(n.Name)) == 0 {
			changes = append(changes, ColumnChange{Column: n.Name, Kind: ChangeAdd, To: n.Type.String()})
			n.Nullable = true
			fields = append(fields, n)
		}
	}
	return arrow.NewSchema(fields, nil), changes
}

// Widen says how a column of type now takes values of type next: kind "" when it can as
// it is, ChangeWiden when the warehouse can widen it in place, ChangeReplace when the
// table must be written anew; with the type the column will have.
func Widen(now, next arrow.DataType) (kind string, to arrow.DataType) {
	text := arrow.BinaryTypes.String
	switch {
	case core.Holds(now, next), arrow.TypeEqual(now, text), now.ID() == arrow.FLOAT64 && plainNumber(next):
		return "", now
	case core.Holds(next, now):
		return ChangeWiden, next
	case plainNumber(now) && plainNumber(next):
		// Not in place: integers beyond 2^53 do not fit, and writing anew checks each one.
		return ChangeReplace, arrow.PrimitiveTypes.Float64
	}
	return ChangeReplace, text
}

// plainNumber is an integer or a float; decimals keep their digits.
func plainNumber(t arrow.DataType) bool { return core.Numeric(t) && t.ID() != arrow.DECIMAL128 }

func canonicalFields(s *arrow.Schema) []arrow.Field {
	fields := s.Fields()
	for i := range fields {
		fields[i].Type = core.Canonical(fields[i].Type)
	}
	return fields
}
