package engine_test

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
)

// A first read in the midst of which a column changes its type keeps the versions it has
// already stored apart.
func TestHistorySurvivesAChangeOfTypeInTheFirstRead(t *testing.T) {
	s := newSilo(40)
	s.extra = []arrow.Field{{Name: "size", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}
	s.value = func(r row) any { return r.id }
	s.stream.Schema = s.schema()
	b := newBench(t, config.Stream{Write: "history"}, map[string]*silo{"crm": s})
	b.e.Limits.Rows = 7
	s.fail = func(read, batch int) error {
		if read > 1 && batch == 3 { // behind the sample
			s.extra[0].Type, s.value = arrow.BinaryTypes.String, func(row) any { return "large" }
		}
		return nil
	}
	b.mustRun()
	rows := b.rows("crm", "id", core.HistoryFrom, core.HistoryTo)
	for _, r := range rows {
		if r[1] == nil || r[2] != nil {
			t.Errorf("row %v is valid from %v to %v", r[0], r[1], r[2])
		}
	}
	if len(rows) != 40 {
		t.Errorf("%d versions, want 40", len(rows))
	}
}
