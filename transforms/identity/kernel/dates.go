package kernel

import "github.com/unsilo/unsilo/transforms/identity/frame"

// dateLevel compares yyyy-mm-dd. A day that no calendar has still counts for typing
// errors.
func dateLevel(c *frame.Column) func(x, y int32) int8 {
	w := newWords(c)
	days := make([]int32, c.Values.Len())
	// inYear and swapped are month and day as one number, and day and month; -1 for what
	// has none, and -2 where the other value must not meet it.
	type parts struct{ year, inYear, swapped int32 }
	list := make([]parts, c.Values.Len())
	var dict frame.Dict
	for i := range days {
		s := c.Values.Value(int32(i))
		days[i] = DayNumber(s)
		list[i] = parts{-1, -1, -2}
		if len(s) == 10 {
			list[i] = parts{dict.AddString(s[:4]), dict.AddString(s[5:7] + s[8:]), dict.AddString(s[8:] + s[5:7])}
		}
	}
	newYear := dict.AddString("0101")
	return func(x, y int32) int8 {
		if w.oneTypo(x, y) {
			return 1
		}
		a, b := list[x], list[y]
		if a.inYear == b.inYear && a.inYear >= 0 && a.inYear != newYear || a.year == b.year && a.inYear == b.swapped {
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
