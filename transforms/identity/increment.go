package identity

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/zeebo/xxh3"

	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/fs"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
)

// retrainShare is the change in the number of records after which the model is trained
// anew.
const retrainShare = 0.2

// atomSpec and ruleSpec are blocking rules as they are stored with a model.
type atomSpec struct {
	Column   string `json:"column"`
	Function string `json:"function"`
	N        int    `json:"n,omitempty"`
}

type ruleSpec struct {
	Name     string     `json:"name"`
	Atoms    []atomSpec `json:"atoms,omitempty"`
	MaxBlock int        `json:"max_block"`
	Tokens   string     `json:"tokens,omitempty"`
	Oversize int        `json:"oversize,omitempty"`
}

func specOf(r *kernel.Rule, stats kernel.RuleStats) ruleSpec {
	out := ruleSpec{Name: r.Name, MaxBlock: r.MaxBlock, Oversize: stats.Oversize}
	for _, a := range r.Atoms {
		out.Atoms = append(out.Atoms, atomSpec{a.Column.Name, a.Function, a.N})
	}
	if r.Tokens != nil {
		out.Tokens = r.Tokens.Column.Name
	}
	return out
}

// ruleOfSpec rebuilds a rule; false when a column is gone.
func (p *pipeline) ruleOfSpec(s ruleSpec) (*kernel.Rule, bool) {
	r := &kernel.Rule{Name: s.Name, MaxBlock: s.MaxBlock}
	for _, a := range s.Atoms {
		c := p.frame.Column(a.Column)
		if c == nil {
			return nil, false
		}
		r.Atoms = append(r.Atoms, kernel.Atom{Column: c, Function: a.Function, N: a.N})
	}
	if s.Tokens != "" {
		c := p.frame.Column(s.Tokens)
		if c == nil {
			return nil, false
		}
		r.Tokens = kernel.NewTokenKeys(c, p.frame.Len(), s.MaxBlock)
	}
	return r, true
}

// stored is the model of the last build, read once; nil when there is none.
func (p *pipeline) stored(ctx context.Context) (*trained, error) {
	if p.lastRead {
		return p.last, nil
	}
	t, err := loadModel(ctx, p.req.Warehouse, p.model.store)
	p.last, p.lastRead = t, err == nil
	return t, err
}

// resumable is the stored model when it is of this very block and these columns, and the
// block lets builds go on from it; else nil.
func (p *pipeline) resumable(ctx context.Context) (*trained, error) {
	if b := p.model.def.Persistence; b != nil && b.Incremental != nil && !*b.Incremental {
		return nil, nil
	}
	t, err := p.stored(ctx)
	if err != nil || t == nil || t.Fingerprint != p.print {
		return nil, err
	}
	return t, nil
}

// resume lets the build go on from the stored model, when it may. While few records have
// changed the model decides what is compared; after that, the values do.
func (p *pipeline) resume(ctx context.Context) error {
	last, err := p.resumable(ctx)
	if err != nil || last == nil {
		return err
	}
	if retrains(p.frame.Len(), last.Records) {
		p.note("the number of records has changed by more than %.0f %%: the model is trained anew", 100*retrainShare)
		return nil
	}
	columns := p.compared()
	if p.altered != nil && len(p.changed()) <= int(largestChange*float64(p.frame.Len())) {
		columns = p.columnsOf(last)
	}
	ok, err := p.thaw(ctx, last, columns)
	if !ok {
		p.terms = nil
	}
	return err
}

// columnsOf lists the columns that a model compares.
func (p *pipeline) columnsOf(t *trained) []*frame.Column {
	var out []*frame.Column
	for _, c := range p.frame.Columns {
		if t != nil && slices.Contains(t.Compared, c.Name) {
			out = append(out, c)
		}
	}
	return out
}

// retrains reports whether a model of so many records is too old for those there are now.
func retrains(now, then int) bool {
	return float64(max(now-then, then-now)) > retrainShare*float64(then)
}

// fingerprint is that of the block with what each column says, before values tell the kinds
// of those that nothing else explains: a model of other columns is of no use.
func (l *layout) fingerprint(block string) string {
	h := xxh3.New()
	write := func(format string, args ...any) { _, _ = fmt.Fprintf(h, format, args...) } // never fails
	write("%q", block)
	for _, s := range l.sources {
		write("%s %q %q %q;", s.table, s.key, s.updated, s.observed)
		for _, c := range s.columns {
			write("%q %q %t;", c.column, c.attribute, c.masked)
		}
	}
	for _, a := range l.attributes {
		write("%q %q;", a.name, a.kind)
	}
	return fmt.Sprintf("%016x", h.Sum64())
}

// digest changes with every record and every value. It is a sum, so that a build that reads
// a part of the records can carry it on.
func (p *pipeline) digest() uint64 {
	sum := uint64(0)
	for r, uid := range p.frame.UID {
		sum += recordDigest(uid, p.content[r])
	}
	return sum
}

func recordDigest(uid, content uint64) uint64 {
	var b [16]byte
	binary.LittleEndian.PutUint64(b[:8], uid)
	binary.LittleEndian.PutUint64(b[8:], content)
	return xxh3.Hash(b[:])
}

// contents gives a number for each record that changes with its time and with any of its
// values, as they came and as they were read: another list of blocked values changes it too.
func contents(f *frame.Frame) []uint64 {
	out := make([]uint64, f.Len())
	for r := range out {
		out[r] = f.RowHash[r] + mixed(uint64(f.Updated[r]))
	}
	for _, c := range f.Columns {
		seed := xxh3.HashString(c.Name + "\x00" + string(c.Kind))
		of := make([]uint64, c.Values.Len())
		for code := range of {
			of[code] = xxh3.HashSeed(c.Values.Bytes(int32(code)), seed)
		}
		for r := range out {
			for i, code := range c.Of(int32(r)) {
				out[r] += of[code] * uint64(2*i+1) // which value comes first counts
			}
		}
	}
	return out
}

// mixed spreads a number over all bits; 0 stays 0.
func mixed(n uint64) uint64 {
	n *= 0x9E3779B97F4A7C15
	return n ^ n>>29
}

// sinceLast finds the records that are not as the last build of this very block left them;
// without such a build altered stays nil.
func (p *pipeline) sinceLast(ctx context.Context) error {
	t, err := p.resumable(ctx)
	if err != nil || t == nil {
		return err
	}
	altered, groups := make([]bool, p.frame.Len()), make([]uint64, p.frame.Len())
	for r := range altered {
		altered[r] = true
	}
	stored := 0
	records := frame.NewIndex(p.frame.UID)
	err = p.model.scanRows(ctx, p.req.Warehouse, tableRecord, func(r tableRow) {
		stored++
		if at, ok := records.Find(uint64(r.number(0))); ok {
			altered[at], groups[at] = uint64(r.number(1)) != p.content[at], uint64(r.number(2))
		}
	}, "record", "row_hash", "component")
	if err == nil && stored > 0 && stored == len(p.former.uids) {
		p.altered, p.groups = altered, groups
	}
	return err
}

// thaw sets the scanner up from the stored model, when there is one; false when its
// comparisons no longer fit the columns or its terms are lost.
func (p *pipeline) thaw(ctx context.Context, t *trained, columns []*frame.Column) (bool, error) {
	if t == nil || len(t.Comparisons) == 0 || !slices.Equal(columnNames(columns), t.Compared) {
		return false, nil
	}
	if ok, err := p.loadTerms(ctx, t); !ok || !p.frozenWords(columns) {
		return false, err
	}
	comparisons, err := p.comparisons(columns)
	if err != nil || len(comparisons) != len(t.Comparisons) {
		return false, nil // training tells what is wrong with them
	}
	for k, c := range comparisons {
		if c.Name != t.Comparisons[k].Name || len(c.Levels) != len(t.Comparisons[k].Levels) {
			return false, nil
		}
	}
	var rules []*kernel.Rule
	for i, s := range t.Rules {
		r, ok := p.ruleOfSpec(s)
		if !ok {
			return false, nil
		}
		if p.oversize != nil {
			r.Oversize = func(key uint64) bool { return p.oversize(i, key) }
		}
		rules = append(rules, r)
	}
	scanner := kernel.NewScanner(kernel.NewBlocks(p.frame.Len(), rules, p.nameless()), comparisons)
	if slices.ContainsFunc(termColumns(scanner), func(c *frame.Column) bool { return p.terms[c.Name] == nil }) {
		return false, nil
	}
	p.fitted, p.scanner, p.trainedOn = &t.Model, scanner, t
	p.frozenTerms()
	p.frozenSurnames()
	return true, nil
}

func columnNames(columns []*frame.Column) []string {
	var names []string
	for _, c := range columns {
		names = append(names, c.Name)
	}
	return names
}

// changedRecords tells which records are new or say something else than in the last build;
// nil when stored edges cannot be used.
func (p *pipeline) changedRecords() []bool {
	if p.altered == nil || p.trainedOn == nil || !p.reusable() {
		return nil
	}
	p.measure("records.changed", float64(len(p.changed())))
	return p.altered
}

// reusable reports whether stored edges hold on. A block that grew over its limit, or fell
// below, changes pairs of old records.
func (p *pipeline) reusable() bool {
	if p.flipped || !p.pairwise() {
		return false
	}
	for i, s := range p.scanner.Blocks.Stats {
		if !p.scanner.Blocks.Rules[i].Alone() || s.Oversize != p.trainedOn.Rules[i].Oversize {
			return false
		}
	}
	return true
}

// oldEdges takes the stored edges of unchanged records that a blocking rule still pairs.
func (p *pipeline) oldEdges(ctx context.Context, changed []bool) error {
	records := frame.NewIndex(p.frame.UID)
	probable := cluster.Probable.String()
	before := len(p.edges)
	find := func(uid int64) int32 {
		at, ok := records.Find(uint64(uid))
		if !ok {
			return -1
		}
		return at
	}
	p.standing = make(standing, p.frame.Len())
	err := p.model.scanRows(ctx, p.req.Warehouse, tableEdge, func(r tableRow) {
		a, b := find(r.number(0)), find(r.number(1))
		p.standing.add(a, b, r.view(2), r.view(3), r.number(4), r.number(5), r.view(6))
		if a < 0 || b < 0 || !r.is(2, probable) || changed[a] || changed[b] || !p.scanner.Blocks.Pairs(a, b) {
			return
		}
		p.edges = append(p.edges, cluster.Edge{A: min(a, b), B: max(a, b), Bits: int32(r.number(5)), Tier: cluster.Probable,
			Pattern: uint64(r.number(4))})
	})
	p.measure("edges.kept", float64(len(p.edges)-before))
	return err
}

// storedModel is what the next build needs to go on from this one.
func (p *pipeline) storedModel() trained {
	if p.confined != nil {
		return p.confined.storedModel()
	}
	t := trained{Version: p.req.RunID, Keep: bandBits(0.2), Link: bandBits(0.99), Fingerprint: p.print, Digest: p.digest(), Decided: p.decided,
		Records: p.frame.Len(), Denials: p.denied, Keyed: p.keyed, Kinds: p.kinds}
	if p.fitted != nil {
		t.Model = *p.fitted
	} else {
		t.Model = fs.Model{Prior: 0.5}
	}
	if p.trainedOn != nil {
		t.Version, t.Records = p.trainedOn.Version, p.trainedOn.Records
	}
	if p.scanner != nil {
		if t.Compared = columnNames(p.compared()); p.trainedOn != nil {
			t.Compared = p.trainedOn.Compared
		}
		t.Terms = map[string]float64{}
		for name, of := range p.terms {
			t.Terms[name] = of.total
			t.TermRows += len(of.shared)
		}
		for i, r := range p.scanner.Blocks.Rules {
			t.Rules = append(t.Rules, specOf(r, p.scanner.Blocks.Stats[i]))
		}
	}
	p.remember(&t)
	if d := p.model.def.Decision; d != nil {
		if d.Keep != nil {
			t.Keep = bandBits(*d.Keep)
		}
		if d.Review != nil {
			t.Likely = bandBits(*d.Review)
		}
		if d.Link != nil {
			t.Link = bandBits(*d.Link)
		}
	}
	return t
}
