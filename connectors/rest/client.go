package rest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/unsilo/unsilo/core"
)

// client sends requests to the hosts it may talk to.
type client struct {
	http    *http.Client
	base    *url.URL
	headers map[string][]string
	hosts   []string // host:port besides the base's
	idle    time.Duration
	maxBody int64
	redact  *redactor
}

// newClient makes a client for a base URL. hosts are further hosts, as "host" or
// "host:port".
func newClient(def clientDef, base string, hosts []string, redact *redactor) (*client, error) {
	path := def.baseURL.field("base_url")
	u, err := url.Parse(base)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, &core.Error{Kind: core.KindConfig, Op: "read base URL", Path: path,
			Err: errors.New("the base URL is not an http or https address"), Try: "write it like https://api.example.com"}
	}
	if u.User != nil || u.RawQuery != "" {
		return nil, &core.Error{Kind: core.KindConfig, Op: "read base URL", Path: path,
			Err: errors.New("the base URL holds a user or a query"), Try: "put credentials into the auth block"}
	}
	c := &client{base: u, hosts: hosts, idle: def.idle, maxBody: def.maxBody, redact: redact}
	transport := &http.Transport{
		Proxy:                  http.ProxyFromEnvironment,
		DialContext:            c.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    15 * time.Second,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        60 * time.Second,
		MaxResponseHeaderBytes: 1 << 20,
		ForceAttemptHTTP2:      true,
		DisableCompression:     true, // we ask for gzip and unpack it ourselves, to bound it
	}
	c.http = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // redirects are followed where the hosts are known
	}}
	return c, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// origin names scheme, host and port.
func origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// home reports whether u belongs to the base URL, and so may see credentials.
func (c *client) home(u *url.URL) bool { return origin(u) == origin(c.base) }

// allowed checks that requests may go to u.
func (c *client) allowed(u *url.URL) error {
	if c.home(u) {
		return nil
	}
	listed := slices.ContainsFunc(c.hosts, func(h string) bool {
		return strings.EqualFold(h, u.Host) || strings.EqualFold(h, u.Hostname())
	})
	switch {
	case u.Scheme != "http" && u.Scheme != "https", u.User != nil:
		return &core.Error{Kind: core.KindData, Op: "follow link", Err: errors.New("the link is not a plain http or https address")}
	case c.base.Scheme == "https" && u.Scheme == "http":
		return &core.Error{Kind: core.KindData, Op: "follow link", Err: fmt.Errorf("the link to %s is not encrypted", u.Hostname())}
	case !listed:
		return &core.Error{Kind: core.KindData, Op: "follow link", Err: fmt.Errorf("the API points to another host, %s", u.Host),
			Try: "add the host to allow_hosts if it belongs to the API"}
	}
	return nil
}

// dial connects, but to a private address only if the configuration names it.
func (c *client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, fmt.Errorf("read address: %w", err)
	}
	d := net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	if !c.names(host) {
		d.ControlContext = func(_ context.Context, _, address string, _ syscall.RawConn) error {
			return refusePrivate(address)
		}
	}
	return d.DialContext(ctx, network, addr)
}

// names reports whether the configuration itself writes a local address or name, or the
// machine's proxy is meant.
func (c *client) names(host string) bool {
	known := strings.EqualFold(host, c.base.Hostname()) || slices.ContainsFunc(c.hosts, func(h string) bool {
		name, _, found := strings.Cut(h, ":")
		return strings.EqualFold(host, h) || (found && strings.EqualFold(host, name))
	})
	if !known {
		return c.proxied(host)
	}
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	local := []string{".localhost", ".local", ".internal", ".intranet", ".lan", ".home.arpa", ".corp", ".test"}
	return !strings.Contains(host, ".") || slices.ContainsFunc(local, func(s string) bool {
		return strings.HasSuffix(strings.ToLower(host), s)
	})
}

// proxied reports whether host is the proxy that the environment sets for the base URL.
func (c *client) proxied(host string) bool {
	proxy, err := http.ProxyFromEnvironment(&http.Request{URL: c.base})
	return err == nil && proxy != nil && strings.EqualFold(proxy.Hostname(), host)
}

// errPrivate says that a public name led to a private address.
var errPrivate = errors.New("the name leads to a private address")

func refusePrivate(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("read address: %w", err)
	}
	ip := ap.Addr().Unmap()
	if ip.IsPrivate() || ip.IsLoopback() || ip.IsLinkLocalUnicast() || ip.IsUnspecified() || ip.IsMulticast() ||
		netip.MustParsePrefix("100.64.0.0/10").Contains(ip) {
		return errPrivate
	}
	return nil
}

const maxRedirects = 5

// do sends a request and follows redirects. sign adds credentials; it is called for
// requests to the base URL only.
func (c *client) do(req *http.Request, sign func(*http.Request) error) (*http.Response, error) {
	for hop := 0; ; hop++ {
		if err := c.allowed(req.URL); err != nil {
			return nil, err
		}
		if c.home(req.URL) && sign != nil {
			if err := sign(req); err != nil {
				return nil, err
			}
		}
		resp, err := c.http.Do(req)
		if err != nil {
			return nil, c.failed(req, err)
		}
		next, err := c.redirect(req, resp)
		if err != nil || next == nil {
			if err != nil {
				resp.Body.Close()
				return nil, err
			}
			return resp, nil
		}
		resp.Body.Close()
		if hop == maxRedirects {
			return nil, &core.Error{Kind: core.KindData, Op: "follow redirect", Err: errors.New("too many redirects")}
		}
		req = next
	}
}

// redirect makes the request that an answer redirects to; nil when it does not.
func (c *client) redirect(req *http.Request, resp *http.Response) (*http.Request, error) {
	keeps := resp.StatusCode == http.StatusTemporaryRedirect || resp.StatusCode == http.StatusPermanentRedirect
	moves := keeps || resp.StatusCode == http.StatusMovedPermanently || resp.StatusCode == http.StatusFound ||
		resp.StatusCode == http.StatusSeeOther
	location := resp.Header.Get("Location")
	if !moves || location == "" {
		return nil, nil
	}
	u, err := req.URL.Parse(location)
	if err != nil {
		return nil, &core.Error{Kind: core.KindData, Op: "follow redirect", Err: errors.New("the redirect has no valid address")}
	}
	if req.Method != http.MethodGet && req.Method != http.MethodHead && !keeps {
		return nil, &core.Error{Kind: core.KindConfig, Op: "follow redirect",
			Err: fmt.Errorf("%s is redirected as if it were a page (HTTP %d)", c.redact.place(req.Method, req.URL), resp.StatusCode),
			Try: "check base_url"}
	}
	next, err := http.NewRequestWithContext(req.Context(), req.Method, u.String(), nil)
	if err != nil {
		return nil, &core.Error{Kind: core.KindData, Op: "follow redirect", Err: errors.New("the redirect has no valid address")}
	}
	if req.GetBody != nil {
		if next.Body, err = req.GetBody(); err != nil {
			return nil, fmt.Errorf("repeat body: %w", err)
		}
		next.GetBody, next.ContentLength = req.GetBody, req.ContentLength
	}
	// Only headers that every host may see; sign adds credentials again where they belong.
	for _, name := range []string{"Accept", "Accept-Encoding", "Content-Type", "User-Agent"} {
		if v := req.Header.Get(name); v != "" {
			next.Header.Set(name, v)
		}
	}
	return next, nil
}

// failed makes an error of a request that got no answer.
func (c *client) failed(req *http.Request, err error) error {
	ctx := req.Context()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, errIdle) {
		return cause
	} else if cause != nil {
		err = cause
	}
	var ue *url.Error
	if errors.As(err, &ue) {
		err = ue.Err // its text has the whole URL, query included
	}
	e := &core.Error{Kind: core.KindUnavailable, Op: c.redact.place(req.Method, req.URL), Err: err}
	var dns *net.DNSError
	switch {
	case errors.Is(err, errPrivate):
		e.Kind, e.Try = core.KindConfig, "write the address itself as base_url if it is meant"
	case errors.As(err, &dns) && dns.IsNotFound:
		e.Try = "check the host in base_url"
	}
	return e
}
