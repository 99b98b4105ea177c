package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/cenkalti/backoff/v4"

	"github.com/unsilo/unsilo/core"
)

// verdict says what an answer means and what to do next.
type verdict struct {
	action  string // one of the actions
	kind    core.Kind
	message string
	wait    time.Duration // told by the API
	told    bool
}

// attempts carries one request through its retries.
type attempts struct {
	def     retryDef
	limiter *limiter
	backoff *backoff.ExponentialBackOff
	started time.Time
	failed  int  // transient failures so far
	renewed bool // credentials were renewed once
	where   string
}

func newAttempts(def retryDef, l *limiter, where string) *attempts {
	b := backoff.NewExponentialBackOff(backoff.WithInitialInterval(def.initial), backoff.WithMaxInterval(def.max),
		backoff.WithMultiplier(2), backoff.WithRandomizationFactor(0.5), backoff.WithMaxElapsedTime(0))
	return &attempts{def: def, limiter: l, backoff: b, started: time.Now(), where: where}
}

// next waits as the verdict asks and returns nil when the request may be sent again, or
// the error that ends it.
func (a *attempts) next(ctx context.Context, v verdict) error {
	switch v.action {
	case actRateLimited:
		return a.limited(v)
	case actRetry:
		return a.transient(ctx, v)
	case actQuota:
		return a.fault(core.KindQuota, v)
	}
	return a.fault(v.kind, v)
}

// limited pauses the whole scope; it does not count as a failure. The pause itself is
// waited for where the next request asks for its turn.
func (a *attempts) limited(v verdict) error {
	wait := v.wait
	if !v.told {
		wait = a.backoff.NextBackOff()
		a.limiter.ease()
	}
	switch {
	case wait > a.def.maxWait:
		a.limiter.pause(wait)
		v.wait = wait
		return a.fault(core.KindQuota, v)
	case time.Since(a.started)+wait > a.def.maxElapsed:
		v.wait = wait
		return a.fault(core.KindLimited, v)
	}
	a.limiter.pause(wait)
	return nil
}

// transient backs off, a bounded number of times.
func (a *attempts) transient(ctx context.Context, v verdict) error {
	a.failed++
	wait := a.backoff.NextBackOff()
	if v.told && v.wait > wait {
		wait = v.wait
		if wait > a.def.maxWait {
			return a.fault(core.KindUnavailable, v)
		}
		a.limiter.pause(wait)
	}
	if a.failed >= a.def.maxAttempts || time.Since(a.started)+wait > a.def.maxElapsed {
		e := a.fault(v.kind, v)
		return e
	}
	return sleep(ctx, wait)
}

func (a *attempts) fault(kind core.Kind, v verdict) error {
	err := errors.New(v.message)
	if a.failed > 1 {
		err = fmt.Errorf("%s (%d attempts)", v.message, a.failed)
	}
	e := &core.Error{Kind: kind, Op: a.where, Err: err}
	if kind == core.KindLimited || kind == core.KindQuota || kind == core.KindUnavailable {
		e.RetryAfter = v.wait
	}
	switch kind {
	case core.KindAuth:
		e.Try = "check that the credentials are current"
	case core.KindPermission:
		e.Try = "give the credentials access to this, or leave the stream out"
	case core.KindConfig:
		e.Try = "check base_url and the stream's settings"
	}
	return e
}

// ofError judges a request that got no usable answer.
func ofError(err error) (verdict, bool) {
	var e *core.Error
	if errors.As(err, &e) && e.Kind == core.KindUnavailable {
		return verdict{action: actRetry, kind: core.KindUnavailable, message: e.Err.Error()}, true
	}
	return verdict{}, false
}

// ofStatus judges an answer by its status alone.
func (d retryDef) ofStatus(resp *http.Response) verdict {
	v := verdict{action: actFail}
	switch code := resp.StatusCode; {
	case code >= 200 && code < 300:
		v.action = actSuccess
	case slices.Contains(d.limited, code):
		v.action, v.kind = actRateLimited, core.KindLimited
	case slices.Contains(d.codes, code) || code > 500:
		v.action, v.kind = actRetry, core.KindUnavailable
	case code == http.StatusUnauthorized:
		v.action, v.kind = actRefresh, core.KindAuth
	case code == http.StatusForbidden:
		v.kind = core.KindPermission
	default:
		v.kind = core.KindConfig
	}
	v.wait, v.told = d.toldWait(resp.Header, v.action == actRateLimited)
	return v
}

// toldWait is what the first of the headers asks for that is there.
func (d retryDef) toldWait(h http.Header, limited bool) (time.Duration, bool) {
	for _, w := range d.waits {
		if w.limited && !limited {
			continue
		}
		if wait, ok := readWait(h.Get(w.header), w.unit, h); ok {
			return wait, true
		}
	}
	return 0, false
}
