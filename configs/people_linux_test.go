package configs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// planted is a person of the company whom the test also gives an account in the shop, a
// login on the web and a call, and who must be found to be one in all five.
type planted struct {
	person, number                          string
	given, family, email, phone, born, city string
	// The records.
	crm, erp, shop, cookie, call string
}

func (p planted) records() []string {
	return []string{"crm.contacts:" + p.crm, "erp.customers:" + p.erp, "shop.customers:" + p.shop, "marts.web_visitors:" + p.cookie, "marts.callers:" + p.call}
}

// table is one of the company's own, by key.
func (s *stage) table(t *testing.T, source, stream string) (keys []string, rows map[string]map[string]string) {
	t.Helper()
	all, err := s.company.Expected(source, stream)
	must(t, err)
	rows = map[string]map[string]string{}
	for _, r := range all.Rows {
		row := map[string]string{}
		for i, name := range all.Columns {
			if r[i] != nil {
				row[name] = fmt.Sprint(r[i])
			}
		}
		keys = append(keys, row[all.Key[0]])
		rows[row[all.Key[0]]] = row
	}
	return keys, rows
}

const plantedPeople = 8

// choose finds people of whom CRM and ERP hold one good record each, and who are nobody's
// twin, namesake or flatmate.
func (s *stage) choose(t *testing.T) []planted {
	t.Helper()
	contacts, byContact := s.table(t, "crm", "contacts")
	customers, byCustomer := s.table(t, "erp", "customers")
	count, numbers := map[string]int{}, map[string]int{}
	crmOf := map[string]string{}
	for _, key := range contacts {
		who := s.truth["crm.contacts:"+key]
		count[who.person]++
		crmOf[who.person] = key
		numbers[byContact[key]["phone"]]++
	}
	for _, key := range customers {
		count[s.truth["erp.customers:"+key].person]++
		numbers[byCustomer[key]["phone"]]++
	}
	var out []planted
	for _, key := range customers {
		who, row := s.truth["erp.customers:"+key], byCustomer[key]
		crm := crmOf[who.person]
		contact := byContact[crm]
		good := who.packs == "" && crm != "" && s.truth["crm.contacts:"+crm].packs == "" && count[who.person] == 2 &&
			row["email"] != "" && strings.EqualFold(row["email"], contact["email"]) && strings.HasPrefix(row["phone"], "+358") &&
			numbers[row["phone"]] <= 2 && row["given_name"] != "" && row["birth_date"] != "" && len(out) < plantedPeople
		if !good {
			continue
		}
		n := len(out)
		out = append(out, planted{
			person: who.person, number: row["customer_no"], given: row["given_name"], family: row["family_name"],
			email: strings.ToLower(row["email"]), phone: row["phone"], born: row["birth_date"], city: row["city"],
			crm: crm, erp: key, shop: fmt.Sprint(5001 + n), cookie: fmt.Sprintf("c0ffee%02d", n), call: fmt.Sprintf("1777000000.%d", n),
		})
	}
	if len(out) < plantedPeople {
		t.Fatalf("the company has %d people who can be planted, want %d", len(out), plantedPeople)
	}
	return out
}

// fillShop gives every third customer of the ERP an account, with the ways people have of
// writing addresses and numbers. Every seventeenth has closed it again.
func (s *stage) fillShop(t *testing.T) {
	t.Helper()
	customers, rows := s.table(t, "erp", "customers")
	taken := map[string]bool{}
	for _, p := range s.people {
		taken[p.erp] = true
	}
	id := 0
	for i, key := range customers {
		r := rows[key]
		if i%3 > 0 || r["given_name"] == "" || taken[key] {
			continue
		}
		id++
		email, number, closed := any(orNil(r["email"])), any(nil), any(nil)
		if id%2 == 0 {
			email, number = orNil(strings.ToUpper(r["email"])), r["customer_no"]
		}
		if id%17 == 0 {
			closed = "2026-04-02 10:00:00.5"
		} else {
			s.truth["shop.customers:"+fmt.Sprint(id)] = s.truth["erp.customers:"+key]
		}
		s.shop.exec(t, insertAccount, id, number, email, orNil(national(r["phone"])), r["given_name"], r["family_name"], orNil(r["birth_date"]),
			orNil(r["postcode"]), orNil(r["city"]), id%4 == 0, float64(id%50)/10, `{"theme": "dark", "size": `+fmt.Sprint(id)+`}`,
			time.Date(2026, 4, 1, 0, id, 0, id*1000, time.UTC), closed)
	}
}

const insertAccount = `INSERT INTO customers (id, erp_number, email, phone, first_name, last_name, birth_date, postcode, city, newsletter, rating, preferences, updated_at, deleted_at)
	VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

func orNil(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// national writes a Finnish number as Finns do.
func national(phone string) string {
	if rest, ok := strings.CutPrefix(phone, "+358"); ok && len(rest) > 5 {
		return "0" + rest[:2] + " " + rest[2:5] + " " + rest[5:]
	}
	return phone
}

// The family that must not become one: father and son of one name, address, telephone and
// mailbox. The sales people of one company share a mailbox too.
const (
	father, son         = "900001", "900002"
	sonsAccount         = "6001"
	firstDesk, secDesk  = "6002", "6003"
	sharedCookie        = "5ha2ed"
	familyMail, hisDesk = "perhe.kivela@kotiposti.example", "sales@kalustetalo.example"
	familyPhone         = "+358 9 5550 0177"
)

// plant gives the planted people their other records and adds those who only look alike.
func (s *stage) plant(t *testing.T) {
	t.Helper()
	calls := ""
	for i, p := range s.people {
		s.shop.exec(t, insertAccount, p.shop, nil, " "+strings.ToUpper(p.email), national(p.phone), p.given, p.family, p.born, nil, p.city,
			true, 4.5, nil, time.Date(2026, 4, 2, 0, i, 0, 0, time.UTC), nil)
		calls += cdrLine(p.phone, p.family+" "+p.given, p.call, time.Date(2026, 4, 20, 9, i, 0, 0, time.UTC))
		s.truth["shop.customers:"+p.shop] = someone{person: p.person}
		s.truth["calls.cdr:"+p.call] = someone{person: p.person}
	}
	for i, born := range []string{"1950-02-03", "1978-05-06"} {
		s.erp.exec(t, `INSERT INTO customers (id, customer_no, kind, name, given_name, family_name, email, phone, birth_date, street, postcode, city, country, create_date, write_date)
			VALUES ($1, $5, 'person', 'Matti Kivelä', 'Matti', 'Kivelä', $2, $3, $4::date, 'Kotikatu 1 A', '33100', 'Tampere', 'FI', '2026-01-01', '2026-04-01 12:00:00+00')`,
			900001+i, familyMail, familyPhone, born, fmt.Sprintf("K-%d", 900001+i))
	}
	account := func(id, email, phone, given, family, born string) {
		s.shop.exec(t, insertAccount, id, nil, email, orNil(phone), given, family, born, nil, nil, false, 3, nil, time.Date(2026, 4, 3, 0, 0, 0, 0, time.UTC), nil)
	}
	account(sonsAccount, familyMail, familyPhone, "Matti", "Kivelä", "1978-05-06")
	account(firstDesk, hisDesk, "", "Liisa", "Ahonen", "1988-01-01")
	account(secDesk, hisDesk, "", "Olavi", "Mäkinen", "1969-07-20")
	calls += cdrLine("anonymous", "", "1777000001.1", time.Date(2026, 4, 21, 9, 0, 0, 0, time.UTC))
	calls += cdrLine("anonymous", "", "1777000001.2", time.Date(2026, 4, 21, 10, 0, 0, 0, time.UTC))
	s.appendCall(t, "cdr-csv/Master.csv", calls)
}

// cdrLine is a call as Asterisk writes it down.
func cdrLine(number, name, id string, at time.Time) string {
	stamp := func(after time.Duration) string { return at.Add(after).Format(time.DateTime) }
	return fmt.Sprintf(`"","%s","800","from-trunk","""%s"" <%s>","PJSIP/trunk-1","PJSIP/agent1-1","Queue","help,t,,,900","%s","%s","%s",95,80,"ANSWERED","DOCUMENTATION","%s",""`+"\n",
		number, name, number, stamp(0), stamp(15*time.Second), stamp(95*time.Second), id)
}

func (s *stage) appendCall(t *testing.T, name, text string) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(s.calls, name), os.O_APPEND|os.O_WRONLY|os.O_CREATE, 0o644)
	must(t, err)
	_, err = f.WriteString(text)
	must(t, err)
	must(t, f.Close())
}

// browse visits the shop: strangers, the planted people who log in, and two of them who
// share a browser.
func (s *stage) browse(t *testing.T) {
	t.Helper()
	for i := range 120 {
		s.web.visit(t, visit{method: "GET", path: fmt.Sprintf("/products/%d?q=caf%%C3%%A9+%d", i%40, i), cookie: fmt.Sprintf("57a4%03d", i%50)})
	}
	for _, p := range s.people {
		s.web.visit(t, visit{method: "GET", path: "/?utm_campaign=spring", cookie: p.cookie, referer: "https://search.example/?q=lamp"})
		s.web.visit(t, visit{method: "POST", path: "/account/login?customer=" + p.number, cookie: p.cookie})
		s.web.visit(t, visit{method: "POST", path: "/checkout/pay?value=12.34", cookie: p.cookie})
	}
	for _, p := range s.people[:2] {
		s.web.visit(t, visit{method: "POST", path: "/account/login?customer=" + p.number, cookie: sharedCookie})
	}
	s.web.visit(t, visit{method: "GET", path: "/old"})
	s.web.visit(t, visit{method: "HEAD", path: "/products/1", referer: `https://x.example/"quoted"\and\x41` + "/\xe9\xc3\xa9"})
	s.web.babble(t)
	s.web.settle(t)
}
