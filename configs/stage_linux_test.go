package configs_test

import (
	"database/sql"
	"fmt"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"

	"github.com/unsilo/unsilo/connectors/sim"
	"github.com/unsilo/unsilo/connectors/sql/sqltest"
)

const (
	privacyKey = "an end-to-end test's key, 32 bytes and more"
	// startMoves and startBaskets make reads long enough to be cut in the middle.
	startMoves, startBaskets = 50_000, 40_000
	moreMoves                = 50_000
)

// A stage is everything that configs/real reads, and the project.
type stage struct {
	program
	project string
	env     []string
	masks   *masks
	// The company's customers, orders and calls stand in the servers and files below; it
	// answers as the CRM itself.
	company *sim.Company
	erp     *database
	shop    *database
	web     *nginx
	calls   string
	// people are those that the test planted, and truth whom every record is about.
	people []planted
	truth  truths
}

// A database is a server, the gate before it, and the test's own way in.
type database struct {
	*sql.DB
	dialect string
	server  *sqltest.Server
	gate    *gate
}

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{masks: newMasks(privacyKey), calls: filepath.Join(t.TempDir(), "silos", "calls")}
	s.web = startNginx(t)
	s.erp = newDatabase(t, "postgres", "pgx", sqltest.Postgres(t))
	s.shop = newDatabase(t, "mysql", "mysql", sqltest.MariaDB(t))
	s.program = testProgram(t)
	s.company = sim.New(sim.Options{Customers: 300, Seed: 11})
	crm := httptest.NewServer(s.company.Handler())
	t.Cleanup(crm.Close)
	s.project = copyProject(t, "real")
	s.env = []string{
		"PRIVACY_KEY=" + privacyKey, "ERP_PASSWORD=" + sqltest.Password, "SHOP_PASSWORD=" + sqltest.Password,
		"CRM_TOKEN=" + s.company.Credentials().CRMToken, "UNSILO_VAR_crm_url=" + crm.URL,
		"UNSILO_VAR_erp_url=postgres://" + s.erp.gate.address() + "/db1?sslmode=disable",
		"UNSILO_VAR_shop_url=mysql://" + s.shop.gate.address() + "/db1?sslmode=disable",
		"UNSILO_VAR_web_logs=" + s.web.log() + "*", "UNSILO_VAR_call_logs=" + s.calls, "UNSILO_VAR_call_timezone=UTC",
	}
	return s
}

func newDatabase(t *testing.T, dialect, driver string, server *sqltest.Server) *database {
	t.Helper()
	name, at := server.Database(t), fmt.Sprintf("127.0.0.1:%d", server.Port)
	dsn := server.URL(name)
	if driver == "mysql" {
		dsn = fmt.Sprintf("%s:%s@tcp(%s)/%s?multiStatements=true&time_zone=%%27%%2B00:00%%27", sqltest.User, sqltest.Password, at, name)
	}
	db, err := sql.Open(driver, dsn)
	must(t, err)
	db.SetMaxIdleConns(0)                // a restart leaves none that is dead
	t.Cleanup(func() { _ = db.Close() }) // its server has ended
	return &database{DB: db, dialect: dialect, server: server, gate: newGate(t, at)}
}

func (d *database) exec(t *testing.T, statement string, args ...any) {
	t.Helper()
	if _, err := d.ExecContext(t.Context(), statement, args...); err != nil {
		t.Fatalf("%v\n%s", err, statement)
	}
}

// restart kills the server in mid-answer once the trap has caught a read, and starts it
// again.
func (d *database) restart(t *testing.T, caught *trap) {
	t.Helper()
	defer close(caught.letGo)
	select {
	case <-caught.sprung:
	case <-time.After(2 * time.Minute):
		t.Error("no read came as far as the trap")
		return
	}
	d.server.Kill(t)
	d.server.Start(t)
}

// sync runs the project. What it tells on stderr is JSON, line by line.
func (s *stage) sync(t *testing.T, wantCode int) (outcome, result) {
	t.Helper()
	o := s.run(t, s.env, "-C", s.project, "run", "-o", "json").wantCode(t, wantCode)
	return o, o.result(t)
}

// syncThrough runs the project while a server is restarted in the middle of a read.
func (s *stage) syncThrough(t *testing.T, d *database, after int64) (outcome, result) {
	t.Helper()
	caught := d.gate.set(after)
	r := s.start(t, s.env, "-C", s.project, "run", "-o", "json")
	d.restart(t, caught)
	o := r.wait(t)
	o.wantNoneLeft(t)
	o.wantCode(t, 0)
	return o, o.result(t)
}

// fill puts the company into the servers and files.
func (s *stage) fill(t *testing.T) {
	t.Helper()
	truthDir := t.TempDir()
	must(t, s.company.WriteTruth(truthDir))
	s.truth = readTruth(t, filepath.Join(truthDir, "truth.parquet"))
	s.people = s.choose(t)
	must(t, s.company.WriteERP(t.Context(), s.erp.DB, "postgres"))
	s.erp.exec(t, createMoves)
	s.erp.exec(t, insertMoves(1, startMoves))
	s.erp.exec(t, oddMoves)
	s.shop.exec(t, createShop)
	s.fillShop(t)
	s.shop.exec(t, insertBaskets(1, startBaskets))
	s.shop.exec(t, oddBaskets)
	must(t, s.company.WriteFiles(filepath.Dir(s.calls), time.Time{}))
	s.plant(t)
	s.browse(t)
}

const createMoves = `CREATE SCHEMA logistics; CREATE TABLE logistics.stock_moves (
	warehouse text NOT NULL, move_no bigint NOT NULL, sku text NOT NULL, quantity numeric(12,3), weight double precision,
	picked boolean, due date, slot time, lot uuid, tags text[], details jsonb, note text, moved_at timestamptz NOT NULL,
	PRIMARY KEY (warehouse, move_no)); CREATE INDEX ON logistics.stock_moves (moved_at)`

const movesColumns = "warehouse text, move_no int, sku text, quantity decimal, weight float, picked bool, due date, slot time, " +
	"lot uuid, tags list, details json, note text, moved_at instant"

// insertMoves makes numbered moves; three at a time share a moment.
func insertMoves(from, to int) string {
	return fmt.Sprintf(`INSERT INTO logistics.stock_moves
		SELECT CASE WHEN i %% 3 = 0 THEN 'Tampere' ELSE 'Oulu' END, i, 'SKU-' || i %% 977, i / 8.0, i * 0.25, i %% 5 = 0,
			date '2026-01-01' + (i %% 200), time '06:00' + (i %% 600) * interval '1 minute', md5(i::text)::uuid,
			ARRAY['rack ' || i %% 40, 'aisle ' || i %% 7], jsonb_build_object('n', i, 'by', 'robot'), 'move number ' || i || ' of the day',
			timestamptz '2026-03-01 00:00:00+02' + (i / 3) * interval '7 seconds'
		FROM generate_series(%d, %d) AS g(i)`, from, to)
}

// oddMoves are values that are easy to lose on the way.
const oddMoves = `INSERT INTO logistics.stock_moves VALUES
	('Äänekoski "A"', 9007199254740993, '', -0.001, 1e-7, NULL, NULL, NULL, NULL, NULL, NULL, E'tab\there, line\nthere', '2026-02-28 23:59:59.999999+00'),
	('Oulu', -1, 'SKU-雪', 999999999.999, 0, false, '1900-01-01', '23:59:59.999999', '00000000-0000-0000-0000-000000000000',
	 ARRAY['', NULL, 'a'], '{"a": [1, null, "ü"]}', '', '2026-03-01 00:00:00.000001+00')`

const createShop = `CREATE TABLE customers (
	id bigint unsigned NOT NULL PRIMARY KEY, erp_number varchar(20), email varchar(200), phone varchar(40), first_name varchar(80),
	last_name varchar(80), birth_date date, postcode varchar(12), city varchar(80), newsletter tinyint(1) NOT NULL, rating decimal(3,2),
	preferences json, created_at timestamp NOT NULL DEFAULT '2026-01-01 00:00:00', updated_at datetime(6) NOT NULL, deleted_at datetime(6) NULL,
	KEY (updated_at)) CHARACTER SET utf8mb4;
CREATE TABLE baskets (
	id bigint unsigned NOT NULL PRIMARY KEY, customer_id bigint unsigned, state enum('open','ordered','left') NOT NULL, total decimal(12,2),
	currency char(3), items json, note varchar(300), weight double, gift tinyint(1), pickup date, slot time, season year, seal binary(4),
	updated_at datetime(6) NOT NULL, KEY (updated_at)) CHARACTER SET utf8mb4`

const (
	shopColumns = "id int, erp_number text, email text person.email, phone text person.phone, first_name text, last_name text, " +
		"birth_date date person.birth_date, postcode text, city text, newsletter bool, rating decimal, preferences text, created_at instant, " +
		"updated_at instant, deleted_at instant"
	basketColumns = "id int, customer_id int, state text, total decimal, currency text, items text, note text redact, weight float, gift bool, " +
		"pickup date, slot time, season int, seal bytes, updated_at instant"
)

// insertBaskets makes numbered baskets, a few thousand on one microsecond.
func insertBaskets(from, to int) string {
	return fmt.Sprintf(`INSERT INTO baskets
		SELECT seq, 1 + seq %% 90, elt(1 + seq %% 3, 'open', 'ordered', 'left'), seq / 7, 'EUR', json_object('sku', seq, 'name', 'thing'),
			concat('please ring twice, basket ', seq), seq * 0.5, seq %% 2, date_add('2026-03-01', INTERVAL seq %% 30 DAY),
			sec_to_time(seq %% 86400), 2020 + seq %% 7, unhex(lpad(hex(seq), 8, '0')),
			date_add('2026-03-01', INTERVAL if(seq BETWEEN 10000 AND 14000, 10000, seq) * 1000001 MICROSECOND)
		FROM seq_%d_to_%d`, from, to)
}

const oddBaskets = `INSERT INTO baskets VALUES
	(18446744073709551615, 9223372036854775808, 'left', -0.01, NULL, NULL, NULL, NULL, NULL, NULL, '-838:59:59', NULL, NULL, '2026-03-01 00:00:00.000001'),
	(0, NULL, 'open', 9999999999.99, '', '{"emoji": "🧺", "n": null}', '', 0, 0, '1000-01-01', '00:00:00', 1901, x'00ff0a27', '2026-03-01')`
