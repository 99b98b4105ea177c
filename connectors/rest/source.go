package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

// source is an opened definition. Its methods may be called concurrently.
type source struct {
	def         *Definition
	cfg         core.Config
	vars        scope // config
	redact      *redactor
	client      *client
	auth        authenticator
	authLimiter *limiter
	limiters    map[string]*limiter // by budget; "" is for streams without one
	streams     []*stream

	mu      sync.Mutex
	sampled map[string]*arrow.Schema
}

// defaultBudget is the budget of streams that name none.
const defaultBudget = "default"

// open evaluates what does not change while the source is open.
func open(def *Definition, cfg core.Config) (*source, error) {
	if cfg.Values == nil {
		cfg.Values = map[string]any{}
	}
	s := &source{def: def, cfg: cfg, vars: scope{"config": withDefaults(cfg.Values, def.spec.Fields)}, redact: &redactor{},
		limiters: map[string]*limiter{"": newLimiter(budgetDef{}, 0)}, sampled: map[string]*arrow.Schema{}}
	for _, f := range def.spec.Fields {
		if text, ok := cfg.Values[f.Name].(string); ok && f.Secret {
			s.redact.add(text)
		}
	}
	for _, b := range def.budgets {
		requests, _, err := b.requests.whole(s.vars)
		if err != nil {
			return nil, err
		}
		s.limiters[b.name] = newLimiter(b, int(max(requests, 0)))
	}
	if l, ok := s.limiters[defaultBudget]; ok {
		s.limiters[""] = l
	}
	s.authLimiter = newLimiter(budgetDef{maxConcurrency: 1}, 0)
	if err := s.connect(); err != nil {
		return nil, err
	}
	for _, d := range def.streams {
		st, err := s.openStream(d)
		if err != nil {
			return nil, err
		}
		s.streams = append(s.streams, st)
	}
	return s, nil
}

func withDefaults(values map[string]any, fields []core.Field) map[string]any {
	out := make(map[string]any, len(values))
	for _, f := range fields {
		if f.Default != nil {
			out[f.Name] = f.Default
		}
	}
	for k, v := range values {
		if v != nil {
			out[k] = v
		}
	}
	return out
}

// connect makes client and authenticator.
func (s *source) connect() error {
	base, _, err := s.def.client.baseURL.str(s.vars)
	if err != nil {
		return err
	}
	listed, err := s.def.client.allowHosts.eval(s.vars)
	if err != nil {
		return err
	}
	hosts, err := toTexts(listed)
	if err != nil {
		return err
	}
	if s.client, err = newClient(s.def.client, base, hosts, s.redact); err != nil {
		return err
	}
	headers := map[string][]string{}
	if err := addParams(headers, s.def.client.headers, s.vars); err != nil {
		return err
	}
	s.client.headers = headers
	s.auth, err = newAuth(s.def.auth, s)
	return err
}

// Close ends idle connections and forgets credentials.
func (s *source) Close() error {
	s.client.close()
	return nil
}

// Check asks for the check request, or for one page of the first stream that needs no
// other stream.
func (s *source) Check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if s.def.check != nil {
		b, err := s.def.check.build(s.client.base, s.vars, nil)
		if err != nil {
			return err
		}
		return s.exchange(ctx, &call{built: b, limiter: s.limiters[""], rules: s.def.rules,
			take: func(*http.Response, *body) ([]byte, error) { return nil, nil }})
	}
	for _, st := range s.streams {
		if st.def.partition == nil {
			req := core.ReadRequest{Stream: core.Stream{Name: st.def.name}, Limit: 1}
			return s.Read(ctx, req, func(core.Batch) error { return nil })
		}
	}
	return nil
}

// stream finds an opened stream.
func (s *source) stream(name string) (*stream, error) {
	for _, st := range s.streams {
		if st.def.name == name {
			return st, nil
		}
	}
	return nil, &core.Error{Kind: core.KindConfig, Op: "read", Stream: name, Err: fmt.Errorf("there is no stream %q", name)}
}

// inStream adds the stream's name to an error that is ours.
func inStream(err error, name string) error {
	var e *core.Error
	if !errors.As(err, &e) || e.Stream != "" {
		return err
	}
	told := *e
	told.Stream = name
	return &told
}
