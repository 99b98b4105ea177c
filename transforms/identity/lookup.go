package identity

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// seekShare is the share of a table's rows up to which they are looked up by their keys: for
// more, reading all costs no more.
const seekShare = 0.25

// worthSeeking reports whether so many of all rows are looked up.
func worthSeeking(some, all int) bool { return float64(some) <= seekShare*float64(all) }

// hashKeys names rows by hashes in a column.
func hashKeys(column string, hashes []uint64) arrow.RecordBatch {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(len(hashes))
	for _, h := range hashes {
		b.UnsafeAppend(int64(h))
	}
	return batchOf([]arrow.Field{integer(column)}, b)
}

// textKeys names rows by the texts in columns: value gives that of row i in column k.
func textKeys(columns []string, n int, value func(i, k int) string) arrow.RecordBatch {
	fields, builders := make([]arrow.Field, len(columns)), make([]array.Builder, len(columns))
	for k, name := range columns {
		b := array.NewStringBuilder(memory.DefaultAllocator)
		defer b.Release()
		for i := range n {
			b.Append(value(i, k))
		}
		fields[k], builders[k] = text(name), b
	}
	return batchOf(fields, builders...)
}

func batchOf(fields []arrow.Field, builders ...array.Builder) arrow.RecordBatch {
	columns, n := make([]arrow.Array, len(builders)), 0
	for k, b := range builders {
		columns[k] = b.NewArray()
		defer columns[k].Release()
		n = columns[k].Len()
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), columns, int64(n))
}

// recordNames are the columns that name a record in own tables.
func recordNames() []string { return []string{"source", "stream", "record_key"} }

// nameKeys names the rows of records in own tables.
func nameKeys(names []recordName) arrow.RecordBatch {
	return textKeys(recordNames(), len(names), func(i, k int) string { return [3]string{names[i].source, names[i].stream, names[i].key}[k] })
}

// keysOf names the rows of a source's table by the keys of records, nil when it has a key of
// several columns or of a type that is not looked up.
func (s *recordSource) keysOf(records []string) arrow.RecordBatch {
	if len(s.key) != 1 || s.keyType == nil {
		return nil
	}
	if id := s.keyType.ID(); id != arrow.STRING && !arrow.IsInteger(id) {
		return nil
	}
	b := array.NewBuilder(memory.DefaultAllocator, s.keyType)
	defer b.Release()
	for _, key := range records {
		if err := b.AppendValueFromString(key); err != nil {
			return nil
		}
	}
	return batchOf([]arrow.Field{{Name: s.key[0], Type: s.keyType, Nullable: true}}, b)
}

// A recordName is the key of a record and the source and stream that it is of.
type recordName struct{ source, stream, key string }

// namesOf finds the names of records by their hashes. They are fewer where the table of
// records is not whole.
func (m store) namesOf(ctx context.Context, wh core.Warehouse, uids []uint64) (map[uint64]recordName, error) {
	out := make(map[uint64]recordName, len(uids))
	if len(uids) == 0 {
		return out, nil
	}
	keys := hashKeys("record", uids)
	defer keys.Release()
	err := m.scanSome(ctx, wh, tableRecord, keys, func(r tableRow) {
		out[uint64(r.number(0))] = recordName{r.text(1), r.text(2), r.text(3)}
	}, "record", "source", "stream", "record_key")
	return out, err
}

// bySource sorts the keys of records by where they are from.
func bySource(sources []recordSource, names map[uint64]recordName) map[frame.Source][]string {
	out := map[frame.Source][]string{}
	for _, s := range sources {
		for _, n := range names {
			if n.source == s.Source.Source && n.stream == s.Stream {
				out[s.Source] = append(out[s.Source], n.key)
			}
		}
	}
	return out
}
