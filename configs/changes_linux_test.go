package configs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// change moves every silo on: two days pass in the company, and rows come, change and go
// in the tables and files that are the test's own.
func (s *stage) change(t *testing.T) (moves, baskets done) {
	t.Helper()
	from := s.company.Now()
	changes := s.company.Advance(48 * time.Hour)
	must(t, s.company.ApplyERP(t.Context(), s.erp.DB, "postgres", changes))
	s.rotateCalls(t, from)
	s.web.rotate(t)
	s.browse(t)
	s.web.rotate(t)
	s.web.visit(t, visit{method: "GET", path: "/after/two/rotations", cookie: "57a4000"})
	s.web.settle(t)
	s.changeAccounts(t)
	return s.changeMoves(t), s.changeBaskets(t)
}

// rotateCalls rotates Asterisk's files in two ways while the calls go on: the queue log is
// renamed, the call records are copied and cut to nothing.
func (s *stage) rotateCalls(t *testing.T, from time.Time) {
	t.Helper()
	queue, cdr := filepath.Join(s.calls, "queue_log"), filepath.Join(s.calls, "cdr-csv", "Master.csv")
	must(t, os.Rename(queue, queue+".1"))
	text, err := os.ReadFile(cdr)
	must(t, err)
	must(t, os.WriteFile(cdr+"-20260429", text, 0o644))
	must(t, os.Truncate(cdr, 0))
	must(t, s.company.WriteFiles(filepath.Dir(s.calls), from))
	p := s.people[0]
	s.appendCall(t, "cdr-csv/Master.csv", cdrLine(p.phone, p.family+" "+p.given, p.call+"7", time.Date(2026, 4, 28, 9, 0, 0, 0, time.UTC)))
	s.appendCall(t, "queue_log", badEvent+"\n")
}

// badEvent is a line that is no event, with a number that must stay out of the warehouse.
const badEvent = "somebody called from +358 40 555 0199 and said"

func (s *stage) changeMoves(t *testing.T) done {
	t.Helper()
	// Five minutes before the last move of the first run: a transaction that was late.
	s.erp.exec(t, `INSERT INTO logistics.stock_moves (warehouse, move_no, sku, moved_at)
		SELECT 'late', 1, 'SKU-late', max(moved_at) - interval '5 minutes' FROM logistics.stock_moves`)
	s.erp.exec(t, insertMoves(startMoves+1, startMoves+moreMoves))
	s.erp.exec(t, `UPDATE logistics.stock_moves SET quantity = quantity + 0.125, tags = tags || 'counted'::text, picked = NULL, moved_at = '2026-03-20 08:00:00+02'
		WHERE move_no BETWEEN 1001 AND 1500`)
	s.erp.exec(t, `DELETE FROM logistics.stock_moves WHERE move_no BETWEEN 20001 AND 20700`)
	return done{inserted: moreMoves + 1, changed: 500, deleted: 700}
}

func (s *stage) changeBaskets(t *testing.T) done {
	t.Helper()
	s.shop.exec(t, insertBaskets(startBaskets+1, startBaskets+500))
	s.shop.exec(t, `UPDATE baskets SET state = 'ordered', total = total + 1.01, items = NULL, updated_at = '2026-03-09 10:00:00.000001' WHERE id BETWEEN 12001 AND 12300`)
	s.shop.exec(t, `DELETE FROM baskets WHERE id BETWEEN 9001 AND 9400`)
	return done{inserted: 500, changed: 300, deleted: 400}
}

func (s *stage) changeAccounts(t *testing.T) {
	t.Helper()
	s.shop.exec(t, `UPDATE customers SET email = concat('new.', lower(email)), city = NULL, updated_at = '2026-04-05 08:00:00' WHERE id IN (3, 4, 5) AND email IS NOT NULL`)
	s.shop.exec(t, `UPDATE customers SET deleted_at = '2026-04-05 09:00:00', updated_at = '2026-04-05 09:00:00' WHERE id IN (7, 8, 9)`)
	s.shop.exec(t, `UPDATE customers SET deleted_at = NULL, updated_at = '2026-04-05 09:30:00' WHERE id = 17`)
	for i := range 4 {
		s.shop.exec(t, insertAccount, 7001+i, nil, fmt.Sprintf("new.customer%d@kotiposti.example", i), nil, "Uusi", "Asiakas", nil, nil, nil, true, nil, nil,
			time.Date(2026, 4, 5, 10, i, 0, 0, time.UTC), nil)
	}
	for _, id := range []string{"7", "8", "9"} {
		delete(s.truth, "shop.customers:"+id)
	}
}
