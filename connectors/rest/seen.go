package rest

import "hash/maphash"

// seen remembers the records of a window, to drop those that pages repeat. It holds at
// least the last seenLimit records; what is repeated later than that is an upsert of the
// same row.
type seen struct {
	seeds      [2]maphash.Seed
	young, old map[uint64]uint64 // one hash of a record to another
	pending    []uint64          // of the page that is being read
}

const seenLimit = 1 << 16

func newSeen() *seen {
	return &seen{seeds: [2]maphash.Seed{maphash.MakeSeed(), maphash.MakeSeed()}, young: map[uint64]uint64{}}
}

// add notes a record and reports whether it is new. Two records are taken for one only
// if both hashes agree.
func (s *seen) add(record []byte) bool {
	key, check := maphash.Bytes(s.seeds[0], record), maphash.Bytes(s.seeds[1], record)
	if known, ok := s.young[key]; ok && known == check {
		return false
	}
	if known, ok := s.old[key]; ok && known == check {
		return false
	}
	s.young[key] = check
	s.pending = append(s.pending, key)
	return true
}

// accept keeps the page's records.
func (s *seen) accept() {
	s.pending = s.pending[:0]
	if len(s.young) >= seenLimit {
		s.old, s.young = s.young, make(map[uint64]uint64, seenLimit)
	}
}

// forget takes the page's records back.
func (s *seen) forget() {
	for _, key := range s.pending {
		delete(s.young, key)
	}
	s.pending = s.pending[:0]
}

// clear starts a new window.
func (s *seen) clear() {
	clear(s.young)
	s.old, s.pending = nil, s.pending[:0]
}
