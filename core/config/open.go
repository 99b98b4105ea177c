package config

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/unsilo/unsilo/core"
)

// ConnectorConfig gives what a connector is opened with: the values of a source with
// every secret resolved and relative paths joined to the project's folder. Secrets that
// cannot be resolved are errors of KindConfig, joined, each with the reference, the
// source and attribute that asked, and its Path.
func (p *Project) ConnectorConfig(ctx context.Context, src Source, secrets *Secrets) (core.Config, error) {
	o := opening{ctx: ctx, secrets: secrets, source: src.Name, dir: p.Dir}
	cfg := core.Config{Source: src.Name, Dir: p.Dir, Values: o.values(src.Spec.Fields, src.Values, "")}
	for _, s := range src.Streams {
		cfg.Streams = append(cfg.Streams, core.StreamConfig{
			Name: s.Name, Values: o.values(src.Spec.StreamFields, s.Values, "stream."+s.Name+"."),
			Means: s.Means, PrimaryKey: s.PrimaryKey, CursorField: s.Cursor,
		})
	}
	if len(o.problems) > 0 {
		return core.Config{}, errors.Join(o.problems...)
	}
	for _, name := range []string{"user", "username", "login"} {
		if user, password := cfg.String(name), cfg.String("password"); user != "" && password != "" {
			secrets.hidePair(user, password)
		}
	}
	return cfg, nil
}

// opening resolves the values of one source.
type opening struct {
	ctx         context.Context
	secrets     *Secrets
	source, dir string
	problems    []error
}

func (o *opening) values(fields []core.Field, values map[string]any, prefix string) map[string]any {
	out := make(map[string]any, len(values))
	for _, f := range fields {
		v, ok := values[f.Name]
		if !ok {
			continue
		}
		v = o.resolve(v, prefix+f.Name)
		if f.Path {
			v = o.join(v)
		}
		out[f.Name] = v
	}
	return out
}

// resolve copies a value with its references resolved.
func (o *opening) resolve(v any, path string) any {
	switch v := v.(type) {
	case core.SecretRef:
		value, err := o.secrets.Resolve(o.ctx, v)
		if err == nil {
			return value
		}
		var cause *core.Error
		if errors.As(err, &cause) {
			err = &core.Error{
				Kind: core.KindConfig, Op: "open source " + o.source, Path: path, Try: cause.Try,
				Err: fmt.Errorf("%s asks for %s: %w", path, v, cause.Err),
			}
		}
		o.problems = append(o.problems, err)
		return nil
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = o.resolve(e, fmt.Sprintf("%s[%d]", path, i))
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for _, k := range sortedKeys(v) {
			out[k] = o.resolve(v[k], path+"."+k)
		}
		return out
	}
	return v
}

// join makes relative paths absolute; addresses such as s3://bucket/key stay.
func (o *opening) join(v any) any {
	switch v := v.(type) {
	case string:
		if v == "" || strings.Contains(v, "://") || filepath.IsAbs(v) {
			return v
		}
		return filepath.Join(o.dir, filepath.FromSlash(v))
	case []any:
		for i, e := range v {
			v[i] = o.join(e)
		}
	}
	return v
}
