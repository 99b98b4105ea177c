package population

import (
	"strconv"
	"strings"
)

// mobile gives the next mobile number of a country: valid in shape, and unique.
func (p *Population) mobile(at int) string {
	n := p.mobiles[at]
	p.mobiles[at]++
	number := digits(scatter(n), 6)
	block := n / 1000000
	switch at {
	case 0:
		return "+358457" + decimal(3+block) + number
	case 1:
		return "+491555" + decimal(1+block) + number
	default:
		return "+44740" + decimal(block) + number
	}
}

// landline gives the next fixed number of a country. The German and British ones begin
// with the blocks that the two regulators keep for fiction.
func (p *Population) landline(at int) string {
	n := p.landlines[at]
	p.landlines[at]++
	switch at {
	case 0:
		return "+358945" + digits(n%100000, 5)
	case 1:
		return "+493023125" + digits(n%100000, 5)
	default:
		return "+442079" + digits(460000+n%100000, 6)
	}
}

// scatter permutes 0..999999, so that neighbours get numbers far apart.
func scatter(n int) int { return (n%1000000*714281 + 135791) % 1000000 }

// unique gives prefix+suffix, with a number between them from the second use on.
func (p *Population) unique(local, between, suffix string) string {
	key := local + suffix
	p.taken[key]++
	if n := p.taken[key]; n > 1 {
		return p.unique(local+between+decimal(n), between, suffix)
	}
	return key
}

// slug writes a name in the letters that a mailbox or a domain may have.
func slug(s string) string {
	var b strings.Builder
	dash := false
	for _, r := range strings.ToLower(s) {
		plain := foldRune(r)
		if plain == "" {
			dash = b.Len() > 0
			continue
		}
		if dash && r != '\'' {
			b.WriteByte('-')
		}
		dash = false
		b.WriteString(plain)
	}
	return b.String()
}

// Fold writes a name without diacritics, as systems that know only ASCII do.
func Fold(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r < 0x80 {
			b.WriteRune(r)
			continue
		}
		lower := foldRune([]rune(strings.ToLower(string(r)))[0])
		if strings.ToLower(string(r)) != string(r) {
			lower = strings.ToUpper(lower[:1]) + lower[1:]
		}
		b.WriteString(lower)
	}
	return b.String()
}

// foldRune gives the ASCII form of a lower-case letter or digit, "" for anything else.
func foldRune(r rune) string {
	switch r {
	case 'ä', 'å', 'á':
		return "a"
	case 'ö', 'ó':
		return "o"
	case 'ü':
		return "u"
	case 'ß':
		return "ss"
	case 'ë', 'é':
		return "e"
	}
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return string(r)
	}
	return ""
}

func decimal(n int) string { return strconv.Itoa(n) }

// digits writes n with leading zeros.
func digits(n, width int) string {
	s := strconv.Itoa(n)
	for len(s) < width {
		s = "0" + s
	}
	return s
}
