package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/unsilo/unsilo/core"
)

// built is a request that can be sent any number of times.
type built struct {
	method string
	url    *url.URL
	header http.Header
	body   []byte
}

// identity tells requests apart, for finding loops.
func (b built) identity() string {
	return b.method + " " + b.url.String() + "\n" + string(b.body)
}

// build evaluates the request. more adds query parameters.
func (r *requestDef) build(base *url.URL, vars scope, more url.Values) (built, error) {
	b := built{method: r.method, header: http.Header{}}
	path, err := r.path.path(vars, url.PathEscape)
	if err != nil {
		return b, err
	}
	if b.url, err = joinURL(base, path); err != nil {
		return b, err
	}
	query := b.url.Query()
	if err := addParams(query, r.query, vars); err != nil {
		return b, err
	}
	for k, v := range more {
		query[k] = v
	}
	b.url.RawQuery = query.Encode()
	headers := url.Values{}
	if err := addParams(headers, r.headers, vars); err != nil {
		return b, err
	}
	for k, v := range headers {
		b.header[http.CanonicalHeaderKey(k)] = v
	}
	return b, r.payload(&b, vars)
}

// payload evaluates the body.
func (r *requestDef) payload(b *built, vars scope) error {
	switch {
	case r.json != nil:
		v, err := r.json.eval(vars)
		if err != nil {
			return err
		}
		if b.body, err = json.Marshal(toPlain(v)); err != nil {
			return fmt.Errorf("build body: %w", err)
		}
		b.header.Set("Content-Type", "application/json")
	case r.form != nil:
		form := url.Values{}
		if err := addParams(form, r.form, vars); err != nil {
			return err
		}
		b.body = []byte(form.Encode())
		b.header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return nil
}

// joinURL puts a path below the base URL. A path cannot leave it.
func joinURL(base *url.URL, path string) (*url.URL, error) {
	rest, query, _ := strings.Cut(path, "?")
	for _, segment := range strings.Split(rest, "/") {
		if segment == ".." || segment == "." {
			return nil, &core.Error{Kind: core.KindConfig, Op: "build path", Err: errors.New("the path has a segment of dots")}
		}
	}
	u := *base
	raw := strings.TrimSuffix(u.EscapedPath(), "/") + "/" + strings.TrimPrefix(rest, "/")
	decoded, err := url.PathUnescape(raw)
	if err != nil {
		return nil, &core.Error{Kind: core.KindConfig, Op: "build path", Err: errors.New("the path is not a valid URL path")}
	}
	u.Path, u.RawPath, u.RawQuery = decoded, raw, query
	return &u, nil
}

// newRequest makes the request to send.
func newRequest(ctx context.Context, b built) (*http.Request, error) {
	var body io.Reader
	if b.body != nil {
		body = bytes.NewReader(b.body)
	}
	u := *b.url
	req, err := http.NewRequestWithContext(ctx, b.method, u.String(), body)
	if err != nil {
		return nil, &core.Error{Kind: core.KindConfig, Op: "build request", Err: errors.New("the address is not valid")}
	}
	for k, v := range b.header {
		req.Header[k] = v
	}
	req.Header.Set("Accept-Encoding", "gzip")
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json, */*;q=0.5")
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", "unsilo")
	}
	return req, nil
}
