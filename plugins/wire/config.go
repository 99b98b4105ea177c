package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"github.com/unsilo/unsilo/core"
)

// ConfigToWire writes a configuration as JSON. Integers and floats stay apart: a float
// always has a fraction or an exponent.
func ConfigToWire(cfg core.Config) ([]byte, error) {
	doc := configDoc{Source: cfg.Source, Dir: cfg.Dir}
	var err error
	if doc.Values, err = mapToJSON(cfg.Values); err != nil {
		return nil, err
	}
	for _, s := range cfg.Streams {
		values, err := mapToJSON(s.Values)
		if err != nil {
			return nil, err
		}
		doc.Streams = append(doc.Streams, streamDoc{s.Name, values, s.Means, s.PrimaryKey, s.CursorField})
	}
	return json.Marshal(doc)
}

// ConfigFromWire reads what ConfigToWire wrote.
func ConfigFromWire(b []byte) (core.Config, error) {
	var doc configDoc
	if err := json.Unmarshal(b, &doc); err != nil {
		return core.Config{}, fmt.Errorf("read configuration: %w", err)
	}
	cfg := core.Config{Source: doc.Source, Dir: doc.Dir}
	var err error
	if cfg.Values, err = mapFromJSON(doc.Values); err != nil {
		return core.Config{}, err
	}
	for _, s := range doc.Streams {
		values, err := mapFromJSON(s.Values)
		if err != nil {
			return core.Config{}, err
		}
		cfg.Streams = append(cfg.Streams, core.StreamConfig{
			Name: s.Name, Values: values, Means: s.Means, PrimaryKey: s.PrimaryKey, CursorField: s.CursorField,
		})
	}
	return cfg, nil
}

type configDoc struct {
	Source  string                     `json:"source"`
	Dir     string                     `json:"dir"`
	Values  map[string]json.RawMessage `json:"values"`
	Streams []streamDoc                `json:"streams,omitempty"`
}

type streamDoc struct {
	Name        string                     `json:"name"`
	Values      map[string]json.RawMessage `json:"values"`
	Means       map[string]core.Means      `json:"means"`
	PrimaryKey  []string                   `json:"primary_key"`
	CursorField string                     `json:"cursor_field"`
}

func mapToJSON(m map[string]any) (map[string]json.RawMessage, error) {
	if m == nil {
		return nil, nil
	}
	out := make(map[string]json.RawMessage, len(m))
	for k, v := range m {
		b, err := valueToJSON(v)
		if err != nil {
			return nil, fmt.Errorf("write %s: %w", k, err)
		}
		out[k] = b
	}
	return out, nil
}

func mapFromJSON(m map[string]json.RawMessage) (map[string]any, error) {
	if m == nil {
		return nil, nil
	}
	out := make(map[string]any, len(m))
	for k, b := range m {
		v, err := valueFromJSON(b)
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", k, err)
		}
		out[k] = v
	}
	return out, nil
}

func valueToJSON(v any) ([]byte, error) {
	marked, err := markFloats(v)
	if err != nil {
		return nil, err
	}
	return json.Marshal(marked)
}

// markFloats writes every float with a fraction or an exponent, and refuses what is not
// in the list of core.FieldType.
func markFloats(v any) (any, error) {
	switch v := v.(type) {
	case nil, bool, string, int64:
		return v, nil
	case int:
		return int64(v), nil
	case float64:
		b, err := json.Marshal(v)
		if err == nil && !strings.ContainsAny(string(b), ".eE") {
			b = append(b, ".0"...)
		}
		return json.RawMessage(b), err
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			var err error
			if out[i], err = markFloats(e); err != nil {
				return nil, err
			}
		}
		return out, nil
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			var err error
			if out[k], err = markFloats(e); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("a value of type %T cannot cross to a plugin", v)
}

func valueFromJSON(b []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("there is more than one value")
	}
	return typeNumbers(v)
}

func typeNumbers(v any) (any, error) {
	var err error
	switch v := v.(type) {
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return v.Float64()
		}
		return v.Int64()
	case []any:
		for i := range v {
			if v[i], err = typeNumbers(v[i]); err != nil {
				return nil, err
			}
		}
	case map[string]any:
		for k := range v {
			if v[k], err = typeNumbers(v[k]); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}
