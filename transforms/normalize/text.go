package normalize

import (
	"iter"
	"strings"
)

// AppendText writes plain text for comparison: the words of AppendWords, unless the
// whole is a placeholder.
func AppendText(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst, ok := AppendWords(dst, s)
	if !ok || isPlaceholderWords(dst[start:]) {
		return dst[:start], false
	}
	return dst, true
}

// AppendID writes an identifier of a system as it is but for the white space around it.
// Placeholders are not usable.
func AppendID(dst []byte, s string) ([]byte, bool) {
	s = trimSpace(s)
	var buf [64]byte
	if len(s) <= 16 {
		words, ok := AppendWords(buf[:0], s)
		if !ok || isPlaceholderWord(words) || words[0] == '0' && allSame(words) {
			return dst, false
		}
	}
	return append(dst, s...), true
}

// RawMark follows the key id in a token that transforms/mask made of a value which could
// not be normalised.
const RawMark = "_raw_"

// AppendToken writes a token of transforms/mask as it is, without what tells the spellings
// of a key apart. Tokens of values that could not be normalised, such as of "n/a", are not
// usable: they agree without being one thing.
func AppendToken(dst []byte, s string) ([]byte, bool) {
	s = trimSpace(s)
	if s == "" || strings.Contains(s, RawMark) {
		return dst, false
	}
	if id, token, ok := strings.Cut(s, "_"); ok {
		if token, _, spelled := strings.Cut(token, "_"); spelled && len(token) == tokenLen {
			s = s[:len(id)+1+tokenLen]
		}
	}
	return append(dst, s...), true
}

// tokenLen is the length of a token behind its key id.
const tokenLen = 26

// Tokens yields the words of normalised text.
func Tokens(text string) iter.Seq[string] { return strings.FieldsSeq(text) }

// QGrams yields the overlapping pieces of n bytes of normalised text; a shorter text is
// its own piece. n is at least 1.
func QGrams(text string, n int) iter.Seq[string] {
	return func(yield func(string) bool) {
		if len(text) <= n {
			if text != "" {
				yield(text)
			}
			return
		}
		for i := 0; i+n <= len(text); i++ {
			if !yield(text[i : i+n]) {
				return
			}
		}
	}
}

// trimSpace cuts ASCII white space and no-break spaces off both ends.
func trimSpace(s string) string { return strings.Trim(s, " \t\r\n\v\f\u00a0\u202f\ufeff\u200b") }
