package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	pqfile "github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/unsilo/unsilo/core"
)

// parquetFormat is Parquet, read with Arrow. A file is foreign input: a panic of the reader
// is an error of the file.
type parquetFormat struct {
	fs FileSystem
}

func (parquetFormat) headerLines() int { return 0 }

func (f parquetFormat) schema(ctx context.Context, sample sampler) (*arrow.Schema, error) {
	schema := arrow.NewSchema(nil, nil)
	err := sample(ctx, func(in input) (bool, error) {
		d, err := f.open(ctx, in, 1)
		if err != nil {
			return false, err
		}
		defer d.close()
		schema = plainSchema(d.schema)
		return false, nil
	})
	return schema, err
}

func (f parquetFormat) decoder(ctx context.Context, in input, s *session) (decoder, error) {
	return f.open(ctx, in, s.batchRows)
}

// open reads the footer.
func (f parquetFormat) open(ctx context.Context, in input, batchRows int) (d *parquetDecoder, err error) {
	d = &parquetDecoder{name: in.name, skip: in.line}
	defer func() {
		if p := recover(); p != nil {
			err = badParquet(in.name, fmt.Errorf("the reader gave up: %v", p))
		}
		if err != nil {
			d.close()
		}
	}()
	source, err := f.random(ctx, in)
	if err != nil {
		return d, err
	}
	d.closers = append(d.closers, source.Close)
	reader, err := pqfile.NewParquetReader(source)
	if err != nil {
		return d, badParquet(in.name, err)
	}
	d.closers = append(d.closers, reader.Close)
	files, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{BatchSize: int64(batchRows)}, memory.DefaultAllocator)
	if err != nil {
		return d, badParquet(in.name, err)
	}
	if d.schema, err = files.Schema(); err != nil {
		return d, badParquet(in.name, err)
	}
	records, err := files.GetRecordReader(ctx, nil, nil)
	if err != nil {
		return d, badParquet(in.name, err)
	}
	d.records = records
	d.closers = append(d.closers, func() error { records.Release(); return nil })
	return d, nil
}

// A randomFile can be read at any place.
type randomFile interface {
	parquet.ReaderAtSeeker
	io.Closer
}

// random gives the file for reading at any place; one that is far away is fetched first.
func (f parquetFormat) random(ctx context.Context, in input) (randomFile, error) {
	opened, err := f.fs.Open(ctx, in.entry, 0)
	if err != nil {
		return nil, err
	}
	if file, ok := opened.(randomFile); ok {
		return file, nil
	}
	spool, err := os.CreateTemp("", "unsilo-parquet-")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("make temporary file: %w", err), opened.Close())
	}
	_, err = io.Copy(spool, opened)
	if err = errors.Join(err, opened.Close(), os.Remove(spool.Name())); err != nil {
		return nil, errors.Join(err, spool.Close())
	}
	return spool, nil
}

func badParquet(name string, err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &core.Error{Kind: core.KindData, Op: "read Parquet", Try: "check that the file is complete", Err: fmt.Errorf("%s: %w", name, err)}
}

type parquetDecoder struct {
	name    string
	schema  *arrow.Schema
	records pqarrow.RecordReader
	closers []func() error
	// skip is how many rows were read before, row how many are done.
	skip, row int64
}

func (d *parquetDecoder) close() {
	for i := len(d.closers) - 1; i >= 0; i-- {
		_ = d.closers[i]() // only read from
	}
	d.closers = nil
}

func (d *parquetDecoder) next() (c chunk, err error) {
	c.offset = d.row
	defer func() {
		if p := recover(); p != nil {
			err = badParquet(d.name, fmt.Errorf("the reader gave up: %v", p))
		}
	}()
	for {
		if !d.records.Next() {
			if err := d.records.Err(); err != nil && !errors.Is(err, io.EOF) {
				return c, badParquet(d.name, err)
			}
			return c, io.EOF
		}
		batch := d.records.RecordBatch()
		n := batch.NumRows()
		from := min(n, max(0, d.skip-d.row))
		d.row += n
		c.offset = d.row
		if from == n {
			continue
		}
		c.rows = plainColumns(batch.NewSlice(from, n))
		for line := d.row - n + from; line < d.row; line++ {
			c.lines = append(c.lines, line+1)
		}
		return c, nil
	}
}

// plainSchema replaces extension types by what they are stored as, and drops the metadata
// of other programs.
func plainSchema(s *arrow.Schema) *arrow.Schema {
	fields := make([]arrow.Field, s.NumFields())
	for i, f := range s.Fields() {
		t := f.Type
		if ext, ok := t.(arrow.ExtensionType); ok {
			t = ext.StorageType()
		}
		fields[i] = arrow.Field{Name: f.Name, Type: t, Nullable: true}
	}
	return arrow.NewSchema(fields, nil)
}

// plainColumns does so for a batch, which it releases.
func plainColumns(batch arrow.RecordBatch) arrow.RecordBatch {
	defer batch.Release()
	columns := make([]arrow.Array, batch.NumCols())
	for i, c := range batch.Columns() {
		columns[i] = c
		if ext, ok := c.(array.ExtensionArray); ok {
			columns[i] = ext.Storage()
		}
	}
	return array.NewRecordBatch(plainSchema(batch.Schema()), columns, batch.NumRows())
}
