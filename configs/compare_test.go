package configs_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/mask"
)

// null is how comparisons write that there is no value; values begin with a tilde, so that
// none of them is it, and none looks like a formula to the CSV writer.
const null = "null"

func value(text string) string { return "~" + text }

// valueOr gives null for the empty text, as readers of logs and CSV do.
func valueOr(text string) string {
	if text == "" {
		return null
	}
	return value(text)
}

// wantRows compares two tables whose rows may come in any order.
func wantRows(t *testing.T, name string, columns []string, got, want [][]string) {
	t.Helper()
	count := map[string]int{}
	for _, row := range want {
		count[strings.Join(row, "\x1f")]++
	}
	var extra []string
	for _, row := range got {
		line := strings.Join(row, "\x1f")
		if count[line]--; count[line] < 0 {
			extra = append(extra, line)
		}
	}
	var missing []string
	for line, n := range count {
		for ; n > 0; n-- {
			missing = append(missing, line)
		}
	}
	if len(want) == 0 {
		t.Errorf("%s: there is nothing to compare with", name)
	}
	if len(extra)+len(missing) == 0 {
		t.Logf("%s: %d rows are the same", name, len(want))
		return
	}
	slices.Sort(extra)
	slices.Sort(missing)
	t.Errorf("%s: got %d rows, want %d; columns %v\nlanded only (%d):\n  %s\nat the source only (%d):\n  %s", name, len(got), len(want), columns,
		len(extra), firstLines(extra), len(missing), firstLines(missing))
}

func firstLines(lines []string) string {
	lines = lines[:min(4, len(lines))]
	return strings.ReplaceAll(strings.Join(lines, "\n  "), "\x1f", " | ")
}

// landed reads the columns of a table in the warehouse as comparisons write them. The table
// must have these columns, in any order, and no others.
func (p program) landed(t *testing.T, project string, env []string, table string, cols []column) [][]string {
	t.Helper()
	have, _ := p.query(t, project, env, "SELECT * FROM "+table+" LIMIT 0")
	var want, exprs []string
	for _, c := range cols {
		want = append(want, c.name)
		exprs = append(exprs, "coalesce('~' || "+c.lake()+", '"+null+"') AS "+c.name)
	}
	slices.Sort(have)
	sorted := slices.Clone(want)
	slices.Sort(sorted)
	if !slices.Equal(have, sorted) {
		t.Errorf("%s: got columns %v, want %v", table, have, sorted)
	}
	_, rows := p.query(t, project, env, "SELECT "+strings.Join(exprs, ", ")+" FROM "+table)
	return rows
}

// A column of a comparison: how its values are written as text, and which mask they land
// under. hidden is a meaning for hmac, "redact", or nothing.
type column struct{ name, kind, hidden string }

// parseColumns reads "id int, email text person.email, note text redact".
func parseColumns(spec string) []column {
	var out []column
	for part := range strings.SplitSeq(spec, ",") {
		f := strings.Fields(part)
		c := column{name: f[0], kind: f[1]}
		if len(f) > 2 {
			c.hidden = f[2]
		}
		out = append(out, c)
	}
	return out
}

// lake is the SQL of the column's text in the warehouse.
func (c column) lake() string {
	switch {
	case c.hidden != "" || c.kind == "text" || c.kind == "blank":
		return c.name
	case c.kind == "epoch":
		return "CAST(CAST(epoch(" + c.name + ") AS BIGINT) AS VARCHAR)"
	case c.kind == "money":
		return "CAST(CAST(" + c.name + " AS DECIMAL(18, 2)) AS VARCHAR)"
	case c.kind == "instant" || c.kind == "second":
		return "CAST(epoch_us(" + c.name + ") AS VARCHAR)"
	case c.kind == "bytes":
		return "hex(" + c.name + ")"
	case c.kind == "list":
		return "'[' || array_to_string([coalesce(x, 'NULL') FOR x IN " + c.name + "], ', ') || ']'"
	case c.kind == "float":
		return "CAST(CAST(" + c.name + " * 1000000 AS BIGINT) AS VARCHAR)"
	}
	return "CAST(" + c.name + " AS VARCHAR)"
}

// direct is the SQL of the same text on a server.
func (c column) direct(dialect string) string {
	mysql := dialect == "mysql"
	switch {
	case c.kind == "text":
		return c.name
	case c.kind == "instant" && mysql:
		return "CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', " + c.name + ") AS CHAR)"
	case c.kind == "instant":
		return "CAST(CAST(extract(epoch FROM " + c.name + ") * 1000000 AS bigint) AS text)"
	case c.kind == "bool" && mysql:
		return "CASE WHEN " + c.name + " THEN 'true' WHEN NOT " + c.name + " THEN 'false' END"
	case c.kind == "bytes" && mysql:
		return "hex(" + c.name + ")"
	case c.kind == "list":
		return "'[' || array_to_string(" + c.name + ", ', ', 'NULL') || ']'"
	case c.kind == "float" && mysql:
		return "CAST(CAST(" + c.name + " * 1000000 AS SIGNED) AS CHAR)"
	case c.kind == "float":
		return "CAST(CAST(" + c.name + " * 1000000 AS bigint) AS text)"
	case mysql:
		return "CAST(" + c.name + " AS CHAR)"
	}
	return "CAST(" + c.name + " AS text)"
}

// masks writes values as they should land under a mask.
type masks struct {
	key   []byte
	known map[string]string
}

func newMasks(key string) *masks { return &masks{key: []byte(key), known: map[string]string{}} }

// landed gives the text that lands for the text at the source.
func (m *masks) landed(t *testing.T, c column, text string) string {
	t.Helper()
	switch c.hidden {
	case "":
		return text
	case mask.Redact:
		return "[redacted]"
	}
	id := c.hidden + "\x1f" + text
	if token, ok := m.known[id]; ok {
		return token
	}
	m.known[id] = m.token(t, core.Means(c.hidden), text)
	return m.known[id]
}

// token masks one value with the mask transform itself, which reads the value's meaning.
func (m *masks) token(t *testing.T, means core.Means, text string) string {
	t.Helper()
	tr, err := mask.New(mask.Options{Columns: map[string]string{"v": mask.HMAC}, Key: m.key, DefaultRegion: "FI"})
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator,
		arrow.NewSchema([]arrow.Field{core.WithMeans(arrow.Field{Name: "v", Type: arrow.BinaryTypes.String}, means)}, nil))
	defer b.Release()
	b.Field(0).(*array.StringBuilder).Append(text)
	in := b.NewRecordBatch()
	defer in.Release()
	out, err := tr.Apply(context.Background(), in)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Release()
	return strings.Clone(out.Column(0).ValueStr(0))
}

// plainToken is a token worked out without the program's own code, of a value that is in
// its normal form already.
func plainToken(key, normal string) string {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write([]byte(normal)) // a hash never fails
	return "p1_" + strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(mac.Sum(nil)[:16]))
}
