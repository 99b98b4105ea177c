package rows

import (
	"math"
	"math/bits"
	"strconv"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// number is a JSON number as it was scanned. mant × 10^exp10 is its absolute value
// unless over is set: then it has more digits than mant can hold.
type number struct {
	text  []byte
	mant  uint64
	exp10 int
	neg   bool
	whole bool // no fraction and no exponent
	over  bool
}

func digit(b byte) bool { return b-'0' <= 9 }

// scanNumber reads the number at b[i] and returns where it ends; when that is the end of
// b, more digits may follow. errMore means that the number is not complete.
func scanNumber(b []byte, i int) (number, int, error) {
	n := number{whole: true}
	from := i
	if b[i] == '-' {
		n.neg = true
		i++
	}
	digits := i
	for i < len(b) && digit(b[i]) {
		n.push(b[i])
		i++
	}
	switch {
	case i == digits && i == len(b):
		return n, i, errMore
	case i == digits || (b[digits] == '0' && i > digits+1):
		return n, i, reject("not a number that JSON allows")
	}
	if i < len(b) && (b[i] == '.' || b[i]|0x20 == 'e') {
		var err error
		if i, err = n.rest(b, i); err != nil {
			return n, i, err
		}
	}
	n.text = b[from:i]
	return n, i, nil
}

// push takes one more digit of the mantissa.
func (n *number) push(d byte) {
	hi, lo := bits.Mul64(n.mant, 10)
	sum, carry := bits.Add64(lo, uint64(d-'0'), 0)
	if n.over || hi != 0 || carry != 0 {
		n.over = true
		return
	}
	n.mant = sum
}

// rest reads fraction and exponent.
func (n *number) rest(b []byte, i int) (int, error) {
	n.whole = false
	if b[i] == '.' {
		from := i + 1
		for i++; i < len(b) && digit(b[i]); i++ {
			n.push(b[i])
			n.exp10--
		}
		if i == from {
			return i, missingDigits(b, i)
		}
	}
	if i == len(b) || b[i]|0x20 != 'e' {
		return i, nil
	}
	i++
	minus := i < len(b) && b[i] == '-'
	if minus || (i < len(b) && b[i] == '+') {
		i++
	}
	from, exp := i, 0
	for ; i < len(b) && digit(b[i]); i++ {
		if exp < 100000 {
			exp = exp*10 + int(b[i]-'0')
		}
	}
	if i == from {
		return i, missingDigits(b, i)
	}
	if minus {
		exp = -exp
	}
	n.exp10 += exp
	return i, nil
}

func missingDigits(b []byte, i int) error {
	if i == len(b) {
		return errMore
	}
	return reject("not a number that JSON allows")
}

// int64 gives the value when it is whole and fits.
func (n *number) int64() (int64, bool) {
	if n.over {
		return 0, false
	}
	m := n.mant
	if n.exp10 != 0 && m != 0 {
		var ok bool
		if m, ok = scaled(m, n.exp10); !ok {
			return 0, false
		}
	}
	if n.neg {
		if m > 1<<63 {
			return 0, false
		}
		return -int64(m), true
	}
	return int64(m), m <= math.MaxInt64
}

// scaled is m × 10^exp when that is whole and fits.
func scaled(m uint64, exp int) (uint64, bool) {
	for ; exp < 0; exp++ {
		if m%10 != 0 {
			return 0, false
		}
		m /= 10
	}
	for ; exp > 0; exp-- {
		hi, lo := bits.Mul64(m, 10)
		if hi != 0 {
			return 0, false
		}
		m = lo
	}
	return m, true
}

// float64 gives the nearest float; false when it overflows.
func (n *number) float64() (float64, bool) {
	if !n.over && n.mant <= exactFloat && n.exp10 >= -22 && n.exp10 <= 22 {
		f := float64(n.mant)
		if n.exp10 < 0 {
			f /= pow10(-n.exp10)
		} else {
			f *= pow10(n.exp10)
		}
		if n.neg {
			f = -f
		}
		return f, true
	}
	f, err := strconv.ParseFloat(view(n.text), 64)
	return f, err == nil
}

// pow10 is exact for 0 to 22.
func pow10(e int) float64 {
	return [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
		1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}[e]
}

// view looks at bytes as a string without copying; the bytes must not change meanwhile.
func view(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// parseNumber reads text that must be one number and nothing else.
func parseNumber(text []byte) (number, bool) {
	if len(text) == 0 || (text[0] != '-' && !digit(text[0])) {
		return number{}, false
	}
	n, end, err := scanNumber(text, 0)
	return n, err == nil && end == len(text)
}

// parseDecimal reads a decimal number exactly. reason is empty when it fits.
func parseDecimal(text []byte, prec, scale int32) (v decimal128.Num, reason string) {
	neg, digits, exp := decimalParts(text)
	zeros := exp + int(scale)
	switch {
	case len(digits) == 0:
		return v, ""
	case zeros < 0: // the last digit is not zero
		return v, "more decimals than the column's " + strconv.Itoa(int(scale))
	case len(digits)+zeros > int(prec):
		return v, "more digits than the column's " + strconv.Itoa(int(prec))
	}
	var hi, lo uint64
	for k := range len(digits) + zeros {
		d := byte(0)
		if k < len(digits) {
			d = digits[k]
		}
		over, low := bits.Mul64(lo, 10)
		low, carry := bits.Add64(low, uint64(d), 0)
		hi, lo = hi*10+over+carry, low
	}
	v = decimal128.New(int64(hi), lo)
	if neg {
		v = v.Negate()
	}
	return v, ""
}

// decimalParts splits a valid number into sign, digits without leading or trailing
// zeros, and the power of ten of the last digit.
func decimalParts(text []byte) (neg bool, digits []byte, exp int) {
	digits = make([]byte, 0, 40)
	fraction := false
	for i := 0; i < len(text); i++ {
		switch b := text[i]; {
		case b == '-':
			neg = true
		case b == '.':
			fraction = true
		case digit(b):
			if len(digits) > 0 || b != '0' {
				digits = append(digits, b-'0')
			}
			if fraction {
				exp--
			}
		default:
			e, err := strconv.Atoi(string(text[i+1:]))
			if err != nil {
				e = math.MaxInt16
			}
			exp += max(min(e, math.MaxInt16), math.MinInt16)
			i = len(text)
		}
	}
	for len(digits) > 0 && digits[len(digits)-1] == 0 {
		digits = digits[:len(digits)-1]
		exp++
	}
	return neg, digits, exp
}
