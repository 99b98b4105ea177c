package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// Connector gives the connector "journal": a ledger whose entries are lines of JSON,
//
//	{"seq": 1, "at": "2026-01-01T08:00:00Z", "account": "rent", "amount": "-950.00", "note": "January"}
//
// and are only ever added at the end of the file.
func Connector() core.Connector { return connector{} }

type connector struct{}

// Spec declares the settings.
func (connector) Spec() core.Spec {
	return core.Spec{
		Name: "journal", Version: "0.1.0", Summary: "Append-only ledgers in JSON lines.",
		Fields: []core.Field{
			{Name: "path", Type: core.TypeString, Help: "the ledger's file", Required: true, Path: true},
			{Name: "batch_rows", Type: core.TypeInt, Help: "entries in a batch", Default: int64(1000)},
		},
		TestedAgainst: "files written by hand",
	}
}

// Open checks the settings.
func (connector) Open(_ context.Context, cfg core.Config) (core.Source, error) {
	if cfg.String("path") == "" {
		return nil, &core.Error{Kind: core.KindConfig, Op: "open journal", Path: "path",
			Err: errors.New("path is empty"), Try: "name the ledger's file"}
	}
	return &source{path: cfg.String("path"), batch: max(1, int(cfg.Int("batch_rows")))}, nil
}

type source struct {
	path  string
	batch int
}

// Check looks whether the file is there.
func (s *source) Check(context.Context) error {
	info, err := os.Stat(s.path)
	switch {
	case err != nil:
		return &core.Error{Kind: core.KindConfig, Op: "check journal", Path: "path", Err: err, Try: "name a file that exists"}
	case !info.Mode().IsRegular():
		return &core.Error{Kind: core.KindConfig, Op: "check journal", Path: "path", Err: fmt.Errorf("%s is no file", s.path)}
	}
	return nil
}

// Streams tells what can be read. The position is an offset in the file, which only this
// connector understands.
func (s *source) Streams(context.Context) ([]core.Stream, error) {
	return []core.Stream{{
		Name: "entries", Schema: schema(), PrimaryKey: []string{"seq"}, Cursor: core.Cursor{Field: "at", Opaque: true},
		Deletes: core.DeleteNone, Help: "every entry of the ledger",
		Maps: []core.Mapping{{Table: "money", Columns: map[string]string{"amount": "amount", "currency": "=EUR"}}},
	}}, nil
}

// Close has nothing to release.
func (s *source) Close() error { return nil }

// amountType holds cents exactly.
var amountType = &arrow.Decimal128Type{Precision: 18, Scale: 2}

func schema() *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{
		{Name: "seq", Type: arrow.PrimitiveTypes.Int64},
		core.WithMeans(arrow.Field{Name: "at", Type: arrow.FixedWidthTypes.Timestamp_us}, core.EventTime),
		{Name: "account", Type: arrow.BinaryTypes.String, Nullable: true},
		core.WithMeans(arrow.Field{Name: "amount", Type: amountType}, core.MoneyAmount),
		core.WithMeans(arrow.Field{Name: "note", Type: arrow.BinaryTypes.String, Nullable: true}, core.TextFree),
	}, nil)
}
