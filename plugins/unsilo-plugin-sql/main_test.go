package main

import (
	"slices"
	"testing"

	"github.com/unsilo/unsilo/connectors"
)

// TestServesItsFamily: every built-in connector of this family is served here, and
// nothing else is.
func TestServesItsFamily(t *testing.T) {
	var got, want []string
	for _, c := range served() {
		got = append(got, c.Spec().Name)
	}
	for _, c := range connectors.All() {
		if c.Spec().PluginFamily() == "sql" {
			want = append(want, c.Spec().Name)
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) || len(got) == 0 {
		t.Errorf("served %q, want %q", got, want)
	}
}
