package rest

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"time"

	"github.com/unsilo/unsilo/core"
)

// position is what core.State holds for a stream of a definition. It names no secret:
// links to next pages, which may contain one, are never kept.
type position struct {
	Version int `json:"v"`
	// Low is the time before which every row is stored.
	Low time.Time `json:"low,omitzero"`
	// Window is the window that was being read, when it can be resumed.
	Window *openWindow `json:"window,omitempty"`
	// Token is the API's own position.
	Token string `json:"token,omitempty"`
	// Feed is the time before which every delete is stored, FeedAt when the feed was read.
	Feed   time.Time `json:"feed,omitzero"`
	FeedAt time.Time `json:"feed_at,omitzero"`
	// Parent is the position of the parent stream.
	Parent core.State `json:"parent,omitempty"`
	// Known are the partitions read before, Done those of an unfinished round that began
	// at Until.
	Known digests   `json:"known,omitempty"`
	Done  digests   `json:"done,omitempty"`
	Until time.Time `json:"until,omitzero"`
	// Newest is the newest row of an unfinished round.
	Newest time.Time `json:"newest,omitzero"`
}

// openWindow is a window in the middle of its pages.
type openWindow struct {
	From  time.Time `json:"from,omitzero"`
	To    time.Time `json:"to,omitzero"`
	First bool      `json:"first,omitempty"`
	// Started and Newest are the progress of the reading that left it open.
	Started time.Time `json:"started,omitzero"`
	Newest  time.Time `json:"newest,omitzero"`
	Token   string    `json:"token,omitempty"`
	Key     string    `json:"key,omitempty"`
}

const stateVersion = 1

func readPosition(s core.State) (position, error) {
	p := position{Version: stateVersion}
	if len(s) == 0 || string(s) == "null" {
		return p, nil
	}
	if err := json.Unmarshal(s, &p); err != nil {
		return p, &core.Error{Kind: core.KindConfig, Op: "read position", Err: errors.New("the stored position is not readable")}
	}
	if p.Version != stateVersion {
		return p, &core.Error{Kind: core.KindConfig, Op: "read position", Err: fmt.Errorf("the stored position has version %d, not %d", p.Version, stateVersion),
			Try: "reset the stream's position"}
	}
	return p, nil
}

func (p position) state() (core.State, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return nil, fmt.Errorf("write position: %w", err)
	}
	return text, nil
}

// maxPartitions bounds what a position remembers. With more partitions, each of them is
// read in full every time.
const maxPartitions = 100_000

// digests is a sorted set of short hashes of partition keys, kept as base64.
type digests []uint64

const digestBytes = 6

func partitionDigest(key string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(key))
	return h.Sum64() >> 16
}

func (d digests) has(v uint64) bool { _, ok := slices.BinarySearch(d, v); return ok }

// digestsOf sorts a set.
func digestsOf(set map[uint64]bool) digests {
	return slices.Sorted(maps.Keys(set))
}

// MarshalJSON writes six bytes for each digest.
func (d digests) MarshalJSON() ([]byte, error) {
	raw := make([]byte, 0, len(d)*digestBytes)
	for _, v := range d {
		for shift := (digestBytes - 1) * 8; shift >= 0; shift -= 8 {
			raw = append(raw, byte(v>>shift))
		}
	}
	return json.Marshal(base64.StdEncoding.EncodeToString(raw))
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (d *digests) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("read digests: %w", err)
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil || len(raw)%digestBytes != 0 {
		return errors.New("read digests: the text is damaged")
	}
	out := make(digests, 0, len(raw)/digestBytes)
	for ; len(raw) > 0; raw = raw[digestBytes:] {
		var v uint64
		for _, b := range raw[:digestBytes] {
			v = v<<8 | uint64(b)
		}
		out = append(out, v)
	}
	slices.Sort(out)
	*d = slices.Compact(out)
	return nil
}
