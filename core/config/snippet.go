package config

import (
	"bytes"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
)

const (
	maxSnippetLines = 5
	maxSnippetWidth = 240
	// maxLine bounds the bytes of a line that are looked at: more than are shown.
	maxLine = 4096
	// sensitive stands where a secret was.
	sensitive = "(sensitive)"
)

// snippets shows places of files: the lines, and the blocks around them.
type snippets struct {
	files  map[string][]byte
	bodies map[string]*hclsyntax.Body
}

// newSnippets prepares to show files with the hidden places replaced. Files that are not
// among the bodies are parsed when they are needed.
func newSnippets(files map[string][]byte, hidden []hcl.Range, bodies map[string]*hclsyntax.Body) *snippets {
	s := &snippets{files: map[string][]byte{}, bodies: map[string]*hclsyntax.Body{}}
	maps.Copy(s.files, files)
	maps.Copy(s.bodies, bodies)
	cloned := map[string]bool{}
	for _, h := range hidden {
		src := s.files[h.Filename]
		if h.Start.Byte >= h.End.Byte || h.End.Byte > len(src) {
			continue
		}
		if !cloned[h.Filename] {
			src = bytes.Clone(src)
			s.files[h.Filename], cloned[h.Filename] = src, true
		}
		blank(src[h.Start.Byte:h.End.Byte])
	}
	return s
}

// blank overwrites text with zero bytes, which safeLine replaces; line ends stay.
func blank(text []byte) {
	for i, b := range text {
		if b != '\n' {
			text[i] = 0
		}
	}
}

// Snippet gives the lines of a place in the project's files; secrets written there are
// replaced. It is empty for a place that is in none of them.
func (p *Project) Snippet(r core.Range) string {
	return p.snippets().text(r)
}

func (p *Project) snippets() *snippets { return newSnippets(p.Files, p.hidden, p.bodies) }

func (s *snippets) text(r core.Range) string {
	src, ok := s.files[r.File]
	if !ok || r.Line < 1 || len(src) > maxFileSize {
		return ""
	}
	var out []string
	number := 0
	for line := range bytes.Lines(src) {
		number++
		if number < r.Line {
			continue
		}
		if number > max(r.EndLine, r.Line) || len(out) == maxSnippetLines {
			break
		}
		// A range that ends before the first column ends with the line before.
		if number > r.Line && number == r.EndLine && r.EndColumn <= 1 {
			break
		}
		out = append(out, safeLine(string(bytes.TrimRight(line, "\r\n"))))
	}
	return strings.Join(out, "\n")
}

// safeLine makes a line of a file fit to be shown: hidden bytes and what looks like a
// secret are replaced, control characters too, and it is cut to a bearable length.
func safeLine(line string) string {
	line = line[:min(len(line), maxLine)]
	line = hiddenRun.ReplaceAllString(line, sensitive)
	line = secretAssignment.ReplaceAllStringFunc(line, hideAssignment)
	line = userInfo.ReplaceAllString(line, "://$1:"+sensitive+"@")
	runes := []rune(visible(line))
	if len(runes) > maxSnippetWidth {
		return string(runes[:maxSnippetWidth]) + "…"
	}
	return string(runes)
}

var hiddenRun = regexp.MustCompile("\x00+")

// secretAssignment finds a quoted text given to a name that sounds secret. It is the net
// below the exact knowledge of hidden places, for files that do not parse.
var secretAssignment = regexp.MustCompile(
	`(?i)([\w.-]*(?:password|passwd|passphrase|secret|token|api_?key|private_?key|credential)[\w.-]*)("?\s*[=:]\s*)"[^"]*"?`)

func hideAssignment(match string) string {
	m := secretAssignment.FindStringSubmatch(match)
	for _, harmless := range []string{"_url", "_path", "_param", "_field", "_name", "_header"} {
		if strings.HasSuffix(strings.ToLower(m[1]), harmless) {
			return match
		}
	}
	return m[1] + m[2] + sensitive
}

// userInfo finds the password in a URL.
var userInfo = regexp.MustCompile(`://([^/\s:@"]*):([^@\s"/$]+)@`)

// context names the blocks around a place, outermost first.
func (s *snippets) context(r core.Range) string {
	body, ok := s.bodies[r.File]
	if !ok {
		body = s.parse(r.File)
		s.bodies[r.File] = body
	}
	var names []string
	for body != nil {
		inner := (*hclsyntax.Block)(nil)
		for _, b := range body.Blocks {
			if span := b.Range(); span.Start.Line <= r.Line && r.EndLine <= span.End.Line {
				inner = b
			}
		}
		if inner == nil {
			break
		}
		names = append(names, header(inner))
		body = inner.Body
	}
	return strings.Join(names, ", ")
}

func (s *snippets) parse(name string) *hclsyntax.Body {
	src, ok := s.files[name]
	if !ok || guard(name, src) != nil {
		return nil
	}
	file, _ := hclsyntax.ParseConfig(src, name, hcl.InitialPos)
	if file == nil {
		return nil
	}
	body, _ := file.Body.(*hclsyntax.Body)
	return body
}

// header writes a block's type and labels as they stand in HCL.
func header(b *hclsyntax.Block) string {
	parts := []string{visible(b.Type)}
	for _, label := range b.Labels {
		parts = append(parts, fmt.Sprintf("%q", visible(label)))
	}
	return strings.Join(parts, " ")
}
