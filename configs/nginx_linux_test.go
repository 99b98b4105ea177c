package configs_test

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// nginx is a private nginx: on a loopback port, with a configuration and logs in a
// temporary folder, as an unprivileged user.
type nginx struct {
	dir     string
	address string
	process *exec.Cmd
	client  *http.Client
	// sent are the requests that were answered.
	sent []visit
}

// A visit is one request and what came back.
type visit struct {
	method, path, cookie, referer string
	status                        int
	size                          int64
}

const nginxConfig = `daemon off;
worker_processes 1;
pid %[1]s/pid;
error_log %[1]s/error.log;
events { worker_connections 64; }
http {
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/fastcgi;
  uwsgi_temp_path %[1]s/uwsgi; scgi_temp_path %[1]s/scgi;
  log_format shop '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                  '"$http_referer" "$http_user_agent" "$cookie_vid" "$request_id" $request_time';
  access_log %[1]s/access.log shop;
  server {
    listen %[2]s;
    location / { default_type text/plain; return 200 "ok\n"; }
    location /account/login { return 204; }
    location /checkout/pay { return 503; }
    location /old { return 301 /new; }
  }
}
`

func startNginx(t *testing.T) *nginx {
	t.Helper()
	program := lookNginx()
	if program == "" {
		absent(t, "nginx is not installed")
	}
	dir, err := os.MkdirTemp("", "unsilo-nginx-") // t.TempDir lets nobody else in
	must(t, err)
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	n := &nginx{dir: dir, address: freeAddress(t), client: &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: 10 * time.Second}}
	t.Cleanup(n.client.CloseIdleConnections)
	config := filepath.Join(n.dir, "nginx.conf")
	must(t, os.WriteFile(config, fmt.Appendf(nil, nginxConfig, n.dir, n.address), 0o644))
	n.process = exec.Command(program, "-p", n.dir, "-c", config, "-e", filepath.Join(n.dir, "error.log"))
	n.process.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGQUIT, Credential: nobody(t, n.dir)}
	must(t, n.process.Start())
	t.Cleanup(func() {
		_ = n.process.Process.Signal(syscall.SIGQUIT) // it may have ended
		_ = n.process.Wait()
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if c, err := net.Dial("tcp", n.address); err == nil {
			must(t, c.Close())
			return n
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(filepath.Join(n.dir, "error.log")) // without it the message is short
			t.Fatalf("nginx does not answer\n%s", log)
		}
	}
}

func lookNginx() string {
	for _, path := range []string{"nginx", "/usr/sbin/nginx", "/usr/local/sbin/nginx"} {
		if found, err := exec.LookPath(path); err == nil {
			return found
		}
	}
	return ""
}

// absent ends a test for which something is not installed: skipped, or failed where
// servers are required.
func absent(t *testing.T, reason string) {
	t.Helper()
	if os.Getenv("UNSILO_REQUIRE_SERVERS") == "1" {
		t.Fatal(reason)
	}
	t.Skip(reason)
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { must(t, l.Close()) }()
	return l.Addr().String()
}

// nobody gives folders to the unprivileged user that a server runs as; nil is the user of
// the test.
func nobody(t *testing.T, dirs ...string) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := user.Lookup("nobody")
	must(t, err)
	uid, err := strconv.Atoi(u.Uid)
	must(t, err)
	gid, err := strconv.Atoi(u.Gid)
	must(t, err)
	for _, dir := range dirs {
		must(t, os.Chown(dir, uid, gid))
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// visit sends a request and keeps it with the answer.
func (n *nginx) visit(t *testing.T, v visit) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), v.method, "http://"+n.address+v.path, nil)
	must(t, err)
	req.Header.Set("User-Agent", `Probe "1.0" \ (test)`)
	if v.cookie != "" {
		req.Header.Set("Cookie", "theme=dark; vid="+v.cookie)
	}
	if v.referer != "" {
		req.Header.Set("Referer", v.referer)
	}
	resp, err := n.client.Do(req)
	must(t, err)
	v.size, err = io.Copy(io.Discard, resp.Body)
	must(t, err)
	must(t, resp.Body.Close())
	v.status = resp.StatusCode
	n.sent = append(n.sent, v)
}

// babble sends what is no HTTP; nginx answers and logs that too.
func (n *nginx) babble(t *testing.T) {
	t.Helper()
	c, err := net.Dial("tcp", n.address)
	must(t, err)
	_, err = c.Write([]byte("\x16\x03\x01 hello\r\n\r\n"))
	must(t, err)
	answer, err := io.ReadAll(c)
	must(t, err)
	must(t, c.Close())
	_, body, _ := strings.Cut(string(answer), "\r\n\r\n")
	n.sent = append(n.sent, visit{path: "\x16\x03\x01 hello", status: http.StatusBadRequest, size: int64(len(body))})
}

func (n *nginx) log() string { return filepath.Join(n.dir, "access.log") }

// settle waits until every answered request is in a log: nginx logs after it answers, and
// for a moment after a rotation still into the renamed one.
func (n *nginx) settle(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		switch have := len(readLines(t, n.log()+"*")); {
		case have == len(n.sent):
			return
		case have > len(n.sent) || time.Now().After(deadline):
			t.Fatalf("the logs have %d lines for %d requests", have, len(n.sent))
		}
	}
}

// rotate does what logrotate does: an older log is packed, the log renamed, and nginx told
// to open its log anew.
func (n *nginx) rotate(t *testing.T) {
	t.Helper()
	n.settle(t)
	if _, err := os.Stat(n.log() + ".1"); err == nil {
		pack(t, n.log()+".1", n.log()+".2.gz")
	}
	must(t, os.Rename(n.log(), n.log()+".1"))
	must(t, n.process.Process.Signal(syscall.SIGUSR1))
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(n.log()); err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("nginx does not open its log anew")
		}
	}
}

// pack compresses a file and removes it.
func pack(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	must(t, err)
	f, err := os.Create(to)
	must(t, err)
	z := gzip.NewWriter(f)
	_, err = z.Write(text)
	must(t, err)
	must(t, z.Close())
	must(t, f.Close())
	must(t, os.Remove(from))
}

// readLines reads the lines of all files of a pattern, packed or not.
func readLines(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	must(t, err)
	var lines []string
	for _, name := range names {
		f, err := os.Open(name)
		must(t, err)
		var r io.Reader = f
		if strings.HasSuffix(name, ".gz") {
			r, err = gzip.NewReader(f)
			must(t, err)
		}
		in := bufio.NewScanner(r)
		for in.Scan() {
			lines = append(lines, in.Text())
		}
		must(t, in.Err())
		must(t, f.Close())
	}
	return lines
}
