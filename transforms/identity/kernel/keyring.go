package kernel

// A Keyring gives the blocking keys of one record after the other, for whoever keeps them.
type Keyring struct {
	rules  []*Rule
	hashes [][][]uint64 // by rule and atom, of each value of its column
	skip   func(int32) bool
}

// NewKeyring makes the keys of rules, without those of records that skip names.
func NewKeyring(rules []*Rule, skip func(record int32) bool) *Keyring {
	k := &Keyring{rules: rules, hashes: make([][][]uint64, len(rules)), skip: skip}
	cache := hashCache{}
	for i, r := range rules {
		for _, a := range r.Atoms {
			k.hashes[i] = append(k.hashes[i], cache.of(a))
		}
	}
	return k
}

// Each calls f with every key of a record and the number of its rule.
func (k *Keyring) Each(record int32, f func(rule int, key uint64)) {
	if k.skip != nil && k.skip(record) {
		return
	}
	for i, r := range k.rules {
		if t := r.Tokens; t != nil {
			for _, key := range t.Keys[t.Start[record]:t.Start[record+1]] {
				f(i, key)
			}
			continue
		}
		if key := r.key(record, k.hashes[i]); key != 0 {
			f(i, key)
		}
	}
}

// key of a record from the hashes of the rule's atoms; 0 is none.
func (r *Rule) key(record int32, hashes [][]uint64) uint64 {
	if len(r.Atoms) == 0 {
		return 1 // all pairs
	}
	key := uint64(0)
	for i, a := range r.Atoms {
		code := a.Column.First(record)
		if code < 0 || hashes[i][code] == 0 {
			return 0
		}
		key = nonZero(mix(key, hashes[i][code]))
	}
	return key
}
