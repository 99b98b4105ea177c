package sim

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
	_ "modernc.org/sqlite" // the driver of the ERP's database file
)

// ServeOptions say what to serve and where.
type ServeOptions struct {
	Options
	// Dir is the folder of the company's own: silos, truth and the state file go there. It
	// is made when missing. A company that was served from it before goes on where it
	// stood; Options must then be those of before, but for Now, which is ignored.
	Dir string
	// Listen is the address, default 127.0.0.1:0.
	Listen string
	// AdminToken guards the paths under /_sim; empty shuts them.
	AdminToken string
}

// Server is a served company.
type Server struct {
	// Company behind the server. Advance it through the server, so that files and database
	// follow.
	Company *Company

	dir    string
	url    string
	db     *sql.DB
	server *http.Server
	group  *errgroup.Group
	moving sync.Mutex
}

// saved is the state file: all that a company is made of.
type saved struct {
	FormatVersion int       `json:"format_version"`
	Customers     int       `json:"customers"`
	Seed          uint64    `json:"seed"`
	Start         time.Time `json:"start"`
	Now           time.Time `json:"now"`
	Opened        time.Time `json:"opened"`
	Quiet         bool      `json:"quiet"`
	// Written says that files and database stand at Now.
	Written bool `json:"written"`
}

// Serve makes or reopens the company in opt.Dir, writes what it shows as files and as a
// database, and answers HTTP until Close, or until ctx ends.
func Serve(ctx context.Context, opt ServeOptions) (*Server, error) {
	if err := os.MkdirAll(opt.silos(), 0o755); err != nil {
		return nil, fmt.Errorf("make folder of the company: %w", err)
	}
	before, err := load(opt)
	if err != nil {
		return nil, err
	}
	if before != nil {
		searchCap := opt.SearchCap
		opt.Options = before.options()
		opt.SearchCap = searchCap
	}
	s := &Server{Company: New(opt.Options), dir: opt.Dir}
	s.db, err = sql.Open("sqlite", "file:"+filepath.Join(opt.silos(), "erp.sqlite")+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)")
	if err != nil {
		return nil, fmt.Errorf("open database of the ERP: %w", err)
	}
	if before == nil || !before.Written {
		err = s.writeAll(ctx)
	}
	if err == nil {
		err = s.listen(ctx, opt)
	}
	if err != nil {
		return nil, errors.Join(err, s.db.Close())
	}
	return s, nil
}

func (o ServeOptions) silos() string { return filepath.Join(o.Dir, "silos") }

func (s *Server) listen(ctx context.Context, opt ServeOptions) error {
	address := opt.Listen
	if address == "" {
		address = "127.0.0.1:0"
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", address)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", address, err)
	}
	s.url = "http://" + listener.Addr().String()
	s.server = &http.Server{
		Handler: s.handler(opt.AdminToken), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute,
	}
	s.group = &errgroup.Group{}
	s.group.Go(func() error {
		if err := s.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			return fmt.Errorf("serve: %w", err)
		}
		return nil
	})
	stop := context.AfterFunc(ctx, func() { _ = s.server.Close() })
	s.server.RegisterOnShutdown(func() { stop() })
	return nil
}

// URL is where the dialects answer, http://127.0.0.1:port.
func (s *Server) URL() string { return s.url }

// Silos is the folder with the ERP's database (erp.sqlite), the web logs (web) and the
// call logs (calls).
func (s *Server) Silos() string { return filepath.Join(s.dir, "silos") }

// Truth is the folder with truth.parquet and truth_effects.json.
func (s *Server) Truth() string { return filepath.Join(s.dir, "truth") }

// Advance moves the company's clock and brings files, database and truth up to date.
func (s *Server) Advance(ctx context.Context, d time.Duration) ([]Change, error) {
	s.moving.Lock()
	defer s.moving.Unlock()
	from := s.Company.Now()
	if err := s.save(false); err != nil {
		return nil, err
	}
	changes := s.Company.Advance(d)
	err := s.Company.WriteFiles(s.Silos(), from)
	if err == nil {
		err = s.Company.ApplyERP(ctx, s.db, "sqlite", changes)
	}
	if err == nil {
		err = s.Company.WriteTruth(s.Truth())
	}
	if err == nil {
		err = s.save(true)
	}
	if err != nil {
		return nil, fmt.Errorf("advance the company: %w", err)
	}
	return changes, nil
}

// Close stops answering and closes the database.
func (s *Server) Close() error {
	return errors.Join(s.server.Close(), s.group.Wait(), s.db.Close())
}

// Wait blocks until the server has stopped.
func (s *Server) Wait() error { return s.group.Wait() }

func (s *Server) writeAll(ctx context.Context) error {
	if err := s.save(false); err != nil {
		return err
	}
	err := s.Company.WriteFiles(s.Silos(), time.Time{})
	if err == nil {
		err = s.Company.WriteERP(ctx, s.db, "sqlite")
	}
	if err == nil {
		err = s.Company.WriteTruth(s.Truth())
	}
	if err != nil {
		return fmt.Errorf("write the company's silos: %w", err)
	}
	return s.save(true)
}

func stateFile(dir string) string { return filepath.Join(dir, "company.json") }

// load reads the state file and compares it with what is asked for; nil when there is none.
func load(opt ServeOptions) (*saved, error) {
	s, err := readState(opt.Dir)
	if s == nil || err != nil {
		return nil, err
	}
	want := opt.withDefaults()
	if s.FormatVersion != 1 || s.Customers != want.Customers || s.Seed != want.Seed || s.Quiet != want.Quiet || !s.Start.Equal(want.Start) {
		return nil, fmt.Errorf("reopen the company in %s: it was made with %d customers, seed %d, start %s; use those or another folder",
			opt.Dir, s.Customers, s.Seed, s.Start.Format(time.DateOnly))
	}
	return s, nil
}

// readState reads the state file; nil when there is none.
func readState(dir string) (*saved, error) {
	text, err := os.ReadFile(stateFile(dir))
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read state of the company: %w", err)
	}
	var s saved
	if err := json.Unmarshal(text, &s); err != nil {
		return nil, fmt.Errorf("read state of the company in %s: %w", stateFile(dir), err)
	}
	return &s, nil
}

func (s *saved) options() Options {
	return Options{Customers: s.Customers, Seed: s.Seed, Start: s.Start, Now: s.Now, Opened: s.Opened, Quiet: s.Quiet}
}

// save writes the state file; written says whether files and database stand at now.
func (s *Server) save(written bool) error {
	opt := s.Company.opt
	text, err := json.MarshalIndent(saved{
		FormatVersion: 1, Customers: opt.Customers, Seed: opt.Seed, Start: opt.Start, Now: s.Company.Now(),
		Opened: opt.Opened, Quiet: opt.Quiet, Written: written,
	}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode state of the company: %w", err)
	}
	name := stateFile(s.dir)
	if err := os.WriteFile(name+".new", append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("write state of the company: %w", err)
	}
	if err := os.Rename(name+".new", name); err != nil {
		return fmt.Errorf("write state of the company: %w", err)
	}
	return nil
}
