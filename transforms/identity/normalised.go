package identity

import (
	"fmt"
	"strings"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/normalize"
)

// normaliseFrame fills the normalised values of every column, dropping what blocklists name.
func (m *Model) normaliseFrame(f *frame.Frame, l *layout) error {
	for _, c := range f.Columns {
		a := l.attribute(c.Name)
		norm := normaliser(c.Kind, m.def.Region)
		if len(a.normalise) > 0 && !c.Masked {
			var steps []normalize.Func
			for _, name := range a.normalise {
				step, err := namedNormaliser(name, m.def.Region)
				if err != nil {
					return fmt.Errorf("normalise %s: %w", c.Name, err)
				}
				steps = append(steps, step)
			}
			norm = chain(steps)
		}
		id := m.identifier(c.Name)
		same, written := m.variants(c.Name, norm), writtenCounts(c)
		c.Normalise(func(dst []byte, value string) []byte {
			out, ok := norm(dst, value)
			if !ok || id != nil && id.blocked(value, string(out)) ||
				c.Kind == frame.Email && l.entity == entityPerson && normalize.IsRoleMailbox(out) {
				return dst[:0]
			}
			if first, ok := same[string(out)]; ok {
				return append(dst[:0], first...)
			}
			return out
		})
		l.reportSilent(c, written)
	}
	return nil
}

// variants maps the normal forms of values that mean the same to the first of each set.
func (m *Model) variants(name string, norm normalize.Func) map[string]string {
	var same map[string]string
	for _, b := range m.def.Attributes {
		if b.Name != name {
			continue
		}
		for _, set := range b.Sets {
			first := ""
			for _, v := range set {
				if v, ok := norm.Of(v); ok && first == "" {
					first = v
				} else if ok {
					if same == nil {
						same = map[string]string{}
					}
					same[v] = first
				}
			}
		}
	}
	return same
}

// reportSilent tells how many values of a column count as missing, although something is
// written there; written counts the records by value as it came. It shows placeholders,
// for other values may be personal.
func (l *layout) reportSilent(c *frame.Column, written []int32) {
	silent, most, example := int32(0), int32(0), ""
	for code, n := range written {
		v := c.Originals.Value(int32(code))
		if c.NormOf[code] >= 0 || n == 0 || strings.TrimSpace(v) == "" {
			continue
		}
		silent += n
		if n > most && normalize.IsPlaceholder(v) {
			most, example = n, fmt.Sprintf(", most often %q", strings.TrimSpace(v))
		}
	}
	if silent > 0 {
		l.report("%s: %d values are placeholders, blocked or unreadable, and count as missing%s", c.Name, silent, example)
	}
}

// writtenCounts counts the cells of each value as it came.
func writtenCounts(c *frame.Column) []int32 {
	counts := make([]int32, c.Originals.Len())
	for _, raw := range c.Raw {
		if raw >= 0 {
			counts[raw]++
		}
	}
	return counts
}

func (m *Model) identifier(name string) *identifier {
	for i := range m.rules.identifiers {
		if m.rules.identifiers[i].name == name {
			return &m.rules.identifiers[i]
		}
	}
	return nil
}
