// Package files shows the simulated company's logs as files in folders: the access log
// of its web server, and the call detail records and queue log of its call centre.
//
// Files are appended to and never rewritten, so that a reader that remembers how far it
// got finds only what is new. What a file holds depends on the time alone.
package files

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/world"
)

// WebLog is a folder with one access log per day: access-2026-01-05.log for recent days,
// access-2026-01-05.log.gz for older ones.
//
// A line is nginx's combined format with two more quoted fields, the cookie vid and the
// request id:
//
//	$remote_addr - - [$time_local] "$request" $status $body_bytes_sent "$http_referer"
//	"$http_user_agent" "$cookie_vid" "$request_id"
type WebLog struct {
	Dir string
	// PlainFrom is the first day whose file stays plain. With Rotate set, days more than
	// a week old are packed as time goes on, as a log rotation does; otherwise a file keeps
	// its name for ever.
	PlainFrom time.Time
	Rotate    bool
}

const day = 24 * time.Hour

// Write brings the folder from the time from up to the state's present. A zero from
// writes all of it.
func (l WebLog) Write(state *world.State, from time.Time) error {
	if err := os.MkdirAll(l.Dir, 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	all := from.IsZero()
	if all {
		from = state.Options.Start.Add(-time.Millisecond)
	}
	for at := dayOf(from.Add(time.Millisecond)); !at.After(state.Now); at = at.Add(day) {
		if err := l.writeDay(state, at, from, all); err != nil {
			return fmt.Errorf("write access log of %s: %w", at.Format(time.DateOnly), err)
		}
	}
	if l.Rotate {
		return l.rotate(state.Now)
	}
	return nil
}

func dayOf(t time.Time) time.Time { return t.Truncate(day) }

func (l WebLog) writeDay(state *world.State, at, from time.Time, all bool) error {
	first, last := state.HitsUntil(at.Add(-time.Millisecond)), state.HitsUntil(at.Add(day-time.Millisecond))
	last = min(last, state.HitsUntil(state.Now))
	if from.After(at) {
		first = state.HitsUntil(from)
	}
	if first >= last {
		return nil
	}
	name := filepath.Join(l.Dir, "access-"+at.Format(time.DateOnly)+".log")
	text := make([]byte, 0, (last-first)*200)
	for i := first; i < last; i++ {
		text = appendLine(text, state, i)
	}
	if l.packed(at, state.Now) && all {
		return writeGzip(name+".gz", text)
	}
	return appendFile(name, text, all)
}

// packed reports whether a day's file is compressed.
func (l WebLog) packed(at, now time.Time) bool {
	limit := l.PlainFrom
	if l.Rotate {
		limit = dayOf(now).Add(-7 * day)
	}
	return at.Before(limit)
}

func (l WebLog) rotate(now time.Time) error {
	names, err := filepath.Glob(filepath.Join(l.Dir, "access-*.log"))
	if err != nil {
		return fmt.Errorf("list logs: %w", err)
	}
	for _, name := range names {
		base := filepath.Base(name)
		at, err := time.Parse("access-2006-01-02.log", base)
		if err != nil || !l.packed(at, now) {
			continue
		}
		text, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("read log: %w", err)
		}
		if err := writeGzip(name+".gz", text); err != nil {
			return err
		}
		if err := os.Remove(name); err != nil {
			return fmt.Errorf("remove packed log: %w", err)
		}
	}
	return nil
}

// appendLine writes line i of the access log.
func appendLine(b []byte, state *world.State, i int) []byte {
	h := &state.Hits[i]
	cookie := &state.Cookies[h.Cookie]
	method, path, status, bytes := state.Line(h)
	b = append(b, Address(int(h.Cookie))...)
	b = append(b, " - - ["...)
	b = time.UnixMilli(h.At).UTC().AppendFormat(b, "02/Jan/2006:15:04:05 -0700")
	b = append(b, "] \""+method+" "+path+" HTTP/1.1\" "...)
	b = strconv.AppendInt(b, int64(status), 10)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(bytes), 10)
	b = append(b, " \"-\" \""+Agent(cookie.Agent)+"\" \""+cookie.ID+"\" \""+state.RequestID(i)+"\"\n"...)
	return b
}

// Address makes up an address of the blocks kept for documentation.
func Address(cookie int) string {
	block := []string{"192.0.2.", "198.51.100.", "203.0.113."}[cookie%3]
	return block + strconv.Itoa(1+cookie/3%254)
}

// Agent is the user agent of a browser.
func Agent(i int) string {
	return []string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Sim/1.0 Chrome/140.0",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Sim/1.0 Mobile Safari/604.1",
		"Mozilla/5.0 (Linux; Android 15) Sim/1.0 Chrome/140.0 Mobile",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Sim/1.0 Safari/605.1",
		"Mozilla/5.0 (X11; Linux x86_64; rv:141.0) Sim/1.0 Firefox/141.0",
		"Mozilla/5.0 (iPad; CPU OS 18_5 like Mac OS X) Sim/1.0 Safari/604.1",
	}[i%6]
}

// appendFile adds text to a file; fresh starts it anew.
func appendFile(name string, text []byte, fresh bool) (err error) {
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if fresh {
		flags = os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	}
	f, err := os.OpenFile(name, flags, 0o644)
	if err != nil {
		return fmt.Errorf("open file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(text); err != nil {
		return fmt.Errorf("write file: %w", err)
	}
	return nil
}

func writeGzip(name string, text []byte) (err error) {
	f, err := os.Create(name)
	if err != nil {
		return fmt.Errorf("create file: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return pack(f, text)
}

func pack(w io.Writer, text []byte) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestSpeed)
	if err != nil {
		return fmt.Errorf("make packer: %w", err)
	}
	if _, err := z.Write(text); err != nil {
		return fmt.Errorf("pack file: %w", err)
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("pack file: %w", err)
	}
	return nil
}
