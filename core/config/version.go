package config

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// version is major, minor, patch and a pre-release tag.
type version struct {
	numbers [3]int
	// given counts the numbers that were written.
	given int
	pre   string
}

var versionSyntax = regexp.MustCompile(`^v?(\d{1,9})(?:\.(\d{1,9}))?(?:\.(\d{1,9}))?(?:-([0-9A-Za-z.-]+))?(?:\+[0-9A-Za-z.-]+)?$`)

func parseVersion(s string) (version, error) {
	m := versionSyntax.FindStringSubmatch(s)
	if m == nil {
		return version{}, fmt.Errorf("%q is not a version such as 1.2.0", s)
	}
	v := version{pre: m[4]}
	for i, digits := range m[1:4] {
		if digits != "" {
			v.numbers[i], _ = strconv.Atoi(digits) // at most nine digits
			v.given++
		}
	}
	return v, nil
}

func (v version) compare(w version) int {
	for i := range v.numbers {
		if c := cmp.Compare(v.numbers[i], w.numbers[i]); c != 0 {
			return c
		}
	}
	switch {
	case v.pre == w.pre:
		return 0
	case v.pre == "":
		return 1
	case w.pre == "":
		return -1
	}
	return strings.Compare(v.pre, w.pre)
}

// satisfies reports whether a version meets all of a constraint's comma-separated parts:
// = != > >= < <= and ~>, which keeps all but the last number given.
func satisfies(have version, constraint string) (bool, error) {
	met := true
	for part := range strings.SplitSeq(constraint, ",") {
		part = strings.TrimSpace(part)
		digits := strings.TrimLeft(part, "=!<>~ ")
		op := strings.TrimSpace(part[:len(part)-len(digits)])
		want, err := parseVersion(digits)
		if err != nil {
			return false, err
		}
		ok, err := compareVersion(have, op, want)
		if err != nil {
			return false, err
		}
		met = met && ok
	}
	return met, nil
}

func compareVersion(have version, op string, want version) (bool, error) {
	c := have.compare(want)
	switch op {
	case "", "=":
		return c == 0, nil
	case "!=":
		return c != 0, nil
	case ">":
		return c > 0, nil
	case ">=":
		return c >= 0, nil
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case "~>":
		kept := max(want.given-1, 1)
		return c >= 0 && have.numbers[0] == want.numbers[0] && (kept < 2 || have.numbers[1] == want.numbers[1]), nil
	}
	return false, fmt.Errorf("%q is not one of = != > >= < <= ~>", op)
}
