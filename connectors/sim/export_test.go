package sim

import (
	"database/sql"
	"time"

	"github.com/unsilo/unsilo/connectors/sim/files"
	"github.com/unsilo/unsilo/connectors/sim/world"
)

// Database gives tests the server's own handle, as two writers on one file would wait
// for each other.
func Database(s *Server) *sql.DB { return s.db }

// WriteWebLog writes a company's access log as a test wants it.
func WriteWebLog(c *Company, log files.WebLog, from time.Time) error {
	var err error
	c.world.Read(func(s *world.State) { err = log.Write(s, from) })
	return err
}
