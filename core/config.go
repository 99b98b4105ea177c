package core

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// Config is a connector's configuration with every secret resolved. Values follow
// Spec.Fields: defaults are filled in, types are those of FieldType, and nothing else
// is present. It is plain data and crosses the process border as JSON.
type Config struct {
	// Source is the name of the source block, for messages.
	Source string
	// Dir is the project's folder; relative Path fields have been joined to it.
	Dir string
	// Values by Field.Name.
	Values map[string]any
	// Streams are the stream blocks of the source, in order of appearance.
	Streams []StreamConfig
}

// StreamConfig is the connector's share of one stream block.
type StreamConfig struct {
	Name   string
	Values map[string]any
	// Means and PrimaryKey and CursorField repeat what the user wrote in the block, as
	// connectors with Spec.Dynamic need them to build the stream; empty if not given.
	Means       map[string]Means
	PrimaryKey  []string
	CursorField string
}

// SecretRef stands where a secret will be until the source is opened. It never holds
// the value.
type SecretRef struct {
	// Ref is the reference as written: "env:TOKEN", "file:secrets/token".
	Ref string
}

// String gives the reference, never the value.
func (r SecretRef) String() string { return "secret(" + strconv.Quote(r.Ref) + ")" }

// String returns a string value, or "" when it is absent.
func (c Config) String(name string) string { return stringValue(c.Values, name) }

// Int returns an integer value, or 0 when it is absent.
func (c Config) Int(name string) int64 { return intValue(c.Values, name) }

// Bool returns a boolean value, or false when it is absent.
func (c Config) Bool(name string) bool { b, _ := c.Values[name].(bool); return b }

// Strings returns a list of strings, or nil when it is absent.
func (c Config) Strings(name string) []string { return stringsValue(c.Values, name) }

// Duration returns a duration value; absent is 0.
func (c Config) Duration(name string) (time.Duration, error) {
	return durationValue(c.Values, name)
}

// Stream returns the stream block of that name.
func (c Config) Stream(name string) (StreamConfig, bool) {
	for _, s := range c.Streams {
		if s.Name == name {
			return s, true
		}
	}
	return StreamConfig{}, false
}

// String returns a string value, or "" when it is absent.
func (c StreamConfig) String(name string) string { return stringValue(c.Values, name) }

// Int returns an integer value, or 0 when it is absent.
func (c StreamConfig) Int(name string) int64 { return intValue(c.Values, name) }

// Bool returns a boolean value, or false when it is absent.
func (c StreamConfig) Bool(name string) bool { b, _ := c.Values[name].(bool); return b }

// Strings returns a list of strings, or nil when it is absent.
func (c StreamConfig) Strings(name string) []string { return stringsValue(c.Values, name) }

// Duration returns a duration value; absent is 0.
func (c StreamConfig) Duration(name string) (time.Duration, error) {
	return durationValue(c.Values, name)
}

func stringValue(m map[string]any, name string) string { s, _ := m[name].(string); return s }

func intValue(m map[string]any, name string) int64 {
	switch v := m[name].(type) {
	case int64:
		return v
	case float64:
		return int64(v)
	}
	return 0
}

func stringsValue(m map[string]any, name string) []string {
	list, _ := m[name].([]any)
	var out []string
	for _, v := range list {
		if s, ok := v.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

func durationValue(m map[string]any, name string) (time.Duration, error) {
	s := stringValue(m, name)
	if s == "" {
		return 0, nil
	}
	d, err := ParseDuration(s)
	if err != nil {
		return 0, &Error{Kind: KindConfig, Path: name, Err: err}
	}
	return d, nil
}

// ParseDuration reads a duration as time.ParseDuration does, and also whole days and
// weeks: "7d", "2w".
func ParseDuration(s string) (time.Duration, error) {
	for unit, size := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if n, ok := strings.CutSuffix(s, unit); ok {
			count, err := strconv.ParseInt(n, 10, 32)
			if err != nil || count > int64(math.MaxInt64/size) || count < int64(math.MinInt64/size) {
				return 0, fmt.Errorf("%q is not a duration: write it like 90s, 15m, 24h, 7d or 2w", s)
			}
			return time.Duration(count) * size, nil
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration: write it like 90s, 15m, 24h, 7d or 2w", s)
	}
	return d, nil
}
