package plan_test

import (
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/plan"
)

func classify(t interface{ Fatalf(string, ...any) }, name string, values ...string) []plan.Finding {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	for _, v := range values {
		b.Append(v)
	}
	return plan.Classify(arrow.Field{Name: name, Type: arrow.BinaryTypes.String}, b.NewArray())
}

// TestClassifyCheckDigits proves that the check digits are checked: a valid number in an
// unnamed column is noticed, and the same one with a wrong digit is not.
func TestClassifyCheckDigits(t *testing.T) {
	for _, c := range []struct {
		what, good, bad string
		want            core.Means
	}{
		{"Finland", "131052-308T", "131052-308U", core.PersonNationalID},
		{"Sweden", "811218-9876", "811218-9875", core.PersonNationalID},
		{"Sweden, century", "19811218-9876", "19811318-9876", core.PersonNationalID},
		{"Norway", "13097248022", "13097248023", core.PersonNationalID},
		{"Poland", "44051401359", "44051401358", core.PersonNationalID},
		{"France", "255081416802538", "255081416802539", core.PersonNationalID},
		{"Spain", "12345678Z", "12345678A", core.PersonNationalID},
		{"Italy", "RSSMRA85T10A562S", "RSSMRA85Z10A562S", core.PersonNationalID},
		{"United States", "123-45-6789", "000-45-6789", core.PersonNationalID},
		{"Britain", "AB123456C", "DQ123456C", core.PersonNationalID},
		{"IBAN", "DE89370400440532013000", "DE88370400440532013000", core.PersonIBAN},
		{"card", "4111111111111111", "4111111111111112", core.PersonIBAN},
	} {
		found := classify(t, "f1", c.good, c.good, c.good)
		if len(found) == 0 || found[0].Means != c.want {
			t.Errorf("%s: %q gave %+v", c.what, c.good, found)
		}
		for _, f := range classify(t, "f1", c.bad, c.bad, c.bad) {
			if f.Means == c.want {
				t.Errorf("%s: %q passed: %+v", c.what, c.bad, f)
			}
		}
	}
}

func TestClassifyLeavesLabelsAlone(t *testing.T) {
	for _, m := range []core.Means{core.PersonEmail, core.NotPersonal, core.MoneyAmount} {
		f := core.WithMeans(arrow.Field{Name: "email", Type: arrow.BinaryTypes.String}, m)
		if found := plan.Classify(f, nil); len(found) != 0 {
			t.Errorf("labelled %q: %+v", m, found)
		}
	}
}

func TestClassifyNested(t *testing.T) {
	contact := arrow.StructOf(arrow.Field{Name: "kind", Type: arrow.BinaryTypes.String}, arrow.Field{Name: "email", Type: arrow.BinaryTypes.String})
	found := plan.Classify(arrow.Field{Name: "contact", Type: contact}, nil)
	if len(found) != 1 || found[0].Means != core.PersonEmail || !strings.Contains(found[0].Reason, "email") {
		t.Errorf("got %+v", found)
	}
}

// TestClassifyIgnoresNumbers draws columns of ids, amounts and times under names that
// say nothing; none of them may look personal.
func TestClassifyIgnoresNumbers(t *testing.T) {
	shape := rapid.SampledFrom([]string{`[1-9][0-9]{5,11}`, `[0-9]{13}`, `[1-9][0-9]{0,5}[.,][0-9]{2}`, `20[0-9]{2}-(0[1-9]|1[0-2])-[012][1-9]`,
		`20[0-9]{2}-(0[1-9]|1[0-2])-[012][1-9] [01][0-9]:[0-5][0-9]:[0-5][0-9]`, `[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{12}`, `[0-9a-f]{32}`,
		`[A-Z]{2,3}-[0-9]{4,6}`, `17[0-9]{8}`, `[1-9][0-9]{15}`, `[0-9]{1,2}\.[0-9]{1,2}\.[0-9]{1,3}`, `INV[0-9]{7}`})
	rapid.Check(t, func(t *rapid.T) {
		re := shape.Draw(t, "shape")
		values := rapid.SliceOfN(rapid.StringMatching(re), 40, 40).Draw(t, "values")
		if found := classify(t, rapid.SampledFrom([]string{"id", "ref", "value", "col3", "order_no", "x"}).Draw(t, "name"), values...); len(found) > 0 {
			t.Fatalf("%s: %+v", re, found)
		}
	})
}

func FuzzClassify(f *testing.F) {
	for _, s := range []string{"email", "anna@acme.fi", "131052-308T", "+358 40 1234567", "FI2112345600000785", "GA1.2.987654321.1767225600", "ÄÖ", "\xff", "1.", "X1234567L"} {
		f.Add(s, s)
	}
	f.Fuzz(func(t *testing.T, name, value string) {
		for _, found := range classify(t, name, value, value, value) {
			if !found.Means.Personal() || found.Confidence < 0.5 || found.Confidence > 1 {
				t.Errorf("%q %q: %+v", name, value, found)
			}
		}
	})
}

func BenchmarkClassify(b *testing.B) {
	builder := array.NewStringBuilder(memory.DefaultAllocator)
	for range 1000 {
		builder.Append("an ordinary value of no interest")
	}
	values := builder.NewArray()
	for b.Loop() {
		plan.Classify(arrow.Field{Name: "value", Type: arrow.BinaryTypes.String}, values)
	}
}
