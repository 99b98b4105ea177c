package identity

import (
	"slices"
	"strings"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/similar"
)

// Relatives share a family name, an address, a mailbox and a number, and twins a birthday:
// no sum of those makes two given names one. Where the data are clean enough that records
// of one person hardly ever contradict each other in given name or birth date, such a
// contradiction keeps records apart.
const (
	// deniedShare is the share of contradictions among matches up to which one denies.
	deniedShare = 0.03
	// fewMatches is the number of expected matches below which the share is not known.
	fewMatches = 50
)

// denials are the contradictions that hold in these data, as they were when the model was
// trained. Records that share the id of a system tell how clean they are; where there are few
// of those the trained model does.
func (p *pipeline) denials() []namedCondition {
	if p.layout.entity != entityPerson || len(p.model.rules.match) > 0 {
		return nil
	}
	given, family, born := p.frame.Column("first_name"), p.frame.Column("last_name"), p.frame.Column("birth_date")
	var out []namedCondition
	add := func(c namedCondition, share func() float64) {
		if p.trainedOn != nil && slices.Contains(p.trainedOn.Denials, c.name) || p.trainedOn == nil && share() < deniedShare {
			out = append(out, c)
			p.denied = append(p.denied, c.name)
		}
	}
	if given != nil && !given.Masked {
		crossed := crossedNames(p.frame)
		c := namedCondition{"given names contradict each other", func(a, b int32) bool { return givenDiffer(given, family, crossed, a, b) }}
		add(c, func() float64 {
			return p.contradicts(given, c.test, "name", func(l string) bool { return strings.HasPrefix(l, given.Name+" far") })
		})
	}
	if born != nil {
		c := namedCondition{"birth dates contradict each other", func(a, b int32) bool { return agreement(born, a, b, nearDate) == differ }}
		add(c, func() float64 {
			return p.contradicts(born, c.test, born.Name, func(l string) bool { return strings.HasPrefix(l, "within") || l == "differs" })
		})
	}
	return out
}

// contradicts estimates the share of matches whose values of a column contradict each
// other.
func (p *pipeline) contradicts(c *frame.Column, test condition, comparison string, level func(string) bool) float64 {
	var seen, against float64
	for _, id := range p.frame.Columns {
		if id.Kind != frame.ID || !p.layout.declared(id.Name) {
			continue
		}
		for _, holders := range sharingOne(p.frame, id) {
			first := int32(-1)
			for _, r := range holders {
				switch {
				case len(c.Of(r)) == 0:
				case first < 0:
					first = r
				default:
					seen++
					if test(first, r) {
						against++
					}
				}
			}
		}
	}
	if seen >= fewMatches {
		return against / seen
	}
	if p.fitted == nil {
		return 1
	}
	n := float64(p.frame.Len())
	if p.fitted.Prior*n*(n-1)/2 < fewMatches {
		return 0
	}
	return p.matchShare(comparison, level)
}

// matchShare sums the shares of levels among matches; 1 when there is no such comparison.
func (p *pipeline) matchShare(comparison string, level func(string) bool) float64 {
	for _, c := range p.fitted.Comparisons {
		if c.Name != comparison {
			continue
		}
		sum := 0.0
		for _, l := range c.Levels {
			if level(l.Name) {
				sum += l.M
			}
		}
		return sum
	}
	return 1
}

// givenDiffer reports two given names that are neither alike, nor nicknames, nor initials,
// nor swapped with the family names.
func givenDiffer(given, family *frame.Column, crossed condition, a, b int32) bool {
	near := func(x, y string) bool { return likelyGiven(x, y) || similar.JaroWinklerAtLeast(x, y, 0.82) }
	if agreement(given, a, b, near) != differ {
		return false
	}
	return family == nil || !turned(given, family, a, b) && !crossed(a, b)
}

// turned reports given and family names that have changed places. Either may be short for
// the other's: which is the given one is not known.
func turned(given, family *frame.Column, a, b int32) bool {
	if family == nil || given == nil {
		return false
	}
	ga, gb, fa, fb := given.First(a), given.First(b), family.First(a), family.First(b)
	return ga >= 0 && gb >= 0 && fa >= 0 && fb >= 0 &&
		likelyGiven(given.Values.Value(ga), family.Values.Value(fb)) && likelyGiven(family.Values.Value(fa), given.Values.Value(gb))
}

// crossedNames tells pairs whose given name stands as the other's family name: names that
// have changed places, of somebody whose family name has changed too. A name counts as a given
// one when more records have it so: the wife whose family name came first is not her husband.
func crossedNames(f *frame.Frame) condition {
	given, family := f.Column("first_name"), f.Column("last_name")
	if family == nil || given == nil || given.Masked || family.Masked {
		return func(a, b int32) bool { return false }
	}
	isSurname := f.Surname
	if isSurname == nil {
		isSurname = surnames(given, family)
	}
	isGiven := func(x int32) bool { return !isSurname(given.Values.Bytes(x)) }
	same := func(x, y int32) bool {
		return x >= 0 && y >= 0 && likelySpelling(given.Values.Value(x), family.Values.Value(y)) && isGiven(x)
	}
	return func(a, b int32) bool {
		return same(given.First(a), family.First(b)) || same(given.First(b), family.First(a))
	}
}

// surnames tells the values that at least as many records have as family name as have it as
// given name. One that a single record has, and none as given name, is not known as a name.
func surnames(given, family *frame.Column) func(name []byte) bool {
	firsts, lasts := given.Counts(), family.Counts()
	return func(name []byte) bool {
		y := family.Values.Find(string(name))
		if y < 0 {
			return false
		}
		if x := given.Values.Find(string(name)); x >= 0 {
			return firsts[x] <= lasts[y]
		}
		return lasts[y] > 1
	}
}

// nearDate accepts one typing error and a day and month that have changed places.
func nearDate(x, y string) bool {
	return oneTypo(x, y) || len(x) == 10 && len(y) == 10 && x[:4] == y[:4] && x[5:7] == y[8:] && x[8:] == y[5:7]
}

// nameless gives the records that likeness must leave alone: those of people that say
// nothing but how to reach them. A mailbox has several owners; only the rules for values
// with one owner may join them. nil when there are no such records.
func (p *pipeline) nameless() func(int32) bool {
	f := p.frame
	reach := f.Column("email") != nil || f.Column("phone") != nil || f.Column("handle") != nil || f.Column("cookie") != nil
	names := f.Column("first_name") != nil || f.Column("last_name") != nil
	if p.layout.entity != entityPerson || len(p.model.rules.match) > 0 || !reach || !names {
		return nil
	}
	named := namedRecords(f)
	return func(r int32) bool { return !named(r) }
}
