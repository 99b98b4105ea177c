package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

type source struct {
	streams []*stream
}

// Close has nothing to release: files are closed by the Read that opened them.
func (*source) Close() error { return nil }

func (s *source) find(name string) (*stream, error) {
	var names []string
	for _, st := range s.streams {
		if st.name == name {
			return st, nil
		}
		names = append(names, st.name)
	}
	e := &core.Error{Kind: core.KindConfig, Op: "find stream", Path: "stream." + name, Err: fmt.Errorf("there is no stream %q", name)}
	if near := core.Nearest(name, names); near != "" {
		e.Try = fmt.Sprintf("did you mean %q?", near)
	}
	return nil, e
}

// Check lists the files of every stream.
func (s *source) Check(ctx context.Context) error {
	for _, st := range s.streams {
		entries, err := st.list(ctx)
		if err != nil {
			return inStream(err, st.name)
		}
		if len(entries) == 0 {
			return &core.Error{Kind: core.KindConfig, Op: "check", Stream: st.name, Path: "stream." + st.name + ".path",
				Try: "check the path; it is relative to the project's folder", Err: errors.New("no file matches")}
		}
		c, err := st.opener.open(ctx, entries[0], 0)
		if err != nil {
			return inStream(err, st.name)
		}
		if err := c.Close(); err != nil {
			return fmt.Errorf("close: %w", err)
		}
	}
	return nil
}

// Streams lists the declared streams in their order. Formats without fixed columns look at
// the newest files for them.
func (s *source) Streams(ctx context.Context) ([]core.Stream, error) {
	out := make([]core.Stream, 0, len(s.streams))
	for _, st := range s.streams {
		described, err := st.describe(ctx)
		if err != nil {
			return nil, inStream(err, st.name)
		}
		out = append(out, described)
	}
	return out, nil
}

// sampleFiles is how many files are looked at for columns.
const sampleFiles = 3

// sampler gives the newest files.
func (st *stream) sampler(entries []Entry) sampler {
	slices.SortStableFunc(entries, func(a, b Entry) int { return b.ModTime.Compare(a.ModTime) })
	return func(ctx context.Context, use func(input) (bool, error)) error {
		for _, e := range entries[:min(len(entries), sampleFiles)] {
			more, err := st.sample(ctx, e, use)
			if err != nil || !more {
				return err
			}
		}
		return nil
	}
}

// sample gives one file. One that is cut off has shown what it has.
func (st *stream) sample(ctx context.Context, e Entry, use func(input) (bool, error)) (bool, error) {
	c, err := st.opener.open(ctx, e, 0)
	if errors.Is(err, errMoved) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	more, err := use(input{reader: c, name: e.Name, entry: e, final: true})
	if errors.Is(err, io.EOF) || core.KindOf(err) == core.KindData {
		more, err = true, nil
	}
	return more, errors.Join(err, c.Close())
}

// describe makes the stream.
func (st *stream) describe(ctx context.Context) (core.Stream, error) {
	entries, err := st.list(ctx)
	if err = visible(entries, err); err != nil {
		return core.Stream{}, err
	}
	own, err := st.format.schema(ctx, st.sampler(slices.Clone(entries)))
	if err != nil {
		return core.Stream{}, err
	}
	fields := slices.Clone(own.Fields())
	key := st.key
	if st.keyed() {
		for _, name := range key {
			if !own.HasField(name) && len(entries) > 0 {
				return core.Stream{}, st.noColumn(name, own)
			}
		}
	} else {
		fields = append(fields, trackingFields()...)
		key = []string{fileColumn, lineColumn}
	}
	for i, f := range fields {
		if m, ok := st.means[f.Name]; ok {
			fields[i] = core.WithMeans(f, m)
		}
	}
	return core.Stream{
		Name: st.name, Schema: arrow.NewSchema(fields, nil), PrimaryKey: key,
		Cursor: core.Cursor{Opaque: true}, Deletes: core.DeleteNone,
		Help: fmt.Sprintf("%d files of %s", len(entries), st.formatName),
	}, nil
}

func (st *stream) noColumn(name string, have *arrow.Schema) error {
	var names []string
	for _, f := range have.Fields() {
		names = append(names, f.Name)
	}
	e := &core.Error{Kind: core.KindConfig, Op: "read columns", Path: "stream." + st.name + ".primary_key",
		Err: fmt.Errorf("the files have no column %q", name)}
	if near := core.Nearest(name, names); near != "" {
		e.Try = fmt.Sprintf("did you mean %q?", near)
	}
	return e
}

// ownColumns are the columns of a stream's schema that come out of the files.
func (st *stream) ownColumns(schema *arrow.Schema) *arrow.Schema {
	if schema == nil || st.keyed() {
		return schema
	}
	fields := slices.DeleteFunc(slices.Clone(schema.Fields()), func(f arrow.Field) bool {
		return f.Name == fileColumn || f.Name == lineColumn
	})
	return arrow.NewSchema(fields, nil)
}
