// Package mask changes personal columns before a batch is stored: into keyed tokens that
// still join, into a fixed text, into a part of the value, into a year, or into nothing.
//
// A masked column keeps its meaning; the metadata of its field say which mask it went
// through (core.MaskKey). Null stays null under every mask.
//
//	hmac     p1_x3k…: equal values have equal tokens under one key, see Options.Key
//	hmac_key the same for columns of a primary key: values that are equal only once they are
//	         normalised, such as A@x and a@x, have tokens that begin alike and stay two
//	redact   [redacted]; null for columns that are not text
//	partial  a***@acme.fi, ***67, A***: at most a quarter of the characters, by meaning
//	year     the year of a date
//	drop     the column is left out
//	keep     the value as it is
//
// The package decides nothing: which column gets which mask is the project's word. It
// reads no configuration, stores no key, and cannot turn a token back into a value.
package mask

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/normalize"
)

// The masks.
const (
	HMAC    = "hmac"
	HMACKey = "hmac_key"
	Redact  = "redact"
	Partial = "partial"
	Year    = "year"
	Drop    = "drop"
	Keep    = "keep"
)

// Names lists the masks that a project chooses from; HMACKey takes the place of HMAC where it
// is needed.
func Names() []string { return []string{HMAC, Redact, Partial, Year, Drop, Keep} }

// Options say what to mask and with which key.
type Options struct {
	// Columns names the mask of each column.
	Columns map[string]string
	// Key of the hmac mask, at least 16 bytes. Tokens of different keys do not join.
	Key []byte
	// KeyID stands before every token, so that tokens of an old and a new key can be told
	// apart: one to sixteen lower-case letters and digits; empty means "p1".
	KeyID string
	// Purpose gives every purpose tokens of its own, so that data kept for one purpose do
	// not join with data kept for another; empty uses Key as it is.
	Purpose string
	// DefaultRegion reads phone numbers without a country code: "FI".
	DefaultRegion string
	// Allocator of the batches that Apply makes; nil means Go's own memory.
	Allocator memory.Allocator
}

const (
	defaultKeyID = "p1"
	maxKeyID     = 16
	minKey       = 16
)

// New makes the transform. Errors are of KindConfig and carry Path, "mask.<column>". The
// key is copied.
func New(o Options) (core.Transform, error) {
	if o.KeyID == "" {
		o.KeyID = defaultKeyID
	}
	if o.Allocator == nil {
		o.Allocator = memory.DefaultAllocator
	}
	if len(o.KeyID) > maxKeyID || strings.Trim(o.KeyID, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return nil, fault("key_id", fmt.Errorf("key id %q is not one to %d lower-case letters and digits", o.KeyID, maxKeyID), "name it like p1 or k2026")
	}
	o.Columns = maps.Clone(o.Columns)
	for _, column := range slices.Sorted(maps.Keys(o.Columns)) {
		if err := o.check(column, o.Columns[column]); err != nil {
			return nil, err
		}
	}
	if o.Purpose != "" && len(o.Key) > 0 {
		derived, err := hkdf.Key(sha256.New, o.Key, nil, "unsilo mask purpose "+o.Purpose, sha256.Size)
		if err != nil {
			return nil, fmt.Errorf("derive key of purpose: %w", err)
		}
		o.Key = derived
	}
	t := &transform{options: o}
	if len(o.Key) > 0 {
		t.tokens = newTokenizer(o.Key, o.KeyID)
	}
	t.options.Key = nil
	return t, nil
}

// check looks at one entry of Columns.
func (o Options) check(column, mask string) error {
	keyed := mask == HMAC || mask == HMACKey
	switch {
	case mask != HMACKey && !slices.Contains(Names(), mask):
		try := "write one of " + strings.Join(Names(), ", ")
		if near := core.Nearest(mask, Names()); near != "" {
			try = fmt.Sprintf("did you mean %q?", near)
		}
		return fault("mask."+column, fmt.Errorf("no mask is called %q", mask), try)
	case keyed && len(o.Key) == 0:
		return fault("mask."+column, fmt.Errorf("the hmac mask of column %q needs a key", column),
			`write privacy { key = secret("env:PRIVACY_KEY") }`)
	case keyed && len(o.Key) < minKey:
		return fault("mask."+column, fmt.Errorf("the key of the hmac mask has %d bytes, which can be guessed", len(o.Key)),
			fmt.Sprintf("use %d random bytes or more", minKey*2))
	}
	return nil
}

func fault(path string, err error, try string) error {
	return &core.Error{Kind: core.KindConfig, Op: "mask columns", Path: path, Try: try, Err: err}
}

// transform masks batches. It belongs to one goroutine.
type transform struct {
	options Options
	tokens  *tokenizer // nil without a key
	// The last schema seen and what becomes of it; batches of a stream nearly always
	// share one.
	seen    *arrow.Schema
	columns []column
	made    *arrow.Schema
}

// column is what becomes of one column of the input.
type column struct {
	from int
	// apply makes the masked column; nil keeps it. The result is the caller's.
	apply func(mem memory.Allocator, in arrow.Array) (arrow.Array, error)
}

// Schema gives the masked schema. A mask for a column that is not there is an error.
func (t *transform) Schema(in *arrow.Schema) (*arrow.Schema, error) {
	for _, name := range slices.Sorted(maps.Keys(t.options.Columns)) {
		if len(in.FieldIndices(name)) > 0 {
			continue
		}
		var known []string
		for _, f := range in.Fields() {
			known = append(known, f.Name)
		}
		try := "the columns are " + strings.Join(known, ", ")
		if near := core.Nearest(name, known); near != "" {
			try = fmt.Sprintf("did you mean %q?", near)
		}
		return nil, fault("mask."+name, fmt.Errorf("there is no column %q", name), try)
	}
	made, _, err := t.shape(in)
	return made, err
}

// Apply masks a batch. Unlike Schema it takes batches that lack masked columns, since
// deletes come with nothing but a key.
func (t *transform) Apply(ctx context.Context, in arrow.RecordBatch) (arrow.RecordBatch, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if t.seen == nil || t.seen != in.Schema() && !sameSchema(t.seen, in.Schema()) {
		made, columns, err := t.shape(in.Schema())
		if err != nil {
			return nil, err
		}
		t.seen, t.made, t.columns = in.Schema(), made, columns
	}
	out := make([]arrow.Array, 0, len(t.columns))
	defer func() {
		for _, a := range out {
			a.Release()
		}
	}()
	for _, c := range t.columns {
		arr := in.Column(c.from)
		if c.apply == nil {
			arr.Retain()
			out = append(out, arr)
			continue
		}
		masked, err := c.apply(t.options.Allocator, arr)
		if err != nil {
			return nil, fmt.Errorf("mask column %s: %w", in.ColumnName(c.from), err)
		}
		out = append(out, masked)
	}
	return array.NewRecordBatch(t.made, out, in.NumRows()), nil
}

// sameSchema compares meanings too, which decide how values are normalised.
func sameSchema(a, b *arrow.Schema) bool {
	return a.Equal(b) && slices.EqualFunc(a.Fields(), b.Fields(), func(f, g arrow.Field) bool { return f.Metadata.Equal(g.Metadata) })
}

// shape says what becomes of the columns of a schema.
func (t *transform) shape(in *arrow.Schema) (*arrow.Schema, []column, error) {
	var fields []arrow.Field
	var columns []column
	for i, f := range in.Fields() {
		mask, ok := t.options.Columns[f.Name]
		c := column{from: i}
		switch {
		case !ok:
		case mask == Drop:
			continue
		default:
			var err error
			if f, c.apply, err = t.maskField(f, mask); err != nil {
				return nil, nil, err
			}
		}
		fields = append(fields, f)
		columns = append(columns, c)
	}
	meta := in.Metadata()
	return arrow.NewSchema(fields, &meta), columns, nil
}

// maskField gives the masked field and the function that masks its values.
func (t *transform) maskField(f arrow.Field, mask string) (arrow.Field, func(memory.Allocator, arrow.Array) (arrow.Array, error), error) {
	means := core.MeansOf(f)
	notes := map[string]string{core.MaskKey: mask}
	var apply func(memory.Allocator, arrow.Array) (arrow.Array, error)
	switch mask {
	case Redact:
		apply = redactColumn
		if !isText(f.Type) {
			f.Nullable = true
		}
	case HMAC, HMACKey:
		notes[core.MaskKey] = HMAC
		day := isDay(f.Type) && (means == core.PersonBirthDate || f.Type.ID() != arrow.TIMESTAMP)
		if !isPlain(f.Type) && (!day || mask == HMACKey && f.Type.ID() == arrow.TIMESTAMP) {
			return f, nil, unsuitable(f, HMAC)
		}
		notes[core.NormalizerKey] = normalize.Version
		apply = t.hmacColumn(normalize.For(means, normalize.Options{Region: t.options.DefaultRegion}), mask == HMACKey)
	case Partial:
		if !isPlain(f.Type) {
			return f, nil, unsuitable(f, mask)
		}
		apply = partialColumn(partOf(means))
	case Year:
		if !isText(f.Type) && !isDay(f.Type) {
			return f, nil, unsuitable(f, mask)
		}
		apply = yearColumn
		f.Nullable = true
	}
	f.Type = maskedType(mask, f.Type)
	all := f.Metadata.ToMap()
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, notes)
	f.Metadata = arrow.MetadataFrom(all)
	return f, apply, nil
}

// maskedType is the type of a masked column.
func maskedType(mask string, t arrow.DataType) arrow.DataType {
	switch {
	case mask == HMAC || mask == HMACKey || mask == Partial || mask == Redact && isText(t):
		return arrow.BinaryTypes.String
	case mask == Year:
		return arrow.PrimitiveTypes.Int32
	}
	return t
}

func unsuitable(f arrow.Field, mask string) error {
	return fault("mask."+f.Name, fmt.Errorf("the %s mask cannot be used on column %q of type %s", mask, f.Name, f.Type), "write redact or drop")
}
