package config

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// blockTypes are the blocks at the top of a file and the words for their labels.
func blockTypes() map[string][]string {
	return map[string][]string{
		"unsilo": {}, "privacy": {}, "locals": {},
		"warehouse": {"kind"}, "variable": {"name"}, "model": {"name"}, "identity": {"name"},
		"insight": {"name"}, "schedule": {"name"}, "alert": {"name"},
		"source": {"kind", "name"}, "connector": {"kind", "name"},
	}
}

// single are the blocks that a project has at most once.
func single(kind string) bool { return kind == "unsilo" || kind == "privacy" || kind == "warehouse" }

// nameSyntax keeps names safe to use in SQL, file names and references.
var nameSyntax = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

const maxName = 63

// admit checks type, labels and name of a block at the top of a file and remembers it.
func (l *loader) admit(b *hclsyntax.Block) bool {
	types := blockTypes()
	labels, known := types[b.Type]
	if !known {
		l.fail(b.TypeRange, fmt.Sprintf("Unknown block %q", b.Type), "A project has no blocks of this type.",
			didYouMean(b.Type, slices.Collect(maps.Keys(types)), ""))
		return false
	}
	if !l.checkLabels(b, labels) {
		return false
	}
	key := b.Type
	switch {
	case b.Type == "locals":
		return true // their attributes are the names
	case !single(b.Type):
		name := b.Labels[len(b.Labels)-1]
		if !l.checkName(b, len(b.Labels)-1) {
			return false
		}
		key = b.Type + "." + name
	}
	other, duplicate := l.project.blocks[key]
	if !duplicate && (b.Type == "model" || b.Type == "insight") {
		// Both become tables of the schema marts.
		twin := map[string]string{"model": "insight", "insight": "model"}[b.Type]
		other, duplicate = l.project.blocks[twin+"."+b.Labels[0]]
	}
	if duplicate {
		at := other.DefRange()
		l.fail(b.DefRange(), fmt.Sprintf("Duplicate block %s", key),
			fmt.Sprintf("%s stands at %s:%d already.", header(other), at.Filename, at.Start.Line),
			"Rename one of the two, or put them together.")
		return false
	}
	l.project.blocks[key] = b
	return true
}

// checkLabels checks that a block has one label for each word.
func (l *loader) checkLabels(b *hclsyntax.Block, words []string) bool {
	if len(b.Labels) == len(words) {
		return true
	}
	want := b.Type
	for _, word := range words {
		want += fmt.Sprintf(" %q", word)
	}
	at := b.TypeRange
	if len(b.Labels) > len(words) {
		at = b.LabelRanges[len(words)]
	}
	l.fail(at, fmt.Sprintf("Block %q takes %s", b.Type, plural(len(words), "label")),
		fmt.Sprintf("This one has %d.", len(b.Labels)), "Write "+want+" { ... }")
	return false
}

// checkName checks the label that is a block's name.
func (l *loader) checkName(b *hclsyntax.Block, label int) bool {
	name := b.Labels[label]
	if nameSyntax.MatchString(name) && len(name) <= maxName {
		return true
	}
	l.fail(b.LabelRanges[label], fmt.Sprintf("Invalid name %q", visible(name)),
		fmt.Sprintf("A name starts with a small letter and goes on with small letters, digits and underscores, at most %d in all.", maxName),
		tryName(name))
	return false
}

func plural(n int, noun string) string {
	switch n {
	case 0:
		return "no " + noun + "s"
	case 1:
		return "one " + noun
	case 2:
		return "two " + noun + "s"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// tryName suggests the nearest valid name.
func tryName(name string) string {
	var fixed []rune
	for _, r := range name {
		switch {
		case r >= 'A' && r <= 'Z':
			r += 'a' - 'A'
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
		default:
			r = '_'
		}
		if len(fixed) == 0 && (r < 'a' || r > 'z') {
			continue
		}
		fixed = append(fixed, r)
	}
	if len(fixed) == 0 || len(fixed) > maxName {
		return `Write a name like "crm" or "web_shop".`
	}
	return fmt.Sprintf("Write %q.", string(fixed))
}
