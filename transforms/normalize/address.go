package normalize

import (
	"bytes"
	"strings"
)

// AppendStreet writes a street address as words in ASCII with the common words for
// kinds of street shortened (street st, strasse str, avenue ave), and the house number
// behind the street: "12a Main Street" and "Main St. 12 A" both become "main st 12a".
func AppendStreet(dst []byte, s string) ([]byte, bool) {
	a, ok := SplitStreet(s)
	if !ok {
		return dst, false
	}
	dst = append(dst, a.Street...)
	for _, part := range []string{a.Number, a.Unit} {
		if part != "" {
			if len(dst) > 0 {
				dst = append(dst, ' ')
			}
			dst = append(dst, part...)
		}
	}
	return dst, true
}

// Street is a street address taken apart and normalised.
type Street struct {
	// Street is the name, "main st"; Number "12a"; Unit the flat or stair, "b 4".
	Street, Number, Unit string
}

// SplitStreet takes a street address apart.
func SplitStreet(s string) (Street, bool) {
	var buf [160]byte
	words, ok := AppendWords(buf[:0], s)
	if !ok || isPlaceholderWords(words) {
		return Street{}, false
	}
	list := strings.Fields(string(words))
	number := houseNumber(list)
	var a Street
	if number < 0 {
		a.Street = shortenAll(list)
		return a, true
	}
	a.Number = list[number]
	rest := list[number+1:]
	if len(rest) > 0 && allDigits([]byte(a.Number)) && len(rest[0]) == 1 && isLetter(rest[0][0]) && (number > 0 || len(rest) > 1) {
		a.Number += rest[0]
		rest = rest[1:]
	}
	if number == 0 {
		a.Street = shortenAll(rest)
		return a, true
	}
	a.Street = shortenAll(list[:number])
	a.Unit = strings.Join(rest, " ")
	return a, true
}

// houseNumber finds the word that is the house number: the first word with a digit
// behind the name of the street or, failing that, the first word of all.
func houseNumber(words []string) int {
	for i := 1; i < len(words); i++ {
		if isDigit(words[i][0]) && hasLetters(words[:i]) {
			return i
		}
	}
	if isDigit(words[0][0]) && hasLetters(words) {
		return 0
	}
	return -1
}

// hasLetters reports whether one of the words is more than a number.
func hasLetters(words []string) bool {
	for _, w := range words {
		if !isDigit(w[0]) {
			return true
		}
	}
	return false
}

// shortenAll shortens the words for kinds of street.
func shortenAll(words []string) string {
	var b []byte
	for i, w := range words {
		if i > 0 {
			b = append(b, ' ')
		}
		b = append(b, shorten(w)...)
	}
	return string(bytes.TrimSpace(b))
}

// shorten gives the short form of a word, also where it ends another one, as strasse
// does in hauptstrasse.
func shorten(word string) string {
	streets := lists().streets
	if short, ok := streets[word]; ok {
		return short
	}
	for _, ending := range []string{"strasse", "straat", "gatan", "vagen", "vej", "veien"} {
		if stem, ok := strings.CutSuffix(word, ending); ok && len(stem) > 2 {
			return stem + streets[ending]
		}
	}
	return word
}
