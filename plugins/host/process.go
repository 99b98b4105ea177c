package host

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/go-hclog"
	plugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/experimental"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/wire"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// process is one running plugin.
type process struct {
	host   *Host
	family string
	client *plugin.Client
	child  *child
	rpc    wirev1.PluginClient
	health grpc_health_v1.HealthClient
	tail   tail
	// lines paces the log, dropped counts what it cost.
	lines   *rate.Limiter
	dropped atomic.Int64

	stopped context.Context // ends with stop
	end     context.CancelFunc
	tasks   errgroup.Group
	once    sync.Once

	mu        sync.Mutex
	socketDir string
	condemned error // why the host killed it
}

// start starts a plugin and waits for its handshake.
func (h *Host) start(ctx context.Context, family string) (*process, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	bin, err := h.open(family)
	if err != nil {
		return nil, err
	}
	p := &process{host: h, family: family, lines: rate.NewLimiter(logRate, logBurst)}
	p.stopped, p.end = context.WithCancel(context.Background())
	stderr := &lineWriter{line: func(s string) { p.tail.add(s); p.log(s, slog.LevelInfo) }}
	printed := func(s string) { p.log(s, slog.LevelInfo) }
	p.client = plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  wire.Handshake(),
		VersionedPlugins: map[int]plugin.PluginSet{wire.Version: {wire.PluginName: clientPlugin{}}},
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     h.opt.StartTimeout,
		Logger:           hclog.NewNullLogger(), // lines are read below, once
		Stderr:           stderr,
		SyncStdout:       &lineWriter{line: printed},
		SyncStderr:       &lineWriter{line: printed},
		GRPCDialOptions:  dialOptions(),
		RunnerFunc: func(_ hclog.Logger, cmd *exec.Cmd, socketDir string) (runner.Runner, error) {
			return p.setChild(socketDir, newChild(bin, append(h.environment(), cmd.Env...), h.opt.MemoryLimit, printed))
		},
	})
	if err := p.connect(ctx); err != nil {
		p.stop()
		bin.file.Close()
		return nil, err
	}
	if !h.remember(p) {
		p.stop()
		return nil, &core.Error{Kind: core.KindInternal, Op: "start plugin " + family, Err: errors.New("the host is closed")}
	}
	p.tasks.Go(p.watch)
	p.tasks.Go(p.readLogs)
	return p, nil
}

// dialOptions bound what a plugin can make the host hold: one event in memory, and the
// window of each stream besides.
func dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(wire.MessageLimit), grpc.ForceCodecV2(wire.Codec())),
		grpc.WithInitialWindowSize(8 << 20),
		grpc.WithInitialConnWindowSize(16 << 20),
		grpc.WithReadBufferSize(0), // TLS has a buffer already, and from a second one all is copied once more
		experimental.WithBufferPool(&frameBuffers{}),
	}
}

// connect starts the process and makes its client.
func (p *process) connect(ctx context.Context) error {
	stop := context.AfterFunc(ctx, func() { p.condemn(ctx.Err()) })
	defer stop()
	conn, err := p.client.Client()
	if err == nil {
		var raw any
		if raw, err = conn.Dispense(wire.PluginName); err == nil {
			c := raw.(grpc.ClientConnInterface)
			p.rpc, p.health = wirev1.NewPluginClient(c), grpc_health_v1.NewHealthClient(c)
			return nil
		}
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return p.startError(err)
}

func (p *process) startError(err error) error {
	p.awaitOutput()
	text := strings.Split(err.Error(), "\n")[0]
	if lines, _ := p.tail.text(); lines != "" {
		text += "; it wrote:\n  " + lines
	}
	return &core.Error{Kind: core.KindConfig, Op: "start plugin " + p.family, Err: errors.New(p.host.opt.Redact(text)),
		Try: "see `unsilo plugin list`, or install a plugin built for this version of unsilo and this machine"}
}

// setChild keeps the runner, unless the start was given up before.
func (p *process) setChild(socketDir string, c *child) (runner.Runner, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.socketDir = socketDir
	if p.condemned != nil {
		return nil, p.condemned
	}
	p.child = c
	return c, nil
}

// awaitOutput gives the last lines of a process that just ended time to arrive.
func (p *process) awaitOutput() {
	if p.child == nil {
		return
	}
	select {
	case <-p.child.exited:
		time.Sleep(20 * time.Millisecond)
	case <-time.After(100 * time.Millisecond):
	}
}

// environment is all a plugin sees of the host's.
func (h *Host) environment() []string {
	names := append([]string{
		"HOME", "TMPDIR", "TZ", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR",
		"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
		"SystemRoot", "TEMP", "TMP", "USERPROFILE",
	}, h.opt.Env...)
	env := []string{
		wire.EnvHostPID + "=" + strconv.Itoa(os.Getpid()),
		"GOMAXPROCS=" + strconv.Itoa(h.opt.MaxProcs),
	}
	if h.opt.MemoryLimit > 0 {
		env = append(env, "GOMEMLIMIT="+strconv.FormatInt(h.opt.MemoryLimit, 10))
	}
	for _, name := range names {
		if v, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+v)
		}
	}
	return env
}

// alive reports whether the process runs and may be used.
func (p *process) alive() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.child.exited:
		return false
	case <-p.stopped.Done():
		return false
	default:
		return p.condemned == nil
	}
}

// condemn kills the process; why stands in the errors of its calls.
func (p *process) condemn(why error) {
	p.mu.Lock()
	if p.condemned == nil {
		p.condemned = why
	}
	c := p.child
	p.mu.Unlock()
	if c != nil {
		_ = c.Kill(context.Background())
	}
}

// stop ends the process: asked first, killed when it does not listen. It returns when
// the process is gone.
func (p *process) stop() {
	p.once.Do(func() {
		p.end()
		killer := time.AfterFunc(p.host.opt.CloseGrace, func() { p.condemn(errors.New("it did not exit when asked")) })
		p.client.Kill()
		killer.Stop()
		p.removeSockets()
		_ = p.tasks.Wait()
		p.host.forget(p)
	})
}

// removeSockets removes the folder of the plugin's sockets, which go-plugin leaves behind
// after a start that failed.
func (p *process) removeSockets() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.socketDir != "" {
		_ = os.RemoveAll(p.socketDir)
	}
}

// watch asks for a sign of life, and kills a process that gives none.
func (p *process) watch() error {
	limit := p.host.opt.HangTimeout
	for {
		select {
		case <-p.stopped.Done():
			return nil
		case <-p.child.exited:
			return nil
		case <-time.After(limit / 3):
		}
		ctx, cancel := context.WithTimeout(p.stopped, limit)
		_, err := p.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: plugin.GRPCServiceName})
		cancel()
		if status.Code(err) == codes.DeadlineExceeded {
			p.condemn(fmt.Errorf("it gave no sign of life for %s", limit))
			return nil
		}
	}
}

// readLogs passes on the records that come by the Logs call.
func (p *process) readLogs() error {
	stream, err := p.rpc.Logs(p.stopped, &wirev1.LogsRequest{})
	for err == nil {
		var r *wirev1.LogRecord
		if r, err = stream.Recv(); err == nil {
			line := LogLine{Time: r.GetTime().AsTime(), Level: slog.Level(r.GetLevel()), Message: r.GetMessage()}
			for _, a := range r.GetAttributes() {
				line.Attrs = append(line.Attrs, slog.String(a.GetKey(), a.GetValue()))
			}
			p.emit(line)
		}
	}
	if err != nil && err != io.EOF && p.alive() && status.Code(err) != codes.Unimplemented {
		p.emit(LogLine{Time: time.Now(), Level: slog.LevelWarn, Message: "the log of the plugin broke off: " + err.Error()})
	}
	return nil
}

func (p *process) log(line string, level slog.Level) { p.emit(parseLine(line, level)) }

// Limits of a plugin's log: lines beyond them are counted and dropped.
const (
	logRate  = 500 // lines a second
	logBurst = 5000
)

// emit redacts a line and passes it on, unless the plugin floods its log.
func (p *process) emit(l LogLine) {
	if !p.lines.Allow() {
		p.dropped.Add(1)
		return
	}
	if n := p.dropped.Swap(0); n > 0 {
		p.host.opt.Log(LogLine{Time: time.Now(), Level: slog.LevelWarn, Family: p.family,
			Message: "log lines were dropped because they came too fast", Attrs: []slog.Attr{slog.Int64("dropped", n)}})
	}
	redact := p.host.opt.Redact
	l.Family, l.Message = p.family, redact(l.Message)
	for i, a := range l.Attrs {
		l.Attrs[i] = slog.String(a.Key, redact(a.Value.String()))
	}
	p.host.opt.Log(l)
}

// deadlineSlack is by how much two processes may differ on when a deadline is.
const deadlineSlack = 50 * time.Millisecond

// failure turns the error of a call into one that says what happened to the process.
func (p *process) failure(ctx context.Context, op, stream string, err error) error {
	if until, ok := ctx.Deadline(); ok && time.Until(until) < deadlineSlack {
		<-ctx.Done() // the plugin has the same deadline, and may have been faster to notice
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	e := &core.Error{Kind: core.KindInternal, Op: op, Stream: stream}
	if status.Code(err) != codes.Unavailable {
		e.Err = fmt.Errorf("plugin %s: %s", p.family, p.host.opt.Redact(status.Convert(err).Message()))
		return e
	}
	select {
	case <-p.child.exited:
	case <-time.After(2 * time.Second):
	}
	p.awaitOutput()
	e.Kind, e.Err = p.obituary(err)
	e.Try = "run again; the stream goes on where it was stored last"
	return e
}

// obituary says how the process ended, and of what kind that is: a Go panic is a defect
// and will come again, other ends may not.
func (p *process) obituary(err error) (core.Kind, error) {
	p.mu.Lock()
	why := p.condemned
	p.mu.Unlock()
	if why != nil {
		return core.KindUnavailable, fmt.Errorf("plugin %s was killed: %w", p.family, why)
	}
	select {
	case <-p.child.exited:
	default:
		return core.KindUnavailable, fmt.Errorf("plugin %s: %s", p.family, status.Convert(err).Message())
	}
	text := fmt.Sprintf("plugin %s ended: %s", p.family, exitText(p.child))
	lines, panicked := p.tail.text()
	if lines != "" {
		text += "; its last words:\n  " + p.host.opt.Redact(lines)
	}
	if panicked {
		return core.KindInternal, errors.New(text)
	}
	return core.KindUnavailable, errors.New(text)
}

func exitText(c *child) string {
	if state := c.cmd.ProcessState; state != nil {
		return state.String()
	}
	return "on " + runtime.GOOS + ", unknown how"
}
