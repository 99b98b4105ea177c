package engine_test

import (
	"strings"
	"testing"

	"github.com/unsilo/unsilo/core/config"
)

// A row without a value in its key cannot be told from others: it is set aside, and does not
// keep the rest of the stream from landing.
func TestRowsWithoutAKeyAreSetAside(t *testing.T) {
	for _, block := range []config.Stream{{}, {Mode: "full"}, {Write: "history"}, {OnSchemaChange: "freeze"}} {
		s := newSilo(30)
		s.rows[7] = row{id: 7, updated: 1, name: "nobody", nullID: true}
		b := newBench(t, block, map[string]*silo{"crm": s})
		for range 2 {
			if r := b.mustRun(); r.Quarantined != 1 && block.Mode == "full" {
				t.Errorf("%+v: quarantined %d, want 1", block, r.Quarantined)
			}
		}
		want := s.expect()
		delete(want, 7)
		b.same("crm", want)
		rows := b.quarantined("reason", "path", "record")
		if len(rows) != 1 || !strings.Contains(rows[0][0].(string), "key") || rows[0][1] != "$.id" || !strings.Contains(rows[0][2].(string), "nobody") {
			t.Errorf("%+v: the quarantine holds %v", block, rows)
		}
	}
}

// The same when the key is the value that a policy drops.
func TestDroppedKeysAreSetAside(t *testing.T) {
	s := newSilo(10)
	b := newBench(t, config.Stream{OnSchemaChange: "drop_value"}, map[string]*silo{"crm": s})
	b.mustRun()
	s.stream.Schema = s.schema()
	s.textID = true
	s.change(50, 60, "fits")
	s.rows[51] = row{id: 51, updated: 61, name: "does not", nullID: true}
	if r := b.mustRun(); r.New != 1 || r.Quarantined != 1 {
		t.Errorf("new %d quarantined %d, want 1 and 1", r.New, r.Quarantined)
	}
}
