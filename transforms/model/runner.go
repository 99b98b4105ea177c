package model

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

// maxSample bounds the failing rows that a result shows.
const maxSample = 5

// runner runs tests on one table.
type runner struct {
	sql       core.SQL
	dialect   core.Dialect
	warehouse core.Warehouse
	table     core.TableName
	rows      int64
	at        time.Time
	// key of the table, nil when unknown; inputs of the model.
	key    []string
	inputs []core.TableName
}

// run runs one test.
func (r runner) run(ctx context.Context, t test) core.TestResult {
	res := core.TestResult{Name: t.name, Severity: t.severity}
	switch t.kind {
	case testRowCount:
		res.Failures = outside(r.rows, t.least, t.most)
	case testFreshness:
		r.fresh(ctx, t, &res)
	default:
		where := r.condition(t)
		res.Failures, res.Err = r.count(ctx, where)
		if res.Err == nil && res.Failures > 0 {
			res.Sample, res.Err = r.sample(ctx, t, where)
		}
	}
	return res
}

// outside is how far a number lies outside its bounds.
func outside(n, least, most int64) int64 {
	switch {
	case least >= 0 && n < least:
		return least - n
	case most >= 0 && n > most:
		return n - most
	}
	return 0
}

// condition is true for rows that fail. Null passes all tests but not_null, as in a CHECK
// of SQL.
func (r runner) condition(t test) string {
	columns := make([]string, len(t.columns))
	for i, c := range t.columns {
		columns[i] = r.dialect.Quote(c)
	}
	all := strings.Join(columns, ", ")
	table := quoted(r.dialect, r.table)
	switch t.kind {
	case testNotNull:
		return strings.Join(columns, " IS NULL OR ") + " IS NULL"
	case testUnique:
		present := strings.Join(columns, " IS NOT NULL AND ") + " IS NOT NULL"
		return fmt.Sprintf("(%s) IN (SELECT %s FROM %s WHERE %s GROUP BY %s HAVING COUNT(*) > 1)", all, all, table, present, all)
	case testAcceptedValues:
		values := make([]string, len(t.values))
		for i, v := range t.values {
			values[i] = "'" + strings.ReplaceAll(v, "'", "''") + "'"
		}
		return fmt.Sprintf("CAST(%s AS VARCHAR) NOT IN (%s)", all, strings.Join(values, ", "))
	case testRelationships:
		field := r.dialect.Quote(t.field)
		return fmt.Sprintf("%s IS NOT NULL AND %s NOT IN (SELECT %s FROM %s WHERE %s IS NOT NULL)", all, all, field, quoted(r.dialect, t.to), field)
	}
	return "NOT (\n" + t.sql + "\n)"
}

func (r runner) count(ctx context.Context, where string) (int64, error) {
	rows, err := r.query(ctx, fmt.Sprintf("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM %s WHERE %s", quoted(r.dialect, r.table), where))
	if err != nil || len(rows) != 1 {
		return 0, err
	}
	var n int64
	if _, err := fmt.Sscan(rows[0][0], &n); err != nil {
		return 0, fmt.Errorf("read count: %w", err)
	}
	return n, nil
}

// fresh compares the newest time with the present. A table without any is not fresh.
func (r runner) fresh(ctx context.Context, t test, res *core.TestResult) {
	// The age is computed here and not in SQL: dialects differ in their clocks.
	newest := fmt.Sprintf("SELECT CAST(MAX(%s) AS TIMESTAMP) AS newest FROM %s", r.dialect.Quote(t.columns[0]), quoted(r.dialect, r.table))
	reader, err := r.sql.Query(ctx, newest)
	if err != nil {
		res.Err = err
		return
	}
	defer reader.Release()
	age := time.Duration(1<<63 - 1)
	for reader.Next() {
		if c, ok := reader.RecordBatch().Column(0).(*array.Timestamp); ok && c.Len() > 0 && c.IsValid(0) {
			age = r.at.Sub(c.Value(0).ToTime(c.DataType().(*arrow.TimestampType).Unit))
		}
	}
	res.Err = reader.Err()
	switch {
	case t.fail > 0 && age > t.fail:
		res.Failures = 1
	case t.warn > 0 && age > t.warn:
		res.Failures, res.Severity = 1, core.TestWarn
	}
}

// sample shows the keys of a few failing rows: those columns of the key, or of the test,
// that cannot be personal.
func (r runner) sample(ctx context.Context, t test, where string) ([]string, error) {
	columns, err := r.showable(ctx, append(append([]string{}, r.key...), t.columns...))
	if err != nil || len(columns) == 0 {
		return nil, err
	}
	all := make([]string, len(columns))
	for i, c := range columns {
		all[i] = r.dialect.Quote(c)
	}
	named := strings.Join(all, ", ")
	rows, err := r.query(ctx, fmt.Sprintf("SELECT DISTINCT %s FROM %s WHERE %s ORDER BY %s LIMIT %d", named, quoted(r.dialect, r.table), where, named, maxSample))
	var out []string
	for _, row := range rows {
		for i, v := range row {
			row[i] = columns[i] + "=" + v
		}
		out = append(out, strings.Join(row, " "))
	}
	return out, err
}

// showable leaves the columns whose values may appear in a message: numbers, days and
// times and yes or no, under no name that an input uses for personal data; text only
// when it is the key of an input.
func (r runner) showable(ctx context.Context, columns []string) ([]string, error) {
	personal, keys := map[string]bool{}, map[string]bool{}
	made, err := r.tablesNamed(ctx, []core.TableName{r.table})
	if err != nil || len(made) != 1 {
		return nil, err
	}
	inputs, err := r.tablesNamed(ctx, r.inputs)
	if err != nil {
		return nil, err
	}
	for _, t := range inputs {
		for _, f := range t.Schema.Fields() {
			if core.MeansOf(f).Personal() {
				personal[strings.ToLower(f.Name)] = true
			}
		}
		for _, k := range t.Key {
			keys[strings.ToLower(k)] = true
		}
	}
	var out []string
	seen := map[string]bool{}
	for _, c := range columns {
		name := strings.ToLower(c)
		at := made[0].Schema.FieldIndices(c)
		if len(at) != 1 || personal[name] || seen[name] || !plainType(made[0].Schema.Field(at[0]).Type) && !keys[name] {
			continue
		}
		seen[name] = true
		out = append(out, c)
	}
	return out, nil
}

// plainType reports types that hold no text.
func plainType(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.BOOL, arrow.DATE32, arrow.DATE64, arrow.TIMESTAMP:
		return true
	}
	return arrow.IsInteger(t.ID())
}

// tablesNamed describes tables of the warehouse.
func (r runner) tablesNamed(ctx context.Context, names []core.TableName) ([]core.Table, error) {
	var out []core.Table
	for _, name := range names {
		tables, err := r.warehouse.Tables(ctx, name.Schema)
		if err != nil {
			return nil, fmt.Errorf("list tables: %w", err)
		}
		for _, t := range tables {
			if t.Name == name {
				out = append(out, t)
			}
		}
	}
	return out, nil
}

// query reads a small result as text.
func (r runner) query(ctx context.Context, statement string) ([][]string, error) {
	reader, err := r.sql.Query(ctx, statement)
	if err != nil {
		return nil, err
	}
	defer reader.Release()
	var rows [][]string
	for reader.Next() {
		b := reader.RecordBatch()
		for i := range int(b.NumRows()) {
			row := make([]string, b.NumCols())
			for c := range row {
				row[c] = b.Column(c).ValueStr(i)
			}
			rows = append(rows, row)
		}
	}
	return rows, reader.Err()
}
