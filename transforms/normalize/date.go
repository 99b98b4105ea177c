package normalize

import "strings"

// DateOrder says how "03/04/1980" is read.
type DateOrder uint8

// The orders. Dots always mean the day first.
const (
	DayFirst DateOrder = iota
	MonthFirst
)

// Date returns the normaliser of dates to yyyy-mm-dd. It reads ISO dates and times,
// yyyymmdd, dd.mm.yyyy, dates with slashes in the given order (or the only possible
// one), and dates with the month's name in eight languages. Years of two digits are
// 1930 to 2029. Days that no calendar has are not usable.
func Date(order DateOrder) Func {
	return func(dst []byte, s string) ([]byte, bool) { return appendDate(dst, s, order) }
}

// BirthDate is Date without the days that systems write when they know none, such as
// 1900-01-01 and 1970-01-01.
func BirthDate(order DateOrder) Func {
	return func(dst []byte, s string) ([]byte, bool) {
		start := len(dst)
		dst, ok := appendDate(dst, s, order)
		if ok {
			switch string(dst[start:]) {
			case "0001-01-01", "1753-01-01", "1899-12-30", "1899-12-31", "1900-01-01", "1901-01-01", "1970-01-01",
				"1111-11-11", "2222-02-22", "2999-12-31", "9999-12-31", "9999-09-09":
				return dst[:start], false
			}
		}
		return dst, ok
	}
}

// dateParts are up to three numbers and a month's name as they stand in the text.
type dateParts struct {
	numbers [3]int
	widths  [3]int
	count   int
	month   int  // from its name
	monthAt int  // numbers before the name
	sep     byte // behind the first number
}

func appendDate(dst []byte, s string, order DateOrder) ([]byte, bool) {
	p, ok := scanDate(trimSpace(s))
	if !ok {
		return dst, false
	}
	y, m, d, ok := p.resolve(order)
	if !ok || m < 1 || m > 12 || d < 1 || d > daysIn(y, m) || y < 1 || y > 9999 {
		return dst, false
	}
	return append(dst, byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10)), true
}

// scanDate collects the numbers and the month's name, up to the time of day.
func scanDate(s string) (dateParts, bool) {
	var p dateParts
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case isDigit(c):
			if p.complete() {
				return p, true
			}
			n, end := 0, i
			for end < len(s) && isDigit(s[end]) {
				n = n*10 + int(s[end]-'0')
				if end++; end-i > 8 {
					return p, false
				}
			}
			if p.count == 3 {
				return p, false
			}
			p.numbers[p.count], p.widths[p.count] = n, end-i
			if p.count++; p.count == 1 && end < len(s) {
				p.sep = s[end]
			}
			i = end
		case c|0x20-'a' < 26 || c >= 0x80:
			end := i
			for end < len(s) && (s[end]|0x20-'a' < 26 || s[end] >= 0x80) {
				end++
			}
			if p.complete() {
				return p, true
			}
			if !p.name(s[i:end]) {
				return p, false
			}
			i = end
		case strings.IndexByte("-/., '\t:", c) >= 0:
			i++
		default:
			return p, p.complete()
		}
	}
	return p, p.complete()
}

// complete reports whether a day is told.
func (p *dateParts) complete() bool {
	return p.count == 3 || p.month > 0 && p.count == 2 || p.count == 1 && p.widths[0] == 8
}

// name takes a word in: a month, the ending of an ordinal, or a word between.
func (p *dateParts) name(word string) bool {
	var buf [32]byte
	folded, ok := AppendWords(buf[:0], word)
	if !ok {
		return false
	}
	switch string(folded) {
	case "st", "nd", "rd", "th", "de", "of", "den", "del", "er", "y", "ta":
		return p.count > 0
	}
	if p.month > 0 {
		return false
	}
	p.month, p.monthAt = monthNumber(string(folded)), p.count
	return p.month > 0
}

// resolve decides which number is which.
func (p *dateParts) resolve(order DateOrder) (y, m, d int, ok bool) {
	a, b, c := p.numbers[0], p.numbers[1], p.numbers[2]
	switch {
	case p.count == 1:
		return a / 10000, a / 100 % 100, a % 100, true
	case p.month > 0 && p.count == 2:
		if p.widths[0] == 4 {
			return a, p.month, b, true
		}
		return century(b, p.widths[1]), p.month, a, p.widths[0] <= 2
	case p.month > 0 || p.widths[0] == 8:
		return 0, 0, 0, false
	case p.widths[0] == 4:
		return a, b, c, p.widths[1] <= 2 && p.widths[2] <= 2
	case p.widths[0] > 2 || p.widths[1] > 2:
		return 0, 0, 0, false
	}
	y = century(c, p.widths[2])
	monthFirst := order == MonthFirst && p.sep != '.'
	if monthFirst && a > 12 || !monthFirst && b > 12 {
		monthFirst = !monthFirst
	}
	if monthFirst {
		return y, a, b, true
	}
	return y, b, a, true
}

// century completes a year of two digits.
func century(y, width int) int {
	switch {
	case width == 4:
		return y
	case width != 2:
		return 0
	case y < 30:
		return 2000 + y
	}
	return 1900 + y
}

func daysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// monthNumber reads a month's name, whole or shortened, in English, German, French,
// Spanish, Italian, Dutch, Swedish or Finnish; 0 when it is none.
func monthNumber(word string) int {
	if len(word) < 3 {
		return 0
	}
	month, longest := 0, 0
	for i, names := range monthNames {
		for name := range strings.FieldsSeq(names) {
			if len(name) > longest && strings.HasPrefix(word, name) {
				month, longest = i+1, len(name)
			}
		}
	}
	return month
}

// monthNames holds the beginnings that tell a month from all others.
var monthNames = [12]string{
	"jan ene gen tammi", "feb fev helmi", "mar maa mrz mrt", "apr avr abr huhti", "may mai maj mei mag touko",
	"jun juin giu kesa", "jul juil lug heina", "aug aou ago elo", "sep set syys", "oct okt ott loka",
	"nov marras", "dec dez dic des joulu",
}
