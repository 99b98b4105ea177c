package synthetic

import (
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// kind is how a column is made.
type kind uint8

const (
	kindID kind = iota
	kindVersion
	kindStamp
	kindChecksum
	kindDeleted
	kindInt
	kindNarrow // int32
	kindFloat
	kindText
	kindBool
	kindMoment
	kindGiven
	kindFamily
	kindEmail
	kindPhone
	kindCity
	kindExtra
)

type column struct {
	field arrow.Field
	kind  kind
}

func moments() arrow.DataType { return &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"} }

// columns gives the columns of a stream. Those behind the declared ones appear when
// drifted.
func (o Options) columns(drifted bool) []column {
	list := []column{
		{arrow.Field{Name: "id", Type: arrow.PrimitiveTypes.Int64}, kindID},
		{arrow.Field{Name: "version", Type: arrow.PrimitiveTypes.Int64}, kindVersion},
		{core.WithMeans(arrow.Field{Name: "updated_at", Type: moments()}, core.EventTime), kindStamp},
		{arrow.Field{Name: "checksum", Type: arrow.PrimitiveTypes.Int64}, kindChecksum},
	}
	if o.Deletes == core.DeleteFlag {
		list = append(list, column{arrow.Field{Name: "deleted", Type: arrow.FixedWidthTypes.Boolean}, kindDeleted})
	}
	cycle := map[string][]kind{
		"mixed": {kindInt, kindFloat, kindText, kindBool, kindMoment, kindText}, "numbers": {kindInt, kindFloat},
		"text": {kindText}, "person": {kindGiven, kindFamily, kindEmail, kindPhone, kindCity, kindInt},
	}[o.Profile]
	for n := 0; int64(len(list)) < o.Columns; n++ {
		list = append(list, o.further(cycle[n%len(cycle)], n+1, drifted))
	}
	if o.Drift == "add" && drifted {
		list = append(list, column{arrow.Field{Name: "extra", Type: arrow.PrimitiveTypes.Int64, Nullable: true}, kindExtra})
	}
	return list
}

// further is the n-th column that only fills the row.
func (o Options) further(k kind, n int, drifted bool) column {
	if k == kindInt && n == 1 && o.Drift == "widen" && !drifted {
		k = kindNarrow
	}
	names := map[kind]string{kindInt: "number", kindNarrow: "number", kindFloat: "ratio", kindText: "text", kindBool: "flag",
		kindMoment: "moment", kindGiven: "given", kindFamily: "family", kindEmail: "email", kindPhone: "phone", kindCity: "city"}
	types := map[kind]arrow.DataType{kindInt: arrow.PrimitiveTypes.Int64, kindNarrow: arrow.PrimitiveTypes.Int32,
		kindFloat: arrow.PrimitiveTypes.Float64, kindBool: arrow.FixedWidthTypes.Boolean, kindMoment: moments()}
	means := map[kind]core.Means{kindGiven: core.PersonNameGiven, kindFamily: core.PersonNameFamily,
		kindEmail: core.PersonEmail, kindPhone: core.PersonPhone, kindCity: core.AddressCity}
	f := arrow.Field{Name: fmt.Sprintf("%s_%d", names[k], n), Type: types[k], Nullable: true}
	if f.Type == nil {
		f.Type = arrow.BinaryTypes.String
	}
	return column{core.WithMeans(f, means[k]), k}
}

func schemaOf(columns []column) *arrow.Schema {
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = c.field
	}
	return arrow.NewSchema(fields, nil)
}

// narrowed keeps the columns asked for, and the key.
func narrowed(columns []column, ask []string) []column {
	if len(ask) == 0 {
		return columns
	}
	var list []column
	for _, c := range columns {
		if c.kind == kindID || slices.Contains(ask, c.field.Name) {
			list = append(list, c)
		}
	}
	return list
}
