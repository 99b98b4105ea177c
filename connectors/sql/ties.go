package sql

import (
	"strconv"

	"github.com/zeebo/xxh3"
)

// maxTied bounds the rows that are remembered by hash.
const maxTied = 10_000

// ties keeps rows without a key from being sent twice. A position of such a stream holds
// the hashes of the rows that share its cursor value; the next pass begins at that value,
// and leaves those rows out.
type ties struct {
	// begin is the value that the pass begins at, sent counts the hashes already sent.
	begin *string
	sent  map[string]int
	// watch is the value whose rows are gathered; nil follows the value at hand, which
	// works for rows in the order of the cursor.
	watch *string
	value string
	tied  []string
}

func newTies(begin *string, tied []string, watch *string) *ties {
	t := &ties{begin: begin, watch: watch, sent: map[string]int{}}
	for _, h := range tied {
		t.sent[h]++
	}
	return t
}

// keep reports whether a row must be sent; sum is its hash.
func (t *ties) keep(value string, known bool, sum func() uint64) bool {
	if !known {
		return true
	}
	if t.watch == nil && (value != t.value || t.tied == nil) {
		t.value, t.tied = value, []string{}
	}
	watched := t.watch == nil || *t.watch == value
	atBegin := t.begin != nil && *t.begin == value
	if !watched && !atBegin {
		return true
	}
	h := strconv.FormatUint(sum(), 36)
	if watched && len(t.tied) <= maxTied {
		t.tied = append(t.tied, h)
	}
	if atBegin && t.sent[h] > 0 {
		t.sent[h]--
		return false
	}
	return true
}

// hashes are those of the rows at the last value; none when there are too many to remember,
// so that they are sent again.
func (t *ties) hashes() []string {
	if len(t.tied) > maxTied {
		return nil
	}
	return t.tied
}

// rowHash hashes the cells of a row.
type rowHash struct{ h xxh3.Hasher }

func (r *rowHash) cell(tag string, b []byte) {
	_, _ = r.h.WriteString(tag + strconv.Itoa(len(b)) + ":") // a hash never fails
	_, _ = r.h.Write(b)
}
