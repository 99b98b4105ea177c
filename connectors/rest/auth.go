package rest

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"

	"github.com/unsilo/unsilo/core"
)

// authenticator adds credentials to requests. It may be used by several goroutines.
type authenticator interface {
	// sign adds the credentials and tells which generation of them it used.
	sign(ctx context.Context, req *http.Request) (generation int, err error)
	// renew gets new credentials after that generation was refused. Callers that bring an
	// old generation share the renewal that has happened since.
	renew(ctx context.Context, generation int) error
}

// newAuth makes the authenticator that the definition asks for.
func newAuth(d authDef, s *source) (authenticator, error) {
	switch d.kind {
	case "bearer":
		token, err := s.secret(d.token, "token")
		return fixed{header: "Authorization", value: d.scheme + " " + token}, err
	case "basic":
		user, err := s.secret(d.username, "username")
		if err != nil {
			return nil, err
		}
		password, err := s.secret(d.password, "password")
		pair := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
		s.redact.add(pair)
		return fixed{header: "Authorization", value: "Basic " + pair}, err
	case "api_key":
		value, err := s.secret(d.value, "value")
		return fixed{header: d.header, query: d.query, value: value}, err
	case "oauth2":
		return newOAuth(d, s)
	case "session":
		return newSession(d, s), nil
	}
	return fixed{}, nil
}

// secret evaluates a credential and makes sure that it is never shown.
func (s *source) secret(x *expr, name string) (string, error) {
	text, ok, err := x.str(s.vars)
	if err != nil {
		return "", err
	}
	if !ok || text == "" {
		return "", &core.Error{Kind: core.KindConfig, Op: "read credentials", Path: x.field(name), Err: fmt.Errorf("%s is empty", name),
			Try: "set it in the source block"}
	}
	s.redact.add(text)
	return text, nil
}

// fixed sends the same credential with every request.
type fixed struct{ header, query, value string }

func (f fixed) sign(_ context.Context, req *http.Request) (int, error) {
	if f.header != "" {
		req.Header.Set(f.header, f.value)
	}
	if f.query != "" {
		q := req.URL.Query()
		q.Set(f.query, f.value)
		req.URL.RawQuery = q.Encode()
	}
	return 0, nil
}

// renew has nothing to renew; the request is tried once more all the same, because APIs
// refuse a good token now and then.
func (f fixed) renew(context.Context, int) error { return nil }
