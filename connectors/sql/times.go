package sql

import (
	"strings"
	"time"
)

// parseDateTime reads a date, or a date and time, as databases write them: a space or a T
// between, fractions of a second, and perhaps a zone. Without a zone the time is given in
// UTC. zoned says whether there was one.
func parseDateTime(s string) (t time.Time, zoned, ok bool) {
	s = strings.TrimSpace(s)
	if len(s) > 10 && s[10] == 'T' {
		s = s[:10] + " " + s[11:]
	}
	for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02"} {
		if t, err := time.ParseInLocation(layout, s, time.UTC); err == nil {
			return t, false, true
		}
	}
	for _, zone := range []string{"Z07:00", " Z07:00", "-0700", " -0700", "-07"} {
		for _, layout := range []string{"2006-01-02 15:04:05", "2006-01-02 15:04"} {
			if t, err := time.Parse(layout+zone, s); err == nil {
				return t.UTC(), true, true
			}
		}
	}
	return time.Time{}, false, false
}

// days counts whole days since 1970.
func days(t time.Time) int32 {
	seconds := t.Unix()
	d := seconds / 86400
	if seconds%86400 < 0 {
		d--
	}
	return int32(d)
}

// parsePlain reads "2026-01-31" or "2026-01-31 23:59:59.999999" as microseconds since 1970.
// It knows no other form.
func parsePlain(s []byte) (micros int64, ok bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	year, ok1 := digits(s[:4])
	month, ok2 := digits(s[5:7])
	day, ok3 := digits(s[8:10])
	if !ok1 || !ok2 || !ok3 || year < 1 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	micros = civilDays(year, month, day) * 86400 * 1_000_000
	if len(s) == 10 {
		return micros, true
	}
	if len(s) < 19 || s[10] != ' ' || s[13] != ':' || s[16] != ':' {
		return 0, false
	}
	hour, ok1 := digits(s[11:13])
	minute, ok2 := digits(s[14:16])
	second, ok3 := digits(s[17:19])
	if !ok1 || !ok2 || !ok3 || hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	micros += ((hour*60+minute)*60 + second) * 1_000_000
	if len(s) == 19 {
		return micros, true
	}
	fraction, ok := digits(s[20:])
	if !ok || s[19] != '.' || len(s) > 26 {
		return 0, false
	}
	for range 26 - len(s) {
		fraction *= 10
	}
	return micros + fraction, true
}

// digits reads an unsigned number of a few digits.
func digits(s []byte) (n int64, ok bool) {
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, len(s) > 0
}

func daysIn(year, month int64) int64 {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// civilDays counts the days from 1970-01-01 to a date of the Gregorian calendar. Years are
// taken to begin in March, so that the leap day is their last.
func civilDays(year, month, day int64) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + day - 719469
}
