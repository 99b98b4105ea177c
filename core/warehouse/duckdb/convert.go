//go:build duckdb_arrow

package duckdb

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// canonicalSchema names the columns as callers see them: nullable, without DuckDB's own
// metadata and its names for list elements.
func canonicalSchema(native *arrow.Schema) *arrow.Schema {
	fields := make([]arrow.Field, native.NumFields())
	for i, f := range native.Fields() {
		fields[i] = arrow.Field{Name: f.Name, Type: relabel(f.Type), Nullable: true}
	}
	return arrow.NewSchema(fields, nil)
}

func relabel(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case arrow.ExtensionType:
		return relabel(t.StorageType())
	case *arrow.ListType:
		return arrow.ListOf(relabel(t.Elem()))
	case *arrow.MapType:
		return arrow.MapOf(relabel(t.KeyType()), relabel(t.ItemType()))
	case *arrow.StructType:
		fields := make([]arrow.Field, t.NumFields())
		for i, f := range t.Fields() {
			fields[i] = arrow.Field{Name: f.Name, Type: relabel(f.Type), Nullable: true}
		}
		return arrow.StructOf(fields...)
	}
	return t
}

// canonicalBatch gives the batch the wanted schema, whose types have the same layout.
func canonicalBatch(batch arrow.RecordBatch, want *arrow.Schema) (arrow.RecordBatch, error) {
	columns := make([]arrow.Array, batch.NumCols())
	defer func() {
		for _, c := range columns {
			if c != nil {
				c.Release()
			}
		}
	}()
	for i, c := range batch.Columns() {
		data, err := retype(c.Data(), want.Field(i).Type)
		if err != nil {
			return nil, fmt.Errorf("column %q: %w", want.Field(i).Name, err)
		}
		columns[i] = array.MakeFromData(data)
		data.Release()
	}
	return array.NewRecordBatch(want, columns, batch.NumRows()), nil
}

// retype gives the same buffers another type of the same layout.
func retype(data arrow.ArrayData, want arrow.DataType) (arrow.ArrayData, error) {
	if arrow.TypeEqual(data.DataType(), want, arrow.CheckMetadata()) {
		data.Retain()
		return data, nil
	}
	have := data.DataType()
	if ext, ok := have.(arrow.ExtensionType); ok {
		have = ext.StorageType()
	}
	if have.ID() != want.ID() || have.ID() == arrow.DICTIONARY {
		return nil, fmt.Errorf("DuckDB returns %s where the table has %s", data.DataType(), want)
	}
	nested, ok := want.(arrow.NestedType)
	if !ok {
		return array.NewData(want, data.Len(), data.Buffers(), nil, data.NullN(), data.Offset()), nil
	}
	children := make([]arrow.ArrayData, len(data.Children()))
	defer func() {
		for _, c := range children {
			if c != nil {
				c.Release()
			}
		}
	}()
	if len(children) != len(nested.Fields()) {
		return nil, fmt.Errorf("DuckDB returns %s where the table has %s", data.DataType(), want)
	}
	for i, child := range data.Children() {
		var err error
		if children[i], err = retype(child, nested.Fields()[i].Type); err != nil {
			return nil, err
		}
	}
	return array.NewData(want, data.Len(), data.Buffers(), children, data.NullN(), data.Offset()), nil
}
