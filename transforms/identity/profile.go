package identity

import (
	"slices"
	"strconv"
	"strings"

	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
)

// profile decides the kind of columns that neither meaning nor name explains, from their
// values. A build that goes on from a model keeps to what it knows.
func (p *pipeline) profile(last *trained) {
	p.kinds = map[string]frame.Kind{}
	if last != nil && retrains(p.frame.Len(), last.Records) {
		last = nil
	}
	for _, c := range p.frame.Columns {
		if c.Kind == "" {
			if last != nil {
				c.Kind = last.Kinds[c.Name]
			}
			if c.Kind == "" {
				c.Kind = kindByValues(c)
			}
			if c.Kind == frame.Text && p.layout.entity == entityFirm && strings.Contains(c.Name, "name") {
				c.Kind = frame.Company
			}
			p.layout.attribute(c.Name).kind = c.Kind
			p.kinds[c.Name] = c.Kind
		}
	}
}

// kindByValues looks at up to 2000 distinct values.
func kindByValues(c *frame.Column) frame.Kind {
	n := min(c.Originals.Len(), 2000)
	if n == 0 {
		return frame.Word
	}
	var number, year, date, spaces, words, length int
	for i := range int32(n) {
		v := strings.TrimSpace(c.Originals.Value(i))
		f, err := strconv.ParseFloat(strings.Trim(v, "$€£ "), 64)
		if err == nil {
			number++
			if f == float64(int(f)) && f >= 1500 && f < 2100 {
				year++
			}
		}
		if looksLikeDate(v) {
			date++
		}
		if strings.ContainsRune(v, ' ') {
			spaces++
		}
		words += len(strings.Fields(v))
		length += len(v)
	}
	records := 0
	for _, raw := range c.Raw {
		if raw >= 0 {
			records++
		}
	}
	few := c.Originals.Len() <= 30 || c.Originals.Len()*200 < records
	switch {
	case date*10 >= n*9:
		return frame.Date
	case year*10 >= n*9:
		return frame.Year
	case number*10 >= n*8:
		// Whole numbers of one length are codes; the rest are quantities.
		if sameLength(c, n) && !few {
			return frame.ID
		}
		return frame.Number
	case few:
		return frame.Category
	case words >= 3*n || words >= 2*n && spaces*10 >= n*7:
		return frame.Text
	case spaces*10 < n && length/n >= 5 && hasDigits(c, n):
		return frame.ID
	}
	return frame.Word
}

func looksLikeDate(v string) bool {
	if len(v) < 8 || len(v) > 25 {
		return false
	}
	digits, signs := 0, 0
	for _, r := range v[:min(len(v), 10)] {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case r == '-' || r == '/' || r == '.':
			signs++
		}
	}
	return digits >= 6 && signs == 2
}

func sameLength(c *frame.Column, n int) bool {
	first := len(strings.TrimSpace(c.Originals.Value(0)))
	same := 0
	for i := range int32(n) {
		v := strings.TrimSpace(c.Originals.Value(i))
		if len(v) == first && !strings.ContainsAny(v, ".,") {
			same++
		}
	}
	return first >= 4 && same*10 >= n*9
}

func hasDigits(c *frame.Column, n int) bool {
	with := 0
	for i := range int32(n) {
		if strings.ContainsAny(c.Originals.Value(i), "0123456789") {
			with++
		}
	}
	return with*10 >= n*7
}

// derive adds the columns that the matcher makes itself: the full name as one value, and
// model numbers found in texts.
func (p *pipeline) derive() {
	f := p.frame
	given, family := f.Column("first_name"), f.Column("last_name")
	if given != nil && family != nil && !given.Masked && !family.Masked {
		f.Columns = append(f.Columns, jointColumn(f, given, family))
	}
	if p.layout.entity != entityThing {
		return
	}
	for _, c := range slices.Clone(f.Columns) {
		if c.Kind == frame.Text && !c.Masked {
			if codes := codesColumn(f, c); codes != nil {
				f.Columns = append(f.Columns, codes)
			}
		}
	}
}

// jointName is the name of the derived column of full names.
const jointName = "full name"

func jointColumn(f *frame.Frame, given, family *frame.Column) *frame.Column {
	c := &frame.Column{Name: jointName, Kind: frame.FullName, Codes: make([]int32, f.Len())}
	known := map[pair]int32{}
	for r := range c.Codes {
		g, n := given.First(int32(r)), family.First(int32(r))
		c.Codes[r] = -1
		if g < 0 || n < 0 {
			continue
		}
		code, ok := known[pair{g, n}]
		if !ok {
			code = c.Values.AddString(given.Values.Value(g) + " " + family.Values.Value(n))
			known[pair{g, n}] = code
		}
		c.Codes[r] = code
	}
	return c
}

// codesColumn collects model numbers from the texts as they came, where signs inside a
// number still show that it is one; nil when fewer than a tenth of the texts have one.
// Codes that more than one record in fifty holds name a feature, not a thing.
func codesColumn(f *frame.Frame, text *frame.Column) *frame.Column {
	c := &frame.Column{Name: text.Name + "_codes", Kind: frame.Codes, Start: make([]int32, 1, f.Len()+1)}
	perRaw := make([][]int32, text.Originals.Len())
	for code := range perRaw {
		for _, w := range kernel.CodesOf(text.Originals.Value(int32(code))) {
			if v := c.Values.AddString(w); !slices.Contains(perRaw[code], v) {
				perRaw[code] = append(perRaw[code], v)
			}
		}
	}
	holders := make([]int, c.Values.Len())
	for r := range int32(f.Len()) {
		if raw := text.FirstRaw(r); raw >= 0 {
			for _, v := range perRaw[raw] {
				holders[v]++
			}
		}
	}
	found := 0
	for r := range int32(f.Len()) {
		before := len(c.Codes)
		if raw := text.FirstRaw(r); raw >= 0 {
			for _, v := range perRaw[raw] {
				if holders[v] <= max(5, f.Len()/50) {
					c.Codes = append(c.Codes, v)
				}
			}
		}
		if len(c.Codes) > before {
			found++
		}
		c.Start = append(c.Start, int32(len(c.Codes)))
	}
	if found*10 < f.Len() {
		return nil
	}
	return c
}
