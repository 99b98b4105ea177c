package sql

import (
	"encoding/json"
	"fmt"

	"github.com/unsilo/unsilo/core"
)

// A position says how far a stream has been read. Values are texts in the form in which
// the dialect writes and reads them back exactly.
type position struct {
	Version int   `json:"v"`
	Phase   phase `json:"phase"`
	// At is a cursor value. In the first pass: the highest value its first snapshot saw,
	// where the next pass begins. Later: the value reached; nil when no row has one.
	At *string `json:"at,omitempty"`
	// Key holds the tie-break values of the last row; present only inside a pass, which
	// goes on right after that row.
	Key []string `json:"key,omitempty"`
	// Again is the lowest cursor value at which this pass was taken up again. The next
	// pass begins there, as rows of that very value may have come in behind the key.
	Again *string `json:"again,omitempty"`
	// Tied are hashes of the rows at the cursor value, of a stream without a key.
	Tied []string `json:"tied,omitempty"`
}

type phase string

const (
	phaseFirst phase = "first" // by key through everything
	phaseTail  phase = "tail"  // by cursor and key
	phaseDone  phase = "done"  // a complete read of a stream without a cursor
)

const positionVersion = 1

// state encodes the position.
func (p position) state() (core.State, error) {
	p.Version = positionVersion
	data, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("encode position: %w", err)
	}
	return data, nil
}

// parsePosition decodes a state for a stream whose tie-break has keys columns. No state is
// the beginning.
func parsePosition(state core.State, keys int) (position, error) {
	p := position{Phase: phaseFirst}
	if len(state) == 0 || string(state) == "null" {
		return p, nil
	}
	bad := func(why error) (position, error) {
		return position{}, fault(core.KindData, "read position", "",
			"the stored position was not made by this version for this stream: start it again with a full read", why)
	}
	if err := json.Unmarshal(state, &p); err != nil {
		return bad(err)
	}
	switch {
	case p.Version != positionVersion:
		return bad(fmt.Errorf("position has version %d, not %d", p.Version, positionVersion))
	case p.Phase != phaseFirst && p.Phase != phaseTail && p.Phase != phaseDone:
		return bad(fmt.Errorf("position has an unknown phase"))
	case p.Key != nil && len(p.Key) != keys:
		return bad(fmt.Errorf("position has %d key values, the stream has %d key columns", len(p.Key), keys))
	case p.Phase == phaseTail && p.Key != nil && p.At == nil:
		return bad(fmt.Errorf("position has a key without a cursor value"))
	}
	return p, nil
}
