package sql

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/unsilo/unsilo/core"
)

// fail turns an error of the driver into a core.Error with the server's own words.
func (db *postgresDB) fail(ctx context.Context, op string, err error) error {
	if e, ok := known(ctx, err); ok {
		return e
	}
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		words := fmt.Sprintf("%s (SQLSTATE %s)", pg.Message, pg.Code)
		if pg.Hint != "" {
			words += "; hint: " + pg.Hint
		}
		kind, path, try := pgKind(pg.Code)
		return fault(kind, op, path, try, errors.New(db.redact(words)))
	}
	return fault(core.KindUnavailable, op, "", "check that the server runs and can be reached from here", errors.New(db.redact(networkWords(err))))
}

// redact removes the password, should a server repeat it.
func (db *postgresDB) redact(s string) string { return redact(s, db.conf.Password) }

func redact(s string, secrets ...string) string {
	for _, secret := range secrets {
		if len(secret) > 2 {
			s = strings.ReplaceAll(s, secret, "***")
		}
	}
	return s
}

// networkWords takes the network's own words out of an error that may hold a whole
// connection string.
func networkWords(err error) string {
	var op *net.OpError
	if errors.As(err, &op) {
		return op.Error()
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err.Error()
}

// pgKind classifies a SQLSTATE.
func pgKind(code string) (kind core.Kind, path, try string) {
	switch code {
	case "42P01", "3F000":
		return core.KindConfig, "", "check the names of tables in the stream block"
	case "42703", "42704", "42883", "42601", "42803", "42P10", "42804", "42P18", "42702":
		return core.KindConfig, "", "check where, query, cursor and primary_key of the stream block"
	case "42501":
		return core.KindPermission, "", "GRANT SELECT on the table to this user"
	case "3D000":
		return core.KindConfig, "url", "check the name of the database in the url"
	case "25006":
		return core.KindConfig, "", "a query may only read"
	case "57014":
		return core.KindUnavailable, "", "raise statement_timeout, or add an index on the cursor and the key"
	case "0A000":
		return core.KindConfig, "", ""
	}
	switch code[:min(2, len(code))] {
	case "28":
		return core.KindAuth, "", "check user and password"
	case "08", "57", "53", "40", "55", "58":
		return core.KindUnavailable, "", ""
	case "22":
		return core.KindData, "", "look at the values that the query converts"
	}
	return core.KindInternal, "", ""
}
