package wire

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// Limits of a schema on the wire.
const (
	maxFields = 20_000 // columns and nested fields together
	maxDepth  = 32     // of nesting
)

// SchemaToWire converts a schema; nil stays nil. Dictionary, view and list-view types
// become the plain type that EncodeFrame writes for them. A type that cannot cross the
// border is an error that names the column.
func SchemaToWire(s *arrow.Schema) (*wirev1.Schema, error) {
	if s == nil {
		return nil, nil
	}
	fields, err := fieldsToWire(s.Fields())
	if err != nil {
		return nil, err
	}
	return &wirev1.Schema{Fields: fields, Metadata: metadataToWire(s.Metadata())}, nil
}

// SchemaFromWire converts a schema; nil stays nil. It refuses one with too many fields,
// too deep a nesting, or types that make no sense.
func SchemaFromWire(w *wirev1.Schema) (*arrow.Schema, error) {
	if w == nil {
		return nil, nil
	}
	budget := maxFields
	fields, err := fieldsFromWire(w.GetFields(), 0, &budget)
	if err != nil {
		return nil, fmt.Errorf("read schema: %w", err)
	}
	meta := metadataFromWire(w.GetMetadata())
	return arrow.NewSchema(fields, &meta), nil
}

func fieldsToWire(fields []arrow.Field) ([]*wirev1.SchemaField, error) {
	out := make([]*wirev1.SchemaField, len(fields))
	for i, f := range fields {
		t, err := typeToWire(f.Type)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.Name, err)
		}
		out[i] = &wirev1.SchemaField{Name: f.Name, Type: t, Nullable: f.Nullable, Metadata: metadataToWire(f.Metadata)}
	}
	return out, nil
}

func fieldsFromWire(in []*wirev1.SchemaField, depth int, budget *int) ([]arrow.Field, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("types are nested deeper than %d", maxDepth)
	}
	if *budget -= len(in); *budget < 0 {
		return nil, fmt.Errorf("there are more than %d fields", maxFields)
	}
	out := make([]arrow.Field, len(in))
	for i, f := range in {
		t, err := typeFromWire(f.GetType(), depth, budget)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", f.GetName(), err)
		}
		out[i] = arrow.Field{
			Name: f.GetName(), Type: t, Nullable: f.GetNullable(), Metadata: metadataFromWire(f.GetMetadata()),
		}
	}
	return out, nil
}

func metadataToWire(m arrow.Metadata) []*wirev1.KeyValue {
	var out []*wirev1.KeyValue
	for i, k := range m.Keys() {
		out = append(out, &wirev1.KeyValue{Key: k, Value: m.Values()[i]})
	}
	return out
}

func metadataFromWire(in []*wirev1.KeyValue) arrow.Metadata {
	if len(in) == 0 {
		return arrow.Metadata{}
	}
	keys, values := make([]string, len(in)), make([]string, len(in))
	for i, kv := range in {
		keys[i], values[i] = kv.GetKey(), kv.GetValue()
	}
	return arrow.NewMetadata(keys, values)
}
