package file

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/connectors/rows"
	"github.com/unsilo/unsilo/core"
)

// cdrColumns are the fields of Asterisk's Master.csv, in order. The last five are there
// only if the server is told so.
func cdrColumns() []string {
	return []string{"accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata",
		"start", "answer", "end", "duration", "billsec", "disposition", "amaflags",
		"uniqueid", "userfield", "linkedid", "peeraccount", "sequence"}
}

// cdrLeast is the number of fields that every record has.
const cdrLeast = 16

// newCDR is the format of Asterisk's call detail records. Its times are the server's local
// ones.
func newCDR(zone *time.Location) format {
	f := &textFormat{csv: true, options: rows.CSVOptions{Comma: ','}, zone: zone, derive: splitCallerID, names: cdrNames}
	for _, name := range cdrColumns() {
		c := rows.Column{Field: arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}}
		switch name {
		case "start", "answer", "end":
			c.Field.Type = arrow.FixedWidthTypes.Timestamp_us
			c.Zone = zone
		case "duration", "billsec", "sequence":
			c.Field.Type = arrow.PrimitiveTypes.Int64
		}
		c.Field = core.WithMeans(c.Field, meansOfCDR(name))
		f.declared = append(f.declared, c)
	}
	return f
}

func meansOfCDR(name string) core.Means {
	switch name {
	case "src", "dst":
		return core.PersonPhone
	case "clid", "lastdata", "channel", "dstchannel", "userfield":
		return core.TextFree
	case "start":
		return core.EventTime
	case "disposition":
		return core.EventType
	}
	return core.NotPersonal
}

// cdrNames names the fields of a file by how many there are.
func cdrNames(first []byte) ([]string, error) {
	n, all := countFields(first, ','), cdrColumns()
	if len(first) == 0 {
		return all[:18], nil
	}
	if n < cdrLeast || n > len(all) {
		return nil, &core.Error{Kind: core.KindData, Op: "read call records", Try: "check that these are Asterisk's CSV call records",
			Err: fmt.Errorf("the first record has %d fields, not %d to %d", n, cdrLeast, len(all))}
	}
	return all[:n], nil
}

// splitCallerID adds caller_name and caller_number, which clid holds as "Name" <number>.
func splitCallerID(batch arrow.RecordBatch) arrow.RecordBatch {
	defer batch.Release()
	fields := []arrow.Field{
		core.WithMeans(arrow.Field{Name: "caller_name", Type: arrow.BinaryTypes.String, Nullable: true}, core.PersonNameFull),
		core.WithMeans(arrow.Field{Name: "caller_number", Type: arrow.BinaryTypes.String, Nullable: true}, core.PersonPhone),
	}
	names, numbers := array.NewStringBuilder(memory.DefaultAllocator), array.NewStringBuilder(memory.DefaultAllocator)
	defer names.Release()
	defer numbers.Release()
	var clids *array.String
	if at := batch.Schema().FieldIndices("clid"); len(at) == 1 {
		clids, _ = batch.Column(at[0]).(*array.String)
	}
	for i := range int(batch.NumRows()) {
		name, number := "", ""
		if clids != nil && !clids.IsNull(i) {
			name, number = callerID(clids.Value(i))
		}
		appendOrNull(names, name)
		appendOrNull(numbers, number)
	}
	a, b := names.NewArray(), numbers.NewArray()
	defer a.Release()
	defer b.Release()
	schema := arrow.NewSchema(append(batch.Schema().Fields(), fields...), nil)
	return array.NewRecordBatch(schema, append(batch.Columns(), a, b), batch.NumRows())
}

// callerID splits "Name" <number>. A text without brackets is a number if it is nothing
// but one.
func callerID(clid string) (name, number string) {
	clid = strings.TrimSpace(clid)
	if open := strings.LastIndexByte(clid, '<'); open >= 0 && strings.HasSuffix(clid, ">") {
		name, number = strings.TrimSpace(clid[:open]), strings.TrimSpace(clid[open+1:len(clid)-1])
	} else if strings.Trim(clid, "+0123456789") == "" {
		number = clid
	} else {
		name = clid
	}
	if len(name) >= 2 && name[0] == '"' && name[len(name)-1] == '"' {
		name = strings.ReplaceAll(name[1:len(name)-1], `\"`, `"`)
	}
	return strings.TrimSpace(name), number
}

func appendOrNull(b *array.StringBuilder, s string) {
	if s == "" {
		b.AppendNull()
		return
	}
	b.Append(s)
}

// queueData is how many values an event may carry.
const queueData = 5

// newQueueLog is the format of Asterisk's queue_log: epoch|callid|queue|agent|event|data...
func newQueueLog() format {
	text := func(name string, m core.Means) arrow.Field {
		return core.WithMeans(arrow.Field{Name: name, Type: arrow.BinaryTypes.String, Nullable: true}, m)
	}
	fields := []arrow.Field{
		core.WithMeans(arrow.Field{Name: "time", Type: arrow.FixedWidthTypes.Timestamp_us, Nullable: true}, core.EventTime),
		text("callid", core.NotPersonal), text("queue", core.NotPersonal), text("agent", core.PersonID("asterisk_agent")), text("event", core.EventType),
	}
	for n := range queueData {
		fields = append(fields, text("data"+strconv.Itoa(n+1), core.TextFree)) // ENTERQUEUE carries the caller's number
	}
	return lineFormat{fields: fields, parser: queueParser}
}

// queueParser appends the fields of an event. Fields beyond the last known one stay in it.
func queueParser(b *array.RecordBuilder) func([]byte) string {
	at := b.Field(0).(*array.TimestampBuilder)
	texts := make([]*array.StringBuilder, 4+queueData)
	for i := range texts {
		texts[i] = b.Field(i + 1).(*array.StringBuilder)
	}
	return func(line []byte) string {
		if !utf8.Valid(line) || bytes.IndexByte(line, 0) >= 0 {
			return reasonUTF8
		}
		values := bytes.SplitN(line, []byte{'|'}, 5+queueData)
		if len(values) < 5 {
			return fmt.Sprintf("%d fields where there should be 5 or more", len(values))
		}
		micros, ok := epochMicros(string(values[0]))
		if !ok {
			return "the time is not in seconds since 1970"
		}
		if len(values[4]) == 0 {
			return "there is no event"
		}
		at.Append(arrow.Timestamp(micros))
		for i, text := range texts {
			switch {
			case i+1 >= len(values) || len(values[i+1]) == 0 || string(values[i+1]) == "NONE" && i < 3:
				text.AppendNull()
			default:
				text.BinaryBuilder.Append(values[i+1])
			}
		}
		return ""
	}
}

// epochMicros reads seconds since 1970, with or without a fraction.
func epochMicros(s string) (int64, bool) {
	whole, fraction, _ := strings.Cut(s, ".")
	seconds, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || seconds < 0 || seconds > maxSeconds || strings.Trim(fraction, "0123456789") != "" {
		return 0, false
	}
	micros := int64(0)
	for i := range 6 {
		micros *= 10
		if i < len(fraction) {
			micros += int64(fraction[i] - '0')
		}
	}
	return seconds*1_000_000 + micros, true
}
