package file

import (
	"regexp"
	"slices"
)

// What rotations add to names.
var (
	packedSuffix  = regexp.MustCompile(`(?i)\.(gz|zst|zstd)$`)
	rotatedSuffix = regexp.MustCompile(`[-._](\d{1,6}|\d{8}([-T_]?\d{2,6})?|\d{4}-\d{2}-\d{2}([-T_]?\d{2,6})?)$`)
)

// baseName takes from a name what a rotation adds: access.log.2.gz is access.log.
func baseName(name string) string {
	return rotatedSuffix.ReplaceAllString(packedSuffix.ReplaceAllString(name, ""), "")
}

// notRotated is 1 for a name that a rotation has added nothing to.
func notRotated(name string) int {
	if baseName(name) == name {
		return 1
	}
	return 0
}

// withoutPacked leaves out compressed files beside which the original still stands: the
// compression is under way.
func withoutPacked(entries []Entry) []Entry {
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Path] = true
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool {
		plain := packedSuffix.ReplaceAllString(e.Path, "")
		return plain != e.Path && names[plain]
	})
}
