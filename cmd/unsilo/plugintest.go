package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
)

// reportConformance runs the contract against a connector and shows rule by rule.
func (a *app) reportConformance(ctx context.Context, c core.Connector, settings []string, stream string) error {
	values, err := parseSettings(c.Spec().Fields, settings)
	if err != nil {
		return err
	}
	dir, err := filepath.Abs(a.dir)
	if err != nil {
		return fmt.Errorf("find folder: %w", err)
	}
	tested := coretest.ConnectorCase{Connector: c, Config: core.Config{Source: "test", Dir: dir, Values: values}}
	if stream != "" {
		tested.Streams = []string{stream}
	}
	report := coretest.Conformance(ctx, tested)
	g := grid{columns: []string{"rule", "outcome", "detail"}, extra: map[string]any{"connector": report.Connector, "version": report.Version, "failed": report.Failed()}}
	for _, r := range report.Results {
		detail := r.Detail
		if r.Outcome != coretest.Pass && detail == "" {
			detail = r.Rule
		}
		g.add(r.ID, string(r.Outcome), detail)
	}
	if err := a.show(g); err != nil {
		return err
	}
	if report.Failed() > 0 {
		return exited{exitFailed}
	}
	return nil
}

// parseSettings reads name=value pairs by the types of a connector's fields and fills in
// the defaults, as a source block would.
func parseSettings(fields []core.Field, settings []string) (map[string]any, error) {
	values, byName := map[string]any{}, map[string]core.Field{}
	var names []string
	for _, f := range fields {
		byName[f.Name], names = f, append(names, f.Name)
		if f.Default != nil {
			values[f.Name] = f.Default
		}
	}
	for _, s := range settings {
		name, text, ok := strings.Cut(s, "=")
		f, known := byName[name]
		if !ok || !known {
			return nil, usageError{fmt.Errorf("--set %q is not name=value with a name of: %s", name, strings.Join(names, ", "))}
		}
		v, err := parseSetting(f.Type, text)
		if err != nil {
			return nil, usageError{fmt.Errorf("--set %s: %w", name, err)}
		}
		values[name] = v
	}
	return values, nil
}

func parseSetting(t core.FieldType, text string) (any, error) {
	switch t {
	case core.TypeInt:
		return strconv.ParseInt(text, 10, 64)
	case core.TypeFloat:
		return strconv.ParseFloat(text, 64)
	case core.TypeBool:
		return strconv.ParseBool(text)
	case core.TypeStrings:
		var list []any
		for _, s := range strings.Split(text, ",") {
			list = append(list, s)
		}
		return list, nil
	}
	return text, nil
}
