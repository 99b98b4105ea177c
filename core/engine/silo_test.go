package engine_test

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// silo is a scripted source: rows in a map, read in (updated, id) order with a position
// after every batch, and faults where a test puts them.
type silo struct {
	mu     sync.Mutex
	rows   map[int64]row
	extra  []arrow.Field // columns beyond id, updated, name
	value  func(row) any // of the first extra column
	stream core.Stream
	batch  int

	// fail is asked before each batch of a Read; reads counts calls of Read.
	fail    func(read, batch int) error
	rejects int
	// rejectText are further records that cannot be made into rows.
	rejectText []string
	deleted    []int64 // the delete feed
	noState    bool
	textID     bool  // ids come as text, nullID as one that is no number
	repeat     []row // sent behind the rows of every read, all in one batch
	reads      int
	asked      []core.ReadRequest
	closed     int
}

type row struct {
	id, updated int64
	name        string
	gone        bool
	nullID      bool
}

func newSilo(n int64) *silo {
	s := &silo{rows: map[int64]row{}, batch: 7}
	for i := range n {
		s.rows[i] = row{id: i, updated: i / 5, name: fmt.Sprintf("name %d", i)}
	}
	s.stream = core.Stream{Name: "things", PrimaryKey: []string{"id"}, Cursor: core.Cursor{Field: "updated", TieBreak: []string{"id"}}}
	return s
}

func (s *silo) schema() *arrow.Schema {
	id := arrow.DataType(arrow.PrimitiveTypes.Int64)
	if s.textID {
		id = arrow.BinaryTypes.String
	}
	fields := []arrow.Field{{Name: "id", Type: id},
		{Name: "updated", Type: arrow.PrimitiveTypes.Int64}, {Name: "name", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "gone", Type: arrow.FixedWidthTypes.Boolean, Nullable: true}}
	return arrow.NewSchema(append(fields, s.extra...), nil)
}

func (s *silo) Check(context.Context) error { return nil }

func (s *silo) Close() error { s.closed++; return nil }

func (s *silo) Streams(context.Context) ([]core.Stream, error) {
	st := s.stream
	if st.Schema == nil {
		st.Schema = s.schema()
	}
	return []core.Stream{st}, nil
}

type position struct {
	Updated, ID int64
}

func (s *silo) Read(ctx context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	s.mu.Lock()
	s.reads++
	read := s.reads
	s.asked = append(s.asked, req)
	rows := s.selected(req)
	s.mu.Unlock()
	if err := s.emitRejects(emit); err != nil {
		return err
	}
	for n, part := 0, rows; ; n++ {
		if s.fail != nil {
			if err := s.fail(read, n); err != nil {
				return err
			}
		}
		if len(part) == 0 {
			if len(s.repeat) > 0 && !req.KeysOnly {
				if err := s.emitRows(req, s.repeat, emit); err != nil {
					return err
				}
			}
			return s.emitDeleted(emit)
		}
		size := min(s.batch, len(part))
		if err := s.emitRows(req, part[:size], emit); err != nil {
			return err
		}
		part = part[size:]
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func (s *silo) selected(req core.ReadRequest) []row {
	var after position
	if req.After != nil && !req.KeysOnly {
		if err := json.Unmarshal(req.After, &after); err != nil {
			panic(err)
		}
	}
	var rows []row
	for _, r := range s.rows {
		if req.KeysOnly && r.gone {
			continue
		}
		if req.After != nil && !req.KeysOnly && r.updated < after.Updated-int64(req.Stream.Cursor.Lookback/time.Second) {
			continue
		}
		if !req.From.IsZero() && r.updated < req.From.Unix() || !req.Until.IsZero() && r.updated >= req.Until.Unix() {
			continue
		}
		rows = append(rows, r)
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Or(cmp.Compare(a.updated, b.updated), cmp.Compare(a.id, b.id)) })
	if req.Limit > 0 {
		rows = rows[:min(int64(len(rows)), req.Limit)]
	}
	return rows
}

func (s *silo) emitRows(req core.ReadRequest, rows []row, emit func(core.Batch) error) error {
	b := array.NewRecordBuilder(memory.DefaultAllocator, s.schema())
	defer b.Release()
	for _, r := range rows {
		switch id := b.Field(0).(type) {
		case *array.Int64Builder:
			id.Append(r.id)
			if r.nullID {
				id.SetNull(id.Len() - 1)
			}
		case *array.StringBuilder:
			if r.nullID {
				id.Append("no number")
			} else {
				id.Append(fmt.Sprint(r.id))
			}
		}
		b.Field(1).(*array.Int64Builder).Append(r.updated)
		b.Field(2).(*array.StringBuilder).Append(r.name)
		b.Field(3).(*array.BooleanBuilder).Append(r.gone)
		for i := range s.extra {
			appendAny(b.Field(4+i), s.value(r))
		}
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	last := rows[len(rows)-1]
	var state core.State
	if !s.noState && !req.KeysOnly {
		state = core.State(fmt.Sprintf(`{"Updated":%d,"ID":%d}`, last.updated, last.id))
	}
	return emit(core.Batch{Rows: batch, After: state})
}

func appendAny(b array.Builder, v any) {
	switch b := b.(type) {
	case *array.Int64Builder:
		if n, ok := v.(int64); ok {
			b.Append(n)
			return
		}
	case *array.Float64Builder:
		if f, ok := v.(float64); ok {
			b.Append(f)
			return
		}
	case *array.StringBuilder:
		if t, ok := v.(string); ok {
			b.Append(t)
			return
		}
	}
	b.AppendNull()
}

func (s *silo) emitRejects(emit func(core.Batch) error) error {
	if s.rejects+len(s.rejectText) == 0 {
		return nil
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, core.RejectSchema())
	defer b.Release()
	for i := range s.rejects {
		b.Field(0).(*array.StringBuilder).Append(fmt.Sprintf(`{"id":"x%d","name":"Secret Person"}`, i))
		b.Field(1).(*array.StringBuilder).Append("id is not a number")
		b.Field(2).(*array.StringBuilder).Append("$.id")
	}
	for _, text := range s.rejectText {
		b.Field(0).(*array.StringBuilder).Append(text)
		b.Field(1).(*array.StringBuilder).Append("id is not a number")
		b.Field(2).AppendNull()
	}
	batch := b.NewRecordBatch()
	defer batch.Release()
	return emit(core.Batch{Rows: batch, Op: core.OpReject})
}

func (s *silo) emitDeleted(emit func(core.Batch) error) error {
	if len(s.deleted) == 0 {
		return nil
	}
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues(s.deleted, nil)
	batch := b.NewRecordBatch()
	defer batch.Release()
	return emit(core.Batch{Rows: batch, Op: core.OpDelete})
}

// expect is the table as it should be: id to name.
func (s *silo) expect() map[int64]string {
	out := map[int64]string{}
	for id, r := range s.rows {
		if !r.gone {
			out[id] = r.name
		}
	}
	for _, id := range s.deleted {
		delete(out, id)
	}
	return out
}

func (s *silo) change(id, updated int64, name string) {
	s.rows[id] = row{id: id, updated: updated, name: name}
}

func (s *silo) ids() []int64 { return slices.Sorted(maps.Keys(s.rows)) }
