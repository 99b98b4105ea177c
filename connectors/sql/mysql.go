package sql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql/driver"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	drivermysql "github.com/go-sql-driver/mysql"
	"golang.org/x/sync/semaphore"

	"github.com/unsilo/unsilo/core"
)

// mysql is the dialect of MySQL and MariaDB.
type mysql struct{}

func (mysql) spec() core.Spec {
	fields := serverFields("mysql://user@host:3306/database?sslmode=verify-full; sslmode is disable, prefer (default), require, verify-ca or verify-full, with sslrootcert; socket=/path for a unix socket")
	fields = append(fields, core.Field{Name: "zero_dates", Type: core.TypeString, Default: "null", Enum: []string{"null", "reject"},
		Help: "what becomes of dates like 0000-00-00 and 2026-02-00: the value becomes null, or the row is rejected"})
	return core.Spec{
		Name: "mysql", Family: "sql", Version: version,
		Summary: "Tables, views and queries of a MySQL or MariaDB database",
		Doc: readingDoc + `
Types: decimal up to 38 digits is decimal; bigint unsigned is uint64; tinyint(1) and bit(1) are booleans;
timestamp is an instant in UTC; datetime stays without a zone; time, year, json, enum and set are text.
`,
		Fields: fields, StreamFields: streamFields(), Dynamic: true, TestedAgainst: "real server",
	}
}

func (mysql) open(cfg core.Config) (database, error) {
	conf, err := mysqlConfig(cfg)
	if err != nil {
		return nil, err
	}
	zone, err := loadZone(cfg)
	if err != nil {
		return nil, err
	}
	limits, err := loadLimits(cfg)
	if err != nil {
		return nil, err
	}
	conf.Timeout = limits.connect
	dialer, err := drivermysql.NewConnector(conf)
	if err != nil {
		return nil, fault(core.KindConfig, "open", "url", "", errors.New("the url is not complete"))
	}
	return &mysqlDB{
		mysqlGrammar: mysqlGrammar{zone: zone}, connector: dialer, limits: limits, password: conf.Passwd,
		slots: semaphore.NewWeighted(limits.connections), zeroAsNull: cfg.String("zero_dates") != "reject",
	}, nil
}

// mysqlConfig reads the url.
func mysqlConfig(cfg core.Config) (*drivermysql.Config, error) {
	bad := func(why string) (*drivermysql.Config, error) {
		return nil, fault(core.KindConfig, "open", "url", "write it like mysql://user@host:3306/database?sslmode=verify-full", errors.New(why))
	}
	u, err := url.Parse(cfg.String("url"))
	if err != nil || u.Scheme != "mysql" && u.Scheme != "mariadb" {
		return bad("the url is not a MySQL connection url")
	}
	conf := drivermysql.NewConfig()
	conf.Logger = &drivermysql.NopLogger{} // errors come back; the log may hold what they redact
	conf.ConnectionAttributes = "program_name:unsilo"
	conf.User = u.User.Username()
	conf.Passwd, _ = u.User.Password()
	if user := cfg.String("user"); user != "" {
		conf.User = user
	}
	if password := cfg.String("password"); password != "" {
		conf.Passwd = password
	}
	if conf.DBName = strings.TrimPrefix(u.Path, "/"); conf.DBName == "" {
		return bad("the url names no database")
	}
	conf.Net, conf.Addr = "tcp", u.Host
	if u.Port() == "" {
		conf.Addr = u.Hostname() + ":3306"
	}
	query := u.Query()
	if socket := query.Get("socket"); socket != "" {
		conf.Net, conf.Addr = "unix", socket
		return conf, nil
	}
	if u.Hostname() == "" {
		return bad("the url names no host")
	}
	return conf, mysqlTLS(conf, u.Hostname(), query.Get("sslmode"), query.Get("sslrootcert"))
}

// mysqlTLS understands the modes of PostgreSQL's urls.
func mysqlTLS(conf *drivermysql.Config, host, mode, root string) error {
	secure := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	if root != "" {
		pem, err := os.ReadFile(root)
		if err != nil {
			return fault(core.KindConfig, "open", "url", "check sslrootcert", errors.New("the file with the root certificate cannot be read"))
		}
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM(pem) {
			return fault(core.KindConfig, "open", "url", "check sslrootcert", errors.New("the file holds no certificate"))
		}
	}
	switch mode {
	case "disable":
		return nil
	case "", "prefer":
		secure.InsecureSkipVerify = true // like PostgreSQL's: keeps listeners out, proves nothing
		conf.AllowFallbackToPlaintext = true
	case "require":
		secure.InsecureSkipVerify = true
	case "verify-ca":
		secure.InsecureSkipVerify = true
		secure.VerifyConnection = func(state tls.ConnectionState) error { return verifyChain(state, secure.RootCAs) }
	case "verify-full":
	default:
		return fault(core.KindConfig, "open", "url", "use disable, prefer, require, verify-ca or verify-full", errors.New("sslmode is unknown"))
	}
	conf.TLS = secure
	return nil
}

// verifyChain checks a server's certificate without its name.
func verifyChain(state tls.ConnectionState, roots *x509.CertPool) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the server sent no certificate")
	}
	options := x509.VerifyOptions{Roots: roots, Intermediates: x509.NewCertPool()}
	for _, c := range state.PeerCertificates[1:] {
		options.Intermediates.AddCert(c)
	}
	_, err := state.PeerCertificates[0].Verify(options)
	return err
}

type mysqlDB struct {
	mysqlGrammar
	connector  driver.Connector
	limits     limits
	slots      *semaphore.Weighted
	password   string
	zeroAsNull bool
}

func (*mysqlDB) close() error { return nil }

func (db *mysqlDB) connect(ctx context.Context) (session, error) {
	if err := db.slots.Acquire(ctx, 1); err != nil {
		return nil, context.Cause(ctx)
	}
	conn, err := db.connector.Connect(ctx)
	if err != nil {
		db.slots.Release(1)
		return nil, db.fail(ctx, "connect", err)
	}
	return &mysqlSession{db: db, driverSession: driverSession{conn: conn, fail: db.fail, release: func() { db.slots.Release(1) }}}, nil
}

type mysqlSession struct {
	driverSession
	db *mysqlDB
}

func (s *mysqlSession) begin(ctx context.Context) error {
	const op = "begin reading"
	err := s.exec(ctx, op,
		"SET NAMES utf8mb4", "SET SESSION time_zone = '+00:00'", "SET SESSION net_write_timeout = 3600")
	if err != nil {
		return err
	}
	if s.db.limits.statement > 0 {
		var version string
		err := s.each(ctx, "SELECT version()", nil, func(row []driver.Value) error { version = textOf(row[0]); return nil })
		if err != nil {
			return s.fail(ctx, op, err)
		}
		limit := "SET SESSION max_execution_time = " + strconv.FormatInt(s.db.limits.statement.Milliseconds(), 10)
		if strings.Contains(version, "MariaDB") {
			limit = fmt.Sprintf("SET SESSION max_statement_time = %.3f", s.db.limits.statement.Seconds())
		}
		if err := s.exec(ctx, op, limit); err != nil {
			return err
		}
	}
	return s.exec(ctx, op, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
}

func (s *mysqlSession) highest(ctx context.Context, st *statement, c column) (*string, error) {
	var out *string
	position := mysqlPosition(c)
	err := s.each(ctx, st.text.String(), st.args, func(row []driver.Value) error {
		if row[0] != nil {
			if v, ok := position(row[0]); ok {
				out = &v
			}
		}
		return nil
	})
	if err != nil {
		return nil, s.fail(ctx, "find the highest cursor value", err)
	}
	return out, nil
}

func (s *mysqlSession) scan(ctx context.Context, st *statement, b *batcher) error {
	return s.scanInto(ctx, st, b, s.db.reader)
}

// fail turns an error of the driver into a core.Error with the server's own words.
func (db *mysqlDB) fail(ctx context.Context, op string, err error) error {
	if e, ok := known(ctx, err); ok {
		return e
	}
	var e *drivermysql.MySQLError
	if !errors.As(err, &e) {
		return fault(core.KindUnavailable, op, "", "check that the server runs and can be reached from here",
			errors.New(redact(networkWords(err), db.password)))
	}
	kind, path, try := mysqlKind(e.Number)
	words := fmt.Sprintf("%s (error %d)", e.Message, e.Number)
	return fault(kind, op, path, try, errors.New(redact(words, db.password)))
}

// mysqlKind classifies a server error.
func mysqlKind(number uint16) (kind core.Kind, path, try string) {
	switch number {
	case 1045, 1044, 1698, 1251, 2059, 1862, 1820:
		return core.KindAuth, "", "check user and password"
	case 1049:
		return core.KindConfig, "url", "check the name of the database in the url"
	case 1146, 1109, 1051:
		return core.KindConfig, "", "check the names of tables in the stream block"
	case 1054, 1064, 1149, 1052, 1060, 1066, 1111, 1056, 1247, 1305, 1630, 1248:
		return core.KindConfig, "", "check where, query, cursor and primary_key of the stream block"
	case 1142, 1143, 1227, 1370, 1345:
		return core.KindPermission, "", "GRANT SELECT on the table to this user"
	case 1792, 1290:
		return core.KindConfig, "", "a query may only read"
	case 3024, 1969:
		return core.KindUnavailable, "", "raise statement_timeout, or add an index on the cursor and the key"
	case 1040, 1203, 1226, 1205, 1213, 1053, 1077, 1927, 1317, 1152, 1158, 1159, 1160, 1161, 1184, 1129, 1412, 2006, 2013, 1037, 1041, 1021:
		return core.KindUnavailable, "", ""
	case 1292, 1264, 1365, 1406, 1366:
		return core.KindData, "", "look at the values that the query converts"
	}
	return core.KindInternal, "", ""
}
