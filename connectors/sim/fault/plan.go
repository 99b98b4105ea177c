// Package fault makes an HTTP API misbehave on purpose, as real ones do, and keeps a log
// of what it did and of what the client did then.
//
// A Plan says which requests are hit. Faults of the transport (refusals, broken bodies)
// are done here; faults of the data (duplicates, late rows, drift) are done to a Page,
// which the API hands in before it writes its answer. The log can be asked whether a fault
// really fired, and whether a request came earlier than the client had been told.
package fault

import (
	"fmt"
	"path"
	"strings"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/dice"
)

// Kind is what goes wrong.
type Kind string

// The faults of the transport.
const (
	Limited        Kind = "429_seconds"       // Retry-After in seconds
	LimitedDate    Kind = "429_date"          // Retry-After as an HTTP date
	LimitedBare    Kind = "429_bare"          // no word on how long
	LimitedEpoch   Kind = "429_epoch"         // x-rate-limit-reset in epoch seconds
	LimitedBody    Kind = "200_limit_in_body" // status 200 and a code in the body
	LimitedGrowing Kind = "429_growing"       // the wait grows with every request sent meanwhile
	Broken         Kind = "5xx"               // Status, default 503
	EmptyRefusal   Kind = "406_empty"         // no body
	WaitPage       Kind = "420_html"          // a page for people
	HTML           Kind = "200_html"          // a page for people with status 200
	Cut            Kind = "cut_body"          // fewer bytes than Content-Length says
	ChunkBreak     Kind = "chunk_break"       // the connection ends inside a chunked body
	Slow           Kind = "slow_body"         // the body takes Wait
	Redirect       Kind = "redirect"          // 307 to Target
	Unauthorized   Kind = "401"               // the credentials are refused this once
	TokenExpired   Kind = "token_expired"     // the token is void from now on
)

// The faults of the data.
const (
	EdgeDuplicate Kind = "edge_duplicate"  // a page begins with the last row of the one before
	SamePage      Kind = "same_page_twice" // the page before comes once more
	Shifted       Kind = "shifted"         // a new row at the front moves all others by one
	Late          Kind = "late_rows"       // rows younger than Wait are not shown yet
	Shuffled      Kind = "out_of_order"    // rows in reverse order
	Newer         Kind = "newer"           // a row from beyond the asked window
	EmptyPage     Kind = "empty_page"      // no rows, but a next page
	NewField      Kind = "new_field"       // rows have the field sim_added
	NumberAsText  Kind = "number_as_text"  // numbers come in quotes
	NullAsFalse   Kind = "null_as_false"   // false stands for null
)

// Kinds lists every fault.
func Kinds() []Kind {
	return []Kind{
		Limited, LimitedDate, LimitedBare, LimitedEpoch, LimitedBody, LimitedGrowing, Broken, EmptyRefusal, WaitPage,
		HTML, Cut, ChunkBreak, Slow, Redirect, Unauthorized, TokenExpired, EdgeDuplicate, SamePage, Shifted, Late,
		Shuffled, Newer, EmptyPage, NewField, NumberAsText, NullAsFalse,
	}
}

// Rule hits some requests with one fault.
type Rule struct {
	// Method and Path choose requests; empty means any. Path is a pattern as in path.Match;
	// one that ends in /** matches everything below.
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	// Nth is the matching request to begin with, from 1; 0 is 1.
	Nth int `json:"nth,omitempty"`
	// PerMille, when set, hits so many of 1000 matching requests, drawn by the plan's seed.
	PerMille int `json:"per_mille,omitempty"`
	// Times bounds how often the rule fires; 0 is once, below 0 without end.
	Times int  `json:"times,omitempty"`
	Fault Kind `json:"fault"`
	// Wait is how long: to stay away, to dawdle, or how young a late row is. 0 is a second.
	Wait time.Duration `json:"wait,omitempty"`
	// Status of a 5xx.
	Status int `json:"status,omitempty"`
	// Target of a redirect: scheme and host.
	Target string `json:"target,omitempty"`
}

// Plan is a list of rules; the first that matches a request and is not spent decides.
type Plan struct {
	Seed  uint64 `json:"seed,omitempty"`
	Rules []Rule `json:"rules"`
}

// Check reports a rule that can never fire as it is written.
func (p Plan) Check() error {
	known := map[Kind]bool{}
	for _, k := range Kinds() {
		known[k] = true
	}
	for i, r := range p.Rules {
		if !known[r.Fault] {
			return fmt.Errorf("check fault rule %d: there is no fault %q", i, r.Fault)
		}
		if _, err := path.Match(r.Path, "/"); err != nil {
			return fmt.Errorf("check fault rule %d: path %q: %w", i, r.Path, err)
		}
		if r.Fault == Redirect && r.Target == "" {
			return fmt.Errorf("check fault rule %d: a redirect needs a target", i)
		}
	}
	return nil
}

func (r Rule) matches(method, at string) bool {
	if r.Method != "" && r.Method != method {
		return false
	}
	if r.Path == "" {
		return true
	}
	if root, ok := strings.CutSuffix(r.Path, "/**"); ok {
		return strings.HasPrefix(at, root+"/")
	}
	ok, err := path.Match(r.Path, at)
	return err == nil && ok
}

// progress is how far a rule has got.
type progress struct{ seen, fired int }

// fires tells whether a rule hits the request it has just seen.
func (p *progress) fires(plan Plan, rule int) bool {
	r := plan.Rules[rule]
	p.seen++
	if limit := max(r.Times, 1); r.Times >= 0 && p.fired >= limit {
		return false
	}
	if p.seen < max(r.Nth, 1) {
		return false
	}
	if r.PerMille > 0 {
		d := dice.New(plan.Seed, "fault", rule, p.seen)
		if !d.Chance(r.PerMille) {
			return false
		}
	}
	p.fired++
	return true
}

func (r Rule) wait() time.Duration {
	if r.Wait <= 0 {
		return time.Second
	}
	return r.Wait
}
