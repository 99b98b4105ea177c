package normalize

// IsPlaceholder reports whether a value stands for no value: empty, "n/a", "unknown",
// "-", "xxx", "000-000", and their like in several languages.
func IsPlaceholder(s string) bool {
	if len(s) > 40 {
		return false
	}
	var buf [96]byte
	out, ok := AppendWords(buf[:0], s)
	return !ok || isPlaceholderWords(out)
}

// isPlaceholderWords is IsPlaceholder for the result of AppendWords.
func isPlaceholderWords(words []byte) bool {
	if len(words) == 0 || isPlaceholderWord(words) {
		return true
	}
	var first byte
	n := 0
	for _, c := range words {
		if c == ' ' {
			continue
		}
		if n > 0 && c != first {
			return false
		}
		first = c
		n++
	}
	return n > 2 || n > 0 && first == '0'
}

// isPlaceholderWord looks the words up in the list.
func isPlaceholderWord(words []byte) bool {
	_, ok := lists().placeholders[string(words)]
	return ok
}

// allSame reports whether one character is repeated.
func allSame(b []byte) bool {
	for _, c := range b {
		if c != b[0] {
			return false
		}
	}
	return true
}
