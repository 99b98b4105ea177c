package kernel

import (
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/similar"
)

// dateLevel compares yyyy-mm-dd. A day that no calendar has still counts for typing
// errors.
func dateLevel(c *frame.Column) func(x, y int32) int8 {
	days := make([]int32, c.Values.Len())
	for i := range days {
		days[i] = DayNumber(c.Values.Value(int32(i)))
	}
	return func(x, y int32) int8 {
		a, b := c.Values.Value(x), c.Values.Value(y)
		if similar.OneTypo(a, b) {
			return 1
		}
		if len(a) == 10 && len(b) == 10 && (a[5:] == b[5:] && a[5:] != "01-01" || a[:4] == b[:4] && a[5:7] == b[8:] && a[8:] == b[5:7]) {
			return 2
		}
		d := days[x] - days[y]
		if d < 0 {
			d = -d
		}
		switch {
		case d <= 31:
			return 3
		case d <= 366:
			return 4
		case d <= 3653:
			return 5
		}
		return 6
	}
}

// DayNumber counts days of the proleptic Gregorian calendar; months and days out of
// range run over into the next ones.
func DayNumber(s string) int32 {
	if len(s) != 10 {
		return 0
	}
	digit := func(i int) int32 { return int32(s[i] - '0') }
	y := digit(0)*1000 + digit(1)*100 + digit(2)*10 + digit(3)
	m := digit(5)*10 + digit(6)
	d := digit(8)*10 + digit(9)
	if m <= 2 {
		y--
		m += 12
	}
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + d
}
