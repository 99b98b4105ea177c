package engine

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/plan"
)

// The tables of schema unsilo that the engine keeps.

var (
	text    = arrow.BinaryTypes.String
	whole   = arrow.PrimitiveTypes.Int64
	float   = arrow.PrimitiveTypes.Float64
	instant = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}
)

func systemTables() []core.Table {
	return []core.Table{runsTable(), runStreamsTable(), runModelsTable(), modelsTable(), quarantineTable()}
}

func systemTable(name string, key []string, columns ...arrow.Field) core.Table {
	for i := range columns {
		columns[i].Nullable = true
	}
	return core.Table{Name: core.TableName{Schema: core.SchemaSystem, Name: name}, Key: key, Schema: arrow.NewSchema(columns, nil)}
}

func runsTable() core.Table {
	return systemTable("runs", []string{"run_id"}, arrow.Field{Name: "run_id", Type: text}, arrow.Field{Name: "started_at", Type: instant},
		arrow.Field{Name: "ended_at", Type: instant}, arrow.Field{Name: "status", Type: text}, arrow.Field{Name: "rows_read", Type: whole},
		arrow.Field{Name: "rows_landed", Type: whole}, arrow.Field{Name: "rows_quarantined", Type: whole},
		arrow.Field{Name: "notes", Type: text}, arrow.Field{Name: "host", Type: text}, arrow.Field{Name: "pid", Type: whole})
}

func runStreamsTable() core.Table {
	return systemTable("run_streams", []string{"run_id", "source", "stream"}, arrow.Field{Name: "run_id", Type: text},
		arrow.Field{Name: "source", Type: text}, arrow.Field{Name: "stream", Type: text}, arrow.Field{Name: "status", Type: text},
		arrow.Field{Name: "read", Type: whole}, arrow.Field{Name: "new", Type: whole}, arrow.Field{Name: "changed", Type: whole},
		arrow.Field{Name: "deleted", Type: whole}, arrow.Field{Name: "quarantined", Type: whole}, arrow.Field{Name: "seconds", Type: float},
		arrow.Field{Name: "cursor_before", Type: text}, arrow.Field{Name: "cursor_after", Type: text}, arrow.Field{Name: "error", Type: text})
}

func runModelsTable() core.Table {
	return systemTable("run_models", []string{"run_id", "model"}, arrow.Field{Name: "run_id", Type: text}, arrow.Field{Name: "model", Type: text},
		arrow.Field{Name: "status", Type: text}, arrow.Field{Name: "rows", Type: whole}, arrow.Field{Name: "seconds", Type: float},
		arrow.Field{Name: "tests", Type: whole}, arrow.Field{Name: "tests_failed", Type: whole}, arrow.Field{Name: "error", Type: text})
}

func modelsTable() core.Table {
	return systemTable("models", []string{"model"}, arrow.Field{Name: "model", Type: text}, arrow.Field{Name: "fingerprint", Type: text},
		arrow.Field{Name: "inputs", Type: text}, arrow.Field{Name: "run_id", Type: text}, arrow.Field{Name: "built_at", Type: instant})
}

func quarantineTable() core.Table {
	return systemTable("quarantine", []string{"id"}, arrow.Field{Name: "id", Type: text}, arrow.Field{Name: "run_id", Type: text}, arrow.Field{Name: "source", Type: text},
		arrow.Field{Name: "stream", Type: text}, arrow.Field{Name: "at", Type: instant}, arrow.Field{Name: "reason", Type: text},
		arrow.Field{Name: "path", Type: text}, arrow.Field{Name: "record", Type: text})
}

// rows collects a few rows for one of the tables above.
type rows struct {
	table   core.Table
	builder *array.RecordBuilder
}

func newRows(t core.Table) *rows {
	return &rows{table: t, builder: array.NewRecordBuilder(memory.DefaultAllocator, t.Schema)}
}

func (r *rows) release() { r.builder.Release() }

// append adds one row; values stand in the order of the columns, and "" is null.
func (r *rows) append(values ...any) {
	for i, v := range values {
		switch b := r.builder.Field(i).(type) {
		case *array.StringBuilder:
			if s, _ := v.(string); s != "" {
				b.Append(s)
				continue
			}
		case *array.Int64Builder:
			if n, ok := v.(int64); ok {
				b.Append(n)
				continue
			}
		case *array.Float64Builder:
			if f, ok := v.(float64); ok {
				b.Append(f)
				continue
			}
		case *array.TimestampBuilder:
			if t, ok := v.(time.Time); ok && !t.IsZero() {
				b.Append(arrow.Timestamp(t.UnixMicro()))
				continue
			}
		}
		r.builder.Field(i).AppendNull()
	}
}

func (r *rows) write(ctx context.Context, tx core.Tx, mode core.WriteMode, key []string) error {
	batch := r.builder.NewRecordBatch()
	defer batch.Release()
	if batch.NumRows() == 0 {
		return nil
	}
	reader, err := array.NewRecordReader(batch.Schema(), []arrow.RecordBatch{batch})
	if err != nil {
		return fmt.Errorf("read rows: %w", err)
	}
	defer reader.Release()
	_, err = tx.Write(ctx, core.WriteRequest{Table: r.table.Name, Mode: mode, Key: key, Rows: reader})
	return err
}

// begin records that the run is under way, and that earlier ones which never ended were
// interrupted.
func (r *run) begin(ctx context.Context, tx core.Tx) error {
	host, _ := os.Hostname() // a run without a host name is recorded without one
	out := newRows(runsTable())
	defer out.release()
	out.append(r.id, r.started, nil, string(StatusRunning), nil, nil, nil, "", host, int64(os.Getpid()))
	for _, left := range r.abandoned {
		out.append(left...)
	}
	return out.write(ctx, tx, core.WriteMerge, runsTable().Key)
}

// findAbandoned finds the records of runs that never ended. Whoever holds the lock knows
// that they are not under way.
func (r *run) findAbandoned(ctx context.Context) error {
	rows, err := r.Warehouse.Scan(ctx, core.ScanRequest{Table: runsTable().Name, Columns: columnNames(runsTable().Schema)})
	if err != nil {
		return fmt.Errorf("scan runs: %w", err)
	}
	defer rows.Release()
	status := runsTable().Schema.FieldIndices("status")[0]
	for rows.Next() {
		b := rows.RecordBatch()
		for i := range int(b.NumRows()) {
			if textAt(b, status, i) != string(StatusRunning) {
				continue
			}
			values := make([]any, b.NumCols())
			for c := range values {
				values[c] = valueAt(b.Column(c), i)
			}
			values[status] = string(StatusInterrupted)
			r.abandoned = append(r.abandoned, values)
		}
	}
	return rows.Err()
}

// valueAt copies a value of one of the tables above, in the form that append takes.
func valueAt(col arrow.Array, i int) any {
	if col.IsNull(i) {
		return nil
	}
	switch c := col.(type) {
	case *array.Int64:
		return c.Value(i)
	case *array.Float64:
		return c.Value(i)
	case *array.Timestamp:
		return c.Value(i).ToTime(c.DataType().(*arrow.TimestampType).Unit)
	}
	return strings.Clone(col.ValueStr(i))
}

// record stores what the run did.
func (r *run) record(ctx context.Context, res *Result) error {
	runs, streams, models := newRows(runsTable()), newRows(runStreamsTable()), newRows(runModelsTable())
	defer runs.release()
	defer streams.release()
	defer models.release()
	var read, quarantined int64
	for _, s := range res.Streams {
		read, quarantined = read+s.Read, quarantined+s.Quarantined
		streams.append(r.id, s.Source, s.Stream, string(s.Status), s.Read, s.New, s.Changed, s.Deleted, s.Quarantined,
			s.Seconds, s.Before, s.After, r.errorText(s.Err))
	}
	for _, m := range res.Models {
		failed := int64(0)
		for _, t := range m.Tests {
			if t.Failures > 0 || t.Err != nil {
				failed++
			}
		}
		models.append(r.id, m.Ref.String(), string(m.Status), m.Rows, m.Seconds, int64(len(m.Tests)), failed, r.errorText(m.Err))
	}
	host, _ := os.Hostname()
	notes := ""
	if len(res.Notes) > 0 {
		b, err := json.Marshal(res.Notes)
		if err != nil {
			return fmt.Errorf("write notes: %w", err)
		}
		notes = string(b)
	}
	runs.append(r.id, r.started, res.Ended, string(res.Status), read, res.Landed(), quarantined, notes, host, int64(os.Getpid()))
	return r.inTx(ctx, func(tx core.Tx) error {
		if err := runs.write(ctx, tx, core.WriteMerge, runsTable().Key); err != nil {
			return err
		}
		if err := streams.write(ctx, tx, core.WriteAppend, nil); err != nil {
			return err
		}
		return models.write(ctx, tx, core.WriteAppend, nil)
	})
}

func (r *run) errorText(err error) string {
	if err == nil {
		return ""
	}
	return r.redact(err.Error())
}

// built reads what each model was last built from.
func (e *Engine) built(ctx context.Context, tables []core.Table) (map[string]plan.Built, error) {
	out := map[string]plan.Built{}
	for _, t := range tables {
		if t.Name != modelsTable().Name {
			continue
		}
		rows, err := e.Warehouse.Scan(ctx, core.ScanRequest{Table: t.Name, Columns: []string{"model", "fingerprint", "inputs", "run_id"}})
		if err != nil {
			return nil, fmt.Errorf("scan %s: %w", t.Name, err)
		}
		defer rows.Release()
		for rows.Next() {
			b := rows.RecordBatch()
			for i := range int(b.NumRows()) {
				built := plan.Built{Fingerprint: textAt(b, 1, i), RunID: textAt(b, 3, i)}
				if err := json.Unmarshal([]byte(textAt(b, 2, i)), &built.Inputs); err != nil {
					return nil, fmt.Errorf("read inputs of %s: %w", textAt(b, 0, i), err)
				}
				out[textAt(b, 0, i)] = built
			}
		}
		return out, rows.Err()
	}
	return out, nil
}

// textAt copies a text out of a batch, which is gone when the text is used.
func textAt(b arrow.RecordBatch, column, row int) string {
	return strings.Clone(b.Column(column).ValueStr(row))
}
