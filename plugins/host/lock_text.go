package host

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/unsilo/unsilo/core"
)

// The lock file is a small part of HCL, which a machine writes: plugin blocks whose
// attributes are strings, a list of strings, and a map of strings; no expressions. It is
// read here without the language, which the border does not know.

// Bytes gives the text of the lock file, plugins by name. The same lock gives the same bytes.
func (l *Lock) Bytes() []byte {
	var b strings.Builder
	b.WriteString("# Written by `unsilo plugin lock`. Keep it under version control.\n")
	sorted := slices.Clone(l.Plugins)
	slices.SortFunc(sorted, func(a, b LockedPlugin) int { return strings.Compare(a.Family, b.Family) })
	for _, p := range sorted {
		fmt.Fprintf(&b, "\nplugin %s {\n", quote(p.Family))
		if p.Version != "" {
			fmt.Fprintf(&b, "  version = %s\n", quote(p.Version))
		}
		if p.Path != "" {
			fmt.Fprintf(&b, "  path = %s\n", quote(p.Path))
		}
		if len(p.Connectors) > 0 {
			names := make([]string, len(p.Connectors))
			for i, c := range p.Connectors {
				names[i] = quote(c)
			}
			fmt.Fprintf(&b, "  connectors = [%s]\n", strings.Join(names, ", "))
		}
		b.WriteString("  checksums = {\n")
		for _, platform := range slices.Sorted(maps.Keys(p.Checksums)) {
			fmt.Fprintf(&b, "    %s = %s\n", quote(platform), quote(p.Checksums[platform]))
		}
		b.WriteString("  }\n}\n")
	}
	return []byte(b.String())
}

// quote writes a string so that HCL reads it as it is.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r < 0x20 || r == 0x7f:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	text := strings.ReplaceAll(b.String(), "${", "$${")
	return strings.ReplaceAll(text, "%{", "%%{") + `"`
}

// ParseLock reads the text of a lock file; name is for messages, which tell the line.
func ParseLock(src []byte, name string) (*Lock, error) {
	p := &lockParser{text: string(src), line: 1}
	l, err := p.lock()
	if err != nil {
		return nil, &core.Error{Kind: core.KindConfig, Op: "read lock", Err: fmt.Errorf("%s:%d: %w", name, p.line, err),
			Try: "mend the line, or run `unsilo plugin lock` to write the file anew"}
	}
	return l, nil
}

// lockParser reads tokens: a word, a "string", or one of { } [ ] = , and the end of a line.
type lockParser struct {
	text string
	line int
	tok  string // the token; a string begins with its quote and is unescaped
	// moved says that the token stands on another line than the one before it.
	moved bool
}

func (p *lockParser) lock() (*Lock, error) {
	if !utf8.ValidString(p.text) || len(p.text) > maxLock {
		return nil, errors.New("the file is no text, or too long")
	}
	l := &Lock{}
	for {
		if err := p.next(); err != nil || p.tok == "" {
			return l, err
		}
		if p.tok != "plugin" || !p.moved && len(l.Plugins) > 0 {
			return nil, fmt.Errorf("%s stands where a plugin block should, on a line of its own", p.shown())
		}
		plugin, err := p.plugin()
		if err != nil {
			return nil, err
		}
		if _, twice := l.Plugin(plugin.Family); twice {
			return nil, fmt.Errorf("plugin %q is locked twice", plugin.Family)
		}
		l.Plugins = append(l.Plugins, plugin)
	}
}

func (p *lockParser) plugin() (LockedPlugin, error) {
	var out LockedPlugin
	var err error
	if out.Family, err = p.str(); err != nil {
		return out, err
	}
	if err := p.expect("{"); err != nil {
		return out, err
	}
	seen := map[string]bool{}
	for {
		if err := p.next(); err != nil {
			return out, err
		}
		if !p.moved {
			return out, fmt.Errorf("%s should stand on a line of its own", p.shown())
		}
		if p.tok == "}" {
			break
		}
		if name := p.tok; seen[name] {
			return out, fmt.Errorf("%s is set twice", name)
		} else if err := p.attribute(name, &out); err != nil {
			return out, err
		} else {
			seen[name] = true
		}
	}
	if !seen["checksums"] {
		return out, fmt.Errorf("plugin %q has no checksums", out.Family)
	}
	return out, nil
}

func (p *lockParser) attribute(name string, out *LockedPlugin) error {
	if !slices.Contains([]string{"version", "path", "connectors", "checksums"}, name) {
		return fmt.Errorf("%s is no attribute of a locked plugin", p.shown())
	}
	err := p.expect("=")
	if err != nil {
		return err
	}
	switch name {
	case "version":
		out.Version, err = p.str()
	case "path":
		out.Path, err = p.str()
	case "connectors":
		err = p.list(&out.Connectors)
	default:
		out.Checksums = map[string]string{}
		err = p.dict(out.Checksums)
	}
	return err
}

// list reads ["a", "b"].
func (p *lockParser) list(out *[]string) error {
	if err := p.expect("["); err != nil {
		return err
	}
	for {
		if err := p.next(); err != nil || p.tok == "]" {
			return err
		}
		if p.tok[:min(1, len(p.tok))] != `"` {
			return fmt.Errorf("%s stands where a string should", p.shown())
		}
		*out = append(*out, p.tok[1:])
		if err := p.next(); err != nil || p.tok == "]" {
			return err
		}
		if p.tok != "," {
			return fmt.Errorf("%s stands where a comma should", p.shown())
		}
	}
}

// dict reads { "a" = "b" } with an item to a line, or commas between them.
func (p *lockParser) dict(out map[string]string) error {
	if err := p.expect("{"); err != nil {
		return err
	}
	for fresh := true; ; {
		if err := p.next(); err != nil || p.tok == "}" {
			return err
		}
		if p.tok == "," && !fresh && !p.moved {
			fresh = true
			continue
		}
		if p.tok[:min(1, len(p.tok))] != `"` || !fresh && !p.moved {
			return fmt.Errorf("%s stands where the string of a platform should, on a line of its own", p.shown())
		}
		key := p.tok[1:]
		if _, twice := out[key]; twice {
			return fmt.Errorf("%q is set twice", key)
		}
		if err := p.expect("="); err != nil {
			return err
		}
		value, err := p.str()
		if err != nil {
			return err
		}
		out[key], fresh = value, false
	}
}

func (p *lockParser) str() (string, error) {
	if err := p.next(); err != nil {
		return "", err
	}
	if p.tok == "" || p.tok[0] != '"' || p.moved {
		return "", fmt.Errorf("%s stands where a string should", p.shown())
	}
	return p.tok[1:], nil
}

func (p *lockParser) expect(tok string) error {
	if err := p.next(); err != nil {
		return err
	}
	if p.tok != tok || p.moved {
		return fmt.Errorf("%s stands where %s should", p.shown(), tok)
	}
	return nil
}

// shown gives the token for a message.
func (p *lockParser) shown() string {
	if p.tok == "" {
		return "the end of the file"
	}
	return strconv.Quote(strings.TrimPrefix(p.tok, `"`))
}
