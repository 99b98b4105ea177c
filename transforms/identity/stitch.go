package identity

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/cluster"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/predicate"
)

// stitching ties records that know only a device to the person who logged in on it.
type stitching struct {
	name     string
	device   *frame.Column
	login    *frame.Column // nil: any identifying attribute
	window   int64         // microseconds
	refuse   bool          // leave devices of several persons alone
	backfill bool
	session  bool // of a device of several persons, only what is close to a login
}

// sessionGap is the longest time between a login and what else was done in its session.
const sessionGap = int64(30 * time.Minute / time.Microsecond)

// A login says that the person of a record used a device at a time.
type login struct {
	at     int64
	record int32
	who    int32 // code of what was logged in with
}

// stitch adds edges for every stitch block, and for cookies when there is none.
func (p *pipeline) stitch(ctx context.Context) error {
	if len(p.model.def.Stitches) == 0 {
		if c := p.frame.Column("cookie"); c != nil {
			p.stitchLogins(stitching{name: "cookie", device: c, window: int64(395 * 24 * time.Hour / time.Microsecond), backfill: true}, nil)
		}
		return nil
	}
	for i, b := range p.model.def.Stitches {
		window, err := parseDuration(orText(b.Window, "395d"))
		if err != nil {
			return fmt.Errorf("stitch %s: %w", b.Name, err)
		}
		s := stitching{name: b.Name, device: p.frame.Column(b.Link[0]), login: p.frame.Column(b.Link[1]), window: window.Microseconds(),
			refuse: b.SharedDevice == "refuse", session: b.SharedDevice == "split_by_session", backfill: b.Backfill == nil || *b.Backfill}
		if s.device == nil || s.login == nil {
			p.note("stitch %s is not used: no record has %s and %s", b.Name, b.Link[0], b.Link[1])
			continue
		}
		var logins map[int32][]login
		if len(p.model.tables.events[i]) == 1 {
			if logins, err = p.readLogins(ctx, b, s, p.model.tables.events[i][0]); err != nil {
				return err
			}
		}
		p.stitchLogins(s, logins)
	}
	return nil
}

// stitchLogins ties every record with the device alone to the login before it, or, with
// backfill, to the first one after it. Without logins they are the records that have both.
func (p *pipeline) stitchLogins(s stitching, logins map[int32][]login) {
	known := p.identified(s)
	if logins == nil {
		logins = map[int32][]login{}
		for r := range int32(p.frame.Len()) {
			for _, device := range s.device.Of(r) {
				if who := known(r); who >= 0 {
					logins[device] = append(logins[device], login{p.frame.Updated[r], r, who})
				}
			}
		}
	}
	for _, list := range logins {
		slices.SortFunc(list, func(a, b login) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.record, b.record)) })
	}
	rule := int16(len(p.ruleName))
	p.ruleName = append(p.ruleName, "stitch."+s.name)
	p.rules = append(p.rules, matchRule{name: "stitch." + s.name})
	before := len(p.edges)
	for r := range int32(p.frame.Len()) {
		if known(r) >= 0 {
			continue
		}
		for _, device := range s.device.Of(r) {
			list := logins[device]
			s := s
			if (s.refuse || s.session) && persons(codesOf(list), indexes(list), nil) > 1 {
				if s.refuse {
					continue
				}
				s.window = min(s.window, sessionGap)
			}
			if at := s.pick(list, p.frame.Updated[r]); at >= 0 && list[at].record != r {
				o := list[at].record
				p.edges = append(p.edges, cluster.Edge{A: min(r, o), B: max(r, o), Bits: exactBits, Rule: rule, Tier: cluster.Exact})
				break
			}
		}
	}
	p.measure("edges.stitch."+s.name, float64(len(p.edges)-before))
}

func codesOf(list []login) []int32 {
	out := make([]int32, len(list))
	for i, l := range list {
		out[i] = l.who
	}
	return out
}

func indexes(list []login) []int32 {
	out := make([]int32, len(list))
	for i := range out {
		out[i] = int32(i)
	}
	return out
}

// pick chooses a login for something that happened at a time; -1 for none. A record
// without a time belongs to the last login.
func (s stitching) pick(list []login, at int64) int {
	if at == 0 {
		return len(list) - 1
	}
	after, _ := slices.BinarySearchFunc(list, at+1, func(l login, t int64) int { return cmp.Compare(l.at, t) })
	if after > 0 && at-list[after-1].at <= s.window {
		return after - 1
	}
	if s.backfill && after < len(list) && list[after].at-at <= s.window {
		return after
	}
	return -1
}

// identified gives a code for who a record is, -1 when it knows only a device.
func (p *pipeline) identified(s stitching) func(int32) int32 {
	if s.login != nil {
		return s.login.First
	}
	var columns []*frame.Column
	for _, c := range p.frame.Columns {
		switch c.Name {
		case "email", "phone", "handle", "national_id":
			columns = append(columns, c)
		default:
			if c.Kind == frame.ID && p.layout.declared(c.Name) {
				columns = append(columns, c)
			}
		}
	}
	return func(r int32) int32 {
		for i, c := range columns {
			if code := c.First(r); code >= 0 {
				return code*int32(len(columns)) + int32(i)
			}
		}
		return -1
	}
}

// readLogins reads login events from a table: device, login and time columns are those
// that a record of the same table maps, or the stitch block's own map.
func (p *pipeline) readLogins(ctx context.Context, b stitchBlock, s stitching, table core.TableName) (map[int32][]login, error) {
	columns, at := p.eventColumns(b, table)
	device, who := columns[b.Link[0]], columns[b.Link[1]]
	if device == "" || who == "" {
		return nil, &core.Error{Kind: core.KindConfig, Op: "stitch " + b.Name, Path: "stitch." + b.Name,
			Err: fmt.Errorf("no record of %s says which columns hold %s and %s", table, b.Link[0], b.Link[1]), Try: "add map { " + b.Link[0] + " = \"column\" } to the stitch"}
	}
	when, err := parseWhen(b.When)
	if err != nil {
		return nil, fmt.Errorf("stitch %s: %w", b.Name, err)
	}
	rows, err := p.req.Warehouse.Scan(ctx, core.ScanRequest{Table: table})
	if err != nil {
		return nil, fmt.Errorf("scan %s: %w", table, err)
	}
	defer rows.Release()
	normDevice, normLogin := normaliser(s.device.Kind, p.model.def.Region), normaliser(s.login.Kind, p.model.def.Region)
	holder := firstHolders(p.frame, s.login)
	out := map[int32][]login{}
	for rows.Next() {
		batch := rows.RecordBatch()
		for i := range int(batch.NumRows()) {
			d, ok1 := normDevice.Of(cellText(batch, device, i))
			w, ok2 := normLogin.Of(cellText(batch, who, i))
			if !ok1 || !ok2 || !when(batch, i) {
				continue
			}
			dc, wc := s.device.Values.Find(d), s.login.Values.Find(w)
			if dc < 0 || wc < 0 || holder[wc] < 0 {
				continue
			}
			l := login{record: holder[wc], who: wc, at: math.MinInt64 / 2}
			if k := batch.Schema().FieldIndices(at); at != "" && len(k) > 0 {
				l.at = micros(batch.Column(k[0]), i)
			}
			out[dc] = append(out[dc], l)
		}
	}
	return out, rows.Err()
}

func cellText(batch arrow.RecordBatch, column string, i int) string {
	k := batch.Schema().FieldIndices(column)
	if len(k) == 0 {
		return ""
	}
	v, _ := appendText(nil, batch.Column(k[0]), i)
	return string(v)
}

// eventColumns finds the columns of an event table by attribute, and its time.
func (p *pipeline) eventColumns(b stitchBlock, table core.TableName) (map[string]string, string) {
	columns, at := map[string]string{}, b.At
	for _, s := range p.layout.sources {
		if s.table != table {
			continue
		}
		for _, c := range s.columns {
			columns[c.attribute] = c.column
		}
		at = orText(at, orText(s.observed, s.updated))
	}
	for name, column := range b.columns {
		columns[name] = column
	}
	return columns, at
}

// firstHolders gives the first record of each value, -1 for none.
func firstHolders(f *frame.Frame, c *frame.Column) []int32 {
	out := make([]int32, c.Values.Len())
	for i := range out {
		out[i] = -1
	}
	for r := range int32(f.Len()) {
		for _, code := range c.Of(r) {
			if out[code] < 0 {
				out[code] = r
			}
		}
	}
	return out
}

// parseWhen compiles event_type = 'login' and the like over the columns of an event.
func parseWhen(text string) (func(arrow.RecordBatch, int) bool, error) {
	if text == "" {
		return func(arrow.RecordBatch, int) bool { return true }, nil
	}
	e, err := predicate.Parse(text)
	if err != nil {
		return nil, err
	}
	return whenOf(e)
}

func whenOf(e *predicate.Expr) (func(arrow.RecordBatch, int) bool, error) {
	var kids []func(arrow.RecordBatch, int) bool
	if e.Op != predicate.Compare {
		for _, k := range e.Kids {
			f, err := whenOf(k)
			if err != nil {
				return nil, err
			}
			kids = append(kids, f)
		}
	}
	switch e.Op {
	case predicate.And:
		return func(b arrow.RecordBatch, i int) bool {
			return !slices.ContainsFunc(kids, func(k func(arrow.RecordBatch, int) bool) bool { return !k(b, i) })
		}, nil
	case predicate.Or:
		return func(b arrow.RecordBatch, i int) bool {
			return slices.ContainsFunc(kids, func(k func(arrow.RecordBatch, int) bool) bool { return k(b, i) })
		}, nil
	case predicate.Not:
		return func(b arrow.RecordBatch, i int) bool { return !kids[0](b, i) }, nil
	case predicate.Compare:
		want := e.Value.Text
		if e.Value.Kind == predicate.NumberArg {
			want = fmt.Sprint(e.Value.Number)
		}
		column := e.Kids[0].Name
		switch e.Sign {
		case "=", "==":
			return func(b arrow.RecordBatch, i int) bool { return cellText(b, column, i) == want }, nil
		case "!=", "<>":
			return func(b arrow.RecordBatch, i int) bool { return cellText(b, column, i) != want }, nil
		}
	}
	return nil, fmt.Errorf("when compares columns with values: event_type = 'login'")
}
