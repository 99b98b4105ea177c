package sim

import (
	"strconv"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/files"
	"github.com/unsilo/unsilo/connectors/sim/world"
)

// Table is a stream as it should stand in a warehouse now: the oracle of a test.
type Table struct {
	// Columns name the values; how a value is written (text, number, time) depends on the
	// dialect that shows it.
	Columns []string
	// Key names the columns that identify a row; empty for logs without a key.
	Key []string
	// Rows hold string, int64, bool, time.Time (UTC) or nil. Money is text, 12.34.
	Rows [][]any
	// Archived are the keys of records that a CRM has put away: they are not in Rows.
	Archived []string
}

// StreamName says which stream of which source.
type StreamName struct{ Source, Stream string }

// Streams lists all that Expected knows.
func Streams() []StreamName {
	return []StreamName{
		{"crm", "contacts"}, {"crm", "companies"}, {"crm", "deals"}, {"crm", "tickets"}, {"crm", "owners"},
		{"erp", "customers"}, {"erp", "orders"}, {"erp", "invoices"}, {"erp", "payments"},
		{"support", "users"}, {"support", "tickets"}, {"social", "accounts"}, {"social", "statuses"},
		{"surveys", "answers"}, {"ads", "campaigns"}, {"ads", "spend"}, {"web", "access"}, {"calls", "cdr"},
		{"calls", "queue_log"},
	}
}

// Expected gives a stream as it should stand in a warehouse now, deletes done.
func (c *Company) Expected(source, stream string) (*Table, error) {
	var t *Table
	var err error
	c.world.Read(func(s *world.State) { t, err = expected(s, source, stream) })
	return t, err
}

func expected(s *world.State, source, stream string) (*Table, error) {
	switch source + "." + stream {
	case "crm.owners":
		return ownersTable(), nil
	case "ads.campaigns":
		return campaignsTable(s), nil
	case "ads.spend":
		return spendTable(s), nil
	case "web.access":
		return accessTable(s), nil
	case "calls.cdr":
		t := &Table{Columns: files.CDRColumns()}
		for _, i := range s.EndedCalls(time.Time{}, s.Now) {
			for _, fields := range files.CDR(s, i) {
				t.Rows = append(t.Rows, boxed(fields))
			}
		}
		return t, nil
	case "calls.queue_log":
		t := &Table{Columns: []string{"time", "callid", "queue", "agent", "event", "data1", "data2", "data3", "data4", "data5"}}
		for _, fields := range files.QueueLog(s, time.Time{}, s.Now) {
			row := boxed(fields)
			for len(row) < len(t.Columns) {
				row = append(row, nil)
			}
			t.Rows = append(t.Rows, row)
		}
		return t, nil
	}
	sheet, err := s.Sheet(source, stream)
	if err != nil {
		return nil, err
	}
	return sheetTable(sheet), nil
}

func sheetTable(sheet *world.Sheet) *Table {
	t := &Table{Key: []string{sheet.Columns[0].Name}}
	for _, c := range sheet.Columns {
		t.Columns = append(t.Columns, c.Name)
	}
	for i := range sheet.Len {
		switch {
		case !sheet.Live(i):
		case !sheet.Archived(i).IsZero():
			t.Archived = append(t.Archived, sheet.Key(i))
		default:
			t.Rows = append(t.Rows, sheet.Row(i))
		}
	}
	return t
}

func ownersTable() *Table {
	t := &Table{Columns: []string{"id", "email", "firstName", "lastName"}, Key: []string{"id"}}
	for _, o := range world.Owners() {
		t.Rows = append(t.Rows, []any{strconv.FormatInt(o.ID, 10), o.Email, o.First, o.Last})
	}
	return t
}

func campaignsTable(s *world.State) *Table {
	t := &Table{Columns: []string{"campaign_id", "name", "channel", "code"}, Key: []string{"campaign_id"}}
	for _, c := range s.Campaigns {
		t.Rows = append(t.Rows, []any{c.ID, c.Name, c.Channel, c.Code})
	}
	return t
}

func spendTable(s *world.State) *Table {
	t := &Table{
		Columns: []string{"campaign_id", "date", "impressions", "clicks", "conversions", "cost", "currency", "updated_at"},
		Key:     []string{"campaign_id", "date"},
	}
	for _, r := range s.SpendRows(0, int(s.Now.Sub(s.Options.Start)/(24*time.Hour))) {
		t.Rows = append(t.Rows, []any{s.Campaigns[r.Campaign].ID, r.Date, int64(r.Impressions), int64(r.Clicks),
			int64(r.Conversions), world.Money(int64(r.Cents)), "EUR", time.UnixMilli(r.Updated).UTC()})
	}
	return t
}

func accessTable(s *world.State) *Table {
	t := &Table{
		Columns: []string{"remote_addr", "time", "method", "path", "status", "bytes", "user_agent", "vid", "request_id"},
		Key:     []string{"request_id"},
	}
	for i := range s.HitsUntil(s.Now) {
		h := &s.Hits[i]
		method, path, status, bytes := s.Line(h)
		t.Rows = append(t.Rows, []any{files.Address(int(h.Cookie)), time.UnixMilli(h.At).UTC(), method, path,
			int64(status), int64(bytes), files.Agent(s.Cookies[h.Cookie].Agent), s.Cookies[h.Cookie].ID, s.RequestID(i)})
	}
	return t
}

func boxed(fields []string) []any {
	row := make([]any, len(fields))
	for i, f := range fields {
		row[i] = f
	}
	return row
}
