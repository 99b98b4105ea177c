package sql

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/unsilo/unsilo/core"
)

// mysqlGrammar writes the SQL of MySQL and MariaDB.
type mysqlGrammar struct {
	zone *time.Location
}

func (mysqlGrammar) quote(name string) string {
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

func (g mysqlGrammar) selected(c column) string {
	switch c.form {
	case formText, mysqlYear:
		return "CAST(" + g.quote(c.name) + " AS CHAR)"
	}
	return g.quote(c.name)
}

// value passes positions with the type of the column, for a number compared with a text is
// compared as a float.
func (g mysqlGrammar) value(st *statement, c column, position string) string {
	switch c.form {
	case mysqlInt, mysqlBool, mysqlYear:
		if v, err := strconv.ParseInt(position, 10, 64); err == nil {
			return st.arg(v)
		}
	case mysqlUint:
		if v, err := strconv.ParseUint(position, 10, 64); err == nil {
			return "CAST(" + st.arg(strconv.FormatUint(v, 10)) + " AS UNSIGNED)"
		}
	case mysqlBit:
		if v, err := strconv.ParseUint(position, 2, 64); err == nil {
			return "CAST(" + st.arg(strconv.FormatUint(v, 10)) + " AS UNSIGNED)"
		}
	case mysqlFloat, mysqlDouble:
		if v, err := strconv.ParseFloat(position, 64); err == nil {
			return st.arg(v)
		}
	case mysqlDecimal:
		return "CAST(" + st.arg(position) + " AS DECIMAL(65,30))"
	case mysqlBytes:
		if v, err := hex.DecodeString(position); err == nil {
			return st.arg(v)
		}
	case mysqlDate:
		return "CAST(" + st.arg(position) + " AS DATE)"
	case mysqlDatetime, mysqlTimestamp:
		return "CAST(" + st.arg(position) + " AS DATETIME(6))"
	}
	return st.arg(position)
}

func (g mysqlGrammar) since(st *statement, c column, expr, position string, lookback time.Duration) string {
	v := g.value(st, c, position)
	switch {
	case lookback <= 0 || c.clock == clockNone:
	case c.clock == clockDate:
		v = fmt.Sprintf("(%s - INTERVAL %d DAY)", v, (lookback+24*time.Hour-1)/(24*time.Hour))
	default:
		v = fmt.Sprintf("(%s - INTERVAL %d MICROSECOND)", v, lookback.Microseconds())
	}
	return expr + " >= " + v
}

func (g mysqlGrammar) bound(st *statement, c column, expr, op string, at time.Time) string {
	zone := g.zone
	if c.clock == clockUTC {
		zone = time.UTC // the session's zone
	}
	if c.clock == clockDate && op == ">=" {
		return expr + " >= CAST(" + st.arg(at.In(zone).Format("2006-01-02")) + " AS DATE)" // the whole day
	}
	return expr + " " + op + " CAST(" + st.arg(at.In(zone).Format("2006-01-02 15:04:05.000000")) + " AS DATETIME(6))"
}

func (g mysqlGrammar) shard(key []column, part core.Shard) string {
	if len(key) == 0 {
		return fmt.Sprintf("%d = 0", part.Index)
	}
	return fmt.Sprintf("CRC32(CONCAT_WS('|', %s)) %% %d = %d", strings.Join(names(g, key), ", "), part.Count, part.Index)
}
