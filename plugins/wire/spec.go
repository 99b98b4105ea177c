package wire

import (
	"fmt"

	"github.com/unsilo/unsilo/core"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// SpecToWire converts a connector's description.
func SpecToWire(s core.Spec) (*wirev1.Spec, error) {
	fields, err := specFieldsToWire(s.Fields)
	if err != nil {
		return nil, err
	}
	streamFields, err := specFieldsToWire(s.StreamFields)
	if err != nil {
		return nil, err
	}
	return &wirev1.Spec{
		Name: s.Name, Family: s.Family, Version: s.Version, Summary: s.Summary, Doc: s.Doc,
		Fields: fields, StreamFields: streamFields, Dynamic: s.Dynamic, Hosts: s.Hosts,
		TestedAgainst: s.TestedAgainst,
	}, nil
}

// SpecFromWire converts a connector's description.
func SpecFromWire(w *wirev1.Spec) (core.Spec, error) {
	fields, err := specFieldsFromWire(w.GetFields())
	if err != nil {
		return core.Spec{}, err
	}
	streamFields, err := specFieldsFromWire(w.GetStreamFields())
	if err != nil {
		return core.Spec{}, err
	}
	return core.Spec{
		Name: w.GetName(), Family: w.GetFamily(), Version: w.GetVersion(), Summary: w.GetSummary(), Doc: w.GetDoc(),
		Fields: fields, StreamFields: streamFields, Dynamic: w.GetDynamic(), Hosts: w.GetHosts(),
		TestedAgainst: w.GetTestedAgainst(),
	}, nil
}

func specFieldsToWire(fields []core.Field) ([]*wirev1.Field, error) {
	var out []*wirev1.Field
	for _, f := range fields {
		w := &wirev1.Field{
			Name: f.Name, Type: string(f.Type), Help: f.Help, Required: f.Required,
			Secret: f.Secret, Enum: f.Enum, Path: f.Path,
		}
		if f.Default != nil {
			var err error
			if w.Default, err = valueToJSON(f.Default); err != nil {
				return nil, fmt.Errorf("default of field %s: %w", f.Name, err)
			}
		}
		out = append(out, w)
	}
	return out, nil
}

func specFieldsFromWire(fields []*wirev1.Field) ([]core.Field, error) {
	var out []core.Field
	for _, w := range fields {
		f := core.Field{
			Name: w.GetName(), Type: core.FieldType(w.GetType()), Help: w.GetHelp(), Required: w.GetRequired(),
			Secret: w.GetSecret(), Enum: w.GetEnum(), Path: w.GetPath(),
		}
		if w.Default != nil {
			var err error
			if f.Default, err = valueFromJSON(w.GetDefault()); err != nil {
				return nil, fmt.Errorf("default of field %s: %w", f.Name, err)
			}
		}
		out = append(out, f)
	}
	return out, nil
}
