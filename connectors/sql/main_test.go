package sql_test

import (
	"fmt"
	"os"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/unsilo/unsilo/connectors/sql/sqltest"
)

// servers are started by the first test that needs them and shared by all.
var servers struct {
	sync.Mutex
	postgres, mariadb *sqltest.Server
	host              *hostTB
}

// hostTB outlives single tests, so that servers do.
type hostTB struct {
	testing.TB
	cleanups []func()
}

func (h *hostTB) Cleanup(f func()) { h.cleanups = append(h.cleanups, f) }

func TestMain(m *testing.M) {
	servers.host = &hostTB{}
	code := m.Run()
	for i := len(servers.host.cleanups) - 1; i >= 0; i-- {
		servers.host.cleanups[i]()
	}
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func shared(t *testing.T, at **sqltest.Server, start func(testing.TB) *sqltest.Server) *sqltest.Server {
	t.Helper()
	servers.Lock()
	defer servers.Unlock()
	if *at == nil {
		servers.host.TB = t
		*at = start(servers.host)
	}
	return *at
}

func postgresServer(t *testing.T) *sqltest.Server {
	t.Helper()
	return shared(t, &servers.postgres, sqltest.Postgres)
}

func mariadbServer(t *testing.T) *sqltest.Server {
	t.Helper()
	return shared(t, &servers.mariadb, sqltest.MariaDB)
}
