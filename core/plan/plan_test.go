package plan_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
	"github.com/unsilo/unsilo/core/plan"
)

func field(name string, t arrow.DataType, means core.Means) arrow.Field {
	return core.WithMeans(arrow.Field{Name: name, Type: t, Nullable: true}, means)
}

func contacts() core.Stream {
	return core.Stream{
		Name: "contacts", PrimaryKey: []string{"id"}, Cursor: core.Cursor{Field: "updated"},
		Schema: arrow.NewSchema([]arrow.Field{field("id", arrow.PrimitiveTypes.Int64, ""),
			field("updated", arrow.FixedWidthTypes.Timestamp_us, ""), field("email", arrow.BinaryTypes.String, core.PersonEmail),
			field("size", arrow.PrimitiveTypes.Int32, "")}, nil),
	}
}

func input(block config.Stream, s core.Stream) plan.Input {
	block.Name = s.Name
	return plan.Input{
		Project:  &config.Project{Sources: []config.Source{{Kind: "x", Name: "crm", Streams: []config.Stream{block}}}},
		Catalogs: map[string]plan.Catalog{"crm": {Streams: []core.Stream{s}}},
	}
}

func one(t *testing.T, in plan.Input) plan.StreamStep {
	t.Helper()
	p, ds := plan.Make(in)
	if len(ds) > 0 || len(p.Streams) != 1 {
		t.Fatalf("got %d streams and %v", len(p.Streams), ds)
	}
	return p.Streams[0]
}

func TestDefaults(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*core.Stream)
		block  config.Stream
		mode   plan.Mode
		write  core.WriteMode
	}{
		"cursor and key":    {func(*core.Stream) {}, config.Stream{}, plan.ModeIncremental, core.WriteMerge},
		"no cursor":         {func(s *core.Stream) { s.Cursor = core.Cursor{} }, config.Stream{}, plan.ModeFull, core.WriteMerge},
		"no key":            {func(s *core.Stream) { s.PrimaryKey = nil }, config.Stream{}, plan.ModeIncremental, core.WriteAppend},
		"append":            {func(*core.Stream) {}, config.Stream{Mode: "append"}, plan.ModeAppend, core.WriteAppend},
		"history":           {func(*core.Stream) {}, config.Stream{Write: "history"}, plan.ModeIncremental, core.WriteHistory},
		"full":              {func(*core.Stream) {}, config.Stream{Mode: "full"}, plan.ModeFull, core.WriteMerge},
		"cursor from block": {func(s *core.Stream) { s.Cursor = core.Cursor{} }, config.Stream{Cursor: "updated"}, plan.ModeIncremental, core.WriteMerge},
	} {
		t.Run(name, func(t *testing.T) {
			s := contacts()
			tt.change(&s)
			step := one(t, input(tt.block, s))
			if step.Mode != tt.mode || step.Write != tt.write || step.Action != plan.ActionCreate {
				t.Errorf("got %s %s %s, want %s %s create", step.Mode, step.Write, step.Action, tt.mode, tt.write)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*core.Stream)
		block  config.Stream
		want   string
	}{
		"unknown column":     {nil, config.Stream{Exclude: []string{"emial"}}, `has no column "emial"`},
		"key left out":       {nil, config.Stream{Exclude: []string{"id"}}, "cannot be left out"},
		"unknown cursor":     {nil, config.Stream{Cursor: "changed"}, `has no column "changed"`},
		"incremental":        {func(s *core.Stream) { s.Cursor = core.Cursor{} }, config.Stream{Mode: "incremental"}, "cannot be read incrementally"},
		"merge without key":  {func(s *core.Stream) { s.PrimaryKey = nil }, config.Stream{Write: "merge"}, "needs a primary key"},
		"delete without key": {func(s *core.Stream) { s.PrimaryKey = nil }, config.Stream{Deletes: core.DeleteReconcile}, "needs a primary key"},
		"replace by parts":   {nil, config.Stream{Write: "replace"}, `needs mode = "full"`},
		"personal": {func(s *core.Stream) {
			s.Schema = arrow.NewSchema(append(s.Schema.Fields(), field("phone_number", arrow.BinaryTypes.String, "")), nil)
		}, config.Stream{}, "looks personal and is not labelled"},
	} {
		t.Run(name, func(t *testing.T) {
			s := contacts()
			if tt.change != nil {
				tt.change(&s)
			}
			_, ds := plan.Make(input(tt.block, s))
			if !ds.HasErrors() || !strings.Contains(ds[0].Summary, tt.want) {
				t.Errorf("got %v, want an error with %q", ds, tt.want)
			}
		})
	}
}

func TestLabelOrMaskLetsAPersonalColumnPass(t *testing.T) {
	s := contacts()
	s.Schema = arrow.NewSchema(append(s.Schema.Fields(), field("phone_number", arrow.BinaryTypes.String, "")), nil)
	for _, means := range []core.Means{core.PersonPhone, core.NotPersonal} {
		step := one(t, input(config.Stream{Means: map[string]core.Means{"phone_number": means}}, s))
		if f, _ := step.Stream.Field("phone_number"); core.MeansOf(f) != means {
			t.Errorf("the label %q did not reach the column", means)
		}
	}
}

func TestColumnChanges(t *testing.T) {
	now := func(size arrow.DataType) core.Table {
		return core.Table{Name: core.RawTable("crm", "contacts"), Schema: arrow.NewSchema([]arrow.Field{
			field("id", arrow.PrimitiveTypes.Int64, ""), field("updated", core.Canonical(arrow.FixedWidthTypes.Timestamp_us), ""),
			field("size", size, ""), field("old", arrow.BinaryTypes.String, "")}, nil)}
	}
	for name, tt := range map[string]struct {
		size   arrow.DataType
		kind   string
		action plan.Action
	}{
		"widen":   {arrow.PrimitiveTypes.Int16, plan.ChangeWiden, plan.ActionUpdate},
		"holds":   {arrow.PrimitiveTypes.Int64, "", plan.ActionUpdate}, // email is new
		"replace": {arrow.FixedWidthTypes.Boolean, plan.ChangeReplace, plan.ActionUpdate},
	} {
		t.Run(name, func(t *testing.T) {
			in := input(config.Stream{}, contacts())
			in.Tables = []core.Table{now(tt.size)}
			step := one(t, in)
			kinds := map[string]string{}
			for _, c := range step.Changes {
				kinds[c.Column] = c.Kind
			}
			if kinds["size"] != tt.kind || kinds["email"] != plan.ChangeAdd || kinds["old"] != plan.ChangeRetire || step.Action != tt.action {
				t.Errorf("got %v and %s", kinds, step.Action)
			}
			if got := len(step.Destructive) > 0; got != (tt.kind == plan.ChangeReplace) {
				t.Errorf("destructive: %v", step.Destructive)
			}
			if step.Table.Schema.NumFields() != 5 {
				t.Errorf("the table will have %v", step.Table.Schema)
			}
		})
	}
	in := input(config.Stream{OnSchemaChange: "freeze"}, contacts())
	in.Tables = []core.Table{now(arrow.PrimitiveTypes.Int16)}
	if _, ds := plan.Make(in); !ds.HasErrors() {
		t.Error("frozen columns changed and the plan did not say so")
	}
}

func TestPositionOfAnotherConfigurationIsNotUsed(t *testing.T) {
	in := input(config.Stream{}, contacts())
	fingerprint := in.Project.Sources[0].Fingerprint("contacts")
	in.States = []core.StateRow{{Source: "crm", Stream: "contacts", State: core.State(`{"a":1}`), Fingerprint: fingerprint}}
	if step := one(t, in); step.State == nil {
		t.Error("the position was not used")
	}
	in.States[0].Fingerprint = "another"
	if step := one(t, in); step.State != nil || step.Action != plan.ActionRebuild || len(step.Destructive) == 0 {
		t.Errorf("a position of another configuration gave %s with state %s", step.Action, step.State)
	}
}

func TestRemovedStreamsAreNamed(t *testing.T) {
	in := input(config.Stream{}, contacts())
	in.States = []core.StateRow{{Source: "crm", Stream: "deals"}, {Source: "gone", Stream: "x"}}
	p, _ := plan.Make(in)
	if len(p.Removed) != 2 || !p.Changes() {
		t.Errorf("removed: %v", p.Removed)
	}
	in.Catalogs["crm"] = plan.Catalog{Err: errors.New("down")}
	if p, _ = plan.Make(in); len(p.Removed) != 1 || len(p.Failed) != 1 {
		t.Errorf("a source that does not answer says nothing about its streams: %v, failed %v", p.Removed, p.Failed)
	}
}

func TestSelectors(t *testing.T) {
	in := input(config.Stream{}, contacts())
	for sel, want := range map[string]int{"crm": 1, "source.crm": 1, "crm.contacts": 1, "source.crm.contacts": 1, "crm.deals": 0} {
		in.Select = []string{sel}
		if p, _ := plan.Make(in); len(p.Streams) != want {
			t.Errorf("%s selects %d streams, want %d", sel, len(p.Streams), want)
		}
	}
	in.Select = []string{"cmr"}
	if _, ds := plan.Make(in); !ds.HasErrors() || !strings.Contains(ds[0].Summary, `"cmr"`) {
		t.Errorf("an unknown selector gave %v", ds)
	}
}

// A key is masked so that different keys stay different, or the plan fails.
func TestMasksOfKeys(t *testing.T) {
	s := contacts()
	s.PrimaryKey = []string{"email"}
	in := input(config.Stream{Mask: map[string]string{"email": "hmac", "size": "redact"}}, s)
	var asked map[string]string
	in.Mask = func(columns map[string]string) (core.Transform, error) {
		asked = columns
		return nil, errors.New("enough")
	}
	plan.Make(in)
	if asked["email"] != plan.KeyMask || asked["size"] != "redact" {
		t.Errorf("masks asked for are %v", asked)
	}
	for _, mask := range []string{"redact", "partial", "drop", "year"} {
		_, ds := plan.Make(input(config.Stream{Mask: map[string]string{"email": mask}}, s))
		if !ds.HasErrors() || !strings.Contains(ds[0].Summary, `key column "email"`) {
			t.Errorf("%s on a key: %v", mask, ds)
		}
	}
}

// A table with history is planned with the columns that keep versions apart.
func TestHistoryColumnsArePlanned(t *testing.T) {
	step := one(t, input(config.Stream{Write: "history", Means: map[string]core.Means{"email": core.PersonEmail}}, contacts()))
	for _, name := range []string{core.HistoryFrom, core.HistoryTo} {
		if !step.Table.Schema.HasField(name) {
			t.Errorf("the planned table lacks %s", name)
		}
	}
}
