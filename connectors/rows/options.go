package rows

import (
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// Nested says what becomes of objects, and of lists that hold more than scalars.
type Nested uint8

// The treatments. Lists of scalars are Arrow lists in both.
const (
	NestedText   Nested = iota // a string column of compact JSON
	NestedStruct               // objects become structs; mixed lists stay text
)

// Options say how records become rows. The zero value infers every column.
type Options struct {
	// Columns are declared or known from before, in this order; others are added after
	// them as they appear.
	Columns []Column
	// Closed leaves undeclared fields out instead of adding columns for them.
	Closed bool
	Nested Nested
	// Untyped says that every value comes as text, as in CSV, so that text may turn out to
	// be numbers and booleans too.
	Untyped bool
	// Lift names objects whose members become columns under their own names; members of
	// other declared-into objects are named "object.member".
	Lift []string
	// Means says what columns are that appear by themselves.
	Means map[string]core.Means
	// FalseIsNull takes false for null in declared columns that are not boolean, as some
	// systems write it.
	FalseIsNull bool
	// BatchRows and BatchBytes (of text read) are where Full begins to say true;
	// 0 means 65,536 rows and 16 MiB.
	BatchRows, BatchBytes int
	// MaxColumns bounds the columns that drift may add up to; 0 means 4,096. A record that
	// would need more is rejected.
	MaxColumns int
}

// Column is a declared column.
type Column struct {
	// Field gives name, type and metadata. Types: bool, int64, float64, decimal128,
	// string, date32, timestamp (stored as microseconds UTC), list of scalars, struct.
	Field arrow.Field
	// Path is where the value is in a record; nil means []string{Field.Name}.
	Path []string
	// Format of times: "" and "rfc3339", "epoch_s", "epoch_ms", "epoch_us", "rfc2822", or
	// a strftime pattern such as "%d.%m.%Y %H:%M".
	Format string
	// Zone is for times without an offset; nil means UTC.
	Zone *time.Location
	// JSON keeps values of a string column as JSON text, strings with their quotes.
	JSON bool
	// Constant says that the value does not come from the records but from
	// Builder.Constant.
	Constant bool
	// Widen lets the column become wider when a value does not fit, as one that was
	// inferred; otherwise such a record is rejected.
	Widen bool
}

// Columns declares the fields of a schema, all of them open to widening or none.
func Columns(schema *arrow.Schema, widen bool) []Column {
	if schema == nil {
		return nil
	}
	out := make([]Column, 0, schema.NumFields())
	for _, f := range schema.Fields() {
		out = append(out, Column{Field: f, Widen: widen})
	}
	return out
}

const (
	defaultBatchRows  = 65536
	defaultBatchBytes = 16 << 20
	defaultMaxColumns = 4096
	maxDepth          = 128
)

func (o Options) withDefaults() Options {
	if o.BatchRows <= 0 {
		o.BatchRows = defaultBatchRows
	}
	if o.BatchBytes <= 0 {
		o.BatchBytes = defaultBatchBytes
	}
	if o.MaxColumns <= 0 {
		o.MaxColumns = defaultMaxColumns
	}
	return o
}

// newDeclared makes the storage of a declared column.
func newDeclared(c Column) (*column, error) {
	col, err := columnOf(c.Field.Type)
	if err != nil {
		return nil, fmt.Errorf("declare column %q: %w", c.Field.Name, err)
	}
	col.name, col.meta = c.Field.Name, c.Field.Metadata
	col.setFixed(!c.Widen)
	col.json = c.JSON
	if col.format, err = compileFormat(c.Format, c.Zone); err != nil {
		return nil, fmt.Errorf("declare column %q: %w", c.Field.Name, err)
	}
	return col, nil
}

// setFixed says whether the column, with all inside it, keeps its type.
func (c *column) setFixed(fixed bool) {
	c.fixed = fixed
	if c.elem != nil {
		c.elem.fixed = fixed
	}
	if c.fields != nil {
		c.fields.closed = fixed
		for child := range c.fields.children() {
			child.setFixed(fixed)
		}
	}
}

// columnOf makes fixed storage for an Arrow type.
func columnOf(t arrow.DataType) (*column, error) {
	c := &column{fixed: true, declared: true}
	switch t := t.(type) {
	case *arrow.BooleanType:
		c.kind = kindBool
	case *arrow.Int64Type:
		c.kind = kindInt
	case *arrow.Float64Type:
		c.kind = kindFloat
	case *arrow.Decimal128Type:
		c.kind, c.prec, c.scale = kindDecimal, t.Precision, t.Scale
	case *arrow.StringType:
		c.kind = kindString
	case *arrow.Date32Type:
		c.kind = kindDate
	case *arrow.TimestampType:
		c.kind = kindTime
	case *arrow.ListType:
		elem, err := columnOf(t.Elem())
		if err != nil {
			return nil, err
		}
		if elem.kind == kindList || elem.kind == kindStruct {
			return nil, fmt.Errorf("type %s is not supported: declare it as text", t)
		}
		elem.element = true
		c.kind, c.elem = kindList, elem
	case *arrow.StructType:
		c.kind, c.fields = kindStruct, &object{struc: true}
		for _, f := range t.Fields() {
			child, err := newDeclared(Column{Field: f})
			if err != nil {
				return nil, err
			}
			c.fields.add(entry{name: f.Name, col: child})
		}
	default:
		return nil, fmt.Errorf("type %s is not supported", t)
	}
	return c, nil
}
