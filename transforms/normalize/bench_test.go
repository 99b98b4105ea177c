package normalize_test

import (
	"testing"

	"github.com/unsilo/unsilo/transforms/normalize"
)

func BenchmarkNormalise(b *testing.B) {
	for _, c := range []struct {
		name, in string
		f        normalize.Func
	}{
		{"email", "Anna.Virtanen+news@acme.fi", normalize.AppendEmail},
		{"gmail", "anna.virtanen@gmail.com", normalize.AppendEmail},
		{"phone", "040 123 4567", normalize.Phone("FI")},
		{"phone e164", "+358401234567", normalize.Phone("FI")},
		{"name", "Anna Virtanen", normalize.AppendName},
		{"name latin", "Jürgen Groß", normalize.AppendName},
		{"phonetic", "Virtanen", normalize.AppendPhonetic},
		{"soundex", "Virtanen", normalize.AppendSoundex},
		{"street", "Mannerheimintie 5 B 12", normalize.AppendStreet},
		{"date", "4.3.1980", normalize.Date(normalize.DayFirst)},
		{"company", "Acme Trading Oy", normalize.AppendCompany},
		{"domain", "https://www.acme.fi/about", normalize.AppendDomain},
		{"postcode", "00100", normalize.AppendPostcode},
		{"id", "0031x00000AbCdE", normalize.AppendID},
	} {
		b.Run(c.name, func(b *testing.B) {
			var buf []byte
			b.ReportAllocs()
			for b.Loop() {
				buf, _ = c.f(buf[:0], c.in)
			}
		})
	}
}
