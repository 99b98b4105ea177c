package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/spf13/cobra"

	"github.com/unsilo/unsilo/core"
)

func (a *app) queryCmd() *cobra.Command {
	return &cobra.Command{
		Use:   `query SQL`,
		Short: "Run one SELECT on the last committed state",
		Long: `Runs one SELECT and writes the rows. It works while a run is under way and sees what
was committed last. "-" reads the SQL from standard input. Files, settings and a second
statement are refused.

In JSON integers keep all their digits, decimals are strings, and so are the numbers that
JSON does not have: "NaN", "Infinity", "-Infinity".`,
		Example: `  unsilo query "SELECT * FROM raw_erp.invoices LIMIT 10"
  unsilo query -o csv "SELECT * FROM marts.revenue" > revenue.csv
  unsilo query - < report.sql`,
		Args: exactArgs("SQL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			sql := args[0]
			if sql == "-" {
				text, err := io.ReadAll(io.LimitReader(a.in, 1<<20))
				if err != nil {
					return fmt.Errorf("read standard input: %w", err)
				}
				sql = string(text)
			}
			p, err := a.load()
			if err != nil {
				return err
			}
			return p.query(cmd.Context(), sql)
		},
	}
}

func (p *project) query(ctx context.Context, sql string) error {
	w, err := p.openWarehouse(ctx, false)
	if err != nil {
		return err
	}
	defer w.Close()
	rows, err := w.Info().SQL.Query(ctx, strings.TrimSpace(sql))
	if err != nil {
		return err
	}
	defer rows.Release()
	switch p.output {
	case "csv":
		return streamCSV(p.out, rows)
	case "ndjson":
		return p.streamJSON(rows)
	}
	g, err := readGrid(rows)
	if err != nil {
		return err
	}
	g.verbatim = true
	return p.show(g)
}

func readGrid(rows array.RecordReader) (grid, error) {
	g := batchGrid(rows.Schema(), nil)
	for rows.Next() {
		more := batchGrid(rows.Schema(), []arrow.RecordBatch{rows.RecordBatch()})
		g.rows = append(g.rows, more.rows...)
	}
	if err := rows.Err(); err != nil {
		return g, &core.Error{Kind: core.KindData, Op: "read result", Err: err}
	}
	return g, nil
}

// streamJSON writes rows as they come, one object a line.
func (p *project) streamJSON(rows array.RecordReader) error {
	for rows.Next() {
		if err := p.show(batchGrid(rows.Schema(), []arrow.RecordBatch{rows.RecordBatch()})); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return &core.Error{Kind: core.KindData, Op: "read result", Err: err}
	}
	return nil
}

// streamCSV writes rows as they come, so that a large result needs no memory.
func streamCSV(w io.Writer, rows array.RecordReader) error {
	head := batchGrid(rows.Schema(), nil)
	out := csv.NewWriter(w)
	if err := out.Write(head.columns); err != nil {
		return fmt.Errorf("write output: %w", err)
	}
	line := make([]string, len(head.columns))
	for rows.Next() {
		b := rows.RecordBatch()
		for i := range int(b.NumRows()) {
			for c := range line {
				line[c] = csvCell(cell(b.Column(c), i))
			}
			if err := out.Write(line); err != nil {
				return fmt.Errorf("write output: %w", err)
			}
		}
	}
	out.Flush()
	if err := rows.Err(); err != nil {
		return fmt.Errorf("read result: %w", err)
	}
	return out.Error()
}

// sqlText quotes a text value.
func sqlText(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
