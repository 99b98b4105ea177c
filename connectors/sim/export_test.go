package sim

import "database/sql"

// Database gives tests the server's own handle, as two writers on one file would wait
// for each other.
func Database(s *Server) *sql.DB { return s.db }
