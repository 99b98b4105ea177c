package sql

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// parseDecimal reads plain decimal text, such as -12.50, into the type's scale. It never
// rounds.
func parseDecimal(text []byte, t *arrow.Decimal128Type) (decimal128.Num, string) {
	negative := false
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		negative = text[0] == '-'
		text = text[1:]
	}
	var hi, lo uint64
	digits, after, point, fits := 0, 0, false, true
	for _, ch := range text {
		switch {
		case ch == '.' && !point:
			point = true
			continue
		case ch < '0' || ch > '9':
			return decimal128.Num{}, "the value is not a decimal number"
		case point && after == int(t.Scale):
			if ch != '0' {
				return decimal128.Num{}, reasonDecimals
			}
			continue
		}
		digits++
		if point {
			after++
		}
		if hi, lo, fits = mulAdd(hi, lo, 10, uint64(ch-'0')); !fits {
			return decimal128.Num{}, reasonDigits
		}
	}
	if digits == 0 {
		return decimal128.Num{}, "the value is not a decimal number"
	}
	for ; after < int(t.Scale); after++ {
		if hi, lo, fits = mulAdd(hi, lo, 10, 0); !fits {
			return decimal128.Num{}, reasonDigits
		}
	}
	d := decimal128.New(int64(hi), lo)
	if negative {
		d = d.Negate()
	}
	if !d.FitsInPrecision(t.Precision) {
		return decimal128.Num{}, reasonDigits
	}
	return d, ""
}
