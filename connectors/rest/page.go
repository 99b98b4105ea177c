package rest

import (
	"errors"
	"hash/maphash"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/connectors/rows"
	"github.com/unsilo/unsilo/core"
)

// page is one answer: rows held until it is whole, and what paging needs to know of it.
type page struct {
	batches  []core.Batch
	held     int  // bytes of text behind batches
	passed   bool // rows were sent on before the page was whole
	records  int
	repeats  int // records that earlier pages had
	kept     int
	print    uint64 // of all records in their order
	key      string // of the last record
	hasKey   bool
	keysFall bool    // the keys of the records do not ascend
	times    []int64 // of the records, where a row cap may need them
	oldest   time.Time
	newest   time.Time
	sorted   bool // by the cursor, ascending
	envelope []byte
	response map[string]any
	status   int
}

// maxHeld is how much text may stand behind the rows of an unfinished page.
const maxHeld = 64 << 20

func (p *page) release() {
	for _, b := range p.batches {
		b.Rows.Release()
	}
	p.batches = nil
}

// filter decides which records of a page become rows.
type filter struct {
	seen      *seen // nil: repeats stay, for streams without a key
	seed      maphash.Seed
	key       string // column that paging needs
	cursor    *cursorDef
	window    window
	condition *expr
	vars      scope
	keys      []string // columns that are never null
	sample    bool     // note the times of records
	strict    bool     // a reject is an error: KeysOnly
}

// readPage reads the records of an answer into p. It sends rows on early, through pass,
// only when the page is larger than what may be held.
func (d *streamDef) readPage(p *page, b *rows.Builder, r rows.Reader, f *filter, pass func(*page) error) error {
	p.sorted = true
	print := maphash.Hash{}
	print.SetSeed(f.seed)
	for {
		before, rejected := b.Len(), b.Rejected()
		err := r.Next(b)
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return err
		}
		p.records++
		_, _ = print.Write(r.Raw())
		if b.Rejected() > rejected {
			if f.strict {
				return errNoKey()
			}
			continue
		}
		if f.lacksKey(b) {
			b.Truncate(before)
			b.Reject(r.Raw(), "the key is missing", "$."+d.primaryKey[0])
			if f.strict {
				return errNoKey()
			}
			continue
		}
		keep, err := f.keep(p, b, r.Raw())
		if err != nil {
			return err
		}
		if !keep {
			b.Truncate(before)
			continue
		}
		p.kept++
		if b.Full() {
			p.hold(b)
			if p.held >= maxHeld {
				if err := pass(p); err != nil {
					return err
				}
			}
		}
	}
	p.hold(b)
	p.print = print.Sum64()
	return nil
}

func errNoKey() error {
	return &core.Error{Kind: core.KindData, Op: "read keys", Err: errors.New("a record could not be read, so that its key is unknown")}
}

// lacksKey reports whether the last row has no value in a key column.
func (f *filter) lacksKey(b *rows.Builder) bool { return slices.ContainsFunc(f.keys, b.Null) }

// hold takes what the builder has.
func (p *page) hold(b *rows.Builder) {
	p.held += b.Bytes()
	if rejects := b.TakeRejects(); rejects != nil {
		p.batches = append(p.batches, core.Batch{Rows: rejects, Op: core.OpReject})
	}
	if batch := b.Take(); batch != nil {
		p.batches = append(p.batches, core.Batch{Rows: batch})
	}
}

// keep judges the last record of the builder.
func (f *filter) keep(p *page, b *rows.Builder, raw []byte) (bool, error) {
	if f.key != "" {
		if text, ok := b.Text(f.key); ok {
			p.keysFall = p.keysFall || (p.hasKey && !keyLess(p.key, text))
			p.key, p.hasKey = text, true
		}
	}
	if f.seen != nil && !f.seen.add(raw) {
		p.repeats++
		return false, nil
	}
	if f.cursor != nil && f.cursor.column != "" {
		if keep, err := f.inWindow(p, b); !keep || err != nil {
			return false, err
		}
	}
	if f.condition == nil {
		return true, nil
	}
	vars := f.vars.with("record", func() any { v, _ := parsePlain(raw); return v })
	return f.condition.truth(vars)
}

// keyLess compares keys as whole numbers where they are.
func keyLess(a, b string) bool {
	if len(a) != len(b) && digitsOnly(a) && digitsOnly(b) {
		return len(a) < len(b)
	}
	return a <= b
}

func digitsOnly(s string) bool { return strings.Trim(s, "0123456789") == "" }

// inWindow drops what the API sent though it is outside of the window.
func (f *filter) inWindow(p *page, b *rows.Builder) (bool, error) {
	micros, ok := b.Time(f.cursor.column)
	if !ok {
		switch f.cursor.onMissing {
		case "exclude":
			return false, nil
		case "fail":
			return false, &core.Error{Kind: core.KindData, Op: "read cursor", Path: f.cursor.column,
				Err: errors.New("a record has no cursor value"), Try: `set on_missing = "include" to take such records`}
		}
		return true, nil
	}
	at := time.UnixMicro(micros).UTC()
	if f.sample {
		p.times = append(p.times, micros)
	}
	if at.Before(p.newest) {
		p.sorted = false
	} else {
		p.newest = at
	}
	if p.oldest.IsZero() || at.Before(p.oldest) {
		p.oldest = at
	}
	if !f.window.to.IsZero() && !at.Before(f.window.to) {
		return false, nil
	}
	return !f.cursor.clientSide || f.window.from.IsZero() || !at.Before(f.window.from), nil
}

// reader makes the reader for an answer's format.
func (d *streamDef) reader(body io.Reader, records []string) rows.Reader {
	switch d.decode {
	case "jsonl":
		return rows.NewJSONLReader(body, rows.Limits{})
	case "csv":
		return rows.NewCSVReader(body, rows.CSVOptions{Comma: d.separator})
	}
	return rows.NewJSONReader(body, records, rows.Limits{})
}

// take reads one answer as a page. What an earlier attempt left is dropped first.
func (r *reading) take(p *page, v *variant, f *filter, resp *http.Response, b *body) ([]byte, error) {
	p.release()
	*p = page{status: resp.StatusCode, passed: p.passed}
	r.builder.Truncate(0)
	r.builder.TruncateRejects(0)
	r.seen.forget()
	if resp.StatusCode == http.StatusNoContent {
		p.response = answer(resp, nil)
		return nil, nil
	}
	reader := r.st.def.reader(b, v.records)
	if err := r.st.def.readPage(p, r.builder, reader, f, r.pass); err != nil {
		return nil, err
	}
	if doc, ok := reader.(*rows.JSONReader); ok {
		p.envelope = doc.Envelope()
		p.response = answer(resp, p.envelope)
		if (!doc.Found() && !r.st.def.optional) || doc.Single() != r.st.def.single && doc.Found() && p.records > 0 {
			return p.envelope, r.unfound(resp, p.envelope, v)
		}
	} else {
		p.response = answer(resp, nil)
	}
	return p.envelope, nil
}

// unfound is judged after the definition's rules: an answer without records may be an
// error that the API reports with a good status.
func (r *reading) unfound(resp *http.Response, envelope []byte, v *variant) error {
	verdict, err := r.src.apply(r.rules(), verdict{action: actSuccess}, answer(resp, envelope))
	if err != nil {
		return &passError{err}
	}
	if verdict.action != actSuccess {
		return nil // exchange applies the rule
	}
	path := "$"
	for _, step := range v.records {
		path += "." + step
	}
	said := r.src.explain(resp, envelope)
	return &passError{&core.Error{Kind: core.KindData, Op: "read answer", Err: errors.New("the answer has no records at " + path + "; " + said),
		Try: "check records, or set records_optional = true"}}
}

// pass sends the rows of an unfinished page on.
func (r *reading) pass(p *page) error {
	if r.whole {
		return nil
	}
	p.passed = true
	batches := p.batches
	p.batches, p.held = nil, 0
	return r.emitAll(batches, nil)
}

// rules are the stream's rules before the connector's.
func (r *reading) rules() []ruleDef {
	return append(append([]ruleDef(nil), r.st.def.rules...), r.src.def.rules...)
}

// emitAll sends batches, the last of them with the position.
func (r *reading) emitAll(batches []core.Batch, after core.State) error {
	for i, b := range batches {
		if i == len(batches)-1 {
			b.After = after
		}
		if err := r.send(b); err != nil {
			for _, rest := range batches[i+1:] {
				rest.Rows.Release()
			}
			return err
		}
	}
	if len(batches) == 0 && after != nil {
		return r.send(core.Batch{After: after})
	}
	return nil
}

// send emits a batch and releases it.
func (r *reading) send(b core.Batch) error {
	if b.Rows != nil {
		defer b.Rows.Release()
		if b.Op == core.OpUpsert {
			r.sent.Add(b.Rows.NumRows())
		}
	}
	if b.Rows != nil && r.reshape != nil && b.Op == core.OpUpsert {
		rows, err := r.reshape(b.Rows)
		if err != nil {
			return &passError{err}
		}
		defer rows.Release()
		b.Rows = rows
	}
	b.Op = r.opOf(b.Op)
	if err := r.emit(b); err != nil {
		return &passError{err}
	}
	return nil
}

func (r *reading) opOf(op core.Op) core.Op {
	if r.deleting && op == core.OpUpsert {
		return core.OpDelete
	}
	return op
}

// onlyColumns narrows a batch to some columns.
func onlyColumns(names []string) func(arrow.RecordBatch) (arrow.RecordBatch, error) {
	return func(b arrow.RecordBatch) (arrow.RecordBatch, error) {
		var fields []arrow.Field
		var columns []arrow.Array
		for _, name := range names {
			i := b.Schema().FieldIndices(name)
			if len(i) != 1 {
				return nil, &core.Error{Kind: core.KindData, Op: "read keys", Err: errors.New("records have no key column " + name)}
			}
			fields, columns = append(fields, b.Schema().Field(i[0])), append(columns, b.Column(i[0]))
		}
		return newBatch(fields, columns, b.NumRows()), nil
	}
}
