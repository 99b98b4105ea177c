package rest

import "hash/maphash"

// seen remembers the records of a window, to drop those that pages repeat. It holds at
// least the last seenLimit records; what is repeated later than that is an upsert of the
// same row.
type seen struct {
	seeds      [2]maphash.Seed
	young, old map[digest]struct{}
	pending    []digest // of the page that is being read
}

type digest [2]uint64

const seenLimit = 1 << 16

func newSeen() *seen {
	return &seen{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, young: map[digest]struct{}{}}
}

func (s *seen) digest(record []byte) digest {
	return digest{maphash.Bytes(s.seeds[0], record), maphash.Bytes(s.seeds[1], record)}
}

// add notes a record and reports whether it is new.
func (s *seen) add(d digest) bool {
	if _, ok := s.young[d]; ok {
		return false
	}
	if _, ok := s.old[d]; ok {
		return false
	}
	s.young[d] = struct{}{}
	s.pending = append(s.pending, d)
	return true
}

// accept keeps the page's records.
func (s *seen) accept() {
	s.pending = s.pending[:0]
	if len(s.young) >= seenLimit {
		s.old, s.young = s.young, map[digest]struct{}{}
	}
}

// forget takes the page's records back.
func (s *seen) forget() {
	for _, d := range s.pending {
		delete(s.young, d)
	}
	s.pending = s.pending[:0]
}

// clear starts a new window.
func (s *seen) clear() {
	clear(s.young)
	s.old, s.pending = nil, s.pending[:0]
}
