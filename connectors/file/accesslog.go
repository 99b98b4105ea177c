package file

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/unsilo/unsilo/core"
)

// The layouts that need no spelling out.
const (
	layoutCommon   = `$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent`
	layoutCombined = layoutCommon + ` "$http_referer" "$http_user_agent"`
)

// A part of a layout is a variable and the literal text after it.
type part struct {
	variable string
	after    string
	// columns is where the variable's builders begin.
	columns int
	form    accessForm
}

// accessForm says how a variable's text is read.
type accessForm uint8

const (
	accessText    accessForm = iota
	accessAddress            // text, a person's address
	accessInt
	accessFloat
	accessLocal   // 10/Oct/2000:13:55:36 -0700
	accessISO     // 2000-10-10T13:55:36-07:00
	accessMsec    // seconds.milliseconds since 1970
	accessRequest // method, path and protocol
)

// An accessLog knows one layout of log lines.
type accessLog struct {
	before string
	parts  []part
}

// newAccessLog reads the layout.
func newAccessLog(st *stream, sc core.StreamConfig) (format, error) {
	layout := sc.String("pattern")
	switch layout {
	case "", "combined":
		layout = layoutCombined
	case "common":
		layout = layoutCommon
	}
	log, fields, err := parseLayout(layout)
	if err != nil {
		return nil, st.fault("pattern", `write it as in nginx: '$remote_addr [$time_local] "$request" $status'`, err)
	}
	return lineFormat{fields: fields, parser: log.parser}, nil
}

// parseLayout splits a layout into variables and literal text.
func parseLayout(layout string) (*accessLog, []arrow.Field, error) {
	log := &accessLog{}
	var fields []arrow.Field
	taken := map[string]bool{}
	before, rest, found := strings.Cut(layout, "$")
	log.before = before
	for found {
		name, tail := variableName(rest)
		if name == "" {
			return nil, nil, fmt.Errorf("a $ without a name after it")
		}
		p := part{variable: name, columns: len(fields), form: formOf(name)}
		p.after, rest, found = strings.Cut(tail, "$")
		if found && p.after == "" {
			return nil, nil, fmt.Errorf("nothing separates $%s from what follows it", name)
		}
		for _, f := range fieldsOf(name, p.form) {
			if taken[f.Name] {
				return nil, nil, fmt.Errorf("$%s gives the column %q, which is there already", name, f.Name)
			}
			taken[f.Name] = true
			fields = append(fields, f)
		}
		log.parts = append(log.parts, p)
	}
	if len(log.parts) == 0 {
		return nil, nil, fmt.Errorf("the pattern has no variables")
	}
	return log, fields, nil
}

// variableName takes name or {name} off the front.
func variableName(s string) (name, rest string) {
	if inner, ok := strings.CutPrefix(s, "{"); ok {
		if name, rest, ok := strings.Cut(inner, "}"); ok && isName(name) {
			return name, rest
		}
		return "", s
	}
	end := 0
	for end < len(s) && isName(s[end:end+1]) {
		end++
	}
	return s[:end], s[end:]
}

func isName(s string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == ""
}

// formOf knows nginx's variables; others are text.
func formOf(variable string) accessForm {
	switch variable {
	case "remote_addr", "realip_remote_addr", "http_x_real_ip", "http_x_forwarded_for", "proxy_protocol_addr":
		return accessAddress
	case "status", "body_bytes_sent", "bytes_sent", "request_length", "connection", "connection_requests",
		"remote_port", "server_port", "content_length":
		return accessInt
	case "request_time":
		return accessFloat
	case "time_local":
		return accessLocal
	case "time_iso8601":
		return accessISO
	case "msec":
		return accessMsec
	case "request":
		return accessRequest
	}
	return accessText
}

// fieldsOf gives the columns of a variable. Nothing in them is ever required: a dash is null.
func fieldsOf(variable string, form accessForm) []arrow.Field {
	field := func(name string, t arrow.DataType, m core.Means) arrow.Field {
		return core.WithMeans(arrow.Field{Name: name, Type: t, Nullable: true}, m)
	}
	text := arrow.BinaryTypes.String
	switch form {
	case accessAddress:
		return []arrow.Field{field(variable, text, core.PersonIP)}
	case accessInt:
		return []arrow.Field{field(variable, arrow.PrimitiveTypes.Int64, core.NotPersonal)}
	case accessFloat:
		return []arrow.Field{field(variable, arrow.PrimitiveTypes.Float64, core.NotPersonal)}
	case accessLocal, accessISO, accessMsec:
		return []arrow.Field{field("time", arrow.FixedWidthTypes.Timestamp_us, core.EventTime)}
	case accessRequest:
		return []arrow.Field{field("method", text, core.NotPersonal), field("path", text, core.TextFree), field("protocol", text, core.NotPersonal)}
	}
	return []arrow.Field{field(variable, text, meansOfVariable(variable))}
}

func meansOfVariable(variable string) core.Means {
	switch {
	case variable == "remote_user":
		return core.PersonID("web")
	case variable == "http_user_agent":
		return core.DeviceUserAgent
	case strings.HasPrefix(variable, "cookie_"), variable == "http_cookie", variable == "uid_got", variable == "uid_set":
		return core.DeviceCookie
	case variable == "http_referer", variable == "args", variable == "query_string", variable == "request_uri", strings.HasPrefix(variable, "arg_"):
		return core.TextFree
	}
	return ""
}

// parser gives the function that appends a line to the builders.
func (log *accessLog) parser(b *array.RecordBuilder) func([]byte) string {
	line := &accessLine{log: log, texts: make([][]byte, len(log.parts)), adders: make([]valueAdder, len(log.parts))}
	for i, p := range log.parts {
		line.adders[i] = newAdder(p, b)
	}
	return line.add
}
