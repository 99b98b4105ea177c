//go:build unix

package sqltest

import (
	"context"
	"database/sql"
	"fmt"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// MariaDB starts a MariaDB server.
func MariaDB(tb testing.TB) *Server {
	tb.Helper()
	server, install := lookProgram("mariadbd"), lookProgram("mariadb-install-db")
	if server == "" || install == "" {
		skip(tb, "MariaDB's programs mariadbd and mariadb-install-db are not installed")
	}
	return start(tb, mariadb{server, install})
}

// lookProgram finds a program, also where only administrators look.
func lookProgram(name string) string {
	for _, path := range []string{name, "/usr/sbin/" + name, "/usr/local/sbin/" + name} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	return ""
}

type mariadb struct{ server, install string }

func (m mariadb) initialise(s *Server) error {
	return s.output(exec.Command(m.install, "--no-defaults", "--datadir="+filepath.Join(s.dir, "data"),
		"--auth-root-authentication-method=normal", "--skip-test-db"))
}

func (m mariadb) command(s *Server) *exec.Cmd {
	return exec.Command(m.server, "--no-defaults", "--datadir="+filepath.Join(s.dir, "data"),
		"--socket="+m.socket(s), "--port="+strconv.Itoa(s.Port), "--bind-address=127.0.0.1",
		"--pid-file="+filepath.Join(s.dir, "pid"), "--innodb-flush-log-at-trx-commit=2", "--skip-log-bin",
		"--innodb-buffer-pool-size=128M", "--local-infile=0",
		// Servers that share a folder for temporary tables take each other's away.
		"--tmpdir="+filepath.Join(s.dir, "data"))
}

func (mariadb) socket(s *Server) string { return filepath.Join(s.dir, "socket") }

func (mariadb) stopSignal(fast bool) syscall.Signal {
	if fast {
		return syscall.SIGKILL
	}
	return syscall.SIGTERM
}

func (mariadb) url(s *Server, database string) string {
	return fmt.Sprintf("mysql://%s:%s@127.0.0.1:%d/%s?sslmode=disable", User, Password, s.Port, database)
}

// ping also makes the user, which a new server lacks.
func (m mariadb) ping(ctx context.Context, s *Server) error {
	return m.exec(ctx, s, "", fmt.Sprintf("CREATE USER IF NOT EXISTS '%[1]s'@'%%' IDENTIFIED BY '%[2]s'; GRANT ALL ON *.* TO '%[1]s'@'%%' WITH GRANT OPTION", User, Password))
}

func (m mariadb) exec(ctx context.Context, s *Server, database, statements string) (err error) {
	conf := mysql.NewConfig()
	conf.User, conf.Net, conf.Addr, conf.DBName = "root", "unix", m.socket(s), database
	conf.MultiStatements = true
	conf.Logger = &mysql.NopLogger{} // a server that is starting is no news
	connector, err := mysql.NewConnector(conf)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer func() {
		if closeErr := db.Close(); err == nil {
			err = closeErr
		}
	}()
	_, err = db.ExecContext(ctx, statements)
	return err
}
