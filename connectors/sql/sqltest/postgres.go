//go:build unix

package sqltest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// Postgres starts a PostgreSQL server.
func Postgres(tb testing.TB) *Server {
	tb.Helper()
	bin := postgresBin()
	if bin == "" {
		skip(tb, "PostgreSQL's programs initdb and postgres are not installed")
	}
	return start(tb, postgres{bin})
}

// postgresBin finds the newest installed version.
func postgresBin() string {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err == nil && len(found) > 0 {
		return filepath.Dir(slices.Max(found))
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path)
	}
	return ""
}

type postgres struct{ bin string }

func (p postgres) initialise(s *Server) error {
	passwordFile := filepath.Join(s.dir, "pw")
	if err := os.WriteFile(passwordFile, []byte(Password), 0o600); err != nil {
		return fmt.Errorf("write password file: %w", err)
	}
	if err := s.owner.own(passwordFile); err != nil {
		return err
	}
	return s.output(exec.Command(filepath.Join(p.bin, "initdb"), "-D", filepath.Join(s.dir, "data"), "-U", User,
		"--auth=scram-sha-256", "--pwfile="+passwordFile, "-N", "-E", "UTF8", "--locale=C.UTF-8"))
}

func (p postgres) command(s *Server) *exec.Cmd {
	return exec.Command(filepath.Join(p.bin, "postgres"), "-D", filepath.Join(s.dir, "data"), "-p", strconv.Itoa(s.Port),
		"-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="+s.dir,
		"-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_wal_size=1GB")
}

func (postgres) stopSignal(fast bool) syscall.Signal {
	if fast {
		return syscall.SIGQUIT
	}
	return syscall.SIGINT
}

func (postgres) url(s *Server, database string) string {
	if database == "" {
		database = "postgres"
	}
	return fmt.Sprintf("postgres://%s:%s@127.0.0.1:%d/%s?sslmode=disable", User, Password, s.Port, database)
}

func (p postgres) ping(ctx context.Context, s *Server) error {
	return p.exec(ctx, s, "", "SELECT 1")
}

func (p postgres) exec(ctx context.Context, s *Server, database, statements string) (err error) {
	conn, err := pgx.Connect(ctx, p.url(s, database))
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := conn.Close(ctx); err == nil {
			err = closeErr
		}
	}()
	return conn.PgConn().Exec(ctx, statements).Close()
}
