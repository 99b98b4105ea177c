package file

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"golang.org/x/text/encoding/charmap"

	"github.com/unsilo/unsilo/core"
)

// content is a file as a decoder sees it: decompressed, and in UTF-8. Offsets count its
// bytes.
type content struct {
	io.Reader
	// whole says that the end of the file is known to be its end: a compressed file says
	// so itself.
	whole bool
	close []func() error
}

// Close releases everything.
func (c *content) Close() error {
	var errs []error
	for i := len(c.close) - 1; i >= 0; i-- {
		errs = append(errs, c.close[i]())
	}
	return errors.Join(errs...)
}

// An opener opens the contents of a stream's files.
type opener struct {
	fs          FileSystem
	compression string // auto, none, gzip, zstd
	charset     string // utf-8, latin1, windows-1252
}

// maxZstdWindow bounds what a Zstandard file may make us keep.
const maxZstdWindow = 128 << 20

// open gives the content from an offset on.
func (o opener) open(ctx context.Context, e Entry, offset int64) (*content, error) {
	f, err := o.fs.Open(ctx, e, 0)
	if err != nil {
		return nil, err
	}
	c := &content{Reader: f, close: []func() error{f.Close}}
	packed, err := c.packing(o.compression)
	if err != nil {
		return nil, errors.Join(cutError(e, err), c.Close())
	}
	if packed == packNone && o.charset == charsetUTF8 {
		if offset == 0 {
			return c, nil
		}
		f, err := o.fs.Open(ctx, e, offset)
		if err != nil {
			return nil, errors.Join(err, c.Close())
		}
		return &content{Reader: f, close: []func() error{f.Close}}, c.Close()
	}
	if err := c.unpack(packed); err != nil {
		return nil, errors.Join(cutError(e, err), c.Close())
	}
	switch o.charset {
	case charsetLatin1:
		c.Reader = charmap.ISO8859_1.NewDecoder().Reader(c.Reader)
	case charsetWindows:
		c.Reader = charmap.Windows1252.NewDecoder().Reader(c.Reader)
	}
	if _, err := io.CopyN(io.Discard, c.Reader, offset); err != nil {
		return nil, errors.Join(cutError(e, err), c.Close())
	}
	return c, nil
}

// The kinds of compression and character sets.
const (
	packNone, packGzip, packZstd = "none", "gzip", "zstd"
	packAuto                     = "auto"

	charsetUTF8, charsetLatin1, charsetWindows = "utf-8", "latin1", "windows-1252"
)

// packing finds out how the content is compressed, by its first bytes.
func (c *content) packing(declared string) (string, error) {
	if declared != packAuto {
		return declared, nil
	}
	magic := make([]byte, 4)
	n, err := io.ReadFull(c.Reader, magic)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return "", err
	}
	c.Reader = io.MultiReader(bytes.NewReader(magic[:n]), c.Reader)
	return packingOf(magic[:n]), nil
}

func packingOf(magic []byte) string {
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		return packGzip
	case bytes.HasPrefix(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		return packZstd
	}
	return packNone
}

// unpack puts a decompressor before the reader.
func (c *content) unpack(packed string) error {
	switch packed {
	case packGzip:
		z, err := gzip.NewReader(bufio.NewReaderSize(c.Reader, 64<<10))
		if err != nil {
			return err
		}
		c.Reader, c.whole = z, true
		c.close = append(c.close, z.Close)
	case packZstd:
		z, err := zstd.NewReader(c.Reader, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxZstdWindow))
		if err != nil {
			return err
		}
		c.Reader, c.whole = z, true
		c.close = append(c.close, func() error { z.Close(); return nil })
	}
	return nil
}

// cutError says that a file ended or broke in the middle.
func cutError(e Entry, err error) error {
	var known *core.Error
	if errors.As(err, &known) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &core.Error{Kind: core.KindData, Op: "read", Try: "the whole lines before the cut are kept; the rest is read once the file is complete",
			Err: fmt.Errorf("%s: the file is cut off", e.Name)}
	}
	var disk *fs.PathError
	if errors.As(err, &disk) {
		return localError("read", e.Name, err)
	}
	return &core.Error{Kind: core.KindData, Op: "read", Err: fmt.Errorf("%s: %w", e.Name, err)}
}
