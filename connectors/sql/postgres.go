package sql

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/semaphore"

	"github.com/unsilo/unsilo/core"
)

// postgres is the dialect of PostgreSQL and servers that speak like it.
type postgres struct{}

func (postgres) spec() core.Spec {
	fields := serverFields("postgres://user@host:5432/database?sslmode=verify-full; sslmode is disable, prefer (default), require, verify-ca or verify-full, with sslrootcert")
	fields = append(fields, core.Field{Name: "infinite", Type: core.TypeString, Default: "reject", Enum: []string{"reject", "null"},
		Help: "what becomes of infinite dates and of numerics that are not numbers: the row is rejected, or the value becomes null"})
	return core.Spec{
		Name: "postgres", Family: "sql", Version: version,
		Summary: "Tables, views and queries of a PostgreSQL database",
		Doc: readingDoc + `
Types: numeric(p,s) up to 38 digits is decimal, without a precision text; timestamptz is an instant in UTC;
timestamp stays without a zone; uuid, json, enums, intervals and times are text; arrays are lists.
`,
		Fields: fields, StreamFields: streamFields(), Dynamic: true, TestedAgainst: "real server",
	}
}

func (postgres) open(cfg core.Config) (database, error) {
	conf, err := pgx.ParseConfig(cfg.String("url"))
	if err != nil {
		return nil, fault(core.KindConfig, "open", "url", "write it like postgres://user@host:5432/database?sslmode=verify-full",
			errors.New("the url is not a PostgreSQL connection url"))
	}
	if user := cfg.String("user"); user != "" {
		conf.User = user
	}
	if password := cfg.String("password"); password != "" {
		conf.Password = password
	}
	zone, err := loadZone(cfg)
	if err != nil {
		return nil, err
	}
	limits, err := loadLimits(cfg)
	if err != nil {
		return nil, err
	}
	conf.ConnectTimeout = limits.connect
	conf.RuntimeParams["application_name"] = "unsilo"
	conf.DefaultQueryExecMode = pgx.QueryExecModeExec
	return &postgresDB{
		conf: conf, limits: limits, slots: semaphore.NewWeighted(limits.connections),
		pgGrammar: pgGrammar{zone: zone}, infiniteAsNull: cfg.String("infinite") == "null",
	}, nil
}

type postgresDB struct {
	pgGrammar
	conf           *pgx.ConnConfig
	limits         limits
	slots          *semaphore.Weighted
	infiniteAsNull bool
}

func (*postgresDB) close() error { return nil }

func (db *postgresDB) connect(ctx context.Context) (session, error) {
	if err := db.slots.Acquire(ctx, 1); err != nil {
		return nil, context.Cause(ctx)
	}
	conn, err := pgx.ConnectConfig(ctx, db.conf.Copy())
	if err != nil {
		db.slots.Release(1)
		return nil, db.fail(ctx, "connect", err)
	}
	return &postgresSession{db: db, conn: conn}, nil
}

type postgresSession struct {
	db   *postgresDB
	conn *pgx.Conn
}

// closeTimeout bounds the farewell to a server that may be gone.
const closeTimeout = time.Second

func (s *postgresSession) close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	raw := s.conn.PgConn()
	_ = s.conn.Close(ctx) // nothing was written, so nothing can fail that matters
	select {
	case <-raw.CleanupDone():
	case <-ctx.Done():
	}
	s.db.slots.Release(1)
}

func (s *postgresSession) begin(ctx context.Context) error {
	settings := []string{
		"BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
		// LOCAL, so that a connection that a pooler shares stays as it was.
		"SET LOCAL timezone = 'UTC'", "SET LOCAL datestyle = 'ISO, YMD'", "SET LOCAL intervalstyle = 'iso_8601'",
		"SET LOCAL standard_conforming_strings = on", "SET LOCAL bytea_output = 'hex'", "SET LOCAL extra_float_digits = 3",
		"SET LOCAL client_encoding = 'UTF8'", "SET LOCAL idle_in_transaction_session_timeout = 0", "SET LOCAL lock_timeout = '30s'",
		fmt.Sprintf("SET LOCAL statement_timeout = %d", s.db.limits.statement.Milliseconds()),
		"SET LOCAL work_mem = '64MB'", // for the sort, where no index gives the order
	}
	if err := s.conn.PgConn().Exec(ctx, strings.Join(settings, "; ")).Close(); err != nil {
		return s.db.fail(ctx, "begin reading", err)
	}
	return nil
}

func (s *postgresSession) highest(ctx context.Context, st *statement, _ column) (*string, error) {
	var v *string
	query := "SELECT highest::text FROM (" + st.text.String() + ") AS h"
	if err := s.conn.QueryRow(ctx, query).Scan(&v); err != nil {
		return nil, s.db.fail(ctx, "find the highest cursor value", err)
	}
	return v, nil
}

func (s *postgresSession) scan(ctx context.Context, st *statement, b *batcher) error {
	rows := newPgRows(b, s.db.infiniteAsNull)
	b.at = rows.at
	_, err := s.conn.PgConn().CopyTo(ctx, rows, "COPY ("+st.text.String()+") TO STDOUT (FORMAT binary)")
	switch {
	case b.err != nil:
		return b.err
	case err != nil:
		return s.db.fail(ctx, "read rows", err)
	case !rows.ended:
		return fault(core.KindUnavailable, "read rows", "", "", errors.New("the server stopped in the middle"))
	}
	return nil
}
