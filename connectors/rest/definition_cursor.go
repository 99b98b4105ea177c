package rest

import (
	"fmt"
	"slices"
	"time"

	"github.com/unsilo/unsilo/connectors/rows"
)

// cursorDef says how a stream is read incrementally.
type cursorDef struct {
	column           string
	format           rows.TimeFormat
	start, step, lag *expr
	lookback         time.Duration
	precision        time.Duration
	order            string
	exclusive        bool
	clientSide       bool
	onMissing        string
	lowerParam       string
	upperParam       string
	token            *expr
	tokenParam       string
}

func (c *compiler) incremental(s *streamDef, b cursorBlock) {
	d := &cursorDef{column: b.Cursor, exclusive: b.Exclusive, clientSide: b.ClientSide, lowerParam: b.LowerParam,
		upperParam: b.UpperParam, tokenParam: b.TokenParam}
	s.cursor = d
	d.start, d.step = c.compile(b.Start, "config", "option"), c.compile(b.Step, "config", "option")
	d.lag = c.compile(b.Lag, "config", "option")
	d.lookback = c.duration(b.Range, "lookback", b.Lookback, 0)
	d.order = c.oneOf(b.Range, "order", b.Order, "none", "asc", "desc")
	d.onMissing = c.oneOf(b.Range, "on_missing", b.OnMissing, "include", "exclude", "fail")
	var err error
	if d.format, err = rows.NewTimeFormat(b.Format, nil); err != nil {
		c.fail(b.Range, "Invalid format", err.Error())
	}
	d.precision = c.duration(b.Range, "precision", b.Precision, max(d.format.Unit(), time.Millisecond))
	if c.oneOf(b.Range, "incremental kind", b.Kind, "datetime", "token") == "token" {
		if d.token = c.compile(b.Token, pageRoots()...); d.token == nil {
			c.fail(b.Range, "token is missing", "Add token = response.body.after_cursor, for example.")
		}
		return
	}
	if d.column == "" {
		c.fail(b.Range, "cursor is missing", `Add cursor = "updated_at", for example.`)
		return
	}
	c.cursorColumn(s, b)
}

// cursorColumn makes sure that the cursor's column is a time.
func (c *compiler) cursorColumn(s *streamDef, b cursorBlock) {
	i := slices.IndexFunc(s.columns, func(col rows.Column) bool { return col.Field.Name == b.Cursor })
	if i < 0 {
		s.columns = append(s.columns, timeColumn(b.Cursor))
		return
	}
	if t := s.columns[i].Field.Type.Name(); t != "timestamp" && t != "date32" {
		c.fail(b.Range, fmt.Sprintf("The cursor %q is not a time", b.Cursor), `Declare it with type = "timestamp".`)
	}
}
