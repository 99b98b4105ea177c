package file_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/unsilo/unsilo/core"
)

// BenchmarkFormats reads files of 200,000 records.
func BenchmarkFormats(b *testing.B) {
	const records = 200_000
	for format, line := range map[string]func(i int) string{
		"access_log": func(i int) string {
			return fmt.Sprintf(`192.0.2.%d - - [25/Oct/2026:03:%02d:%02d +0300] "GET /shop/item/%d?ref=mail HTTP/1.1" 200 %d "https://www.example.com/" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`, i%250, i/60%60, i%60, i, i%9000)
		},
		"asterisk_queue_log": func(i int) string {
			return fmt.Sprintf("%d|%d.7|support|NONE|ENTERQUEUE||+3584012%05d|1", 1793000000+i, i, i)
		},
		"asterisk_cdr": func(i int) string {
			return fmt.Sprintf(`"","040%07d","700","from-trunk","""Matti Meikäläinen"" <040%07d>","SIP/t-1","SIP/7-2","Queue","support,t","2026-10-25 02:59:59","2026-10-25 03:00:05","2026-10-25 03:10:00",601,590,"ANSWERED","DOCUMENTATION","179.%d",""`, i, i, i)
		},
		"csv":   func(i int) string { return fmt.Sprintf("%d,name %d,%d.25,2026-01-02,true", i, i, i) },
		"lines": func(i int) string { return fmt.Sprintf("a line of the log, number %d", i) },
	} {
		b.Run(format, func(b *testing.B) {
			var text strings.Builder
			for i := range records {
				text.WriteString(line(i) + "\n")
			}
			dir := b.TempDir()
			write(b, dir, "f", text.String())
			src := open(b, map[string]any{"path": filepath.Join(dir, "f"), "format": format, "header": false})
			st := onlyStream(b, src)
			b.SetBytes(int64(text.Len()))
			for b.Loop() {
				rows := int64(0)
				err := src.Read(b.Context(), core.ReadRequest{Stream: st}, func(batch core.Batch) error {
					if batch.Rows != nil && batch.Op == core.OpUpsert {
						rows += batch.Rows.NumRows()
					}
					return nil
				})
				if err != nil || rows != records {
					b.Fatalf("%d rows, error %v", rows, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/row")
		})
	}
}
