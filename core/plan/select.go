package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/unsilo/unsilo/core"
)

// selection narrows a plan to what the user named: "crm" or "source.crm", "crm.contacts"
// or "source.crm.contacts", "model.orders", "identity.person". Naming a stream takes the
// models that read it along; nothing named takes everything.
type selection struct {
	all     bool
	sources map[string]bool
	streams map[StreamName]bool
	// matched are those of streams that there are.
	matched map[StreamName]bool
	refs    map[string]bool
	// tainted are tables that selected steps write.
	tainted map[core.TableName]bool
}

func parseSelection(in Input) (selection, core.Diagnostics) {
	s := selection{all: len(in.Select) == 0, sources: map[string]bool{}, streams: map[StreamName]bool{}, matched: map[StreamName]bool{},
		refs: map[string]bool{}, tainted: map[core.TableName]bool{}}
	var ds core.Diagnostics
	var known, names []string
	for _, src := range in.Project.Sources {
		known, names = append(known, "source."+src.Name), append(names, src.Name)
	}
	for _, m := range in.Models {
		known = append(known, m.Ref().String())
	}
	for _, name := range in.Select {
		if slices.Contains(known, name) && !strings.HasPrefix(name, "source.") {
			s.refs[name] = true
			continue
		}
		source, stream, _ := strings.Cut(strings.TrimPrefix(name, "source."), ".")
		if !slices.Contains(known, "source."+source) {
			ds = append(ds, core.Diagnostic{Severity: core.SeverityError, Summary: fmt.Sprintf("nothing is called %q", name),
				Detail: fmt.Sprintf("The project has %s.", list(known)), Try: didYouMean(name, append(names, known...))})
			continue
		}
		if stream == "" {
			s.sources[source] = true
		} else {
			s.streams[StreamName{source, stream}] = true
		}
	}
	return s, ds
}

func (s selection) source(name string) bool {
	if s.all || s.sources[name] {
		return true
	}
	for n := range s.streams {
		if n.Source == name {
			return true
		}
	}
	return false
}

func (s selection) stream(source, name string) bool {
	taken := s.all || s.sources[source] || s.streams[StreamName{source, name}]
	if taken {
		s.tainted[core.RawTable(source, name)] = true
		s.matched[StreamName{source, name}] = true
	}
	return taken
}

func (s selection) model(ref core.Ref, inputs []core.TableName) bool {
	taken := s.all || s.refs[ref.String()]
	for _, in := range inputs {
		taken = taken || s.tainted[in]
	}
	if taken && ref.Kind == "identity" {
		s.tainted[core.TableName{Schema: core.SchemaIdentity, Name: ref.Name + "_map"}] = true
	} else if taken {
		s.tainted[core.TableName{Schema: core.SchemaMarts, Name: ref.Name}] = true
	}
	return taken
}

// Sources lists the sources that a selection needs to ask; in the order of the project.
func Sources(in Input) ([]string, core.Diagnostics) {
	sel, ds := parseSelection(in)
	var out []string
	for _, src := range in.Project.Sources {
		if sel.source(src.Name) {
			out = append(out, src.Name)
		}
	}
	return out, ds
}
