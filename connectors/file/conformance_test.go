package file_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/unsilo/unsilo/connectors/file"
	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestConformance(t *testing.T) {
	dir := t.TempDir()
	var csv, logs, jsonl, queue strings.Builder
	csv.WriteString("id,name,amount\n")
	for i := range 2500 {
		fmt.Fprintf(&csv, "%d,n%d,%d.5\n", i, i, i)
		fmt.Fprintf(&logs, "192.0.2.%d - - [25/Oct/2026:03:30:%02d +0300] \"GET /%d HTTP/1.1\" 200 5 \"-\" \"ua\"\n", i%250, i%60, i)
		fmt.Fprintf(&jsonl, "{\"id\": %d, \"tags\": [\"a\"]}\n", i)
		fmt.Fprintf(&queue, "%d|%d|q|NONE|ENTERQUEUE||+3584012%05d\n", 1793000000+i, i, i)
	}
	write(t, dir, "a/one.csv", csv.String())
	write(t, dir, "access.log", logs.String()+"garbage\n")
	write(t, dir, "access.log.1.gz", string(gz(t, "192.0.2.1 - - [25/Oct/2026:03:30:00 +0300] \"GET /old HTTP/1.1\" 200 5 \"-\" \"ua\"\n")))
	events := write(t, dir, "events.jsonl", jsonl.String())
	write(t, dir, "queue_log", queue.String())
	writeParquet(t, filepath.Join(dir, "p.parquet"), 1, 2, 3, 4, 5)
	stream := func(name, path, format string, key ...string) core.StreamConfig {
		return core.StreamConfig{Name: name, PrimaryKey: key, Values: map[string]any{"path": filepath.Join(dir, path), "format": format}}
	}
	streams := []core.StreamConfig{
		stream("csv", "**/*.csv", "csv"), stream("keyed", "a/*.csv", "csv", "id"), stream("access", "access.log*", "access_log"),
		stream("jsonl", "*.jsonl", "jsonl"), stream("queue", "queue_log", "asterisk_queue_log"), stream("parquet", "*.parquet", "parquet"),
		stream("lines", "queue_log", "lines"),
	}
	coretest.TestConnector(t, coretest.ConnectorCase{
		Connector: file.Connector(),
		Config:    core.Config{Source: "logs", Dir: dir, Values: map[string]any{"timezone": "UTC", "token": "a-very-secret-token"}, Streams: streams},
		BadConfigs: []core.Config{
			{Streams: []core.StreamConfig{{Name: "x", Values: map[string]any{}}}},
			{Streams: []core.StreamConfig{{Name: "x", Values: map[string]any{"path": "x.unknown"}}}},
			{Streams: []core.StreamConfig{{Name: "x", Values: map[string]any{"path": "x", "format": "access_log", "pattern": "$a$b"}}}},
			{Streams: []core.StreamConfig{{Name: "x", Values: map[string]any{"path": "x.csv", "timezone": "Mars/Olympus"}}}},
			{Streams: []core.StreamConfig{{Name: "x", Values: map[string]any{"path": filepath.Join(dir, "none*.csv")}}}},
		},
		Rows: map[string]int64{"csv": 2500, "keyed": 2500, "access": 2501, "jsonl": 2500, "queue": 2500, "parquet": 5, "lines": 2500},
		Mutate: func(context.Context) error {
			grow(t, events, "{\"id\": -1, \"more\": 1.5}\n")
			rename(t, filepath.Join(dir, "access.log"), filepath.Join(dir, "access.log.2"))
			write(t, dir, "access.log", logs.String()[:500])
			write(t, dir, "b/two.csv", "id,name,amount\n90000,x,1\n")
			writeParquet(t, filepath.Join(dir, "q.parquet"), 6)
			return nil
		},
	})
}
