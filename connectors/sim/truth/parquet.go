package truth

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/unsilo/unsilo/connectors/sim/world"
)

// Schema of the truth file. record_key is the record's primary key as text; pack holds the
// names of hard-negative packs, joined by commas, or null.
func Schema() *arrow.Schema {
	var fields []arrow.Field
	for _, name := range []string{"source", "stream", "record_key", "person_id", "household_id", "account_id", "pack"} {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: len(fields) > 2})
	}
	return arrow.NewSchema(fields, nil)
}

// WriteFile writes the truth of the present to a Parquet file, in place of an older one.
func WriteFile(name string, s *world.State) (err error) {
	f, err := os.CreateTemp(dirOf(name), ".truth-*")
	if err != nil {
		return fmt.Errorf("make truth file: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := write(f, s); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("close truth file: %w", err)
	}
	if err := os.Rename(f.Name(), name); err != nil {
		return fmt.Errorf("name truth file: %w", err)
	}
	return nil
}

// rows go into one row group.
const rows = 1 << 16

// plain hides Close, so that the Parquet writer leaves the file to its owner.
type plain struct{ io.Writer }

func write(f io.Writer, s *world.State) error {
	schema := Schema()
	props := parquet.NewWriterProperties(parquet.WithCompression(compress.Codecs.Snappy))
	w, err := pqarrow.NewFileWriter(schema, plain{f}, props, pqarrow.DefaultWriterProps())
	if err != nil {
		return fmt.Errorf("open truth writer: %w", err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	n := 0
	flush := func() {
		if err != nil || n == 0 {
			return
		}
		batch := b.NewRecordBatch()
		defer batch.Release()
		err, n = w.Write(batch), 0
	}
	Each(s, func(r Record) {
		values := [...]string{r.Source, r.Stream, r.Key, r.Person, r.Household, r.Account, r.Packs.String()}
		for i, v := range values {
			if column, ok := b.Field(i).(*array.StringBuilder); ok && v != "" {
				column.Append(v)
			} else {
				b.Field(i).AppendNull()
			}
		}
		if n++; n == rows {
			flush()
		}
	})
	flush()
	if err != nil {
		return fmt.Errorf("write truth: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("end truth file: %w", err)
	}
	return nil
}
