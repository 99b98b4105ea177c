package dialect

import (
	"encoding/json"
	"net/http"
	"sort"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/fault"
	"github.com/unsilo/unsilo/connectors/sim/world"
)

// surveys has the paths of a plain JSON API with a key in a header: the same answers by
// offset and by page number.
func (a *api) surveys(mux *http.ServeMux) {
	mux.HandleFunc("GET /surveys/v1/answers", a.surveyAuth(a.answersByOffset))
	mux.HandleFunc("GET /surveys/v1/pages/answers", a.surveyAuth(a.answersByPage))
}

func (a *api) surveyAuth(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if !same(r.Header.Get("X-Api-Key"), a.opt.Credentials.SurveyKey) {
			refusal(http.StatusUnauthorized, `{"error":{"code":"unauthorized","message":"the API key is missing or wrong"}}`)(w, r)
			return
		}
		next(w, r)
	}
}

func surveyBad(w http.ResponseWriter, r *http.Request, message string) {
	refusal(http.StatusBadRequest, `{"error":{"code":"bad_request","message":"`+message+`"}}`)(w, r)
}

func (a *api) answersByOffset(w http.ResponseWriter, r *http.Request) {
	limit, ok := number(r.URL.Query(), "limit", 50, 1, 500)
	offset, okOffset := number(r.URL.Query(), "offset", 0, 0, 1<<40)
	if !ok || !okOffset {
		surveyBad(w, r, "limit must be from 1 to 500, offset a number")
		return
	}
	a.answers(w, r, offset, limit, func(o *object, p fault.Page, total int) {
		o.int("total", int64(total))
		o.int("offset", int64(offset))
		o.int("limit", int64(limit))
	})
}

func (a *api) answersByPage(w http.ResponseWriter, r *http.Request) {
	size, ok := number(r.URL.Query(), "per_page", 50, 1, 500)
	page, okPage := number(r.URL.Query(), "page", 1, 1, 1<<30)
	if !ok || !okPage {
		surveyBad(w, r, "per_page must be from 1 to 500, page from 1")
		return
	}
	a.answers(w, r, (page-1)*size, size, func(o *object, p fault.Page, total int) {
		o.int("page", int64(page))
		o.int("per_page", int64(size))
		o.int("pages", int64((total+size-1)/size))
		o.int("total", int64(total))
	})
}

func (a *api) answers(w http.ResponseWriter, r *http.Request, offset, limit int, head func(*object, fault.Page, int)) {
	var since time.Time
	if text := r.URL.Query().Get("updated_since"); text != "" {
		var err error
		if since, err = moment(text); err != nil {
			surveyBad(w, r, "updated_since must be a time such as 2026-01-31T12:00:00Z")
			return
		}
	}
	a.world.Read(func(s *world.State) {
		sheet, err := s.Sheet(world.Surveys, "answers")
		if err != nil {
			surveyBad(w, r, "no such list")
			return
		}
		rows := a.byUpdate(s, sheet)
		rows = rows[sort.Search(len(rows), func(n int) bool { return !sheet.Updated(rows[n]).Before(since) }):]
		p := positions(r, rows, offset, limit, func(i int) json.RawMessage {
			o := newObject()
			for n, v := range sheet.Row(i) {
				o.value(sheet.Columns[n].Name, sheet.Columns[n].Type, v, crmStamp)
			}
			return o.done()
		}, func(i int) int64 { return sheet.Updated(i).UnixMilli() }, s.Now)
		o := newObject()
		head(o, p, len(rows)+fault.Of(r.Context()).Shift())
		o.raw("items", list(p.Rows))
		answer(w, o.done())
	})
}
