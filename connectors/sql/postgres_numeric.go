package sql

import (
	"math/bits"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// A PostgreSQL numeric is a count of base-10000 digits, the power of 10000 of the first, a
// sign and the number of decimal digits to show, followed by the digits.
type pgNumber struct {
	weight int
	sign   uint16
	scale  int
	digits []byte // two bytes each
}

const (
	pgPositive = 0x0000
	pgNegative = 0x4000
	pgNaN      = 0xC000
	pgPlusInf  = 0xD000
	pgMinusInf = 0xF000

	reasonNaN      = reasonInfinite // handled alike: not a number that a decimal can hold
	reasonDecimals = "the number has more decimals than the column"
	reasonDigits   = "the number has more digits than the column"
)

func parsePgNumber(v []byte) (pgNumber, bool) {
	if len(v) < 8 {
		return pgNumber{}, false
	}
	n := pgNumber{weight: int(int16(order.Uint16(v[2:]))), sign: order.Uint16(v[4:]), scale: int(order.Uint16(v[6:])), digits: v[8:]}
	return n, len(n.digits) == 2*int(order.Uint16(v))
}

// pgNumericReader appends numerics as decimals of the type's scale.
func pgNumericReader(b *array.Decimal128Builder, t *arrow.Decimal128Type) func([]byte) string {
	return func(v []byte) string {
		n, ok := parsePgNumber(v)
		if !ok {
			return reasonSize
		}
		hi, lo, reason := n.unscaled(int(t.Scale))
		if reason != "" {
			return reason
		}
		d := decimal128.New(int64(hi), lo)
		if n.sign == pgNegative {
			d = d.Negate()
		}
		if !d.FitsInPrecision(t.Precision) {
			return reasonDigits
		}
		b.Append(d)
		return ""
	}
}

var pow10 = [...]uint64{1, 10, 100, 1000, 10000}

// unscaled gives the magnitude times 10^scale.
func (n pgNumber) unscaled(scale int) (hi, lo uint64, reason string) {
	if n.sign != pgPositive && n.sign != pgNegative {
		return 0, 0, reasonNaN
	}
	groups := len(n.digits) / 2
	// exponent is that of the digit at hand, in powers of ten, after scaling.
	exponent := 4*n.weight + scale
	for i := range groups {
		digit := uint64(order.Uint16(n.digits[2*i:]))
		fits := true
		switch {
		case exponent >= 0:
			hi, lo, fits = mulAdd(hi, lo, 10000, digit)
		case exponent > -4:
			cut := pow10[-exponent]
			if digit%cut != 0 {
				return 0, 0, reasonDecimals
			}
			hi, lo, fits = mulAdd(hi, lo, 10000/cut, digit/cut)
		case digit != 0:
			return 0, 0, reasonDecimals
		}
		if !fits {
			return 0, 0, reasonDigits
		}
		exponent -= 4
	}
	// exponent is now four below the last digit's; the missing places are zeros.
	for missing := exponent + 4; missing > 0 && (hi|lo) != 0; missing-- {
		fits := true
		if hi, lo, fits = mulAdd(hi, lo, 10, 0); !fits {
			return 0, 0, reasonDigits
		}
	}
	return hi, lo, ""
}

// mulAdd gives (hi, lo) * by + add, and whether that stays below 2^127.
func mulAdd(hi, lo, by, add uint64) (uint64, uint64, bool) {
	if hi >= 1<<63/by-1 {
		return 0, 0, false
	}
	over, low := bits.Mul64(lo, by)
	low, carry := bits.Add64(low, add, 0)
	return hi*by + over + carry, low, true
}

// pgNumericText writes a numeric as text.
func pgNumericText(v []byte) (string, bool) {
	n, ok := parsePgNumber(v)
	if !ok {
		return "", false
	}
	switch n.sign {
	case pgNaN:
		return "NaN", true
	case pgPlusInf:
		return "Infinity", true
	case pgMinusInf:
		return "-Infinity", true
	}
	var s strings.Builder
	if n.sign == pgNegative {
		s.WriteByte('-')
	}
	group := func(i int) uint64 {
		if i < 0 || i >= len(n.digits)/2 {
			return 0
		}
		return uint64(order.Uint16(n.digits[2*i:]))
	}
	if n.weight < 0 {
		s.WriteByte('0')
	}
	for i := 0; i <= n.weight; i++ {
		writeGroup(&s, group(i), i > 0)
	}
	if n.scale == 0 {
		return s.String(), true
	}
	s.WriteByte('.')
	var fraction strings.Builder
	for i := n.weight + 1; fraction.Len() < n.scale; i++ {
		writeGroup(&fraction, group(i), true)
	}
	s.WriteString(fraction.String()[:n.scale])
	return s.String(), true
}

// writeGroup writes a base-10000 digit, with leading zeros if padded.
func writeGroup(s *strings.Builder, d uint64, padded bool) {
	var text [4]byte
	for i := 3; i >= 0; i-- {
		text[i] = byte('0' + d%10)
		d /= 10
	}
	out := string(text[:])
	if !padded {
		if out = strings.TrimLeft(out, "0"); out == "" {
			out = "0"
		}
	}
	s.WriteString(out)
}
