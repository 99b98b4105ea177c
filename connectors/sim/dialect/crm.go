package dialect

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/fault"
	"github.com/unsilo/unsilo/connectors/sim/world"
)

const crmStamp = "2006-01-02T15:04:05.000Z"

// crm has the paths of the HubSpot-like CRM.
func (a *api) crm(mux *http.ServeMux) {
	refuse := refusal(http.StatusUnauthorized, crmError("INVALID_AUTHENTICATION", "Authentication credentials not found or not valid."))
	token := a.opt.Credentials.CRMToken
	mux.HandleFunc("GET /crm/v3/objects/{type}", bearer(token, refuse, a.crmList))
	mux.HandleFunc("POST /crm/v3/objects/{type}/search", bearer(token, refuse, a.crmSearch))
	mux.HandleFunc("GET /crm/v3/owners", bearer(token, refuse, a.crmOwners))
}

func crmError(category, message string) string {
	text, err := json.Marshal(map[string]string{
		"status": "error", "category": category, "message": message, "correlationId": "00000000-0000-4000-8000-000000000001",
	})
	if err != nil {
		return "{}"
	}
	return string(text)
}

func crmBad(w http.ResponseWriter, r *http.Request, format string, args ...any) {
	refusal(http.StatusBadRequest, crmError("VALIDATION_ERROR", fmt.Sprintf(format, args...)))(w, r)
}

// crmSheet finds the sheet of the request's object type.
func crmSheet(s *world.State, w http.ResponseWriter, r *http.Request) *world.Sheet {
	name := r.PathValue("type")
	if slices.Contains([]string{"contacts", "companies", "deals", "tickets"}, name) {
		if sheet, err := s.Sheet(world.CRM, name); err == nil {
			return sheet
		}
	}
	refusal(http.StatusNotFound, crmError("OBJECT_NOT_FOUND", "Unable to infer object type from: "+name))(w, r)
	return nil
}

// crmList is a page of the objects, by id.
func (a *api) crmList(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, ok := number(q, "limit", 10, 1, 100)
	after, err := strconv.ParseInt("0"+untag(q.Get("after")), 10, 64)
	if !ok || err != nil {
		crmBad(w, r, "limit must be from 1 to 100, after an id of a paging answer")
		return
	}
	a.world.Read(func(s *world.State) {
		sheet := crmSheet(s, w, r)
		if sheet == nil {
			return
		}
		archived := q.Get("archived") == "true"
		rows := a.ordered(s, fmt.Sprint("crm.", sheet.Stream, " archived ", archived), sheet.Len, func(i int) bool {
			return sheet.Live(i) && sheet.Archived(i).IsZero() != archived
		}, nil)
		first, _ := slices.BinarySearchFunc(rows, after, func(i int, id int64) int {
			if crmID(sheet, i) <= id {
				return -1
			}
			return 1
		})
		write := crmWriter{s: s, sheet: sheet, properties: properties(sheet, q["properties"]), associations: split(q["associations"])}
		late := hidden(fault.Of(r.Context()), s.Now)
		p := fault.Page{At: q.Get("after"), Tag: retag}
		for n := first; n < len(rows); n++ {
			if !late.IsZero() && sheet.Updated(rows[n]).After(late) {
				continue
			}
			if len(p.Rows) == limit {
				p.Next = crmKey(rows, sheet, n-1)
				break
			}
			p.Rows = append(p.Rows, write.row(rows[n]))
		}
		if p.At == "" {
			p.Tag = func(string) string { return retag("0") }
		}
		a.crmPage(w, r, p, -1)
	})
}

func crmKey(rows []int, sheet *world.Sheet, n int) string { return sheet.Key(rows[n]) }

func crmID(sheet *world.Sheet, i int) int64 {
	id, err := strconv.ParseInt(sheet.Key(i), 10, 64)
	if err != nil {
		return 0
	}
	return id
}

// crmPage writes a page; total is left out when negative.
func (a *api) crmPage(w http.ResponseWriter, r *http.Request, p fault.Page, total int) {
	fault.Of(r.Context()).Apply(&p)
	o := newObject()
	if total >= 0 {
		o.int("total", int64(total))
	}
	o.raw("results", list(p.Rows))
	if p.Next != "" {
		next := newObject()
		next.text("after", p.Next)
		if r.Method == http.MethodGet {
			q := r.URL.Query()
			q.Set("after", p.Next)
			next.text("link", "http://"+r.Host+r.URL.Path+"?"+q.Encode())
		}
		paging := newObject()
		paging.raw("next", next.done())
		o.raw("paging", paging.done())
	}
	answer(w, o.done())
}

// properties says which columns to show: those asked for and the few that always come.
func properties(sheet *world.Sheet, asked []string) map[string]bool {
	defaults := map[string]string{
		"contacts":  "email,firstname,lastname",
		"companies": "domain,name",
		"deals":     "amount,closedate,dealname,dealstage,pipeline",
		"tickets":   "subject,hs_pipeline_stage",
	}
	show := map[string]bool{"hs_object_id": true, "createdate": true, "lastmodifieddate": true, "hs_lastmodifieddate": true}
	names := split(asked)
	if len(names) == 0 {
		names = strings.Split(defaults[sheet.Stream], ",")
	}
	for _, n := range names {
		show[n] = true
	}
	return show
}

// split reads a parameter that is repeated or has commas.
func split(values []string) []string {
	var names []string
	for _, v := range values {
		for _, n := range strings.Split(v, ",") {
			if n = strings.TrimSpace(n); n != "" {
				names = append(names, n)
			}
		}
	}
	return names
}

// crmWriter writes objects.
type crmWriter struct {
	s            *world.State
	sheet        *world.Sheet
	properties   map[string]bool
	associations []string
}

func (c *crmWriter) row(i int) json.RawMessage {
	o, props := newObject(), newObject()
	var created time.Time
	for n, v := range c.sheet.Row(i) {
		name := c.sheet.Columns[n].Name
		if t, ok := v.(time.Time); ok && name == "createdate" {
			created = t
		}
		if c.properties[name] {
			props.value(name, world.Text, asText(v), crmStamp)
		}
	}
	o.text("id", c.sheet.Key(i))
	o.raw("properties", props.done())
	o.text("createdAt", created.Format(crmStamp))
	o.text("updatedAt", c.sheet.Updated(i).Format(crmStamp))
	archived := c.sheet.Archived(i)
	o.bool("archived", !archived.IsZero())
	if !archived.IsZero() {
		o.text("archivedAt", archived.Format(crmStamp))
	}
	if len(c.associations) > 0 {
		o.raw("associations", c.associated(i))
	}
	return o.done()
}

// associated writes the objects that the columns of a row name.
func (c *crmWriter) associated(i int) []byte {
	columns := map[string]string{
		"contacts companies": "associatedcompanyid", "deals companies": "hs_primary_associated_company",
		"deals contacts": "primary_contact_id", "tickets contacts": "primary_contact_id",
	}
	o := newObject()
	for n, v := range c.sheet.Row(i) {
		for _, to := range c.associations {
			id, ok := v.(int64)
			if !ok || columns[c.sheet.Stream+" "+to] != c.sheet.Columns[n].Name {
				continue
			}
			kind := strings.TrimSuffix(c.sheet.Stream, "s") + "_to_" + strings.TrimSuffix(strings.ReplaceAll(to, "ies", "ys"), "s")
			o.raw(to, fmt.Appendf(nil, `{"results":[{"id":"%d","type":"%s"}]}`, id, kind))
		}
	}
	return o.done()
}

// asText writes a value as the CRM holds all properties: as text.
func asText(v any) any {
	switch v := v.(type) {
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	}
	return v
}

func (a *api) crmOwners(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	limit, ok := number(q, "limit", 100, 1, 500)
	after, okAfter := number(url.Values{"after": {untag(q.Get("after"))}}, "after", 0, 0, 1000)
	if !ok || !okAfter {
		crmBad(w, r, "limit must be from 1 to 500")
		return
	}
	owners := world.Owners()
	p := fault.Page{At: q.Get("after"), Tag: retag}
	for i := after; i < len(owners) && len(p.Rows) < limit; i++ {
		o := newObject()
		o.text("id", strconv.FormatInt(owners[i].ID, 10))
		o.text("email", owners[i].Email)
		o.text("firstName", owners[i].First)
		o.text("lastName", owners[i].Last)
		o.bool("archived", false)
		p.Rows = append(p.Rows, o.done())
	}
	if after+limit < len(owners) {
		p.Next = strconv.Itoa(after + limit)
	}
	if p.At == "" {
		p.Tag = func(string) string { return retag("0") }
	}
	a.crmPage(w, r, p, -1)
}
