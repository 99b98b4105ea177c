package identity

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/unsilo/unsilo/core"
)

// violations fails the build when the guardrail block says so and one of its limits was
// met. Decisions of people and contradicting names are no violation.
func (p *pipeline) violations() error {
	g := p.model.def.Guardrail
	if g == nil || g.OnViolation != "fail" {
		return nil
	}
	n, first := 0, ""
	for _, v := range p.result.Vetoes {
		if broken(v.Reason) {
			if n++; first == "" {
				e := p.edges[v.Edge]
				first = fmt.Sprintf("%s and %s, %s", p.recordOf(e.A), p.recordOf(e.B), v.Reason)
			}
		}
	}
	if n == 0 {
		return nil
	}
	return &core.Error{Kind: core.KindData, Op: "guard identity." + p.model.name, Path: "guardrail.on_violation",
		Err: fmt.Errorf("%d links would break a limit: first %s", n, first),
		Try: "on_violation = \"refuse_edge\" leaves such links out, \"review\" asks about them"}
}

// broken reports whether a reason to refuse is a limit that the block set.
func broken(reason string) bool {
	for _, limit := range []string{"max_cluster_size", "max_records_per_source", "exclusive", "max_values_per_person", "cannot_link "} {
		if strings.HasPrefix(reason, limit) {
			return true
		}
	}
	return false
}

// growth notes that a build has many more edges than the one before, which is how a bad
// source shows first.
func (p *pipeline) growth(ctx context.Context) error {
	now := float64(len(p.edges))
	p.measure("edges", now)
	g := p.model.def.Guardrail
	if g == nil || g.Alert == nil || g.Alert.EdgeGrowth == "" {
		return nil
	}
	limit, err := parsePercent(g.Alert.EdgeGrowth)
	if err != nil {
		return err
	}
	before, build := 0.0, int64(-1)
	err = p.model.scanRows(ctx, p.req.Warehouse, tableMetric, func(r tableRow) {
		if r.text(3) == "edges" && r.number(2) > build {
			before, build = r.real(4), r.number(2)
		}
	})
	if err != nil {
		return err
	}
	if before > 0 && now > before*(1+limit) {
		p.note("edges grew from %.0f to %.0f, more than %s: see which rule with SELECT name, value FROM %s", before, now, g.Alert.EdgeGrowth,
			p.model.tableOf(tableMetric))
	}
	return nil
}

// remember stores with the model what the commands need to know of the block.
func (p *pipeline) remember(t *trained) {
	if g := p.model.def.Guardrail; g != nil {
		t.AskRefused = g.OnViolation == "review"
	}
	if r := p.model.def.Review; r != nil {
		t.Sample = r.Sample
	}
	t.Key = p.tokenKey
}

// loadKey reads the key of the tokens from the last build, or makes one.
func (p *pipeline) loadKey(ctx context.Context) error {
	t, err := p.stored(ctx)
	if err != nil {
		return err
	}
	if t != nil {
		p.tokenKey = t.Key
	}
	if b := p.model.def.Privacy; len(p.tokenKey) == 0 && b != nil && len(b.Hash) > 0 {
		p.tokenKey = make([]byte, 32)
		_, _ = rand.Read(p.tokenKey) // never fails
	}
	return nil
}

// hashed reports whether the privacy block keeps an attribute's values out of what is
// published.
func (p *pipeline) hashed(name string) bool {
	b := p.model.def.Privacy
	return b != nil && slices.Contains(b.Hash, name)
}

// token stands for a value of a hashed attribute: equal values have equal tokens.
func (p *pipeline) token(name string, value []byte) string {
	h := hmac.New(sha256.New, p.tokenKey)
	_, _ = h.Write([]byte(name + "\x00")) // never fails
	_, _ = h.Write(value)
	return hex.EncodeToString(h.Sum(nil)[:16])
}
