package identity

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/fs"
)

// trained is the model of the last build as it is stored.
type trained struct {
	fs.Model
	// Version changes with every training.
	Version string `json:"version"`
	// Keep and Link bound the band of pairs that people should look at, in millionths of a
	// bit.
	Keep int64 `json:"keep"`
	Link int64 `json:"link"`
	// Likely divides the band, 0 when it is one: what lies above comes first.
	Likely int64 `json:"likely,omitempty"`
	// AskRefused puts pairs that a guard refused in the queue too, and Sample so many pairs
	// that are not in doubt.
	AskRefused bool `json:"ask_refused,omitempty"`
	Sample     int  `json:"sample,omitempty"`
	// Terms are the totals of the frequencies by which values are weighed, by column, and
	// TermRows the rows that their table has.
	Terms    map[string]float64 `json:"terms,omitempty"`
	TermRows int                `json:"term_rows,omitempty"`
	// Denials are the contradictions that keep records apart, Compared the columns that take
	// part in comparisons.
	Denials  []string `json:"denials,omitempty"`
	Compared []string `json:"compared,omitempty"`
	// Kinds are those of columns that the values told.
	Kinds map[string]frame.Kind `json:"kinds,omitempty"`
	// Key makes the tokens of hashed attributes.
	Key []byte `json:"key,omitempty"`
	// Rules are the blocking rules, Fingerprint that of the block and its columns, and Records the
	// number that the model was trained on.
	Rules       []ruleSpec `json:"rules,omitempty"`
	Fingerprint string     `json:"fingerprint"`
	Records     int        `json:"records"`
	// Digest stands for all records of the last build, and Decided for the decisions that were
	// in force.
	Digest  uint64 `json:"sum"`
	Decided string `json:"decided,omitempty"`
	// Keyed says that the keys of all records are stored.
	Keyed bool `json:"keyed,omitempty"`
}

const tableModel = "model"

// loadModel reads the stored model; nil when there is none.
func loadModel(ctx context.Context, wh core.Warehouse, s store) (*trained, error) {
	var text string
	if err := s.scanRows(ctx, wh, tableModel, func(r tableRow) { text = r.text(1) }); err != nil || text == "" {
		return nil, err
	}
	t := &trained{}
	if err := json.Unmarshal([]byte(text), t); err != nil {
		return nil, fmt.Errorf("read model of identity.%s: %w", s.name, err)
	}
	return t, nil
}

// evidence breaks the bits of an edge down into the prior, each comparison's level and what
// the frequency of its value adds.
func (t *trained) evidence(code uint64, bits int64) []Evidence {
	p := make(fs.Pattern, len(t.Comparisons))
	t.Coder().Decode(code, p)
	out := []Evidence{{Comparison: "two random records", Level: "prior", Bits: float64(t.PriorBits()) / 1e6}}
	for k, l := range p {
		c := t.Comparisons[k]
		if l < 0 || int(l) >= len(c.Levels) {
			continue
		}
		out = append(out, Evidence{Comparison: c.Name, Level: c.Levels[l].Name, Bits: float64(t.LevelBits(k, int(l))) / 1e6})
	}
	for _, d := range t.Dependences {
		a, b := p[d.A], p[d.B]
		if a < 0 || b < 0 || fs.MicroBits(d.Bits[a][b]) == 0 {
			continue
		}
		out = append(out, Evidence{Comparison: t.Comparisons[d.A].Name + " with " + t.Comparisons[d.B].Name,
			Level: "counted once, for they go together", Bits: -float64(fs.MicroBits(d.Bits[a][b])) / 1e6})
	}
	if rest := bits - int64(t.Weight(p)); rest != 0 {
		out = append(out, Evidence{Comparison: "value frequency", Level: "how rare the agreed values are", Bits: float64(rest) / 1e6})
	}
	return out
}
