package file

import (
	"context"

	"github.com/unsilo/unsilo/core"
)

// Connector is the connector "file".
func Connector() core.Connector { return connector{} }

type connector struct{}

// The formats.
const (
	formatCSV, formatJSONL, formatParquet      = "csv", "jsonl", "parquet"
	formatAccess, formatCDR, formatQueue       = "access_log", "asterisk_cdr", "asterisk_queue_log"
	formatLines                                = "lines"
	defaultSettle                              = "1m"
	accessCombined, accessCommon, accessPrefix = "combined", "common", "$"
)

func (connector) Spec() core.Spec {
	return core.Spec{
		Name: "file", Family: "file", Version: "0.1.0",
		Summary: "CSV, JSON lines, Parquet, access logs, Asterisk call records, plain lines",
		Doc:     specDoc,
		Fields: []core.Field{
			{Name: "timezone", Type: core.TypeString, Default: "UTC", Help: "zone of times that name none, such as Europe/Helsinki"},
			{Name: "headers", Type: core.TypeMap, Help: "HTTP request headers for paths that are URLs"},
			{Name: "token", Type: core.TypeString, Secret: true, Help: "bearer token for paths that are URLs"},
		},
		StreamFields: []core.Field{
			{Name: "path", Type: core.TypeString, Path: true, Help: "file or pattern: * and ? within a name, ** over folders, {a,b} for a choice; or a URL"},
			{Name: "paths", Type: core.TypeStrings, Path: true, Help: "several of them"},
			{Name: "format", Type: core.TypeString, Enum: []string{formatCSV, formatJSONL, formatParquet, formatAccess, formatCDR, formatQueue, formatLines},
				Help: "what the files are; told by the ending of the path if left out"},
			{Name: "compression", Type: core.TypeString, Default: packAuto, Enum: []string{packAuto, packNone, packGzip, packZstd},
				Help: "auto looks at the first bytes"},
			{Name: "charset", Type: core.TypeString, Default: charsetUTF8, Enum: []string{charsetUTF8, charsetLatin1, charsetWindows}, Help: "character set of text"},
			{Name: "delimiter", Type: core.TypeString, Help: `between the fields of a CSV; "," if left out, "\t" for tabs`},
			{Name: "header", Type: core.TypeBool, Default: true, Help: "whether a CSV begins with the names of its columns"},
			{Name: "column_names", Type: core.TypeStrings, Help: "names of the columns of a CSV without a header"},
			{Name: "null_values", Type: core.TypeStrings, Help: `texts that stand for null in a CSV, such as "NULL"; an empty field is always null`},
			{Name: "types", Type: core.TypeMap, Help: "types of columns: bool, int64, float64, string, date, timestamp, decimal(12,2), and times with their layout as in \"date %d.%m.%Y\"; others are inferred"},
			{Name: "timezone", Type: core.TypeString, Help: "zone of times that name none, for this stream"},
			{Name: "pattern", Type: core.TypeString, Help: `layout of an access log: combined (default), common, or nginx's log_format such as '$remote_addr [$time_local] "$request" $status'`},
			{Name: "settle", Type: core.TypeDuration, Default: defaultSettle, Help: "how long a file must be left alone before its last line counts without a line end"},
		},
		Dynamic: true, TestedAgainst: "real server",
	}
}

const specDoc = `
Each stream block names files by ` + "`path`" + `. A run reads what is new: files that were not there before,
and what was added to those that were. A file is known by its identity and content, so a log that is
renamed, compressed or copied and truncated by a rotation is not read twice; let the pattern match
the rotated names too (` + "`access.log*`" + `).

Rows without ` + "`primary_key`" + ` get the columns ` + "`_file`" + ` and ` + "`_line`" + `, which are their key. A line that has
no end yet waits until the file was left alone for ` + "`settle`" + `. A file that disappears takes no rows
away; one whose earlier content was changed is read again from its beginning, under a new ` + "`_file`" + `
unless a primary key is declared.
`

func (connector) Open(_ context.Context, cfg core.Config) (core.Source, error) {
	src := &source{}
	for _, sc := range cfg.Streams {
		st, err := newStream(cfg, sc)
		if err != nil {
			return nil, inStream(err, sc.Name)
		}
		src.streams = append(src.streams, st)
	}
	return src, nil
}
