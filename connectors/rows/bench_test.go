package rows_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/unsilo/unsilo/connectors/rows"
)

const benchRows = 20000

// contacts makes JSON lines like those of a CRM; with open, close and separator also one
// document.
func contacts(open, separator, end string) []byte {
	var buf bytes.Buffer
	buf.WriteString(open)
	for i := range benchRows {
		if i > 0 {
			buf.WriteString(separator)
		}
		fmt.Fprintf(&buf, `{"id":%d,"email":"person%d@example.org","given":"Maija","family":"Meikäläinen","phone":"+35840%07d",`+
			`"amount":%d.%02d,"open":%t,"updated_at":"2026-01-%02dT%02d:%02d:00.123Z","tags":["a","b"],"note":null}`,
			1000000000+i, i, i, i%1000, i%100, i%2 == 0, 1+i%28, i%24, i%60)
	}
	buf.WriteString(end)
	return buf.Bytes()
}

func drain(b *testing.B, r rows.Reader, builder *rows.Builder) {
	for {
		err := r.Next(builder)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.Fatal(err)
		}
		if builder.Full() {
			builder.Take().Release()
		}
	}
	if batch := builder.Take(); batch != nil {
		batch.Release()
	}
	if builder.Rejected() > 0 {
		b.Fatal("rejects")
	}
}

func BenchmarkJSON(b *testing.B) {
	text := contacts(`{"results":[`, ",", `]}`)
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	builder, err := rows.NewBuilder(rows.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		drain(b, rows.NewJSONReader(bytes.NewReader(text), []string{"results"}, rows.Limits{}), builder)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

func BenchmarkJSONL(b *testing.B) {
	text := contacts("", "\n", "\n")
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	builder, err := rows.NewBuilder(rows.Options{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		drain(b, rows.NewJSONLReader(bytes.NewReader(text), rows.Limits{}), builder)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

func BenchmarkCSV(b *testing.B) {
	var buf bytes.Buffer
	buf.WriteString("id,email,given,family,phone,amount,open,updated_at,note\n")
	for i := range benchRows {
		fmt.Fprintf(&buf, "%d,person%d@example.org,Maija,\"Meikäläinen, M\",+35840%07d,%d.%02d,%t,2026-01-%02dT%02d:%02d:00.123Z,\n",
			1000000000+i, i, i, i%1000, i%100, i%2 == 0, 1+i%28, i%24, i%60)
	}
	text := buf.Bytes()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	builder, err := rows.NewBuilder(rows.Options{Untyped: true})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		drain(b, rows.NewCSVReader(bytes.NewReader(text), rows.CSVOptions{}), builder)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

// BenchmarkUnmarshal is the yardstick: the same text into maps.
func BenchmarkUnmarshal(b *testing.B) {
	text := contacts(`{"results":[`, ",", `]}`)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		var doc map[string]any
		if err := json.Unmarshal(text, &doc); err != nil {
			b.Fatal(err)
		}
	}
}
