package engine

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/zeebo/xxh3"
)

// rowHashes sums a hash of every row, so that the order of rows does not matter and the
// number of equal rows does.
func rowHashes(b arrow.RecordBatch) uint64 {
	var sum uint64
	var row []byte
	for i := range int(b.NumRows()) {
		row = row[:0]
		for c, f := range b.Schema().Fields() {
			row = append(row, f.Name...)
			row = appendValue(row, b.Column(c), i)
		}
		sum += xxh3.Hash(row)
	}
	return sum
}

// appendValue writes a value so that different values give different bytes.
func appendValue(to []byte, col arrow.Array, i int) []byte {
	if col.IsNull(i) {
		return append(to, 0)
	}
	to = append(to, 1)
	switch col := col.(type) {
	case *array.String:
		v := col.Value(i)
		return append(binary.LittleEndian.AppendUint32(to, uint32(len(v))), v...)
	case *array.Int64:
		return binary.LittleEndian.AppendUint64(to, uint64(col.Value(i)))
	case *array.Float64:
		return binary.LittleEndian.AppendUint64(to, math.Float64bits(col.Value(i)))
	case *array.Timestamp:
		return binary.LittleEndian.AppendUint64(to, uint64(col.Value(i)))
	}
	v := col.ValueStr(i)
	return append(binary.LittleEndian.AppendUint32(to, uint32(len(v))), v...)
}
