package wire_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/wire"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// fill gives every field of a value something that is not zero, so that a field added to
// core and forgotten on the wire fails the round trip.
func fill(v reflect.Value, n *int64) {
	*n++
	switch {
	case v.Type() == reflect.TypeFor[time.Time]():
		v.Set(reflect.ValueOf(time.Unix(1_700_000_000+*n, 123_456_789).UTC()))
		return
	case v.Type() == reflect.TypeFor[*arrow.Schema]():
		v.Set(reflect.ValueOf(allTypesSchema()))
		return
	case v.Type() == reflect.TypeFor[json.RawMessage]():
		v.SetBytes([]byte(fmt.Sprintf(`{"n":%d}`, *n)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(fmt.Sprintf("text %d ä", *n))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64:
		v.SetInt(*n)
	case reflect.Interface:
		v.Set(reflect.ValueOf(*n))
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), n)
		fill(v.Index(1), n)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, n)
		fill(value, n)
		v.SetMapIndex(key, value)
	default:
		panic("fill knows no " + v.Type().String())
	}
}

func filled[T any]() T {
	var v T
	n := int64(0)
	fill(reflect.ValueOf(&v).Elem(), &n)
	return v
}

// equalButSchema compares schemas by their own rule and the rest deeply.
func equalButSchema(got, want *core.Stream) bool {
	same := got.Schema.Equal(want.Schema) && got.Schema.Metadata().Equal(want.Schema.Metadata())
	got.Schema, want.Schema = nil, nil
	return same && reflect.DeepEqual(got, want)
}

func TestNounsRoundTrip(t *testing.T) {
	t.Run("Spec", func(t *testing.T) {
		want := filled[core.Spec]()
		w, err := wire.SpecToWire(want)
		check(t, err)
		got, err := wire.SpecFromWire(w)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	})
	t.Run("Stream", func(t *testing.T) {
		want := filled[core.Stream]()
		w, err := wire.StreamToWire(want)
		check(t, err)
		got, err := wire.StreamFromWire(w)
		if err != nil || !equalButSchema(&got, &want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	})
	t.Run("ReadRequest", func(t *testing.T) {
		want := filled[core.ReadRequest]()
		w, err := wire.RequestToWire(7, want)
		check(t, err)
		got, err := wire.RequestFromWire(w)
		if err != nil || w.GetSource() != 7 || !equalButSchema(&got.Stream, &want.Stream) || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	})
	t.Run("Config", func(t *testing.T) {
		want := filled[core.Config]()
		b, err := wire.ConfigToWire(want)
		check(t, err)
		got, err := wire.ConfigFromWire(b)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	})
	t.Run("zero values", func(t *testing.T) {
		w, err := wire.RequestToWire(0, core.ReadRequest{})
		check(t, err)
		got, err := wire.RequestFromWire(w)
		if err != nil || !reflect.DeepEqual(got, core.ReadRequest{}) {
			t.Errorf("got %+v, %v", got, err)
		}
	})
}

// TestConfigValuesKeepTheirTypes: JSON has one kind of number, a configuration two.
func TestConfigValuesKeepTheirTypes(t *testing.T) {
	value := rapid.Deferred(func() *rapid.Generator[any] { return anyValue(3) })
	rapid.Check(t, func(rt *rapid.T) {
		want := core.Config{Values: map[string]any{"x": value.Draw(rt, "value")}}
		b, err := wire.ConfigToWire(want)
		check(t, err)
		got, err := wire.ConfigFromWire(b)
		if err != nil || !reflect.DeepEqual(got, want) {
			rt.Fatalf("got %#v, %v, want %#v", got.Values, err, want.Values)
		}
	})
	if _, err := wire.ConfigToWire(core.Config{Values: map[string]any{"x": struct{}{}}}); err == nil {
		t.Error("a struct crossed")
	}
}

func anyValue(depth int) *rapid.Generator[any] {
	kinds := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int64().AsAny(), rapid.Float64Range(-1e300, 1e300).AsAny(),
		rapid.Just[any](3.0), rapid.String().Filter(func(s string) bool { return strings.ToValidUTF8(s, "") == s }).AsAny(),
	}
	if depth > 0 {
		inner := anyValue(depth - 1)
		kinds = append(kinds, rapid.SliceOfN(inner, 0, 3).AsAny(), rapid.MapOfN(rapid.StringMatching(`[a-z]{1,3}`), inner, 0, 3).AsAny())
	}
	return rapid.OneOf(kinds...)
}

func TestErrorsRoundTrip(t *testing.T) {
	full := &core.Error{Kind: core.KindLimited, Op: "read page 3", Stream: "deals", Path: "stream.deals.cursor",
		RetryAfter: 90 * time.Second, Try: "wait", Err: errors.New("429 Too Many Requests")}
	for name, want := range map[string]error{
		"full":             full,
		"wrapped":          fmt.Errorf("sync: %w", full),
		"bare":             &core.Error{Kind: core.KindAuth},
		"plain":            errors.New("something"),
		"cancelled":        fmt.Errorf("read: %w", context.Canceled),
		"deadline in core": &core.Error{Kind: core.KindUnavailable, Op: "dial", Err: context.DeadlineExceeded},
		"nested":           &core.Error{Kind: core.KindData, Op: "outer", Err: full},
	} {
		t.Run(name, func(t *testing.T) {
			got := wire.ErrorFromWire(wire.ErrorToWire(want))
			if got.Error() != want.Error() || core.KindOf(got) != core.KindOf(want) {
				t.Errorf("got %q of kind %q, want %q of kind %q", got, core.KindOf(got), want, core.KindOf(want))
			}
			for _, is := range []error{context.Canceled, context.DeadlineExceeded} {
				if errors.Is(got, is) != errors.Is(want, is) {
					t.Errorf("errors.Is(%v) is %v", is, errors.Is(got, is))
				}
			}
			var g, w *core.Error
			if errors.As(got, &g) != errors.As(want, &w) {
				t.Fatal("core.Error was lost")
			}
			if w == nil {
				return
			}
			gc, wc := *g, *w
			gc.Err, wc.Err = nil, nil
			if gc != wc || g.Error() != w.Error() {
				t.Errorf("got %+v, want %+v", gc, wc)
			}
		})
	}
	if wire.ErrorToWire(nil) != nil || wire.ErrorFromWire(nil) != nil {
		t.Error("nil became something")
	}
	if got := wire.ErrorFromWire(wire.ErrorToWire(errors.New("bad \xff byte"))); got.Error() != "bad \uFFFD byte" {
		t.Errorf("got %q", got)
	}
}

func TestImpossibleSchemasAreRefused(t *testing.T) {
	deep := &wirev1.Type{Id: wirev1.Type_INT, Bits: 64}
	for range 50 {
		deep = &wirev1.Type{Id: wirev1.Type_LIST, Children: []*wirev1.SchemaField{{Name: "item", Type: deep}}}
	}
	nullableKey := []*wirev1.SchemaField{{Type: deep, Nullable: true}, {Type: deep}}
	for name, w := range map[string]*wirev1.Type{
		"missing":            nil,
		"unknown":            {Id: 99},
		"int of 7 bits":      {Id: wirev1.Type_INT, Bits: 7},
		"list of nothing":    {Id: wirev1.Type_LIST},
		"fixed list of none": {Id: wirev1.Type_FIXED_LIST, Children: []*wirev1.SchemaField{{Type: &wirev1.Type{Id: wirev1.Type_BOOL}}}},
		"fixed list of many": {Id: wirev1.Type_FIXED_LIST, Length: 1 << 30, Children: []*wirev1.SchemaField{{Type: &wirev1.Type{Id: wirev1.Type_BOOL}}}},
		"negative binary":    {Id: wirev1.Type_FIXED_BINARY, Length: -1},
		"decimal precision":  {Id: wirev1.Type_DECIMAL, Bits: 128, Precision: 99},
		"time unit":          {Id: wirev1.Type_TIMESTAMP, Unit: 9},
		"time width":         {Id: wirev1.Type_TIME, Bits: 32, Unit: wirev1.Type_NANOSECOND},
		"too deep":           deep,
		"map":                {Id: wirev1.Type_MAP, Children: nullableKey},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := wire.SchemaFromWire(&wirev1.Schema{Fields: []*wirev1.SchemaField{{Name: "bad", Type: w}}})
			if err == nil || !strings.Contains(err.Error(), `"bad"`) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := wire.SchemaToWire(arrow.NewSchema([]arrow.Field{{Name: "u", Type: arrow.SparseUnionOf(
		[]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int8}}, []arrow.UnionTypeCode{1})}}, nil)); err == nil {
		t.Error("a union crossed")
	}
}
