package plan

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
)

// list writes names for a message, and only so many of them.
func list(names []string) string {
	const most = 12
	if len(names) == 0 {
		return "nothing"
	}
	if len(names) > most {
		return strings.Join(names[:most], ", ") + fmt.Sprintf(" and %d more", len(names)-most)
	}
	return strings.Join(names, ", ")
}

// didYouMean proposes the name that was probably meant.
func didYouMean(name string, known []string) string {
	if best := core.Nearest(name, known); best != "" {
		return "did you mean " + strconv.Quote(best) + "?"
	}
	return ""
}

// hclKey writes a column name as a key of an HCL object.
func hclKey(name string) string {
	if hclsyntax.ValidIdentifier(name) {
		return name
	}
	return strconv.Quote(name)
}

func fieldNames(s *arrow.Schema) []string {
	names := make([]string, s.NumFields())
	for i, f := range s.Fields() {
		names[i] = f.Name
	}
	return names
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

func cmpString(a, b string) int { return cmp.Compare(a, b) }

func asError(err error) *core.Error {
	var e *core.Error
	errors.As(err, &e)
	return e
}
