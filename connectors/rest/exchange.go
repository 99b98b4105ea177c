package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"

	"github.com/unsilo/unsilo/connectors/rows"
	"github.com/unsilo/unsilo/core"
)

// call is one request with what to do about its answer.
type call struct {
	built   built
	limiter *limiter
	rules   []ruleDef
	// mayMiss says that an answer of 404 or 410 means no records.
	mayMiss bool
	// take reads the body of a good answer and returns what stands around the records. It
	// is called anew for every attempt.
	take func(resp *http.Response, b *body) (envelope []byte, err error)
	// repeat reports whether the request may be sent again after take has begun.
	repeat func() bool
}

// errSkip says that a rule leaves this answer out; errRestart that a kept position is no
// longer known.
var (
	errSkip    = errors.New("answer is left out")
	errRestart = errors.New("position is no longer known")
)

// passError carries an error of the reader through the retries untouched.
type passError struct{ err error }

func (e *passError) Error() string { return e.err.Error() }

// exchange sends a request until it has a good answer.
func (s *source) exchange(ctx context.Context, c *call) error {
	tries := newAttempts(s.def.retry, c.limiter, s.redact.place(c.built.method, c.built.url))
	for {
		v, generation, err := s.try(ctx, c)
		if err != nil {
			return err
		}
		switch v.action {
		case actSuccess:
			return nil
		case actSkip:
			return errSkip
		case actRestart:
			return errRestart
		case actRefresh:
			if tries.renewed {
				v.kind = core.KindAuth
				return tries.fault(v.kind, v)
			}
			tries.renewed = true
			if err := s.auth.renew(ctx, generation); err != nil {
				return err
			}
			continue
		}
		if err := tries.next(ctx, v); err != nil {
			return err
		}
	}
}

// try sends the request once. An error ends the call; anything else is in the verdict.
func (s *source) try(ctx context.Context, c *call) (v verdict, generation int, err error) {
	release, err := c.limiter.acquire(ctx)
	if err != nil {
		return v, 0, err
	}
	defer release()
	outer := ctx
	ctx, w, stop := newWatch(ctx, s.client.idle)
	defer stop()
	req, err := newRequest(ctx, c.built)
	if err != nil {
		return v, 0, err
	}
	for k, values := range s.client.headers {
		if len(values) > 0 && req.Header.Get(k) == "" {
			req.Header.Set(k, values[0])
		}
	}
	resp, err := s.client.do(req, func(r *http.Request) error {
		var err error
		generation, err = s.auth.sign(outer, r)
		w.start()
		return err
	})
	if err != nil {
		if v, again := ofError(err); again && outer.Err() == nil {
			return v, generation, nil
		}
		return v, generation, err
	}
	defer resp.Body.Close()
	w.stop()
	c.limiter.observe(resp.Header)
	v, err = s.judge(outer, c, resp, w)
	return v, generation, err
}

// judge reads the answer and decides what it means.
func (s *source) judge(ctx context.Context, c *call, resp *http.Response, w *watch) (verdict, error) {
	v := s.def.retry.ofStatus(resp)
	var text []byte
	if v.action == actSuccess {
		envelope, err := s.accept(c, resp, w)
		if err != nil {
			return s.refused(ctx, c, resp, err)
		}
		text = envelope
	} else {
		text = errorBody(resp, w)
	}
	v.message = s.explain(resp, text)
	if c.mayMiss && (resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone) {
		v.action = actSkip
	}
	return s.apply(c.rules, v, answer(resp, text))
}

// accept hands a good answer over.
func (s *source) accept(c *call, resp *http.Response, w *watch) ([]byte, error) {
	b, err := newBody(resp, w, s.client.maxBody, true)
	if err != nil {
		return nil, err
	}
	return c.take(resp, b)
}

// refused judges an answer with a good status that could not be read.
func (s *source) refused(ctx context.Context, c *call, resp *http.Response, err error) (verdict, error) {
	var pass *passError
	switch {
	case errors.As(err, &pass):
		return verdict{}, pass.err
	case ctx.Err() != nil:
		return verdict{}, context.Cause(ctx)
	case c.repeat != nil && !c.repeat():
		return verdict{}, err
	case errors.Is(err, rows.ErrFormat):
		message := fmt.Sprintf("the answer with status %d is not what was promised but %s", resp.StatusCode, contentType(resp))
		return verdict{action: actRetry, kind: core.KindUnavailable, message: s.redact.text(message)}, nil
	}
	if v, again := ofError(err); again {
		return v, nil
	}
	return verdict{}, err
}

func contentType(resp *http.Response) string {
	kind, _, _ := strings.Cut(resp.Header.Get("Content-Type"), ";")
	if kind == "" || strings.Contains(kind, "json") {
		return "broken text"
	}
	return kind
}

// apply lets the definition's rules, the stream's first, overrule the verdict.
func (s *source) apply(rules []ruleDef, v verdict, response map[string]any) (verdict, error) {
	vars := s.vars.with("response", response)
	for _, r := range rules {
		holds, err := r.when.truth(vars)
		if err != nil {
			return v, err
		}
		if !holds {
			continue
		}
		v.action, v.kind = r.action, r.kind
		if message, ok, err := r.message.str(vars); err == nil && ok {
			v.message = s.redact.text(message)
		}
		if n, ok, err := r.wait.whole(vars); err == nil && ok {
			v.wait, v.told = seconds(float64(n)), true
		}
		if v.action == actRetry {
			v.kind = core.KindUnavailable
		}
		return v, nil
	}
	return v, nil
}

// answer is what expressions see of a response. The body is parsed when it is asked for.
func answer(resp *http.Response, text []byte) map[string]any {
	parsed := sync.OnceValue(func() any {
		v, err := parsePlain(text)
		if err != nil {
			return nil
		}
		return v
	})
	return map[string]any{
		"status":  resp.StatusCode,
		"headers": header(resp.Header),
		"body":    parsed,
		"text":    func() any { return string(text[:min(len(text), 4096)]) },
	}
}

// explain finds the silo's own words in an error body, without credentials and personal
// values.
func (s *source) explain(resp *http.Response, text []byte) string {
	said := ""
	if v, err := parsePlain(text); err == nil {
		said = words(v)
	}
	if said == "" {
		return fmt.Sprintf("HTTP %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	return fmt.Sprintf("HTTP %d: %s", resp.StatusCode, s.redact.text(said))
}

// words looks for a message where APIs usually put it.
func words(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case []any:
		if len(v) > 0 {
			return words(v[0])
		}
	case map[string]any:
		for _, name := range []string{"message", "error_description", "description", "detail", "title", "error", "errors", "reason"} {
			if found := words(v[name]); found != "" {
				return found
			}
		}
	}
	return ""
}
