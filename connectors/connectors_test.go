package connectors_test

import (
	"slices"
	"testing"

	"github.com/unsilo/unsilo/connectors"
)

func TestAll(t *testing.T) {
	var names []string
	for _, c := range connectors.All() {
		spec := c.Spec()
		if spec.Name == "" || spec.Summary == "" || spec.Version == "" {
			t.Errorf("connector %q: the spec is not complete: %+v", spec.Name, spec)
		}
		for _, f := range append(spec.Fields, spec.StreamFields...) {
			if f.Help == "" || f.Type == "" {
				t.Errorf("connector %q, field %q: help or type is missing", spec.Name, f.Name)
			}
		}
		names = append(names, spec.Name)
	}
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Errorf("names: got %q, want them sorted, each once", names)
	}
}
