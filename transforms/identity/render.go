package identity

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
)

// Text writes the explanation for a terminal.
func (x Explanation) Text() string {
	var b strings.Builder
	if x.ID != "" {
		fmt.Fprintf(&b, "%s %s: %d records\n", x.Identity, x.ID, len(x.Records))
	}
	for _, r := range x.Records {
		fmt.Fprintf(&b, "  %s\n", r)
	}
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
	for _, n := range x.Notes {
		fmt.Fprintf(&b, "\n%s\n", n)
	}
	return b.String()
}

func writeStep(b *strings.Builder, s Step) {
	fmt.Fprintf(b, "  %s  --  %s\n    ", s.A, s.B)
	switch s.Tier {
	case "probable":
		fmt.Fprintf(b, "%+.1f bits, %s\n", s.Bits, percent(s.Bits))
	case "must":
		b.WriteString("decided by a person\n")
	default:
		fmt.Fprintf(b, "rule %s\n", s.Rule)
	}
	if s.Reason != "" {
		fmt.Fprintf(b, "    refused: %s\n", s.Reason)
	}
	sum := 0.0
	for _, e := range s.Evidence {
		sum += e.Bits
		fmt.Fprintf(b, "    %+6.1f  %+6.1f  %-22s %s\n", e.Bits, sum, e.Comparison, e.Level)
	}
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
	page := htmlPage{Explanation: x}
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

type htmlPage struct {
	Explanation
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
	Sum                float64
}

// The drawing of a waterfall is this wide, beside the names of comparisons.
const barSpace, rowHeight = 360.0, 22.0

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
	for i, e := range evidence {
		from, to := sum, sum+e.Bits
		sum = to
		bars = append(bars, bar{Evidence: e, X: (math.Min(from, to) - low) * scale, Width: math.Max(math.Abs(e.Bits)*scale, 1),
			Y: float64(i) * rowHeight, TextY: float64(i)*rowHeight + 15, For: e.Bits >= 0, Sum: sum})
	}
	return bars
}

// Height of the drawing.
func (s htmlStep) Height() float64 { return float64(len(s.Bars)) * rowHeight }

const explanationPage = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{.Identity}} {{.Subject}}</title>
<style>
body{font:15px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:2rem}code{background:#f1f3f5;padding:.1rem .3rem;border-radius:3px}
.step{border:1px solid #d7dce1;border-radius:6px;padding: .8rem 1rem;margin:.8rem 0}.for{fill:#2b8a5a}.against{fill:#c2484a}
.reason{color:#a33;font-weight:600}svg text{font-size:12px;fill:#1b1f24}
</style></head><body>
<h1>{{.Identity}} {{if .ID}}{{.ID}}{{else}}{{.Subject}}{{end}}</h1>
<p>{{range .Records}}<code>{{.}}</code> {{end}}</p>
{{range .Notes}}<p>{{.}}</p>{{end}}
{{range .Sections}}<h2>{{.Title}}</h2>
{{range .Steps}}<div class="step"><code>{{.A}}</code> and <code>{{.B}}</code><br>
{{if eq .Tier "probable"}}{{printf "%+.1f" .Bits}} bits, {{.Percent}}{{else if eq .Tier "must"}}decided by a person{{else}}rule {{.Rule}}{{end}}
{{if .Reason}}<div class="reason">refused: {{.Reason}}</div>{{end}}
{{if .Bars}}<svg viewBox="0 0 860 {{.Height}}" width="100%" role="img" aria-label="waterfall of evidence">
{{range .Bars}}<text x="0" y="{{.TextY}}">{{.Comparison}}: {{.Level}}</text>
<g transform="translate(430,{{.Y}})"><rect class="{{if .For}}for{{else}}against{{end}}" x="{{.X}}" y="4" width="{{.Width}}" height="14"></rect></g>
<text x="800" y="{{.TextY}}">{{printf "%+.1f" .Bits}}</text>{{end}}</svg>{{end}}</div>
{{end}}{{end}}</body></html>
`
