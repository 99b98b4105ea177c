package mask_test

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
	"github.com/unsilo/unsilo/transforms/mask"
)

var testKey = []byte("0123456789abcdef0123456789abcdef")

func TestContract(t *testing.T) {
	text := arrow.BinaryTypes.String
	dict := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: text}
	columns := map[string]string{}
	var fields []arrow.Field
	add := func(name, mask string, typ arrow.DataType, means core.Means) {
		fields = append(fields, core.WithMeans(arrow.Field{Name: name, Type: typ, Nullable: true}, means))
		columns[name] = mask
	}
	add("email", mask.HMAC, text, core.PersonEmail)
	add("phone", mask.HMAC, arrow.BinaryTypes.LargeString, core.PersonPhone)
	add("name", mask.HMAC, dict, core.PersonNameFull)
	add("view", mask.HMAC, arrow.BinaryTypes.StringView, core.PersonNameFull)
	add("number", mask.HMAC, arrow.PrimitiveTypes.Int64, "")
	add("small", mask.HMAC, arrow.PrimitiveTypes.Uint16, core.PersonPhone)
	add("bytes", mask.HMAC, arrow.BinaryTypes.Binary, core.PersonEmail)
	add("born", mask.HMAC, arrow.FixedWidthTypes.Date32, core.PersonBirthDate)
	add("born_at", mask.HMAC, arrow.FixedWidthTypes.Timestamp_us, core.PersonBirthDate)
	add("decimal", mask.HMAC, &arrow.Decimal128Type{Precision: 18}, "")
	add("note", mask.Redact, text, core.TextFree)
	add("notes", mask.Redact, arrow.ListOf(text), core.TextFree)
	add("score", mask.Redact, arrow.PrimitiveTypes.Float64, "")
	add("mail", mask.Partial, text, core.PersonEmail)
	add("tel", mask.Partial, dict, core.PersonPhone)
	add("birthday", mask.Year, text, core.PersonBirthDate)
	add("birthdate", mask.Year, arrow.FixedWidthTypes.Date64, core.PersonBirthDate)
	add("gone", mask.Drop, arrow.PrimitiveTypes.Int64, "")
	add("clear", mask.Keep, text, core.PersonEmail)
	coretest.TestTransform(t, coretest.TransformTest{
		New: func(t *testing.T, mem memory.Allocator) core.Transform {
			tr, err := mask.New(mask.Options{Columns: columns, Key: testKey, DefaultRegion: "FI", Allocator: mem})
			if err != nil {
				t.Fatal(err)
			}
			return tr
		},
		Schema: arrow.NewSchema(fields, nil),
		Texts:  []string{"Anna@Acme.fi", "040 123 4567", "Virtanen, Anna", "4.3.1980", "", "n/a", "\xff"},
	})
}
