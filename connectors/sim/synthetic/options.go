package synthetic

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/unsilo/unsilo/core"
)

// Options are the configuration, read and checked.
type Options struct {
	Rows, Batch, Columns int64
	Streams              int
	Seed                 uint64
	Profile              string
	// Day is the silo's day, unless DayFile names a file that holds it.
	Day     int
	DayFile string
	// Change, Grow and Delete are rows per 1000 and day.
	Change, Grow, Delete int64
	Deletes              core.DeleteMode
	Cursor               string // updated_at, opaque or none
	Tie                  int64
	Delay                time.Duration
	FailAfter            int64
	Fail                 string
	FailTimes            int
	RejectEvery          int64
	Drift                string
	DriftDay             int
}

// Spec describes the connector.
func spec() core.Spec {
	return core.Spec{
		Name: "sim", Version: "1.0.0", Summary: "made-up rows, for benchmarks and crash tests",
		Doc: "Streams are named `rows_1`, `rows_2` and so on. A row has `id`, `version`, `updated_at`, `checksum` and as many\n" +
			"more columns as asked for. Move `day` on, or write the day into the file named by `day_file`, and rows change.",
		Fields: []core.Field{
			{Name: "rows", Type: core.TypeInt, Help: "rows of each stream on day 0", Default: int64(100000)},
			{Name: "streams", Type: core.TypeInt, Help: "number of streams", Default: int64(1)},
			{Name: "batch", Type: core.TypeInt, Help: "rows in a batch", Default: int64(8192)},
			{Name: "columns", Type: core.TypeInt, Help: "number of columns, at least 5", Default: int64(10)},
			{Name: "profile", Type: core.TypeString, Help: "what the further columns hold", Default: "mixed",
				Enum: []string{"mixed", "numbers", "text", "person"}},
			{Name: "seed", Type: core.TypeInt, Help: "picks one of many tables", Default: int64(1)},
			{Name: "day", Type: core.TypeInt, Help: "the silo's day; rows change from day to day", Default: int64(0)},
			{Name: "day_file", Type: core.TypeString, Path: true, Help: "file that holds the day, in place of day"},
			{Name: "change_per_mille", Type: core.TypeInt, Help: "rows of 1000 that change in a day", Default: int64(10)},
			{Name: "grow_per_mille", Type: core.TypeInt, Help: "new rows a day per 1000 first ones", Default: int64(5)},
			{Name: "delete_per_mille", Type: core.TypeInt, Help: "rows of 1000 that are deleted in a day", Default: int64(2)},
			{Name: "deletes", Type: core.TypeString, Help: "how deletes are told", Default: "feed",
				Enum: []string{"feed", "flag", "reconcile", "none"}},
			{Name: "cursor", Type: core.TypeString, Help: "how a read goes on", Default: "updated_at",
				Enum: []string{"updated_at", "opaque", "none"}},
			{Name: "tie", Type: core.TypeInt, Help: "neighbouring rows that share one updated_at", Default: int64(1000)},
			{Name: "delay", Type: core.TypeDuration, Help: "pause before every batch", Default: "0s"},
			{Name: "fail_after", Type: core.TypeInt, Help: "rows after which a read fails; 0 is never", Default: int64(0)},
			{Name: "fail", Type: core.TypeString, Help: "how it fails: an error of a kind, or worse", Default: "unavailable",
				Enum: []string{"unavailable", "limited", "quota", "auth", "permission", "data", "internal", "panic", "hang", "stuck", "exit"}},
			{Name: "fail_times", Type: core.TypeInt, Help: "reads of one opened source that fail", Default: int64(1)},
			{Name: "reject_every", Type: core.TypeInt, Help: "every n-th id is a record that cannot be a row; 0 is none", Default: int64(0)},
			{Name: "drift", Type: core.TypeString, Help: "how the schema changes on drift_day", Default: "none",
				Enum: []string{"none", "add", "widen"}},
			{Name: "drift_day", Type: core.TypeInt, Help: "first day of the changed schema", Default: int64(1)},
		},
		TestedAgainst: "itself",
	}
}

// parse reads and checks a configuration. Values that are absent have their defaults.
func parse(cfg core.Config) (Options, error) {
	values := map[string]any{}
	s := spec()
	for _, f := range s.Fields {
		values[f.Name] = f.Default
		if v, ok := cfg.Values[f.Name]; ok && v != nil {
			values[f.Name] = v
		}
	}
	c := core.Config{Values: values}
	delay, err := c.Duration("delay")
	if err != nil {
		return Options{}, err
	}
	o := Options{
		Rows: c.Int("rows"), Batch: c.Int("batch"), Columns: c.Int("columns"), Streams: int(c.Int("streams")),
		Seed: uint64(c.Int("seed")), Profile: c.String("profile"), Day: int(c.Int("day")), DayFile: c.String("day_file"),
		Change: c.Int("change_per_mille"), Grow: c.Int("grow_per_mille"), Delete: c.Int("delete_per_mille"),
		Deletes: core.DeleteMode(c.String("deletes")), Cursor: c.String("cursor"), Tie: c.Int("tie"), Delay: delay,
		FailAfter: c.Int("fail_after"), Fail: c.String("fail"), FailTimes: int(c.Int("fail_times")),
		RejectEvery: c.Int("reject_every"), Drift: c.String("drift"), DriftDay: int(c.Int("drift_day")),
	}
	return o, o.check(s, c)
}

func (o Options) check(s core.Spec, c core.Config) error {
	for _, f := range s.Fields {
		if text := c.String(f.Name); len(f.Enum) > 0 && !contains(f.Enum, text) {
			return wrong(f.Name, "%q is none of %s", text, strings.Join(f.Enum, ", "))
		}
	}
	bounds := []struct {
		name            string
		value, low, top int64
	}{
		{"rows", o.Rows, 0, 1 << 40}, {"streams", int64(o.Streams), 1, 1000}, {"batch", o.Batch, 1, 1 << 22},
		{"columns", o.Columns, 5, 1000}, {"day", int64(o.Day), 0, maxDay}, {"change_per_mille", o.Change, 0, 1000},
		{"grow_per_mille", o.Grow, 0, 1000}, {"delete_per_mille", o.Delete, 0, 500}, {"tie", o.Tie, 1, 1 << 40},
		{"fail_after", o.FailAfter, 0, 1 << 40}, {"fail_times", int64(o.FailTimes), 0, 1 << 30},
		{"reject_every", o.RejectEvery, 0, 1 << 40}, {"drift_day", int64(o.DriftDay), 0, maxDay},
	}
	for _, b := range bounds {
		if b.value < b.low || b.value > b.top {
			return wrong(b.name, "%d is not from %d to %d", b.value, b.low, b.top)
		}
	}
	if o.RejectEvery == 1 {
		return wrong("reject_every", "1 would leave no rows: use 2 or more")
	}
	return nil
}

// maxDay keeps updated_at within a timestamp.
const maxDay = 100000

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func wrong(path, format string, args ...any) error {
	return &core.Error{Kind: core.KindConfig, Op: "read configuration", Path: path, Err: fmt.Errorf(format, args...)}
}

// today is the silo's day at this moment.
func (o Options) today() (int, error) {
	if o.DayFile == "" {
		return o.Day, nil
	}
	text, err := os.ReadFile(o.DayFile)
	if errors.Is(err, os.ErrNotExist) {
		return o.Day, nil
	}
	if err != nil {
		return 0, wrong("day_file", "%w", err)
	}
	day, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || day < 0 || day > maxDay {
		return 0, wrong("day_file", "it does not hold a day from 0 to %d", maxDay)
	}
	return day, nil
}
