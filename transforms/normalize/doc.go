// Package normalize brings values of one meaning to one spelling, so that equal things
// are equal bytes: e-mail addresses, phone numbers, names, handles, domains, postcodes,
// street addresses, dates, company names and plain text.
//
// The functions append to a slice and report whether the value is usable:
//
//	out, ok := normalize.AppendEmail(buf[:0], " Anna.Virtanen+news@GoogleMail.com ")
//	// out = "annavirtanen@gmail.com", ok = true
//
// When ok is false the slice comes back as it was: the value is empty, a placeholder
// ("n/a", "000-000"), or not of that kind. All output is printable ASCII, so bytes and
// characters agree in every engine that compares them; it is never longer than a few
// times the input; and normalising it once more changes nothing.
//
// The package keeps no state, reads no file and compares nothing: similarity and
// matching are transforms/identity's, keyed hashing is transforms/mask's.
package normalize

// Version names the rules of this package. It changes whenever the output for any
// input changes, because a stored key or token joins only with those of its version.
const Version = "2"

// Func is the form of every normaliser: it appends the normal form of s to dst, or
// returns dst unchanged and false when s holds nothing usable. A Func is safe for
// concurrent use.
type Func func(dst []byte, s string) ([]byte, bool)

// Of returns the normal form as a string; "" and false when there is none.
func (f Func) Of(s string) (string, bool) {
	var buf [64]byte
	out, ok := f(buf[:0], s)
	if !ok {
		return "", false
	}
	return string(out), true
}
