package identity

import (
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
)

// A Question is a pair of records that the evidence leaves open.
type Question struct {
	Step
	// Probability that the two are one, by their own evidence.
	Probability float64 `json:"probability"`
	// Joined says whether they are one today.
	Joined bool `json:"joined"`
	// Sampled pairs are not in doubt: they are asked about to see how often the engine errs.
	Sampled bool `json:"sampled,omitempty"`
}

// Review lists open pairs: those whose weight lies between keep and link and, with
// on_violation = "review", those that a guard refused, without those already decided. The
// most doubtful come first, and after them the sample of pairs that are not in doubt that
// the review block asks for. limit 0 means all.
func Review(ctx context.Context, wh core.Warehouse, name string, limit int) ([]Question, error) {
	g, err := openGraph(ctx, wh, name)
	if err != nil {
		return nil, err
	}
	decided, err := Decisions(ctx, wh, name)
	if err != nil {
		return nil, err
	}
	q := &queue{graph: g, done: map[pair64]bool{}, words: map[string]string{}}
	for _, d := range decided {
		a, b := frame.UID(d.A.Source, d.A.Stream, d.A.Key), frame.UID(d.B.Source, d.B.Stream, d.B.Key)
		q.done[pair64{min(a, b), max(a, b)}] = true
	}
	if err := g.scanRows(ctx, wh, tableEdge, q.take); err != nil {
		return nil, err
	}
	g.edges = slices.Concat(q.doubtful(limit), q.sample())
	if err := g.readNamed(ctx, wh); err != nil {
		return nil, err
	}
	return q.questions(limit), nil
}

// A queue collects the edges to ask about from all that are stored.
type queue struct {
	*graph
	done  map[pair64]bool
	words map[string]string // of which there are few
	// open edges are in doubt, clear ones are not.
	open, clear []storedEdge
}

// take looks at one edge.
func (q *queue) take(r tableRow) {
	e := storedEdge{a: uint64(r.number(0)), b: uint64(r.number(1)), tier: q.word(r.view(2)), rule: q.word(r.view(3)),
		pattern: uint64(r.number(4)), bits: r.number(5), outcome: q.word(r.view(6))}
	low, high := q.bands()
	refused := e.outcome == "refused"
	switch {
	case q.done[pair64{e.a, e.b}] || e.tier == "must" || refused && (q.model == nil || !q.model.AskRefused):
	case refused || e.tier == "probable" && e.bits >= low && e.bits < high && e.outcome != "inside":
		q.done[pair64{e.a, e.b}] = true
		q.open = append(q.open, e)
	case e.tier == "probable" && q.model != nil && q.model.Sample > 0:
		if q.clear = append(q.clear, e); len(q.clear) >= 2*q.model.Sample+1000 {
			q.clear = q.sample()
		}
	}
}

func (q *queue) word(v string) string {
	if w, ok := q.words[v]; ok {
		return w
	}
	v = strings.Clone(v) // it is good until the next row
	q.words[v] = v
	return v
}

// doubtful gives the edges in doubt, the most doubtful first, up to limit and as many as are
// in as much doubt as the last.
func (q *queue) doubtful(limit int) []storedEdge {
	slices.SortFunc(q.open, q.compare)
	if limit <= 0 || limit >= len(q.open) {
		return q.open
	}
	n := limit
	for n < len(q.open) && q.compare(q.open[n], q.open[limit-1]) == 0 {
		n++
	}
	return q.open[:n]
}

// compare orders edges by doubt: those of the upper part of a band that decision.review
// divides come first, then the distance of the weight from even odds counts.
func (q *queue) compare(x, y storedEdge) int {
	lower := func(e storedEdge) int {
		if q.model != nil && q.model.Likely != 0 && e.bits < q.model.Likely {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(lower(x), lower(y)), cmp.Compare(max(x.bits, -x.bits), max(y.bits, -y.bits)))
}

// sample picks as many clear edges as the review block wants, the same ones every time.
func (q *queue) sample() []storedEdge {
	if q.model == nil || q.model.Sample == 0 {
		return nil
	}
	mix := func(e storedEdge) uint64 { return (e.a ^ e.b<<1) * 0x9E3779B97F4A7C15 }
	slices.SortFunc(q.clear, func(x, y storedEdge) int {
		return cmp.Or(cmp.Compare(mix(x), mix(y)), cmp.Compare(x.a, y.a), cmp.Compare(x.b, y.b))
	})
	return q.clear[:min(q.model.Sample, len(q.clear))]
}

// questions asks about the edges of the graph.
func (q *queue) questions(limit int) []Question {
	type asked struct {
		Question
		edge storedEdge
	}
	ask := func(e storedEdge) asked {
		return asked{Question{Step: q.step(e), Probability: probability(e.bits), Joined: q.records[e.a].ID == q.records[e.b].ID}, e}
	}
	var list []asked
	sampled := q.sample()
	for _, e := range q.edges[:len(q.edges)-len(sampled)] {
		list = append(list, ask(e))
	}
	slices.SortFunc(list, func(x, y asked) int {
		return cmp.Or(q.compare(x.edge, y.edge), cmp.Compare(x.A.String(), y.A.String()), cmp.Compare(x.B.String(), y.B.String()))
	})
	if limit > 0 {
		list = list[:min(limit, len(list))]
	}
	out := make([]Question, 0, len(list)+len(sampled))
	for _, x := range list {
		out = append(out, x.Question)
	}
	for _, e := range sampled {
		if !q.done[pair64{e.a, e.b}] {
			q.done[pair64{e.a, e.b}] = true
			x := ask(e)
			x.Sampled = true
			out = append(out, x.Question)
		}
	}
	return out
}

// WriteQuestions writes the queue as CSV with an empty verdict column to fill in. values
// are what the records say, by their names, or nil.
func WriteQuestions(w io.Writer, questions []Question, values map[string][]Value) error {
	out := csv.NewWriter(w)
	if err := out.Write([]string{"a", "b", "probability", "bits", "rule", "joined", "evidence", "a_says", "b_says", "verdict", "reason", "expires"}); err != nil {
		return fmt.Errorf("write review: %w", err)
	}
	for _, q := range questions {
		var evidence []string
		for _, e := range q.Evidence {
			evidence = append(evidence, fmt.Sprintf("%s: %s (%+.1f)", e.Comparison, e.Level, e.Bits))
		}
		err := out.Write([]string{q.A.String(), q.B.String(), strconv.FormatFloat(q.Probability, 'f', 4, 64), strconv.FormatFloat(q.Bits, 'f', 2, 64),
			q.Rule, strconv.FormatBool(q.Joined), strings.Join(evidence, "; "), OneLine(values[q.A.String()]), OneLine(values[q.B.String()]), "", q.Reason, ""})
		if err != nil {
			return fmt.Errorf("write review: %w", err)
		}
	}
	out.Flush()
	return out.Error()
}

// ReadDecisions reads a CSV with columns a, b and verdict (must_link, cannot_link, or
// empty for undecided); reason and expires (yyyy-mm-dd) may be there. Errors name the
// line.
func ReadDecisions(r io.Reader, author string, at time.Time) ([]Decision, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = -1
	head, err := in.Read()
	if err != nil {
		return nil, &core.Error{Kind: core.KindData, Op: "read decisions", Err: err}
	}
	column := map[string]int{}
	for i, name := range head {
		column[strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))] = i
	}
	for _, need := range []string{"a", "b", "verdict"} {
		if _, ok := column[need]; !ok {
			return nil, &core.Error{Kind: core.KindData, Op: "read decisions", Err: fmt.Errorf("there is no column %q", need), Try: "start from identity review -o csv"}
		}
	}
	var out []Decision
	for {
		row, err := in.Read()
		if err == io.EOF {
			return out, nil
		}
		line, _ := in.FieldPos(0)
		if err != nil {
			return nil, &core.Error{Kind: core.KindData, Op: "read decisions", Err: err}
		}
		d, err := decisionOf(row, column, author, at)
		if err != nil {
			return nil, &core.Error{Kind: core.KindData, Op: "read decisions", Path: fmt.Sprintf("line %d", line), Err: fmt.Errorf("line %d: %w", line, err)}
		}
		if d.Verdict != "" {
			d.At = at.Add(time.Duration(len(out)) * time.Microsecond) // each is an act of its own
			out = append(out, d)
		}
	}
}

func decisionOf(row []string, column map[string]int, author string, at time.Time) (Decision, error) {
	cell := func(name string) string {
		if i, ok := column[name]; ok && i < len(row) {
			return strings.TrimSpace(row[i])
		}
		return ""
	}
	d := Decision{Author: author, At: at, Reason: cell("reason")}
	var okA, okB bool
	d.A, okA = ParseRecord(cell("a"))
	d.B, okB = ParseRecord(cell("b"))
	switch v := strings.ToLower(cell("verdict")); v {
	case "":
		return d, nil
	case "must_link", "same", "yes", "y", "1", "true":
		d.Verdict = MustLink
	case "cannot_link", "different", "no", "n", "0", "false":
		d.Verdict = CannotLink
	default:
		return d, fmt.Errorf("the verdict is neither must_link nor cannot_link")
	}
	if !okA || !okB {
		return d, fmt.Errorf("a and b must be written as source.stream:key")
	}
	if text := cell("expires"); text != "" {
		t, err := time.Parse(time.DateOnly, text)
		if err != nil {
			return d, fmt.Errorf("expires must be a date such as 2027-12-31")
		}
		d.Expires = t
	}
	return d, nil
}

// A Signature says who decides, why, when and until when; Expires is zero for ever.
type Signature struct {
	Author, Reason string
	At, Expires    time.Time
}

// Split says that a record does not belong to the others of its person: from each of them
// it is separated for good. The next build obeys.
func Split(ctx context.Context, wh core.Warehouse, name, record string, by Signature) (int, error) {
	g, err := loadAround(ctx, wh, name, []string{record})
	if err != nil {
		return 0, err
	}
	uid, err := g.findRecord(record)
	if err != nil {
		return 0, err
	}
	var decisions []Decision
	for _, other := range g.members(g.records[uid].ID) {
		if other != uid {
			decisions = append(decisions, Decision{A: g.records[uid], B: g.records[other], Verdict: CannotLink, Author: by.Author, Reason: by.Reason, At: by.At, Expires: by.Expires})
		}
	}
	if len(decisions) == 0 {
		return 0, nil
	}
	return len(decisions), Decide(ctx, wh, name, decisions...)
}

// Merge says that two records, or two ids, are one. Decisions that hold members of the two
// apart end now, with all others of the same Split, so that it undoes it. The next build
// obeys.
func Merge(ctx context.Context, wh core.Warehouse, name, a, b string, by Signature) error {
	decided, err := Decisions(ctx, wh, name)
	if err != nil {
		return err
	}
	var also []Record
	for _, d := range decided {
		also = append(also, d.A, d.B)
	}
	g, err := loadAround(ctx, wh, name, []string{a, b}, also...)
	if err != nil {
		return err
	}
	x, err := g.findRecord(a)
	if err != nil {
		return err
	}
	y, err := g.findRecord(b)
	if err != nil {
		return err
	}
	if x == y {
		return &core.Error{Kind: core.KindConfig, Op: "merge", Err: fmt.Errorf("%s and %s are the same record", a, b), Try: "name two records or ids"}
	}
	sides := map[string]bool{g.records[x].ID: true, g.records[y].ID: true}
	type act struct {
		author string
		at     time.Time
	}
	undone := map[act]bool{}
	for _, d := range decided {
		one, two := g.records[frame.UID(d.A.Source, d.A.Stream, d.A.Key)], g.records[frame.UID(d.B.Source, d.B.Stream, d.B.Key)]
		if d.Verdict == CannotLink && sides[one.ID] && sides[two.ID] && one.ID != two.ID {
			undone[act{d.Author, d.At}] = true
		}
	}
	var decisions []Decision
	for _, d := range decided {
		one, two := frame.UID(d.A.Source, d.A.Stream, d.A.Key), frame.UID(d.B.Source, d.B.Stream, d.B.Key)
		replaced := min(one, two) == min(x, y) && max(one, two) == max(x, y)
		if d.Verdict == CannotLink && undone[act{d.Author, d.At}] && !replaced {
			d.Expires = by.At
			decisions = append(decisions, d)
		}
	}
	decisions = append(decisions, Decision{A: g.records[x], B: g.records[y], Verdict: MustLink, Author: by.Author, Reason: by.Reason, At: by.At, Expires: by.Expires})
	return Decide(ctx, wh, name, decisions...)
}
