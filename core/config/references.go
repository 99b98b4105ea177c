package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"

	"github.com/unsilo/unsilo/core"
)

// use is a place where a block refers to a table.
type use struct {
	table core.TableName
	// maker is the block that builds the table, such as model.orders; "" for a source's.
	maker string
	at    hcl.Range
}

// tableRoots are the words that references to tables start with.
func tableRoots() []string { return []string{"source", "model", "identity", "insight"} }

// isolatedFunctions are functions without secret(): what these blocks say is stored and
// shown.
func (l *loader) isolatedFunctions() map[string]function.Function {
	fs := maps.Clone(l.base.Functions)
	delete(fs, "secret")
	delete(fs, "webhook")
	return fs
}

// references gives the evaluation context of a block's body, and the tables the body
// refers to. Names that a package defines for itself in such a body are foreign; when
// foreign is true they are left to it.
func (l *loader) references(b *hclsyntax.Block, foreign bool) (*hcl.EvalContext, []core.TableName) {
	r := resolver{loader: l, tree: map[string]any{}, owner: b}
	for _, expr := range expressions(b.Body) {
		l.checkSecretUse(expr, b)
		for _, t := range expr.Variables() {
			if l.full() {
				break
			}
			switch root := t.RootName(); {
			case root == "var" || root == "local":
				l.checkKnown(t)
			case foreign:
			case slices.Contains(tableRoots(), root):
				r.resolve(t)
			default:
				l.unknownRoot(t, slices.Concat(tableRoots(), []string{"var", "local"}))
			}
		}
	}
	ctx := l.base.NewChild()
	ctx.Functions = l.isolatedFunctions()
	ctx.Variables = map[string]cty.Value{}
	for root, tree := range r.tree {
		ctx.Variables[root] = treeValue(tree)
	}
	for _, expr := range expressions(b.Body) {
		if problem := checkCost(expr, ctx); problem != nil {
			l.diags = append(l.diags, problem)
		}
	}
	key := b.Type + "." + b.Labels[len(b.Labels)-1]
	l.uses[key] = r.uses
	return ctx, r.tables()
}

// expressions lists the expressions of a body and of the blocks in it, as they stand.
func expressions(body *hclsyntax.Body) []hclsyntax.Expression {
	var list []hclsyntax.Expression
	for _, attr := range inOrder(body.Attributes) {
		list = append(list, attr.Expr)
	}
	for _, inner := range body.Blocks {
		list = append(list, expressions(inner.Body)...)
	}
	return list
}

// checkSecretUse reports secrets where text is stored and shown.
func (l *loader) checkSecretUse(expr hclsyntax.Expression, b *hclsyntax.Block) {
	const detail = "What this block says is stored and shown; only source, privacy, alert and variable blocks take secrets."
	try := "Give the secret to the source that needs it."
	if b.Type == "connector" {
		try = "Declare a field with sensitive = true in the connector, and give the secret in the source block."
	}
	_ = hclsyntax.VisitAll(expr, func(n hclsyntax.Node) hcl.Diagnostics {
		switch n := n.(type) {
		case *hclsyntax.FunctionCallExpr:
			if n.Name == "secret" {
				l.fail(n.Range(), fmt.Sprintf("A secret cannot be used in block %q", b.Type), detail, try)
			}
		case *hclsyntax.ScopeTraversalExpr:
			if len(n.Traversal) > 1 && l.secretNames[n.Traversal.RootName()+"."+stepName(n.Traversal[1])] {
				l.fail(n.Range(), fmt.Sprintf("A secret cannot be used in block %q", b.Type), detail, try)
			}
		}
		return nil
	})
}

// checkRoots checks the names in an expression that may use only some of them.
func (l *loader) checkRoots(expr hclsyntax.Expression, roots ...string) bool {
	before := len(l.diags)
	for _, t := range expr.Variables() {
		switch root := t.RootName(); {
		case slices.Contains(roots, root) && (root == "var" || root == "local"):
			l.checkKnown(t)
		case slices.Contains(tableRoots(), root):
			l.fail(t.SourceRange(), fmt.Sprintf("A reference to %s cannot stand here", written(t)),
				"Only model, identity, insight and alert blocks read tables.", "Move it into the block that reads the table.")
		default:
			l.unknownRoot(t, roots)
		}
	}
	return len(l.diags) == before
}

func (l *loader) unknownRoot(t hcl.Traversal, roots []string) {
	try := didYouMean(t.RootName(), roots, "")
	if len(t) == 1 {
		try = fmt.Sprintf("Write %q in quotes if it is a text.", t.RootName())
	}
	l.fail(t.SourceRange(), fmt.Sprintf("Unknown name %q", t.RootName()), "Nothing in this place has this name.", try)
}

// checkKnown checks that a variable or local exists.
func (l *loader) checkKnown(t hcl.Traversal) {
	root := t.RootName()
	if len(t) < 2 || stepName(t[1]) == "" {
		l.fail(t.SourceRange(), fmt.Sprintf("%q needs a name", root), "A reference names one value.",
			fmt.Sprintf("Write %s.name.", root))
		return
	}
	name := stepName(t[1])
	if l.known[root][name] {
		return
	}
	kind, declare := "variable", fmt.Sprintf("Declare it: variable %q { default = ... }", name)
	if root == "local" {
		kind, declare = "local value", fmt.Sprintf("Declare it: locals { %s = ... }", name)
	}
	if near := suggest(name, sortedKeys(l.known[root])); near != "" {
		declare = fmt.Sprintf("Did you mean %q?", root+"."+near)
	}
	l.fail(t[1].SourceRange(), fmt.Sprintf("Unknown %s %q", kind, name), "No block declares it.", declare)
}

// stepName is the name in .name or ["name"]; "" when it is neither.
func stepName(step hcl.Traverser) string {
	switch step := step.(type) {
	case hcl.TraverseAttr:
		return step.Name
	case hcl.TraverseIndex:
		if step.Key.Type() == cty.String && step.Key.IsKnown() && !step.Key.IsNull() {
			return unmarked(step.Key)
		}
	case hcl.TraverseRoot:
		return step.Name
	}
	return ""
}

// written gives a reference as it stands in the file.
func written(t hcl.Traversal) string {
	var parts []string
	for _, step := range t {
		parts = append(parts, stepName(step))
	}
	return strings.Join(parts, ".")
}

// resolver turns the references of one block into the names of tables.
type resolver struct {
	loader *loader
	owner  *hclsyntax.Block
	tree   map[string]any
	uses   []use
}

func (r *resolver) resolve(t hcl.Traversal) {
	shape := map[string]string{
		"source": "source.NAME.STREAM", "identity": "identity.NAME.map", "model": "model.NAME", "insight": "insight.NAME",
	}[t.RootName()]
	steps := strings.Count(shape, ".") + 1
	path := make([]string, 0, len(t))
	for _, step := range t {
		path = append(path, stepName(step))
	}
	if len(t) > 1 && path[1] != "" && !r.exists(t, path) {
		return
	}
	if len(t) != steps || slices.Contains(path, "") {
		r.loader.fail(t.SourceRange(), fmt.Sprintf("Incomplete or too long reference %q", written(t)),
			"A reference names one table.", "Write it as "+shape+".")
		return
	}
	table, ok := r.table(t, path)
	if !ok {
		return
	}
	maker := path[0] + "." + path[1]
	if path[0] == "source" {
		maker = ""
	}
	r.uses = append(r.uses, use{table, maker, t.SourceRange()})
	plant(r.tree, path, quoted(table))
}

// exists checks that the block a reference names is in the project.
func (r *resolver) exists(t hcl.Traversal, path []string) bool {
	known := r.loader.blockNames(path[0])
	if slices.Contains(known, path[1]) {
		return true
	}
	try := didYouMean(path[1], known, fmt.Sprintf("Write a block: %s", blockExample(path[0], path[1])))
	for _, other := range tableRoots() {
		if near := suggest(path[1], known); near == "" && slices.Contains(r.loader.blockNames(other), path[1]) {
			try = fmt.Sprintf("Did you mean \"%s.%s\"?", other, path[1])
		}
	}
	r.loader.fail(t[1].SourceRange(), fmt.Sprintf("Unknown %s %q", path[0], path[1]),
		fmt.Sprintf("The project has no %s block of this name.", path[0]), try)
	return false
}

func blockExample(kind, name string) string {
	if kind == "source" {
		return fmt.Sprintf("source \"kind\" %q { ... }", name)
	}
	return fmt.Sprintf("%s %q { ... }", kind, name)
}

// blockNames lists the blocks of a type.
func (l *loader) blockNames(kind string) []string {
	var list []string
	for key := range l.project.blocks {
		if k, name, _ := strings.Cut(key, "."); k == kind && name != "" {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// table gives the table that a complete reference names.
func (r *resolver) table(t hcl.Traversal, path []string) (core.TableName, bool) {
	switch path[0] {
	case "source":
		if !r.stream(t, path) {
			return core.TableName{}, false
		}
		return core.RawTable(path[1], path[2]), true
	case "identity":
		return core.TableName{Schema: core.SchemaIdentity, Name: path[1] + "_" + path[2]}, true
	}
	return core.TableName{Schema: core.SchemaMarts, Name: path[1]}, true
}

// stream checks the stream of a reference. A source without stream blocks has all that
// its connector offers, which is not known here.
func (r *resolver) stream(t hcl.Traversal, path []string) bool {
	var known []string
	for _, b := range r.loader.project.blocks["source."+path[1]].Body.Blocks {
		if b.Type == "stream" && len(b.Labels) == 1 {
			known = append(known, b.Labels[0])
		}
	}
	if len(known) > 0 && !slices.Contains(known, path[2]) {
		r.loader.fail(t[2].SourceRange(), fmt.Sprintf("Unknown stream %q", path[2]),
			fmt.Sprintf("The block source.%s names its streams, and this is not among them.", path[1]),
			didYouMean(path[2], known, fmt.Sprintf("Add stream %q {} to source.%s.", path[2], path[1])))
		return false
	}
	if !nameSyntax.MatchString(path[2]) {
		r.loader.fail(t[2].SourceRange(), fmt.Sprintf("Invalid name %q", visible(path[2])), "No stream can have this name.", tryName(path[2]))
		return false
	}
	return true
}

// tables lists the tables used, sorted, each once.
func (r *resolver) tables() []core.TableName {
	var list []core.TableName
	for _, u := range r.uses {
		list = append(list, u.table)
	}
	slices.SortFunc(list, func(a, b core.TableName) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(list)
}

// quoted writes a table's name for SQL. Names are checked, so no quote can be in them.
func quoted(t core.TableName) string { return `"` + t.Schema + `"."` + t.Name + `"` }

// plant puts a leaf into a tree of maps.
func plant(tree map[string]any, path []string, leaf string) {
	for _, step := range path[:len(path)-1] {
		next, ok := tree[step].(map[string]any)
		if !ok {
			next = map[string]any{}
			tree[step] = next
		}
		tree = next
	}
	tree[path[len(path)-1]] = leaf
}

func treeValue(tree any) cty.Value {
	m, ok := tree.(map[string]any)
	if !ok {
		leaf, _ := tree.(string)
		return cty.StringVal(leaf)
	}
	attrs := map[string]cty.Value{}
	for k, v := range m {
		attrs[k] = treeValue(v)
	}
	return cty.ObjectVal(attrs)
}
