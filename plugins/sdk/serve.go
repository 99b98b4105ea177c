// Package sdk is all that a plugin's author needs besides core: a main that calls Serve
// with connectors is a plugin.
//
//	func main() { sdk.Serve(journal.Connector()) }
//
// It serves connectors to the process that started it: it joins small batches, cuts
// large ones, blocks a connector while the host is busy, turns a connector's panic into
// an error of one call, sends logs (log/slog) to the host, and ends the process within
// seconds when the host is gone. It knows nothing of the host's side, of warehouses or of HCL.
package sdk

import (
	"context"
	"os"
	"sync"

	"github.com/hashicorp/go-hclog"
	plugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/wire"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// maxRequest bounds what a host may send in one message.
const maxRequest = 64 << 20

// writeBuffer comes together before it is encrypted and written: little enough to be in a
// processor's cache still when that happens.
const writeBuffer = 64 << 10

// Serve serves the connectors, which together are one family, until the host ends the
// process. It does not return to a useful state: call it last in main.
//
// Standard output belongs to the handshake. What is printed there is shown as a log
// line, at any time, and does no harm.
func Serve(connectors ...core.Connector) {
	stderr := os.Stderr // go-plugin replaces the variable
	served := NewPlugin(connectors...)
	served.server.restore = sync.OnceFunc(func() { os.Stdout, os.Stderr = stderr, stderr })
	watchHost(stderr)
	logs := newLogHandler(stderr)
	logs.install()
	served.server.logs = logs
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  wire.Handshake(),
		VersionedPlugins: map[int]plugin.PluginSet{wire.Version: {wire.PluginName: served}},
		Logger:           hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: stderr, JSONFormat: true}),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			return grpc.NewServer(append(opts, grpc.ForceServerCodecV2(wire.Codec()), grpc.MaxRecvMsgSize(maxRequest), grpc.WriteBufferSize(writeBuffer))...)
		},
	})
}

// Plugin is the serving half of the border, for tests that join both halves in memory.
type Plugin struct {
	plugin.NetRPCUnsupportedPlugin
	server *server
}

var _ plugin.GRPCPlugin = (*Plugin)(nil)

// NewPlugin serves the connectors as Serve does, but starts nothing by itself.
func NewPlugin(connectors ...core.Connector) *Plugin {
	return &Plugin{server: newServer(connectors)}
}

// GRPCServer registers the service.
func (p *Plugin) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	wirev1.RegisterPluginServer(s, p.server)
	return nil
}

// GRPCClient is not this side's business.
func (p *Plugin) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, &core.Error{Kind: core.KindInternal, Op: "dial plugin from its own side"}
}
