package sim

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/dialect"
	"github.com/unsilo/unsilo/connectors/sim/erp"
	"github.com/unsilo/unsilo/connectors/sim/fault"
	"github.com/unsilo/unsilo/connectors/sim/files"
	"github.com/unsilo/unsilo/connectors/sim/truth"
	"github.com/unsilo/unsilo/connectors/sim/world"
)

// Options make a company. The zero value of each field means its default.
type Options struct {
	// Customers is the number of people at the start; default 2000.
	Customers int
	// Seed picks one of many companies; 0 is a seed like any other.
	Seed uint64
	// Start is the day on which the event log begins; default Monday, 5 January 2026.
	// People, deals and old records go back further.
	Start time.Time
	// Now is where the clock stands; default 16 weeks after Start. An earlier time than
	// Start is Start.
	Now time.Time
	// Opened decides which access logs are compressed: those of days more than a week
	// before it. Default Now.
	Opened time.Time
	// Quiet leaves out the planted effects, for negative controls.
	Quiet bool
	// SearchCap is the largest number of results of one CRM search; default 10,000.
	SearchCap int
}

// withDefaults fills in what is left out and cuts Start to a midnight.
func (o Options) withDefaults() Options {
	if o.Customers <= 0 {
		o.Customers = 2000
	}
	if o.Start.IsZero() {
		o.Start = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)
	}
	o.Start = o.Start.UTC().Truncate(24 * time.Hour)
	if o.Now.IsZero() {
		o.Now = o.Start.AddDate(0, 0, 16*7)
	}
	if o.Now.Before(o.Start) {
		o.Now = o.Start
	}
	o.Now = o.Now.UTC().Truncate(time.Second)
	if o.Opened.IsZero() {
		o.Opened = o.Now
	}
	o.Opened = o.Opened.UTC().Truncate(24 * time.Hour)
	return o
}

// Change is one step of the event log.
type Change = world.Change

// A Company is the simulated company. Its methods may be called from several goroutines.
type Company struct {
	opt    Options
	world  *world.World
	faults *fault.Injector
}

// New makes the company as it is at opt.Now. Equal options make equal companies, in
// every process and on every platform.
func New(opt Options) *Company {
	opt = opt.withDefaults()
	c := &Company{opt: opt, world: world.New(world.Options{
		Seed: opt.Seed, Customers: opt.Customers, Start: opt.Start, Quiet: opt.Quiet,
	})}
	c.world.Skip(opt.Now)
	c.faults = fault.New(dialect.Handler(c.world, dialect.Options{
		Credentials: c.Credentials(), SearchCap: opt.SearchCap,
	}), nil)
	return c
}

// Now is the company's time.
func (c *Company) Now() time.Time {
	var now time.Time
	c.world.Read(func(s *world.State) { now = s.Now })
	return now
}

// Advance moves the clock, in whole seconds, and returns what happened, in order of time.
// Several small steps give what one large step gives.
func (c *Company) Advance(d time.Duration) []Change {
	return c.world.Advance(d.Truncate(time.Second))
}

// WriteERP drops the ERP's tables in a database, makes them anew and fills them. dialect
// is sqlite, postgres or mysql.
func (c *Company) WriteERP(ctx context.Context, db *sql.DB, dialect string) error {
	var err error
	c.world.Read(func(s *world.State) { err = erp.Write(ctx, db, dialect, s) })
	return err
}

// ApplyERP brings tables that WriteERP made up to date: changes are what Advance returned
// since, all of it.
func (c *Company) ApplyERP(ctx context.Context, db *sql.DB, dialect string, changes []Change) error {
	var err error
	c.world.Read(func(s *world.State) { err = erp.Apply(ctx, db, dialect, s, changes) })
	return err
}

// WriteFiles brings the folders dir/web and dir/calls up to date. from is the time they
// were written for before; zero writes them anew.
func (c *Company) WriteFiles(dir string, from time.Time) error {
	var err error
	c.world.Read(func(s *world.State) {
		web := files.WebLog{Dir: filepath.Join(dir, "web"), PlainFrom: c.opt.Opened.AddDate(0, 0, -7)}
		if err = web.Write(s, from); err == nil {
			err = files.CallLog{Dir: filepath.Join(dir, "calls")}.Write(s, from)
		}
	})
	return err
}

// WriteTruth writes truth.parquet and truth_effects.json into dir.
func (c *Company) WriteTruth(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make folder of the truth: %w", err)
	}
	var err error
	c.world.Read(func(s *world.State) {
		if err = truth.WriteFile(filepath.Join(dir, "truth.parquet"), s); err == nil {
			err = truth.WriteEffects(filepath.Join(dir, "truth_effects.json"), s)
		}
	})
	return err
}

// Effects gives the answers to the planted questions as of now.
func (c *Company) Effects() truth.Effects {
	var e truth.Effects
	c.world.Read(func(s *world.State) { e = truth.Of(s) })
	return e
}
