package rest

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/hashicorp/hcl/v2"

	"github.com/unsilo/unsilo/core"
)

type clientDef struct {
	baseURL    *expr
	headers    *expr
	allowHosts *expr
	idle       time.Duration
	maxBody    int64
}

type authDef struct {
	kind                             string
	token, username, password, value *expr
	tokenURL, clientID, clientSecret *expr
	refreshToken, scopes, params     *expr
	scheme, header, query            string
	grant, clientAuth                string
	expires                          time.Duration
	login                            *requestDef
}

type budgetDef struct {
	name            string
	requests        *expr // evaluated by newLimiter
	per             time.Duration
	maxConcurrency  int
	remainingHeader string
	resetHeader     string
	resetUnit       string
}

type retryDef struct {
	codes, limited []int
	maxAttempts    int
	maxElapsed     time.Duration
	maxWait        time.Duration
	initial, max   time.Duration
	waits          []waitDef
}

type waitDef struct {
	header, unit string
	limited      bool // counts only when the answer says that the client is too fast
}

// ruleDef says what an answer means when the condition holds.
type ruleDef struct {
	when, message, wait *expr
	action              string
	kind                core.Kind
}

// The actions of a rule.
const (
	actSuccess     = "success"
	actFail        = "fail"
	actRetry       = "retry"
	actRateLimited = "rate_limited"
	actQuota       = "quota"
	actRefresh     = "refresh_token"
	actSkip        = "skip"
	actRestart     = "restart"
)

// requestDef builds one kind of request.
type requestDef struct {
	method                           string
	path, query, headers, json, form *expr
}

func (r *requestDef) exprs() []*expr { return []*expr{r.path, r.query, r.headers, r.json, r.form} }

func (c *compiler) client(b clientBlock) clientDef {
	d := clientDef{
		baseURL: c.compile(b.BaseURL, "config"), headers: c.compile(b.Headers, "config"),
		allowHosts: c.compile(b.AllowHosts, "config"),
		idle:       c.duration(b.Range, "timeout", b.Timeout, time.Minute),
		maxBody:    b.MaxBody << 20,
	}
	if d.baseURL == nil {
		c.fail(b.Range, "base_url is missing", "Add base_url = config.base_url or a constant.")
	}
	if d.maxBody <= 0 {
		d.maxBody = 1 << 30
	}
	return d
}

func (c *compiler) auth(b authBlock) authDef {
	d := authDef{
		kind:  c.oneOf(b.Range, "auth kind", b.Kind, "none", "bearer", "basic", "api_key", "oauth2", "session"),
		token: c.compile(b.Token, "config", "response"), username: c.compile(b.Username, "config"),
		password: c.compile(b.Password, "config"), value: c.compile(b.Value, "config"),
		tokenURL: c.compile(b.TokenURL, "config"), clientID: c.compile(b.ClientID, "config"),
		clientSecret: c.compile(b.ClientSecret, "config"), refreshToken: c.compile(b.RefreshToken, "config"),
		scopes: c.compile(b.Scopes, "config"), params: c.compile(b.Params, "config"),
		scheme: b.Scheme, header: b.Header, query: b.Query,
		expires: c.duration(b.Range, "expires", b.Expires, 0),
	}
	d.grant = c.oneOf(b.Range, "grant", b.Grant, "client_credentials", "refresh_token")
	d.clientAuth = c.oneOf(b.Range, "client_auth", b.ClientAuth, "body", "basic")
	if login, ok := single(c, "login", b.Login, func(b requestBlock) hcl.Range { return b.Range }); ok {
		d.login = c.request(login, "config")
	}
	needs := map[string]map[string]bool{
		"bearer":  {"token": d.token != nil},
		"basic":   {"username": d.username != nil, "password": d.password != nil},
		"api_key": {"value": d.value != nil, "header or query": d.header != "" || d.query != ""},
		"oauth2":  {"token_url": d.tokenURL != nil, "client_id": d.clientID != nil, "refresh_token": d.refreshToken != nil || d.grant != "refresh_token"},
		"session": {"login block": d.login != nil, "token": d.token != nil},
	}
	for name, there := range needs[d.kind] {
		if !there {
			c.fail(b.Range, fmt.Sprintf("auth %q needs %s", d.kind, name), "Add it to the block.")
		}
	}
	if d.scheme == "" {
		d.scheme = "Bearer"
	}
	return d
}

func (c *compiler) budgets(blocks []budgetBlock) []budgetDef {
	var out []budgetDef
	for _, b := range blocks {
		d := budgetDef{name: b.Name, requests: c.compile(b.Requests, "config"), per: c.duration(b.Range, "per", b.Per, time.Second),
			maxConcurrency: b.MaxConcurrency, remainingHeader: b.RemainingHeader, resetHeader: b.ResetHeader,
			resetUnit: c.oneOf(b.Range, "unit", b.ResetUnit, waitUnits()...)}
		if slices.ContainsFunc(out, func(o budgetDef) bool { return o.name == d.name }) {
			c.fail(b.Range, fmt.Sprintf("Budget %q appears twice", b.Name), "Give one of them another name.")
		}
		out = append(out, d)
	}
	return out
}

func (c *compiler) retry(b retryBlock) retryDef {
	d := retryDef{codes: b.Codes, limited: b.Limited, maxAttempts: b.MaxAttempts,
		maxElapsed: c.duration(b.Range, "max_elapsed", b.MaxElapsed, 15*time.Minute),
		maxWait:    c.duration(b.Range, "max_wait", b.MaxWait, 5*time.Minute),
		initial:    c.duration(b.Range, "initial", b.Initial, 500*time.Millisecond),
		max:        c.duration(b.Range, "max", b.Max, time.Minute),
	}
	if d.codes == nil {
		d.codes = []int{406, 408, 420, 425, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529}
	}
	if d.limited == nil {
		d.limited = []int{429}
	}
	if d.maxAttempts <= 0 {
		d.maxAttempts = 5
	}
	for _, w := range b.Waits {
		d.waits = append(d.waits, waitDef{header: w.Name, unit: c.oneOf(w.Range, "unit", w.Unit, waitUnits()...)})
	}
	if d.waits == nil {
		d.waits = []waitDef{{header: "Retry-After", unit: "auto"}}
		for _, reset := range []string{"RateLimit-Reset", "X-RateLimit-Reset", "X-Rate-Limit-Reset"} {
			d.waits = append(d.waits, waitDef{header: reset, unit: "auto", limited: true})
		}
	}
	return d
}

func (c *compiler) rules(blocks []ruleBlock) []ruleDef {
	kinds := []string{"data", "config", "auth", "permission", "limited", "quota", "unavailable", "internal"}
	var out []ruleDef
	for _, b := range blocks {
		d := ruleDef{when: c.compile(b.When, "config", "response"), message: c.compile(b.Message, "config", "response"),
			wait: c.compile(b.Wait, "config", "response"),
			action: c.oneOf(b.Range, "action", b.Action, actFail, actSuccess, actRetry, actRateLimited, actQuota, actRefresh,
				actSkip, actRestart),
			kind: core.Kind(c.oneOf(b.Range, "kind", b.Kind, kinds...))}
		if d.when == nil {
			c.fail(b.Range, "when is missing", "Add when = response.status == 400, for example.")
		}
		out = append(out, d)
	}
	return out
}

func (c *compiler) request(b requestBlock, roots ...string) *requestDef {
	r := &requestDef{path: c.compile(b.Path, roots...), query: c.compile(b.Query, roots...), headers: c.compile(b.Headers, roots...),
		json: c.compile(b.JSON, roots...), form: c.compile(b.Form, roots...)}
	r.method = c.method(b.Range, b.Method, r.json != nil || r.form != nil)
	if r.path == nil {
		c.fail(b.Range, "path is missing", `Add path = "/…".`)
	}
	return r
}

func (c *compiler) method(rng hcl.Range, method string, body bool) string {
	if method == "" && body {
		return "POST"
	}
	return c.oneOf(rng, "method", method, "GET", "POST", "PUT", "HEAD")
}

// fieldValue turns a plain value into what core.Config.Values holds for the type.
func fieldValue(t core.FieldType, v any) (any, error) {
	n, isNumber := v.(json.Number)
	switch {
	case v == nil:
		return nil, nil
	case t == core.TypeInt && isNumber:
		i, err := n.Int64()
		if err != nil {
			return nil, fmt.Errorf("a whole number is wanted: %w", err)
		}
		return i, nil
	case t == core.TypeFloat && isNumber:
		f, err := n.Float64()
		if err != nil {
			return nil, fmt.Errorf("a number is wanted: %w", err)
		}
		return f, nil
	}
	fits := false
	switch v := v.(type) {
	case string:
		fits = t == core.TypeString || t == core.TypeDuration || t == core.TypeAny
		if t == core.TypeDuration {
			if _, err := core.ParseDuration(v); err != nil {
				return nil, fmt.Errorf("read duration: %w", err)
			}
		}
	case bool:
		fits = t == core.TypeBool || t == core.TypeAny
	case []any:
		fits = t == core.TypeStrings || t == core.TypeAny
	case map[string]any:
		fits = t == core.TypeMap || t == core.TypeAny
	}
	if !fits {
		return nil, fmt.Errorf("a value of type %s is wanted", t)
	}
	return v, nil
}
