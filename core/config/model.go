package config

import (
	"fmt"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
)

// models reads model, identity and insight blocks as far as this package knows them:
// their names and what they refer to.
func (l *loader) models(blocks []*hclsyntax.Block) {
	for _, b := range blocks {
		if l.full() {
			return
		}
		l.project.Models = append(l.project.Models, l.block(b, false))
	}
}

// block makes the Block of a body that another package decodes; foreign is true when
// that package adds names of its own.
func (l *loader) block(b *hclsyntax.Block, foreign bool) Block {
	out := Block{Kind: b.Type, Name: b.Labels[len(b.Labels)-1], Body: b.Body, Range: rangeOf(b.DefRange())}
	if len(b.Labels) == 2 {
		out.Label = b.Labels[0]
	}
	whole := b.Range()
	if src := l.project.Files[whole.Filename]; whole.End.Byte <= len(src) {
		out.Source = src[whole.Start.Byte:whole.End.Byte]
	}
	out.Eval, out.Reads = l.references(b, foreign)
	return out
}

// connectors reads the connectors that the project declares.
func (l *loader) connectors(blocks []*hclsyntax.Block) {
	for _, b := range blocks {
		name := b.Labels[1]
		l.specs[name] = core.Spec{} // known, and not usable until its declaration is right
		if b.Labels[0] != "rest" {
			l.fail(b.LabelRanges[0], fmt.Sprintf("Unknown kind of connector %q", visible(b.Labels[0])),
				"Connectors can be declared on top of one kind.", didYouMean(b.Labels[0], []string{"rest"}, ""))
			continue
		}
		if _, builtin := l.opts.Spec(name); builtin {
			l.fail(b.LabelRanges[1], fmt.Sprintf("Connector %q exists already", name),
				"The program has a connector of this name.", fmt.Sprintf("Rename it, for example %q.", "my_"+name))
			continue
		}
		block := l.block(b, true)
		l.project.Connectors = append(l.project.Connectors, block)
		if l.opts.DeclareConnector == nil {
			l.fail(b.DefRange(), "Connectors cannot be declared here", "This command works without them.", "Remove the block.")
			continue
		}
		spec, problems := l.opts.DeclareConnector(block)
		l.declared = append(l.declared, problems...)
		if !problems.HasErrors() {
			spec.Name = name
			l.specs[name] = spec
		}
	}
}
