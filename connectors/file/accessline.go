package file

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// An accessLine takes lines apart by a layout.
type accessLine struct {
	log    *accessLog
	texts  [][]byte
	adders []valueAdder
}

// A valueAdder reads a variable's text and then, when the whole line is known to be good,
// appends it.
type valueAdder interface {
	read(text []byte) (reason string)
	add()
}

const reasonLayout = "the line does not have the layout of the log"

// add appends a line's values, or says why it cannot.
func (l *accessLine) add(line []byte) string {
	if !bytes.HasPrefix(line, []byte(l.log.before)) {
		return reasonLayout
	}
	rest := line[len(l.log.before):]
	for i := range l.log.parts {
		var ok bool
		if l.texts[i], rest, ok = l.log.parts[i].cut(rest); !ok {
			return reasonLayout
		}
	}
	if len(rest) > 0 {
		return reasonLayout
	}
	for i, a := range l.adders {
		if reason := a.read(l.texts[i]); reason != "" {
			return fmt.Sprintf("$%s: %s", l.log.parts[i].variable, reason)
		}
	}
	for _, a := range l.adders {
		a.add()
	}
	return ""
}

// cut takes a variable's text and the literal after it off the front. A text before a quote
// ends at the first quote that no backslash escapes.
func (p part) cut(s []byte) (text, rest []byte, ok bool) {
	if p.after == "" {
		return s, nil, true
	}
	from := 0
	for {
		at := bytes.Index(s[from:], []byte(p.after))
		if at < 0 {
			return nil, nil, false
		}
		end := from + at
		if p.after[0] != '"' || !escaped(s[:end]) {
			return s[:end], s[end+len(p.after):], true
		}
		from = end + 1
	}
}

// escaped reports whether what follows s is escaped: s ends in an odd number of backslashes.
func escaped(s []byte) bool {
	n := 0
	for n < len(s) && s[len(s)-1-n] == '\\' {
		n++
	}
	return n%2 == 1
}

// unescape undoes nginx's \x22 and Apache's \" \\ \n \t. What is no escape stays.
func unescape(dst, s []byte) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			dst = append(dst, s[i])
			continue
		}
		i++
		switch s[i] {
		case '"', '\\', '\'':
			dst = append(dst, s[i])
		case 'n':
			dst = append(dst, '\n')
		case 't':
			dst = append(dst, '\t')
		case 'r':
			dst = append(dst, '\r')
		case 'x':
			if i+2 < len(s) {
				if v, err := strconv.ParseUint(string(s[i+1:i+3]), 16, 8); err == nil {
					dst = append(dst, byte(v))
					i += 2
					continue
				}
			}
			dst = append(dst, '\\', 'x')
		default:
			dst = append(dst, '\\', s[i])
		}
	}
	return dst
}

// clean makes text that a column can hold: escapes undone, NUL and bytes that are no UTF-8
// as U+FFFD. A request may hold any bytes, and such a line is no less a visit.
func clean(s []byte) []byte {
	if bytes.IndexByte(s, '\\') >= 0 {
		s = unescape(make([]byte, 0, len(s)), s)
	}
	if !utf8.Valid(s) {
		s = bytes.ToValidUTF8(s, []byte("\uFFFD"))
	}
	if bytes.IndexByte(s, 0) >= 0 {
		s = bytes.ReplaceAll(s, []byte{0}, []byte("\uFFFD"))
	}
	return s
}

// newAdder gives the adder of a variable.
func newAdder(p part, b *array.RecordBuilder) valueAdder {
	switch p.form {
	case accessInt:
		return &intAdder{b: b.Field(p.columns).(*array.Int64Builder)}
	case accessFloat:
		return &floatAdder{b: b.Field(p.columns).(*array.Float64Builder)}
	case accessLocal, accessISO, accessMsec:
		return &timeAdder{b: b.Field(p.columns).(*array.TimestampBuilder), form: p.form}
	case accessRequest:
		return &requestAdder{
			method: b.Field(p.columns).(*array.StringBuilder), path: b.Field(p.columns + 1).(*array.StringBuilder),
			protocol: b.Field(p.columns + 2).(*array.StringBuilder),
		}
	}
	return &textAdder{b: b.Field(p.columns).(*array.StringBuilder)}
}

// absent is how logs write that there is no value.
func absent(text []byte) bool { return len(text) == 0 || len(text) == 1 && text[0] == '-' }

func appendText(b *array.StringBuilder, text []byte) {
	if text == nil {
		b.AppendNull()
		return
	}
	b.BinaryBuilder.Append(text)
}

type textAdder struct {
	b    *array.StringBuilder
	text []byte
}

func (a *textAdder) read(text []byte) string {
	a.text = nil
	if !absent(text) {
		a.text = clean(text)
	}
	return ""
}

func (a *textAdder) add() { appendText(a.b, a.text) }

type intAdder struct {
	b    *array.Int64Builder
	v    int64
	null bool
}

func (a *intAdder) read(text []byte) string {
	if a.null = absent(text); a.null {
		return ""
	}
	var err error
	if a.v, err = strconv.ParseInt(string(text), 10, 64); err != nil {
		return "not a whole number"
	}
	return ""
}

func (a *intAdder) add() {
	if a.null {
		a.b.AppendNull()
		return
	}
	a.b.Append(a.v)
}

type floatAdder struct {
	b    *array.Float64Builder
	v    float64
	null bool
}

func (a *floatAdder) read(text []byte) string {
	if a.null = absent(text); a.null {
		return ""
	}
	var err error
	if a.v, err = strconv.ParseFloat(string(text), 64); err != nil || math.IsNaN(a.v) || math.IsInf(a.v, 0) {
		return "not a number"
	}
	return ""
}

func (a *floatAdder) add() {
	if a.null {
		a.b.AppendNull()
		return
	}
	a.b.Append(a.v)
}

// A timeAdder reads times. Consecutive lines often have the same one.
type timeAdder struct {
	b    *array.TimestampBuilder
	form accessForm
	last []byte
	v    int64
}

func (a *timeAdder) read(text []byte) string {
	if len(a.last) > 0 && bytes.Equal(text, a.last) {
		return ""
	}
	v, ok := accessTime(a.form, string(text))
	if !ok {
		return "not a time"
	}
	a.v, a.last = v, append(a.last[:0], text...)
	return ""
}

func (a *timeAdder) add() { a.b.Append(arrow.Timestamp(a.v)) }

func accessTime(form accessForm, text string) (int64, bool) {
	if form == accessMsec {
		seconds, fraction, _ := bytes.Cut([]byte(text), []byte{'.'})
		s, err := strconv.ParseInt(string(seconds), 10, 64)
		ms, err2 := strconv.ParseUint("0"+string(fraction), 10, 32)
		if err != nil || err2 != nil || len(fraction) != 3 || s < 0 || s > maxSeconds {
			return 0, false
		}
		return s*1_000_000 + int64(ms)*1000, true
	}
	layout := "02/Jan/2006:15:04:05 -0700"
	if form == accessISO {
		layout = time.RFC3339
	}
	t, err := time.Parse(layout, text)
	return t.UnixMicro(), err == nil
}

// maxSeconds is the year 9999.
const maxSeconds = 253402300799

// A requestAdder splits "GET /path HTTP/1.1". What is no request line, as scanners send,
// becomes the path alone.
type requestAdder struct {
	method, path, protocol *array.StringBuilder
	texts                  [3][]byte
}

func (a *requestAdder) read(text []byte) string {
	a.texts = [3][]byte{}
	if absent(text) {
		return ""
	}
	s := clean(text)
	first, last := bytes.IndexByte(s, ' '), bytes.LastIndexByte(s, ' ')
	switch {
	case first <= 0 || !isMethod(s[:first]):
		a.texts[1] = s
	case first == last: // HTTP/0.9 has no protocol
		a.texts[0], a.texts[1] = s[:first], s[first+1:]
	case bytes.HasPrefix(s[last+1:], []byte("HTTP/")):
		a.texts = [3][]byte{s[:first], s[first+1 : last], s[last+1:]}
	default:
		a.texts[0], a.texts[1] = s[:first], s[first+1:]
	}
	return ""
}

func isMethod(s []byte) bool {
	for _, c := range s {
		if c < 'A' || c > 'Z' {
			return false
		}
	}
	return len(s) <= 20
}

func (a *requestAdder) add() {
	appendText(a.method, a.texts[0])
	appendText(a.path, a.texts[1])
	appendText(a.protocol, a.texts[2])
}
