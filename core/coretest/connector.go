package coretest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// ConnectorCase is a connector under test, with a silo for it to read and what is known
// of that silo. Only Connector is needed; every other field makes more rules apply.
//
// The silo should be small (up to a few thousand rows a stream), should have several
// rows on one cursor value, and must not change while the suite runs but through Mutate.
type ConnectorCase struct {
	Connector core.Connector
	// Config opens the silo. Values of secret fields are looked for in whatever the
	// connector says.
	Config core.Config
	// BadConfigs are configurations that Open or Check must refuse with an Error of
	// KindConfig that names the attribute in Path.
	BadConfigs []core.Config
	// Streams narrows the suite to these; empty means all.
	Streams []string
	// Rows expected of a full read, by stream.
	Rows map[string]int64
	// Mutate changes the silo: new rows, changed rows, deleted rows where streams find
	// them. The suite calls it once, last.
	Mutate func(context.Context) error
	// Memory, when the connector was told to use it, must be balanced in the end.
	Memory *memory.CheckedAllocator
	// MaxRows is the longest stream whose rows are compared; 0 means 50,000. Longer
	// streams are held to the rules that need no full read.
	MaxRows int64
	// Skip names rules that do not apply, each with the reason, which the report shows.
	Skip map[string]string
}

// Report is the outcome of a conformance run.
type Report struct {
	Connector string       `json:"connector"`
	Version   string       `json:"version"`
	Results   []RuleResult `json:"results"`
}

// RuleResult is the outcome of one rule.
type RuleResult struct {
	ID string `json:"id"`
	// Rule is the sentence the connector is held to.
	Rule    string  `json:"rule"`
	Outcome Outcome `json:"outcome"`
	// Detail says what was wrong, or why the rule was skipped.
	Detail string        `json:"detail,omitempty"`
	Took   time.Duration `json:"took"`
}

// Outcome of a rule.
type Outcome string

// The outcomes.
const (
	Pass Outcome = "pass"
	Fail Outcome = "fail"
	Skip Outcome = "skip"
)

// Failed counts the rules that failed.
func (r Report) Failed() int {
	n := 0
	for _, res := range r.Results {
		if res.Outcome == Fail {
			n++
		}
	}
	return n
}

// TestConnector holds a connector to the contract of core.Connector and core.Source, a
// subtest to each rule.
func TestConnector(t *testing.T, c ConnectorCase) {
	t.Helper()
	s := newConnectorSuite(t.Context(), c)
	for _, rule := range connectorRules() {
		t.Run(rule.id, func(t *testing.T) {
			switch res := s.apply(rule); res.Outcome {
			case Fail:
				t.Errorf("%s\nthe rule: %s", res.Detail, res.Rule)
			case Skip:
				t.Skip(res.Detail)
			}
		})
	}
}

// Conformance runs the same rules without package testing. It stops early when ctx ends.
func Conformance(ctx context.Context, c ConnectorCase) Report {
	s := newConnectorSuite(ctx, c)
	report := Report{Connector: s.spec.Name, Version: s.spec.Version}
	for _, rule := range connectorRules() {
		if ctx.Err() != nil {
			break
		}
		report.Results = append(report.Results, s.apply(rule))
	}
	return report
}

// connectorRule is one sentence of the contract and its test, which gives nil, a
// skipped reason, or what is wrong.
type connectorRule struct {
	id, why string
	run     func(*connectorSuite) error
}

// connectorRules in the order they run: what a rule builds on comes before it, and what
// changes the silo comes last.
func connectorRules() []connectorRule {
	var all []connectorRule
	for _, group := range [][]connectorRule{
		describeRules(), readRules(), batchRules(), requestRules(), stateRules(), safetyRules(), changeRules(),
	} {
		all = append(all, group...)
	}
	return all
}

// skipped is the reason a rule does not apply.
type skipped string

func (s skipped) Error() string { return string(s) }

// apply runs one rule. A panic fails it.
func (s *connectorSuite) apply(rule connectorRule) (res RuleResult) {
	res = RuleResult{ID: rule.id, Rule: rule.why, Outcome: Pass}
	if reason, ok := s.Skip[rule.id]; ok {
		res.Outcome, res.Detail = Skip, reason
		return res
	}
	start := time.Now()
	defer func() {
		res.Took = time.Since(start)
		if p := recover(); p != nil {
			res.Outcome, res.Detail = Fail, fmt.Sprintf("panic: %v", p)
		}
	}()
	err := rule.run(s)
	var skip skipped
	switch {
	case errors.As(err, &skip):
		res.Outcome, res.Detail = Skip, string(skip)
	case err != nil:
		res.Outcome, res.Detail = Fail, s.hide(err.Error())
	}
	return res
}

// hide takes the secrets of the configuration out of a report.
func (s *connectorSuite) hide(text string) string {
	for _, secret := range s.secrets() {
		text = strings.ReplaceAll(text, secret, "(secret)")
	}
	return text
}
