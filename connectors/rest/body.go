package rest

import (
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/unsilo/unsilo/core"
)

// errIdle ends a request on which nothing has come for too long.
var errIdle = errors.New("no answer for too long")

// watch cancels a request when nothing comes for idle. It runs only while we wait for
// the API, never while the warehouse is busy.
type watch struct {
	timer *time.Timer
	idle  time.Duration
}

// newWatch makes a context that ends with errIdle; stop releases it.
func newWatch(ctx context.Context, idle time.Duration) (context.Context, *watch, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{idle: idle, timer: time.AfterFunc(idle, func() { cancel(errIdle) })}
	return ctx, w, func() { w.timer.Stop(); cancel(nil) }
}

func (w *watch) start() { w.timer.Reset(w.idle) }
func (w *watch) stop()  { w.timer.Stop() }

// maxRatio is how much larger a body may become by unpacking; small bodies may.
const (
	maxRatio   = 100
	ratioAfter = 4 << 20
)

// body reads an answer's body: unpacked, bounded in size and in how long it may be silent.
type body struct {
	watch  *watch
	packed *counter
	plain  io.Reader
	read   int64
	max    int64
}

// counter counts what comes from the network.
type counter struct {
	r io.Reader
	n int64
}

// Read counts.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err //nolint:wrapcheck // io.EOF must stay as it is
}

// newBody unpacks by Content-Encoding, and a file that is gzip itself by its first bytes
// when file is set.
func newBody(resp *http.Response, w *watch, maxSize int64, file bool) (*body, error) {
	b := &body{watch: w, packed: &counter{r: resp.Body}, max: maxSize}
	b.plain = b.packed
	w.start()
	defer w.stop()
	encoding := strings.ToLower(resp.Header.Get("Content-Encoding"))
	switch encoding {
	case "", "identity":
	case "gzip", "x-gzip":
		if err := b.gunzip(b.packed); err != nil {
			return nil, err
		}
	case "deflate":
		z, err := zlib.NewReader(b.packed)
		if err != nil {
			return nil, badBody(err)
		}
		b.plain = z
	default:
		return nil, &core.Error{Kind: core.KindData, Op: "read answer", Err: errors.New("the answer is packed in an unknown way")}
	}
	if file {
		return b, b.sniff()
	}
	return b, nil
}

func (b *body) gunzip(r io.Reader) error {
	z, err := gzip.NewReader(r)
	if errors.Is(err, io.EOF) {
		b.plain = strings.NewReader("") // no body at all
		return nil
	}
	if err != nil {
		return badBody(err)
	}
	b.plain = z
	return nil
}

// sniff unpacks a body that starts like a gzip file.
func (b *body) sniff() error {
	var head [2]byte
	n, err := io.ReadFull(b.plain, head[:])
	whole := io.MultiReader(strings.NewReader(string(head[:n])), b.plain)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return badBody(err)
	}
	if head == [2]byte{0x1f, 0x8b} {
		return b.gunzip(whole)
	}
	b.plain = whole
	return nil
}

// Read gives the unpacked body.
func (b *body) Read(p []byte) (int, error) {
	b.watch.start()
	n, err := b.plain.Read(p)
	b.watch.stop()
	b.read += int64(n)
	switch {
	case b.read > b.max:
		return n, &core.Error{Kind: core.KindData, Op: "read answer",
			Err: fmt.Errorf("the answer is larger than %d MiB", b.max>>20), Try: "ask for smaller pages, or raise client.max_body_mb"}
	case b.read > ratioAfter && b.read > maxRatio*b.packed.n:
		return n, &core.Error{Kind: core.KindData, Op: "read answer",
			Err: fmt.Errorf("the answer unpacks to more than %d times its size", maxRatio)}
	case err != nil && !errors.Is(err, io.EOF):
		return n, badBody(err)
	}
	return n, err //nolint:wrapcheck // io.EOF must stay as it is
}

// badBody says that an answer broke off; trying again may help.
func badBody(err error) error {
	var e *core.Error
	if errors.As(err, &e) {
		return err
	}
	return &core.Error{Kind: core.KindUnavailable, Op: "read answer", Err: fmt.Errorf("the answer broke off: %w", err)}
}

const maxErrorBody = 256 << 10

// errorBody reads what an API says about a failure.
func errorBody(resp *http.Response, w *watch) []byte {
	b, err := newBody(resp, w, maxErrorBody, false)
	if err != nil {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(b, maxErrorBody))
	return text
}
