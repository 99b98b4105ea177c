package rows

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

type timeStyle uint8

const (
	styleRFC3339 timeStyle = iota
	styleEpochS
	styleEpochMS
	styleEpochUS
	styleLayout
)

// timeFormat reads times and dates of one column.
type timeFormat struct {
	style  timeStyle
	layout string
	zone   *time.Location
}

// TimeFormat reads and writes times in one format.
type TimeFormat struct{ f timeFormat }

// NewTimeFormat reads a Column.Format. zone is for times without an offset, and for
// writing; nil means UTC.
func NewTimeFormat(format string, zone *time.Location) (TimeFormat, error) {
	f, err := compileFormat(format, zone)
	return TimeFormat{f}, err
}

// Format writes a time, epochs as whole numbers rounded down.
func (t TimeFormat) Format(at time.Time) string {
	zone := t.f.zone
	if zone == nil {
		zone = time.UTC
	}
	switch t.f.style {
	case styleEpochS:
		return strconv.FormatInt(at.Unix(), 10)
	case styleEpochMS:
		return strconv.FormatInt(at.UnixMilli(), 10)
	case styleEpochUS:
		return strconv.FormatInt(at.UnixMicro(), 10)
	case styleLayout:
		return at.In(zone).Format(t.f.layout)
	}
	return at.In(zone).Format("2006-01-02T15:04:05.999999Z07:00")
}

// Parse reads a time.
func (t TimeFormat) Parse(text string) (time.Time, error) {
	micros, ok := t.f.parse([]byte(text))
	if !ok {
		return time.Time{}, errors.New("parse time: the text does not have the format")
	}
	return time.UnixMicro(micros).UTC(), nil
}

// Unit is the distance of neighbouring times that the format can tell apart.
func (t TimeFormat) Unit() time.Duration {
	switch {
	case t.f.style == styleEpochS:
		return time.Second
	case t.f.style == styleEpochMS:
		return time.Millisecond
	case t.f.style != styleLayout || strings.Contains(t.f.layout, "000000"):
		return time.Microsecond
	case strings.Contains(t.f.layout, "05"):
		return time.Second
	case strings.Contains(t.f.layout, "04"):
		return time.Minute
	case strings.Contains(t.f.layout, "15"), strings.Contains(t.f.layout, "03"):
		return time.Hour
	}
	return 24 * time.Hour
}

// compileFormat reads a Column.Format.
func compileFormat(format string, zone *time.Location) (timeFormat, error) {
	f := timeFormat{zone: zone}
	switch format {
	case "", "rfc3339":
	case "epoch_s":
		f.style = styleEpochS
	case "epoch_ms":
		f.style = styleEpochMS
	case "epoch_us":
		f.style = styleEpochUS
	case "rfc2822":
		f.style, f.layout = styleLayout, time.RFC1123Z
	default:
		layout, err := Layout(format)
		if err != nil {
			return f, err
		}
		f.style, f.layout = styleLayout, layout
	}
	return f, nil
}

// Layout turns a strftime pattern into a layout of package time.
func Layout(pattern string) (string, error) {
	var out strings.Builder
	for i := 0; i < len(pattern); i++ {
		if pattern[i] != '%' {
			out.WriteByte(pattern[i])
			continue
		}
		i++
		verb := "the end"
		if i < len(pattern) {
			verb = "%" + pattern[i:i+1]
		}
		part, ok := map[string]string{
			"%Y": "2006", "%y": "06", "%m": "01", "%d": "02", "%e": "_2", "%j": "002", "%H": "15", "%I": "03",
			"%M": "04", "%S": "05", "%f": "000000", "%p": "PM", "%z": "-0700", "%Z": "MST", "%b": "Jan", "%B": "January",
			"%a": "Mon", "%A": "Monday", "%F": "2006-01-02", "%T": "15:04:05", "%%": "%",
		}[verb]
		if !ok {
			return "", fmt.Errorf("read time format %q: %s is unknown; use rfc3339, epoch_s, epoch_ms, epoch_us, rfc2822 "+
				"or a pattern of %%Y %%m %%d %%H %%M %%S %%f %%z", pattern, verb)
		}
		out.WriteString(part)
	}
	if !strings.Contains(pattern, "%") {
		return "", fmt.Errorf("read time format %q: use rfc3339, epoch_s, epoch_ms, epoch_us, rfc2822 or a pattern "+
			"such as %%Y-%%m-%%d", pattern)
	}
	return out.String(), nil
}

// parse reads a time as microseconds since 1970 in UTC.
func (f timeFormat) parse(s []byte) (int64, bool) {
	switch f.style {
	case styleRFC3339:
		return parseTime(s, f.zone, true)
	case styleEpochS, styleEpochMS, styleEpochUS:
		n, ok := parseNumber(s)
		if !ok {
			return 0, false
		}
		return f.epoch(n)
	}
	text := string(s)
	zone := f.zone
	if zone == nil {
		zone = time.UTC
	}
	t, err := time.ParseInLocation(f.layout, text, zone)
	if err != nil && f.layout == time.RFC1123Z {
		t, err = time.ParseInLocation(time.RFC1123, text, zone)
	}
	if err != nil || t.Year() < 1 || t.Year() > 9999 {
		return 0, false
	}
	return t.UnixMicro(), true
}

// epoch reads a number of seconds, milliseconds or microseconds exactly; digits beyond
// the microsecond are cut off.
func (f timeFormat) epoch(n number) (int64, bool) {
	shift := 0
	switch f.style {
	case styleEpochS:
		shift = 6
	case styleEpochMS:
		shift = 3
	case styleEpochUS:
	default:
		return 0, false
	}
	for n.exp10+shift < 0 && !n.over && n.mant != 0 {
		n.mant /= 10
		n.exp10++
	}
	n.exp10 += shift
	v, ok := n.int64()
	return v, ok && v > -maxMicros && v < maxMicros
}

// maxMicros keeps times within the years that a warehouse can hold.
const maxMicros = math.MaxInt64 / 2

// parseTime reads RFC 3339; a blank may stand for the T, and an offset may lack its
// colon. Without an offset the zone counts, if naive allows that. Digits beyond the
// microsecond are cut off.
func parseTime(s []byte, zone *time.Location, naive bool) (int64, bool) {
	days, ok := parseDate(s)
	if !ok {
		return 0, false
	}
	if len(s) == 10 && naive {
		return zoned(days*86400, zone) * 1e6, true
	}
	if len(s) < 16 || (s[10] != 'T' && s[10] != 't' && s[10] != ' ') || s[13] != ':' {
		return 0, false
	}
	hour, minute, second := two(s, 11), two(s, 14), 0
	i := 16
	if i < len(s) && s[i] == ':' {
		if len(s) < 19 {
			return 0, false
		}
		second, i = two(s, 17), 19
	}
	if hour > 23 || minute > 59 || second > 59 {
		return 0, false
	}
	micros, i, ok := fraction(s, i)
	if !ok {
		return 0, false
	}
	secs := days*86400 + int64(hour*3600+minute*60+second)
	switch {
	case i == len(s):
		if !naive {
			return 0, false
		}
		return zoned(secs, zone)*1e6 + micros, true
	case s[i]|0x20 == 'z':
		return secs*1e6 + micros, i+1 == len(s)
	}
	offset, ok := parseOffset(s[i:])
	return (secs-offset)*1e6 + micros, ok
}

// zoned turns wall-clock seconds into seconds of UTC.
func zoned(wall int64, zone *time.Location) int64 {
	if zone == nil || zone == time.UTC {
		return wall
	}
	t := time.Unix(wall, 0).UTC()
	return time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, zone).Unix()
}

// fraction reads ".123456" at s[i] if it is there.
func fraction(s []byte, i int) (micros int64, next int, ok bool) {
	if i >= len(s) || (s[i] != '.' && s[i] != ',') {
		return 0, i, true
	}
	from, unit := i+1, int64(100000)
	for i++; i < len(s) && digit(s[i]); i++ {
		micros += int64(s[i]-'0') * unit
		unit /= 10
	}
	return micros, i, i > from
}

// parseOffset reads +02:00, +0200 or +02 as seconds.
func parseOffset(s []byte) (int64, bool) {
	if s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	var h, m int
	switch {
	case len(s) == 6 && s[3] == ':':
		h, m = two(s, 1), two(s, 4)
	case len(s) == 5:
		h, m = two(s, 1), two(s, 3)
	case len(s) == 3:
		h = two(s, 1)
	default:
		return 0, false
	}
	if h > 23 || m > 59 {
		return 0, false
	}
	secs := int64(h*3600 + m*60)
	if s[0] == '-' {
		secs = -secs
	}
	return secs, true
}

// two reads two digits; what is not a digit gives a number above 99.
func two(s []byte, i int) int {
	if !digit(s[i]) || !digit(s[i+1]) {
		return 1000
	}
	return int(s[i]-'0')*10 + int(s[i+1]-'0')
}

// parseDate reads the date that s begins with as days since 1970.
func parseDate(s []byte) (int64, bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return 0, false
	}
	hi, lo, month, day := two(s, 0), two(s, 2), two(s, 5), two(s, 8)
	year := hi*100 + lo
	if hi > 99 || lo > 99 || year == 0 || month < 1 || month > 12 || day < 1 || day > daysIn(year, month) {
		return 0, false
	}
	return daysSince1970(year, month, day), true
}

func daysIn(year, month int) int {
	if month == 2 && year%4 == 0 && (year%100 != 0 || year%400 == 0) {
		return 29
	}
	return [...]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}[month-1]
}

// daysSince1970 counts in a calendar whose years begin in March, so that leap days come last.
func daysSince1970(year, month, day int) int64 {
	if month <= 2 {
		year--
		month += 12
	}
	era := year / 400
	yearOfEra := year - era*400
	dayOfYear := (153*(month-3)+2)/5 + day - 1
	dayOfEra := yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear
	return int64(era)*146097 + int64(dayOfEra) - 719468
}

// formatTime writes microseconds as RFC 3339 in UTC.
func formatTime(dst []byte, micros int64) []byte {
	return time.UnixMicro(micros).UTC().AppendFormat(dst, time.RFC3339Nano)
}

// formatDate writes days since 1970 as a date.
func formatDate(dst []byte, days int64) []byte {
	return time.Unix(days*86400, 0).UTC().AppendFormat(dst, time.DateOnly)
}
