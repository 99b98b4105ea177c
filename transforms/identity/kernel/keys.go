package kernel

import (
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/normalize"
)

// An Atom is a part of a blocking key: one function of one attribute's value.
type Atom struct {
	Column   *frame.Column
	Function string // exact, phonetic, prefix, suffix, year, month, day, local_part, nickname, tokens
	N        int    // of prefix and suffix
}

// String writes the atom as a user would: prefix(last_name,3).
func (a Atom) String() string {
	switch a.Function {
	case "exact":
		return a.Column.Name
	case "prefix", "suffix":
		return a.Function + "(" + a.Column.Name + "," + string(rune('0'+a.N)) + ")"
	}
	return a.Function + "(" + a.Column.Name + ")"
}

// hashes gives the hash of the atom for each value of its column; 0 where there is none.
func (a Atom) hashes() []uint64 {
	out := make([]uint64, a.Column.Values.Len())
	var buf []byte
	for code := range out {
		value := a.Column.Values.Value(int32(code))
		buf = a.part(buf[:0], value)
		if len(buf) > 0 {
			out[code] = nonZero(xxh3.Hash(buf))
		}
	}
	return out
}

func nonZero(h uint64) uint64 {
	if h == 0 {
		return 1
	}
	return h
}

// part appends what the key sees of a value.
func (a Atom) part(dst []byte, value string) []byte {
	switch a.Function {
	case "phonetic":
		dst, _ = normalize.AppendPhonetic(dst, value)
		return dst
	case "soundex":
		dst, _ = normalize.AppendSoundex(dst, value)
		return dst
	case "nickname":
		dst, _ = normalize.AppendNickname(dst, value)
		return dst
	case "prefix":
		return append(dst, value[:min(a.N, len(value))]...)
	case "suffix":
		return append(dst, value[max(0, len(value)-a.N):]...)
	case "drop":
		if len(value) > a.N+1 {
			return append(dst, value[:len(value)-a.N]...)
		}
		return dst
	case "year", "decade":
		n := 4
		if a.Function == "decade" {
			n = 3
		}
		return append(dst, value[:min(n, len(value))]...)
	case "month":
		return append(dst, value[:min(7, len(value))]...)
	case "day":
		if len(value) == 10 {
			return append(dst, value[5:]...)
		}
		return dst
	case "local_part":
		local, _, _ := strings.Cut(value, "@")
		return append(dst, local...)
	case "domain":
		_, domain, _ := strings.Cut(value, "@")
		return append(dst, domain...)
	case "first_word":
		word, _, _ := strings.Cut(value, " ")
		return append(dst, word...)
	case "sorted":
		dst, _ = normalize.AppendNameKey(dst, value)
		return dst
	}
	return append(dst, value...)
}

// Functions lists the key functions with the least number of arguments beyond the
// attribute.
func Functions() map[string]int {
	return map[string]int{"exact": 0, "phonetic": 0, "metaphone": 0, "soundex": 0, "nickname": 0, "prefix": 1, "left": 1, "suffix": 1, "right": 1,
		"last": 1, "year": 0, "decade": 0, "month": 0, "day": 0, "local_part": 0, "domain": 0, "first_word": 0, "tokens": 0, "sorted": 0, "drop": 1}
}

// Atoms lists the atoms worth trying for a column, from fine to coarse.
func Atoms(c *frame.Column) []Atom {
	atom := func(function string, n int) Atom { return Atom{c, function, n} }
	exact := atom("exact", 0)
	if c.Masked {
		return []Atom{exact}
	}
	switch c.Kind {
	case frame.GivenName:
		return []Atom{exact, atom("nickname", 0), atom("prefix", 4), atom("prefix", 3), atom("prefix", 2)}
	case frame.FamilyName:
		return []Atom{exact, atom("phonetic", 0), atom("prefix", 4), atom("prefix", 3), atom("prefix", 2)}
	case frame.BirthDate, frame.Date:
		return []Atom{exact, atom("month", 0), atom("day", 0), atom("year", 0), atom("decade", 0)}
	case frame.Postcode:
		return []Atom{exact, atom("drop", 2), atom("prefix", 4), atom("prefix", 3), atom("prefix", 2)}
	case frame.Email:
		return []Atom{exact, atom("local_part", 0), atom("prefix", 5)}
	case frame.Phone:
		return []Atom{exact, atom("suffix", 7), atom("suffix", 4)}
	case frame.ID:
		return []Atom{exact, atom("prefix", 5), atom("suffix", 5), atom("suffix", 4)}
	case frame.Number, frame.Year, frame.Category, frame.Token, frame.Codes:
		return []Atom{exact}
	case frame.Text, frame.Company, frame.Street, frame.FullName:
		return []Atom{exact, atom("first_word", 0), atom("prefix", 5), atom("prefix", 3)}
	}
	return []Atom{exact, atom("prefix", 4), atom("prefix", 3)}
}
