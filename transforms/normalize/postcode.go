package normalize

// AppendPostcode writes letters and digits in upper case, without spaces: SW1A1AA. A
// country prefix (FI-00100) and the extension of an American code (12345-6789) fall
// away.
func AppendPostcode(dst []byte, s string) ([]byte, bool) {
	start := len(dst)
	dst = appendASCII(dst, trimSpace(s))
	code := dst[start:]
	if hyphen := prefixHyphen(code); hyphen > 0 {
		code = code[hyphen+1:]
	}
	if len(code) == 10 && (code[5] == '-' || code[5] == ' ') && allDigits(code[:5]) && allDigits(code[6:]) {
		code = code[:5]
	}
	end := start
	zeros := true
	for _, c := range code {
		switch {
		case isLetter(c):
			c -= 'a' - 'A'
		case !isDigit(c):
			continue
		}
		zeros = zeros && (c == '0' || c == '9' && dst[start] == '9')
		dst[end] = c
		end++
	}
	if n := end - start; n < 3 || n > 12 || zeros && allSame(dst[start:end]) || IsPlaceholder(string(dst[start:end])) {
		return dst[:start], false
	}
	return dst[:end], true
}

// prefixHyphen finds the hyphen of a country prefix: one to three letters, a hyphen, a
// digit.
func prefixHyphen(code []byte) int {
	for i, c := range code {
		if c == '-' && i > 0 && i <= 3 && i+1 < len(code) && isDigit(code[i+1]) {
			return i
		}
		if !isLetter(c) {
			return 0
		}
	}
	return 0
}

func allDigits(b []byte) bool {
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) > 0
}
