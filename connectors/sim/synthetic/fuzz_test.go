package synthetic_test

import (
	"context"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/synthetic"
	"github.com/unsilo/unsilo/core"
)

// A position of whatever text gives rows or an error, and soon.
func FuzzPosition(f *testing.F) {
	for _, text := range []string{
		`{"updated_at":"2026-01-01T08:00:00.000012Z","day":0,"part":1,"id":12,"deletes_through":0}`, `{}`, `null`, `[`,
		`{"day":-1}`, `{"day":3,"part":2,"id":9223372036854775807}`, `{"updated_at":"0001-01-01T00:00:00Z","id":5}`,
	} {
		f.Add(text, int64(0))
		f.Add(text, int64(time.Hour))
	}
	src, err := synthetic.New().Open(context.Background(), config(map[string]any{"rows": int64(200), "day": int64(4), "deletes": "flag"}))
	if err != nil {
		f.Fatal(err)
	}
	streams, err := src.Streams(context.Background())
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string, lookback int64) {
		stream, rows := streams[0], int64(0)
		stream.Cursor.Lookback = time.Duration(lookback)
		err := src.Read(context.Background(), core.ReadRequest{Stream: stream, After: core.State(text)}, func(b core.Batch) error {
			rows += b.Rows.NumRows()
			return nil
		})
		if err != nil && core.KindOf(err) != core.KindInternal {
			t.Errorf("%q: %v", text, err)
		}
		if rows > 204 {
			t.Errorf("%q: %d rows of a stream of 204", text, rows)
		}
	})
}
