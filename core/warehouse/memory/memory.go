// Package memory is a warehouse that keeps its tables in Go maps. It honours the whole
// contract of core.Warehouse and passes the same suite as every other warehouse, and is
// what tests of other packages use.
//
// It has no SQL and no file: what it holds is gone with the process. One transaction is
// open at a time; others wait for their turn. Rows are Go values, so it is slow and big
// next to a real warehouse.
package memory

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

var _ core.Warehouse = (*Warehouse)(nil)

var errClosed = errors.New("the warehouse is closed")

// A Warehouse holds tables in memory.
type Warehouse struct {
	turn chan struct{} // held by the open transaction

	mu     sync.RWMutex
	data   snapshot
	open   *tx
	closed bool
}

// A snapshot is a committed state. It is never changed, only replaced.
type snapshot struct {
	tables map[core.TableName]*table // by folded name
	states map[[2]string]core.StateRow
}

// A table is never changed once it is in a snapshot; a transaction works on copies.
type table struct {
	name   core.TableName
	schema *arrow.Schema
	key    []string
	rows   [][]any
}

// New returns an empty warehouse.
func New() *Warehouse {
	return &Warehouse{
		turn: make(chan struct{}, 1),
		data: snapshot{tables: map[core.TableName]*table{}, states: map[[2]string]core.StateRow{}},
	}
}

// Info tells what it is.
func (w *Warehouse) Info() core.WarehouseInfo {
	return core.WarehouseInfo{Kind: "memory", Location: "memory"}
}

// view gives the committed state.
func (w *Warehouse) view(ctx context.Context) (snapshot, error) {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return snapshot{}, errClosed
	}
	return w.data, ctx.Err()
}

// Tables describes the tables of one schema, or of all, sorted by name.
func (w *Warehouse) Tables(ctx context.Context, schema string) ([]core.Table, error) {
	data, err := w.view(ctx)
	if err != nil {
		return nil, err
	}
	var out []core.Table
	for _, t := range data.tables {
		if schema == "" || fold(schema) == fold(t.name.Schema) {
			out = append(out, core.Table{Name: t.name, Schema: t.schema, Key: slices.Clone(t.key), Rows: int64(len(t.rows))})
		}
	}
	slices.SortFunc(out, func(a, b core.Table) int {
		return cmp.Or(cmp.Compare(a.Name.Schema, b.Name.Schema), cmp.Compare(a.Name.Name, b.Name.Name))
	})
	return out, nil
}

// States lists the positions of all streams, sorted by source and stream.
func (w *Warehouse) States(ctx context.Context) ([]core.StateRow, error) {
	data, err := w.view(ctx)
	if err != nil {
		return nil, err
	}
	var out []core.StateRow
	for _, s := range data.states {
		s.State = slices.Clone(s.State)
		out = append(out, s)
	}
	slices.SortFunc(out, func(a, b core.StateRow) int {
		return cmp.Or(cmp.Compare(a.Source, b.Source), cmp.Compare(a.Stream, b.Stream))
	})
	return out, nil
}

// Close forgets everything. An open transaction is rolled back.
func (w *Warehouse) Close() error {
	w.mu.Lock()
	open := w.open
	w.closed = true
	w.data = snapshot{}
	w.mu.Unlock()
	if open != nil {
		return open.End(context.Background(), false)
	}
	return nil
}

// fold gives the form in which names are compared: without the case of ASCII letters.
func fold(name string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, name)
}

func foldTable(t core.TableName) core.TableName {
	return core.TableName{Schema: fold(t.Schema), Name: fold(t.Name)}
}

// column finds a column by name; -1 if there is none.
func column(schema *arrow.Schema, name string) int {
	if i, ok := positions(schema)[fold(name)]; ok {
		return i
	}
	return -1
}

// positions finds columns by folded name.
func positions(schema *arrow.Schema) map[string]int {
	at := make(map[string]int, schema.NumFields())
	for i, f := range schema.Fields() {
		at[fold(f.Name)] = i
	}
	return at
}

// refuse is an error about the rows or tables a caller passed in.
func refuse(op string, err error) error {
	return &core.Error{Kind: core.KindData, Op: op, Err: err}
}
