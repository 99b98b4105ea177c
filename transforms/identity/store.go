package identity

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

// The tables of an identity, behind its name: person_map, person_edge.
const (
	tableMap      = "map"      // who each record is
	tableRecord   = "record"   // the number of each record in the edge tables
	tableKey      = "key"      // what the next build finds each record by
	tableEdge     = "edge"     // why records belong together
	tableVeto     = "veto"     // edges that a guard refused
	tableID       = "id"       // every id that was ever given
	tableRedirect = "redirect" // former ids and where they lead
	tableEvent    = "event"    // what happened to ids
	tableMetric   = "metric"   // figures of each build
)

// store reads and describes the tables of one identity.
type store struct{ name string }

// tableOf names a table of this identity.
func (m store) tableOf(kind string) core.TableName {
	return core.TableName{Schema: core.SchemaIdentity, Name: m.name + "_" + kind}
}

func (m store) idColumn() string { return m.name + "_id" }

func text(name string) arrow.Field {
	return arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}
}

func integer(name string) arrow.Field {
	return arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Int64, Nullable: true}
}

func integers(name string) arrow.Field {
	return arrow.Field{Name: name, Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true}
}

func moment(name string) arrow.Field {
	return arrow.Field{Name: name, Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true}
}

// outputs describes the tables that Build writes.
func (m store) outputs() []core.Table {
	id := m.idColumn()
	table := func(kind string, key []string, fields ...arrow.Field) core.Table {
		return core.Table{Name: m.tableOf(kind), Key: key, Schema: arrow.NewSchema(fields, nil)}
	}
	return []core.Table{
		table(tableMap, []string{"source", "stream", "record_key"}, text("source"), text("stream"), text("record_key"), text(id)),
		table(tableRecord, []string{"record"}, integer("record"), text("source"), text("stream"), text("record_key"), integer("row_hash"),
			integer("digest"), integer("component")),
		table(tableKey, []string{"record"}, integer("record"), integers("links"), integers("blocks"), integers("terms")),
		table(tableEdge, nil, integer("a"), integer("b"), text("tier"), text("rule"), integer("pattern"), integer("bits"), text("outcome")),
		table(tableVeto, nil, integer("a"), integer("b"), text("rule"), text("reason")),
		table(tableID, []string{id}, text(id), integer("born"), arrow.Field{Name: "active", Type: arrow.FixedWidthTypes.Boolean, Nullable: true}, text("current")),
		table(tableRedirect, []string{"old_id"}, text("old_id"), text("current_id")),
		table(tableEvent, nil, text("run_id"), moment("at"), integer("build"), text("kind"), text(id), text("other_id"), integer("records")),
		table(tableModel, nil, text("run_id"), text("model")),
		table(tableTerm, nil, text("attribute"), integer("value"), integer("holders")),
		table(tableMetric, nil, text("run_id"), moment("at"), integer("build"), text("name"),
			arrow.Field{Name: "value", Type: arrow.PrimitiveTypes.Float64, Nullable: true}),
	}
}

func (m store) output(kind string) core.Table {
	all := m.outputs()
	return all[slices.IndexFunc(all, func(t core.Table) bool { return t.Name == m.tableOf(kind) })]
}

// scanRows calls f with each row of a table, or of some of its columns; a table that does not
// exist has none. Cells come as text or, with number, as integers.
func (m store) scanRows(ctx context.Context, wh core.Warehouse, kind string, f func(row tableRow), columns ...string) error {
	return m.scanSome(ctx, wh, kind, nil, f, columns...)
}

// scanSome is scanRows of the rows that keys name.
func (m store) scanSome(ctx context.Context, wh core.Warehouse, kind string, keys arrow.RecordBatch, f func(row tableRow), columns ...string) error {
	name := m.tableOf(kind)
	if len(columns) == 0 {
		want := m.decisionTable().Schema
		if kind != tableDecision {
			want = m.output(kind).Schema
		}
		for _, field := range want.Fields() {
			columns = append(columns, field.Name)
		}
	}
	rows, err := wh.Scan(ctx, core.ScanRequest{Table: name, Columns: columns, Keys: keys})
	if missing := (*core.NoTableError)(nil); errors.As(err, &missing) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("scan %s: %w", name, err)
	}
	defer rows.Release()
	for rows.Next() {
		batch := rows.RecordBatch()
		cells := make([]arrow.Array, len(columns))
		for i, c := range columns {
			if at := batch.Schema().FieldIndices(c); len(at) > 0 {
				cells[i] = batch.Column(at[0])
			}
		}
		for i := range int(batch.NumRows()) {
			f(tableRow{cells, i})
		}
	}
	return rows.Err()
}

// hasTable asks the catalogue.
func hasTable(ctx context.Context, wh core.Warehouse, name core.TableName) (bool, error) {
	tables, err := wh.Tables(ctx, name.Schema)
	if err != nil {
		return false, fmt.Errorf("list tables of %s: %w", name.Schema, err)
	}
	return slices.ContainsFunc(tables, func(t core.Table) bool { return t.Name == name }), nil
}

// tableRow is one row of an own table, read by column number.
type tableRow struct {
	cells []arrow.Array
	row   int
}

func (r tableRow) text(i int) string {
	if r.cells[i] == nil {
		return ""
	}
	out, _ := appendText(nil, r.cells[i], r.row)
	return string(out)
}

// view is text that is good until the next row.
func (r tableRow) view(i int) string {
	if c, ok := r.cells[i].(*array.String); ok && c.IsValid(r.row) {
		return c.Value(r.row)
	}
	return r.text(i)
}

// is reports whether a cell holds this text.
func (r tableRow) is(i int, want string) bool {
	if c, ok := r.cells[i].(*array.String); ok {
		return c.IsValid(r.row) && c.Value(r.row) == want
	}
	return r.text(i) == want
}

func (r tableRow) number(i int) int64 {
	switch c := r.cells[i].(type) {
	case *array.Int64:
		if c.IsValid(r.row) {
			return c.Value(r.row)
		}
	case *array.Timestamp:
		return timestampMicros(c, r.row)
	}
	return 0
}

// numbers is a list of integers, good until the next row.
func (r tableRow) numbers(i int) []int64 {
	list, ok := r.cells[i].(*array.List)
	if !ok || !list.IsValid(r.row) {
		return nil
	}
	values, ok := list.ListValues().(*array.Int64)
	if !ok {
		return nil
	}
	from, to := list.ValueOffsets(r.row)
	return values.Int64Values()[from:to]
}

func (r tableRow) real(i int) float64 {
	c, ok := r.cells[i].(*array.Float64)
	if !ok || !c.IsValid(r.row) {
		return 0
	}
	return c.Value(r.row)
}

func (r tableRow) flag(i int) bool {
	c, ok := r.cells[i].(*array.Boolean)
	return ok && c.IsValid(r.row) && c.Value(r.row)
}
