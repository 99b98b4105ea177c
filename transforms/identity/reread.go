package identity

import (
	"context"

	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// read loads and normalises the rows that are wanted.
func (n *narrowing) read(ctx context.Context, want pick) error {
	var err error
	n.reports, err = n.readSome(ctx, n.last, want)
	return err
}

// readSome loads and normalises the rows that are wanted, as the stored model says. It gives
// what loading reports: what a part of the values looks like says little.
func (p *pipeline) readSome(ctx context.Context, last *trained, want pick) ([]string, error) {
	f, err := p.model.load(ctx, p.req.Warehouse, p.layout, want)
	if err != nil {
		return nil, err
	}
	for _, c := range f.Columns {
		if c.Kind == "" {
			c.Kind = last.Kinds[c.Name]
			p.layout.attribute(c.Name).kind = c.Kind
		}
	}
	reports := p.layout.reports
	err = p.model.normaliseFrame(f, p.layout)
	p.layout.reports = nil
	p.frame = f
	p.derive()
	return reports, err
}

// readAgain reads the fresh records, and those that stood and are picked. It is false when
// the tables have changed meanwhile, and they are not what they were.
func (n *narrowing) readAgain(ctx context.Context, picked []bool) (bool, error) {
	some, standing := newSieve(), []uint64{}
	for _, uid := range n.freshUIDs {
		some.add(uid)
	}
	for i, is := range picked {
		if is && n.state[i] == stood {
			some.add(n.uids[i])
			standing = append(standing, n.uids[i])
		}
	}
	want := len(n.freshUIDs) + len(standing)
	keys, err := n.keysOf(ctx, standing)
	if err != nil {
		return false, err
	}
	err = n.read(ctx, pick{keys: keys, of: func(uid uint64) bool {
		if !some.holds(uid) {
			return false
		}
		if _, is := n.fresh.Find(uid); is {
			return true
		}
		at, known := n.at.Find(uid)
		return known && n.state[at] == stood && picked[at]
	}})
	if err != nil || n.frame.Len() != want {
		return false, err
	}
	for r, uid := range n.frame.UID {
		was := n.freshDigests
		at, is := n.fresh.Find(uid)
		if !is {
			at, _ = n.at.Find(uid)
			was = n.digests
		}
		if was[at] != n.frame.RowHash[r] {
			return false, nil
		}
	}
	return true, nil
}

// keysOf are the keys of the fresh records and of some that stood, by their source; nil when
// they are too many to look them up.
func (n *narrowing) keysOf(ctx context.Context, standing []uint64) (map[frame.Source][]string, error) {
	if !worthSeeking(len(n.freshUIDs)+len(standing), len(n.uids)) {
		return nil, nil
	}
	names, err := n.model.namesOf(ctx, n.req.Warehouse, standing)
	if err != nil || len(names) < len(standing) {
		return nil, err
	}
	out := bySource(n.layout.sources, names)
	for source, keys := range n.freshKeys {
		out[source] = append(out[source], keys...)
	}
	return out, nil
}

// standing names the records of the frame that the last build had.
func (n *narrowing) standing() []recordName {
	var out []recordName
	for r, uid := range n.frame.UID {
		if _, known := n.at.Find(uid); known {
			s := n.frame.Sources[n.frame.Source[r]]
			out = append(out, recordName{s.Source, s.Stream, n.frame.RecordKey(int32(r))})
		}
	}
	return out
}

// leaving lists the records that are gone.
func (n *narrowing) leaving() []uint64 {
	var out []uint64
	for i, s := range n.state {
		if s == gone {
			out = append(out, n.uids[i])
		}
	}
	return out
}
