package dialect

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/fault"
	"github.com/unsilo/unsilo/connectors/sim/world"
)

// crmQuery is the body of a search.
type crmQuery struct {
	FilterGroups []struct {
		Filters []crmFilter `json:"filters"`
	} `json:"filterGroups"`
	Sorts      []json.RawMessage `json:"sorts"`
	Properties []string          `json:"properties"`
	Limit      int               `json:"limit"`
	After      text              `json:"after"`
}

type crmFilter struct {
	Property  string `json:"propertyName"`
	Operator  string `json:"operator"`
	Value     text   `json:"value"`
	HighValue text   `json:"highValue"`
	Values    []text `json:"values"`
}

// text takes a JSON string or number.
type text string

// UnmarshalJSON keeps a number as it is written.
func (t *text) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err == nil {
		*t = text(s)
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(b, &n); err != nil {
		return fmt.Errorf("read value: %w", err)
	}
	*t = text(n.String())
	return nil
}

// crmSearch is a page of a search. Positions are offsets, and no query gives more results
// than the cap.
func (a *api) crmSearch(w http.ResponseWriter, r *http.Request) {
	var q crmQuery
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<20)).Decode(&q); err != nil {
		crmBad(w, r, "Invalid input JSON: %v", err)
		return
	}
	if q.Limit == 0 {
		q.Limit = 10
	}
	offset, err := strconv.Atoi("0" + untag(string(q.After)))
	if err != nil || q.Limit < 0 || q.Limit > 200 || len(q.FilterGroups) > 6 {
		crmBad(w, r, "limit must be up to 200, after a number, and filterGroups up to 6")
		return
	}
	if offset+q.Limit > a.opt.SearchCap {
		crmBad(w, r, "The requested after value exceeds the cap of %d results.", a.opt.SearchCap)
		return
	}
	a.world.Read(func(s *world.State) {
		if sheet := crmSheet(s, w, r); sheet != nil {
			a.crmFind(w, r, s, sheet, q, offset)
		}
	})
}

func (a *api) crmFind(w http.ResponseWriter, r *http.Request, s *world.State, sheet *world.Sheet, q crmQuery, offset int) {
	match, err := crmMatcher(sheet, q)
	if err != nil {
		crmBad(w, r, "%v", err)
		return
	}
	less, err := crmSorter(sheet, q.Sorts)
	if err != nil {
		crmBad(w, r, "%v", err)
		return
	}
	hit := fault.Of(r.Context())
	late := hidden(hit, s.Now)
	name, err := json.Marshal([]any{sheet.Stream, q.FilterGroups, q.Sorts, late})
	if err != nil {
		crmBad(w, r, "%v", err)
		return
	}
	rows := a.ordered(s, string(name), sheet.Len, func(i int) bool {
		return sheet.Live(i) && sheet.Archived(i).IsZero() && (late.IsZero() || !sheet.Updated(i).After(late)) && match(i)
	}, less)
	write := crmWriter{s: s, sheet: sheet, properties: properties(sheet, q.Properties)}
	p := fault.Page{At: string(q.After), Tag: retag}
	for n := offset; n < len(rows) && n < offset+q.Limit; n++ {
		p.Rows = append(p.Rows, write.row(rows[n]))
	}
	if offset+q.Limit < len(rows) {
		p.Next = strconv.Itoa(offset + q.Limit)
	}
	if hit.Kind == fault.Newer {
		p.Beyond = newest(a.byUpdate(s, sheet), rows, &write)
	}
	if p.At == "" {
		p.Tag = func(string) string { return retag("0") }
	}
	a.crmPage(w, r, p, len(rows))
}

// newest writes the latest row that a search did not ask for, nil when there is none.
func newest(all, found []int, write *crmWriter) json.RawMessage {
	in := make(map[int]bool, len(found))
	for _, i := range found {
		in[i] = true
	}
	for n := len(all) - 1; n >= 0; n-- {
		if !in[all[n]] {
			return write.row(all[n])
		}
	}
	return nil
}

// crmMatcher gives the test of a row: any group of filters, all filters of it.
func crmMatcher(sheet *world.Sheet, q crmQuery) (func(i int) bool, error) {
	var groups [][]func(i int) bool
	for _, g := range q.FilterGroups {
		var tests []func(i int) bool
		for _, f := range g.Filters {
			test, err := f.test(sheet)
			if err != nil {
				return nil, err
			}
			tests = append(tests, test)
		}
		groups = append(groups, tests)
	}
	return func(i int) bool {
		if len(groups) == 0 {
			return true
		}
		return slices.ContainsFunc(groups, func(tests []func(int) bool) bool {
			return !slices.ContainsFunc(tests, func(test func(int) bool) bool { return !test(i) })
		})
	}, nil
}

// getter gives a way to compare a property with texts: as numbers (times in epoch
// milliseconds) or as text.
func getter(sheet *world.Sheet, property string) (func(i int) any, world.Type, error) {
	if property == "lastmodifieddate" || property == "hs_lastmodifieddate" {
		if sheet.Columns[len(sheet.Columns)-1].Name != property {
			return nil, 0, fmt.Errorf("property %q does not exist", property)
		}
		return func(i int) any { return sheet.Updated(i) }, world.Stamp, nil
	}
	if property == "hs_object_id" {
		return func(i int) any { return crmID(sheet, i) }, world.Int, nil
	}
	for n, c := range sheet.Columns {
		if c.Name == property {
			return func(i int) any { return sheet.Row(i)[n] }, c.Type, nil
		}
	}
	return nil, 0, fmt.Errorf("property %q does not exist", property)
}

func (f crmFilter) test(sheet *world.Sheet) (func(i int) bool, error) {
	get, typ, err := getter(sheet, f.Property)
	if err != nil {
		return nil, err
	}
	compare := func(i int, with text) int { return cmp.Compare(0, 0) }
	switch typ {
	case world.Stamp, world.Int:
		for _, v := range append([]text{f.Value, f.HighValue}, f.Values...) {
			if _, err := epoch(v); err != nil {
				return nil, err
			}
		}
		compare = func(i int, with text) int {
			want, _ := epoch(with)
			return cmp.Compare(asNumber(get(i)), want)
		}
	default:
		compare = func(i int, with text) int {
			v, _ := asText(get(i)).(string)
			return strings.Compare(v, string(with))
		}
	}
	tests := map[string]func(i int) bool{
		"EQ":      func(i int) bool { return compare(i, f.Value) == 0 },
		"NEQ":     func(i int) bool { return compare(i, f.Value) != 0 },
		"LT":      func(i int) bool { return compare(i, f.Value) < 0 },
		"LTE":     func(i int) bool { return compare(i, f.Value) <= 0 },
		"GT":      func(i int) bool { return compare(i, f.Value) > 0 },
		"GTE":     func(i int) bool { return compare(i, f.Value) >= 0 },
		"BETWEEN": func(i int) bool { return compare(i, f.Value) >= 0 && compare(i, f.HighValue) <= 0 },
		"IN": func(i int) bool {
			return slices.ContainsFunc(f.Values, func(v text) bool { return compare(i, v) == 0 })
		},
		"HAS_PROPERTY":     func(i int) bool { return get(i) != nil },
		"NOT_HAS_PROPERTY": func(i int) bool { return get(i) == nil },
	}
	test, ok := tests[f.Operator]
	if !ok {
		return nil, fmt.Errorf("operator %q is not known", f.Operator)
	}
	return test, nil
}

// epoch reads a number, or a time as epoch milliseconds; nothing is 0.
func epoch(t text) (int64, error) {
	if t == "" {
		return 0, nil
	}
	if n, err := strconv.ParseInt(string(t), 10, 64); err == nil {
		return n, nil
	}
	at, err := moment(string(t))
	if err != nil {
		return 0, err
	}
	return at.UnixMilli(), nil
}

func asNumber(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case time.Time:
		return v.UnixMilli()
	}
	return -1
}

// crmSorter reads the first of the sorts, "name", "-name" or an object; without one rows
// come by id.
func crmSorter(sheet *world.Sheet, sorts []json.RawMessage) (func(i, j int) int, error) {
	if len(sorts) == 0 {
		return nil, nil
	}
	var by struct {
		Property  string `json:"propertyName"`
		Direction string `json:"direction"`
	}
	if err := json.Unmarshal(sorts[0], &by.Property); err != nil {
		if err := json.Unmarshal(sorts[0], &by); err != nil {
			return nil, fmt.Errorf("read sorts: %w", err)
		}
	}
	name, down := strings.CutPrefix(by.Property, "-")
	down = down || by.Direction == "DESCENDING"
	get, typ, err := getter(sheet, name)
	if err != nil {
		return nil, err
	}
	return func(i, j int) int {
		if down {
			i, j = j, i
		}
		if typ == world.Stamp || typ == world.Int {
			return cmp.Compare(asNumber(get(i)), asNumber(get(j)))
		}
		a, _ := asText(get(i)).(string)
		b, _ := asText(get(j)).(string)
		return strings.Compare(a, b)
	}, nil
}
