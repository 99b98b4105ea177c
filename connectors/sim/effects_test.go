package sim_test

import (
	"testing"

	"github.com/unsilo/unsilo/connectors/sim"
	"github.com/unsilo/unsilo/connectors/sim/truth"
)

func TestPlantedEffects(t *testing.T) {
	for _, opt := range []sim.Options{
		{Customers: 500, Seed: 1}, {Customers: 2000, Seed: 42}, {Customers: 2000, Seed: 7}, {Customers: 5000, Seed: 3},
	} {
		e := sim.New(opt).Effects()
		if e.Trap != "clear-out" {
			t.Errorf("%+v: the campaign with the best return that loses money is %q, want clear-out: %+v", opt, e.Trap, e.Campaigns)
		}
		callers := opt.Customers * 6 / 1000
		if e.Outage.Callers != callers || e.Outage.Silent != 10*callers || e.Outage.AtRisk <= 0 {
			t.Errorf("%+v: outage with %d callers and %d silent, want %d and %d", opt, e.Outage.Callers, e.Outage.Silent, callers, 10*callers)
		}
		checkFever(t, e)
		if share := e.Waiting.Abandoned * 100 / max(1, e.Waiting.Over300); opt.Customers >= 2000 && (share < 22 || share > 42) {
			t.Errorf("%+v: %d of 100 hang up after five minutes, want about 32", opt, share)
		}
		if len(e.Risky) == 0 {
			t.Errorf("%+v: no risky deal", opt)
		}
	}
}

// checkFever demands that the week of the fever stands out from all before it.
func checkFever(t *testing.T, e truth.Effects) {
	t.Helper()
	for i, w := range e.Weeks {
		if w.Monday != e.Fever.Monday {
			continue
		}
		for _, quiet := range e.Weeks[:i] {
			if w.Calls < quiet.Calls*2 || w.Negative < quiet.Negative*3 {
				t.Errorf("week of the fever %+v does not stand out from %+v", w, quiet)
			}
			if nps(w) >= nps(quiet) {
				t.Errorf("score in the fever %d, in the week of %s %d", nps(w), quiet.Monday, nps(quiet))
			}
		}
		return
	}
	t.Errorf("no week begins on %s", e.Fever.Monday)
}

func nps(w truth.WeekEffect) int { return (w.Promoters - w.Detractor) * 100 / max(1, w.Answers) }

// The twin without the effects must show none.
func TestQuietCompanyHasNoEffects(t *testing.T) {
	e := sim.New(sim.Options{Customers: 2000, Seed: 42, Quiet: true}).Effects()
	if e.Trap != "" || e.Outage.Affected != 0 {
		t.Errorf("a quiet company has the trap %q and %d failed checkouts", e.Trap, e.Outage.Affected)
	}
	for _, w := range e.Weeks {
		if w.Monday == e.Fever.Monday && w.Calls > 2*e.Weeks[0].Calls {
			t.Errorf("a quiet company has a fever: %+v", w)
		}
	}
}
