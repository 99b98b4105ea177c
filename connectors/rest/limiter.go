package rest

import (
	"context"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// limiter paces the requests of one scope: all requests that share a budget at the API.
// It may be used by several goroutines.
type limiter struct {
	def      budgetDef
	requests int           // that fit def.per; 0 means any number
	slots    chan struct{} // max_concurrency; nil means no bound

	mu    sync.Mutex
	until time.Time   // nothing is sent before
	sent  []time.Time // the last requests, oldest first
	eased time.Time   // only half the budget is used before
}

func newLimiter(def budgetDef, requests int) *limiter {
	l := &limiter{def: def, requests: requests}
	if def.maxConcurrency > 0 {
		l.slots = make(chan struct{}, def.maxConcurrency)
	}
	return l
}

// acquire waits until a request may be sent. The caller calls release when the answer
// has been read.
func (l *limiter) acquire(ctx context.Context) (release func(), err error) {
	release = func() {}
	if l.slots != nil {
		select {
		case l.slots <- struct{}{}:
			release = sync.OnceFunc(func() { <-l.slots })
		case <-ctx.Done():
			return release, context.Cause(ctx)
		}
	}
	for {
		wait := l.reserve(time.Now())
		if wait <= 0 {
			return release, nil
		}
		if err := sleep(ctx, wait); err != nil {
			release()
			return func() {}, err
		}
	}
}

// reserve takes a place in the budget, or says how long to wait before asking again.
func (l *limiter) reserve(now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if wait := l.until.Sub(now); wait > 0 {
		return wait
	}
	if n := l.allowed(now); n > 0 {
		// A little more than the window, as the API counts arrivals and not departures.
		window := l.def.per + l.def.per/50 + 5*time.Millisecond
		for len(l.sent) > 0 && now.Sub(l.sent[0]) >= window {
			l.sent = l.sent[1:]
		}
		if len(l.sent) >= n {
			return l.sent[len(l.sent)-n].Add(window).Sub(now)
		}
		l.sent = append(l.sent, now)
	}
	return 0
}

// allowed is how many requests fit a window; 0 means any number.
func (l *limiter) allowed(now time.Time) int {
	n := l.requests
	if n > 1 && now.Before(l.eased) {
		n /= 2
	}
	return n
}

// pause stops the whole scope for a while.
func (l *limiter) pause(wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := time.Now().Add(wait); until.After(l.until) {
		l.until = until
	}
}

// ease uses half of the budget for the next ten windows.
func (l *limiter) ease() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.eased = time.Now().Add(10 * l.def.per)
}

// observe slows down before the API has to say so: with nothing remaining, the scope
// waits for the reset.
func (l *limiter) observe(h http.Header) {
	if l.def.remainingHeader == "" || strings.TrimSpace(h.Get(l.def.remainingHeader)) != "0" {
		return
	}
	wait := l.def.per
	if l.def.resetHeader != "" {
		if told, ok := readWait(h.Get(l.def.resetHeader), l.def.resetUnit, h); ok {
			wait = told
		}
	}
	l.pause(wait)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// waitUnits are the forms in which a header tells how long to wait.
func waitUnits() []string {
	return []string{"auto", "seconds", "milliseconds", "epoch_s", "epoch_ms", "http_date", "rfc3339"}
}

// readWait reads a told wait. Times are compared with the answer's own Date, so that the
// clocks need not agree. "auto" takes any of the forms: a number is seconds unless it is
// so large that it must be a time.
func readWait(text, unit string, h http.Header) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if text == "" {
		return 0, false
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		now = time.Now()
	}
	var at time.Time
	number, numErr := strconv.ParseFloat(text, 64)
	if unit == "auto" {
		unit = guessUnit(number, numErr == nil, text)
	}
	switch unit {
	case "http_date":
		at, err = http.ParseTime(text)
	case "rfc3339":
		at, err = time.Parse(time.RFC3339, text)
	case "seconds":
		return seconds(number), numErr == nil && number >= 0
	case "milliseconds":
		return seconds(number / 1000), numErr == nil && number >= 0
	case "epoch_s":
		at, err = time.Unix(0, int64(number*1e9)), numErr
	case "epoch_ms":
		at, err = time.UnixMilli(int64(number)), numErr
	}
	if err != nil {
		return 0, false
	}
	return max(0, at.Sub(now)), true
}

func guessUnit(number float64, isNumber bool, text string) string {
	switch {
	case isNumber && number < 1e9:
		return "seconds"
	case isNumber && number < 1e11:
		return "epoch_s"
	case isNumber:
		return "epoch_ms"
	case len(text) > 10 && text[4] == '-':
		return "rfc3339"
	}
	return "http_date"
}

// seconds bounds what a header may ask for to a year.
func seconds(n float64) time.Duration {
	const year = 365 * 24 * 3600
	return time.Duration(min(n, year) * float64(time.Second))
}
