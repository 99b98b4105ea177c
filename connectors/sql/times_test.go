package sql

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParsePlainAgreesWithTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMicro(rapid.Int64Range(-62135596800_000_000, 253402300799_999_999).Draw(t, "micros")).UTC()
		layout := rapid.SampledFrom([]string{"2006-01-02", "2006-01-02 15:04:05", "2006-01-02 15:04:05.000", "2006-01-02 15:04:05.000000"}).Draw(t, "layout")
		text := at.Format(layout)
		want, err := time.Parse(layout, text)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := parsePlain([]byte(text)); !ok || got != want.UnixMicro() {
			t.Errorf("%s: got %d, want %d", text, got, want.UnixMicro())
		}
	})
	for _, bad := range []string{"", "2026-02-29", "2026-13-01", "2026-00-01", "2026-01-32", "2026-1-1", "2026-01-01T00:00:00", "2026-01-01 24:00:00", "2026-01-01 00:00:00.", "2026-01-01 00:00:00.1234567"} {
		if _, ok := parsePlain([]byte(bad)); ok {
			t.Errorf("%q was taken for a time", bad)
		}
	}
}
