package coretest

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/core"
)

func oracleRules() []warehouseRule {
	return []warehouseRule{
		{name: "Oracle", why: "any sequence of writes, committed or rolled back, ends in the rows and counts that a plain map gives",
			run: oracleRows},
		{name: "OracleHistory", why: "any sequence of versioned writes ends in the versions and counts that a plain list gives",
			run: oracleHistory},
	}
}

// steps is the longest sequence that is tried.
const steps = 8

// An oracleRow is a row of people: id, and name or none.
type oracleRow struct {
	id   int64
	name *string
}

func (r oracleRow) text() string {
	if r.name == nil {
		return fmt.Sprintf("%d | null", r.id)
	}
	return fmt.Sprintf("%d | %s", r.id, *r.name)
}

func oracleSchema() *arrow.Schema {
	return schemaOf(field("id", arrow.PrimitiveTypes.Int64), field("name", arrow.BinaryTypes.String))
}

// drawRows makes requests that repeat keys, within and between them.
func drawRows(t *rapid.T) []oracleRow {
	row := rapid.Custom(func(t *rapid.T) oracleRow {
		r := oracleRow{id: rapid.Int64Range(0, 12).Draw(t, "id")}
		if name := rapid.SampledFrom([]string{"", "a", "b", "none"}).Draw(t, "name"); name != "none" {
			r.name = &name
		}
		return r
	})
	most := rapid.SampledFrom([]int{1, 2, 10}).Draw(t, "most") // small requests take other ways than big ones
	return rapid.SliceOfN(row, 0, most).Draw(t, "rows")
}

// oracleRequest makes a request of rows, cut into batches at random.
func (s *warehouseSuite) oracleRequest(t *rapid.T, table core.TableName, mode core.WriteMode, rows []oracleRow) core.WriteRequest {
	b := array.NewRecordBuilder(s.mem, oracleSchema())
	defer b.Release()
	var batches []arrow.RecordBatch
	cut := func() {
		batches = append(batches, b.NewRecordBatch())
	}
	for _, r := range rows {
		b.Field(0).(*array.Int64Builder).Append(r.id)
		if r.name == nil {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.StringBuilder).Append(*r.name)
		}
		if rapid.Bool().Draw(t, "cut") {
			cut()
		}
	}
	cut()
	reader, err := array.NewRecordReader(oracleSchema(), batches)
	for _, batch := range batches {
		batch.Release()
	}
	if err != nil {
		t.Fatal(err)
	}
	return core.WriteRequest{Table: table, Mode: mode, Key: []string{"id"}, Rows: reader}
}

// last gives the rows of a request by key: the last one counts.
func last(rows []oracleRow) map[int64]oracleRow {
	out := map[int64]oracleRow{}
	for _, r := range rows {
		out[r.id] = r
	}
	return out
}

func oracleRows(s *warehouseSuite) {
	run := 0
	rapid.Check(s.T, func(t *rapid.T) {
		run++
		table := core.TableName{Schema: "oracle", Name: "t" + strconv.Itoa(run)}
		s.define(table, oracleSchema(), "id")
		have := map[int64]oracleRow{}
		for range rapid.IntRange(1, steps).Draw(t, "steps") {
			mode := rapid.SampledFrom([]core.WriteMode{core.WriteMerge, core.WriteMerge, core.WriteDelete, core.WritePrune}).Draw(t, "mode")
			rows := drawRows(t)
			after, want := applyRows(have, mode, rows)
			commit := rapid.IntRange(0, 4).Draw(t, "commit") > 0
			s.oracleWrite(t, s.oracleRequest(t, table, mode, rows), commit, want)
			if commit {
				have = after
			}
		}
		var want []string
		for _, r := range have {
			want = append(want, r.text())
		}
		s.oracleCompare(t, s.scan(table), want)
	})
}

func (s *warehouseSuite) oracleWrite(t *rapid.T, req core.WriteRequest, commit bool, want core.Counts) {
	tx, err := s.w.Begin(s.Context())
	if err != nil {
		t.Fatal(err)
	}
	got, err := tx.Write(s.Context(), req)
	req.Rows.Release()
	if endErr := tx.End(s.Context(), commit); err != nil || endErr != nil {
		t.Fatalf("%s: %v, %v", req.Mode, err, endErr)
	}
	if got != want {
		t.Fatalf("%s counts %+v, want %+v", req.Mode, got, want)
	}
}

func (s *warehouseSuite) oracleCompare(t *rapid.T, got, want []string) {
	slices.Sort(want)
	if g, w := strings.Join(got, "\n"), strings.Join(want, "\n"); g != w {
		t.Fatalf("the table holds\n%s\nwant\n%s", g, w)
	}
}

// applyRows says what a write makes of a table without history.
func applyRows(have map[int64]oracleRow, mode core.WriteMode, rows []oracleRow) (map[int64]oracleRow, core.Counts) {
	after, given := map[int64]oracleRow{}, last(rows)
	var counts core.Counts
	for id, old := range have {
		row, named := given[id]
		switch {
		case mode == core.WriteMerge && named:
			if old.text() == row.text() {
				counts.Unchanged++
			} else {
				counts.Changed++
			}
			after[id] = row
		case mode == core.WriteDelete && named, mode == core.WritePrune && !named:
			counts.Deleted++
		default:
			after[id] = old
		}
	}
	if mode == core.WriteMerge {
		for id, row := range given {
			if _, known := have[id]; !known {
				counts.New++
				after[id] = row
			}
		}
	}
	return after, counts
}

// A versionRow is one version in the oracle; to is 0 for the current one.
type versionRow struct {
	row      oracleRow
	from, to int
}

func oracleHistory(s *warehouseSuite) {
	run := 0
	rapid.Check(s.T, func(t *rapid.T) {
		run++
		table := core.TableName{Schema: "history", Name: "t" + strconv.Itoa(run)}
		s.define(table, oracleSchema(), "id")
		var have []versionRow
		for range rapid.IntRange(1, steps).Draw(t, "steps") {
			mode := rapid.SampledFrom([]core.WriteMode{core.WriteHistory, core.WriteHistory, core.WriteDelete, core.WritePrune}).Draw(t, "mode")
			at := rapid.IntRange(1, 20).Draw(t, "day") // the clock may go back
			rows := drawRows(t)
			after, want := applyVersions(have, mode, at, rows)
			req := s.oracleRequest(t, table, mode, rows)
			req.At, req.History = day(at), true
			commit := rapid.IntRange(0, 4).Draw(t, "commit") > 0
			s.oracleWrite(t, req, commit, want)
			if commit {
				have = after
			}
		}
		var want []string
		for _, v := range have {
			to := "null"
			if v.to > 0 {
				to = day(v.to).Format(time.RFC3339)
			}
			want = append(want, v.row.text()+" | "+day(v.from).Format(time.RFC3339)+" | "+to)
		}
		if len(have) > 0 {
			s.oracleCompare(t, s.scan(table), want)
		}
	})
}

// applyVersions says what a write makes of a table with history.
func applyVersions(have []versionRow, mode core.WriteMode, at int, rows []oracleRow) ([]versionRow, core.Counts) {
	given, seen := last(rows), map[int64]bool{}
	var after []versionRow
	var counts core.Counts
	for _, v := range have {
		if v.to > 0 {
			after = append(after, v)
			continue
		}
		row, named := given[v.row.id]
		seen[v.row.id] = true
		changed := mode == core.WriteHistory && named && row.text() != v.row.text()
		gone := mode == core.WriteDelete && named || mode == core.WritePrune && !named
		switch {
		case changed:
			counts.Changed++
		case gone:
			counts.Deleted++
		case mode == core.WriteHistory && named:
			counts.Unchanged++
		}
		if !changed && !gone {
			after = append(after, v)
			continue
		}
		begins := at
		if v.from < at {
			v.to = at
			after = append(after, v)
		} else {
			begins = v.from
		}
		if changed {
			after = append(after, versionRow{row: row, from: begins})
		}
	}
	if mode == core.WriteHistory {
		for id, row := range given {
			if !seen[id] {
				counts.New++
				after = append(after, versionRow{row: row, from: at})
			}
		}
	}
	return after, counts
}
