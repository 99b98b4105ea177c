package normalize

import "bytes"

// AppendCompany writes a company's name as words in ASCII without its legal form
// (GmbH, Oy, Inc., S.A.) and without joining words (and, the, & Co). Letters that stand
// alone are joined: "I.B.M." becomes "ibm". A name of nothing else keeps its words.
func AppendCompany(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst, _ = AppendWords(dst, s)
	for n := -1; n != len(dst); { // joined letters can be a joining word, and the other way round
		n = len(dst)
		dst = dropFillers(joinInitials(dst, start), start)
	}
	dst = trimLegalForms(dst, start)
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

// dropFillers removes joining words, unless there is nothing else.
func dropFillers(dst []byte, start int) []byte {
	fillers := lists().fillers
	end := start
	for i := start; i < len(dst); {
		stop := len(dst)
		if n := bytes.IndexByte(dst[i:], ' '); n >= 0 {
			stop = i + n
		}
		if !fillers.has(dst[i:stop]) || end == start && stop == len(dst) {
			if end > start {
				dst[end] = ' '
				end++
			}
			end += copy(dst[end:], dst[i:stop])
		}
		i = stop + 1
	}
	return dst[:end]
}

// trimLegalForms removes legal forms at both ends, as long as another word remains.
func trimLegalForms(dst []byte, start int) []byte {
	forms := lists().legalForms
	for {
		words := dst[start:]
		first, last := bytes.IndexByte(words, ' '), bytes.LastIndexByte(words, ' ')
		switch {
		case first < 0:
			return dst
		case forms.has(words[last+1:]):
			dst = dst[:start+last]
		case first <= 4 && forms.has(words[:first]):
			dst = append(dst[:start], words[first+1:]...)
		default:
			return dst
		}
	}
}
