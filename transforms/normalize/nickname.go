package normalize

// NicknameGroups lists the groups that a normalised given name belongs to, as numbers
// that are stable within a Version: bill, will and william share one. A name may be in
// several groups (alex), or in none. The result must not be changed.
func NicknameGroups(name []byte) []int32 { return lists().nicknames[string(name)] }

// SameNickname reports whether two normalised given names can be one person's: equal,
// or in one group.
func SameNickname(a, b []byte) bool {
	if string(a) == string(b) {
		return len(a) > 0
	}
	groups := NicknameGroups(b)
	for _, g := range NicknameGroups(a) {
		for _, h := range groups {
			if g == h {
				return true
			}
		}
	}
	return false
}

// AppendNickname writes the formal name of a given name's first group, or the name
// itself when it is in none.
func AppendNickname(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst, ok := AppendName(dst, s)
	if !ok {
		return dst, false
	}
	if groups := NicknameGroups(dst[start:]); len(groups) > 0 {
		dst = append(dst[:start], lists().nicknameGroups[groups[0]]...)
	}
	return dst, true
}
