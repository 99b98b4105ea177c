package normalize

import (
	"bytes"
	"strings"
)

// AppendSoundex writes the four-character American Soundex code of the first word of a
// name.
func AppendSoundex(dst []byte, s string) ([]byte, bool) {
	var buf [64]byte
	word := firstWord(buf[:0], s)
	if len(word) == 0 {
		return dst, false
	}
	//             abcdefghijklmnopqrstuvwxyz; 0 a vowel, 7 h and w, which do not part equal codes
	const codes = "01230127022455012623017202"
	start := len(dst)
	dst = append(dst, word[0]-'a'+'A')
	last := codes[word[0]-'a']
	for _, c := range word[1:] {
		code := codes[c-'a']
		if code == '7' {
			continue
		}
		if code != '0' && code != last {
			dst = append(dst, code)
		}
		last = code
		if len(dst)-start == 4 {
			return dst, true
		}
	}
	return append(dst, "000"[:4-(len(dst)-start)]...), true
}

// AppendPhonetic writes a code of the sound of every word of a name, shared by the
// spellings that European languages give it: Schmidt and Smith do not meet, but Meyer,
// Maier and Meier do, and Müller and Mueller, Philipp and Filip, Katarina and Catharina.
func AppendPhonetic(dst []byte, s string) ([]byte, bool) {
	var buf [128]byte
	name, ok := AppendName(buf[:0], s)
	if !ok {
		return dst, false
	}
	start := len(dst)
	for word := range bytes.SplitSeq(name, []byte{' '}) {
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = appendSound(dst, word)
	}
	return dst, len(dst) > start
}

// appendSound writes the code of one word: its first sound, then the consonants without
// repeats. A vowel at the start is A, digits stay.
func appendSound(dst, word []byte) []byte {
	start := len(dst)
	emit := func(sounds string) {
		for i := range len(sounds) {
			if n := len(dst); n == start || dst[n-1] != sounds[i] {
				dst = append(dst, sounds[i])
			}
		}
	}
	for i := 0; i < len(word); {
		rest := word[i:]
		c := rest[0]
		if isDigit(c) {
			dst = append(dst, c)
			i++
			continue
		}
		if sounds, used := cluster(rest, i == 0); used > 0 {
			emit(sounds)
			i += used
			continue
		}
		switch {
		case c == 'h' && i > 0: // heard at the start of a word only
		case strings.IndexByte("aeiouyj", c) >= 0:
			if i == 0 {
				emit("A")
			}
		default:
			emit(consonants[c-'a' : c-'a'+1])
		}
		i++
	}
	if len(dst) == start {
		dst = append(dst, 'A')
	}
	return dst
}

// consonants gives the sound of a letter by itself, from a to z.
const consonants = "ABKTAFKHAAKLMNAPKRSTAFFKAS"

// spelling is a sound written with several letters.
type spelling struct {
	letters, sounds string
	startOnly       bool
}

// spellings, by their first letter, are tried in order: the longer before those it begins
// with.
var spellings = [26][]spelling{
	's' - 'a': {{"schm", "SM", false}, {"sch", "S", false}, {"shch", "S", false}, {"sh", "S", false}, {"sz", "S", false}, {"stsh", "S", false}},
	'c' - 'a': {{"ch", "K", false}, {"cz", "S", false}, {"ck", "K", false}, {"ce", "S", false}, {"ci", "S", false}, {"cy", "S", false}},
	'p' - 'a': {{"ph", "F", false}, {"pf", "F", true}},
	't' - 'a': {{"tsch", "S", false}, {"tch", "S", false}, {"th", "T", false}, {"tz", "S", false}, {"ts", "S", false}},
	'd' - 'a': {{"dt", "T", false}, {"ds", "S", false}, {"dz", "S", false}, {"dj", "S", true}},
	'k' - 'a': {{"kn", "N", true}, {"kh", "K", false}, {"ks", "KS", false}},
	'g' - 'a': {{"gn", "N", false}, {"gh", "", false}},
	'w' - 'a': {{"wr", "R", true}, {"wh", "F", false}},
	'x' - 'a': {{"x", "KS", false}},
	'z' - 'a': {{"zh", "S", false}},
	'r' - 'a': {{"rh", "R", false}},
}

// cluster finds a sound of several letters at the start of rest, and how many letters it
// takes.
func cluster(rest []byte, start bool) (sounds string, used int) {
	for _, s := range spellings[rest[0]-'a'] {
		if (!s.startOnly || start) && len(rest) >= len(s.letters) && string(rest[:len(s.letters)]) == s.letters {
			used = len(s.letters)
			if s.letters[0] == 'c' && used == 2 && (s.letters[1] == 'e' || s.letters[1] == 'i' || s.letters[1] == 'y') {
				used = 1 // the vowel stands for itself
			}
			return s.sounds, used
		}
	}
	return "", 0
}

// firstWord is the first word of a name that is made of letters.
func firstWord(dst []byte, s string) []byte {
	name, ok := AppendName(dst, s)
	if !ok {
		return nil
	}
	for word := range bytes.SplitSeq(name, []byte{' '}) {
		end := 0
		for _, c := range word {
			if isLetter(c) {
				word[end] = c
				end++
			}
		}
		if end > 0 {
			return word[:end]
		}
	}
	return nil
}
