package identity

import (
	"context"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/fs"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
	"github.com/unsilo/unsilo/transforms/identity/naming"
)

// pipeline is one build, from tables to clusters.
type pipeline struct {
	model  *Model
	layout *layout
	req    core.BuildRequest
	notes  []string

	// print is the fingerprint of block and layout.
	print string
	frame *frame.Frame
	// content stands for all that each record says; altered tells the records that are not as
	// the last build left them, and is nil when that is not known.
	content []uint64
	altered []bool
	// groups names the group of each record, as the last build stored it; 0 is unknown.
	groups []uint64
	former *former
	// standing is what the last build stored of the edges; nil when all are written anew.
	standing standing
	// last is the model of the last build, once lastRead.
	last     *trained
	lastRead bool
	rules    []matchRule
	ruleName []string
	edges    []cluster.Edge
	shared   []sharedValue
	cannot   map[pair]string
	options  cluster.Options
	result   cluster.Result
	clusters [][]int32
	ids      naming.Result
	scanner  *kernel.Scanner
	terms    terms
	fitted   *fs.Model
	metrics  []metric
	// trainedOn is the stored model when this build goes on from it; decided stands for
	// the decisions in force, and denied are the contradictions that keep records apart.
	trainedOn *trained
	decided   string
	denied    []string
	// oversize, when set, tells the keys of a rule whose blocks are over its limit.
	oversize func(rule int, key uint64) bool
	// flipped says that a block came over its limit, or under.
	flipped bool
	// total is the number of records that have an id now.
	total int
	// kinds are those of columns that the values told.
	kinds map[string]frame.Kind
	// confined is set when the build is made from what changed alone.
	confined *narrowing
	// keyed says that the keys of records are stored for the next build.
	keyed bool
	// decisions are those in force, and orphans those about records that left since the last build.
	decisions, orphans []Decision
	// tokenKey makes the tokens of hashed attributes.
	tokenKey []byte
	// unchanged says that there is nothing to do.
	unchanged bool
}

func (m *Model) newPipeline(l *layout, req core.BuildRequest) *pipeline {
	return &pipeline{model: m, layout: l, req: req, print: l.fingerprint(m.print)}
}

type metric struct {
	name  string
	value float64
}

func (p *pipeline) note(format string, args ...any) {
	p.notes = append(p.notes, fmt.Sprintf(format, args...))
}

func (p *pipeline) measure(name string, value float64) {
	p.metrics = append(p.metrics, metric{name, value})
}

func (p *pipeline) progress(message string) {
	p.req.Emit(core.Event{Time: p.req.At, Kind: core.EventLog, Model: p.model.Ref().String(), Message: message})
}

// match runs every step up to the clusters' ids; it writes nothing.
func (p *pipeline) match(ctx context.Context) error {
	var err error
	if err = p.loadKey(ctx); err != nil {
		return err
	}
	if err = p.readDecisions(ctx); err != nil {
		return err
	}
	if narrow, err := p.narrow(ctx); err != nil || narrow {
		return err
	}
	if p.former, err = p.model.readFormer(ctx, p.req.Warehouse); err != nil {
		return err
	}
	if err = p.records(ctx); err != nil {
		return err
	}
	if unknown := p.overrides(); unknown > 0 {
		p.note("%d decisions name records that do not exist, and wait: look for typing errors in source.stream:key", unknown)
	}
	if p.unchanged, err = p.sameAsBefore(ctx); err != nil || p.unchanged {
		return err
	}
	if err = p.sinceLast(ctx); err != nil {
		return err
	}
	if err = p.resume(ctx); err != nil {
		return err
	}
	if err = p.group(ctx, p.probableEdges); err != nil {
		return err
	}
	p.summarise()
	return p.growth(ctx)
}

// group makes the edges of the records, those of likeness by probable, and clusters of them
// with their ids.
func (p *pipeline) group(ctx context.Context, probable func(context.Context) error) error {
	if err := p.exactEdges(); err != nil {
		return err
	}
	if err := p.stitch(ctx); err != nil {
		return err
	}
	if err := probable(ctx); err != nil {
		return err
	}
	if err := p.cluster(ctx); err != nil {
		return err
	}
	p.ids, p.clusters = p.model.assign(p.frame, p.result.Of, p.former)
	return nil
}

// sameAsBefore reports whether records, decisions and block are those of the last build.
func (p *pipeline) sameAsBefore(ctx context.Context) (bool, error) {
	t, err := p.stored(ctx)
	if err != nil || t == nil || t.Digest != p.digest() || t.Decided != p.decided || t.Fingerprint != p.print || len(p.former.uids) != p.frame.Len() || len(p.model.tables.events) > 0 ||
		p.model.evaluated() {
		return false, err
	}
	p.note("no record has changed")
	p.total = p.frame.Len()
	return true, nil
}

// records loads and normalises all records.
func (p *pipeline) records(ctx context.Context) error {
	p.progress("reading records")
	var err error
	if p.frame, err = p.model.load(ctx, p.req.Warehouse, p.layout, pick{}); err != nil {
		return err
	}
	last, err := p.resumable(ctx)
	if err != nil {
		return err
	}
	p.profile(last)
	if err = p.model.normaliseFrame(p.frame, p.layout); err != nil {
		return err
	}
	p.notes = append(p.notes, p.layout.reports...)
	p.derive()
	p.content = contents(p.frame)
	return nil
}

func (p *pipeline) exactEdges() error {
	p.rules = p.model.exactRules(p.layout)
	k := &linker{model: p.model, frame: p.frame}
	for i, rule := range p.rules {
		p.ruleName = append(p.ruleName, rule.name)
		if rule.alone {
			continue // they need to know who else holds the value
		}
		before := len(k.edges)
		if err := k.link(rule, int16(i)); err != nil {
			return err
		}
		p.measure("edges."+rule.name, float64(len(k.edges)-before))
	}
	p.edges, p.shared = append(p.edges, k.edges...), k.held
	return nil
}

// cluster groups records, takes away the edges of values that too many persons share, adds
// those of values that only one person holds, and groups again.
func (p *pipeline) cluster(ctx context.Context) error {
	g, err := p.model.newGuards(p.frame, p.layout, p.cannot)
	if err != nil {
		return err
	}
	g.clean, g.denials = p.cleanSources(), p.denials()
	p.options = p.model.clusterOptions(g)
	opt := p.options
	if p.scanner != nil && p.trainedOn == nil {
		if err := p.learnTerms(ctx, g, opt); err != nil {
			return err
		}
	}
	result, err := cluster.Run(ctx, p.frame.Len(), p.edges, opt)
	if err != nil {
		return err
	}
	changed := p.dropShared(result.Of)
	added, err := p.aloneEdges(result.Of)
	if err != nil {
		return err
	}
	if changed || added {
		if result, err = cluster.Run(ctx, p.frame.Len(), p.edges, opt); err != nil {
			return err
		}
	}
	p.result = result
	return p.violations()
}

// overruled reports whether people have decided about any pair.
func (p *pipeline) overruled() bool {
	return len(p.cannot) > 0 || slices.ContainsFunc(p.edges, func(e cluster.Edge) bool { return e.Tier == cluster.Must })
}

// clusterOptions reads the clustering block; weights are in millionths of a bit.
func (m *Model) clusterOptions(g *guards) cluster.Options {
	opt := cluster.Options{Missing: -4e6, Stop: -2e6, Cap: 20e6, Guard: g.refuse}
	c := m.def.Clustering
	if c == nil {
		return opt
	}
	if c.MissingBits != nil {
		opt.Missing = int32(*c.MissingBits * 1e6)
	}
	if c.StopBits != nil {
		opt.Stop = int32(*c.StopBits * 1e6)
	}
	switch c.Method {
	case "connected_components":
		opt.Method = cluster.ConnectedComponents
	case "one_to_one":
		opt.Method = cluster.OneToOne
	}
	return opt
}

func (p *pipeline) summarise() {
	sizes := map[int]int{}
	for _, c := range p.clusters {
		sizes[len(c)]++
	}
	p.count(sizes, len(p.result.Vetoes))
}

// count tells how many clusters there are of each size, and how many links were refused.
func (p *pipeline) count(sizes map[int]int, refused int) {
	largest, records, clusters := 0, 0, 0
	for size, n := range sizes {
		if n > 0 {
			largest = max(largest, size)
		}
		records += size * n
		clusters += n
	}
	together := records - sizes[1]
	p.total = records
	p.measure("records", float64(records))
	p.measure("clusters", float64(clusters))
	p.measure("largest_cluster", float64(largest))
	p.measure("vetoes", float64(refused))
	p.measure("events", float64(len(p.ids.Events)))
	p.note("%d records are %d of %s; %d records share theirs, the largest has %d", records, clusters, p.model.name, together, largest)
	if refused > 0 {
		p.note("%d links were refused by guards; see %s", refused, p.model.tableOf(tableVeto))
	}
	giant := 50
	if b := p.model.def.Guardrail; b != nil && b.Alert != nil && b.Alert.GiantCluster > 0 {
		giant = b.Alert.GiantCluster
	}
	if largest > giant {
		p.note("a cluster has %d records, more than %d: look at it with identity explain", largest, giant)
	}
}

func arrowSchema(fields []arrow.Field) *arrow.Schema { return arrow.NewSchema(fields, nil) }
