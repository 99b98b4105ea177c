package coretest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// TestWarehouse holds a warehouse to the contract of core.Warehouse and core.Tx. open
// gives an empty one and closes it when the test ends. reopen closes a warehouse and
// opens what it had stored; it is nil for one that stores nothing.
func TestWarehouse(t *testing.T, open func(*testing.T) core.Warehouse, reopen func(*testing.T, core.Warehouse) core.Warehouse) {
	for _, group := range [][]warehouseRule{
		defineRules(), typeRules(), nameRules(), writeRules(), mergeRules(), removeRules(), historyRules(),
		scanRules(), transactionRules(), oracleRules(),
	} {
		for _, rule := range group {
			t.Run(rule.name, func(t *testing.T) {
				if rule.reopens && reopen == nil {
					t.Skip("this warehouse stores nothing")
				}
				s := &warehouseSuite{T: t, w: open(t), reopen: reopen, mem: memory.NewCheckedAllocator(memory.NewGoAllocator())}
				t.Cleanup(func() {
					if t.Failed() {
						t.Logf("the rule: %s", rule.why)
					}
				})
				rule.run(s)
				s.mem.AssertSize(t, 0)
			})
		}
	}
}

// A warehouseRule is one sentence of the contract and its test.
type warehouseRule struct {
	name, why string
	reopens   bool
	run       func(*warehouseSuite)
}

// A warehouseSuite is one warehouse under test. Arrow memory comes from mem, so that
// rows which the warehouse forgets to release are found.
type warehouseSuite struct {
	*testing.T
	w      core.Warehouse
	reopen func(*testing.T, core.Warehouse) core.Warehouse
	mem    *memory.CheckedAllocator
}

// people is the table most rules work on.
func people() core.TableName { return core.TableName{Schema: "raw_crm", Name: "people"} }

func field(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

func schemaOf(fields ...arrow.Field) *arrow.Schema { return arrow.NewSchema(fields, nil) }

// peopleSchema has the key id, a text and a number.
func peopleSchema() *arrow.Schema {
	return schemaOf(field("id", arrow.PrimitiveTypes.Int64), field("name", arrow.BinaryTypes.String),
		field("score", arrow.PrimitiveTypes.Float64))
}

// day is midnight of a day in March 2026.
func day(n int) time.Time { return time.Date(2026, time.March, n, 0, 0, 0, 0, time.UTC) }

// within runs f in a transaction and ends it.
func (s *warehouseSuite) within(commit bool, f func(core.Tx)) {
	s.Helper()
	tx, err := s.w.Begin(s.Context())
	if err != nil {
		s.Fatalf("Begin: %v", err)
	}
	defer func() {
		if err := tx.End(context.WithoutCancel(s.Context()), commit); err != nil {
			s.Errorf("End(%v): %v", commit, err)
		}
	}()
	f(tx)
}

// define creates or changes a table in a transaction of its own.
func (s *warehouseSuite) define(name core.TableName, schema *arrow.Schema, key ...string) {
	s.Helper()
	s.within(true, func(tx core.Tx) {
		if err := tx.Define(s.Context(), core.Table{Name: name, Schema: schema, Key: key}); err != nil {
			s.Fatalf("Define %s: %v", name, err)
		}
	})
}

// write runs one request in a transaction of its own.
func (s *warehouseSuite) write(req core.WriteRequest) core.Counts {
	s.Helper()
	var counts core.Counts
	s.within(true, func(tx core.Tx) { counts = s.writeIn(tx, req) })
	return counts
}

func (s *warehouseSuite) writeIn(tx core.Tx, req core.WriteRequest) core.Counts {
	s.Helper()
	defer req.Rows.Release()
	counts, err := tx.Write(s.Context(), req)
	if err != nil {
		s.Fatalf("Write %s into %s: %v", req.Mode, req.Table, err)
	}
	return counts
}

// put writes JSON lines into people by mode.
func (s *warehouseSuite) put(mode core.WriteMode, lines ...string) core.Counts {
	s.Helper()
	return s.write(core.WriteRequest{Table: people(), Mode: mode, Key: []string{"id"}, Rows: s.rows(peopleSchema(), lines...)})
}

// rows reads JSON objects, one a row; every line becomes a batch of its own, as batches
// of any size must do.
func (s *warehouseSuite) rows(schema *arrow.Schema, lines ...string) array.RecordReader {
	s.Helper()
	var batches []arrow.RecordBatch
	for _, line := range lines {
		batch, _, err := array.RecordFromJSON(s.mem, schema, strings.NewReader("["+line+"]"))
		if err != nil {
			s.Fatalf("read test row %s: %v", line, err)
		}
		defer batch.Release()
		batches = append(batches, batch)
	}
	return s.batches(schema, batches...)
}

func (s *warehouseSuite) batches(schema *arrow.Schema, batches ...arrow.RecordBatch) array.RecordReader {
	s.Helper()
	r, err := array.NewRecordReader(schema, batches)
	if err != nil {
		s.Fatalf("read test rows: %v", err)
	}
	return r
}

// scan gives a table's rows as text, sorted; columns are joined by " | ".
func (s *warehouseSuite) scan(name core.TableName, columns ...string) []string {
	s.Helper()
	r, err := s.w.Scan(s.Context(), core.ScanRequest{Table: name, Columns: columns})
	if err != nil {
		s.Fatalf("Scan %s: %v", name, err)
	}
	defer r.Release()
	return s.texts(r)
}

func (s *warehouseSuite) texts(r array.RecordReader) []string {
	s.Helper()
	out := []string{}
	for r.Next() {
		batch := r.RecordBatch()
		for i := range int(batch.NumRows()) {
			cells := make([]string, batch.NumCols())
			for c, col := range batch.Columns() {
				cells[c] = "null"
				if col.IsValid(i) {
					cells[c] = strings.Clone(col.ValueStr(i)) // the batch is lent
				}
			}
			out = append(out, strings.Join(cells, " | "))
		}
	}
	if r.Err() != nil {
		s.Fatalf("read rows: %v", r.Err())
	}
	slices.Sort(out)
	return out
}

// expect compares the rows of a table.
func (s *warehouseSuite) expect(name core.TableName, want ...string) {
	s.Helper()
	s.same("rows of "+name.String(), s.scan(name), append([]string{}, want...))
}

func (s *warehouseSuite) same(what string, got, want any) {
	s.Helper()
	if g, w := fmt.Sprintf("%v", got), fmt.Sprintf("%v", want); g != w {
		s.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

// table describes one table, or fails.
func (s *warehouseSuite) table(name core.TableName) core.Table {
	s.Helper()
	tables, err := s.w.Tables(s.Context(), name.Schema)
	if err != nil {
		s.Fatalf("Tables: %v", err)
	}
	i := slices.IndexFunc(tables, func(t core.Table) bool { return t.Name == name })
	if i < 0 {
		s.Fatalf("Tables lacks %s; it has %v", name, tableNames(tables))
	}
	return tables[i]
}

func tableNames(tables []core.Table) []core.TableName {
	names := []core.TableName{}
	for _, t := range tables {
		names = append(names, t.Name)
	}
	return names
}

// refused fails unless err is about the data.
func (s *warehouseSuite) refused(what string, err error) {
	s.Helper()
	var e *core.Error
	if !errors.As(err, &e) || e.Kind != core.KindData {
		s.Errorf("%s: got error %v, want one of kind %s", what, err, core.KindData)
	}
}
