package synthetic_test

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/connectors/sim/synthetic"
	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
)

func config(values map[string]any) core.Config {
	all := map[string]any{}
	for _, f := range synthetic.New().Spec().Fields {
		if f.Default != nil {
			all[f.Name] = f.Default
		}
	}
	maps.Copy(all, values)
	return core.Config{Source: "bench", Values: all}
}

func TestContract(t *testing.T) {
	for deletes, profile := range map[string]string{"feed": "mixed", "flag": "person", "reconcile": "numbers", "none": "text"} {
		t.Run(deletes+" "+profile, func(t *testing.T) { contract(t, deletes, profile) })
	}
}

func contract(t *testing.T, deletes, profile string) {
	day := filepath.Join(t.TempDir(), "day")
	write := func(n int) error { return os.WriteFile(day, []byte(strconv.Itoa(n)), 0o600) }
	if err := write(3); err != nil {
		t.Fatal(err)
	}
	cfg := config(map[string]any{
		"rows": int64(600), "streams": int64(2), "batch": int64(60), "day_file": day, "deletes": deletes, "profile": profile,
		"tie": int64(30), "change_per_mille": int64(40), "delete_per_mille": int64(20), "reject_every": int64(97), "columns": int64(13),
	})
	opt, err := synthetic.Parse(cfg)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int64{}
	for n := 1; n <= 2; n++ {
		rows["rows_"+strconv.Itoa(n)], _ = opt.Sum(n, 3)
	}
	coretest.TestConnector(t, coretest.ConnectorCase{
		Connector: synthetic.New(), Config: cfg, Rows: rows,
		BadConfigs: []core.Config{config(map[string]any{"profile": "loud"}), config(map[string]any{"batch": int64(0)}),
			config(map[string]any{"reject_every": int64(1)})},
		Mutate: func(context.Context) error { return write(9) },
	})
}

// table is what a reader holds: id to version and checksum.
type table map[int64][2]int64

// sum is comparable with Options.Sum.
func (b table) sum() (rows, checksum int64) {
	for _, row := range b {
		checksum += row[1]
	}
	return int64(len(b)), checksum
}

// read brings a table up to date from a position, and gives the next one.
func (b table) read(t *testing.T, values map[string]any, req core.ReadRequest) (core.State, error) {
	t.Helper()
	src, err := synthetic.New().Open(context.Background(), config(values))
	if err != nil {
		t.Fatal(err)
	}
	streams, err := src.Streams(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	req.Stream = streams[0]
	after := req.After
	err = src.Read(context.Background(), req, func(batch core.Batch) error {
		if batch.After != nil {
			after = batch.After
		}
		if batch.Op == core.OpReject {
			return nil
		}
		ids := batch.Rows.Column(0).(*array.Int64).Int64Values()
		for i, id := range ids {
			if batch.Op == core.OpDelete {
				delete(b, id)
				continue
			}
			b[id] = [2]int64{batch.Rows.Column(1).(*array.Int64).Value(i), batch.Rows.Column(3).(*array.Int64).Value(i)}
		}
		return nil
	})
	return after, err
}

// Day after day, and through failures in the middle, the table is the one that the
// arithmetic foretells.
func TestDaysAreForetold(t *testing.T) {
	values := map[string]any{"rows": int64(2000), "batch": int64(64), "tie": int64(7), "change_per_mille": int64(50),
		"grow_per_mille": int64(20), "delete_per_mille": int64(30), "fail_after": int64(100)}
	landed, after := table{}, core.State(nil)
	for day := range 12 {
		values["day"] = int64(day)
		opt, err := synthetic.Parse(config(values))
		if err != nil {
			t.Fatal(err)
		}
		for tries := 0; ; tries++ {
			if after, err = landed.read(t, values, core.ReadRequest{After: after}); err == nil {
				break
			}
			if core.KindOf(err) != core.KindUnavailable || tries > 40 {
				t.Fatalf("day %d: %v", day, err)
			}
		}
		rows, sum := landed.sum()
		wantRows, wantSum := opt.Sum(1, day)
		if rows != wantRows || sum != wantSum {
			t.Fatalf("day %d: %d rows with sum %d, want %d with %d", day, rows, sum, wantRows, wantSum)
		}
		for id, row := range landed {
			if got := opt.Checksum(1, id, row[0]); got != row[1] {
				t.Fatalf("row %d version %d: checksum %d, want %d", id, row[0], row[1], got)
			}
		}
	}
}

func TestShardsMakeTheWhole(t *testing.T) {
	values := map[string]any{"rows": int64(1001), "day": int64(5)}
	whole, pieces := table{}, table{}
	if _, err := whole.read(t, values, core.ReadRequest{}); err != nil {
		t.Fatal(err)
	}
	total := 0
	for i := range 3 {
		part := table{}
		if _, err := part.read(t, values, core.ReadRequest{Shard: core.Shard{Index: i, Count: 3}}); err != nil {
			t.Fatal(err)
		}
		total += len(part)
		maps.Copy(pieces, part)
	}
	if !maps.Equal(whole, pieces) || total != len(whole) {
		t.Errorf("three shards have %d rows, %d of them distinct; the whole has %d", total, len(pieces), len(whole))
	}
}

func TestLookbackRepeats(t *testing.T) {
	values := map[string]any{"rows": int64(1000), "tie": int64(1), "day": int64(2)}
	b := table{}
	after, err := b.read(t, values, core.ReadRequest{})
	if err != nil {
		t.Fatal(err)
	}
	src, err := synthetic.New().Open(context.Background(), config(values))
	if err != nil {
		t.Fatal(err)
	}
	streams, err := src.Streams(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	stream, again := streams[0], int64(0)
	stream.Cursor.Lookback = 24 * time.Hour
	if err := src.Read(context.Background(), core.ReadRequest{Stream: stream, After: after}, func(batch core.Batch) error {
		again += batch.Rows.NumRows()
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if again < 10 || again > 100 {
		t.Errorf("a day of lookback repeats %d rows, want the changes of a day or two", again)
	}
}

func TestFailures(t *testing.T) {
	base := func(fail string) map[string]any {
		return map[string]any{"rows": int64(1000), "batch": int64(100), "fail_after": int64(300), "fail": fail}
	}
	for _, kind := range []core.Kind{core.KindUnavailable, core.KindLimited, core.KindQuota, core.KindAuth, core.KindPermission,
		core.KindData, core.KindInternal} {
		b := table{}
		_, err := b.read(t, base(string(kind)), core.ReadRequest{})
		if core.KindOf(err) != kind || len(b) != 300 {
			t.Errorf("fail = %s: error %v after %d rows", kind, err, len(b))
		}
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("fail = panic did not panic")
			}
		}()
		_, _ = table{}.read(t, base("panic"), core.ReadRequest{})
	}()
	src, err := synthetic.New().Open(context.Background(), config(base("hang")))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	streams, err := src.Streams(ctx)
	if err != nil {
		t.Fatal(err)
	}
	err = src.Read(ctx, core.ReadRequest{Stream: streams[0]}, func(core.Batch) error { return nil })
	if err == nil || ctx.Err() == nil {
		t.Errorf("fail = hang ended with %v before its context", err)
	}
}

func TestDrift(t *testing.T) {
	types := func(drift string, day int) string {
		src, err := synthetic.New().Open(context.Background(), config(map[string]any{
			"rows": int64(10), "drift": drift, "drift_day": int64(2), "day": int64(day),
		}))
		if err != nil {
			t.Fatal(err)
		}
		streams, err := src.Streams(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		seen := ""
		if err := src.Read(context.Background(), core.ReadRequest{Stream: streams[0]}, func(b core.Batch) error {
			last := b.Rows.Schema().Field(b.Rows.Schema().NumFields() - 1)
			seen = fmt.Sprint(b.Rows.Schema().Field(4).Type, " ", last.Name)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		return seen
	}
	for _, c := range []struct {
		drift string
		day   int
		want  string
	}{
		{"none", 5, "int64 text_6"}, {"add", 1, "int64 text_6"}, {"add", 2, "int64 extra"},
		{"widen", 1, "int32 text_6"}, {"widen", 2, "int64 text_6"},
	} {
		if got := types(c.drift, c.day); got != c.want {
			t.Errorf("drift %s on day %d: got %s, want %s", c.drift, c.day, got, c.want)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for _, profile := range []string{"mixed", "numbers", "text", "person"} {
		for _, day := range []int64{0, 3} {
			b.Run(fmt.Sprintf("%s/day%d", profile, day), func(b *testing.B) {
				const rows = 2_000_000
				src, err := synthetic.New().Open(context.Background(), config(map[string]any{
					"rows": int64(rows), "profile": profile, "day": day,
				}))
				if err != nil {
					b.Fatal(err)
				}
				streams, err := src.Streams(context.Background())
				if err != nil {
					b.Fatal(err)
				}
				n := int64(0)
				for b.Loop() {
					if err := src.Read(context.Background(), core.ReadRequest{Stream: streams[0]}, func(batch core.Batch) error {
						n += batch.Rows.NumRows()
						return nil
					}); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), "ns/row")
			})
		}
	}
}
