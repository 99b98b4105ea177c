package normalize

import (
	"bytes"
	"slices"
	"strings"
)

// AppendName writes a given name, a family name or a full name as words in ASCII,
// without titles (Dr, Herr, Mrs), degrees (PhD) and generations (Jr). A comma turns the
// order: "Virtanen, Anna" becomes "anna virtanen". Without a letter it is no name.
func AppendName(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	last, first, turned := strings.Cut(s, ",")
	if turned && usableTurn(last, first) {
		dst, _ = AppendWords(dst, first)
		dst = append(dst, ' ')
		dst, _ = AppendWords(dst, last)
	} else {
		dst, _ = AppendWords(dst, s)
	}
	name, _ := trimTitles(dst[start:])
	if !hasLetter(name) || isPlaceholderWords(name) {
		return dst[:start], false
	}
	return append(dst[:start], name...), true
}

// hasLetter tells a name from a number in its place: telephones show the number of callers
// whose name they do not know.
func hasLetter(words []byte) bool {
	return bytes.ContainsFunc(words, func(r rune) bool { return r >= 'a' && r <= 'z' || r >= 0x80 })
}

// usableTurn reports whether both sides of a comma are names: in "King, PhD" the second
// is not.
func usableTurn(last, first string) bool {
	var buf [128]byte
	words, ok := AppendWords(buf[:0], first)
	if !ok {
		return false
	}
	l := lists()
	for word := range bytes.SplitSeq(words, []byte{' '}) {
		if !l.degrees.has(word) && !l.generations.has(word) && !l.titles.has(word) {
			words, ok = AppendWords(buf[:0], last)
			return ok && len(words) > 0
		}
	}
	return false
}

// trimTitles cuts titles off the front and degrees and generations off the back of
// normalised words, and returns the generation. One word always remains.
func trimTitles(name []byte) (rest, generation []byte) {
	l := lists()
	for {
		space := bytes.IndexByte(name, ' ')
		if space < 0 {
			return name, generation
		}
		if l.titles.has(name[:space]) {
			name = name[space+1:]
			continue
		}
		space = bytes.LastIndexByte(name, ' ')
		word := name[space+1:]
		if l.generations.has(word) {
			generation = word
		} else if !l.degrees.has(word) {
			return name, generation
		}
		name = name[:space]
	}
}

// FullName is a name taken apart, each part as AppendName writes it.
type FullName struct {
	Given, Middle, Family string
	// Generation is "jr", "sr", "ii" and the like: it tells a father from his son.
	Generation string
}

// SplitName takes a full name apart: the first word is the given name, the last one with
// its particles (van, de la) the family name. A single word is a family name.
func SplitName(s string) (FullName, bool) {
	var buf [128]byte
	all, _ := AppendWords(buf[:0], s)
	_, generation := trimTitles(all)
	full := FullName{Generation: string(generation)}
	if last, first, turned := strings.Cut(s, ","); turned && usableTurn(last, first) {
		family, ok1 := AppendName(buf[:0], last)
		full.Family = string(family)
		given, ok2 := AppendName(buf[:0], first)
		full.Given, full.Middle, _ = strings.Cut(string(given), " ")
		return full, ok1 || ok2
	}
	name, ok := AppendName(buf[:0], s)
	if !ok {
		return FullName{}, false
	}
	words := strings.Fields(string(name))
	family := len(words) - 1
	for family > 1 {
		if _, particle := lists().particles[words[family-1]]; !particle {
			break
		}
		family--
	}
	full.Family = strings.Join(words[family:], " ")
	if family > 0 {
		full.Given = words[0]
		full.Middle = strings.Join(words[1:family], " ")
	}
	return full, true
}

// AppendNameKey writes the words of one or more names in sorted order, so that swapped
// given and family names agree. It is a key to look names up by, not a normal form.
func AppendNameKey(dst []byte, names ...string) ([]byte, bool) {
	start := len(dst)
	for _, name := range names {
		n := len(dst)
		if n > start {
			dst = append(dst, ' ')
		}
		var ok bool
		if dst, ok = AppendName(dst, name); !ok {
			dst = dst[:n]
		}
	}
	return sortWords(dst, start), len(dst) > start
}

// sortWords sorts the words in dst[start:].
func sortWords(dst []byte, start int) []byte {
	if bytes.IndexByte(dst[start:], ' ') < 0 {
		return dst
	}
	words := strings.Fields(string(dst[start:]))
	slices.Sort(words)
	dst = dst[:start]
	for i, w := range words {
		if i > 0 {
			dst = append(dst, ' ')
		}
		dst = append(dst, w...)
	}
	return dst
}
