package numbers

import (
	"context"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// Wide is a connector for benchmarks: ten columns like those of a CRM.
func Wide() core.Connector { return wide{} }

type wide struct{}

func (wide) Spec() core.Spec {
	return core.Spec{Name: "wide", Family: "chaos", Version: "1", Summary: "Ten columns.", Fields: []core.Field{
		{Name: "rows", Type: core.TypeInt, Help: "how many rows there are"},
		{Name: "batch", Type: core.TypeInt, Help: "rows in a batch"},
		{Name: "again", Type: core.TypeBool, Help: "send one batch again and again instead of making new ones"},
	}}
}

func (wide) Open(_ context.Context, cfg core.Config) (core.Source, error) {
	return wideSource{cfg}, nil
}

type wideSource struct{ cfg core.Config }

func (wideSource) Check(context.Context) error                    { return nil }
func (wideSource) Streams(context.Context) ([]core.Stream, error) { return nil, nil }
func (wideSource) Close() error                                   { return nil }

func (s wideSource) Read(ctx context.Context, _ core.ReadRequest, emit func(core.Batch) error) error {
	total, step := s.cfg.Int("rows"), s.cfg.Int("batch")
	var rec arrow.RecordBatch
	for from := int64(0); from < total; from += step {
		if rec == nil || !s.cfg.Bool("again") {
			if rec != nil {
				rec.Release()
			}
			rec = WideRows(from, min(total, from+step))
		}
		if err := emit(core.Batch{Rows: rec}); err != nil {
			return err
		}
	}
	rec.Release()
	return nil
}

// WideRows makes rows by builders, a value at a time, as a connector does.
func WideRows(from, to int64) arrow.RecordBatch {
	text := func(name string) arrow.Field {
		return arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}
	}
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64}, text("email"), text("given"), text("family"), text("phone"),
		text("company"), text("city"), {Name: "amount", Type: arrow.PrimitiveTypes.Float64},
		{Name: "active", Type: arrow.FixedWidthTypes.Boolean}, {Name: "changed", Type: arrow.FixedWidthTypes.Timestamp_us},
	}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	b.Reserve(int(to - from))
	cities := []string{"Helsinki", "Tampere", "Turku", "Oulu", "Jyväskylä", "Rovaniemi"}
	column := func(i int) *array.StringBuilder { return b.Field(i).(*array.StringBuilder) }
	var buf []byte
	number := func(i int, before string, n int64, after string) {
		buf = append(strconv.AppendInt(append(buf[:0], before...), n, 10), after...)
		column(i).BinaryBuilder.Append(buf)
	}
	for id := from; id < to; id++ {
		b.Field(0).(*array.Int64Builder).Append(id)
		number(1, "person", id, "@example.com")
		number(2, "Given", id%977, "")
		number(3, "Family", id%4099, "")
		number(4, "+35840", 1_000_000+id%9_000_000, "")
		number(5, "Company ", id%20_011, " Oy")
		column(6).Append(cities[id%6])
		b.Field(7).(*array.Float64Builder).Append(float64(id) * 1.25)
		b.Field(8).(*array.BooleanBuilder).Append(id%3 == 0)
		b.Field(9).(*array.TimestampBuilder).Append(arrow.Timestamp(1_700_000_000_000_000 + id*1_000_000))
	}
	return b.NewRecordBatch()
}
