package mask

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"hash"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/transforms/normalize"
)

// tokenBytes of the HMAC are kept: 128 bits, 26 characters.
const tokenBytes = 16

// exactBytes tell the spellings of one value apart.
const exactBytes = 10

// tokenizer makes tokens: HMAC-SHA-256 of the value, shortened, in base32. It belongs to
// one goroutine.
type tokenizer struct {
	mac      hash.Hash
	prefix   string
	encoding *base32.Encoding
	value    []byte // scratch: the normalised value
	sum      []byte // scratch
}

func newTokenizer(key []byte, keyID string) *tokenizer {
	return &tokenizer{
		mac: hmac.New(sha256.New, key), prefix: keyID,
		encoding: base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding),
		sum:      make([]byte, 0, sha256.Size),
	}
}

// appendToken writes "<key id>_<token>". A value that the normaliser refuses, such as
// "n/a" in a column of phone numbers, is hashed as it stands, apart from all normalised
// ones, and its token begins "<key id>_raw_": equal texts still agree, and whoever joins
// can leave them out (normalize.AppendToken).
//
// With exact, a value that is not spelled as the normaliser spells it gets the token of its
// own spelling behind that of the normalised one, "<key id>_<token>_<token>".
func (t *tokenizer) appendToken(dst []byte, value string, normal normalize.Func, exact bool) []byte {
	t.mac.Reset()
	dst = append(dst, t.prefix...)
	var ok bool
	if t.value, ok = normal(t.value[:0], value); ok {
		dst = append(dst, '_')
	} else {
		t.value = append(append(t.value[:0], 0), value...)
		dst = append(dst, normalize.RawMark...)
	}
	dst = t.appendSum(dst, tokenBytes)
	if exact && ok && string(t.value) != value {
		t.mac.Reset()
		t.value = append(append(t.value[:0], 1), value...)
		dst = t.appendSum(append(dst, '_'), exactBytes)
	}
	return dst
}

func (t *tokenizer) appendSum(dst []byte, size int) []byte {
	_, _ = t.mac.Write(t.value) // a hash never fails
	t.sum = t.mac.Sum(t.sum[:0])
	return t.encoding.AppendEncode(dst, t.sum[:size])
}

// hmacColumn makes the function that turns a column into tokens.
func (t *transform) hmacColumn(normal normalize.Func, exact bool) func(memory.Allocator, arrow.Array) (arrow.Array, error) {
	width := len(t.options.KeyID) + 1 + t.tokens.encoding.EncodedLen(tokenBytes)
	return func(mem memory.Allocator, in arrow.Array) (arrow.Array, error) {
		if d, ok := in.(*array.Dictionary); ok && d.Dictionary().Len() < d.Len() {
			return t.hmacDictionary(mem, d, normal, exact, width)
		}
		return textColumn(mem, in, width, func(dst []byte, s string) []byte { return t.tokens.appendToken(dst, s, normal, exact) })
	}
}

// hmacDictionary hashes every entry once.
func (t *transform) hmacDictionary(mem memory.Allocator, in *array.Dictionary, normal normalize.Func, exact bool, width int) (arrow.Array, error) {
	tokens, err := textColumn(mem, in.Dictionary(), width, func(dst []byte, s string) []byte { return t.tokens.appendToken(dst, s, normal, exact) })
	if err != nil {
		return nil, err
	}
	defer tokens.Release()
	entries := tokens.(*array.String)
	b := array.NewStringBuilder(mem)
	defer b.Release()
	b.Reserve(in.Len())
	b.ReserveData(in.Len() * width)
	for i := range in.Len() {
		if isNull(in, i) {
			b.AppendNull()
			continue
		}
		b.Append(entries.Value(in.GetValueIndex(i)))
	}
	return b.NewArray(), nil
}
