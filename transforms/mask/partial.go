package mask

import (
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// stars stand for what is hidden, always the same number, so that they do not tell how
// long the value was.
const stars = "***"

// partialColumn makes the function that leaves a part of each value.
func partialColumn(part func(dst []byte, s string) []byte) func(memory.Allocator, arrow.Array) (arrow.Array, error) {
	return func(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
		return textColumn(mem, in, 12, part)
	}
}

// partOf chooses what may be seen of a value by its meaning. Of names, numbers and texts
// it is at most a quarter; of an address of e-mail the host and a quarter of the rest,
// at most one letter.
func partOf(m core.Means) func(dst []byte, s string) []byte {
	switch m {
	case core.PersonEmail:
		return partOfEmail
	case core.PersonPhone, core.PersonIBAN, core.PersonNationalID:
		return lastCharacters
	}
	return firstCharacters
}

// partOfEmail leaves the first letter of the local part and the host: a***@acme.fi.
func partOfEmail(dst []byte, s string) []byte {
	s = strings.TrimSpace(s)
	at := strings.LastIndexByte(s, '@')
	if at < 1 || strings.IndexByte(s[at:], '.') < 0 || strings.ContainsAny(s, " <>\"") {
		return append(dst, stars...)
	}
	dst = firstCharacters(dst, s[:at])
	return append(dst, s[at:]...)
}

// firstCharacters leaves the first of four characters or more: A***.
func firstCharacters(dst []byte, s string) []byte {
	s = strings.TrimSpace(s)
	first, size := utf8.DecodeRuneInString(s)
	if first != utf8.RuneError && utf8.RuneCountInString(s) >= 4 {
		dst = append(dst, s[:size]...)
	}
	return append(dst, stars...)
}

// lastCharacters leaves the last two letters or digits of eight or more, three of twelve
// or more: ***67.
func lastCharacters(dst []byte, s string) []byte {
	var last [3]byte
	n := 0
	for i := range len(s) {
		if c := s[i]; c-'0' < 10 || c|0x20-'a' < 26 {
			last[0], last[1], last[2] = last[1], last[2], c
			n++
		}
	}
	dst = append(dst, stars...)
	switch {
	case n >= 12:
		return append(dst, last[:]...)
	case n >= 8:
		return append(dst, last[1:]...)
	}
	return dst
}
