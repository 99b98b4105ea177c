package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/unsilo/unsilo/core"
)

// A known file is what is remembered of a file.
type known struct {
	// ID is how rows call the file; empty until it has a row.
	ID string
	// Name and Ident are where it was last seen.
	Name, Ident string
	// Size, ModTime and Tag are those it had when it was read last. Open says that there
	// was more to read.
	Size    int64
	ModTime time.Time
	Tag     string
	Open    bool
	// Offset in the content is the end of the last whole line; Line counts the lines
	// before it, or in a format without lines the rows read.
	Offset, Line int64
	Print        fingerprint
	// Gone is when the file was first found missing, in seconds since 1970; 0 while it is
	// there.
	Gone int64
}

// seen reports whether the file is as it was when it was read to its end.
func (k *known) seen(e Entry) bool {
	return !k.Open && k.same(e)
}

// same reports whether the file has not changed since it was read last.
func (k *known) same(e Entry) bool {
	return !e.Unversioned && k.Size == e.Size && k.ModTime.Equal(e.ModTime) && k.Tag == e.Tag
}

const (
	stateVersion = 1
	// maxGone bounds how many files that are gone are remembered, for the case that they
	// come back under another name.
	maxGone = 1000
	// maxFiles bounds the files of a stream.
	maxFiles = 200_000
)

// record is a known file as it is stored: a list, since there may be many thousands.
// [id, name, ident, size, mtime in ns, tag, open, offset, line, head size, head, sum, tail, gone]
const recordLen = 14

// appendRecord encodes a known file.
func appendRecord(dst []byte, k *known) ([]byte, error) {
	mtime := int64(0)
	if !k.ModTime.IsZero() {
		mtime = k.ModTime.UnixNano()
	}
	data, err := json.Marshal([recordLen]any{
		k.ID, k.Name, k.Ident, k.Size, mtime, k.Tag, k.Open, k.Offset, k.Line,
		k.Print.HeadSize, k.Print.Head, k.Print.Sum, k.Print.Tail, k.Gone,
	})
	if err != nil {
		return dst, fmt.Errorf("encode position: %w", err)
	}
	return append(dst, data...), nil
}

// parseState decodes the files of a state; no state has none.
func parseState(state core.State) ([]*known, error) {
	if len(state) == 0 || string(state) == "null" {
		return nil, nil
	}
	var outer struct {
		Version int                 `json:"v"`
		Files   [][]json.RawMessage `json:"files"`
	}
	if err := json.Unmarshal(state, &outer); err != nil {
		return nil, badState(err)
	}
	if outer.Version != stateVersion {
		return nil, badState(fmt.Errorf("position has version %d, not %d", outer.Version, stateVersion))
	}
	if len(outer.Files) > maxFiles+maxGone {
		return nil, badState(errors.New("position has too many files"))
	}
	files := make([]*known, len(outer.Files))
	for i, fields := range outer.Files {
		k, err := parseRecord(fields)
		if err != nil {
			return nil, badState(fmt.Errorf("file %d: %w", i+1, err))
		}
		files[i] = k
	}
	return files, nil
}

func parseRecord(fields []json.RawMessage) (*known, error) {
	if len(fields) != recordLen {
		return nil, fmt.Errorf("%d fields where there should be %d", len(fields), recordLen)
	}
	k := &known{}
	var mtime int64
	into := [recordLen]any{
		&k.ID, &k.Name, &k.Ident, &k.Size, &mtime, &k.Tag, &k.Open, &k.Offset, &k.Line,
		&k.Print.HeadSize, &k.Print.Head, &k.Print.Sum, &k.Print.Tail, &k.Gone,
	}
	for i, field := range fields {
		if err := json.Unmarshal(field, into[i]); err != nil {
			return nil, fmt.Errorf("field %d: %w", i+1, err)
		}
	}
	if k.Offset < 0 || k.Line < 0 || k.Print.HeadSize < 0 || k.Print.HeadSize > headBytes || k.Gone < 0 {
		return nil, errors.New("a number is out of range")
	}
	if mtime != 0 {
		k.ModTime = time.Unix(0, mtime)
	}
	return k, nil
}

func badState(err error) error {
	return &core.Error{Kind: core.KindData, Op: "read position", Try: "start the stream again with a full read", Err: err}
}

// A ledger holds all known files, encoded, so that a state is quickly made.
type ledger struct {
	files   []*known
	encoded [][]byte
}

func newLedger(files []*known) (*ledger, error) {
	l := &ledger{}
	for _, k := range files {
		if err := l.add(k); err != nil {
			return nil, err
		}
	}
	return l, nil
}

// add appends a file and returns nothing but a fault of encoding.
func (l *ledger) add(k *known) error {
	data, err := appendRecord(nil, k)
	if err != nil {
		return err
	}
	l.files, l.encoded = append(l.files, k), append(l.encoded, data)
	return nil
}

// update encodes a file anew.
func (l *ledger) update(i int) error {
	data, err := appendRecord(l.encoded[i][:0], l.files[i])
	l.encoded[i] = data
	return err
}

// state encodes the position.
func (l *ledger) state() core.State {
	var b bytes.Buffer
	fmt.Fprintf(&b, `{"v":%d,"files":[`, stateVersion)
	for i, data := range l.encoded {
		if i > 0 {
			b.WriteString(",\n")
		}
		b.Write(data)
	}
	b.WriteString("]}")
	return b.Bytes()
}
