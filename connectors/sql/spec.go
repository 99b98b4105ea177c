package sql

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/unsilo/unsilo/core"
)

const version = "0.1.0"

// Connectors lists the connectors of this package: postgres, mysql, sqlite.
func Connectors() []core.Connector {
	return []core.Connector{connector{postgres{}}, connector{mysql{}}, connector{sqlite{}}}
}

// formText is the form of a column that is read as the server's text for it.
const formText = "astext"

// asText makes the named columns text, whatever their type.
func asText(columns []column, names []string) []column {
	if len(names) == 0 {
		return columns
	}
	out := slices.Clone(columns)
	for i := range out {
		if slices.Contains(names, out[i].name) {
			out[i].form, out[i].arrow = formText, arrow.BinaryTypes.String
		}
	}
	return out
}

// streamFields are the attributes of a stream block of every dialect.
func streamFields() []core.Field {
	return []core.Field{
		{Name: "table", Type: core.TypeString, Help: `the table or view, as "table" or "schema.table"; the stream's name if left out`},
		{Name: "query", Type: core.TypeString, Help: "a SELECT to read instead of a table"},
		{Name: "where", Type: core.TypeString, Help: "a condition that rows must meet, in the server's SQL"},
		{Name: "as_text", Type: core.TypeStrings, Help: "columns to read as the server's text for their values"},
		{Name: "cursor_fallback", Type: core.TypeString,
			Help: "column that stands in where the cursor is null; without it, rows with a null cursor are read in the first full read only"},
	}
}

// serverFields are the attributes that both network servers have.
func serverFields(urlHelp string) []core.Field {
	return []core.Field{
		{Name: "url", Type: core.TypeString, Required: true, Secret: true, Help: urlHelp},
		{Name: "user", Type: core.TypeString, Help: "user name, if it is not in the url"},
		{Name: "password", Type: core.TypeString, Secret: true, Help: "password, if it is not in the url"},
		{Name: "schemas", Type: core.TypeStrings, Help: "schemas whose tables are offered without a stream block; all if left out"},
		timezoneField(),
		{Name: "max_connections", Type: core.TypeInt, Default: int64(4), Help: "connections open at once, at most"},
		{Name: "connect_timeout", Type: core.TypeDuration, Default: "10s", Help: "how long to wait for a connection"},
		{Name: "statement_timeout", Type: core.TypeDuration, Help: "how long one statement may run on the server; no limit if left out"},
	}
}

func timezoneField() core.Field {
	return core.Field{Name: "timezone", Type: core.TypeString, Default: "UTC",
		Help: "zone of date and time columns without a zone, such as Europe/Helsinki; used to compare them with moments, their values are kept as they are"}
}

const readingDoc = `
Every table and view is a stream: ` + "`invoice`" + ` in the default schema, ` + "`sales_invoice`" + ` in others.
A stream block may name a ` + "`table`" + ` or a ` + "`query`" + ` and narrow it with ` + "`where`" + `.

Reads are one statement in one read-only transaction. With ` + "`cursor`" + ` set, the first read goes by
primary key through one snapshot; later reads take rows whose cursor is at or after the highest value
seen, in the order of cursor and key, so rows that share a value with the last one are read again and
merged. A transaction that commits late with an earlier cursor value is only found inside
` + "`lookback`" + `. Rows whose cursor is null are read in the first full read only, unless
` + "`cursor_fallback`" + ` names a column that stands in. Key columns must not be null.
`
