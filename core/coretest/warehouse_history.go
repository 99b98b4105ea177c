package coretest

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

func historyRules() []warehouseRule {
	return []warehouseRule{
		{name: "HistoryVersions", why: "WriteHistory keeps every version; a changed row closes the current one at At; an equal one does nothing",
			run: historyVersions},
		{name: "HistoryDelete", why: "a deleted row is closed without a successor; one that comes back begins a new version", run: historyDelete},
		{name: "HistoryPrune", why: "prune closes the current versions whose key is not given, and its brake counts current rows", run: historyPrune},
		{name: "HistoryDuplicates", why: "of several rows with one key in a request the last one makes the version", run: historyDuplicates},
		{name: "HistoryNoTime", why: "a version is never valid for no time or less: a change at the same time or earlier replaces it",
			run: historyNoTime},
		{name: "HistoryColumns", why: "the columns of history are the warehouse's: a zoned timestamp each, added when needed", run: historyColumns},
	}
}

func (s *warehouseSuite) version(at time.Time, lines ...string) core.Counts {
	s.Helper()
	return s.write(core.WriteRequest{Table: people(), Mode: core.WriteHistory, Key: []string{"id"}, At: at, Rows: s.rows(peopleSchema(), lines...)})
}

func (s *warehouseSuite) removeVersions(mode core.WriteMode, at time.Time, lines ...string) core.Counts {
	s.Helper()
	return s.write(core.WriteRequest{Table: people(), Mode: mode, Key: []string{"id"}, At: at, History: true, Rows: s.rows(ids(), lines...)})
}

// versions compares id, name, from and to; times are days of March, "-" is none.
func (s *warehouseSuite) versions(want ...string) {
	s.Helper()
	r, err := s.w.Scan(s.Context(), core.ScanRequest{Table: people(), Columns: []string{"id", "name", core.HistoryFrom, core.HistoryTo}})
	if err != nil {
		s.Fatal(err)
	}
	defer r.Release()
	got := s.texts(r)
	for i := range got {
		got[i] = shortDays(got[i])
	}
	slices.Sort(got)
	s.same("versions", got, append([]string{}, want...))
}

func historyVersions(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	s.same("first", s.version(day(1), `{"id":1,"name":"a"}`, `{"id":2,"name":"b"}`), core.Counts{New: 2})
	s.same("second", s.version(day(2), `{"id":1,"name":"a2"}`, `{"id":2,"name":"b"}`, `{"id":3,"name":"c"}`), core.Counts{New: 1, Changed: 1, Unchanged: 1})
	s.same("back", s.version(day(3), `{"id":1,"name":"a"}`), core.Counts{Changed: 1})
	s.versions("1 | a | 1 | 2", "1 | a | 3 | -", "1 | a2 | 2 | 3", "2 | b | 1 | -", "3 | c | 2 | -")
}

func historyDelete(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	s.version(day(1), `{"id":1,"name":"a"}`, `{"id":2,"name":"b"}`)
	s.same("deleted", s.removeVersions(core.WriteDelete, day(2), `{"id":1}`, `{"id":9}`), core.Counts{Deleted: 1})
	s.same("deleted again", s.removeVersions(core.WriteDelete, day(3), `{"id":1}`), core.Counts{})
	s.same("back", s.version(day(4), `{"id":1,"name":"a"}`), core.Counts{New: 1})
	s.versions("1 | a | 1 | 2", "1 | a | 4 | -", "2 | b | 1 | -")
}

func historyPrune(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	s.version(day(1), `{"id":1,"name":"a"}`, `{"id":2,"name":"b"}`, `{"id":3,"name":"c"}`)
	s.version(day(2), `{"id":1,"name":"a2"}`)
	s.within(true, func(tx core.Tx) {
		rows := s.rows(ids(), `{"id":1}`)
		defer rows.Release()
		_, err := tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: core.WritePrune, Key: []string{"id"}, At: day(3), History: true, MaxShare: 0.5, Rows: rows})
		s.refused("2 of 3 current rows", err)
	})
	s.same("closed", s.removeVersions(core.WritePrune, day(3), `{"id":1}`, `{"id":3}`), core.Counts{Deleted: 1})
	s.versions("1 | a | 1 | 2", "1 | a2 | 2 | -", "2 | b | 1 | 3", "3 | c | 1 | -")
}

func historyDuplicates(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	s.same("first", s.version(day(1), `{"id":1,"name":"x"}`, `{"id":1,"name":"a"}`), core.Counts{New: 1})
	s.same("there and back", s.version(day(2), `{"id":1,"name":"x"}`, `{"id":1,"name":"a"}`), core.Counts{Unchanged: 1})
	s.same("changed", s.version(day(3), `{"id":1,"name":"x"}`, `{"id":1,"name":"b"}`, `{"id":2,"name":"n"}`), core.Counts{New: 1, Changed: 1})
	s.versions("1 | a | 1 | 3", "1 | b | 3 | -", "2 | n | 3 | -")
}

func historyNoTime(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	s.version(day(5), `{"id":1,"name":"a"}`, `{"id":2,"name":"b"}`)
	s.same("same time", s.version(day(5), `{"id":1,"name":"a2"}`), core.Counts{Changed: 1})
	s.same("earlier", s.version(day(4), `{"id":1,"name":"a3"}`), core.Counts{Changed: 1})
	s.same("deleted at once", s.removeVersions(core.WriteDelete, day(5), `{"id":2}`), core.Counts{Deleted: 1})
	s.versions("1 | a3 | 5 | -")
}

func historyColumns(s *warehouseSuite) {
	s.define(people(), peopleSchema(), "id")
	s.put(core.WriteMerge, `{"id":1,"name":"old"}`)
	s.version(day(2), `{"id":1,"name":"new"}`)
	s.versions("1 | new | 2 | -", "1 | old | - | 2")
	schema := s.table(people()).Schema
	for i, name := range []string{core.HistoryFrom, core.HistoryTo} {
		if f := schema.Field(3 + i); f.Name != name || !arrow.TypeEqual(f.Type, arrow.FixedWidthTypes.Timestamp_us) {
			s.Errorf("column %d is %v, want %s, a timestamp[us, UTC]", 3+i, f, name)
		}
	}
	s.define(people(), schema, "id")
	s.same("after Define with what Tables gave", s.version(day(3), `{"id":1,"name":"new"}`), core.Counts{Unchanged: 1})
	s.within(true, func(tx core.Tx) {
		rows := s.rows(schema, `{"id":1}`)
		defer rows.Release()
		_, err := tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: core.WriteHistory, Key: []string{"id"}, At: day(4), Rows: rows})
		s.refused("rows with the warehouse's columns", err)
		rows = s.rows(peopleSchema(), `{"id":1}`)
		defer rows.Release()
		_, err = tx.Write(s.Context(), core.WriteRequest{Table: people(), Mode: core.WriteHistory, Key: []string{"id"}, Rows: rows})
		s.refused("history without a time", err)
	})
}

// shortDays writes a version's times as days of March and no time as "-".
func shortDays(line string) string {
	cells := strings.Split(line, " | ")
	for i := 2; i < len(cells); i++ {
		if cells[i] == "null" {
			cells[i] = "-"
			continue
		}
		at, err := time.Parse("2006-01-02T15:04:05Z07:00", cells[i])
		if err == nil && at.Equal(day(at.Day())) {
			cells[i] = strconv.Itoa(at.Day())
		}
	}
	return strings.Join(cells, " | ")
}
