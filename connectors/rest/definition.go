package rest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
)

// Definition describes one API. It is never changed after Parse and can be used by any
// number of connectors.
type Definition struct {
	spec    core.Spec
	text    string
	client  clientDef
	auth    authDef
	budgets []budgetDef
	retry   retryDef
	rules   []ruleDef
	check   *requestDef
	streams []*streamDef
}

// Name is the connector's name, the last label of its block.
func (d *Definition) Name() string { return d.spec.Name }

// Text is the HCL that Parse read.
func (d *Definition) Text() string { return d.text }

const (
	maxDefinition = 1 << 20
	maxNesting    = 64
)

// Parse reads one block connector "rest" "name" { … } and checks it as far as that can
// be done without configuration. start is where src begins in the file; its zero value
// means the file's first byte.
func Parse(src []byte, filename string, start hcl.Pos) (*Definition, hcl.Diagnostics) {
	if start == (hcl.Pos{}) {
		start = hcl.InitialPos
	}
	if diags := guard(src, filename, start); diags.HasErrors() {
		return nil, diags
	}
	file, diags := hclsyntax.ParseConfig(src, filename, start)
	if diags.HasErrors() {
		return nil, diags
	}
	var blocks fileBlock
	diags = append(diags, gohcl.DecodeBody(file.Body, nil, &blocks)...)
	if diags.HasErrors() {
		return nil, diags
	}
	c := &compiler{functions: functions(), diags: diags}
	if len(blocks.Connectors) != 1 {
		rng := hcl.Range{Filename: filename, Start: start, End: start}
		c.fail(rng, "One connector block is wanted", fmt.Sprintf("There are %d.", len(blocks.Connectors)))
		return nil, c.diags
	}
	d := c.connector(blocks.Connectors[0])
	d.text = string(src)
	if c.diags.HasErrors() {
		return nil, sortDiagnostics(c.diags)
	}
	return d, c.diags
}

// guard refuses text that would cost too much to parse.
func guard(src []byte, filename string, start hcl.Pos) hcl.Diagnostics {
	depth, deepest := 0, 0
	for _, b := range src {
		switch b {
		case '{', '[', '(':
			depth++
			deepest = max(deepest, depth)
		case '}', ']', ')':
			depth--
		}
	}
	if len(src) <= maxDefinition && deepest <= maxNesting {
		return nil
	}
	rng := hcl.Range{Filename: filename, Start: start, End: start}
	return hcl.Diagnostics{{Severity: hcl.DiagError, Summary: "Definition is too large", Subject: &rng,
		Detail: fmt.Sprintf("A definition has at most %d bytes and brackets nest at most %d deep.", maxDefinition, maxNesting)}}
}

// fail notes a fault.
func (c *compiler) fail(rng hcl.Range, summary, detail string) {
	c.diags = append(c.diags, &hcl.Diagnostic{Severity: hcl.DiagError, Summary: summary, Detail: detail, Subject: rng.Ptr()})
}

// oneOf checks a word against a closed list; empty takes the first of the list.
func (c *compiler) oneOf(rng hcl.Range, what, word string, known ...string) string {
	if word == "" {
		return known[0]
	}
	if !slices.Contains(known, word) {
		c.fail(rng, fmt.Sprintf("Unknown %s %q", what, word), hint(word, known))
	}
	return word
}

// duration reads a constant duration; empty gives the default.
func (c *compiler) duration(rng hcl.Range, what, text string, otherwise time.Duration) time.Duration {
	if text == "" {
		return otherwise
	}
	d, err := core.ParseDuration(text)
	if err != nil || d < 0 {
		c.fail(rng, "Invalid "+what, fmt.Sprintf("%q is not a duration: write it like 90s, 15m, 24h, 7d or 2w.", text))
	}
	return d
}

// single takes the one block of its kind that may stand there.
func single[T any](c *compiler, what string, blocks []T, rng func(T) hcl.Range) (one T, ok bool) {
	if len(blocks) > 1 {
		c.fail(rng(blocks[1]), "Only one "+what+" block may stand here", "Remove one of them.")
	}
	if len(blocks) == 0 {
		return one, false
	}
	return blocks[0], true
}

func (c *compiler) connector(b connectorBlock) *Definition {
	d := &Definition{spec: core.Spec{Name: b.Name, Family: Family, Version: b.Version, Summary: b.Summary, Doc: b.Doc,
		TestedAgainst: b.TestedAgainst}}
	if b.Label != "rest" {
		c.fail(b.Range, fmt.Sprintf("Unknown connector kind %q", b.Label), hint(b.Label, []string{"rest"}))
	}
	d.spec.Fields = c.fields(b.Fields)
	d.spec.StreamFields = c.fields(b.StreamFields)
	client, ok := single(c, "client", b.Client, func(b clientBlock) hcl.Range { return b.Range })
	if !ok {
		c.fail(b.Range, "A client block is missing", "Add client { base_url = … }.")
	} else {
		d.client = c.client(client)
	}
	auth, ok := single(c, "auth", b.Auth, func(b authBlock) hcl.Range { return b.Range })
	if !ok {
		auth.Kind = "none"
	}
	d.auth = c.auth(auth)
	d.budgets = c.budgets(b.Budgets)
	retry, _ := single(c, "retry", b.Retry, func(b retryBlock) hcl.Range { return b.Range })
	d.retry = c.retry(retry)
	d.rules = c.rules(b.Rules)
	if check, ok := single(c, "check", b.Check, func(b requestBlock) hcl.Range { return b.Range }); ok {
		d.check = c.request(check, "config")
	}
	for _, s := range b.Streams {
		d.streams = append(d.streams, c.stream(s))
	}
	if len(d.streams) == 0 {
		c.fail(b.Range, "A connector needs at least one stream", `Add stream "name" { path = … }.`)
	}
	c.links(d, b)
	return d
}

// links checks names that refer to other blocks.
func (c *compiler) links(d *Definition, b connectorBlock) {
	names := map[string]bool{}
	for i, s := range d.streams {
		if names[s.name] {
			c.fail(b.Streams[i].Range, fmt.Sprintf("Stream %q appears twice", s.name), "Give one of them another name.")
		}
		names[s.name] = true
		for _, budget := range s.budgetNames() {
			if !slices.ContainsFunc(d.budgets, func(b budgetDef) bool { return b.name == budget }) {
				c.fail(b.Streams[i].Range, fmt.Sprintf("Unknown budget %q", budget), `Add budget "`+budget+`" { … }.`)
			}
		}
	}
	for i, s := range d.streams {
		if s.partition != nil && s.partition.stream != "" {
			c.parent(d, s, b.Streams[i].Range)
		}
		c.configRefs(d, s.exprs())
	}
	c.configRefs(d, d.exprs())
}

// exprs are the expressions outside of streams.
func (d *Definition) exprs() []*expr {
	a := d.auth
	out := []*expr{d.client.baseURL, d.client.headers, d.client.allowHosts, a.token, a.username, a.password, a.value, a.tokenURL,
		a.clientID, a.clientSecret, a.refreshToken, a.scopes, a.params}
	for _, r := range []*requestDef{a.login, d.check} {
		if r != nil {
			out = append(out, r.exprs()...)
		}
	}
	for _, b := range d.budgets {
		out = append(out, b.requests)
	}
	for _, r := range d.rules {
		out = append(out, r.when, r.message, r.wait)
	}
	return out
}

// parent checks that a stream's chain of parents ends.
func (c *compiler) parent(d *Definition, s *streamDef, rng hcl.Range) {
	seen := map[string]bool{}
	for at := s; at.partition != nil && at.partition.stream != ""; {
		if seen[at.name] {
			c.fail(rng, "Streams are each other's parents", "Stream "+s.name+" depends on itself.")
			return
		}
		seen[at.name] = true
		parent := d.stream(at.partition.stream)
		if parent == nil {
			var names []string
			for _, s := range d.streams {
				names = append(names, s.name)
			}
			c.fail(rng, fmt.Sprintf("Unknown stream %q", at.partition.stream), hint(at.partition.stream, names))
			return
		}
		at = parent
	}
}

// configRefs checks that every config.x and option.x is declared.
func (c *compiler) configRefs(d *Definition, exprs []*expr) {
	for _, x := range exprs {
		c.declared(x, "config", d.spec.Fields)
		c.declared(x, "option", d.spec.StreamFields)
	}
}

func (c *compiler) declared(x *expr, root string, fields []core.Field) {
	if x == nil {
		return
	}
	var names []string
	for _, f := range fields {
		names = append(names, f.Name)
	}
	for _, r := range x.refs {
		if r.root == root && len(r.path) > 0 && !slices.Contains(names, r.path[0]) {
			c.fail(x.src.Range(), fmt.Sprintf("%s.%s is not declared", root, r.path[0]), hint(r.path[0], names))
		}
	}
}

// stream finds a stream by name.
func (d *Definition) stream(name string) *streamDef {
	for _, s := range d.streams {
		if s.name == name {
			return s
		}
	}
	return nil
}

// fields declares configuration.
func (c *compiler) fields(blocks []fieldBlock) []core.Field {
	var out []core.Field
	types := []string{"string", "int", "float", "bool", "duration", "strings", "map", "any"}
	for _, b := range blocks {
		f := core.Field{Name: b.Name, Help: b.Help, Required: b.Required, Secret: b.Secret, Enum: b.Enum,
			Type: core.FieldType(c.oneOf(b.Range, "type", b.Type, types...))}
		if x := c.compile(b.Default); x != nil {
			v, err := x.eval(nil)
			if err != nil {
				c.fail(b.Range, "Invalid default", err.Error())
				continue
			}
			if f.Default, err = fieldValue(f.Type, toPlain(v)); err != nil {
				c.fail(b.Range, "Invalid default", err.Error())
			}
		}
		if slices.ContainsFunc(out, func(o core.Field) bool { return o.Name == f.Name }) {
			c.fail(b.Range, fmt.Sprintf("Field %q appears twice", f.Name), "Give one of them another name.")
		}
		out = append(out, f)
	}
	return out
}

// path splits a dotted path; "" and "$" are the root.
func splitPath(path string) []string {
	path = strings.TrimPrefix(strings.TrimPrefix(path, "$"), ".")
	if path == "" {
		return nil
	}
	return strings.Split(path, ".")
}
