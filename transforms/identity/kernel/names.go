package kernel

import (
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/similar"
	"github.com/unsilo/unsilo/transforms/normalize"
)

// The grades of one name against another.
const (
	nameExact = iota
	nameNear  // a spelling or a nickname
	nameLoose // some likeness, or an initial
	nameFar
	nameGrades
)

var (
	gradeNames  = [nameGrades]string{"exact", "near", "loose", "far"}
	givenStart  = [nameGrades]float64{0.72, 0.12, 0.06, 0.10}
	familyStart = [nameGrades]float64{0.78, 0.10, 0.04, 0.08}
)

// Names makes the comparisons of given and family name: one of both together, since their
// agreements and errors go together, and one of each for records that lack the other.
// joint holds given and family name as one value.
func Names(given, family, joint *frame.Column) []*Comparison {
	gradeGiven := grade(given, true)
	gradeFamily := grade(family, false)
	cross := crossCodes(given, family)
	both := &Comparison{Name: "name", Columns: []string{given.Name, family.Name}, Shape: NamesGrid, Read: []*frame.Column{given, family}}
	parts := newJoint(joint, given, family)
	for g := range nameGrades {
		for n := range nameGrades {
			l := Level{Name: given.Name + " " + gradeNames[g] + ", " + family.Name + " " + gradeNames[n], M: givenStart[g] * familyStart[n]}
			switch {
			case g == nameExact && n == nameExact:
				l.Term = &Term{Column: joint, Joint: parts}
				l.Exact = []string{joint.Name, given.Name, family.Name}
			case n == nameExact:
				l.Term = &Term{Column: family}
			case g == nameExact:
				l.Term = &Term{Column: given}
			}
			both.Levels = append(both.Levels, l)
		}
	}
	const swapped = nameGrades * nameGrades
	both.Levels = append(both.Levels, Level{Name: "swapped", M: 0.01})
	both.Level = func(a, b int32) int8 {
		ga, gb, fa, fb := given.First(a), given.First(b), family.First(a), family.First(b)
		if ga < 0 || gb < 0 || fa < 0 || fb < 0 {
			return Missing
		}
		if ga != gb && cross[ga] == fb && cross[gb] == fa && fa >= 0 {
			return swapped
		}
		return gradeGiven(ga, gb)*nameGrades + gradeFamily(fa, fb)
	}
	both.batch = func(slot func(*frame.Column) int) batchLevel {
		g, f := slot(given), slot(family)
		givenMemo, familyMemo := newMemo(given, gradeGiven), newMemo(family, gradeFamily)
		return func(b *batch, out []int8) {
			givens, families := b.columns[g], b.columns[f]
			otherGiven, otherFamily := b.differingTwo(givens, families, out)
			for _, k := range otherGiven {
				p, q := b.a[k], b.b[k]
				x, y := givens[p], givens[q]
				if cross[x] == families[q] && cross[y] == families[p] {
					out[k] = swapped
					continue
				}
				out[k] = givenMemo.level(x, y) * nameGrades
			}
			for _, k := range otherFamily {
				if out[k] != swapped {
					out[k] += familyMemo.level(families[b.a[k]], families[b.b[k]])
				}
			}
		}
	}
	return []*Comparison{both, alone(given, family, gradeGiven, givenStart), alone(family, given, gradeFamily, familyStart)}
}

// alone compares one name of pairs where the other is missing on either side.
func alone(c, other *frame.Column, grade func(x, y int32) int8, start [nameGrades]float64) *Comparison {
	out := &Comparison{Name: c.Name + " alone", Columns: []string{c.Name}, Shape: NameAlone, Read: []*frame.Column{c, other}}
	for g := range nameGrades {
		out.Levels = append(out.Levels, Level{Name: gradeNames[g], M: start[g]})
	}
	out.Levels[nameExact].Term = &Term{Column: c}
	out.Level = func(a, b int32) int8 {
		x, y := c.First(a), c.First(b)
		if x < 0 || y < 0 || other.First(a) >= 0 && other.First(b) >= 0 {
			return Missing
		}
		return grade(x, y)
	}
	out.batch = func(slot func(*frame.Column) int) batchLevel {
		own, others := slot(c), slot(other)
		memo := newMemo(c, grade)
		return func(b *batch, out []int8) {
			codes := b.columns[own]
			for _, k := range b.differingAlone(codes, b.columns[others], out) {
				out[k] = memo.level(codes[b.a[k]], codes[b.b[k]])
			}
		}
	}
	return out
}

// One compares a single name column.
func One(c *frame.Column, given bool) *Comparison {
	start := familyStart
	if given {
		start = givenStart
	}
	out := &Comparison{Name: c.Name, Columns: []string{c.Name}, Shape: NameOne, Read: []*frame.Column{c}}
	for g := range nameGrades {
		out.Levels = append(out.Levels, Level{Name: gradeNames[g], M: start[g]})
	}
	out.Levels[nameExact].Term = &Term{Column: c}
	level := grade(c, given)
	out.Level, out.batch = byCode(c, level), batchByCode(c, level)
	return out
}

func grade(c *frame.Column, given bool) func(x, y int32) int8 {
	var groups [][]int32 // nickname groups by code
	if given {
		groups = make([][]int32, c.Values.Len())
		for i := range groups {
			groups[i] = normalize.NicknameGroups(c.Values.Bytes(int32(i)))
		}
	}
	w := newWords(c)
	return func(x, y int32) int8 {
		if x == y {
			return nameExact
		}
		a, b := &w.list[x], &w.list[y]
		if given && (a.Len() == 1 || b.Len() == 1) {
			if a.First() == b.First() {
				return nameLoose
			}
			return nameFar
		}
		s := w.jaroWinkler(x, y, 0.82)
		switch {
		case s >= 0.92:
			return nameNear
		case given && similar.Overlap(groups[x], groups[y]) > 0:
			return nameNear
		case s >= 0.82:
			return nameLoose
		}
		return nameFar
	}
}

// crossCodes gives the code in to of each value of from, or -2.
func crossCodes(from, to *frame.Column) []int32 {
	out := make([]int32, from.Values.Len())
	for i := range out {
		if out[i] = to.Values.Find(from.Values.Value(int32(i))); out[i] < 0 {
			out[i] = -2
		}
	}
	return out
}
