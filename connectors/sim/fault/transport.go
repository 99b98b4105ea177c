package fault

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// spoil carries out a fault of the transport; it reports whether it has answered.
func (h *Hit) spoil(w http.ResponseWriter, r *http.Request, next http.Handler) bool {
	switch h.Kind {
	case Limited, LimitedGrowing, LimitedDate, LimitedEpoch, LimitedBare, LimitedBody:
		h.refuse(w)
	case Broken:
		status := h.rule.Status
		if status == 0 {
			status = http.StatusServiceUnavailable
		}
		http.Error(w, "upstream is not well", status)
	case EmptyRefusal:
		w.WriteHeader(http.StatusNotAcceptable)
	case WaitPage:
		page(w, 420, "Your organisation is being set up. Please wait.")
	case HTML:
		page(w, http.StatusOK, "We will be back soon.")
	case Redirect:
		w.Header().Set("Location", h.rule.Target+r.URL.RequestURI())
		w.WriteHeader(http.StatusTemporaryRedirect)
	case Unauthorized:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = fmt.Fprint(w, `{"status":"error","category":"INVALID_AUTHENTICATION","message":"the credentials were refused"}`)
	case Cut, ChunkBreak, Slow:
		h.deform(w, r, next)
	default:
		return false
	}
	h.Fired()
	return true
}

// refuse says "too many requests" in one of the ways there are.
func (h *Hit) refuse(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	switch h.Kind {
	case LimitedBody:
		_, _ = fmt.Fprint(w, `{"success":false,"errors":[{"code":"606","message":"Max rate limit exceeded, try again later"}]}`)
		return
	case LimitedDate:
		w.Header().Set("Retry-After", h.until.UTC().Format(http.TimeFormat))
	case LimitedEpoch:
		w.Header().Set("X-Rate-Limit-Reset", strconv.FormatInt(h.until.Unix(), 10))
		w.Header().Set("X-Rate-Limit-Remaining", "0")
	case Limited, LimitedGrowing:
		w.Header().Set("Retry-After", strconv.FormatInt(int64(h.until.Sub(h.at)/time.Second), 10))
	}
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = fmt.Fprint(w, `{"status":"error","category":"RATE_LIMITS","message":"too many requests"}`)
}

func page(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<!DOCTYPE html><html><body><h1>%s</h1></body></html>\n", text)
}

// deform gets the right answer and sends it badly.
func (h *Hit) deform(w http.ResponseWriter, r *http.Request, next http.Handler) {
	rec := &capture{header: http.Header{}, code: http.StatusOK}
	next.ServeHTTP(rec, r.WithContext(context.WithValue(r.Context(), hitKey{}, h)))
	for k, v := range rec.header {
		w.Header()[k] = v
	}
	body := rec.body.Bytes()
	if h.Kind == Slow {
		w.WriteHeader(rec.code)
		h.dribble(w, r, body)
		return
	}
	hijacker, ok := w.(http.Hijacker)
	if !ok {
		page(w, http.StatusOK, "cut")
		return
	}
	conn, buf, err := hijacker.Hijack()
	if err != nil {
		return
	}
	half := body[:len(body)/2]
	_, _ = fmt.Fprintf(buf, "HTTP/1.1 %d OK\r\nContent-Type: application/json\r\n", rec.code)
	for _, k := range []string{"Link"} {
		if v := rec.header.Get(k); v != "" {
			_, _ = fmt.Fprintf(buf, "%s: %s\r\n", k, v)
		}
	}
	if h.Kind == Cut {
		_, _ = fmt.Fprintf(buf, "Content-Length: %d\r\n\r\n%s", len(body), half)
	} else {
		_, _ = fmt.Fprintf(buf, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s", len(half)+10, half)
	}
	_ = buf.Flush()
	_ = conn.Close()
}

// dribble sends a body in ten parts over the rule's wait.
func (h *Hit) dribble(w http.ResponseWriter, r *http.Request, body []byte) {
	const parts = 10
	for i := range parts {
		_, _ = w.Write(body[len(body)*i/parts : len(body)*(i+1)/parts])
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		select {
		case <-time.After(h.rule.wait() / parts):
		case <-r.Context().Done():
			return
		}
	}
}

// capture keeps an answer.
type capture struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

// Header gives the header to fill in.
func (c *capture) Header() http.Header { return c.header }

// WriteHeader keeps the status.
func (c *capture) WriteHeader(code int) { c.code = code }

// Write keeps a part of the body.
func (c *capture) Write(b []byte) (int, error) { return c.body.Write(b) }
