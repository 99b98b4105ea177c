package rows

import (
	"encoding/binary"
	"errors"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// errMore says that the text ends before the value does.
var errMore = errors.New("text ends in the middle of a value")

// recordError says why a record cannot become a row. It never holds a value.
type recordError struct {
	reason string
	path   string
}

func (e *recordError) Error() string { return e.reason + " at $" + e.path }

func reject(reason string) error { return &recordError{reason: reason} }

// within adds the member or item in which an error happened.
func within(err error, step string) error {
	if e, ok := err.(*recordError); ok { //nolint:errorlint // made here, never wrapped
		e.path = step + e.path
	}
	return err
}

// skipSpace returns the index of the next byte that is not white space.
func skipSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// plainEnd returns the index of the first byte from i on that a string cannot simply
// copy: a quote, a backslash, a control character or, when ascii is set, one outside
// ASCII. It returns len(b) if there is none.
func plainEnd(b []byte, i int, ascii uint64) int {
	for i+8 <= len(b) {
		w := binary.LittleEndian.Uint64(b[i:])
		quote, slash := w^(ones*'"'), w^(ones*'\\')
		m := (quote-ones)&^quote | (slash-ones)&^slash | (w-ones*0x20)&^w | w&ascii
		if m &= highs; m != 0 {
			return i + bits.TrailingZeros64(m)>>3
		}
		i += 8
	}
	for i < len(b) && b[i] != '"' && b[i] != '\\' && b[i] >= 0x20 && (ascii == 0 || b[i] < 0x80) {
		i++
	}
	return i
}

// scanString returns the index of the quote that ends the string whose first byte is
// b[i], and whether there are escapes in it. What it accepts is valid UTF-8 without
// control characters; escapes are checked by unescape.
func scanString(b []byte, i int) (end int, escaped bool, err error) {
	from, plain := i, true
	stops := uint64(highs) // at the first byte outside ASCII, once
	i = plainEnd(b, i, stops)
	for i < len(b) {
		switch c := b[i]; {
		case c == '"':
			if !plain && !utf8.Valid(b[from:i]) {
				return i, escaped, reject("invalid UTF-8")
			}
			return i, escaped, nil
		case c == '\\':
			escaped = true
			i += 2
		case c < 0x20:
			return i, escaped, reject("control character in text")
		default:
			plain, stops = false, 0
		}
		i = plainEnd(b, i, stops)
	}
	return i, escaped, errMore
}

// unescape appends the text of a string with escapes to dst.
func unescape(dst, s []byte) ([]byte, error) {
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && s[j] != '\\' {
			j++
		}
		dst = append(dst, s[i:j]...)
		if j == len(s) {
			break
		}
		if j+1 == len(s) {
			return dst, reject("invalid escape in text")
		}
		i = j + 2
		switch s[j+1] {
		case '"', '\\', '/':
			dst = append(dst, s[j+1])
		case 'b':
			dst = append(dst, '\b')
		case 'f':
			dst = append(dst, '\f')
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'u':
			r, next, err := unicodeEscape(s, i)
			if err != nil {
				return dst, err
			}
			dst, i = utf8.AppendRune(dst, r), next
		default:
			return dst, reject("invalid escape in text")
		}
	}
	return dst, nil
}

// unicodeEscape reads the hexadecimal digits at s[i], and the second half of a pair.
func unicodeEscape(s []byte, i int) (rune, int, error) {
	r, ok := hex4(s, i)
	switch {
	case !ok:
		return 0, i, reject("invalid escape in text")
	case r == 0:
		return 0, i, reject("NUL character in text")
	case !utf16.IsSurrogate(r):
		return r, i + 4, nil
	}
	if i+6 <= len(s) && s[i+4] == '\\' && s[i+5] == 'u' {
		if low, ok := hex4(s, i+6); ok {
			if pair := utf16.DecodeRune(r, low); pair != utf8.RuneError {
				return pair, i + 10, nil
			}
		}
	}
	return 0, i, reject("half of a surrogate pair in text")
}

func hex4(s []byte, i int) (rune, bool) {
	if i+4 > len(s) {
		return 0, false
	}
	var r rune
	for _, c := range s[i : i+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			r = r<<4 | rune(c|0x20-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// skipValue checks the value at b[i] and returns the index after it.
func skipValue(b []byte, i, depth int) (int, error) {
	if i >= len(b) {
		return i, errMore
	}
	switch b[i] {
	case '"':
		return skipString(b, i+1)
	case '{':
		return skipObject(b, i+1, depth+1)
	case '[':
		return skipList(b, i+1, depth+1)
	case 't':
		return literal(b, i, "true")
	case 'f':
		return literal(b, i, "false")
	case 'n':
		return literal(b, i, "null")
	}
	_, next, err := scanNumber(b, i)
	if err == nil && next == len(b) {
		err = errMore
	}
	return next, err
}

func skipString(b []byte, i int) (int, error) {
	end, escaped, err := scanString(b, i)
	if err != nil {
		return end, err
	}
	if escaped {
		var room [128]byte
		if _, err := unescape(room[:0], b[i:end]); err != nil {
			return end, err
		}
	}
	return end + 1, nil
}

func skipObject(b []byte, i, depth int) (int, error) {
	if depth > maxDepth {
		return i, reject("nested too deeply")
	}
	i = skipSpace(b, i)
	if i < len(b) && b[i] == '}' {
		return i + 1, nil
	}
	for {
		if i >= len(b) {
			return i, errMore
		}
		if b[i] != '"' {
			return i, reject("not JSON: a member's name is missing")
		}
		var err error
		if i, err = skipString(b, i+1); err != nil {
			return i, err
		}
		if i, err = colon(b, i); err != nil {
			return i, err
		}
		if i, err = skipValue(b, i, depth); err != nil {
			return i, err
		}
		var done bool
		if i, done, err = comma(b, i, '}'); done || err != nil {
			return i, err
		}
	}
}

func skipList(b []byte, i, depth int) (int, error) {
	if depth > maxDepth {
		return i, reject("nested too deeply")
	}
	i = skipSpace(b, i)
	if i < len(b) && b[i] == ']' {
		return i + 1, nil
	}
	for {
		var err error
		if i, err = skipValue(b, i, depth); err != nil {
			return i, err
		}
		var done bool
		if i, done, err = comma(b, i, ']'); done || err != nil {
			return i, err
		}
	}
}

// colon skips to the value of a member.
func colon(b []byte, i int) (int, error) {
	i = skipSpace(b, i)
	if i >= len(b) {
		return i, errMore
	}
	if b[i] != ':' {
		return i, reject("not JSON: a colon is missing")
	}
	return skipSpace(b, i+1), nil
}

// comma skips to the next member or item, or past the closing bracket.
func comma(b []byte, i int, closing byte) (next int, done bool, err error) {
	i = skipSpace(b, i)
	if i >= len(b) {
		return i, false, errMore
	}
	switch b[i] {
	case ',':
		return skipSpace(b, i+1), false, nil
	case closing:
		return i + 1, true, nil
	}
	return i, false, reject("not JSON: a comma or a closing bracket is missing")
}

func literal(b []byte, i int, word string) (int, error) {
	end := i + len(word)
	if end <= len(b) {
		if string(b[i:end]) == word {
			return end, nil
		}
	} else if string(b[i:]) == word[:len(b)-i] {
		return i, errMore
	}
	return i, reject("not JSON: unknown word")
}

// extent finds where the broken value at b[i] ends, looking at nothing but strings and
// brackets. ok is false when b ends first.
func extent(b []byte, i int) (end int, ok bool) {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1, true
			}
			if depth < 0 {
				return i, true
			}
		case ',':
			if depth == 0 {
				return i, true
			}
		}
	}
	return i, false
}

// compact appends valid JSON without the white space between its tokens.
func compact(dst, s []byte) []byte {
	for i := 0; i < len(s); {
		switch c := s[i]; c {
		case ' ', '\n', '\t', '\r':
			i++
		case '"':
			j := i + 1
			for s[j] != '"' {
				if s[j] == '\\' {
					j++
				}
				j++
			}
			dst = append(dst, s[i:j+1]...)
			i = j + 1
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}
