package memory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

var _ core.Tx = (*tx)(nil)

var errSpent = errors.New("the transaction has ended")

// A tx works on a copy of the maps, and on copies of the tables it changes.
type tx struct {
	w *Warehouse

	mu    sync.Mutex // against Close of the warehouse
	data  snapshot
	own   map[*table]bool // tables made by this transaction, which it may change
	ended bool
}

// Begin opens a transaction when no other is open.
func (w *Warehouse) Begin(ctx context.Context) (core.Tx, error) {
	if _, err := w.view(ctx); err != nil {
		return nil, err
	}
	select {
	case w.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		<-w.turn
		return nil, errClosed
	}
	t := &tx{w: w, own: map[*table]bool{},
		data: snapshot{tables: maps.Clone(w.data.tables), states: maps.Clone(w.data.states)}}
	w.open = t
	return t, nil
}

// End commits or rolls back.
func (t *tx) End(_ context.Context, commit bool) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return nil
	}
	t.ended = true
	t.w.mu.Lock()
	defer t.w.mu.Unlock()
	t.w.open = nil
	<-t.w.turn
	if !commit {
		return nil
	}
	if t.w.closed {
		return errClosed
	}
	t.w.data = t.data
	return nil
}

// do runs one operation of the transaction.
func (t *tx) do(ctx context.Context, f func() error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.ended {
		return errSpent
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return f()
}

// change gives a table that this transaction may change, in place of a committed one.
func (t *tx) change(have *table) *table {
	if t.own[have] {
		return have
	}
	mine := *have
	mine.rows = slices.Clone(have.rows)
	t.put(&mine)
	return &mine
}

func (t *tx) put(mine *table) {
	t.own[mine] = true
	t.data.tables[foldTable(mine.name)] = mine
}

// SetState stores the position of a stream.
func (t *tx) SetState(ctx context.Context, s core.StateRow) error {
	return t.do(ctx, func() error {
		s.State = slices.Clone(s.State)
		s.At = s.At.UTC()
		t.data.states[[2]string{s.Source, s.Stream}] = s
		return nil
	})
}

// Drop removes a table if it exists.
func (t *tx) Drop(ctx context.Context, name core.TableName) error {
	return t.do(ctx, func() error {
		delete(t.data.tables, foldTable(name))
		return nil
	})
}

// Swap puts one table in the place of another.
func (t *tx) Swap(ctx context.Context, from, to core.TableName) error {
	return t.do(ctx, func() error {
		have := t.data.tables[foldTable(from)]
		switch {
		case have == nil:
			return refuse("swap", &core.NoTableError{Table: from})
		case foldTable(from) == foldTable(to):
			return refuse("swap", fmt.Errorf("%s cannot take the place of %s", from, to))
		}
		if err := errors.Join(checkName(to.Schema), checkName(to.Name)); err != nil {
			return refuse("swap", err)
		}
		mine := *t.change(have)
		mine.name = to
		delete(t.data.tables, foldTable(from))
		t.put(&mine)
		return nil
	})
}

// Define creates a table or brings it to the wanted columns.
func (t *tx) Define(ctx context.Context, want core.Table) error {
	return t.do(ctx, func() error {
		schema, err := wanted(want)
		if err != nil {
			return refuse("define "+want.Name.String(), err)
		}
		have := t.data.tables[foldTable(want.Name)]
		if have == nil {
			t.put(&table{name: want.Name, schema: schema, key: slices.Clone(want.Key)})
			return nil
		}
		return t.alter(have, schema, want.Key)
	})
}

// wanted checks names and key and gives the columns their canonical types.
func wanted(want core.Table) (*arrow.Schema, error) {
	if err := errors.Join(checkName(want.Name.Schema), checkName(want.Name.Name)); err != nil {
		return nil, err
	}
	if want.Schema == nil || want.Schema.NumFields() == 0 {
		return nil, fmt.Errorf("the table has no columns")
	}
	fields := make([]arrow.Field, want.Schema.NumFields())
	seen := map[string]string{}
	for i, f := range want.Schema.Fields() {
		if err := checkName(f.Name); err != nil {
			return nil, err
		}
		if other, ok := seen[fold(f.Name)]; ok {
			return nil, fmt.Errorf("columns %q and %q differ only in case", other, f.Name)
		}
		seen[fold(f.Name)] = f.Name
		fields[i] = arrow.Field{Name: f.Name, Type: core.Canonical(f.Type), Nullable: true, Metadata: f.Metadata}
		if !storable(fields[i].Type) {
			return nil, fmt.Errorf("column %q: the warehouse has no type for %s", f.Name, f.Type)
		}
	}
	schema := arrow.NewSchema(fields, nil)
	for _, k := range want.Key {
		if column(schema, k) < 0 {
			return nil, fmt.Errorf("the key column %q is not among the columns", k)
		}
	}
	return schema, nil
}

func checkName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("a name is empty")
	case strings.IndexByte(name, 0) >= 0:
		return fmt.Errorf("the name %q has a zero byte", name)
	}
	return nil
}

// alter adds and widens columns.
func (t *tx) alter(have *table, want *arrow.Schema, key []string) error {
	fields := have.schema.Fields()
	at := positions(have.schema)
	for _, f := range want.Fields() {
		i, known := at[fold(f.Name)]
		switch {
		case !known:
			fields = append(fields, f)
		case core.Holds(f.Type, fields[i].Type):
			fields[i].Type, fields[i].Metadata = f.Type, f.Metadata
		default:
			return refuse("define "+have.name.String(),
				fmt.Errorf("column %q is %s and cannot become %s without loss", f.Name, fields[i].Type, f.Type))
		}
	}
	mine := t.change(have)
	old := mine.schema
	mine.schema, mine.key = arrow.NewSchema(fields, nil), slices.Clone(key)
	for i, row := range mine.rows {
		wide := make([]any, len(fields))
		copy(wide, row)
		for c := range row {
			wide[c] = widen(row[c], old.Field(c).Type, fields[c].Type)
		}
		mine.rows[i] = wide
	}
	return nil
}
