//go:build unix

// Package sqltest starts private PostgreSQL and MariaDB servers for tests: in a temporary
// folder, on a free loopback port, as an unprivileged user, gone when the test ends. It
// installs nothing: where a server's programs are absent the test is skipped with the
// reason, or fails if UNSILO_REQUIRE_SERVERS=1. Only test files import it.
package sqltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// User and password of every server; the user may do anything.
const (
	User     = "unsilo"
	Password = "pw-sqltest-4711"
)

const (
	startTimeout = 60 * time.Second
	stopTimeout  = 20 * time.Second
)

// A Server is a running database server.
type Server struct {
	// Port on 127.0.0.1.
	Port int

	dir      string
	owner    *owner
	programs programs
	process  *exec.Cmd
	exited   chan error
	waiting  errgroup.Group
	log      *bytes.Buffer
	nextDB   int
}

// programs is what differs between kinds of server.
type programs interface {
	// initialise fills the data folder.
	initialise(s *Server) error
	// command runs the server in the foreground.
	command(s *Server) *exec.Cmd
	// ping reports whether the server takes connections.
	ping(ctx context.Context, s *Server) error
	// url of a database, for the connector of this kind.
	url(s *Server, database string) string
	// exec runs statements, separated by semicolons.
	exec(ctx context.Context, s *Server, database, statements string) error
	// stopSignal asks for a clean stop, or, when fast, for one without goodbyes.
	stopSignal(fast bool) syscall.Signal
}

// skip ends the test: skipped, or failed where servers are required.
func skip(tb testing.TB, reason string) {
	tb.Helper()
	if os.Getenv("UNSILO_REQUIRE_SERVERS") == "1" {
		tb.Fatal(reason)
	}
	tb.Skip(reason)
}

func start(tb testing.TB, p programs) *Server {
	tb.Helper()
	s := &Server{programs: p, log: &bytes.Buffer{}}
	if err := s.prepare(); err != nil {
		tb.Fatalf("prepare server: %v", err)
	}
	tb.Cleanup(func() { _ = os.RemoveAll(s.dir) })
	if err := p.initialise(s); err != nil {
		tb.Fatalf("initialise server: %v", err)
	}
	tb.Cleanup(func() { _ = s.stop(false) })
	err := s.tryStart()
	for try := 0; err != nil && try < 2; try++ {
		// Another program may have taken the port meanwhile.
		if s.Port, err = freePort(); err == nil {
			err = s.tryStart()
		}
	}
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func (s *Server) prepare() error {
	var err error
	if s.dir, err = os.MkdirTemp("", "unsilo-sqltest-"); err != nil {
		return fmt.Errorf("make folder: %w", err)
	}
	if s.owner, err = unprivileged(); err != nil {
		return err
	}
	if err := s.owner.own(s.dir); err != nil {
		return err
	}
	s.Port, err = freePort()
	return err
}

// Start starts a stopped server and waits until it takes connections.
func (s *Server) Start(tb testing.TB) {
	tb.Helper()
	if err := s.tryStart(); err != nil {
		tb.Fatal(err)
	}
}

func (s *Server) tryStart() error {
	s.process = s.programs.command(s)
	s.owner.run(s.process)
	s.process.Stdout, s.process.Stderr = s.log, s.log
	if err := s.process.Start(); err != nil {
		s.process = nil
		return fmt.Errorf("start server: %w", err)
	}
	s.exited = make(chan error, 1)
	process, done := s.process, s.exited
	s.waiting.Go(func() error { done <- process.Wait(); return nil })
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		err := s.programs.ping(ctx, s)
		if err == nil {
			return nil
		}
		select {
		case err := <-s.exited:
			s.process = nil
			return fmt.Errorf("server ended: %v\n%s", err, s.log)
		case <-ctx.Done():
			return errors.Join(fmt.Errorf("server does not answer: %w", err), s.stop(true))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Kill stops the server at once, as a crash would; connections break.
func (s *Server) Kill(tb testing.TB) {
	tb.Helper()
	if err := s.stop(true); err != nil {
		tb.Fatalf("stop server: %v", err)
	}
}

func (s *Server) stop(fast bool) error {
	if s.process == nil {
		return nil
	}
	process := s.process.Process
	s.process = nil
	if err := process.Signal(s.programs.stopSignal(fast)); err != nil {
		return fmt.Errorf("signal server: %w", err)
	}
	select {
	case <-s.exited:
		return nil
	case <-time.After(stopTimeout):
		return errors.Join(errors.New("server did not stop"), process.Kill())
	}
}

// Database makes an empty database and returns its name.
func (s *Server) Database(tb testing.TB) string {
	tb.Helper()
	s.nextDB++
	name := "db" + strconv.Itoa(s.nextDB)
	s.Exec(tb, "", "CREATE DATABASE "+name)
	return name
}

// URL is what the connector needs to reach a database.
func (s *Server) URL(database string) string { return s.programs.url(s, database) }

// Exec runs statements in a database; the empty name is the server's own.
func (s *Server) Exec(tb testing.TB, database, statements string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	if err := s.programs.exec(ctx, s, database, statements); err != nil {
		tb.Fatalf("run statements: %v", err)
	}
}

// owner is the user that a server runs as; nil is the current one.
type owner struct{ uid, gid uint32 }

// unprivileged finds the user to run as, since servers refuse to run as root.
func unprivileged() (*owner, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("nobody")
	if err != nil {
		return nil, fmt.Errorf("find user: %w", err)
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read user id: %w", err)
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, fmt.Errorf("read group id: %w", err)
	}
	return &owner{uint32(uid), uint32(gid)}, nil
}

func (o *owner) own(path string) error {
	if o == nil {
		return nil
	}
	return os.Chown(path, int(o.uid), int(o.gid))
}

// run makes the command run as the owner.
func (o *owner) run(cmd *exec.Cmd) {
	cmd.SysProcAttr = endWithParent()
	if o != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: o.uid, Gid: o.gid, NoSetGroups: false}
	}
}

// output runs a program as the owner to its end.
func (s *Server) output(cmd *exec.Cmd) error {
	s.owner.run(cmd)
	cmd.Dir = s.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", filepath.Base(cmd.Path), err, out)
	}
	return nil
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
