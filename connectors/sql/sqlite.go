package sql

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"

	"golang.org/x/sync/semaphore"
	driversqlite "modernc.org/sqlite"

	"github.com/unsilo/unsilo/core"
)

// sqlite is the dialect of SQLite files.
type sqlite struct{}

func (sqlite) spec() core.Spec {
	return core.Spec{
		Name: "sqlite", Family: "sql", Version: version,
		Summary: "Tables, views and queries of an SQLite file",
		Doc: readingDoc + `
The file is opened read-only. A column takes the type it is declared with; a value of another
type is a rejected row (use ` + "`as_text`" + ` to read such a column as text). DATE, DATETIME and
TIMESTAMP columns may hold ISO text, Julian days, or seconds or milliseconds since 1970. While a
stream is read, programs that write the file wait, unless it is in WAL mode.
`,
		Fields: []core.Field{
			{Name: "path", Type: core.TypeString, Required: true, Path: true, Help: "the database file"},
			timezoneField(),
		},
		StreamFields: streamFields(), Dynamic: true, TestedAgainst: "real server",
	}
}

func (sqlite) open(cfg core.Config) (database, error) {
	zone, err := loadZone(cfg)
	if err != nil {
		return nil, err
	}
	if cfg.String("path") == "" {
		return nil, fault(core.KindConfig, "open", "path", "name the database file", errors.New("path is empty"))
	}
	return &sqliteDB{sqliteGrammar: sqliteGrammar{zone: zone}, path: cfg.String("path"), slots: semaphore.NewWeighted(8)}, nil
}

type sqliteDB struct {
	sqliteGrammar
	path  string
	slots *semaphore.Weighted
}

func (*sqliteDB) close() error { return nil }

func (db *sqliteDB) connect(ctx context.Context) (session, error) {
	if info, err := os.Stat(db.path); errors.Is(err, fs.ErrNotExist) {
		return nil, fault(core.KindConfig, "connect", "path", "check the path; it is relative to the project's folder", errors.New("there is no such file"))
	} else if errors.Is(err, fs.ErrPermission) {
		return nil, fault(core.KindPermission, "connect", "path", "let this user read the file", errors.New("the file may not be read"))
	} else if err != nil {
		return nil, fault(core.KindUnavailable, "connect", "path", "", err)
	} else if info.IsDir() {
		return nil, fault(core.KindConfig, "connect", "path", "name the file inside it", errors.New("the path is a folder"))
	}
	if err := db.slots.Acquire(ctx, 1); err != nil {
		return nil, context.Cause(ctx)
	}
	// newDriver has no state; a URI needs the characters ? and # escaped.
	dsn := (&url.URL{Scheme: "file", Opaque: (&url.URL{Path: db.path}).EscapedPath(),
		RawQuery: "mode=ro&_pragma=busy_timeout(5000)&_pragma=query_only(1)"}).String()
	conn, err := (&driversqlite.Driver{}).Open(dsn)
	if err != nil {
		db.slots.Release(1)
		return nil, db.fail(ctx, "connect", err)
	}
	return &sqliteSession{db: db, driverSession: driverSession{conn: conn, fail: db.fail, release: func() { db.slots.Release(1) }}}, nil
}

// SQLite's result codes that say what to do.
const (
	sqlitePerm, sqliteBusy, sqliteLocked, sqliteIOErr, sqliteCorrupt = 3, 5, 6, 10, 11
	sqliteCantOpen, sqliteSchema, sqliteAuth, sqliteNotADB           = 14, 17, 23, 26
	sqliteError, sqliteReadOnly                                      = 1, 8
)

func (db *sqliteDB) fail(ctx context.Context, op string, err error) error {
	if e, ok := known(ctx, err); ok {
		return e
	}
	var e *driversqlite.Error
	if !errors.As(err, &e) {
		return fault(core.KindInternal, op, "", "", err)
	}
	kind, path, try := core.KindInternal, "", ""
	switch e.Code() & 0xff {
	case sqliteBusy, sqliteLocked, sqliteIOErr, sqliteSchema:
		kind, try = core.KindUnavailable, "another program holds the file; try again when it is done"
	case sqliteCantOpen:
		kind, path, try = core.KindUnavailable, "path", "check that the file and its folder can be read"
	case sqlitePerm, sqliteAuth:
		kind, path = core.KindPermission, "path"
	case sqliteReadOnly:
		kind, try = core.KindConfig, "a query may only read"
		if e.Code() != sqliteReadOnly { // one of its special cases, about the files beside the database
			kind, path, try = core.KindPermission, "path", "let this user write the files that SQLite keeps beside the database"
		}
	case sqliteCorrupt, sqliteNotADB:
		kind, path, try = core.KindData, "path", "check the file with the sqlite3 program: PRAGMA integrity_check"
	case sqliteError:
		kind, try = core.KindConfig, "check where, query, cursor and primary_key of the stream block"
	}
	return fault(kind, op, path, try, fmt.Errorf("%s", e.Error()))
}

type sqliteSession struct {
	driverSession
	db *sqliteDB
}

func (s *sqliteSession) begin(ctx context.Context) error {
	// The snapshot is taken by the first read after BEGIN.
	return s.exec(ctx, "begin reading", "BEGIN", "SELECT 1 FROM sqlite_schema LIMIT 1")
}

func (s *sqliteSession) highest(ctx context.Context, st *statement, _ column) (*string, error) {
	var out *string
	err := s.each(ctx, st.text.String(), st.args, func(row []driver.Value) error {
		if v, ok := sqlitePosition(row[0]); ok {
			out = &v
		}
		return nil
	})
	if err != nil {
		return nil, s.fail(ctx, "find the highest cursor value", err)
	}
	return out, nil
}

func (s *sqliteSession) scan(ctx context.Context, st *statement, b *batcher) error {
	return s.scanInto(ctx, st, b, sqliteReader)
}
