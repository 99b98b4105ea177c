package engine_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/engine"
)

// redact stands for a project without a privacy key: it masks by leaving the value out and
// knows no hmac.
type redact map[string]string

func (r redact) Schema(in *arrow.Schema) (*arrow.Schema, error) { return in, nil }

func (r redact) Apply(_ context.Context, in arrow.RecordBatch) (arrow.RecordBatch, error) {
	cols := make([]arrow.Array, in.NumCols())
	for i, f := range in.Schema().Fields() {
		cols[i] = in.Column(i)
		if r[f.Name] != "" {
			cols[i] = array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, int(in.NumRows()))
			defer cols[i].Release()
		}
	}
	return array.NewRecordBatch(in.Schema(), cols, in.NumRows()), nil
}

func newRedact(columns map[string]string) (core.Transform, error) {
	for _, mask := range columns {
		if mask == "hmac" {
			return nil, &core.Error{Kind: core.KindConfig, Err: errors.New("the hmac mask needs a key")}
		}
	}
	return redact(columns), nil
}

func (b *bench) quarantined(columns ...string) [][]any {
	b.t.Helper()
	return b.table(core.TableName{Schema: core.SchemaSystem, Name: "quarantine"}, columns...)
}

// A new column that nobody labelled is not stored in clear by way of the quarantine; one
// that was labelled as nothing personal is.
func TestQuarantineWithholdsColumnsThatNobodyLabelled(t *testing.T) {
	for name, c := range map[string]struct {
		label core.Means
		clear bool
	}{
		"unlabelled": {"", false}, "personal": {core.PersonEmail, false}, "not personal": {core.NotPersonal, true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSilo(10)
			b := newBench(t, config.Stream{OnSchemaChange: "quarantine"}, map[string]*silo{"crm": s})
			b.mustRun()
			s.stream.Schema = s.schema()
			s.extra = []arrow.Field{core.WithMeans(arrow.Field{Name: "zzz", Type: arrow.BinaryTypes.String, Nullable: true}, c.label)}
			s.value = func(r row) any {
				if r.id < 50 {
					return nil
				}
				return "Secret Value " + r.name
			}
			s.change(50, 60, "one")
			s.change(51, 61, "two")
			if r := b.mustRun(); r.Quarantined != 2 || r.New != 0 {
				t.Errorf("quarantined %d new %d, want 2 and 0", r.Quarantined, r.New)
			}
			rows := b.quarantined("record", "path")
			if len(rows) != 2 {
				t.Fatalf("the quarantine holds %v, want two records", rows)
			}
			for _, r := range rows {
				record := r[0].(string)
				if strings.Contains(record, "Secret Value") != c.clear {
					t.Errorf("record %s", record)
				}
				if !strings.Contains(record, `"name":"`) || r[1] != "$.zzz" {
					t.Errorf("record %s at %s does not show the rest and the place", record, r[1])
				}
			}
		})
	}
}

// The same for records that the connector could not make into rows.
func TestRejectsWithholdMembersThatAreNoColumns(t *testing.T) {
	s := newSilo(1)
	s.rejectText = []string{`{"id":"x","name":"known","mail":"anna@acme.fi","n":7,"deep":{"phone":"0401234567","gone":false}}`}
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
	b.mustRun()
	record, _ := b.quarantined("record")[0][0].(string)
	for _, secret := range []string{"anna", "0401234567"} {
		if strings.Contains(record, secret) {
			t.Errorf("record %s holds %s", record, secret)
		}
	}
	for _, kept := range []string{`"id":"x"`, `"name":"known"`, `"n":7`, `"gone":false`} {
		if !strings.Contains(record, kept) {
			t.Errorf("record %s lacks %s", record, kept)
		}
	}
}

// Records of which everything is withheld look the same; they stay apart nevertheless, and
// each is there once however often it is read.
func TestWithheldRecordsStayApart(t *testing.T) {
	s := newSilo(3)
	s.rejectText = []string{"not,an,object", "another,line", `{"id":"x","name":"a"}`, `{"id":"x","name":"b"}`}
	b := newBench(t, config.Stream{Mode: "full", Mask: map[string]string{"name": "redact"}}, map[string]*silo{"crm": s})
	b.e.Mask = newRedact
	for range 2 {
		if r := b.mustRun(); r.Quarantined != 4 {
			t.Errorf("quarantined %d, want 4", r.Quarantined)
		}
		b.e = again(b.e) // the key outlives the process
	}
	rows := b.quarantined("id", "record")
	if len(rows) != 4 {
		t.Errorf("the quarantine holds %d records, want 4: %v", len(rows), rows)
	}
	for _, r := range rows {
		if rec := r[1].(string); !strings.Contains(rec, "(masked)") || strings.Contains(rec, "another") {
			t.Errorf("record %s", rec)
		}
	}
	info, err := os.Stat(filepath.Join(b.e.Project.Dir, ".unsilo", "quarantine.key"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key of the ids: %v %v", info, err)
	}
	other := newBench(t, config.Stream{Mode: "full", Mask: map[string]string{"name": "redact"}}, map[string]*silo{"crm": s})
	other.e.Mask = newRedact
	other.mustRun()
	for _, r := range other.quarantined("id") {
		if slices.ContainsFunc(rows, func(known []any) bool { return known[0] == r[0] }) {
			t.Errorf("id %s is the same in a project with another key", r[0])
		}
	}
}

func again(e *engine.Engine) *engine.Engine {
	return &engine.Engine{Project: e.Project, Warehouse: e.Warehouse, Connect: e.Connect, Mask: e.Mask, Limits: e.Limits, Retry: e.Retry}
}

// What is read again after a failure counts once.
func TestRetriesCountRejectsOnce(t *testing.T) {
	for _, block := range []config.Stream{{}, {Mode: "full"}, {Mode: "append"}} {
		s := newSilo(60)
		if block.Mode == "append" {
			s.stream.PrimaryKey, s.noState = nil, true
		}
		s.rejects = 3
		cuts := 0
		s.fail = func(_, batch int) error {
			if batch == 6 && cuts < 2 {
				cuts++
				return &core.Error{Kind: core.KindUnavailable, Err: errors.New("cut")}
			}
			return nil
		}
		b := newBench(t, block, map[string]*silo{"crm": s})
		b.e.Limits.Rows = 5
		if r := b.mustRun(); r.Quarantined != 3 || cuts != 2 {
			t.Errorf("mode %q: %d records counted after %d failures, want 3 after 2", block.Mode, r.Quarantined, cuts)
		}
		got := b.table(core.TableName{Schema: core.SchemaSystem, Name: "runs"}, "rows_quarantined")
		if len(got) != 1 || got[0][0] != int64(3) {
			t.Errorf("mode %q: the run is recorded with %v", block.Mode, got)
		}
	}
}

// A column of numbers that becomes text that looks personal does not land unlabelled.
func TestColumnsThatBecomePersonalStayOut(t *testing.T) {
	s := newSilo(10)
	s.extra = []arrow.Field{{Name: "zzz", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}
	s.value = func(r row) any { return r.id }
	b := newBench(t, config.Stream{}, map[string]*silo{"crm": s})
	b.mustRun()
	s.stream.Schema = s.schema()
	s.extra[0].Type = arrow.BinaryTypes.String
	s.value = func(r row) any { return "anna@acme.fi" }
	for id := range int64(5) {
		s.change(100+id, 60, "later")
	}
	p, ds := b.plan()
	if ds.HasErrors() {
		t.Fatal(ds)
	}
	res, err := b.e.Run(t.Context(), p, engine.Options{})
	if err != nil || res.Streams[0].New != 5 {
		t.Fatalf("%v %+v", err, res.Streams)
	}
	for _, r := range b.rows("crm", "zzz") {
		if text, ok := r[0].(string); ok && strings.Contains(text, "@") {
			t.Errorf("an address landed in clear: %v", r)
		}
	}
	if !slices.ContainsFunc(res.Notes, func(n string) bool { return strings.Contains(n, `"zzz"`) && strings.Contains(n, "left out") }) {
		t.Errorf("the notes say %v", res.Notes)
	}
}

// Under these policies a table's columns stay as they are, also when the source declares
// the new ones before it sends them.
func TestDeclaredDriftUnderPolicies(t *testing.T) {
	for policy, quarantined := range map[string]int64{"quarantine": 1, "drop_value": 0} {
		s := newSilo(10)
		b := newBench(t, config.Stream{OnSchemaChange: policy}, map[string]*silo{"crm": s})
		b.mustRun()
		s.extra = []arrow.Field{{Name: "size", Type: arrow.PrimitiveTypes.Int64, Nullable: true}}
		s.value = func(r row) any {
			if r.id == 50 {
				return int64(7)
			}
			return nil
		}
		s.change(50, 60, "with a size")
		p, _ := b.plan()
		if p.Changes() || len(p.Streams[0].Notes) == 0 || !strings.Contains(p.Streams[0].Notes[0], "size") {
			t.Errorf("%s: the plan says %v, %v", policy, p.Streams[0].Changes, p.Streams[0].Notes)
		}
		if r := b.mustRun(); r.Quarantined != quarantined || r.New != 1-quarantined {
			t.Errorf("%s: quarantined %d new %d", policy, r.Quarantined, r.New)
		}
		tables, err := b.w.Tables(t.Context(), "raw_crm")
		if err != nil || tables[0].Schema.HasField("size") {
			t.Errorf("%s: the table became %v, %v", policy, tables[0].Schema, err)
		}
	}
}
