package identity_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/unsilo/unsilo/connectors/sim"
	warehouse "github.com/unsilo/unsilo/core/warehouse/memory"
)

// companyTruth reads whom every record is about.
func companyTruth(t testing.TB, c *sim.Company) map[string]whom {
	t.Helper()
	dir := t.TempDir()
	if err := c.WriteTruth(dir); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(filepath.Join(dir, "truth.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	reader, err := file.NewParquetReader(f)
	if err != nil {
		t.Fatal(err)
	}
	pq, err := pqarrow.NewFileReader(reader, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	table, err := pq.ReadTable(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	defer table.Release()
	rows := array.NewTableReader(table, 0)
	defer rows.Release()
	stream := strings.NewReplacer("web.access:", "web.visitors:", "calls.cdr:", "calls.callers:")
	out := map[string]whom{}
	for rows.Next() {
		b := rows.RecordBatch()
		text := func(column string, i int) string {
			cell := b.Column(b.Schema().FieldIndices(column)[0])
			if cell.IsNull(i) {
				return ""
			}
			return strings.Clone(cell.ValueStr(i))
		}
		for i := range int(b.NumRows()) {
			if person := text("person_id", i); person != "" {
				key := stream.Replace(text("source", i) + "." + text("stream", i) + ":" + text("record_key", i))
				w := whom{persons: append(out[key].persons, person)}
				if packs := text("pack", i); packs != "" {
					w.packs = strings.Split(packs, ",")
				}
				out[key] = w
			}
		}
	}
	return out
}

// verdict is how well a company's people were told apart, in pairs of records. Records of
// the pack unlinkable (withheld numbers, answers without consent, browsers without a login,
// calls from a telephone of many) say nothing of whom they are about: nobody can be asked to
// find their person, so they are no part of Recall. Where they are joined to somebody all the
// same that is right or wrong, and part of Precision. A browser of two people is right with
// either.
type verdict struct {
	Precision, Recall float64
	Records           int
	// HardJoined lists pairs of records of two people of one pack in one cluster. Pairs with
	// a blind record, which nothing tells apart, are counted in Blind: they are wrong in
	// Precision all the same.
	HardJoined []string
	Blind      int
}

func judge(ids map[string]string, truth map[string]whom) verdict {
	var v verdict
	clusters := map[string][]string{}
	for record, id := range ids {
		if len(truth[record].persons) > 0 {
			clusters[id] = append(clusters[id], record)
			v.Records++
		}
	}
	var right, joined, found, belong float64
	people := map[string]float64{}
	for _, members := range clusters {
		slices.Sort(members)
		for i, a := range members {
			for _, b := range members[i+1:] {
				joined++
				pack := commonPack(truth[a], truth[b])
				switch {
				case samePerson(truth[a], truth[b]):
					right++
				case pack == "":
				case truth[a].blind || truth[b].blind:
					v.Blind++
				default:
					v.HardJoined = append(v.HardJoined, pack+": "+a+" and "+b)
				}
			}
		}
		here := map[string]float64{}
		for _, r := range members {
			if w := truth[r]; !w.unlinkable() && len(w.persons) == 1 {
				here[w.persons[0]]++
				people[w.persons[0]]++
			}
		}
		for _, n := range here {
			found += n * (n - 1) / 2
		}
	}
	for _, n := range people {
		belong += n * (n - 1) / 2
	}
	slices.Sort(v.HardJoined)
	v.Precision, v.Recall = right/joined, found/belong
	return v
}

func samePerson(a, b whom) bool {
	return slices.ContainsFunc(a.persons, func(p string) bool { return slices.Contains(b.persons, p) })
}

func commonPack(a, b whom) string {
	for _, p := range a.packs {
		if p != "unlinkable" && slices.Contains(b.packs, p) {
			return p
		}
	}
	return ""
}

// TestCompany runs the simulated company with all its hard negatives: fathers and sons,
// twins, flatmates, shared mailboxes, telephones and browsers, numbers given to somebody
// else. UNSILO_SIM_CUSTOMERS and UNSILO_SIM_SEEDS make more and larger companies.
func TestCompany(t *testing.T) {
	customers, seeds := 500, []uint64{1, 5, 8}
	if n, err := strconv.Atoi(os.Getenv("UNSILO_SIM_CUSTOMERS")); err == nil {
		customers = n
	}
	if n, err := strconv.Atoi(os.Getenv("UNSILO_SIM_SEEDS")); err == nil {
		seeds = nil
		for i := range n {
			seeds = append(seeds, uint64(i+1))
		}
	}
	for _, seed := range seeds {
		for _, masked := range []bool{false, true} {
			t.Run(fmt.Sprintf("seed %d masked %v", seed, masked), func(t *testing.T) {
				wh := warehouse.New()
				truth := landCompany(t, wh, sim.Options{Customers: customers, Seed: seed}, masked)
				model, diags := parse(t, "person", companyBlock)
				if diags.HasErrors() {
					t.Fatal(diags)
				}
				build(t, wh, model, "1")
				v := judge(mapped(t, wh, "person"), truth)
				t.Logf("precision %.4f recall %.4f over %d records; joined hard pairs: %d, and %d of blind records", v.Precision, v.Recall, v.Records, len(v.HardJoined), v.Blind)
				// A token hides that an address is an office's and a line is fixed.
				precision := 0.995
				if masked {
					precision = 0.99
				}
				if v.Precision < precision || v.Recall < 0.97 {
					t.Errorf("got precision %.4f and recall %.4f, want %.3f and 0.97", v.Precision, v.Recall, precision)
				}
				if masked {
					return
				}
				for i, pair := range v.HardJoined {
					if i < 10 {
						t.Errorf("joined by mistake, %s", pair)
					}
				}
			})
		}
	}
}
