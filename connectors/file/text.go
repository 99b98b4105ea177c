package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/connectors/rows"
	"github.com/unsilo/unsilo/core"
)

// A textFormat is CSV or JSON lines, parsed by connectors/rows.
type textFormat struct {
	csv     bool
	options rows.CSVOptions
	// header says that a CSV begins with names; names are those of one that does not.
	header bool
	names  func(first []byte) ([]string, error)
	// declared columns keep their types; order is that of the block.
	declared []rows.Column
	zone     *time.Location
	means    map[string]core.Means
	// derive adds columns to a batch, which it releases; nil adds none.
	derive func(arrow.RecordBatch) arrow.RecordBatch
}

// newText reads the settings of CSV and JSON lines.
func newText(st *stream, sc core.StreamConfig, zone *time.Location) (format, error) {
	f := &textFormat{csv: st.formatName == formatCSV, header: true, zone: zone, means: sc.Means}
	if header, ok := sc.Values["header"].(bool); ok {
		f.header = header
	}
	if !f.csv {
		f.header = false
	}
	var err error
	if f.options.Comma, err = delimiter(sc.String("delimiter"), st.patterns[0]); err != nil {
		return nil, st.fault("delimiter", `write one character, or "\t"`, err)
	}
	f.options.Nulls = sc.Strings("null_values")
	given := sc.Strings("column_names")
	f.names = func(first []byte) ([]string, error) {
		names := slices.Clone(given)
		for n := len(names) + 1; n <= countFields(first, f.options.Comma); n++ {
			names = append(names, "column_"+strconv.Itoa(n))
		}
		return names, nil
	}
	types, _ := sc.Values["types"].(map[string]any)
	for _, name := range slices.Sorted(keys(types)) {
		text, _ := types[name].(string)
		c, err := declare(name, text, zone)
		if err != nil {
			return nil, st.fault("columns."+name, "write bool, int64, float64, string, date, timestamp or decimal(12,2)", err)
		}
		c.Field = core.WithMeans(c.Field, sc.Means[name])
		f.declared = append(f.declared, c)
	}
	return f, nil
}

func keys(m map[string]any) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

func delimiter(text, name string) (byte, error) {
	switch {
	case text == "" && strings.HasSuffix(strings.ToLower(packedSuffix.ReplaceAllString(name, "")), ".tsv"), text == `\t`:
		return '\t', nil
	case text == "":
		return ',', nil
	case len(text) != 1 || text == `"` || text == "\n" || text == "\r":
		return 0, fmt.Errorf("%q cannot separate fields", text)
	}
	return text[0], nil
}

var decimalType = regexp.MustCompile(`^decimal\((\d+),\s*(\d+)\)$`)

// declare reads the type of a column; a time may be followed by its format, as in
// "date %d.%m.%Y".
func declare(name, text string, zone *time.Location) (rows.Column, error) {
	kind, layout, _ := strings.Cut(text, " ")
	if strings.HasPrefix(text, "decimal") {
		kind, layout = text, ""
	}
	c := rows.Column{Field: arrow.Field{Name: name, Nullable: true}, Format: layout, Zone: zone}
	switch kind {
	case "bool":
		c.Field.Type = arrow.FixedWidthTypes.Boolean
	case "int64":
		c.Field.Type = arrow.PrimitiveTypes.Int64
	case "float64":
		c.Field.Type = arrow.PrimitiveTypes.Float64
	case "string":
		c.Field.Type = arrow.BinaryTypes.String
	case "date":
		c.Field.Type = arrow.FixedWidthTypes.Date32
	case "timestamp":
		c.Field.Type = arrow.FixedWidthTypes.Timestamp_us
	default:
		m := decimalType.FindStringSubmatch(kind)
		if m == nil {
			return c, fmt.Errorf("%q is not a type", text)
		}
		precision, err := strconv.ParseInt(m[1], 10, 32)
		scale, err2 := strconv.ParseInt(m[2], 10, 32)
		if err != nil || err2 != nil || precision < 1 || precision > 38 || scale > precision {
			return c, fmt.Errorf("%q is not a decimal of 1 to 38 digits", text)
		}
		c.Field.Type = &arrow.Decimal128Type{Precision: int32(precision), Scale: int32(scale)}
	}
	if _, err := rows.NewBuilder(rows.Options{Columns: []rows.Column{c}}); err != nil {
		return c, err
	}
	return c, nil
}

// countFields counts the fields of a line.
func countFields(line []byte, comma byte) int {
	n, quoted := 1, false
	for _, c := range line {
		switch {
		case c == '"':
			quoted = !quoted
		case c == comma && !quoted:
			n++
		}
	}
	return n
}

func (f *textFormat) headerLines() int {
	if f.header {
		return 1
	}
	return 0
}

// options for a Builder. known columns may still widen, declared ones may not.
func (f *textFormat) builderOptions(known *arrow.Schema, batchRows int) rows.Options {
	o := rows.Options{Columns: slices.Clone(f.declared), Untyped: f.csv, Means: f.means, BatchRows: batchRows, BatchBytes: batchBytes}
	for _, c := range rows.Columns(known, true) {
		if !slices.ContainsFunc(f.declared, func(d rows.Column) bool { return d.Field.Name == c.Field.Name }) {
			c.Field.Nullable, c.Zone = true, f.zone
			o.Columns = append(o.Columns, c)
		}
	}
	return o
}

// sampleRows is how many records of a file tell the types of its columns.
const sampleRows = 1000

func (f *textFormat) schema(ctx context.Context, sample sampler) (*arrow.Schema, error) {
	b, err := rows.NewBuilder(f.builderOptions(nil, sampleRows))
	if err != nil {
		return nil, fmt.Errorf("declare columns: %w", err)
	}
	err = sample(ctx, func(in input) (bool, error) {
		d, err := f.open(in, b, sampleRows)
		for n := 0; err == nil && n < sampleRows; n++ {
			err = d.records.Next(b)
		}
		return true, err
	})
	if rejected := b.TakeRejects(); rejected != nil {
		rejected.Release()
	}
	if err != nil {
		return nil, err
	}
	schema := b.Schema()
	if f.derive == nil {
		return schema, nil
	}
	return f.derivedSchema(schema), nil
}

// derivedSchema asks derive what it makes of an empty batch.
func (f *textFormat) derivedSchema(schema *arrow.Schema) *arrow.Schema {
	columns := make([]arrow.Array, schema.NumFields())
	for i, field := range schema.Fields() {
		columns[i] = array.MakeArrayOfNull(memory.DefaultAllocator, field.Type, 0)
	}
	empty := f.derive(array.NewRecordBatch(schema, columns, 0))
	defer empty.Release()
	return empty.Schema()
}

// recordReader is what the readers of connectors/rows have in common.
type recordReader interface {
	Next(b *rows.Builder) error
	Offset() int64
	Line() int
}

func (f *textFormat) decoder(_ context.Context, in input, s *session) (decoder, error) {
	b, ok := s.shared.(*rows.Builder)
	if !ok {
		known := s.columns
		if f.derive != nil {
			known = nil
		}
		var err error
		if b, err = rows.NewBuilder(f.builderOptions(known, s.batchRows)); err != nil {
			return nil, fmt.Errorf("declare columns: %w", err)
		}
		s.shared = b
	}
	return f.open(in, b, s.batchRows)
}

// open starts reading records.
func (f *textFormat) open(in input, b *rows.Builder, limit int) (*textDecoder, error) {
	d := &textDecoder{in: in, builder: b, derive: f.derive, limit: limit}
	if !f.csv {
		r := rows.NewJSONLReader(in.reader, rows.Limits{Record: maxLine})
		r.WholeLines = !in.final
		d.records = r
		return d, nil
	}
	o := f.options
	o.WholeLines = !in.final
	o.Limits.Record = maxLine
	reader := in.reader
	if len(in.header) > 0 {
		reader = io.MultiReader(bytes.NewReader(in.header), reader)
		d.ahead, d.aheadLines = int64(len(in.header)), int64(bytes.Count(in.header, []byte{'\n'}))
	}
	if !f.header {
		first := make([]byte, peekBytes)
		n, err := io.ReadFull(reader, first)
		if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, err
		}
		reader = io.MultiReader(bytes.NewReader(first[:n]), reader)
		if o.Header, err = f.namesIn(first[:n], in, n == peekBytes); err != nil {
			return nil, err
		}
	}
	d.records = rows.NewCSVReader(reader, o)
	return d, nil
}

// namesIn names the fields of a file without a header by its first record. One that does not
// fit is no more than a bad record, and the next one tells; but a file that begins with
// nothing else is of another kind. A record without its end, unless nothing more is to come,
// tells nothing yet.
func (f *textFormat) namesIn(start []byte, in input, more bool) ([]string, error) {
	var misfit error
	for {
		start = bytes.TrimLeft(start, "\r\n")
		line, rest, ended := bytes.Cut(start, []byte{'\n'})
		if ended || len(line) > 0 && (in.final || more) {
			names, err := f.names(line)
			if err == nil {
				return names, nil
			}
			misfit = err
		}
		if !ended {
			break
		}
		start = rest
	}
	if misfit != nil && in.offset == 0 {
		return nil, misfit
	}
	return f.names(nil)
}

type textDecoder struct {
	in      input
	records recordReader
	builder *rows.Builder
	derive  func(arrow.RecordBatch) arrow.RecordBatch
	limit   int
	// ahead and aheadLines are of the header that was put before the input.
	ahead, aheadLines int64

	numbers, rejected []int64
	before            int64
}

func (*textDecoder) close() {}

// next gathers records into a chunk.
func (d *textDecoder) next() (chunk, error) {
	var err error
	d.before = d.offset()
	for err == nil && !d.builder.Full() && len(d.numbers)+len(d.rejected) < d.limit {
		before, had := d.offset(), d.builder.Len()
		if err = d.records.Next(d.builder); err != nil {
			break
		}
		d.before = before
		line := d.in.line + int64(d.records.Line()) - d.aheadLines
		if d.builder.Len() > had {
			d.numbers = append(d.numbers, line)
		} else {
			d.rejected = append(d.rejected, line)
		}
	}
	return d.take(), err
}

func (d *textDecoder) offset() int64 {
	return d.in.offset + max(0, d.records.Offset()-d.ahead)
}

func (d *textDecoder) take() chunk {
	c := chunk{offset: d.offset(), before: d.before, rows: d.builder.Take(), lines: d.numbers}
	if c.rows != nil && d.derive != nil {
		c.rows = d.derive(c.rows)
	}
	if rejected := d.builder.TakeRejects(); rejected != nil {
		c.rejects = d.withPlaces(rejected)
	}
	d.numbers, d.rejected = nil, nil
	return c
}

// withPlaces puts file and line before the paths of rejected records.
func (d *textDecoder) withPlaces(batch arrow.RecordBatch) arrow.RecordBatch {
	defer batch.Release()
	var out rejects
	records, reasons := batch.Column(0).(*array.String), batch.Column(1).(*array.String)
	paths := batch.Column(2).(*array.String)
	for i := range records.Len() {
		where := d.in.name
		if i < len(d.rejected) {
			where = place(d.in.name, d.rejected[i])
		}
		if p := paths.Value(i); strings.HasPrefix(p, "$") {
			where += " " + p
		}
		out.add([]byte(records.Value(i)), reasons.Value(i), where)
	}
	return out.take()
}
