// Package numbers is a well-behaved connector for tests: rows are computed, so any
// number of them costs nothing to keep. Its misbehaviour is asked for by name.
package numbers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// Schema of the only stream.
func Schema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64},
		core.WithMeans(arrow.Field{Name: "email", Type: arrow.BinaryTypes.String, Nullable: true}, core.PersonEmail),
		{Name: "amount", Type: arrow.PrimitiveTypes.Float64},
		{Name: "changed", Type: arrow.FixedWidthTypes.Timestamp_us},
	}, nil)
}

type connector struct{}

// Connector gives the connector.
func Connector() core.Connector { return connector{} }

func (connector) Spec() core.Spec {
	return core.Spec{
		Name: "numbers", Family: "chaos", Version: "1.2.3", Summary: "Computed rows.",
		Fields: []core.Field{
			{Name: "rows", Type: core.TypeInt, Default: int64(100), Help: "how many rows there are"},
			{Name: "batch", Type: core.TypeInt, Default: int64(10), Help: "rows in a batch"},
			{Name: "token", Type: core.TypeString, Secret: true, Help: "any token but \"wrong\""},
			{Name: "act", Type: core.TypeString, Help: "misbehaviour"},
			{Name: "at", Type: core.TypeInt, Help: "row at which it starts"},
		},
		TestedAgainst: "simulator",
	}
}

func (connector) Open(ctx context.Context, cfg core.Config) (core.Source, error) {
	if cfg.Int("rows") < 0 {
		return nil, &core.Error{Kind: core.KindConfig, Op: "open source", Path: "rows", Err: errors.New("rows is negative"), Try: "write 0 or more"}
	}
	if err := reopens(ctx, cfg); err != nil {
		return nil, err
	}
	return &source{cfg: cfg, ctx: ctx}, nil
}

type source struct {
	cfg core.Config
	ctx context.Context
}

func (s *source) Check(context.Context) error {
	if s.cfg.String("token") == "wrong" {
		return &core.Error{Kind: core.KindAuth, Op: "check token", Path: "token", Err: errors.New("401 Unauthorized")}
	}
	return s.ctx.Err()
}

func (s *source) Streams(context.Context) ([]core.Stream, error) {
	return []core.Stream{{
		Name: "numbers", Schema: Schema(), PrimaryKey: []string{"id"}, Deletes: core.DeleteNone,
		Cursor:        core.Cursor{Field: "changed", TieBreak: []string{"id"}, Precision: time.Second},
		EstimatedRows: s.cfg.Int("rows"),
	}}, nil
}

func (s *source) Close() error { return nil }

type position struct {
	ID int64 `json:"id"`
}

// start of row times; ten rows share each second.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func changed(id int64) time.Time { return start.Add(time.Duration(id/10) * time.Second) }

func (s *source) Read(ctx context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	var pos position
	if req.After != nil && !req.KeysOnly {
		if err := json.Unmarshal(req.After, &pos); err != nil {
			return &core.Error{Kind: core.KindData, Op: "read state", Stream: req.Stream.Name, Err: err}
		}
	}
	if req.Stream.Name != "numbers" {
		return &core.Error{Kind: core.KindConfig, Op: "read", Stream: req.Stream.Name, Err: errors.New("there is no such stream")}
	}
	if !req.From.IsZero() {
		pos.ID = 0
	}
	rows := s.cfg.Int("rows")
	if !req.Until.IsZero() && !req.KeysOnly {
		rows = min(rows, max(0, 10*int64((req.Until.Sub(start)+time.Second-1)/time.Second)))
	}
	if req.Limit > 0 {
		rows = min(rows, pos.ID+req.Limit)
	}
	step := max(1, s.cfg.Int("batch"))
	for pos.ID < rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := s.misbehave(ctx, pos.ID, emit); err != nil {
			return err
		}
		end := min(rows, pos.ID+step)
		batch := core.Batch{Rows: Rows(req, pos.ID, end)}
		pos.ID = end
		if req.From.IsZero() && !req.KeysOnly {
			batch.After, _ = json.Marshal(pos)
		}
		err := emit(batch)
		batch.Rows.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// Rows makes the rows of ids from..to-1 that the request asks for.
func Rows(req core.ReadRequest, from, to int64) arrow.RecordBatch {
	schema := Schema()
	if req.KeysOnly {
		schema = arrow.NewSchema(schema.Fields()[:1], nil)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for id := from; id < to; id++ {
		at := changed(id)
		if !req.KeysOnly && !req.From.IsZero() && at.Before(req.From) {
			continue
		}
		b.Field(0).(*array.Int64Builder).Append(id)
		if req.KeysOnly {
			continue
		}
		if id%7 == 0 {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("person%d@example.com", id))
		}
		b.Field(2).(*array.Float64Builder).Append(float64(id) / 4)
		b.Field(3).(*array.TimestampBuilder).Append(arrow.Timestamp(at.UnixMicro()))
	}
	return b.NewRecordBatch()
}
