package portable

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
)

// An Input is a table that Go writes before the engine starts.
type Input struct {
	Table core.Table
	// Items is the number of calls of Append; each adds any number of rows.
	Items  int
	Append func(i int, b *array.RecordBuilder)
}

// fieldSet collects what the records table must hold, each thing once.
type fieldSet struct {
	fields []field
	index  map[string]int
}

type field struct {
	arrow.Field
	append func(r int32, b array.Builder)
}

func (s *fieldSet) add(key string, t arrow.DataType, value func(r int32, b array.Builder)) string {
	if i, ok := s.index[key]; ok {
		return s.fields[i].Name
	}
	name := fmt.Sprintf("f%d", len(s.fields))
	s.index[key] = len(s.fields)
	s.fields = append(s.fields, field{arrow.Field{Name: name, Type: t, Nullable: true}, value})
	return name
}

// text holds a text for each record that has one.
func (s *fieldSet) text(key string, value func(r int32) (string, bool)) string {
	return s.add(key, arrow.BinaryTypes.String, func(r int32, b array.Builder) {
		if v, ok := value(r); ok {
			b.(*array.StringBuilder).Append(v)
			return
		}
		b.AppendNull()
	})
}

func (s *fieldSet) number(key string, value func(r int32) (int64, bool)) string {
	return s.add(key, arrow.PrimitiveTypes.Int64, func(r int32, b array.Builder) {
		if v, ok := value(r); ok {
			b.(*array.Int64Builder).Append(v)
			return
		}
		b.AppendNull()
	})
}

func (s *fieldSet) float(key string, value func(r int32) (float64, bool)) string {
	return s.add(key, arrow.PrimitiveTypes.Float64, func(r int32, b array.Builder) {
		if v, ok := value(r); ok {
			b.(*array.Float64Builder).Append(v)
			return
		}
		b.AppendNull()
	})
}

// value holds the normalised value of a column.
func (s *fieldSet) value(c *frame.Column) string {
	return s.text("v_"+c.Name, func(r int32) (string, bool) {
		code := c.First(r)
		if code < 0 {
			return "", false
		}
		return c.Values.Value(code), true
	})
}

func (c *compiler) records() Input {
	fields := []arrow.Field{{Name: "record", Type: arrow.PrimitiveTypes.Int64}}
	for _, f := range c.fields.fields {
		fields = append(fields, f.Field)
	}
	table := core.Table{Name: c.table(recordTable), Schema: arrow.NewSchema(fields, nil), Key: []string{"record"}}
	return Input{table, c.frame.Len(), func(i int, b *array.RecordBuilder) {
		b.Field(0).(*array.Int64Builder).Append(int64(i))
		for k, f := range c.fields.fields {
			f.append(int32(i), b.Field(k+1))
		}
	}}
}

func longTable(name core.TableName, columns ...string) core.Table {
	var fields []arrow.Field
	for _, c := range columns {
		fields = append(fields, arrow.Field{Name: c, Type: arrow.PrimitiveTypes.Int64})
	}
	return core.Table{Name: name, Schema: arrow.NewSchema(fields, nil)}
}

// keysInput lists the block of each record under each rule, as far as blocks are used.
func keysInput(schema string, b *kernel.Blocks) Input {
	table := longTable(core.TableName{Schema: schema, Name: keyTable}, "rule", "block", "record")
	return Input{table, len(b.Rules), func(i int, rb *array.RecordBuilder) {
		b.Each(i, func(block, record int32) {
			rb.Field(0).(*array.Int64Builder).Append(int64(i))
			rb.Field(1).(*array.Int64Builder).Append(int64(block))
			rb.Field(2).(*array.Int64Builder).Append(int64(record))
		})
	}}
}

// tokenInput lists the weighted tokens of each record's text.
func (c *compiler) tokenInput(k int, column *frame.Column) Input {
	vectors := kernel.NewVectors(column)
	table := longTable(c.table(fmt.Sprintf("tokens_%d", k)), "record", "token", "weight")
	return Input{table, c.frame.Len(), func(i int, b *array.RecordBuilder) {
		code := column.First(int32(i))
		if code < 0 {
			return
		}
		vectors.Each(code, func(token, weight int32) {
			b.Field(0).(*array.Int64Builder).Append(int64(i))
			b.Field(1).(*array.Int64Builder).Append(int64(token))
			b.Field(2).(*array.Int64Builder).Append(int64(weight))
		})
	}}
}
