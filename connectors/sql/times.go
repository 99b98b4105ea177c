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
