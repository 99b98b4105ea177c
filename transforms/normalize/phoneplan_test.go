package normalize

import (
	"slices"
	"testing"

	"github.com/nyaruka/phonenumbers"
	"pgregory.net/rapid"
)

// TestPlainPhonesAgree holds the short way of reading phone numbers to the library's: for
// every country, both give the same for example numbers, for corrupted ones and for
// random ones.
func TestPlainPhonesAgree(t *testing.T) {
	regions := []string{""}
	for r := range phonenumbers.GetSupportedRegions() {
		regions = append(regions, r)
	}
	slices.Sort(regions)
	decided := 0
	agree := func(t interface{ Errorf(string, ...any) }, s, region string) {
		got, code, how := appendPlainPhone([]byte("kept:"), s, numberingPlans().regions[region])
		if how == undecided {
			return
		}
		decided++
		want, wantCode, wantHow := appendPhone([]byte("kept:"), s, region)
		if string(got) != string(want) || how != wantHow || code != wantCode {
			t.Errorf("%q in %q: got %s, %d, %d; the library gives %s, %d, %d", s, region, got, code, how, want, wantCode, wantHow)
		}
	}
	var examples []string
	for _, r := range regions[1:] {
		for kind := phonenumbers.FIXED_LINE; kind <= phonenumbers.VOICEMAIL; kind++ {
			n := phonenumbers.GetExampleNumberForType(r, kind)
			if n == nil {
				continue
			}
			for _, form := range []phonenumbers.PhoneNumberFormat{phonenumbers.E164, phonenumbers.INTERNATIONAL, phonenumbers.NATIONAL} {
				s := phonenumbers.Format(n, form)
				examples = append(examples, s)
				agree(t, s, r)
				agree(t, s, "FI")
				agree(t, "00"+s, r)
				agree(t, s[:len(s)-1], r)
				agree(t, s+"7", r)
				agree(t, "0"+s, r)
			}
		}
	}
	if share := float64(decided) / float64(len(examples)*6); share < 0.5 {
		t.Errorf("only %.0f %% were read the short way", share*100)
	}
	rapid.Check(t, func(t *rapid.T) {
		region := rapid.SampledFrom(regions).Draw(t, "region")
		s := rapid.OneOf(rapid.StringMatching(`[+]?[0-9]{5,16}`), rapid.StringMatching(`(00|0|011|\+)?[0-9 ()./-]{5,16}`), rapid.SampledFrom(examples)).Draw(t, "number")
		agree(t, s, region)
	})
}
