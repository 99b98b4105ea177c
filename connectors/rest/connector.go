package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/hashicorp/hcl/v2"

	"github.com/unsilo/unsilo/core"
)

// Family is the plugin that serves every definition: unsilo-plugin-rest.
const Family = "rest"

// New makes a connector of a definition.
func New(def *Definition) core.Connector { return connector{def} }

type connector struct{ def *Definition }

// Spec describes the connector as its definition does.
func (c connector) Spec() core.Spec { return c.def.spec }

// Open evaluates the definition with the configuration. It sends nothing.
func (c connector) Open(_ context.Context, cfg core.Config) (core.Source, error) {
	return open(c.def, cfg)
}

// Connector returns the connector named "rest", whose configuration holds a definition.
// A plugin process serves it to run definitions that it does not contain; see AsGeneric.
func Connector() core.Connector { return generic{} }

type generic struct{}

// The fields of the generic connector.
const (
	fieldDefinition = "definition"
	fieldConfig     = "config"
)

// Spec describes the generic connector.
func (generic) Spec() core.Spec {
	return core.Spec{
		Name: "rest", Family: Family, Version: "0.1.0",
		Summary: "Any HTTP API, from a definition in HCL",
		Doc:     "Write a connector \"rest\" block and use its name as the kind of a source; this connector is what runs it.",
		Fields: []core.Field{
			{Name: fieldDefinition, Type: core.TypeString, Required: true, Help: "the connector block, as HCL text"},
			{Name: fieldConfig, Type: core.TypeAny, Secret: true, Help: "the fields that the definition declares"},
		},
		Dynamic:       true,
		TestedAgainst: "simulator",
	}
}

// Open parses the definition and opens it with the nested configuration.
func (generic) Open(_ context.Context, cfg core.Config) (core.Source, error) {
	def, diags := Parse([]byte(cfg.String(fieldDefinition)), fieldDefinition, hcl.Pos{})
	if diags.HasErrors() {
		return nil, &core.Error{Kind: core.KindConfig, Op: "read definition", Path: fieldDefinition, Err: firstFault(diags)}
	}
	values, err := configValues(cfg.Values[fieldConfig])
	if err != nil {
		return nil, err
	}
	cfg.Values = values
	return open(def, cfg)
}

func firstFault(diags hcl.Diagnostics) error {
	for _, d := range diags {
		if d.Severity == hcl.DiagError {
			return fmt.Errorf("%s: %s %s", d.Subject, d.Summary, d.Detail)
		}
	}
	return errors.New("no fault")
}

// configValues reads the nested configuration: an object, or its JSON text.
func configValues(v any) (map[string]any, error) {
	switch v := v.(type) {
	case nil:
		return map[string]any{}, nil
	case map[string]any:
		return v, nil
	case string:
		var out map[string]any
		if err := json.Unmarshal([]byte(v), &out); err == nil {
			return out, nil
		}
	}
	return nil, &core.Error{Kind: core.KindConfig, Op: "read configuration", Path: fieldConfig, Err: errors.New("config is not an object")}
}

// AsGeneric turns the configuration of a definition's connector into one for Connector,
// so that a plugin process which lacks the definition can open it:
//
//	spec := rest.New(def).Spec()                  // spec.PluginFamily() is "rest"
//	source, err := plugin.Connector("rest").Open(ctx, rest.AsGeneric(def, cfg))
//
// Streams and everything after Open are the same on both ways.
func AsGeneric(def *Definition, cfg core.Config) core.Config {
	cfg.Values = map[string]any{fieldDefinition: def.text, fieldConfig: cfg.Values}
	return cfg
}

// Embedded makes a connector of a definition that is part of the program. The text is
// parsed when the connector is first used; a fault in it, a defect of the program, is
// what Open then returns.
func Embedded(name, text string) core.Connector {
	return embedded{name: name, def: sync.OnceValues(func() (*Definition, error) {
		def, diags := Parse([]byte(text), name+".hcl", hcl.Pos{})
		if diags.HasErrors() {
			return nil, &core.Error{Kind: core.KindInternal, Op: "parse definition of " + name, Err: firstFault(diags)}
		}
		return def, nil
	})}
}

type embedded struct {
	name string
	def  func() (*Definition, error)
}

// Spec describes the connector as its definition does.
func (c embedded) Spec() core.Spec {
	def, err := c.def()
	if err != nil {
		return core.Spec{Name: c.name, Family: Family}
	}
	return def.spec
}

// Open opens the definition.
func (c embedded) Open(_ context.Context, cfg core.Config) (core.Source, error) {
	def, err := c.def()
	if err != nil {
		return nil, err
	}
	return open(def, cfg)
}
