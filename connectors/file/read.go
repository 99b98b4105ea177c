package file

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strconv"
	"time"

	"github.com/unsilo/unsilo/core"
)

// Read sends what is new in the files of one stream; see the package comment.
func (s *source) Read(ctx context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	st, err := s.find(req.Stream.Name)
	if err != nil {
		return err
	}
	entries, err := st.list(ctx)
	if visible(entries, err) != nil {
		return inStream(err, st.name)
	}
	entries = shard(entries, req.Shard)
	r := &reading{stream: st, req: req, emit: emit, now: time.Now()}
	if err != nil {
		r.faults = append(r.faults, err)
	}
	if req.KeysOnly {
		if !st.keyed() {
			return &core.Error{Kind: core.KindConfig, Op: "read keys", Stream: st.name, Path: "stream." + st.name + ".primary_key",
				Try: "declare primary_key, or leave deletes out", Err: errors.New("the rows have no key of their own, so rows that vanished cannot be told")}
		}
		r.req.After, r.req.Limit, r.silent = nil, 0, true
	}
	if !req.From.IsZero() {
		r.req.After, r.silent = nil, true
		entries = slices.DeleteFunc(entries, func(e Entry) bool { return e.ModTime.Before(req.From) })
	}
	return inStream(r.run(ctx, entries), st.name)
}

// inStream adds the stream to an error that names none. An error of emit stays as it is.
func inStream(err error, stream string) error {
	if e, ok := err.(*core.Error); ok && e.Stream == "" {
		named := *e
		named.Stream = stream
		return &named
	}
	return err
}

// shard keeps the files of one part. All rotations of a file are in the same part.
func shard(entries []Entry, part core.Shard) []Entry {
	if part.Count <= 1 {
		return entries
	}
	return slices.DeleteFunc(entries, func(e Entry) bool {
		n, err := strconv.ParseUint(hash([]byte(baseName(e.Name))), 36, 64)
		return err != nil || n%uint64(part.Count) != uint64(part.Index)
	})
}

// reading is one Read under way.
type reading struct {
	stream *stream
	req    core.ReadRequest
	emit   func(core.Batch) error
	now    time.Time
	// silent reads send no positions.
	silent bool

	ledger  *ledger
	places  map[*known]int
	ids     map[string]bool
	session *session
	sent    int64
	// unmarked counts the rows sent since the last position, marked is when that was.
	unmarked int64
	marked   time.Time
	changed  bool
	// faults are of files that could not be read; the others go on.
	faults []error
}

// A position costs as much as there are files, so small files share one.
const (
	rowsPerState = 50_000
	timePerState = 2 * time.Second
)

func (r *reading) run(ctx context.Context, entries []Entry) error {
	if len(entries) > maxFiles {
		return &core.Error{Kind: core.KindConfig, Op: "list files", Path: "path", Try: "split the files over several streams",
			Err: fmt.Errorf("%d files match; a stream may have %d", len(entries), maxFiles)}
	}
	files, err := parseState(r.req.After)
	if err != nil {
		return err
	}
	t := &tracker{opener: r.stream.opener, whole: r.stream.whole, files: files}
	if err := t.plan(ctx, entries); err != nil {
		return err
	}
	if err := r.begin(t); err != nil {
		return err
	}
	r.faults = append(r.faults, t.faults...)
	for _, task := range t.tasks {
		if r.full() {
			break
		}
		err := r.file(ctx, task)
		var broken *fileError
		switch {
		case errors.As(err, &broken):
			r.faults = append(r.faults, broken.err)
		case err != nil:
			return err
		}
	}
	if err := r.mark(true); err != nil {
		return err
	}
	return firstFault(r.faults)
}

// begin prepares the ledger of all known files.
func (r *reading) begin(t *tracker) error {
	var err error
	if r.ledger, err = newLedger(t.files); err != nil {
		return err
	}
	r.places, r.ids = make(map[*known]int, len(t.files)), make(map[string]bool, len(t.files))
	for i, k := range t.files {
		r.places[k] = i
		r.ids[k.ID] = true
	}
	rows := defaultBatchRows
	if r.req.Limit > 0 {
		rows = int(min(r.req.Limit, defaultBatchRows))
	}
	r.session = &session{columns: r.stream.ownColumns(r.req.Stream.Schema), batchRows: rows}
	r.marked = r.now
	return nil
}

func (r *reading) full() bool { return r.req.Limit > 0 && r.sent >= r.req.Limit }

// A fileError spoils one file and lets the others go on.
type fileError struct{ err error }

func (e *fileError) Error() string { return e.err.Error() }

func firstFault(faults []error) error {
	if len(faults) == 0 {
		return nil
	}
	var e *core.Error
	if len(faults) > 1 && errors.As(faults[0], &e) {
		more := *e
		more.Err = fmt.Errorf("%w (and %d more files)", e.Err, len(faults)-1)
		return &more
	}
	return faults[0]
}

// file reads one file on from where it stands.
func (r *reading) file(ctx context.Context, t task) error {
	k := t.known
	m := t.meter
	from := int64(0)
	if m != nil {
		from = k.Offset
	} else {
		k.Offset = 0
	}
	c, err := r.stream.opener.open(ctx, t.entry, from)
	if errors.Is(err, errMoved) || errors.Is(err, fs.ErrNotExist) {
		return nil // a rotation came between; the next read finds it
	}
	if err != nil {
		return &fileError{err}
	}
	err = r.content(ctx, t, c, m)
	if closeErr := c.Close(); err == nil && closeErr != nil {
		return &fileError{cutError(t.entry, closeErr)}
	}
	return err
}

// content decodes a file's content.
func (r *reading) content(ctx context.Context, t task, c *content, m *meter) error {
	if m == nil {
		m = newMeter(nil)
	}
	k := t.known
	in := input{name: t.entry.Name, line: k.Line, offset: k.Offset, final: c.whole || r.settled(t.entry), entry: t.entry}
	if err := r.prepare(ctx, t, c, &in); err != nil {
		return err
	}
	m.from = c
	in.reader = m
	d, err := r.stream.format.decoder(ctx, in, r.session)
	if err != nil {
		if r.stream.whole && !in.final && core.KindOf(err) == core.KindData {
			return nil // it may be being written; the next read looks again
		}
		return &fileError{cutError(t.entry, err)}
	}
	defer d.close()
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		piece, err := d.next()
		if sendErr := r.send(t, m, piece, errors.Is(err, io.EOF), in.final); sendErr != nil {
			return sendErr
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case m.err != nil:
			return &fileError{cutError(t.entry, m.err)}
		case err != nil:
			return &fileError{cutError(t.entry, err)}
		case r.full():
			return nil
		}
	}
}

// settled reports whether a file has been left alone, or is of no known age, so that its
// last line is complete even without an end.
func (r *reading) settled(e Entry) bool {
	return e.ModTime.IsZero() || r.now.Sub(e.ModTime) >= r.stream.settle
}

// peekBytes is how far the first record is looked for.
const peekBytes = 64 << 10

// prepare finds the header of a file that is read on, and the id of one that is new.
func (r *reading) prepare(ctx context.Context, t task, c *content, in *input) error {
	headers := r.stream.format.headerLines()
	if in.offset > 0 {
		if headers == 0 {
			return nil
		}
		first, err := r.stream.opener.open(ctx, t.entry, 0)
		if err != nil {
			return &fileError{err}
		}
		in.header, err = headerOf(first, headers)
		if err = errors.Join(err, first.Close()); err != nil {
			return &fileError{cutError(t.entry, err)}
		}
		return nil
	}
	if t.known.ID != "" {
		return nil
	}
	if r.stream.whole {
		t.known.ID = r.unused(t.entry.Name)
		return nil
	}
	br := bufio.NewReaderSize(c.Reader, peekBytes)
	start, err := br.Peek(peekBytes)
	if err != nil && !errors.Is(err, io.EOF) && len(start) == 0 {
		return &fileError{cutError(t.entry, err)}
	}
	c.Reader = br
	if first, ok := firstRecord(start, headers, in.final); ok {
		t.known.ID = r.unused(baseName(t.entry.Name) + "@" + shortHash(first))
	}
	return nil
}

// unused makes an id that no other file has.
func (r *reading) unused(id string) string {
	free := id
	for n := 2; r.ids[free]; n++ {
		free = id + "." + strconv.Itoa(n)
	}
	r.ids[free] = true
	return free
}

// shortHash is enough to tell the generations of one file apart.
func shortHash(b []byte) string {
	h := hash(b)
	return h[max(0, len(h)-8):]
}

// firstRecord gives the first line after the headers.
func firstRecord(start []byte, headers int, final bool) ([]byte, bool) {
	for {
		line, rest, ended := bytes.Cut(start, []byte{'\n'})
		switch {
		case !ended && !final && len(start) < peekBytes:
			return nil, false // not whole yet
		case len(bytes.TrimSpace(line)) == 0 && ended:
		case headers > 0 && ended:
			headers--
		default:
			return line, len(line) > 0
		}
		start = rest
	}
}

// headerOf reads the first lines that are not blank, and those that a quote holds together.
func headerOf(c io.Reader, headers int) ([]byte, error) {
	var header []byte
	lines := lineReader{r: bufio.NewReader(c)}
	for headers > 0 {
		line, _, err := lines.next()
		if err != nil {
			return nil, err
		}
		if len(header) == 0 && len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		header = append(append(header, line...), '\n')
		if bytes.Count(header, []byte{'"'})%2 == 0 {
			headers--
		}
	}
	return header, nil
}
