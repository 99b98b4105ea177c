package identity

import (
	"cmp"
	"context"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/naming"
)

// former is what the last build published.
type former struct {
	known []naming.Known
	index map[string]int32 // id -> known
	// uids of all records, ascending, and the index into known of each one's id.
	uids   []uint64
	idOf   []int32
	lookup frame.Index
	build  int64
	// names are the map's keys of records that have left, when they are known.
	names map[uint64][3]string
	// mayMint are the ids of which it is known whether they are taken, nil when it is known of
	// all, and short says that another was asked for.
	mayMint map[string]bool
	short   bool
}

// find gives the index into known of a record's former id, or -1.
func (p *former) find(uid uint64) int32 {
	if at, ok := p.lookup.Find(uid); ok {
		return p.idOf[at]
	}
	return -1
}

func (m *Model) readFormer(ctx context.Context, wh core.Warehouse) (*former, error) {
	p := &former{index: map[string]int32{}}
	err := m.scanRows(ctx, wh, tableID, func(r tableRow) {
		id := r.text(0)
		p.index[id] = int32(len(p.known))
		p.known = append(p.known, naming.Known{ID: id, Born: r.number(1), Active: r.flag(2), Current: r.text(3)})
	})
	if err != nil {
		return nil, err
	}
	type entry struct {
		uid uint64
		id  int32
	}
	var entries []entry
	err = m.scanRows(ctx, wh, tableMap, func(r tableRow) {
		id := r.text(3)
		at, ok := p.index[id]
		if !ok { // the list of ids was lost; the map alone still keeps them
			at = int32(len(p.known))
			p.index[id] = at
			p.known = append(p.known, naming.Known{ID: id, Active: true})
		}
		entries = append(entries, entry{frame.UID(r.text(0), r.text(1), r.text(2)), at})
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.uid, b.uid) })
	for _, e := range entries {
		p.uids, p.idOf = append(p.uids, e.uid), append(p.idOf, e.id)
	}
	p.lookup = frame.NewIndex(p.uids)
	for _, k := range p.known {
		p.build = max(p.build, k.Born)
	}
	return p, m.lastBuild(ctx, wh, p)
}

// assign gives ids to the clusters of a build. of names each record's cluster by its
// smallest record.
func (m *Model) assign(f *frame.Frame, of []int32, p *former) (naming.Result, [][]int32) {
	clusters := clusterLists(of)
	in := naming.Input{Clusters: clusters, Old: make([]int32, f.Len()), Known: p.known, Gone: make([]int32, len(p.known)), Build: p.build + 1}
	for r, uid := range f.UID {
		in.Old[r] = p.find(uid)
	}
	for i, uid := range p.uids {
		if _, ok := slices.BinarySearch(f.UID, uid); !ok {
			in.Gone[p.idOf[i]]++
		}
	}
	if b := m.def.Persistence; b != nil {
		in.OldestFirst = b.MergeSurvivor == "oldest"
	}
	in.Mint = func(r int32, generation int) string {
		id := m.mintID(f, r, generation)
		p.short = p.short || p.mayMint != nil && !p.mayMint[id]
		return id
	}
	return naming.Assign(in), clusters
}

// clusterLists lists the records of each cluster, in order of their first record.
func clusterLists(of []int32) [][]int32 {
	size := make([]int32, len(of))
	for _, root := range of {
		size[root]++
	}
	at := make([]int32, len(of))
	var lists [][]int32
	space := make([]int32, len(of))
	used := int32(0)
	for r, root := range of {
		if int32(r) == root {
			at[r] = int32(len(lists))
			lists = append(lists, space[used:used:used+size[root]])
			used += size[root]
		}
	}
	for r, root := range of {
		lists[at[root]] = append(lists[at[root]], int32(r))
	}
	return lists
}

func defaultPrefix(name string) string {
	plain := strings.ReplaceAll(plainName(name), "_", "")
	return plain[:min(3, len(plain))]
}

// mintID makes an id of 80 bits from the first record of a cluster: the same records get
// the same id, also when the map is lost.
func (m *Model) mintID(f *frame.Frame, r int32, generation int) string {
	s, prefix := f.Sources[f.Source[r]], m.def.IDPrefix
	if prefix == "" {
		prefix = defaultPrefix(m.name)
	}
	h := xxh3.HashString128(strings.Join([]string{m.name, s.Source, s.Stream, f.RecordKey(r), strconv.Itoa(generation)}, "\x00"))
	var b [16]byte
	binary.BigEndian.PutUint64(b[:8], h.Hi)
	binary.BigEndian.PutUint64(b[8:], h.Lo)
	return fmt.Sprintf("%s_%s", prefix, strings.ToLower(idEncoding.EncodeToString(b[:10])))
}

var idEncoding = base32.StdEncoding.WithPadding(base32.NoPadding)
