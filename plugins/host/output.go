package host

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
)

// Limits of what is kept of a plugin's output.
const (
	maxLine   = 16 << 10 // longer lines are cut in pieces
	tailLines = 12
	tailBytes = 4 << 10
)

// handshakeReader passes on the handshake line and hands everything else on standard
// output to noise, so that a stray print does not keep a plugin from starting.
type handshakeReader struct {
	src   *os.File
	noise func(string)
	buf   *bufio.Reader
	rest  []byte
}

// Read returns bytes of the handshake line.
func (r *handshakeReader) Read(p []byte) (int, error) {
	if r.buf == nil {
		r.buf = bufio.NewReaderSize(r.src, maxLine)
	}
	for len(r.rest) == 0 {
		line, err := r.buf.ReadSlice('\n')
		text := strings.TrimRight(string(line), "\r\n")
		if at := handshakeAt(text); at >= 0 {
			if before := text[:at]; before != "" {
				r.noise(before)
			}
			r.rest = append([]byte(text[at:]), '\n')
			break
		}
		if text != "" {
			r.noise(text)
		}
		if err != nil && err != bufio.ErrBufferFull {
			return 0, io.EOF
		}
	}
	n := copy(p, r.rest)
	r.rest = r.rest[n:]
	return n, nil
}

// Close closes the pipe.
func (r *handshakeReader) Close() error { return r.src.Close() }

// handshakeLine is core|version|network|address|protocol, as go-plugin prints it.
var handshakeLine = regexp.MustCompile(`\d+\|\d+\|(unix|tcp)\|[^|]+\|(grpc|netrpc)`)

// handshakeAt finds where the handshake begins in text; -1 when it is not there.
func handshakeAt(text string) int {
	loc := handshakeLine.FindStringIndex(text)
	if loc == nil {
		return -1
	}
	return loc[0]
}

// lineWriter cuts a stream into lines.
type lineWriter struct {
	mu   sync.Mutex
	part []byte
	line func(string)
}

// Write keeps what has no end of line yet, up to a limit.
func (w *lineWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.part = append(w.part, p...)
	for {
		i := bytes.IndexByte(w.part, '\n')
		if i < 0 && len(w.part) < maxLine {
			return len(p), nil
		}
		end := i
		if i < 0 {
			end = maxLine
		}
		if text := strings.TrimRight(string(w.part[:end]), "\r"); text != "" {
			w.line(text)
		}
		w.part = append([]byte(nil), w.part[max(end, i+1):]...)
	}
}

// tail keeps the last lines of standard error, for the error a crash gives.
type tail struct {
	mu    sync.Mutex
	lines []string
	size  int
	// panicked is set when the Go runtime said why it ended the process.
	panicked bool
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if runtimeDied(line) && !t.panicked {
		t.panicked = true
		t.lines, t.size = nil, 0 // what follows is the stack; its beginning says most
	}
	if t.panicked && len(t.lines) >= tailLines {
		return
	}
	if len(line) > tailBytes/4 {
		line = line[:tailBytes/4] + "…"
	}
	t.lines = append(t.lines, line)
	t.size += len(line)
	for len(t.lines) > tailLines || t.size > tailBytes {
		t.size -= len(t.lines[0])
		t.lines = t.lines[1:]
	}
}

// runtimeDied reports whether a line is the first that the Go runtime writes before it
// ends a program for a defect.
func runtimeDied(line string) bool {
	for _, start := range []string{"panic: ", "fatal error: ", "SIGSEGV: ", "SIGBUS: ", "SIGILL: ", "SIGFPE: "} {
		if strings.HasPrefix(line, start) {
			return true
		}
	}
	return false
}

func (t *tail) text() (lines string, panicked bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n  "), t.panicked
}

// parseLine reads a line of output. JSON as slog and hclog write it becomes level,
// message and attributes; anything else is a message of the given level.
func parseLine(line string, level slog.Level) LogLine {
	l := LogLine{Time: time.Now(), Level: level, Message: line}
	var fields map[string]any
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &fields) != nil {
		return l
	}
	take := func(keys ...string) string {
		for _, k := range keys {
			if s, ok := fields[k].(string); ok {
				delete(fields, k)
				return s
			}
		}
		return ""
	}
	message := take("msg", "@message")
	if message == "" {
		return l
	}
	l.Message = message
	if v := strings.ToUpper(take("level", "@level")); v != "" && l.Level.UnmarshalText([]byte(v)) != nil {
		l.Level = level
	}
	if t, err := time.Parse(time.RFC3339Nano, take("time", "@timestamp")); err == nil {
		l.Time = t
	}
	for k, v := range fields {
		l.Attrs = append(l.Attrs, slog.Any(k, v))
	}
	return l
}
