package config

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unsilo/unsilo/core"
)

// maxListed is how many names are listed when none is near.
const maxListed = 12

// suggest gives the name nearest to a misspelt one, or "". Of equally near names the
// first in alphabetical order wins.
func suggest(got string, names []string) string {
	return core.Nearest(got, slices.Sorted(slices.Values(names)))
}

// didYouMean gives the line to try for an unknown name: the nearest known one, or the
// list of them, or otherwise.
func didYouMean(got string, names []string, otherwise string) string {
	if near := suggest(got, names); near != "" {
		return fmt.Sprintf("Did you mean %q?", near)
	}
	if len(names) == 0 || len(names) > maxListed {
		return otherwise
	}
	quoted := make([]string, 0, len(names))
	for _, name := range slices.Sorted(slices.Values(names)) {
		quoted = append(quoted, fmt.Sprintf("%q", name))
	}
	if len(quoted) == 1 {
		return "Write " + quoted[0] + "."
	}
	return "Write one of " + strings.Join(quoted, ", ") + "."
}
