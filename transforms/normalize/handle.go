package normalize

import "strings"

// AppendHandle writes the name of an account on a social network: lower case, without
// the leading @ and without the address of the profile page around it. A handle of a
// federated network keeps its host: anna@mastodon.social.
func AppendHandle(dst []byte, s string) ([]byte, bool) {
	s = trimSpace(s)
	if i := strings.Index(s, "://"); i >= 0 {
		s = s[i+3:]
		if i = strings.IndexByte(s, '/'); i < 0 {
			return dst, false
		}
		s = lastPathElement(s[i+1:])
	} else if i := strings.IndexByte(s, '/'); i > 0 && strings.IndexByte(s[:i], '.') > 0 {
		s = lastPathElement(s[i+1:])
	}
	start := len(dst)
	dst = appendASCII(dst, strings.TrimLeft(s, "@ /"))
	end := start
	for _, c := range dst[start:] {
		switch {
		case isAlnum(c) || c == '_' || c == '.' || c == '-' || c == '@' && end > start:
			dst[end] = c
			end++
		case c == ' ' && end > start:
			// "Anna Virtanen" is a display name; what follows is not part of a handle
			return dst[:start], false
		}
	}
	for end > start && dst[end-1] == '@' {
		end--
	}
	if end == start || isPlaceholderWords(dst[start:end]) {
		return dst[:start], false
	}
	return dst[:end], true
}

// lastPathElement finds the account in the path of a profile page.
func lastPathElement(path string) string {
	path, query, _ := strings.Cut(path, "?")
	path, _, _ = strings.Cut(path, "#")
	path = strings.Trim(path, "/")
	if path == "profile.php" {
		for part := range strings.SplitSeq(query, "&") {
			if id, ok := strings.CutPrefix(part, "id="); ok {
				return id
			}
		}
	}
	return path[strings.LastIndexByte(path, '/')+1:]
}
