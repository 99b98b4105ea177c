package files

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/world"
)

// CallLog is a folder as Asterisk keeps it: cdr-csv/Master.csv with one call detail
// record a line (18 columns, no header), and queue_log with the events of the queues.
// Both are appended to. Times are UTC.
type CallLog struct {
	Dir string
}

// Write brings the folder from the time from up to the state's present. A zero from
// writes all of it.
func (l CallLog) Write(state *world.State, from time.Time) error {
	if err := os.MkdirAll(filepath.Join(l.Dir, "cdr-csv"), 0o755); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	fresh := from.IsZero()
	if fresh {
		from = state.Options.Start.Add(-time.Millisecond)
	}
	var cdr []byte
	for _, i := range state.EndedCalls(from, state.Now) {
		for _, fields := range CDR(state, i) {
			cdr = appendCSV(cdr, fields)
		}
	}
	if err := appendFile(filepath.Join(l.Dir, "cdr-csv", "Master.csv"), cdr, fresh); err != nil {
		return fmt.Errorf("write call records: %w", err)
	}
	var events []byte
	for _, e := range QueueLog(state, from, state.Now) {
		events = append(append(events, strings.Join(e, "|")...), '\n')
	}
	if err := appendFile(filepath.Join(l.Dir, "queue_log"), events, fresh); err != nil {
		return fmt.Errorf("write queue log: %w", err)
	}
	return nil
}

// CDRColumns names the columns of a call detail record.
func CDRColumns() []string {
	return []string{"accountcode", "src", "dst", "dcontext", "clid", "channel", "dstchannel", "lastapp", "lastdata",
		"start", "answer", "end", "duration", "billsec", "disposition", "amaflags", "uniqueid", "userfield"}
}

// CDR gives the records of a call: one, or a second one for the leg after a transfer.
func CDR(state *world.State, i int) [][]string {
	c := &state.Calls[i]
	queue := world.Queues()[c.Queue]
	start, talked := time.UnixMilli(c.Start).UTC(), time.UnixMilli(c.Start+int64(c.Wait)*1000).UTC()
	end := time.UnixMilli(c.End()).UTC()
	disposition, answered, agent := "ANSWERED", stamp(talked), channel(c.Agent, i)
	if c.Abandoned {
		disposition, answered, agent = "NO ANSWER", "", ""
	}
	first := []string{"", c.Number, extension(c.Queue), "from-trunk", callerID(c), "PJSIP/trunk-" + hex8(i), agent, "Queue",
		queue + ",t,,,900", stamp(start), answered, stamp(end), strconv.Itoa(c.Wait + c.Talk), strconv.Itoa(c.Talk),
		disposition, "DOCUMENTATION", state.CallID(i), ""}
	if !c.Transferred {
		return [][]string{first}
	}
	half := c.Talk / 2
	middle := stamp(talked.Add(time.Duration(half) * time.Second))
	first[11], first[12], first[13] = middle, strconv.Itoa(c.Wait+half), strconv.Itoa(half)
	second := slices.Clone(first)
	second[2], second[6] = "back-office", channel((c.Agent+5)%12, i)
	second[7], second[8], second[9], second[10], second[11] = "Dial", "PJSIP/back-office", middle, middle, stamp(end)
	second[12], second[13] = strconv.Itoa(c.Talk-half), strconv.Itoa(c.Talk-half)
	return [][]string{first, second}
}

// QueueLog gives the events after from and not after to, in order of time, as the fields
// between the bars of a line.
func QueueLog(state *world.State, from, to time.Time) [][]string {
	type event struct {
		at     int64
		fields []string
	}
	var events []event
	a, b := from.UnixMilli(), to.UnixMilli()
	add := func(at int64, fields ...string) {
		if at > a && at <= b {
			events = append(events, event{at, append([]string{strconv.FormatInt(at/1000, 10)}, fields...)})
		}
	}
	for i := range state.Calls {
		c := &state.Calls[i]
		if c.End() <= a || c.Start > b {
			continue
		}
		id, queue, who := state.CallID(i), world.Queues()[c.Queue], "PJSIP/agent"+strconv.Itoa(c.Agent+1)
		wait, talk := strconv.Itoa(c.Wait), strconv.Itoa(c.Talk)
		picked := c.Start + int64(c.Wait)*1000
		add(c.Start, id, queue, "NONE", "ENTERQUEUE", "", c.Number, "1")
		switch {
		case c.Abandoned:
			add(picked, id, queue, "NONE", "ABANDON", "1", "1", wait)
			continue
		case c.Transferred:
			add(picked, id, queue, who, "CONNECT", wait, id+"1", "3")
			add(picked+int64(c.Talk/2)*1000, id, queue, who, "BLINDTRANSFER", "back-office", "internal", wait, strconv.Itoa(c.Talk/2), "1")
		default:
			add(picked, id, queue, who, "CONNECT", wait, id+"1", "3")
			add(c.End(), id, queue, who, "COMPLETECALLER", wait, talk, "1")
		}
	}
	slices.SortStableFunc(events, func(x, y event) int { return cmp.Compare(x.at, y.at) })
	lines := make([][]string, len(events))
	for i, e := range events {
		lines[i] = e.fields
	}
	return lines
}

func stamp(t time.Time) string { return t.Format(time.DateTime) }

func extension(queue int) string { return strconv.Itoa(800 + queue) }

func channel(agent, call int) string {
	return "PJSIP/agent" + strconv.Itoa(agent+1) + "-" + hex8(call)
}

func hex8(n int) string { return fmt.Sprintf("%08x", n) }

func callerID(c *world.Call) string {
	if c.Name == "" {
		return c.Number
	}
	return `"` + c.Name + `" <` + c.Number + ">"
}

// appendCSV writes a record as Asterisk does: text in quotes, the two numbers without.
func appendCSV(b []byte, fields []string) []byte {
	for i, f := range fields {
		if i > 0 {
			b = append(b, ',')
		}
		if i == 12 || i == 13 {
			b = append(b, f...)
			continue
		}
		b = append(b, '"')
		b = append(b, strings.ReplaceAll(f, `"`, `""`)...)
		b = append(b, '"')
	}
	return append(b, '\n')
}
