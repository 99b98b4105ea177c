package identity_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/core"
	warehouse "github.com/unsilo/unsilo/core/warehouse/memory"
	"github.com/unsilo/unsilo/transforms/identity"
)

// TestExplainTellsAllThatIsStored looks some people up, by a record, its bare key or their id,
// and compares what is told with all rows of the tables.
func TestExplainTellsAllThatIsStored(t *testing.T) {
	for name, wh := range map[string]core.Warehouse{"memory": warehouse.New(), "duckdb": benchWarehouse(t)} {
		t.Run(name, func(t *testing.T) {
			w := newTown(3)
			w.land(t, wh)
			build(t, wh, person(t, "from = [source.crm.contacts, source.web.visitors]\nguardrail { max_cluster_size = 4 }"), "run")
			ids, members := map[string]string{}, map[string][]string{}
			for record, id := range mapped(t, wh, "person") {
				ids[record] = id
				members[id] = append(members[id], record)
			}
			edges := storedEdges(t, wh)
			for i := range 40 {
				if i == 30 {
					dropTable(t, wh, "person_record") // the map tells the rest
				}
				key := w.crm[i*7%len(w.crm)][0]
				record := "crm.contacts:" + key
				id := ids[record]
				subject := [...]string{record, key, id}[i%3]
				x, err := identity.Explain(context.Background(), wh, "person", subject)
				if err != nil {
					t.Fatalf("explain %s: %v", subject, err)
				}
				var told []string
				for _, r := range x.Records {
					told = append(told, r.String())
				}
				slices.Sort(members[id])
				if !slices.Equal(told, members[id]) || x.ID != id {
					t.Errorf("%s is %s of %v, want %s of %v", subject, x.ID, told, id, members[id])
				}
				var path, refused []string
				for _, e := range edges {
					a, b := ids[e[0]] == id, ids[e[1]] == id
					switch {
					case e[2] == "merged" && a && b:
						path = append(path, strings.Join(e[:2], " "))
					case e[2] == "refused" && (a || b):
						refused = append(refused, strings.Join(e[:2], " "))
					}
				}
				if got, want := fmt.Sprint(ends(x.Path, ids)), fmt.Sprint(sorted(path)); got != want {
					t.Errorf("%s: path %s, want %s", subject, got, want)
				}
				if got, want := fmt.Sprint(ends(x.Refused, ids)), fmt.Sprint(sorted(refused)); got != want {
					t.Errorf("%s: refused %s, want %s", subject, got, want)
				}
				if len(told) > 1 {
					if y, err := identity.Explain(context.Background(), wh, "person", told[0], told[1]); err != nil || len(y.Path) == 0 || y.ID != id {
						t.Errorf("%s %s: path %v, id %s, error %v", told[0], told[1], y.Path, y.ID, err)
					}
				}
			}
		})
	}
}

// storedEdges gives the names of the ends of every edge, and its outcome.
func storedEdges(t *testing.T, wh core.Warehouse) [][3]string {
	names := map[string]string{}
	for _, line := range says(t, wh, "person_record", "record", "source", "stream", "record_key") {
		f := strings.Split(line, "|")
		names[f[0]] = f[1] + "." + f[2] + ":" + f[3]
	}
	var out [][3]string
	for _, line := range says(t, wh, "person_edge", "a", "b", "outcome") {
		f := strings.Split(line, "|")
		out = append(out, [3]string{names[f[0]], names[f[1]], f[2]})
	}
	return out
}

// ends gives the ends of steps, whose records must know whose they are.
func ends(steps []identity.Step, ids map[string]string) []string {
	var out []string
	for _, s := range steps {
		if s.A.ID != ids[s.A.String()] || s.B.ID != ids[s.B.String()] {
			out = append(out, "wrong id")
		}
		out = append(out, s.A.String()+" "+s.B.String())
	}
	return sorted(out)
}

func sorted(list []string) []string {
	slices.Sort(list)
	return list
}

// TestWhyNotOfTwoRecordsEqualsThatOfAll asks about pairs of people, once from what the last
// build stored of the two, and once from all records, since their keys are lost.
func TestWhyNotOfTwoRecordsEqualsThatOfAll(t *testing.T) {
	for seed := range uint64(2) {
		w, wh := newTown(seed), core.Warehouse(warehouse.New())
		if seed == 0 {
			wh = benchWarehouse(t)
		}
		w.land(t, wh)
		model := person(t, "from = [source.crm.contacts, source.web.visitors]\n"+`blocking_rule "born" { keys = ["year(birth_date)"] }
blocking_rule "name" {
  keys      = ["left(last_name, 2)"]
  max_block = 20
}`)
		build(t, wh, model, "run")
		ids := mapped(t, wh, "person")
		ask := func() (out []string) {
			for i := range 40 {
				a, b := "crm.contacts:"+w.crm[i][0], "crm.contacts:"+w.crm[(i*13+1)%len(w.crm)][0]
				if ids[a] == ids[b] {
					continue
				}
				x, err := model.(*identity.Model).WhyNot(context.Background(), wh, a, b)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, x.Text())
			}
			return out
		}
		stored := ask()
		dropTable(t, wh, "person_key")
		all := ask()
		for i := range stored {
			if stored[i] != all[i] {
				t.Fatalf("seed %d: from two records\n%s\nfrom all\n%s", seed, stored[i], all[i])
			}
		}
		if joined := strings.Join(all, ""); !strings.Contains(joined, "never compared") || !strings.Contains(joined, "compared by blocking rule") {
			t.Errorf("seed %d: pairs were not both compared and never compared", seed)
		}
	}
}
