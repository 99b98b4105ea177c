package normalize_test

import (
	"testing"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/normalize"
)

// all lists every normaliser by name, with those whose output may pass beyond ASCII.
func all() map[string]normalize.Func {
	return map[string]normalize.Func{
		"fold": normalize.AppendFold, "words": normalize.AppendWords, "email": normalize.AppendEmail, "phone": normalize.Phone("FI"),
		"phone without region": normalize.Phone(""), "phone us": normalize.Phone("US"), "phone it": normalize.Phone("IT"),
		"phone ar": normalize.Phone("AR"), "name": normalize.AppendName, "nickname": normalize.AppendNickname, "handle": normalize.AppendHandle,
		"domain": normalize.AppendDomain, "company domain": normalize.AppendCompanyDomain, "postcode": normalize.AppendPostcode,
		"street": normalize.AppendStreet, "date": normalize.Date(normalize.DayFirst), "birth date": normalize.BirthDate(normalize.MonthFirst),
		"company": normalize.AppendCompany, "text": normalize.AppendText, "code": normalize.AppendCode,
		"id": normalize.AppendID,
	}
}

func nameKey(dst []byte, s string) ([]byte, bool) { return normalize.AppendNameKey(dst, s) }

// checkLaws proves for one input what holds for every normaliser: the slice given is
// extended and not changed, output is printable ASCII, an unusable value adds nothing,
// and normalising again changes nothing.
func checkLaws(t interface{ Errorf(string, ...any) }, s string) {
	for name, f := range all() {
		out, ok := f([]byte("kept:"), s)
		if string(out[:5]) != "kept:" || !ok && len(out) != 5 || ok && len(out) == 5 {
			t.Errorf("%s(%q) = %q, %v", name, s, out, ok)
			continue
		}
		if !ok {
			continue
		}
		once := string(out[5:])
		for i := range len(once) {
			if (once[i] < ' ' || once[i] > '~') && name != "id" {
				t.Errorf("%s(%q) = %q is not printable ASCII", name, s, once)
				break
			}
		}
		if twice, ok := f.Of(once); twice != once || !ok {
			t.Errorf("%s(%q) = %q, and again %q, %v", name, s, once, twice, ok)
		}
	}
	for _, f := range []normalize.Func{normalize.AppendSoundex, normalize.AppendPhonetic, normalize.AppendCompanyKey, nameKey} {
		if out, ok := f([]byte("kept:"), s); string(out[:5]) != "kept:" || ok == (len(out) == 5) {
			t.Errorf("code of %q = %q, %v", s, out, ok)
		}
	}
}

// seeds are shapes that the fuzzer starts from and the property test mixes.
var seeds = []string{
	"", " Anna.Virtanen+news@GoogleMail.com ", "Anna <a@b.fi>", "+358 (0)40 123 4567 ext 5", "040-1234567", "Dr. Jürgen Groß, PhD", "Virtanen, Anna",
	"12a Main St, Flat 3", "Hauptstr. 5 B", "4. März 1980", "12/25/80", "ACME GmbH & Co. KG", "S. A. Acme", "https://www.müller.de:80/x?y#z",
	"@anna@mastodon.social", "FI-00100", "12345-6789", "Παπαδόπουλος", "王伟 김민수 たなか", "\xff\xfe", "n/a", "dr dr jr jr", "ab oy", "st street 5",
	"FI21 1234 5600 0007 85", "131052-308T", "a..b@c.fi", "é@ü.fi", "<<@>>", "1 2 3", "ﬀ ½ ① İ", "ΐ γγ ου", "- ' -", "sp z o o", "a b c", "a and b", "o g x", "e n t h e",
}

func FuzzLaws(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) < 400 {
			checkLaws(t, s)
		}
	})
}

func TestMeaningsHaveNormalisers(t *testing.T) {
	for _, m := range append(core.Vocabulary(), core.PersonID("crm"), "") {
		if normalize.For(m, normalize.Options{Region: "FI"}) == nil {
			t.Errorf("%q has no normaliser", m)
		}
	}
}
