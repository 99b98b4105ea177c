package plan

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

// Finding says that a column looks as if it held personal data.
type Finding struct {
	// Means is the label the column should carry.
	Means core.Means
	// Confidence from 0 to 1; what is below one half is not reported.
	Confidence float64
	// Reason is for people: "the name says e-mail, 96 % of 1000 values are addresses". It
	// repeats no value.
	Reason string
}

const (
	// maxSampled bounds the values looked at in one column.
	maxSampled = 1000
	// reported is the least confidence of a finding.
	reported = 0.5
)

// Classify looks for personal data in an unlabelled column: hints in its name, in a dozen
// languages, and the shape and check digits of sampled values (nil is no sample). The
// best finding comes first. A column with a meaning, "none" among them, has been judged
// by a person and is never reported; neither are cities and countries, which tell of
// nobody by themselves.
func Classify(field arrow.Field, sample arrow.Array) []Finding {
	if core.MeansOf(field) != "" {
		return nil
	}
	if st, ok := field.Type.(*arrow.StructType); ok {
		return classifyStruct(st, sample)
	}
	kind := kindOf(field.Type)
	if kind == kindOther {
		return nil
	}
	hints := nameHints(field.Name)
	values := sampleValues(sample)
	var found []Finding
	for _, v := range verdicts(kind, hints, values) {
		if v.Confidence >= reported {
			found = append(found, v)
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return cmp.Compare(b.Confidence, a.Confidence) })
	return found
}

// classifyStruct looks into the fields of a nested record and names the one at fault.
func classifyStruct(st *arrow.StructType, sample arrow.Array) []Finding {
	nested, _ := sample.(*array.Struct)
	var found []Finding
	for i, f := range st.Fields() {
		var values arrow.Array
		if nested != nil {
			values = nested.Field(i)
		}
		for _, v := range Classify(f, values) {
			v.Reason = fmt.Sprintf("in its field %s %s", f.Name, v.Reason)
			found = append(found, v)
		}
	}
	slices.SortStableFunc(found, func(a, b Finding) int { return cmp.Compare(b.Confidence, a.Confidence) })
	return found
}

// kind of values a column can hold, as far as personal data go.
type kind uint8

const (
	kindOther kind = iota
	kindText
	kindInteger
	kindDay // a date or timestamp
)

func kindOf(t arrow.DataType) kind {
	switch t := core.Canonical(t).(type) {
	case *arrow.StringType:
		return kindText
	case *arrow.Int64Type, *arrow.Uint64Type, *arrow.Int32Type, *arrow.Uint32Type:
		return kindInteger
	case *arrow.Date32Type, *arrow.TimestampType:
		return kindDay
	case *arrow.ListType:
		if k := kindOf(t.Elem()); k == kindText {
			return k
		}
	}
	return kindOther
}

// sampleValues reads up to maxSampled values that are not empty, as text.
func sampleValues(sample arrow.Array) []string {
	if sample == nil {
		return nil
	}
	if list, ok := sample.(array.ListLike); ok {
		sample = list.ListValues()
	}
	var values []string
	for i := 0; i < sample.Len() && len(values) < maxSampled; i++ {
		if !sample.IsNull(i) {
			if s := sample.ValueStr(i); s != "" {
				values = append(values, s)
			}
		}
	}
	return values
}

// verdicts weighs the hints of the name against the values.
func verdicts(k kind, hints []hint, values []string) []Finding {
	var found []Finding
	for _, c := range checks() {
		if !c.kinds.has(k) {
			continue
		}
		strength, word := hintFor(hints, c.means)
		share := shareOf(values, c, strength > weakHint)
		if v, ok := c.weigh(k, strength, word, share, len(values)); ok {
			found = append(found, v)
		}
	}
	return found
}

// shareOf is the share of values that pass a check; hinted checks may be laxer.
func shareOf(values []string, c check, hinted bool) float64 {
	test := c.value
	if hinted && c.hintedValue != nil {
		test = c.hintedValue
	}
	if test == nil || len(values) == 0 {
		return 0
	}
	n := 0
	for _, v := range values {
		if test(v) {
			n++
		}
	}
	return float64(n) / float64(len(values))
}

// weigh turns a hint of the given strength and a share of passing values into a finding.
func (c check) weigh(k kind, strength float64, word string, share float64, sampled int) (Finding, bool) {
	untested := sampled == 0 || k == kindDay || c.value == nil && c.hintedValue == nil
	enough := c.confirms
	if strength <= weakHint {
		enough = min(c.confirms, c.alone/2)
	}
	switch {
	case strength > weakHint && (untested || sampled < 5 && share > 0):
		return Finding{c.means, strength, fmt.Sprintf("the name says %s", word)}, true
	case strength > 0 && !untested && c.value != nil && share >= enough && share > 0,
		strength > weakHint && share >= enough && share > 0:
		reason := fmt.Sprintf("the name says %s, and %.0f %% of %d values are %s", word, share*100, sampled, c.what)
		return Finding{c.means, max(strength, 0.95), reason}, true
	case c.value != nil && k == kindText && share >= c.alone && c.alone > 0 && sampled >= 3:
		return Finding{c.means, 0.6 + 0.35*share, fmt.Sprintf("%.0f %% of %d values are %s", share*100, sampled, c.what)}, true
	}
	return Finding{}, false
}
