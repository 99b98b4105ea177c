package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"time"

	"github.com/unsilo/unsilo/core"
)

// web is the file system of URLs: each pattern is the address of one file.
type web struct {
	client  *http.Client
	headers http.Header
	secret  string
}

func newWeb(cfg core.Config) (FileSystem, error) {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: answerTimeout, TLSHandshakeTimeout: answerTimeout,
		DisableKeepAlives: true, // a few large files gain nothing from them
	}
	w := &web{client: &http.Client{Transport: transport, CheckRedirect: followCarefully}, headers: http.Header{}}
	headers, _ := cfg.Values["headers"].(map[string]any)
	for name, v := range headers {
		if text, ok := v.(string); ok {
			w.headers.Set(name, text)
		}
	}
	if w.secret = cfg.String("token"); w.secret != "" {
		w.headers.Set("Authorization", "Bearer "+w.secret)
	}
	return w, nil
}

// followCarefully follows few redirects and takes credentials to no other host.
func followCarefully(req *http.Request, via []*http.Request) error {
	if len(via) >= 5 {
		return errors.New("more than 5 redirects")
	}
	if req.URL.Host != via[0].URL.Host || req.URL.Scheme != via[0].URL.Scheme {
		req.Header = http.Header{}
	}
	return nil
}

// List asks for size and version of the file.
func (w *web) List(ctx context.Context, address string) ([]Entry, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, &core.Error{Kind: core.KindConfig, Op: "list files", Path: "path", Err: errors.New("the path is not a URL")}
	}
	e := Entry{Path: address, Name: path.Join(u.Host, u.Path), Size: -1}
	if u.RawQuery != "" {
		e.Name += "?" + shortHash([]byte(u.RawQuery)) // the query itself may hold a key
	}
	resp, err := w.do(ctx, http.MethodHead, e, 0)
	var status *statusError
	switch {
	case errors.As(err, &status) && (status.code == http.StatusMethodNotAllowed || status.code == http.StatusNotImplemented):
		e.Unversioned = true
		return []Entry{e}, nil
	case err != nil:
		return nil, err
	}
	if err := resp.Body.Close(); err != nil {
		return nil, fmt.Errorf("close answer: %w", err)
	}
	e.Size, e.Tag = resp.ContentLength, resp.Header.Get("ETag")
	if at, err := http.ParseTime(resp.Header.Get("Last-Modified")); err == nil {
		e.ModTime = at
	}
	e.Unversioned = e.Tag == "" && e.ModTime.IsZero()
	return []Entry{e}, nil
}

// Open gets the file from an offset on.
func (w *web) Open(ctx context.Context, e Entry, offset int64) (io.ReadCloser, error) {
	resp, err := w.do(ctx, http.MethodGet, e, offset)
	var status *statusError
	if errors.As(err, &status) && status.code == http.StatusRequestedRangeNotSatisfiable && offset > 0 {
		return http.NoBody, nil
	}
	if err != nil {
		return nil, err
	}
	if now := resp.Header.Get("ETag"); e.Tag != "" && now != "" && now != e.Tag {
		return nil, errors.Join(localError("open", e.Name, errMoved), resp.Body.Close())
	}
	body := &webBody{ReadCloser: resp.Body, name: e.Name}
	if offset > 0 && resp.StatusCode != http.StatusPartialContent {
		if _, err := io.CopyN(io.Discard, body, offset); err != nil && !errors.Is(err, io.EOF) {
			return nil, errors.Join(err, body.Close())
		}
	}
	return body, nil
}

// A webBody reports a connection that breaks as a silo that is unavailable.
type webBody struct {
	io.ReadCloser
	name string
}

func (b *webBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, context.Canceled) {
		err = &core.Error{Kind: core.KindUnavailable, Op: "read", Err: fmt.Errorf("%s: the connection broke", b.name)}
	}
	return n, err
}

// statusError is an answer that is no success.
type statusError struct{ code int }

func (e *statusError) Error() string {
	return fmt.Sprintf("the server answers %d %s", e.code, http.StatusText(e.code))
}

// retryAfter reads seconds or a date; 0 is neither.
func retryAfter(text string) time.Duration {
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// answerTimeout bounds the wait for the first bytes of an answer.
const answerTimeout = 60 * time.Second

func (w *web) do(ctx context.Context, method string, e Entry, offset int64) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, e.Path, nil)
	if err != nil {
		return nil, &core.Error{Kind: core.KindConfig, Op: "get", Path: "path", Err: errors.New("the path is not a URL")}
	}
	req.Header = w.headers.Clone()
	req.Header.Set("User-Agent", "unsilo")
	req.Header.Set("Accept-Encoding", "identity")
	if offset > 0 {
		req.Header.Set("Range", fmt.Sprintf("bytes=%d-", offset))
	}
	resp, err := w.client.Do(req)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		var inner *url.Error
		if errors.As(err, &inner) {
			err = inner.Err // without the address, which may hold a key
		}
		return nil, &core.Error{Kind: core.KindUnavailable, Op: "get", Err: fmt.Errorf("%s: %w", e.Name, err)}
	}
	if resp.StatusCode/100 == 2 {
		return resp, nil
	}
	fault := &core.Error{Kind: core.KindUnavailable, Op: "get", Err: fmt.Errorf("%s: %w", e.Name, &statusError{resp.StatusCode})}
	switch resp.StatusCode {
	case http.StatusUnauthorized:
		fault.Kind = core.KindAuth
	case http.StatusForbidden:
		fault.Kind = core.KindPermission
	case http.StatusNotFound, http.StatusGone, http.StatusBadRequest:
		fault.Kind, fault.Path = core.KindConfig, "path"
	case http.StatusTooManyRequests:
		fault.Kind = core.KindLimited
	}
	fault.RetryAfter = retryAfter(resp.Header.Get("Retry-After"))
	_ = resp.Body.Close() // the answer is a fault already
	return nil, fault
}
