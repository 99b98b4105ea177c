package configs_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// A gate stands between the program and a server. It passes everything on, until a trap
// that was set in it springs.
type gate struct {
	listener net.Listener
	server   string
	busy     sync.WaitGroup

	mu    sync.Mutex
	trap  *trap
	conns map[net.Conn]bool
}

// A trap holds up the first connection on which the server has sent more than after
// bytes, and breaks it when it is let go.
type trap struct {
	after int64
	// sprung is closed when the trap has caught a connection; letGo by the test.
	sprung, letGo chan struct{}
}

func newGate(t *testing.T, server string) *gate {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := &gate{listener: listener, server: server, conns: map[net.Conn]bool{}}
	g.busy.Go(g.accept)
	t.Cleanup(func() {
		_ = listener.Close() // ends accept
		g.mu.Lock()
		for c := range g.conns {
			_ = c.Close() // ends its copies
		}
		g.mu.Unlock()
		g.busy.Wait()
	})
	return g
}

func (g *gate) address() string { return g.listener.Addr().String() }

// set sets a trap; there is one at a time.
func (g *gate) set(after int64) *trap {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.trap = &trap{after: after, sprung: make(chan struct{}), letGo: make(chan struct{})}
	return g.trap
}

func (g *gate) accept() {
	for {
		client, err := g.listener.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", g.server)
		if err != nil {
			_ = client.Close() // that is how a server that is down looks
			continue
		}
		g.remember(client, server)
		g.busy.Go(func() {
			_, _ = io.Copy(server, client) // a connection may end in any way
			_ = server.Close()
		})
		g.busy.Go(func() {
			g.toClient(client, server)
			_ = client.Close()
			_ = server.Close()
		})
	}
}

func (g *gate) remember(conns ...net.Conn) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, c := range conns {
		g.conns[c] = true
	}
}

func (g *gate) toClient(client, server net.Conn) {
	buf := make([]byte, 16<<10)
	for sent := int64(0); ; {
		n, err := server.Read(buf)
		if n > 0 {
			if t := g.caught(sent); t != nil {
				close(t.sprung)
				<-t.letGo
				return
			}
			if _, err := client.Write(buf[:n]); err != nil {
				return
			}
			sent += int64(n)
		}
		if err != nil {
			return
		}
	}
}

// caught takes the trap if the connection runs into it.
func (g *gate) caught(sent int64) *trap {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.trap == nil || sent <= g.trap.after {
		return nil
	}
	t := g.trap
	g.trap = nil
	return t
}
