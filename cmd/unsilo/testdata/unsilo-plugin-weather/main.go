// Command unsilo-plugin-weather is somebody else's plugin, for tests: whoever starts it can
// see that, by a file beside it.
package main

import (
	"context"
	"errors"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/sdk"
)

func main() {
	if err := os.WriteFile(os.Args[0]+".started", nil, 0o600); err != nil {
		os.Exit(1)
	}
	sdk.Serve(weather{})
}

type weather struct{}

func (weather) Spec() core.Spec {
	return core.Spec{Name: "weather", Family: "weather", Version: "1.0.0", Summary: "Temperatures.",
		Fields: []core.Field{{Name: "city", Type: core.TypeString, Required: true, Help: "whose weather"}}}
}

func (weather) Open(_ context.Context, cfg core.Config) (core.Source, error) {
	if cfg.String("city") == "" {
		return nil, &core.Error{Kind: core.KindConfig, Op: "open source", Path: "city", Err: errors.New("city is not set")}
	}
	return weatherSource{city: cfg.String("city")}, nil
}

type weatherSource struct{ city string }

func weatherSchema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{{Name: "city", Type: arrow.BinaryTypes.String}, {Name: "celsius", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}, nil)
}

func (weatherSource) Check(context.Context) error { return nil }

func (weatherSource) Streams(context.Context) ([]core.Stream, error) {
	return []core.Stream{{Name: "now", Schema: weatherSchema(), PrimaryKey: []string{"city"}, Deletes: core.DeleteNone}}, nil
}

func (s weatherSource) Read(_ context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	if req.Stream.Name != "now" {
		return &core.Error{Kind: core.KindConfig, Op: "read", Stream: req.Stream.Name, Err: errors.New("there is no such stream")}
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, weatherSchema())
	defer b.Release()
	b.Field(0).(*array.StringBuilder).Append(s.city)
	b.Field(1).(*array.Int64Builder).Append(17)
	rows := b.NewRecordBatch()
	defer rows.Release()
	return emit(core.Batch{Rows: rows})
}

func (weatherSource) Close() error { return nil }
