package identity

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
)

// tableTerm holds how many clusters share each value that comparisons weigh by its rarity.
const tableTerm = "term"

// surnameTerms are, beside the frequencies of columns, the family names that are no given
// names.
const surnameTerms = "surname"

// wordTerms ends the names of the frequencies of the words of columns of texts.
const wordTerms = " words"

// terms are the frequencies of the values of each column, by its name, as they were when the
// model was trained. They stay with it: what an edge weighs does not change with records that
// come later, until the model is trained anew.
type terms map[string]*termCounts

// termCounts are the frequencies of the values of one column.
type termCounts struct {
	// total is the sum over all values; shared counts the clusters of those values, by hash,
	// that more than one has.
	total  float64
	shared map[uint64]int32
}

// termColumns lists the columns whose values are weighed by their rarity.
func termColumns(s *kernel.Scanner) []*frame.Column {
	var out []*frame.Column
	add := func(c *frame.Column) {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	for _, c := range s.Comparisons {
		for _, l := range c.Levels {
			if l.Term == nil {
				continue
			}
			add(l.Term.Column)
			if j := l.Term.Joint; j != nil {
				add(j.First)
				add(j.Second)
			}
		}
	}
	return out
}

// termHash gives the hashes that stand for the values of a column. Those of hashed
// attributes are made from their tokens.
func (p *pipeline) termHash(name string) func(value []byte) uint64 {
	if p.hashed(name) || name == jointName && (p.hashed("first_name") || p.hashed("last_name")) {
		return func(value []byte) uint64 { return xxh3.HashString(p.token(name, value)) }
	}
	seed := xxh3.HashString(name)
	return func(value []byte) uint64 { return xxh3.HashSeed(value, seed) }
}

// firstTerms weighs values by how many records hold them, for want of clusters.
func (p *pipeline) firstTerms() {
	p.weighTerms(func(c *frame.Column) kernel.Frequencies { return kernel.FrequenciesOf(c.Counts()) },
		func(_ int, t *kernel.Term) float64 { return kernel.Collisions(kernel.FrequenciesOf(t.Column.Counts())) })
}

// frozenTerms weighs values by the frequencies that belong to the model. A value that is new
// since then has one holder.
func (p *pipeline) frozenTerms() {
	p.weighTerms(func(c *frame.Column) kernel.Frequencies {
		of, hash := p.terms[c.Name], p.termHash(c.Name)
		f := kernel.Frequencies{Holders: make([]int32, c.Values.Len()), Total: of.total}
		for code := range f.Holders {
			f.Holders[code] = max(1, of.shared[hash(c.Values.Bytes(int32(code)))])
		}
		return f
	}, func(k int, t *kernel.Term) float64 {
		return p.scanner.Comparisons[k].Base(t.Column.Name, p.fitted.Comparisons[k])
	})
}

// weighTerms gives every term its weights, from the frequencies of a column and the
// probability that two entities agree in the term of a comparison by chance.
func (p *pipeline) weighTerms(count func(*frame.Column) kernel.Frequencies, base func(comparison int, t *kernel.Term) float64) {
	counted := map[*frame.Column]kernel.Frequencies{}
	for _, c := range termColumns(p.scanner) {
		counted[c] = count(c)
	}
	for k, c := range p.scanner.Comparisons {
		for i := range c.Levels {
			t := c.Levels[i].Term
			if t == nil {
				continue
			}
			var least []float64
			if t.Joint != nil {
				least = t.Joint.Shares(counted[t.Joint.First], counted[t.Joint.Second])
			}
			t.Weigh(counted[t.Column], base(k, t), least)
		}
	}
}

// learnTerms counts the clusters that hold each value, so that the records of one entity
// count once, and weighs all edges by that. The clusters are those that evidence alone makes:
// a decision about two records must not tip the scales for others.
func (p *pipeline) learnTerms(ctx context.Context, g *guards, opt cluster.Options) error {
	edges := p.edges
	if p.overruled() {
		plain := *g
		plain.cannot = nil
		opt.Guard = plain.refuse
		edges = slices.DeleteFunc(slices.Clone(edges), func(e cluster.Edge) bool { return e.Tier == cluster.Must })
	}
	result, err := cluster.Run(ctx, p.frame.Len(), edges, opt)
	if err != nil {
		return err
	}
	clusters := clusterLists(result.Of)
	p.terms = terms{}
	for _, c := range termColumns(p.scanner) {
		p.terms[c.Name] = p.countTerms(c, clusters)
	}
	for _, c := range p.texts(p.compared()) {
		p.terms[c.Name+wordTerms] = &termCounts{c.Words.Total, c.Words.Holders}
	}
	p.countSurnames()
	p.frozenTerms()
	p.rescore()
	return nil
}

// countTerms counts the clusters that hold each value of a column.
func (p *pipeline) countTerms(c *frame.Column, clusters [][]int32) *termCounts {
	f := kernel.FrequenciesOf(holders(c, clusters))
	out, hash := &termCounts{total: f.Total, shared: map[uint64]int32{}}, p.termHash(c.Name)
	for code, n := range f.Holders {
		if n > 1 {
			out.shared[hash(c.Values.Bytes(int32(code)))] = n
		}
	}
	return out
}

// countSurnames keeps with the model which names are family names.
func (p *pipeline) countSurnames() {
	given, family := p.frame.Column("first_name"), p.frame.Column("last_name")
	if given == nil || family == nil || given.Masked || family.Masked {
		return
	}
	out, is, hash := &termCounts{shared: map[uint64]int32{}}, surnames(given, family), p.termHash(family.Name)
	for code := range int32(family.Values.Len()) {
		if name := family.Values.Bytes(code); is(name) {
			out.shared[hash(name)] = 1
		}
	}
	p.terms[surnameTerms] = out
}

// wordHash gives the hashes that stand for the words of a column: others than those of its
// values, which may be of one word.
func (p *pipeline) wordHash(name string) func(word []byte) uint64 {
	hash := p.termHash(name)
	return func(word []byte) uint64 { return mixed(hash(word) + 1) }
}

// texts are those of the columns whose words are weighed by their rarity as the model knows
// it: the ones of people.
func (p *pipeline) texts(columns []*frame.Column) []*frame.Column {
	if p.layout.entity != entityPerson {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(columns), func(c *frame.Column) bool { return c.Masked || !ofWords(c.Kind) })
}

// ofWords reports whether values of a kind are compared word by word.
func ofWords(k frame.Kind) bool {
	return slices.Contains([]frame.Kind{frame.Text, frame.Company, frame.Street, frame.FullName}, k)
}

// frozenWords lets columns of texts weigh words as the model does; false when it does not
// know them.
func (p *pipeline) frozenWords(columns []*frame.Column) bool {
	for _, c := range p.texts(columns) {
		of := p.terms[c.Name+wordTerms]
		if of == nil {
			return false
		}
		c.Words = &frame.Words{Total: of.total, Holders: of.shared, Hash: p.wordHash(c.Name)}
	}
	return true
}

// frozenSurnames lets the frame know family names as the model does.
func (p *pipeline) frozenSurnames() {
	of := p.terms[surnameTerms]
	if of == nil {
		return
	}
	hash := p.termHash("last_name")
	p.frame.Surname = func(name []byte) bool { return of.shared[hash(name)] > 0 }
}

// holders counts the clusters that hold each value.
func holders(c *frame.Column, clusters [][]int32) []int32 {
	counts := make([]int32, c.Values.Len())
	var codes []int32
	for _, records := range clusters {
		codes = codes[:0]
		for _, r := range records {
			for _, code := range c.Of(r) {
				if code >= 0 {
					codes = append(codes, code)
				}
			}
		}
		if len(records) > 1 {
			slices.Sort(codes)
			codes = slices.Compact(codes)
		}
		for _, code := range codes {
			counts[code]++
		}
	}
	return counts
}

// rescore weighs every probable edge again, under the present terms.
func (p *pipeline) rescore() {
	type scale struct {
		bits  int32
		terms []*kernel.Level
	}
	weigh := p.weigher()
	known := map[uint64]*scale{}
	for i := range p.edges {
		e := &p.edges[i]
		if e.Tier != cluster.Probable {
			continue
		}
		s := known[e.Pattern]
		if s == nil {
			s = &scale{weigh(e.Pattern), p.scanner.Terms(e.Pattern)}
			known[e.Pattern] = s
		}
		e.Bits = s.bits
		for _, l := range s.terms {
			e.Bits += l.Extra(e.A, e.B)
		}
	}
}

// loadTerms reads the frequencies that belong to the stored model, and reports whether they
// are there.
func (p *pipeline) loadTerms(ctx context.Context, t *trained) (bool, error) {
	stored := terms{}
	for name, total := range t.Terms {
		stored[name] = &termCounts{total, map[uint64]int32{}}
	}
	if p.terms != nil { // they were read already
		return true, nil
	}
	rows := 0
	err := p.model.scanRows(ctx, p.req.Warehouse, tableTerm, func(r tableRow) {
		rows++
		if of := stored[r.text(0)]; of != nil {
			of.shared[uint64(r.number(1))] = int32(r.number(2))
		}
	})
	if err != nil || rows != t.TermRows {
		return false, err
	}
	p.terms = stored
	return true, nil
}

// forgetTerms drops the frequencies of values that nobody holds any more: nothing of a
// record that was erased may stay. It reports whether there were any.
func (p *pipeline) forgetTerms() bool {
	if !p.lostValues() {
		return false
	}
	dropped := false
	for name, of := range p.terms {
		if strings.HasSuffix(name, wordTerms) {
			continue // more than fewHolders records held each; it stays as long as the model
		}
		c := p.frame.Column(name)
		if name == surnameTerms {
			c = p.frame.Column("last_name")
		}
		hash, held := p.termHash(c.Name), make(map[uint64]bool, len(of.shared))
		for code, n := range c.Counts() {
			if n > 0 {
				held[hash(c.Values.Bytes(int32(code)))] = true
			}
		}
		before := len(of.shared)
		maps.DeleteFunc(of.shared, func(h uint64, _ int32) bool { return !held[h] })
		dropped = dropped || len(of.shared) < before
	}
	return dropped
}

// lostValues reports whether a record of the last build has left or says something else.
func (p *pipeline) lostValues() bool {
	if p.altered == nil || len(p.gone()) > 0 {
		return true
	}
	for r, altered := range p.altered {
		if altered && p.former.find(p.frame.UID[r]) >= 0 {
			return true
		}
	}
	return false
}

// writeTerms stores the frequencies of a model that was trained in this build, or those that
// are left when some were forgotten.
func (p *pipeline) writeTerms(ctx context.Context, tx core.Tx) error {
	if p.confined != nil {
		return p.confined.writeTerms(ctx, tx)
	}
	if p.terms != nil && p.trainedOn != nil && !p.forgetTerms() {
		return nil
	}
	type row struct {
		column string
		hash   uint64
		n      int32
	}
	var list []row
	for _, name := range slices.Sorted(maps.Keys(p.terms)) {
		for _, hash := range slices.Sorted(maps.Keys(p.terms[name].shared)) {
			list = append(list, row{name, hash, p.terms[name].shared[hash]})
		}
	}
	return replaceRows(ctx, tx, p.model.output(tableTerm), len(list), func(i int, w *rowWriter) {
		w.text(0, list[i].column)
		w.number(1, int64(list[i].hash))
		w.number(2, int64(list[i].n))
		w.end()
	})
}
