package rest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/unsilo/unsilo/core"
)

// renewable holds a credential that is fetched, expires, and is fetched again: once for
// all requests that wait for it.
type renewable struct {
	fetch func(ctx context.Context) (value string, expires time.Time, err error)
	place func(req *http.Request, value string)

	mu         sync.Mutex
	value      string
	expires    time.Time // zero: not known
	generation int
}

func (r *renewable) sign(ctx context.Context, req *http.Request) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.value == "" || (!r.expires.IsZero() && time.Now().After(r.expires)) {
		if err := r.get(ctx); err != nil {
			return r.generation, err
		}
	}
	r.place(req, r.value)
	return r.generation, nil
}

func (r *renewable) renew(ctx context.Context, generation int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if generation != r.generation {
		return nil // another request has renewed it meanwhile
	}
	return r.get(ctx)
}

func (r *renewable) get(ctx context.Context) error {
	value, expires, err := r.fetch(ctx)
	if err != nil {
		return err
	}
	r.value, r.expires = value, expires
	r.generation++
	return nil
}

// oauth fetches tokens from an OAuth2 token endpoint.
type oauth struct {
	def          authDef
	s            *source
	url          string
	id, secret   string
	refreshToken string // replaced when the API rotates it; kept until Close only
	form         url.Values
}

func newOAuth(d authDef, s *source) (authenticator, error) {
	o := &oauth{def: d, s: s, form: url.Values{}}
	var err error
	if o.url, _, err = d.tokenURL.str(s.vars); err != nil {
		return nil, err
	}
	if o.id, err = s.secret(d.clientID, "client_id"); err != nil {
		return nil, err
	}
	if d.clientSecret != nil {
		if o.secret, err = s.secret(d.clientSecret, "client_secret"); err != nil {
			return nil, err
		}
	}
	if d.grant == "refresh_token" {
		if o.refreshToken, err = s.secret(d.refreshToken, "refresh_token"); err != nil {
			return nil, err
		}
	}
	scopes, err := d.scopes.eval(s.vars)
	if err != nil {
		return nil, err
	}
	list, err := toTexts(scopes)
	if err != nil {
		return nil, err
	}
	if len(list) > 0 {
		o.form.Set("scope", strings.Join(list, " "))
	}
	if err := addParams(o.form, d.params, s.vars); err != nil {
		return nil, err
	}
	u, err := s.client.base.Parse(o.url)
	if err != nil {
		return nil, &core.Error{Kind: core.KindConfig, Op: "read token URL", Err: errors.New("token_url is not an address")}
	}
	o.url = u.String()
	s.client.hosts = append(s.client.hosts, u.Host)
	place := func(req *http.Request, token string) { req.Header.Set("Authorization", d.scheme+" "+token) }
	return &renewable{fetch: o.fetch, place: place}, nil
}

// fetch asks for a token.
func (o *oauth) fetch(ctx context.Context) (string, time.Time, error) {
	form := url.Values{}
	for k, v := range o.form {
		form[k] = v
	}
	form.Set("grant_type", o.def.grant)
	if o.def.grant == "refresh_token" {
		form.Set("refresh_token", o.refreshToken)
	}
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if o.def.clientAuth == "basic" {
		req := &http.Request{Header: header}
		req.SetBasicAuth(url.QueryEscape(o.id), url.QueryEscape(o.secret))
	} else {
		form.Set("client_id", o.id)
		if o.secret != "" {
			form.Set("client_secret", o.secret)
		}
	}
	text, err := o.s.ask(ctx, "get token", http.MethodPost, o.url, header, []byte(form.Encode()))
	if err != nil {
		return "", time.Time{}, err
	}
	var answer struct {
		AccessToken  string      `json:"access_token"`
		RefreshToken string      `json:"refresh_token"`
		ExpiresIn    json.Number `json:"expires_in"`
	}
	if err := json.Unmarshal(text, &answer); err != nil || answer.AccessToken == "" {
		return "", time.Time{}, &core.Error{Kind: core.KindAuth, Op: "get token", Err: errors.New("the answer has no access_token")}
	}
	o.s.redact.add(answer.AccessToken)
	if answer.RefreshToken != "" {
		o.s.redact.add(answer.RefreshToken)
		o.refreshToken = answer.RefreshToken
	}
	return answer.AccessToken, expiry(answer.ExpiresIn), nil
}

// expiry is when a token should be fetched anew: a little before it ends.
func expiry(lifetime json.Number) time.Time {
	n, err := lifetime.Float64()
	if err != nil || n <= 0 {
		return time.Time{}
	}
	d := seconds(n)
	return time.Now().Add(d - min(d/10, 30*time.Second))
}

// session logs in with a request of its own.
func newSession(d authDef, s *source) authenticator {
	fetch := func(ctx context.Context) (string, time.Time, error) {
		built, err := d.login.build(s.client.base, s.vars, nil)
		if err != nil {
			return "", time.Time{}, err
		}
		text, err := s.ask(ctx, "log in", built.method, built.url.String(), built.header, built.body)
		if err != nil {
			return "", time.Time{}, err
		}
		plain, err := parsePlain(text)
		if err != nil {
			return "", time.Time{}, &core.Error{Kind: core.KindAuth, Op: "log in", Err: errors.New("the answer is not JSON")}
		}
		token, ok, err := d.token.str(s.vars.with("response", map[string]any{"body": plain}))
		if err != nil {
			return "", time.Time{}, err
		}
		if !ok || token == "" {
			return "", time.Time{}, &core.Error{Kind: core.KindAuth, Op: "log in", Err: errors.New("the answer has no token")}
		}
		s.redact.add(token)
		var until time.Time
		if d.expires > 0 {
			until = time.Now().Add(d.expires)
		}
		return token, until, nil
	}
	place := func(req *http.Request, token string) {
		switch {
		case d.header == "":
			req.Header.Set("Authorization", d.scheme+" "+token)
		default:
			req.Header.Set(d.header, token)
		}
	}
	return &renewable{fetch: fetch, place: place}
}

// ask sends a request for credentials, retrying what may pass, and returns the body.
func (s *source) ask(ctx context.Context, op, method, address string, header http.Header, payload []byte) ([]byte, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, &core.Error{Kind: core.KindConfig, Op: op, Err: errors.New("the address is not valid")}
	}
	tries := newAttempts(s.def.retry, s.authLimiter, op)
	for {
		text, v, err := s.askOnce(ctx, method, u, header, payload)
		if err != nil {
			return nil, err
		}
		switch {
		case v.action == actSuccess:
			return text, nil
		case v.action == actFail || v.action == actRefresh:
			v.action, v.kind = actFail, core.KindAuth
		}
		if err := tries.next(ctx, v); err != nil {
			return nil, err
		}
	}
}

func (s *source) askOnce(ctx context.Context, method string, u *url.URL, header http.Header, payload []byte) ([]byte, verdict, error) {
	release, err := s.authLimiter.acquire(ctx)
	if err != nil {
		return nil, verdict{}, err
	}
	defer release()
	ctx, w, stop := newWatch(ctx, s.client.idle)
	defer stop()
	req, err := newRequest(ctx, built{method: method, url: u, header: header, body: payload})
	if err != nil {
		return nil, verdict{}, err
	}
	resp, err := s.client.do(req, nil)
	if err != nil {
		v, retry := ofError(err)
		if !retry {
			return nil, v, err
		}
		return nil, v, nil
	}
	defer resp.Body.Close()
	text := errorBody(resp, w)
	v := s.def.retry.ofStatus(resp)
	v.message = s.explain(resp, text)
	return text, v, nil
}

// addParams adds the members of an object expression to a form.
func addParams(form url.Values, x *expr, vars scope) error {
	v, err := x.eval(vars)
	if err != nil || v.IsNull() {
		return err
	}
	if !v.CanIterateElements() || !(v.Type().IsObjectType() || v.Type().IsMapType()) {
		return &core.Error{Kind: core.KindConfig, Op: "build request", Err: fmt.Errorf("%s is not an object", x.src.Range())}
	}
	for it := v.ElementIterator(); it.Next(); {
		k, item := it.Element()
		texts, err := toTexts(item)
		if err != nil {
			return err
		}
		if texts != nil {
			form[k.AsString()] = texts
		}
	}
	return nil
}
