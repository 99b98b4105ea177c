package predicate_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/unsilo/unsilo/transforms/identity/predicate"
)

func TestParse(t *testing.T) {
	tests := map[string][]string{
		"agree(last_name) or missing(last_name)":                  {"last_name"},
		"similar(full_name, 0.92)":                                {"full_name"},
		"both(birth_date) and birth_date differs and not typo(1)": {"birth_date"},
		"jaro_winkler >= 0.92":                                    nil,
		"within(31d)":                                             nil,
		"last(7) equal":                                           nil,
		"left(postcode,3)":                                        {"postcode"},
		"e164(default_region = \"DE\")":                           nil,
		"event_type = 'login'":                                    nil,
		"(exact(a) or exact(b)) and not differs(c)":               {"a", "b", "c"},
	}
	for text, names := range tests {
		e, err := predicate.Parse(text)
		if err != nil {
			t.Errorf("Parse(%q): %v", text, err)
			continue
		}
		if got := e.Names(); !slices.Equal(got, names) {
			t.Errorf("names of %q = %q, want %q", text, got, names)
		}
	}
}

func TestParseRefuses(t *testing.T) {
	for text, column := range map[string]int{"": 0, "agree(": 6, "agree(a) b": 9, "a >=": 4, "a => 1": 2, "similar(a, 1x2": 13, "'open": 0, "a & b": 2} {
		_, err := predicate.Parse(text)
		var s *predicate.SyntaxError
		if !errors.As(err, &s) {
			t.Errorf("Parse(%q) = %v, want a syntax error", text, err)
		} else if s.Column != column {
			t.Errorf("Parse(%q) fails at %d (%v), want %d", text, s.Column, err, column)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"agree(a) or missing(b)", "jaro_winkler >= 0.92", "not (x differs)", "within(31d)", "f(a = 'x', 1e-3)", "((((", "\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		e, err := predicate.Parse(text)
		if (e == nil) == (err == nil) {
			t.Fatalf("Parse(%q) = %v, %v", text, e, err)
		}
		if e != nil {
			e.Names()
		}
	})
}
