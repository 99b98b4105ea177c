package identity

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
	"unicode/utf8"
)

// Text writes the explanation for a terminal.
func (x Explanation) Text() string {
	var b strings.Builder
	if x.ID != "" {
		fmt.Fprintf(&b, "%s %s: %s\n", x.Identity, x.ID, howMany(len(x.Records), "record"))
	}
	b.WriteString(SideBySide(x.Records, x.Values))
	section := func(title string, steps []Step) {
		if len(steps) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%s\n", title)
		for _, s := range steps {
			writeStep(&b, s)
		}
	}
	section("Joined by", x.Path)
	section("Refused by a guard", x.Refused)
	section("Too weak", x.Weak)
	for i, n := range x.Notes {
		if i == 0 {
			b.WriteString("\n")
		}
		b.WriteString(n + "\n")
	}
	return b.String()
}

func writeStep(b *strings.Builder, s Step) {
	fmt.Fprintf(b, "  %s  --  %s\n    ", s.A, s.B)
	switch s.Tier {
	case "probable":
		fmt.Fprintf(b, "%+.1f bits, %s\n", s.Bits, percent(s.Bits))
	case "must":
		b.WriteString("decided by hand\n")
	default:
		fmt.Fprintf(b, "rule %s\n", s.Rule)
	}
	if s.Reason != "" {
		fmt.Fprintf(b, "    refused: %s\n", s.Reason)
	}
	sum := 0.0
	width := 0
	for _, e := range s.Evidence {
		width = max(width, utf8.RuneCountInString(e.Comparison))
	}
	if len(s.Evidence) > 0 {
		fmt.Fprintf(b, "      bits     sum\n")
	}
	for _, e := range s.Evidence {
		if sum += e.Bits; math.Abs(e.Bits) < 0.05 {
			continue // says nothing
		}
		fmt.Fprintf(b, "    %+6.1f  %+6.1f  %-*s  %s\n", e.Bits, sum, width, e.Comparison, e.Level)
	}
}

func howMany(n int, what string) string {
	if n == 1 {
		return "one " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// SideBySide writes records as columns and what they say as rows; many records are rows.
func SideBySide(records []Record, values map[string][]Value) string {
	var b strings.Builder
	if len(records) != 2 || len(values) == 0 {
		for _, r := range records {
			b.WriteString(strings.TrimRight(fmt.Sprintf("  %s  %s", plainText(r.String()), OneLine(values[r.String()])), " ") + "\n")
		}
		return b.String()
	}
	rows := [][3]string{{"", plainText(records[0].String()), plainText(records[1].String())}}
	for _, side := range records {
		for _, v := range values[side.String()] {
			if !slices.ContainsFunc(rows, func(r [3]string) bool { return r[0] == v.Attribute }) {
				rows = append(rows, [3]string{v.Attribute, textOf(values[records[0].String()], v.Attribute), textOf(values[records[1].String()], v.Attribute)})
			}
		}
	}
	width := [2]int{}
	for _, r := range rows {
		width[0], width[1] = max(width[0], utf8.RuneCountInString(r[0])), max(width[1], utf8.RuneCountInString(r[1]))
	}
	for _, r := range rows {
		b.WriteString(strings.TrimRight(fmt.Sprintf("  %-*s  %-*s  %s", width[0], r[0], width[1], r[1], r[2]), " ") + "\n")
	}
	return b.String()
}

// OneLine writes what a record says: first_name=Anna, last_name=Virtanen.
func OneLine(values []Value) string {
	parts := make([]string, len(values))
	for i, v := range values {
		parts[i] = v.Attribute + "=" + plainText(v.Text)
	}
	return strings.Join(parts, ", ")
}

func textOf(values []Value, attribute string) string {
	for _, v := range values {
		if v.Attribute == attribute {
			return plainText(v.Text)
		}
	}
	return "-"
}

// plainText keeps control characters from steering the terminal.
func plainText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return utf8.RuneError
		}
		return r
	}, s)
}

// percent writes the probability of a weight.
func percent(bits float64) string {
	p := 100 / (1 + math.Exp2(-bits))
	switch {
	case p > 99.99:
		return "above 99.99 %"
	case p < 0.01:
		return "below 0.01 %"
	}
	return fmt.Sprintf("%.4g %%", p)
}

// HTML writes the explanation as one page that needs nothing from elsewhere: every edge
// with its waterfall of bits.
func (x Explanation) HTML(w io.Writer) error {
	page := htmlPage{Explanation: x, Rows: x.table()}
	for _, part := range []struct {
		title string
		steps []Step
	}{{"Joined by", x.Path}, {"Refused by a guard", x.Refused}, {"Too weak", x.Weak}} {
		if len(part.steps) == 0 {
			continue
		}
		s := htmlSection{Title: part.title}
		for _, step := range part.steps {
			s.Steps = append(s.Steps, htmlStep{step, waterfall(step.Evidence), percent(step.Bits)})
		}
		page.Sections = append(page.Sections, s)
	}
	t, err := template.New("explanation").Parse(explanationPage)
	if err != nil {
		return fmt.Errorf("render explanation: %w", err)
	}
	if err := t.Execute(w, page); err != nil {
		return fmt.Errorf("render explanation: %w", err)
	}
	return nil
}

// table has a row for each attribute that a record has a value of: its name, and the value
// of each record.
func (x Explanation) table() [][]string {
	var rows [][]string
	for _, r := range x.Records {
		for _, v := range x.Values[r.String()] {
			if slices.ContainsFunc(rows, func(row []string) bool { return row[0] == v.Attribute }) {
				continue
			}
			row := []string{v.Attribute}
			for _, r := range x.Records {
				row = append(row, textOf(x.Values[r.String()], v.Attribute))
			}
			rows = append(rows, row)
		}
	}
	return rows
}

type htmlPage struct {
	Explanation
	Rows     [][]string
	Sections []htmlSection
}

type htmlSection struct {
	Title string
	Steps []htmlStep
}

type htmlStep struct {
	Step
	Bars    []bar
	Percent string
}

// A bar is one row of a waterfall; X and Width are in units of the drawing.
type bar struct {
	Evidence
	X, Width, Y, TextY float64
	For                bool
	Label              string
}

// The drawing of a waterfall is this wide, beside the names of comparisons.
const barSpace, barLeft, rowHeight = 360.0, 430.0, 22.0

func waterfall(evidence []Evidence) []bar {
	low, high, sum := 0.0, 0.0, 0.0
	for _, e := range evidence {
		sum += e.Bits
		low, high = math.Min(low, sum), math.Max(high, sum)
	}
	if high == low {
		return nil
	}
	scale := barSpace / (high - low)
	var bars []bar
	sum = 0
	for _, e := range evidence {
		i := len(bars)
		from, to := sum, sum+e.Bits
		if sum = to; math.Abs(e.Bits) < 0.05 {
			continue // says nothing
		}
		bars = append(bars, bar{Evidence: e, X: (math.Min(from, to) - low) * scale, Width: math.Max(math.Abs(e.Bits)*scale, 1),
			Y: float64(i) * rowHeight, TextY: float64(i)*rowHeight + 15, For: e.Bits >= 0, Label: shorten(e.Comparison+": "+e.Level, 62)})
	}
	return bars
}

// shorten cuts a text to n characters.
func shorten(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

// Height of the drawing, with a row for the sum.
func (s htmlStep) Height() float64 { return float64(len(s.Bars)+1) * rowHeight }

// TotalY is where the sum is written.
func (s htmlStep) TotalY() float64 { return float64(len(s.Bars))*rowHeight + 15 }

// Zero is where even odds lie.
func (s htmlStep) Zero() float64 {
	low, sum := 0.0, 0.0
	for _, e := range s.Evidence {
		sum += e.Bits
		low = math.Min(low, sum)
	}
	high := low
	sum = 0
	for _, e := range s.Evidence {
		sum += e.Bits
		high = math.Max(high, math.Max(sum, 0))
	}
	if high == low {
		return barLeft
	}
	return barLeft - low*barSpace/(high-low)
}

const explanationPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Identity}} {{.Subject}}</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:2rem}code{background:#f1f3f5;padding:.1rem .3rem;border-radius:3px}
.step{border:1px solid #d7dce1;border-radius:6px;padding: .8rem 1rem;margin:.8rem 0}.for{fill:#2b8a5a}.against{fill:#c2484a}
table{border-collapse:collapse;display:block;overflow-x:auto}th,td{text-align:left;padding:.15rem .8rem .15rem 0;font-weight:400;vertical-align:top}td:first-child{color:#667}
.reason{color:#a33;font-weight:600}svg text{font-size:12px;fill:#1b1f24}
</style></head><body>
<h1>{{.Identity}} {{if .ID}}{{.ID}}{{else}}{{.Subject}}{{end}}</h1>
<table><tr><th></th>{{range .Records}}<th><code>{{.}}</code></th>{{end}}</tr>
{{range .Rows}}<tr>{{range .}}<td>{{.}}</td>{{end}}</tr>
{{end}}</table>
{{range .Notes}}<p>{{.}}</p>{{end}}
{{range .Sections}}<h2>{{.Title}}</h2>
{{range .Steps}}<div class="step"><code>{{.A}}</code> and <code>{{.B}}</code><br>
{{if eq .Tier "probable"}}{{printf "%+.1f" .Bits}} bits, {{.Percent}}{{else if eq .Tier "must"}}decided by hand{{else}}rule {{.Rule}}{{end}}
{{if .Reason}}<div class="reason">refused: {{.Reason}}</div>{{end}}
{{if .Bars}}<svg viewBox="0 0 860 {{.Height}}" width="100%" role="img" aria-label="waterfall of evidence">
<line x1="{{.Zero}}" y1="0" x2="{{.Zero}}" y2="{{.Height}}" stroke="#98a0a8" stroke-dasharray="2 3"></line>
{{range .Bars}}<text x="0" y="{{.TextY}}">{{.Label}}<title>{{.Comparison}}: {{.Level}}</title></text>
<g transform="translate(430,{{.Y}})"><rect class="{{if .For}}for{{else}}against{{end}}" x="{{.X}}" y="4" width="{{.Width}}" height="14"></rect></g>
<text x="855" y="{{.TextY}}" text-anchor="end">{{printf "%+.1f" .Bits}}</text>{{end}}
<text x="0" y="{{.TotalY}}" font-weight="600">together</text><text x="855" y="{{.TotalY}}" text-anchor="end" font-weight="600">{{printf "%+.1f" .Step.Bits}}</text></svg>{{end}}</div>
{{end}}{{end}}</body></html>
`
