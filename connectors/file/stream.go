package file

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/unsilo/unsilo/core"
)

// A stream is one stream block, checked.
type stream struct {
	name       string
	patterns   []string
	opener     opener
	format     format
	formatName string
	// whole files are read from the beginning whenever they change.
	whole  bool
	key    []string
	means  map[string]core.Means
	settle time.Duration
}

// keyed reports whether rows have a key of their own.
func (st *stream) keyed() bool { return len(st.key) > 0 }

// list gives the files of all patterns, each once, under whatever names it can be reached;
// a link gives way to the file itself. With an error of KindPermission it gives those that
// can be seen.
func (st *stream) list(ctx context.Context) ([]Entry, error) {
	var out []Entry
	var fault error
	at := map[string]int{}
	root, several := commonRoot(st.patterns)
	for _, p := range st.patterns {
		entries, err := st.opener.fs.List(ctx, p)
		if err != nil && core.KindOf(err) != core.KindPermission {
			return nil, err
		}
		if fault == nil {
			fault = err
		}
		for _, e := range entries {
			if several {
				e.Name = relativeTo(root, e.Path)
			}
			same := e.Ident
			if same == "" {
				same = e.Path
			}
			i, known := at[same]
			switch {
			case !known:
				at[same] = len(out)
				out = append(out, e)
			case out[i].Link && !e.Link:
				out[i] = e
			}
		}
	}
	return out, fault
}

// visible drops the error of a list that is not empty.
func visible(entries []Entry, err error) error {
	if len(entries) > 0 && core.KindOf(err) == core.KindPermission {
		return nil
	}
	return err
}

// newStream checks a stream block.
func newStream(cfg core.Config, sc core.StreamConfig) (*stream, error) {
	st := &stream{name: sc.Name, patterns: sc.Strings("paths"), key: sc.PrimaryKey, means: sc.Means}
	if p := sc.String("path"); p != "" {
		st.patterns = append([]string{p}, st.patterns...)
	}
	if len(st.patterns) == 0 {
		return nil, st.fault("path", "name a file or a pattern", errors.New("the stream has no path"))
	}
	fs, err := st.fileSystem(cfg)
	if err != nil {
		return nil, err
	}
	st.opener = opener{fs: fs, compression: textOr(sc, "compression", packAuto), charset: textOr(sc, "charset", charsetUTF8)}
	if st.formatName = sc.String("format"); st.formatName == "" {
		st.formatName = formatOf(st.patterns[0])
	}
	zone, err := st.zone(cfg, sc)
	if err != nil {
		return nil, err
	}
	if st.settle, err = sc.Duration("settle"); err != nil {
		return nil, err
	}
	if _, set := sc.Values["settle"]; !set {
		st.settle = time.Minute
	}
	return st, st.chooseFormat(sc, zone)
}

// formatOf tells the format by a name's ending; "" is unknown.
func formatOf(pattern string) string {
	if isURL(pattern) {
		pattern, _, _ = strings.Cut(pattern, "?")
	}
	name := strings.ToLower(packedSuffix.ReplaceAllString(pattern, ""))
	switch path.Ext(name) {
	case ".csv", ".tsv":
		return formatCSV
	case ".jsonl", ".ndjson":
		return formatJSONL
	case ".parquet":
		return formatParquet
	}
	return ""
}

func (st *stream) chooseFormat(sc core.StreamConfig, zone *time.Location) error {
	var err error
	switch st.formatName {
	case formatCSV, formatJSONL:
		st.format, err = newText(st, sc, zone)
	case formatParquet:
		st.whole = true
		st.opener.charset = charsetUTF8
		st.format = parquetFormat{fs: st.opener.fs}
	case formatAccess:
		st.format, err = newAccessLog(st, sc)
	case formatCDR:
		st.format = newCDR(zone)
	case formatQueue:
		st.format = newQueueLog()
	case formatLines:
		st.format = newLines()
	case "":
		err = st.fault("format", "set format", errors.New("the ending of the path does not tell the format"))
	default:
		err = st.fault("format", "choose one of csv, jsonl, parquet, access_log, asterisk_cdr, asterisk_queue_log, lines",
			fmt.Errorf("there is no format %q", st.formatName))
	}
	return err
}

// fileSystem chooses where the paths lead.
func (st *stream) fileSystem(cfg core.Config) (FileSystem, error) {
	remote := slices.ContainsFunc(st.patterns, isURL)
	if remote && !allURLs(st.patterns) {
		return nil, st.fault("paths", "put them into two streams", errors.New("files and URLs are mixed"))
	}
	if remote {
		return newWeb(cfg)
	}
	return local{}, nil
}

func isURL(p string) bool {
	return strings.HasPrefix(p, "http://") || strings.HasPrefix(p, "https://")
}

func allURLs(patterns []string) bool {
	return !slices.ContainsFunc(patterns, func(p string) bool { return !isURL(p) })
}

func (st *stream) zone(cfg core.Config, sc core.StreamConfig) (*time.Location, error) {
	name, field := sc.String("timezone"), "stream."+sc.Name+".timezone"
	if name == "" {
		name, field = cfg.String("timezone"), "timezone"
	}
	zone, err := time.LoadLocation(name) // "" is UTC
	if err != nil {
		return nil, &core.Error{Kind: core.KindConfig, Op: "open", Path: field, Try: "write a name such as Europe/Helsinki",
			Err: fmt.Errorf("%q is not a time zone", name)}
	}
	return zone, nil
}

// fault is about an attribute of the stream block.
func (st *stream) fault(attribute, try string, err error) error {
	return &core.Error{Kind: core.KindConfig, Op: "open", Path: "stream." + st.name + "." + attribute, Try: try, Err: err}
}

func textOr(sc core.StreamConfig, name, otherwise string) string {
	if v := sc.String(name); v != "" {
		return v
	}
	return otherwise
}
