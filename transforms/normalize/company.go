package normalize

import "bytes"

// AppendCompany writes a company's name as words in ASCII without its legal form
// (GmbH, Oy, Inc., S.A.) and without joining words (and, the, & Co). Letters that stand
// alone are joined: "I.B.M." becomes "ibm". A name of nothing else keeps its words.
func AppendCompany(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst, _ = AppendWords(dst, s)
	dst = joinInitials(dst, start)
	whole := len(dst)
	dst = trimLegalForms(dst, start)
	if len(dst) == start {
		dst = dst[:whole]
	}
	if isPlaceholderWords(dst[start:]) {
		return dst[:start], false
	}
	return dst, true
}

// AppendCompanyKey is AppendCompany with the words sorted, so that their order does not
// matter. It is a key to look names up by, not a normal form.
func AppendCompanyKey(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst, ok := AppendCompany(dst, s)
	return sortWords(dst, start), ok
}

// joinInitials removes the spaces between single letters.
func joinInitials(dst []byte, start int) []byte {
	end := start
	single := false // the word before is one letter, or several joined
	for i := start; i < len(dst); {
		stop := len(dst)
		if n := bytes.IndexByte(dst[i:], ' '); n >= 0 {
			stop = i + n
		}
		one := stop-i == 1 && isLetter(dst[i])
		if end > start && !(one && single) {
			dst[end] = ' '
			end++
		}
		end += copy(dst[end:], dst[i:stop])
		single = one
		i = stop + 1
	}
	return dst[:end]
}

// trimLegalForms removes joining words everywhere and legal forms at both ends.
func trimLegalForms(dst []byte, start int) []byte {
	l := lists()
	name := dropWords(dst, start, l.fillers)
	for {
		words := name[start:]
		if i := bytes.LastIndexByte(words, ' '); l.legalForms.has(words[i+1:]) {
			name = name[:start+max(i, 0)]
		} else if i := bytes.IndexByte(words, ' '); i > 0 && l.legalForms.has(words[:i]) && i < 4 {
			name = append(name[:start], words[i+1:]...)
		} else {
			return name
		}
		if len(name) == start {
			return name
		}
	}
}

// dropWords removes the words of a set, in a copy so that the caller can go back.
func dropWords(dst []byte, start int, drop set) []byte {
	out := append(make([]byte, 0, len(dst)+16), dst[:start]...)
	for word := range bytes.SplitSeq(dst[start:], []byte{' '}) {
		if drop.has(word) {
			continue
		}
		if len(out) > start {
			out = append(out, ' ')
		}
		out = append(out, word...)
	}
	return out
}
