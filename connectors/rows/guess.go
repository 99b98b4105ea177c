package rows

// guess is the set of types that all texts of an inferred column had so far.
type guess uint8

const (
	guessTime guess = 1 << iota
	guessDate
	guessInt
	guessFloat
	guessBool

	guessJSON = guessTime | guessDate                         // JSON says itself what is a number
	guessText = guessJSON | guessInt | guessFloat | guessBool // CSV does not
)

// narrow keeps the types of want that the text s has. Empty text has none.
func (want guess) narrow(s []byte) guess {
	var got guess
	if len(s) == 0 {
		return 0
	}
	if want&guessDate != 0 && len(s) == 10 {
		if _, ok := parseDate(s); ok {
			got |= guessDate
		}
	}
	if want&guessTime != 0 && len(s) >= 17 {
		if _, ok := parseTime(s, nil, false); ok {
			got |= guessTime
		}
	}
	if want&(guessInt|guessFloat) != 0 {
		got |= narrowNumber(s)
	}
	if want&guessBool != 0 && (view(s) == "true" || view(s) == "false") {
		got |= guessBool
	}
	return want & got
}

func narrowNumber(s []byte) guess {
	n, ok := parseNumber(s)
	if !ok {
		return 0
	}
	if n.whole {
		if _, ok := n.int64(); ok && !(n.neg && n.mant == 0) {
			if n.mant > exactFloat {
				return guessInt
			}
			return guessInt | guessFloat
		}
		return 0
	}
	if _, ok := n.float64(); !ok {
		return 0
	}
	return guessFloat
}

// settle ends the guessing of a column: when all its texts have one narrower type, they
// become values of it.
func (c *column) settle() {
	if c.kind != kindString || c.guess == 0 || c.n == c.nulls {
		return
	}
	g := c.guess
	c.guess = 0
	to := kindString
	switch {
	case g&guessInt != 0:
		to = kindInt
	case g&guessFloat != 0:
		to = kindFloat
	case g&guessBool != 0:
		to = kindBool
	case g&guessDate != 0:
		to = kindDate
	case g&guessTime != 0:
		to = kindTime
	}
	if to != kindString {
		c.convertText(to)
	}
}

// convertText turns texts that are all of the kind into values.
func (c *column) convertText(to kind) {
	old := *c
	c.kind, c.n, c.nulls, c.valid, c.data, c.offs = to, 0, 0, nil, nil, nil
	for row := range old.n {
		if old.isNull(row) {
			c.null()
			continue
		}
		s := old.text(row)
		switch to {
		case kindInt:
			n, _ := parseNumber(s)
			v, _ := n.int64()
			c.big = c.big || n.mant > exactFloat
			c.addInt(v)
		case kindFloat:
			n, _ := parseNumber(s)
			v, _ := n.float64()
			c.addFloat(v)
		case kindBool:
			c.addBool(s[0] == 't')
		case kindDate:
			v, _ := parseDate(s)
			c.addInt(v)
		case kindTime:
			v, _ := parseTime(s, nil, false)
			c.addInt(v)
		}
	}
}
