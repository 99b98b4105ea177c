package fault

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"
)

// Page is one answer of an API before it is written.
type Page struct {
	// Rows are JSON objects.
	Rows []json.RawMessage
	// Next is the position of the next page, "" for the last one; At is the position of this
	// page, "" for the first.
	Next, At string
	// Tag makes a position look different and mean the same; nil when the API has no opaque
	// positions. Faults that need it leave the page alone then.
	Tag func(position string) string
	// Beyond is a row from outside the asked window, nil when there is none.
	Beyond json.RawMessage
}

// memory is what the last page of a path held.
type memory struct {
	mu   sync.Mutex
	rows []json.RawMessage
	// shift counts rows that appeared at the front.
	shift int
}

// Apply spoils a page if its request is hit by a fault of the data, and remembers it.
func (h *Hit) Apply(p *Page) {
	h.memory.mu.Lock()
	defer h.memory.mu.Unlock()
	whole := slices.Clone(p.Rows)
	switch h.Kind {
	case EdgeDuplicate:
		if n := len(h.memory.rows); n > 0 && p.At != "" {
			p.Rows = append([]json.RawMessage{h.memory.rows[n-1]}, p.Rows...)
			h.Fired()
		}
	case SamePage:
		if p.Tag != nil && p.At != "" && len(h.memory.rows) > 0 {
			p.Rows, p.Next = h.memory.rows, p.Tag(p.At)
			h.Fired()
			return
		}
	case EmptyPage:
		if p.Tag != nil {
			p.Rows, p.Next = nil, p.Tag(p.At)
			h.Fired()
			return
		}
	case Shuffled:
		p.Rows = slices.Clone(p.Rows)
		slices.Reverse(p.Rows)
		if len(p.Rows) > 1 {
			h.Fired()
		}
	case Newer:
		if p.Beyond != nil {
			p.Rows = append(slices.Clone(p.Rows), p.Beyond)
			h.Fired()
		}
	case NewField, NumberAsText, NullAsFalse:
		p.Rows = h.drift(p.Rows)
		if len(p.Rows) > 0 {
			h.Fired()
		}
	}
	h.memory.rows = whole
}

// Shift gives the number of rows that have appeared at the front of a list that is paged
// by position; the first row is repeated so often.
func (h *Hit) Shift() int {
	h.memory.mu.Lock()
	defer h.memory.mu.Unlock()
	if h.Kind == Shifted {
		h.memory.shift++
		h.Kind = ""
		h.Fired()
	}
	return h.memory.shift
}

func (h *Hit) drift(rows []json.RawMessage) []json.RawMessage {
	out := make([]json.RawMessage, len(rows))
	for i, row := range rows {
		switch h.Kind {
		case NewField:
			out[i] = append([]byte(`{"sim_added":"new",`), bytes.TrimPrefix(row, []byte("{"))...)
		default:
			out[i] = h.rewrite(row)
		}
	}
	return out
}

// rewrite changes the scalars of an object, in objects inside it too.
func (h *Hit) rewrite(row json.RawMessage) json.RawMessage {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(row, &fields); err != nil {
		return row
	}
	for name, v := range fields {
		switch {
		case len(v) == 0:
		case v[0] == '{':
			fields[name] = h.rewrite(v)
		case h.Kind == NullAsFalse && string(v) == "null":
			fields[name] = json.RawMessage("false")
		case h.Kind == NumberAsText && (v[0] == '-' || v[0] >= '0' && v[0] <= '9') && name != "id":
			fields[name] = json.RawMessage(`"` + string(v) + `"`)
		}
	}
	out, err := json.Marshal(fields)
	if err != nil {
		return row
	}
	return out
}
