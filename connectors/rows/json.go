package rows

import (
	"errors"
	"io"
	"slices"
)

// JSONReader reads the records of one JSON document: the items of the list at a path,
// or the single object there. It reads on after the records, so that a document that is
// cut anywhere is an error, and keeps what stands around them.
type JSONReader struct {
	w        window
	limits   Limits
	path     []string
	raw      []byte
	envelope []byte
	stack    []byte // closing brackets of the open objects
	step     step
	found    bool
	single   bool
	first    bool // no member or item of the open object or list was read yet
}

type step uint8

const (
	stepValue  step = iota // before a value on the path
	stepMember             // before a member's name of an object on the path
	stepItem               // before an item of the record list
	stepNext               // after an item: comma or closing bracket
	stepAfter              // after a value: comma or closing bracket
	stepDone
)

// NewJSONReader reads from r the records at path, a list of member names from the root;
// an empty path is the root itself.
func NewJSONReader(r io.Reader, path []string, l Limits) *JSONReader {
	return &JSONReader{w: newWindow(r), limits: l.withDefaults(), path: slices.Clone(path)}
}

// Raw is the text of the last record.
func (r *JSONReader) Raw() []byte { return r.raw }

// Offset is the number of bytes up to the end of the last record.
func (r *JSONReader) Offset() int64 { return r.w.offset() }

// Envelope is the document with an empty list in place of its records and null in place
// of members above 64 KiB. It is complete once Next has returned io.EOF.
func (r *JSONReader) Envelope() []byte { return r.envelope }

// Found reports whether the document has a value at the path.
func (r *JSONReader) Found() bool { return r.found }

// Single reports whether the value at the path is an object, not a list.
func (r *JSONReader) Single() bool { return r.single }

// Next appends the next record.
func (r *JSONReader) Next(b *Builder) error {
	r.w.skipMark()
	for r.step != stepDone && (r.step != stepAfter || len(r.stack) > 0) {
		r.w.pos += skipSpace(r.w.rest(), 0)
		if len(r.w.rest()) == 0 {
			if !r.w.more() {
				return r.w.cut()
			}
			continue
		}
		got, err := r.advance(b)
		if errors.Is(err, errMore) {
			if len(r.w.rest()) > r.limits.Record {
				return r.w.broken("JSON", "a value is larger than the limit")
			}
			if !r.w.more() && !r.scalar() {
				return r.w.cut()
			}
			continue
		}
		if err != nil || got {
			return err
		}
	}
	return r.end()
}

// end makes sure that nothing but white space follows the document.
func (r *JSONReader) end() error {
	for {
		r.w.pos += skipSpace(r.w.rest(), 0)
		switch {
		case len(r.w.rest()) > 0:
			return r.w.broken("JSON", "text after the end of the document")
		case r.w.more():
		case r.w.err != nil:
			return r.w.cut()
		default:
			return io.EOF
		}
	}
}

// advance takes one step; got says that it added a record or a reject.
func (r *JSONReader) advance(b *Builder) (got bool, err error) {
	switch r.step {
	case stepValue:
		return r.value(b)
	case stepMember:
		return false, r.member()
	case stepItem:
		return r.item(b)
	case stepNext:
		return false, r.next()
	default:
		return false, r.after()
	}
}

// value enters a value on the path.
func (r *JSONReader) value(b *Builder) (got bool, err error) {
	first := r.w.rest()[0]
	depth := len(r.stack)
	if depth < len(r.path) {
		if first == '{' {
			r.open('{', '}')
			r.step = stepMember
			return false, nil
		}
		return false, r.other()
	}
	r.found = true
	switch first {
	case '[':
		r.w.pos++
		r.envelope = append(r.envelope, '[', ']')
		r.step, r.first = stepItem, true
		return false, nil
	case '{':
		r.single = true
		got, err = r.record(b)
		if err == nil {
			r.envelope = append(r.envelope, '[', ']')
			r.step = stepAfter
		}
		return got, err
	}
	return false, r.other()
}

func (r *JSONReader) open(bracket, closing byte) {
	r.w.pos++
	r.envelope = append(r.envelope, bracket)
	r.stack = append(r.stack, closing)
	r.first = true
}

// other keeps a value that holds no records.
func (r *JSONReader) other() error {
	rest := r.w.rest()
	end, err := skipValue(rest, 0, len(r.stack))
	if err != nil {
		return r.fault(err)
	}
	if end <= 64<<10 && len(r.envelope)+end <= r.limits.Envelope {
		r.envelope = compact(r.envelope, rest[:end])
	} else {
		r.envelope = append(r.envelope, "null"...)
	}
	r.w.pos += end
	r.step = stepAfter
	return nil
}

// scalar takes a number that is the whole document.
func (r *JSONReader) scalar() bool {
	rest := r.w.rest()
	if _, ok := parseNumber(rest); !ok || len(r.stack) > 0 || r.step != stepValue || r.w.err != nil {
		return false
	}
	r.envelope = append(r.envelope, rest...)
	r.w.pos += len(rest)
	r.step = stepDone
	return true
}

// fault makes a syntax error of the document out of a record's error.
func (r *JSONReader) fault(err error) error {
	var e *recordError
	if errors.As(err, &e) {
		return r.w.broken("JSON", e.reason)
	}
	return err
}

// member reads a member's name and goes on by it.
func (r *JSONReader) member() error {
	rest := r.w.rest()
	if rest[0] == '}' && r.first {
		r.close()
		return nil
	}
	if rest[0] != '"' {
		return r.w.broken("JSON", "a member's name is missing")
	}
	end, escaped, err := scanString(rest, 1)
	if err != nil {
		return r.fault(err)
	}
	name := rest[1:end]
	if escaped {
		if name, err = unescape(nil, name); err != nil {
			return r.fault(err)
		}
	}
	i, err := colon(rest, end+1)
	switch {
	case err != nil:
		return r.fault(err)
	case i == len(rest):
		return errMore
	}
	onPath := !r.found && string(name) == r.path[len(r.stack)-1]
	kept := len(r.envelope)
	r.envelope = append(append(r.envelope, rest[:end+1]...), ':')
	r.w.pos += i
	r.first = false
	if onPath {
		r.step = stepValue
		return nil
	}
	if err := r.other(); err != nil {
		r.w.pos -= i
		r.envelope = r.envelope[:kept]
		return err
	}
	return nil
}

// after steps over what follows a value.
func (r *JSONReader) after() error {
	switch r.w.rest()[0] {
	case ',':
		r.w.pos++
		r.envelope = append(r.envelope, ',')
		r.step, r.first = stepMember, false
		return nil
	case '}':
		r.close()
		return nil
	}
	return r.w.broken("JSON", "a comma or a closing bracket is missing")
}

func (r *JSONReader) close() {
	r.w.pos++
	r.envelope = append(r.envelope, '}')
	r.stack = r.stack[:len(r.stack)-1]
	r.step = stepAfter
}

// item reads one record of the list, or the list's end.
func (r *JSONReader) item(b *Builder) (got bool, err error) {
	if r.first && r.w.rest()[0] == ']' {
		r.w.pos++
		r.step = stepAfter
		return false, nil
	}
	if got, err = r.record(b); err == nil {
		r.step, r.first = stepNext, false
	}
	return got, err
}

// next steps over what follows an item.
func (r *JSONReader) next() error {
	switch r.w.rest()[0] {
	case ']':
		r.step = stepAfter
	case ',':
		r.step = stepItem
	default:
		return r.w.broken("JSON", "a comma or a closing bracket is missing")
	}
	r.w.pos++
	return nil
}

// record appends the object at the window's start. A broken one is rejected if its end
// can be found.
func (r *JSONReader) record(b *Builder) (got bool, err error) {
	rest := r.w.rest()
	end := 0
	if rest[0] == '{' {
		end, err = b.record(rest, 0)
	} else {
		err = reject("not a JSON object")
	}
	switch {
	case err == nil:
	case errors.Is(err, errMore):
		return false, err
	default:
		var ok bool
		if end, ok = extent(rest, 0); !ok {
			return false, errMore
		}
		if end == 0 {
			return false, r.w.broken("JSON", "a record is missing")
		}
		b.rejectErr(rest[:end], err)
	}
	r.raw = rest[:end]
	r.w.pos += end
	return true, nil
}
