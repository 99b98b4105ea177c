package normalize

import (
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// AppendFold writes s in lower-case ASCII: accents fall away (ä a, é e), letters of
// other scripts are transliterated (ß ss, ø o, ж zh, θ th), and what has no Latin
// spelling becomes u and its code point in hex. Punctuation stays, runs of white space
// become one space, and none stands at either end. It is false when nothing is left.
func AppendFold(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst = appendASCII(dst, s)
	end := start
	for i := start; i < len(dst); i++ {
		c := dst[i]
		if c <= ' ' || c == 0x7f {
			if end > start && dst[end-1] != ' ' {
				dst[end] = ' '
				end++
			}
			continue
		}
		dst[end] = c
		end++
	}
	if end > start && dst[end-1] == ' ' {
		end--
	}
	return dst[:end], end > start
}

// AppendWords is AppendFold with letters and digits only: apostrophes vanish, every
// other character parts two words, and words stand one space apart.
func AppendWords(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst = appendASCII(dst, s)
	end := start
	for i := start; i < len(dst); i++ {
		switch c := dst[i]; {
		case isAlnum(c):
			dst[end] = c
			end++
		case c == '\'' || c == '`':
		case end > start && dst[end-1] != ' ':
			dst[end] = ' '
			end++
		}
	}
	if end > start && dst[end-1] == ' ' {
		end--
	}
	return dst[:end], end > start
}

// isAlnum reports a lower-case ASCII letter or a digit.
func isAlnum(c byte) bool { return isLetter(c) || isDigit(c) }

func isLetter(c byte) bool { return c-'a' < 26 }

func isDigit(c byte) bool { return c-'0' < 10 }

// appendASCII writes s in lower-case ASCII without touching white space.
func appendASCII(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= utf8.RuneSelf {
			return appendASCIISlow(dst, s[i:])
		}
		if c-'A' < 26 {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

// appendASCIISlow is appendASCII for text beyond ASCII. Letters and their accents are
// composed first, so that both spellings of Unicode give the same result.
func appendASCIISlow(dst []byte, s string) []byte {
	if norm.NFC.QuickSpanString(s) != len(s) {
		s = norm.NFC.String(s)
	}
	var before rune // the letter before, for spellings of two letters
	for i, r := range s {
		if r == utf8.RuneError {
			// A byte that is not UTF-8 is most often Latin-1.
			if _, size := utf8.DecodeRuneInString(s[i:]); size == 1 {
				r = rune(s[i])
			}
		}
		r = unicode.ToLower(r)
		switch {
		case r < utf8.RuneSelf:
			dst = append(dst, byte(r))
		case r >= 0x370 && r < 0x400:
			dst, before = appendGreek(dst, r, before)
			continue
		case int(r) < len(foldTable):
			dst = append(dst, foldTable[r]...)
		default:
			dst = appendRare(dst, r)
		}
		before = r
	}
	return dst
}

// appendGreek spells one Greek letter by ISO 843, in the context of the one before, and
// returns its letter without accents.
func appendGreek(dst []byte, r, before rune) ([]byte, rune) {
	base := r
	if d := norm.NFD.PropertiesString(string(r)).Decomposition(); len(d) > 0 && r != 'ϊ' && r != 'ϋ' && r != 'ΐ' && r != 'ΰ' {
		base, _ = utf8.DecodeRune(d)
	}
	switch {
	case base == 'υ' && before == 'ο':
		dst = append(dst, 'u')
	case base == 'υ' && (before == 'α' || before == 'ε'):
		dst = append(dst, 'v')
	case before == 'γ' && (base == 'γ' || base == 'χ' || base == 'ξ'):
		dst[len(dst)-1] = 'n'
		dst = append(dst, foldTable[base]...)
	default:
		dst = append(dst, foldTable[r]...)
	}
	return dst, base
}

// appendRare spells a character beyond the table.
func appendRare(dst []byte, r rune) []byte {
	if s, ok := rareSpelling(r); ok {
		return append(dst, s...)
	}
	if r >= hangulFirst && r <= hangulLast {
		return appendHangul(dst, r)
	}
	if d := norm.NFKD.PropertiesString(string(r)).Decomposition(); len(d) > 0 {
		for _, part := range string(d) {
			part = unicode.ToLower(part)
			switch {
			case part < utf8.RuneSelf:
				dst = append(dst, byte(part))
			case int(part) < len(foldTable):
				dst = append(dst, foldTable[part]...)
			default:
				dst = appendUndivided(dst, part)
			}
		}
		return dst
	}
	return appendUndivided(dst, r)
}

// appendUndivided spells a character that Unicode does not take apart: accents and
// invisible characters vanish, symbols become a space, letters their code point.
func appendUndivided(dst []byte, r rune) []byte {
	const hex = "0123456789abcdef"
	if s, ok := rareSpelling(r); ok {
		return append(dst, s...)
	}
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return dst
	case unicode.Is(unicode.Nd, r):
		return append(dst, '0'+digitValue(r))
	case !unicode.In(r, unicode.L, unicode.Mc):
		return append(dst, ' ')
	}
	dst = append(dst, 'u')
	if r > 0xffff {
		dst = append(dst, hex[r>>16&15])
	}
	return append(dst, hex[r>>12&15], hex[r>>8&15], hex[r>>4&15], hex[r&15])
}

// digitValue is the value of a decimal digit of any script: the digits of a script
// stand in a row of ten.
func digitValue(r rune) byte {
	for _, t := range unicode.Nd.R16 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return byte((r - rune(t.Lo)) % 10)
		}
	}
	for _, t := range unicode.Nd.R32 {
		if r >= rune(t.Lo) && r <= rune(t.Hi) {
			return byte((r - rune(t.Lo)) % 10)
		}
	}
	return 0
}
