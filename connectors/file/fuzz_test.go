package file

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

// decodeAll decodes a text in one go, and checks what every decoder owes: as many line
// numbers as rows, numbers in order, text in UTF-8, a position inside the text.
func decodeAll(t *testing.T, f format, text []byte, batchRows int) (rows, rejected int64) {
	t.Helper()
	in := input{reader: bytes.NewReader(text), name: "f", final: true}
	d, err := f.decoder(t.Context(), in, &session{batchRows: batchRows})
	if err != nil {
		return 0, 0
	}
	defer d.close()
	last, done := int64(0), error(nil)
	for done == nil {
		var c chunk
		c, done = d.next()
		if c.rows != nil {
			rows += c.rows.NumRows()
			if int64(len(c.lines)) != c.rows.NumRows() {
				t.Errorf("%d line numbers for %d rows", len(c.lines), c.rows.NumRows())
			}
			for _, n := range c.lines {
				if n <= last {
					t.Errorf("line %d comes after line %d", n, last)
				}
				last = n
			}
			validText(t, c.rows)
		}
		if c.rejects != nil {
			rejected += c.rejects.NumRows()
			validText(t, c.rejects)
		}
		if c.offset < 0 || c.offset > int64(len(text)) || c.before > c.offset {
			t.Errorf("positions %d and %d in a text of %d bytes", c.before, c.offset, len(text))
		}
		c.release()
	}
	if !errors.Is(done, io.EOF) && core.KindOf(done) == core.KindInternal {
		t.Errorf("decoding ended with %v", done)
	}
	return rows, rejected
}

func validText(t *testing.T, batch arrow.RecordBatch) {
	t.Helper()
	for _, col := range batch.Columns() {
		texts, ok := col.(*array.String)
		for i := 0; ok && i < texts.Len(); i++ {
			if !utf8.ValidString(texts.Value(i)) || strings.Contains(texts.Value(i), "\x00") {
				t.Errorf("text %q", texts.Value(i))
			}
		}
	}
}

// FuzzAccessLog parses arbitrary lines with arbitrary layouts. Every line that is not blank
// becomes a row or a reject.
func FuzzAccessLog(f *testing.F) {
	f.Add(layoutCombined, []byte(`192.0.2.1 - - [25/Oct/2026:03:30:00 +0300] "GET /a HTTP/1.1" 200 512 "-" "Mozilla"`+"\n"))
	f.Add(layoutCombined, []byte(`192.0.2.1 - - [25/Oct/2026:03:30:00 +0300] "\x22\\" 200 - "-" "\"`+"\n\n\xff\n"))
	f.Add(`$remote_addr [$msec] "$cookie_uid" ${request_time}x`, []byte("1.1.1.1 [1793000000.123] \"a\\x22b\" 0.5x\r\n"))
	f.Add(`a$b c`, []byte("a c\naxy c"))
	f.Fuzz(func(t *testing.T, layout string, text []byte) {
		log, fields, err := parseLayout(layout)
		if err != nil {
			return
		}
		rows, rejected := decodeAll(t, lineFormat{fields: fields, parser: log.parser}, text, 2)
		if want := filledLines(text); rows+rejected != want {
			t.Errorf("%d rows and %d rejects of %d lines", rows, rejected, want)
		}
	})
}

func filledLines(text []byte) int64 {
	n := int64(0)
	for line := range bytes.SplitSeq(text, []byte{'\n'}) {
		if len(bytes.TrimSpace(line)) > 0 {
			n++
		}
	}
	return n
}

func FuzzQueueLog(f *testing.F) {
	f.Add([]byte("1793000000|179.1|support|NONE|ENTERQUEUE||+358401234567|1\n1|2|3|4|5|6|7|8|9|10|11\n"))
	f.Add([]byte("99999999999999|a|b|c|d\n1.5|||||\n\xff|||||x\n1793000000.1234567|a|b|c|E|1"))
	f.Fuzz(func(t *testing.T, text []byte) {
		rows, rejected := decodeAll(t, newQueueLog(), text, 2)
		if want := filledLines(text); rows+rejected != want {
			t.Errorf("%d rows and %d rejects of %d lines", rows, rejected, want)
		}
	})
}

func FuzzCallRecords(f *testing.F) {
	f.Add([]byte(`"","040","700","c","""M"" <+358>","a","b","Q","x","2026-10-25 02:59:59","","2026-10-25 03:10:00",601,590,"ANSWERED","DOC","179.1",""` + "\n"))
	f.Add([]byte("\"\n\",,,,,,,,,,,,,,,\n\n,,,,,,,,,,,,,,,,,\n\xff"))
	zone := time.FixedZone("x", 7200)
	f.Fuzz(func(t *testing.T, text []byte) { decodeAll(t, newCDR(zone), text, 2) })
}

// FuzzState decodes arbitrary positions; those it takes must survive being written again.
func FuzzState(f *testing.F) {
	l, err := newLedger([]*known{{ID: "a@1", Name: "a", Ident: "x.y", Size: 7, ModTime: time.Unix(1, 2), Offset: 7, Line: 1, Print: fingerprint{7, "h", "s", "t"}}, {}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte(l.state()))
	f.Add([]byte(`{"v":1,"files":[["a"]]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		files, err := parseState(data)
		if err != nil {
			if core.KindOf(err) != core.KindData {
				t.Errorf("error of kind %q", core.KindOf(err))
			}
			return
		}
		l, err := newLedger(files)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseState(l.state())
		if err != nil || len(again) != len(files) {
			t.Fatalf("read back: %d of %d files, error %v", len(again), len(files), err)
		}
		for i := range files {
			if *again[i] != *files[i] {
				t.Errorf("got %+v, want %+v", *again[i], *files[i])
			}
		}
	})
}

// FuzzBraces expands arbitrary patterns without end.
func FuzzBraces(f *testing.F) {
	f.Add("a{b,c{d,e}}f")
	f.Add("{{{{,},},},}")
	f.Fuzz(func(t *testing.T, pattern string) {
		if n := strings.Count(pattern, "{"); n > 12 {
			return
		}
		if got := braces(pattern); len(got) == 0 || len(got) > maxChoices {
			t.Errorf("%d choices", len(got))
		}
	})
}
