package sim_test

import (
	"fmt"
	"hash/fnv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/connectors/sim"
)

// fingerprint stands for all tables of a company.
func fingerprint(c *sim.Company) (uint64, error) {
	h := fnv.New64a()
	for _, name := range sim.Streams() {
		table, err := c.Expected(name.Source, name.Stream)
		if err != nil {
			return 0, err
		}
		_, _ = fmt.Fprintln(h, name, table.Rows, table.Archived)
	}
	return h.Sum64(), nil
}

// However the clock is moved to a time, the company is the one made at that time.
func TestAnyStepsLeadToTheSameCompany(t *testing.T) {
	start := time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		opt := sim.Options{Customers: 50, Seed: rapid.Uint64Range(0, 3).Draw(t, "seed"), Start: start, Opened: start}
		opt.Now = start.Add(time.Duration(rapid.IntRange(0, 40*24*3600).Draw(t, "begin")) * time.Second)
		c := sim.New(opt)
		for _, seconds := range rapid.SliceOfN(rapid.IntRange(1, 3*24*3600), 0, 5).Draw(t, "steps") {
			c.Advance(time.Duration(seconds) * time.Second)
		}
		opt.Now = c.Now()
		got, err := fingerprint(c)
		if err != nil {
			t.Fatal(err)
		}
		want, err := fingerprint(sim.New(opt))
		if err != nil {
			t.Fatal(err)
		}
		if got != want {
			t.Errorf("the company at %v depends on the steps", c.Now())
		}
	})
}
