package normalize

import (
	"bytes"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"
	"sync"

	"github.com/nyaruka/phonenumbers"
)

// outcome of an attempt at a phone number.
type outcome uint8

const (
	undecided outcome = iota // written in a way that is left to the library
	usable
	unusable
)

// maxPlainDigits bounds the numbers that appendPlainPhone reads.
const maxPlainDigits = 17

// appendPlainPhone reads numbers written with digits, one plus, spaces and the signs that
// group digits, by the rules that the library reads from the same tables: the same result
// in a thirtieth of the time. Whatever needs more than those rules is undecided.
func appendPlainPhone(dst []byte, s string, home *phoneRegion) (out []byte, code int, _ outcome) {
	var buf [maxPlainDigits]byte
	digits, plus, ok := plainDigits(buf[:0], s)
	switch {
	case !ok || len(digits) < 5:
		return dst, 0, undecided
	case !plus && home == nil:
		return dst, 0, unusable
	}
	national, plan := digits, (*numberingPlan)(nil)
	if !plus {
		abroad := home.abroad(digits)
		if abroad == 0 && bytes.HasPrefix(digits, home.codeText) {
			return dst, 0, undecided // with its country code and without a plus, or not
		}
		plus, digits = abroad > 0, digits[abroad:]
		national, plan = digits, home.numberingPlan
	}
	if plus {
		if plan, national = numberingPlans().split(digits); plan == nil || len(national) < 2 {
			return dst, 0, undecided
		}
	}
	if plan.transforms {
		return dst, 0, undecided
	}
	national = plan.strip(national)
	main := numberingPlans().codes[plan.code]
	if main == nil {
		return dst, 0, undecided
	}
	if !main.lengths.has(len(national)) {
		return dst, 0, unusable
	}
	dst = append(append(dst, '+'), plan.codeText...)
	return append(dst, national...), len(plan.codeText), usable
}

// plainDigits collects the digits of a plainly written number.
func plainDigits(dst []byte, s string) (digits []byte, plus, ok bool) {
	for i := range len(s) {
		switch c := s[i]; {
		case isDigit(c):
			if len(dst) == maxPlainDigits {
				return dst, plus, false
			}
			dst = append(dst, c)
		case c == '+' && !plus && len(dst) == 0:
			plus = true
		case c != ' ' && c != '-' && c != '(' && c != ')' && c != '.' && c != '/':
			return dst, plus, false
		}
	}
	return dst, plus, true
}

// bits is a set of small numbers: lengths, or first digits.
type bits uint32

func (b bits) has(i int) bool { return i < 32 && b>>i&1 == 1 }

// numberingPlan is what a country's numbers are read by.
type numberingPlan struct {
	code     int
	codeText []byte
	// lengths a number can have without and with its area code.
	lengths bits
	// prefix is dialled before a number within the country; nil when there is none, and
	// prefixText is it when it is always the same. transforms marks prefixes that change
	// the number behind them.
	prefix     *regexp.Regexp
	prefixText []byte
	transforms bool
	// valid recognises the country's numbers; validFirst are the digits they begin with.
	valid      *regexp.Regexp
	validFirst bits
}

// phoneRegion is a country that numbers are read in.
type phoneRegion struct {
	*numberingPlan
	// international is dialled before a country code; internationalFirst are its first
	// digits.
	international      *regexp.Regexp
	internationalFirst bits
}

// abroad is the length of the international prefix that the digits begin with. No
// country code begins with 0.
func (r *phoneRegion) abroad(digits []byte) int {
	if !r.internationalFirst.has(int(digits[0] - '0')) {
		return 0
	}
	found := r.international.FindIndex(digits)
	if found == nil || found[1] < len(digits) && digits[found[1]] == '0' {
		return 0
	}
	return found[1]
}

// strip removes the national prefix, if the number is still one without it.
func (p *numberingPlan) strip(digits []byte) []byte {
	end := len(p.prefixText)
	switch {
	case p.prefix == nil || end > 0 && !bytes.HasPrefix(digits, p.prefixText):
		return digits
	case end == 0:
		found := p.prefix.FindIndex(digits)
		if found == nil {
			return digits
		}
		end = found[1]
	}
	rest := digits[end:]
	if p.validFirst.has(int(digits[0]-'0')) && p.valid.Match(digits) && !p.valid.Match(rest) {
		return digits
	}
	if p.lengths.has(len(rest)) || len(rest) > 0 && p.lengths>>len(rest) == 0 {
		return rest // also when it is too long, as the library does
	}
	return digits
}

// phonePlans are the plans of all countries.
type phonePlans struct {
	regions map[string]*phoneRegion
	// codes holds the plan of the main country of each country code.
	codes map[int]*numberingPlan
}

// split takes the country code off; no code is the beginning of another.
func (p *phonePlans) split(digits []byte) (*numberingPlan, []byte) {
	code := 0
	for i := range min(3, len(digits)) {
		if code = code*10 + int(digits[i]-'0'); code == 0 {
			break
		}
		if plan, ok := p.codes[code]; ok {
			return plan, digits[i+1:]
		}
	}
	return nil, digits
}

// numberingPlans reads the library's tables at first use.
var numberingPlans = sync.OnceValue(func() *phonePlans {
	plans := &phonePlans{map[string]*phoneRegion{}, map[int]*numberingPlan{}}
	tables, err := phonenumbers.MetadataCollection()
	if err != nil {
		return plans // the library reads every number then
	}
	for _, m := range tables.GetMetadata() {
		plan := newNumberingPlan(m)
		if plan == nil {
			continue
		}
		if main := phonenumbers.GetRegionCodeForCountryCode(plan.code); main == m.GetId() {
			plans.codes[plan.code] = plan
		}
		if idd, err := regexp.Compile("^(?:" + m.GetInternationalPrefix() + ")"); err == nil && m.GetId() != "001" && m.GetInternationalPrefix() != "" {
			plans.regions[m.GetId()] = &phoneRegion{plan, idd, firstDigits(m.GetInternationalPrefix())}
		}
	}
	return plans
})

// newNumberingPlan reads one country's table; nil when it is left to the library.
func newNumberingPlan(m *phonenumbers.PhoneMetadata) *numberingPlan {
	general := m.GetGeneralDesc()
	p := &numberingPlan{code: int(m.GetCountryCode()), transforms: m.GetNationalPrefixTransformRule() != ""}
	p.codeText = strconv.AppendInt(nil, int64(p.code), 10)
	for _, n := range general.GetPossibleLength() {
		if n < 1 || n > 31 {
			return nil
		}
		p.lengths |= 1 << n
	}
	var err error
	if p.valid, err = regexp.Compile("^(?:" + general.GetNationalNumberPattern() + ")$"); err != nil || general.GetNationalNumberPattern() == "" {
		return nil
	}
	p.validFirst = firstDigits(general.GetNationalNumberPattern())
	if prefix := m.GetNationalPrefixForParsing(); prefix != "" {
		if p.prefix, err = regexp.Compile("^(?:" + prefix + ")"); err != nil {
			return nil
		}
		if strings.Trim(prefix, "0123456789") == "" {
			p.prefixText = []byte(prefix)
		}
	}
	return p
}

// firstDigits finds the digits that a match of the pattern can begin with; all of them
// when it may also be empty or cannot be read.
func firstDigits(pattern string) bits {
	const all = bits(1<<10 - 1)
	parsed, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return all
	}
	prog, err := syntax.Compile(parsed.Simplify())
	if err != nil {
		return all
	}
	var first bits
	seen := make([]bool, len(prog.Inst))
	work := []uint32{uint32(prog.Start)}
	for len(work) > 0 {
		at := work[len(work)-1]
		work = work[:len(work)-1]
		if seen[at] {
			continue
		}
		seen[at] = true
		switch inst := &prog.Inst[at]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			work = append(work, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop, syntax.InstEmptyWidth:
			work = append(work, inst.Out)
		case syntax.InstFail:
		case syntax.InstMatch:
			return all
		default:
			for d := range 10 {
				if inst.MatchRune(rune('0' + d)) {
					first |= 1 << d
				}
			}
		}
	}
	return first
}
