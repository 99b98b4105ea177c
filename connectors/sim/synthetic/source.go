package synthetic

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// New gives the connector "sim".
func New() core.Connector { return connector{} }

type connector struct{}

// Spec describes the configuration.
func (connector) Spec() core.Spec { return spec() }

// Open checks the configuration; nothing is opened.
func (connector) Open(_ context.Context, cfg core.Config) (core.Source, error) {
	o, err := parse(cfg)
	if err != nil {
		return nil, err
	}
	return &source{opt: o}, nil
}

// Parse reads a configuration as Open does, for tests that want to know what to expect.
func Parse(cfg core.Config) (Options, error) { return parse(cfg) }

type source struct {
	opt    Options
	failed atomic.Int64 // reads that failed as told
}

// Check looks at the day file, if there is one.
func (s *source) Check(context.Context) error {
	_, err := s.opt.today()
	return err
}

// Close has nothing to release.
func (s *source) Close() error { return nil }

// Streams lists rows_1 and so on.
func (s *source) Streams(context.Context) ([]core.Stream, error) {
	list := make([]core.Stream, s.opt.Streams)
	for i := range list {
		list[i] = s.stream(i + 1)
	}
	return list, nil
}

func (s *source) stream(n int) core.Stream {
	st := core.Stream{
		Name: "rows_" + strconv.Itoa(n), Schema: schemaOf(s.opt.columns(false)), PrimaryKey: []string{"id"},
		Deletes: s.opt.Deletes, Help: "made-up rows", EstimatedRows: s.opt.Rows,
	}
	switch s.opt.Cursor {
	case "updated_at":
		st.Cursor = core.Cursor{Field: "updated_at", TieBreak: []string{"id"}, Precision: time.Microsecond}
	case "opaque":
		st.Cursor = core.Cursor{Opaque: true}
	}
	if s.opt.Deletes == core.DeleteFlag {
		st.DeleteField = "deleted"
	}
	return st
}

// state is the position after a row.
type state struct {
	UpdatedAt time.Time `json:"updated_at"`
	Day       int64     `json:"day"`
	Part      int64     `json:"part"`
	ID        int64     `json:"id"`
	// Deletes up to this day have been told.
	Deletes int64 `json:"deletes_through"`
}

// ours reports whether a position can have been made by this connector.
func (s state) ours(l life) bool {
	return s.Day >= 0 && s.Day <= maxDay && s.Part >= 0 && s.Part < parts && s.ID >= 0 && s.ID < l.total(s.Day) &&
		s.Deletes >= 0 && s.Deletes <= maxDay
}

// Read sends the rows of one stream.
func (s *source) Read(ctx context.Context, req core.ReadRequest, emit func(core.Batch) error) error {
	number, ok := strings.CutPrefix(req.Stream.Name, "rows_")
	n, err := strconv.Atoi(number)
	if !ok || err != nil || n < 1 || n > s.opt.Streams {
		return &core.Error{Kind: core.KindConfig, Op: "read stream", Stream: req.Stream.Name,
			Err: fmt.Errorf("there is no such stream: they are rows_1 to rows_%d", s.opt.Streams)}
	}
	today, err := s.opt.today()
	if err != nil {
		return err
	}
	drifted := s.opt.Drift != "none" && today >= s.opt.DriftDay
	r := &reading{
		source: s, req: req, ctx: ctx, emit: emit, today: int64(today), walk: newWalker(newLife(s.opt), int64(today)),
		make: newMaker(s.opt, n, narrowed(s.opt.columns(drifted), req.Columns)), deletes: int64(today),
	}
	r.shard()
	if req.KeysOnly {
		return r.keys()
	}
	if err := r.begin(); err != nil {
		return err
	}
	return r.rows()
}

// reading is one Read under way.
type reading struct {
	source  *source
	req     core.ReadRequest
	ctx     context.Context
	emit    func(core.Batch) error
	today   int64
	walk    *walker
	make    *maker
	deletes int64 // day through which deletes have been told
	sent    int64
}

func (r *reading) shard() {
	if n := int64(r.req.Shard.Count); n > 1 {
		i := int64(r.req.Shard.Index)
		r.walk.low, r.walk.high = r.source.opt.Rows*i/n, r.source.opt.Rows*(i+1)/n
		if i == n-1 {
			r.walk.high = math.MaxInt64
		}
	}
}

// begin finds the place to go on from.
func (r *reading) begin() error {
	w := r.walk
	if !r.req.Until.IsZero() {
		w.bounds.until = r.req.Until.UnixMicro()
	}
	from := r.req.From
	if from.IsZero() && len(r.req.After) > 0 {
		var s state
		err := json.Unmarshal(r.req.After, &s)
		if err == nil && !s.ours(w.life) {
			err = errors.New("it is not a position of this connector")
		}
		if err != nil {
			return &core.Error{Kind: core.KindInternal, Op: "read position", Stream: r.req.Stream.Name, Err: err}
		}
		r.deletes = s.Deletes
		w.after(place{s.Day, s.Part, s.ID})
		if back := r.req.Stream.Cursor.Lookback; back > 0 {
			from = s.UpdatedAt.Add(-back)
		}
	}
	if !from.IsZero() {
		w.bounds.from = from.UnixMicro()
		day := min(max(0, (w.bounds.from-beginMicros)/dayMicros), maxDay+1)
		w.at = place{day, partChanged, 0}
		if day == 0 {
			w.at.part = partNew
		}
	}
	return nil
}

func (r *reading) rows() error {
	for more := true; more; {
		n := r.source.opt.Batch
		if r.req.Limit > 0 {
			n = min(n, r.req.Limit-r.sent)
		}
		more = r.walk.fill(n)
		if err := r.rejects(); err != nil {
			return err
		}
		if len(r.walk.ids) == 0 {
			break
		}
		if err := r.pause(); err != nil {
			return err
		}
		if err := r.send(core.OpUpsert, r.make.batch(r.walk), r.position()); err != nil {
			return err
		}
		if r.sent += int64(len(r.walk.ids)); r.req.Limit > 0 && r.sent >= r.req.Limit {
			return nil
		}
	}
	return r.tellDeletes()
}

// send lends a batch to the receiver.
func (r *reading) send(op core.Op, rows arrow.RecordBatch, after core.State) error {
	defer rows.Release()
	return r.emit(core.Batch{Rows: rows, Op: op, After: after})
}

// position is the state after the last row found; none in a backfill, in a read without
// a cursor, or before any row.
func (r *reading) position() core.State {
	last := r.walk.last
	if !r.req.From.IsZero() || r.source.opt.Cursor == "none" || last.day < 0 {
		return nil
	}
	stamp := r.walk.life.stamp(last.day, last.part, last.id)
	text, err := json.Marshal(state{time.UnixMicro(stamp).UTC(), last.day, last.part, last.id, r.deletes})
	if err != nil {
		return nil
	}
	return text
}

// pause waits as configured, fails when it is time to, and looks whether to go on.
func (r *reading) pause() error {
	o := r.source.opt
	if o.FailAfter > 0 && r.sent >= o.FailAfter && r.source.failed.Add(1) <= int64(o.FailTimes) {
		return r.fail()
	}
	if o.Delay > 0 {
		select {
		case <-time.After(o.Delay):
		case <-r.ctx.Done():
		}
	}
	return r.ctx.Err()
}

// fail does the configured harm.
func (r *reading) fail() error {
	kind := r.source.opt.Fail
	switch kind {
	case "panic":
		panic("the source was told to panic")
	case "exit":
		os.Exit(3)
	case "hang":
		<-r.ctx.Done()
		return r.ctx.Err()
	case "stuck":
		time.Sleep(10 * time.Minute)
	}
	e := &core.Error{Kind: core.Kind(kind), Op: "read rows", Stream: r.req.Stream.Name, Err: errors.New("the source was told to fail")}
	if kind == "limited" || kind == "quota" {
		e.RetryAfter = 100 * time.Millisecond
	}
	return e
}

// rejects sends the records that cannot be made into rows.
func (r *reading) rejects() error {
	if len(r.walk.rejects) == 0 {
		return nil
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, core.RejectSchema())
	defer b.Release()
	for _, id := range r.walk.rejects {
		values := []string{fmt.Sprintf(`{"id":%d,"number_1":"not a number"}`, id), "number_1 is no number", "$.number_1"}
		for i, v := range values {
			if column, ok := b.Field(i).(*array.StringBuilder); ok {
				column.Append(v)
			}
		}
	}
	return r.send(core.OpReject, b.NewRecordBatch(), nil)
}

// tellDeletes sends the keys of rows that were deleted since the position the read began
// with. A first read has none to tell.
func (r *reading) tellDeletes() error {
	if r.source.opt.Deletes != core.DeleteFeed || !r.req.From.IsZero() {
		return nil
	}
	for r.deletes < r.today {
		day := r.deletes + 1
		if beginMicros+(day+1)*dayMicros > r.walk.bounds.until {
			return nil
		}
		ids := r.walk.deleted(day)
		r.deletes = day
		if err := r.pause(); err != nil {
			return err
		}
		if err := r.send(core.OpDelete, idBatch(ids), r.position()); err != nil {
			return err
		}
	}
	return nil
}

// keys sends the id of every row there is.
func (r *reading) keys() error {
	w := r.walk
	end := min(w.life.total(r.today), w.high)
	for id := w.low; id < end; {
		ids := make([]int64, 0, r.source.opt.Batch)
		for ; id < end && int64(len(ids)) < r.source.opt.Batch; id++ {
			if _, _, gone := w.life.look(id, r.today); w.life.shown(id, gone) {
				ids = append(ids, id)
			}
		}
		if err := r.pause(); err != nil {
			return err
		}
		if err := r.send(core.OpUpsert, idBatch(ids), nil); err != nil {
			return err
		}
		r.sent += int64(len(ids))
	}
	return nil
}

func idBatch(ids []int64) arrow.RecordBatch {
	schema := arrow.NewSchema([]arrow.Field{{Name: "id", Type: arrow.PrimitiveTypes.Int64}}, nil)
	data := fixed(arrow.PrimitiveTypes.Int64, len(ids), arrow.Int64Traits.CastToBytes(ids))
	defer data.Release()
	column := array.MakeFromData(data)
	defer column.Release()
	return array.NewRecordBatch(schema, []arrow.Array{column}, int64(len(ids)))
}
