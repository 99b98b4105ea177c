package coretest

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/unsilo/unsilo/core"
)

func describeRules() []connectorRule {
	return []connectorRule{
		{"spec.valid", "The description is complete: a name for the configuration, a summary, and fields with " +
			"distinct names, known types, help, and defaults of their type.", specValid},
		{"spec.stable", "Spec gives the same answer every time; it is data and does no work.", specStable},
		{"config.refused", "A wrong configuration is refused by Open or Check with an Error of KindConfig whose Path " +
			"names the attribute, so that the user is shown the line.", configRefused},
		{"check.accepts", "Check accepts good credentials within a few seconds.", checkAccepts},
		{"streams.valid", "Every stream has a distinct name, a schema with distinct columns, keys and cursor among " +
			"them, and meanings from the vocabulary.", streamsValid},
		{"streams.stable", "Streams gives the same streams in the same order every time.", streamsStable},
	}
}

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

func specValid(s *connectorSuite) error {
	if s.specErr != nil {
		return s.specErr
	}
	var errs []error
	if !namePattern.MatchString(s.spec.Name) {
		errs = append(errs, fmt.Errorf("the name %q is not of the form %s", s.spec.Name, namePattern))
	}
	if !namePattern.MatchString(s.spec.PluginFamily()) {
		errs = append(errs, fmt.Errorf("the family %q is not of the form %s", s.spec.PluginFamily(), namePattern))
	}
	if strings.TrimSpace(s.spec.Summary) == "" || strings.Contains(s.spec.Summary, "\n") {
		errs = append(errs, errors.New("the summary is not one line"))
	}
	if s.spec.Version == "" {
		errs = append(errs, errors.New("there is no version"))
	}
	return errors.Join(append(errs, fieldsValid(s.spec.Fields), fieldsValid(s.spec.StreamFields))...)
}

func fieldsValid(fields []core.Field) error {
	var errs []error
	seen := map[string]bool{}
	for _, f := range fields {
		bad := func(format string, args ...any) {
			errs = append(errs, fmt.Errorf("field %q: "+format, append([]any{f.Name}, args...)...))
		}
		if !namePattern.MatchString(f.Name) || seen[f.Name] {
			bad("the name is taken, or not of the form %s", namePattern)
		}
		seen[f.Name] = true
		if strings.TrimSpace(f.Help) == "" {
			bad("there is no help")
		}
		if f.Required && f.Default != nil {
			bad("it is required and has a default")
		}
		if f.Secret && f.Default != nil {
			bad("a secret has a default")
		}
		if f.Default != nil && !hasType(f.Default, f.Type) {
			bad("the default %T is no %s", f.Default, f.Type)
		}
		if !hasType(zeroOf(f.Type), f.Type) {
			bad("the type %q does not exist", f.Type)
		}
		if text, ok := f.Default.(string); ok && len(f.Enum) > 0 && !slices.Contains(f.Enum, text) {
			bad("the default is not among the allowed values")
		}
	}
	return errors.Join(errs...)
}

// zeroOf gives a value of the type; of an unknown type, one that no type has.
func zeroOf(t core.FieldType) any {
	values := map[core.FieldType]any{
		core.TypeString: "", core.TypeInt: int64(0), core.TypeFloat: 0.0, core.TypeBool: false, core.TypeDuration: "1s",
		core.TypeStrings: []any{}, core.TypeMap: map[string]any{}, core.TypeAny: "",
	}
	if v, ok := values[t]; ok {
		return v
	}
	return struct{}{}
}

func hasType(v any, t core.FieldType) bool {
	switch v := v.(type) {
	case string:
		if t == core.TypeDuration {
			_, err := core.ParseDuration(v)
			return err == nil
		}
		return t == core.TypeString || t == core.TypeAny
	case int64:
		return t == core.TypeInt || t == core.TypeAny
	case float64:
		return t == core.TypeFloat || t == core.TypeAny
	case bool:
		return t == core.TypeBool || t == core.TypeAny
	case []any:
		return t == core.TypeStrings || t == core.TypeAny
	case map[string]any:
		return t == core.TypeMap || t == core.TypeAny
	}
	return false
}

func specStable(s *connectorSuite) error {
	if again := s.Connector.Spec(); !reflect.DeepEqual(again, s.spec) {
		return errors.New("two calls of Spec differ")
	}
	return nil
}

func configRefused(s *connectorSuite) error {
	if len(s.BadConfigs) == 0 {
		return skipped("the case has no bad configurations")
	}
	var errs []error
	for i, cfg := range s.BadConfigs {
		err := s.openAndCheck(cfg)
		var e *core.Error
		switch {
		case err == nil:
			errs = append(errs, fmt.Errorf("bad configuration %d was accepted", i))
		case !errors.As(err, &e):
			errs = append(errs, fmt.Errorf("bad configuration %d: the error %q is no core.Error", i, err))
		case e.Kind != core.KindConfig || e.Path == "":
			errs = append(errs, fmt.Errorf("bad configuration %d: kind %q and path %q in %q", i, e.Kind, e.Path, err))
		}
	}
	return errors.Join(errs...)
}

// openAndCheck gives the first error a configuration meets.
func (s *connectorSuite) openAndCheck(cfg core.Config) error {
	src, err := s.Connector.Open(s.ctx, cfg)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := src.Check(s.ctx); err != nil {
		return err
	}
	_, err = src.Streams(s.ctx)
	return err
}

func checkAccepts(s *connectorSuite) error {
	return s.with(func(src core.Source) error {
		return within(10*time.Second, "Check", func() error { return src.Check(s.ctx) })
	})
}

func streamsStable(s *connectorSuite) error {
	first, err := s.list()
	if err != nil {
		return err
	}
	again := newConnectorSuite(s.ctx, s.ConnectorCase)
	second, err := again.list()
	if err != nil {
		return err
	}
	if len(first) != len(second) {
		return fmt.Errorf("%d streams, then %d", len(first), len(second))
	}
	for i, a := range first {
		b := second[i]
		same := a.Schema != nil && b.Schema != nil && a.Schema.Equal(b.Schema)
		a.Schema, b.Schema = nil, nil
		a.EstimatedRows, b.EstimatedRows = 0, 0
		if !same || !reflect.DeepEqual(a, b) {
			return fmt.Errorf("stream %d, %q and %q, differs between two calls", i, a.Name, b.Name)
		}
	}
	return nil
}

func streamsValid(s *connectorSuite) error {
	seen := map[string]bool{}
	return s.each(func(stream core.Stream) error {
		lower := strings.ToLower(stream.Name)
		if stream.Name == "" || seen[lower] {
			return errors.New("the name is empty or taken")
		}
		seen[lower] = true
		return streamValid(stream)
	})
}

func streamValid(stream core.Stream) error {
	if stream.Schema == nil || stream.Schema.NumFields() == 0 {
		return errors.New("it has no columns")
	}
	var errs []error
	columns := map[string]bool{}
	for _, f := range stream.Schema.Fields() {
		if lower := strings.ToLower(f.Name); f.Name == "" || columns[lower] {
			errs = append(errs, fmt.Errorf("column %q: the name is empty or taken", f.Name))
		} else {
			columns[lower] = true
		}
		if m := core.MeansOf(f); m != "" && !m.Valid() {
			errs = append(errs, fmt.Errorf("column %q: the meaning %q is not in the vocabulary", f.Name, m))
		}
	}
	refer := func(what string, names ...string) {
		for _, name := range names {
			if _, ok := stream.Field(name); name != "" && !ok {
				errs = append(errs, fmt.Errorf("%s names column %q, which the schema has not", what, name))
			}
		}
	}
	refer("the key", stream.PrimaryKey...)
	refer("the cursor", append(slices.Clone(stream.Cursor.TieBreak), stream.Cursor.Field)...)
	refer("the delete flag", stream.DeleteField)
	for _, m := range stream.Maps {
		for _, from := range m.Columns {
			if !strings.HasPrefix(from, "=") {
				refer("the mapping to "+m.Table, from)
			}
		}
	}
	switch stream.Deletes {
	case "", core.DeleteNone, core.DeleteFeed:
	case core.DeleteFlag:
		if stream.DeleteField == "" {
			errs = append(errs, errors.New("deletes are flagged by no column"))
		}
	case core.DeleteReconcile:
		if len(stream.PrimaryKey) == 0 {
			errs = append(errs, errors.New("deletes are reconciled without a key"))
		}
	default:
		errs = append(errs, fmt.Errorf("the delete mode %q does not exist", stream.Deletes))
	}
	return errors.Join(errs...)
}
