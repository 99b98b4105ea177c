package rows

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// arrowType is the column's type in a batch; nil while nothing is known about it.
func (c *column) arrowType() arrow.DataType {
	switch c.kind {
	case kindBool:
		return arrow.FixedWidthTypes.Boolean
	case kindInt:
		return arrow.PrimitiveTypes.Int64
	case kindFloat:
		return arrow.PrimitiveTypes.Float64
	case kindDecimal:
		return &arrow.Decimal128Type{Precision: c.prec, Scale: c.scale}
	case kindString:
		return arrow.BinaryTypes.String
	case kindDate:
		return arrow.FixedWidthTypes.Date32
	case kindTime:
		return arrow.FixedWidthTypes.Timestamp_us
	case kindList:
		elem := c.elem.arrowType()
		if elem == nil { // only empty lists, or lists of nulls
			elem = arrow.BinaryTypes.String
		}
		return arrow.ListOf(elem)
	case kindStruct:
		return c.structType()
	}
	return nil
}

func (c *column) structType() arrow.DataType {
	var fields []arrow.Field
	for _, e := range c.fields.entries {
		if e.col == nil {
			continue
		}
		if t := e.col.arrowType(); t != nil {
			fields = append(fields, arrow.Field{Name: e.name, Type: t, Nullable: true, Metadata: e.col.meta})
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return arrow.StructOf(fields...)
}

// arrowData hands the values over; the column must be reset before it is used again.
func (c *column) arrowData(t arrow.DataType) arrow.ArrayData {
	valid := bufferOf(c.valid)
	if c.nulls == 0 {
		valid = nil
	}
	switch c.kind {
	case kindBool:
		return array.NewData(t, c.n, []*memory.Buffer{valid, bufferOf(packed(c.bools))}, nil, c.nulls, 0)
	case kindInt, kindTime:
		return c.fixedWidth(t, valid, arrow.Int64Traits.CastToBytes(c.ints))
	case kindFloat:
		return c.fixedWidth(t, valid, arrow.Float64Traits.CastToBytes(c.floats))
	case kindDecimal:
		return c.fixedWidth(t, valid, arrow.Decimal128Traits.CastToBytes(c.decs))
	case kindDate:
		days := make([]int32, c.n)
		for i, v := range c.ints {
			days[i] = int32(v)
		}
		return c.fixedWidth(t, valid, arrow.Int32Traits.CastToBytes(days))
	case kindString:
		return array.NewData(t, c.n, []*memory.Buffer{valid, offsets(c.offs), bufferOf(c.data)}, nil, c.nulls, 0)
	case kindList:
		return c.listData(t.(*arrow.ListType), valid)
	}
	return c.structData(t.(*arrow.StructType), valid)
}

func (c *column) fixedWidth(t arrow.DataType, valid *memory.Buffer, values []byte) arrow.ArrayData {
	return array.NewData(t, c.n, []*memory.Buffer{valid, bufferOf(values)}, nil, c.nulls, 0)
}

func (c *column) listData(t *arrow.ListType, valid *memory.Buffer) arrow.ArrayData {
	if c.elem.kind == kindNull {
		c.elem.become(kindString)
		c.elem.guess = 0
	}
	child := c.elem.arrowData(t.Elem())
	defer child.Release()
	return array.NewData(t, c.n, []*memory.Buffer{valid, offsets(c.loffs)}, []arrow.ArrayData{child}, c.nulls, 0)
}

func (c *column) structData(t *arrow.StructType, valid *memory.Buffer) arrow.ArrayData {
	var children []arrow.ArrayData
	for _, f := range t.Fields() {
		child := c.fields.find([]byte(f.Name)).col
		child.pad(c.n)
		data := child.arrowData(f.Type)
		defer data.Release()
		children = append(children, data)
	}
	return array.NewData(t, c.n, []*memory.Buffer{valid}, children, c.nulls, 0)
}

func bufferOf(b []byte) *memory.Buffer { return memory.NewBufferBytes(b) }

// offsets writes the row ends as Arrow offsets.
func offsets(ends []int32) *memory.Buffer {
	out := make([]int32, len(ends)+1)
	copy(out[1:], ends)
	return bufferOf(arrow.Int32Traits.CastToBytes(out))
}

// packed turns one byte a row into a bitmap.
func packed(bools []byte) []byte {
	out := make([]byte, (len(bools)+7)/8)
	for i, v := range bools {
		out[i>>3] |= v << (i & 7)
	}
	return out
}
