package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/fs"
)

// prepare runs a build up to the blocking rules, without comparing or writing anything.
func (m *Model) prepare(ctx context.Context, wh core.Warehouse, at time.Time) (*pipeline, error) {
	l, err := m.layoutNow(ctx, wh)
	if err != nil {
		return nil, err
	}
	p := m.newPipeline(l, core.BuildRequest{Warehouse: wh, At: at, Emit: func(core.Event) {}})
	if err := p.records(ctx); err != nil {
		return nil, err
	}
	if err := p.exactEdges(); err != nil {
		return nil, err
	}
	return p, p.prepareScan()
}

// prepareFor sets up what prepare does for two records, from what the last build stored; when
// it did not store all keys, or the block is another, it prepares all records.
func (m *Model) prepareFor(ctx context.Context, wh core.Warehouse, at time.Time, a, b Record) (*pipeline, error) {
	l, err := m.layoutNow(ctx, wh)
	if err != nil {
		return nil, err
	}
	p := m.newPipeline(l, core.BuildRequest{Warehouse: wh, At: at, Emit: func(core.Event) {}})
	last, err := p.resumable(ctx)
	if err == nil && last != nil && last.Keyed {
		var ok bool
		if ok, err = p.thawFor(ctx, last, a, b); ok {
			return p, err
		}
	}
	if err != nil {
		return nil, err
	}
	return m.prepare(ctx, wh, at)
}

// thawFor reads two records and sets the scanner up for them; false when the stored model does
// not fit them.
func (p *pipeline) thawFor(ctx context.Context, last *trained, a, b Record) (bool, error) {
	p.tokenKey = last.Key
	names := map[uint64]recordName{}
	for _, r := range [2]Record{a, b} {
		names[frame.UID(r.Source, r.Stream, r.Key)] = recordName{r.Source, r.Stream, r.Key}
	}
	_, err := p.readSome(ctx, last, pick{keys: bySource(p.layout.sources, names), of: func(uid uint64) bool {
		_, is := names[uid]
		return is
	}})
	if err != nil || p.frame.Len() != len(names) {
		return err == nil, err // the caller finds that one has left
	}
	if ok, err := p.thaw(ctx, last, p.columnsOf(last)); err != nil || !ok || !p.narrowable() {
		return false, err
	}
	p.rules = p.model.exactRules(p.layout)
	if p.oversize, err = p.overLimit(ctx, last); err != nil || p.oversize == nil {
		return false, err
	}
	return p.thaw(ctx, last, p.columnsOf(last))
}

// overLimit counts who holds the blocking keys of the frame's records, and tells those of
// blocks that are over the limit; nil when not all keys are stored.
func (p *pipeline) overLimit(ctx context.Context, last *trained) (func(rule int, key uint64) bool, error) {
	ring, holders := p.newKeyring(), map[uint64]int{}
	for r := range int32(p.frame.Len()) {
		for _, key := range ring.of(r).blocks {
			holders[key] = 0
		}
	}
	tables, err := p.req.Warehouse.Tables(ctx, core.SchemaIdentity)
	if err != nil {
		return nil, fmt.Errorf("list tables of %s: %w", core.SchemaIdentity, err)
	}
	missing := int64(0)
	for _, t := range tables {
		if t.Name == p.model.tableOf(tableMap) {
			missing += t.Rows
		}
	}
	err = p.model.scanRows(ctx, p.req.Warehouse, tableKey, func(r tableRow) {
		missing--
		for _, key := range r.numbers(0) {
			if n, wanted := holders[uint64(key)]; wanted {
				holders[uint64(key)] = n + 1
			}
		}
	}, "blocks")
	if err != nil || missing != 0 {
		return nil, err
	}
	return func(rule int, key uint64) bool {
		limit := last.Rules[rule].MaxBlock
		return limit > 0 && holders[ring.scramble.blockKey(rule, key)] > limit
	}, nil
}

// WhyNot tells why two records are not one: what each rule says about them, what the model
// would weigh, which guard stands between them, or that no rule ever compared them.
func (m *Model) WhyNot(ctx context.Context, wh core.Warehouse, a, b string) (Explanation, error) {
	out := Explanation{Identity: m.name, Subject: a + " " + b}
	g, err := loadAround(ctx, wh, m.name, []string{a, b})
	if err != nil {
		return out, err
	}
	x, err := g.findRecord(a)
	if err != nil {
		return out, err
	}
	y, err := g.findRecord(b)
	if err != nil {
		return out, err
	}
	out.Records = []Record{g.records[x], g.records[y]}
	if g.records[x].ID == g.records[y].ID {
		out.ID = g.records[x].ID
		out.Path = g.path(x, y)
		out.Notes = append(out.Notes, "they are one: this is the way from one to the other")
		return out, nil
	}
	between := g.between(&out, x, y)
	p, err := m.prepareFor(ctx, wh, time.Now(), g.records[x], g.records[y])
	if err != nil {
		return out, err
	}
	i, j := p.find(g.records[x]), p.find(g.records[y])
	if i < 0 || j < 0 {
		out.Notes = append(out.Notes, "one of the records has left its stream since the last build")
		return out, nil
	}
	p.whyNotRules(&out, min(i, j), max(i, j))
	if !between {
		p.whyNotModel(&out, g, min(i, j), max(i, j))
	}
	return out, nil
}

// between adds the stored edges between the clusters of the two records and reports
// whether the two records themselves have one.
func (g *graph) between(out *Explanation, x, y uint64) bool {
	direct := false
	for _, e := range g.edges {
		one, two := g.records[e.a].ID, g.records[e.b].ID
		if one != g.records[x].ID && one != g.records[y].ID || two != g.records[x].ID && two != g.records[y].ID || one == two {
			continue
		}
		direct = direct || e.a == min(x, y) && e.b == max(x, y)
		if e.outcome == "refused" {
			out.Refused = append(out.Refused, g.step(e))
			continue
		}
		out.Weak = append(out.Weak, g.step(e))
	}
	if len(out.Refused) > 0 {
		out.Notes = append(out.Notes, "a guard stands between the two")
	} else if len(out.Weak) > 0 {
		out.Notes = append(out.Notes, "there is evidence, but over all records of both it is too little")
	}
	return direct
}

// whyNotRules says of each exact rule what it lacks.
func (p *pipeline) whyNotRules(out *Explanation, a, b int32) {
	for _, rule := range p.rules {
		missing, differs := "", ""
		for _, name := range rule.on {
			c := p.frame.Column(name)
			switch {
			case c == nil || len(c.Of(a)) == 0 || len(c.Of(b)) == 0:
				missing = name
			case !anyPair(c, a, b, sameCode):
				differs = name
			}
		}
		switch {
		case missing != "":
			out.Notes = append(out.Notes, fmt.Sprintf("rule %s: one of them has no %s", rule.name, missing))
		case differs != "":
			out.Notes = append(out.Notes, fmt.Sprintf("rule %s: %s differs", rule.name, differs))
		case rule.when != nil:
			if test, err := compileCondition(rule.when, p.frame); err == nil && !test(a, b) {
				out.Notes = append(out.Notes, fmt.Sprintf("rule %s: its condition does not hold", rule.name))
			}
		}
	}
}

// whyNotModel compares the two records although no rule may have done so.
func (p *pipeline) whyNotModel(out *Explanation, g *graph, a, b int32) {
	if p.scanner == nil || g.model == nil {
		return
	}
	rules := p.scanner.Blocks.Shared(a, b)
	if len(rules) == 0 {
		out.Notes = append(out.Notes, "never compared: no blocking rule gives them a key in common")
	}
	levels := make([]int8, len(p.scanner.Comparisons))
	code := p.scanner.Pattern(a, b, levels)
	if len(levels) != len(g.model.Comparisons) {
		out.Notes = append(out.Notes, "the columns have changed since the last build; run again for the weights")
		return
	}
	pattern := make(fs.Pattern, len(levels))
	copy(pattern, levels)
	bits := int64(g.model.Weight(pattern))
	s := Step{A: p.recordOf(a), B: p.recordOf(b), Tier: cluster.Probable.String(), Rule: "model", Bits: float64(bits) / 1e6, Outcome: "weak",
		Evidence: g.model.evidence(code, bits)}
	for _, r := range rules {
		out.Notes = append(out.Notes, "compared by blocking rule "+r)
	}
	worst := Evidence{}
	for _, e := range s.Evidence[1:] {
		if e.Bits < worst.Bits {
			worst = e
		}
	}
	if worst.Comparison != "" {
		out.Notes = append(out.Notes, fmt.Sprintf("what lost it most: %s, %s (%+.1f bits)", worst.Comparison, worst.Level, worst.Bits))
	}
	out.Weak = append(out.Weak, s)
}

func (p *pipeline) recordOf(r int32) Record {
	s := p.frame.Sources[p.frame.Source[r]]
	return Record{Source: s.Source, Stream: s.Stream, Key: p.frame.RecordKey(r)}
}

// A RulePlan says what a rule would cost.
type RulePlan struct {
	Rule string `json:"rule"`
	// Kind is exact or blocking.
	Kind string `json:"kind"`
	// Pairs it makes, before those of earlier rules are taken out.
	Pairs int64 `json:"pairs"`
	// Largest block that is used, and blocks above the limit with their pairs, which are not.
	Largest       int   `json:"largest_block"`
	Oversize      int   `json:"oversize_blocks,omitempty"`
	OversizePairs int64 `json:"oversize_pairs,omitempty"`
	// Keyed records have a key.
	Keyed int `json:"keyed_records"`
	// Capped values are held by more records than their identifier allows persons.
	Capped int `json:"capped_values,omitempty"`
}

// A WorkPlan says what a build would do; nothing is compared.
type WorkPlan struct {
	Records int        `json:"records"`
	Rules   []RulePlan `json:"rules"`
	// Pairs is an upper bound of the pairs to compare, Seconds a guess of the CPU time.
	Pairs   int64    `json:"pairs"`
	Seconds float64  `json:"cpu_seconds"`
	Notes   []string `json:"notes,omitempty"`
}

// secondsPerPair is the measured cost of a comparison, for the guess in a plan.
const secondsPerPair = 0.35e-6

// Work reads the records and counts the pairs that each rule would make, from the
// histogram of its keys.
func (m *Model) Work(ctx context.Context, wh core.Warehouse) (WorkPlan, error) {
	p, err := m.prepare(ctx, wh, time.Now())
	if err != nil {
		return WorkPlan{}, err
	}
	out := WorkPlan{Records: p.frame.Len()}
	for i, rule := range p.rules {
		r := RulePlan{Rule: rule.name, Kind: "exact"}
		limit := p.limitOf(rule)
		for _, s := range p.shared {
			if int(s.rule) != i {
				continue
			}
			r.Keyed += len(s.holders)
			r.Largest = max(r.Largest, len(s.holders))
			r.Pairs += int64(len(s.holders) - 1)
			if limit > 0 && len(s.holders) > limit {
				r.Capped++
			}
		}
		out.Rules = append(out.Rules, r)
	}
	if p.scanner != nil {
		for _, s := range p.scanner.Blocks.Stats {
			out.Rules = append(out.Rules, RulePlan{Rule: s.Name, Kind: "blocking", Pairs: s.Pairs, Largest: s.Largest, Oversize: s.Oversize,
				OversizePairs: s.OversizePairs, Keyed: s.Keyed})
			out.Pairs += s.Pairs
			if s.Oversize > 0 && s.OversizePairs > 10*s.Pairs {
				p.note("blocking rule %s: nearly every pair lies in blocks above its limit; add an attribute to its keys", s.Name)
			}
			if s.Keyed == 0 {
				p.note("blocking rule %s: no record has a key", s.Name)
			}
		}
	}
	out.Seconds = float64(out.Pairs) * secondsPerPair
	out.Notes = append(p.layout.notes, p.notes...)
	return out, nil
}
