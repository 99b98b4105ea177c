package rest

import (
	"errors"
	"fmt"
	"hash/maphash"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/unsilo/unsilo/core"
)

// pager walks one chain of pages.
type pager struct {
	def     pageDef
	size    int64
	vars    scope
	token   string   // of the next page; "" is the first
	link    *url.URL // of the next page, for link kinds
	offset  int64    // rows before the next page
	number  int64    // of the next page
	key     string   // rows after this key; "" is the first
	lastKey string   // of the page before
	ascends bool     // keys came in ascending order so far
	inCap   int64    // records since the chain, or its last key, began
	pages   int
	empty   int // pages without records in a row

	keyed   bool // rows have a key: two pages that are alike are one page
	seed    maphash.Seed
	visited map[uint64]bool // requests of this chain
	twice   int             // requests that were made before
	repeats int             // pages in a row that were the one before
	last    uint64          // print of the page before
}

func newPager(def pageDef, vars scope) (*pager, error) {
	p := &pager{def: def, vars: vars, number: def.start, seed: maphash.MakeSeed(), visited: map[uint64]bool{}, ascends: true}
	size, _, err := def.size.whole(vars)
	p.size = size
	return p, err
}

// scope is what requests and paging expressions see as page.
func (p *pager) scope() map[string]any {
	out := map[string]any{"offset": p.offset, "number": p.number, "first": p.pages == 0}
	if p.size > 0 {
		out["size"] = p.size
	}
	if p.token != "" {
		out["token"] = p.token
	}
	if p.key != "" {
		out["key"] = p.key
	}
	return out
}

// params are the query parameters that the block names.
func (p *pager) params() map[string][]string {
	out := map[string][]string{}
	if p.def.sizeParam != "" && p.size > 0 {
		out[p.def.sizeParam] = []string{strconv.FormatInt(p.size, 10)}
	}
	if p.def.param == "" {
		return out
	}
	value := ""
	switch p.def.kind {
	case "cursor":
		value = p.token
	case "offset":
		value = strconv.FormatInt(p.offset, 10)
	case "page":
		value = strconv.FormatInt(p.number, 10)
	case "keyset":
		value = p.key
	}
	if value != "" {
		out[p.def.param] = []string{value}
	}
	return out
}

// enter notes a request. The first that the chain has made before is let through, as an
// API may have sent a page twice; the second means that paging goes in circles.
func (p *pager) enter(b built) error {
	h := maphash.String(p.seed, b.identity())
	if p.visited[h] {
		p.twice++
	}
	p.visited[h] = true
	if p.twice > 1 {
		return loop("the API leads back to a page it gave before")
	}
	return nil
}

// The ends of a step.
type step uint8

const (
	stepNext   step = iota // there is another page
	stepDone               // that was the last
	stepCap                // the API may have ended at its row cap
	stepRepeat             // the API gave the page before once more: ask again
)

// maxRepeats is how often in a row an API may give the page before.
const maxRepeats = 3

// maxEmpty is how many pages without records may follow each other.
const maxEmpty = 1000

// advance decides what comes after a page.
func (p *pager) advance(pg *page, from *url.URL) (step, error) {
	counts := p.def.kind == "offset" || p.def.kind == "page"
	if pg.records > 0 && pg.print == p.last && (p.keyed || counts) {
		if p.repeats++; p.repeats > maxRepeats {
			return stepDone, loop("the API gives the same page again and again")
		}
		if counts || p.def.kind == "keyset" {
			return stepRepeat, nil
		}
	} else {
		p.repeats = 0
	}
	vars := p.vars.with("response", pg.response).with("page", p.scope())
	more, err := p.next(pg, from, vars)
	if err != nil {
		return stepDone, err
	}
	p.pages++
	p.last = pg.print
	if p.ascends = p.ascends && !pg.keysFall && (p.lastKey == "" || keyLess(p.lastKey, pg.key) || !pg.hasKey); pg.hasKey {
		p.lastKey = pg.key
	}
	p.inCap += int64(pg.records)
	if p.empty++; pg.records > 0 {
		p.empty = 0
	}
	if p.pages >= p.def.maxPages || p.empty >= maxEmpty {
		if more {
			return stepDone, loop(fmt.Sprintf("there are more than %d pages, %d of them empty at the end", p.pages, p.empty))
		}
	}
	if p.def.cap > 0 {
		if over, err := p.capped(pg, more, vars); over || err != nil {
			return stepCap, err
		}
	}
	if !more {
		return stepDone, nil
	}
	return stepNext, nil
}

// capped reports whether the next page would be beyond the API's row cap, or this one
// ended at it.
func (p *pager) capped(pg *page, more bool, vars scope) (bool, error) {
	if p.pages == 1 && p.def.key == "" {
		total, ok, err := p.def.total.whole(vars)
		if err != nil {
			return false, err
		}
		if ok && total > p.def.cap {
			return true, nil
		}
	}
	if more {
		return p.inCap+max(p.size, int64(pg.records)) > p.def.cap, nil
	}
	return p.inCap >= p.def.cap, nil
}

// restart goes on after the last key, with a new count against the cap.
func (p *pager) restart(pg *page) error {
	key := pg.key
	switch {
	case key == "" || key == p.key:
		return loop("paging by key does not get ahead")
	case !p.ascends:
		return loop("rows do not come in the order of " + p.def.key + ", so that paging cannot go on from one")
	}
	p.key, p.token, p.link, p.offset, p.number, p.inCap = key, "", nil, 0, p.def.start, 0
	return nil
}

func loop(what string) error {
	return &core.Error{Kind: core.KindData, Op: "go to the next page", Err: errors.New(what),
		Try: "check the paginate block of the stream"}
}

// next finds where the next page is, and whether there is one.
func (p *pager) next(pg *page, from *url.URL, vars scope) (bool, error) {
	if stop, err := p.def.stop.truth(vars); stop || err != nil {
		return false, err
	}
	if p.def.more != nil {
		if more, err := p.def.more.truth(vars); !more || err != nil {
			return false, err
		}
	}
	if (p.def.stopOn == "empty" && pg.records == 0 && p.def.more == nil) ||
		(p.def.stopOn == "short" && int64(pg.records) < p.size) {
		return false, nil
	}
	switch p.def.kind {
	case "next_link":
		text, ok, err := p.def.next.str(vars)
		if err != nil || !ok || text == "" {
			return false, err
		}
		return p.follow(from, text)
	case "link_header":
		text := linkTo(pg.response["headers"].(header), p.def.rel)
		if text == "" {
			return false, nil
		}
		return p.follow(from, text)
	case "cursor":
		text, ok, err := p.def.next.str(vars)
		if err != nil || !ok || text == "" {
			return false, err
		}
		p.token = text
		return true, nil
	case "offset", "page":
		return p.count(pg, vars)
	case "keyset":
		return p.byKey(pg)
	}
	return false, nil
}

func (p *pager) follow(from *url.URL, text string) (bool, error) {
	u, err := from.Parse(text)
	if err != nil {
		return false, loop("the link to the next page is not an address")
	}
	p.link = u
	return true, nil
}

// count moves an offset or a page number.
func (p *pager) count(pg *page, vars scope) (bool, error) {
	switch fresh := int64(pg.records - pg.repeats); {
	case pg.records == 0:
		p.offset += p.size
	case fresh == 0:
		p.offset += int64(pg.records)
	default: // repeats say that rows have moved: reading some twice is better than none
		p.offset += fresh
	}
	p.number++
	pages, ok, err := p.def.totalPages.whole(vars)
	if err != nil || ok {
		return p.number-p.def.start < pages, err
	}
	total, ok, err := p.def.total.whole(vars)
	if err != nil || !ok {
		return err == nil, err
	}
	return p.offset < total || (p.size == 0 && pg.records > 0), nil
}

// byKey moves to the last key of the page.
func (p *pager) byKey(pg *page) (bool, error) {
	switch {
	case pg.records == 0:
		return false, nil
	case !pg.hasKey:
		return false, loop("records have no value in " + p.def.field)
	case pg.key == p.key && pg.records == 1: // the bound itself, where it is inclusive
		return false, nil
	case pg.key == p.key:
		return false, loop("paging by key does not get ahead")
	}
	p.key = pg.key
	return true, nil
}

// linkTo finds the link with a relation in Link headers (RFC 8288).
func linkTo(h header, rel string) string {
	for _, line := range http.Header(h).Values("Link") {
		for line != "" {
			_, rest, ok := strings.Cut(line, "<")
			if !ok {
				break
			}
			target, params, ok := strings.Cut(rest, ">")
			if !ok {
				break
			}
			params, line = cutLink(params)
			for _, param := range strings.Split(params, ";") {
				name, value, _ := strings.Cut(strings.TrimSpace(param), "=")
				for _, word := range strings.Fields(strings.Trim(strings.TrimSpace(value), `"`)) {
					if strings.EqualFold(strings.TrimSpace(name), "rel") && strings.EqualFold(word, rel) {
						return target
					}
				}
			}
		}
	}
	return ""
}

// cutLink splits the parameters of a link from the links after it; commas in quotes do
// not count.
func cutLink(s string) (params, rest string) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == ',' && !quoted:
			return s[:i], s[i+1:]
		}
	}
	return s, ""
}

// built makes the request for the pager's next page.
func (r *reading) built(v *variant, p *pager, w window) (built, error) {
	vars := r.vars.with("page", p.scope()).with("window", r.st.def.windowVars(w))
	b, err := v.request.build(r.src.client.base, vars, url.Values(r.st.def.params(w, p)))
	if err != nil || p.link == nil {
		return b, err
	}
	b.url = p.link // the link holds the query; headers stay
	return b, nil
}
