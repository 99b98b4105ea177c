// Command unsilo-plugin-liar is a plugin for tests that does not use the sdk and breaks
// the rules of the border. How it starts depends on the name it is started under.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	plugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/unsilo/unsilo/plugins/host/testdata/numbers"
	"github.com/unsilo/unsilo/plugins/sdk"
	"github.com/unsilo/unsilo/plugins/wire"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

func main() {
	version := wire.Version
	name := strings.TrimSuffix(filepath.Base(os.Args[0]), ".exe")
	switch strings.TrimPrefix(name, wire.BinaryPrefix) {
	case "silent":
		time.Sleep(time.Hour)
	case "quits":
		fmt.Fprintln(os.Stderr, "cannot find my canary")
		os.Exit(3)
	case "babbler": // a line that never ends
		for {
			fmt.Print(strings.Repeat("bla", 10_000))
		}
	case "loud":
		fmt.Println("welcome to the plugin")
		fmt.Print("no end of line ")
		sdk.Serve(numbers.Connector())
		return
	case "future":
		version = 99
	}
	plugin.Serve(&plugin.ServeConfig{
		HandshakeConfig:  wire.Handshake(),
		VersionedPlugins: map[int]plugin.PluginSet{version: {wire.PluginName: liar{}}},
		GRPCServer:       plugin.DefaultGRPCServer,
	})
	if name == wire.BinaryPrefix+"clinger" {
		time.Sleep(time.Hour) // Shutdown was asked for; stay
	}
}

type liar struct {
	plugin.NetRPCUnsupportedPlugin
	wirev1.UnimplementedPluginServer
}

func (l liar) GRPCServer(_ *plugin.GRPCBroker, s *grpc.Server) error {
	wirev1.RegisterPluginServer(s, &server{})
	return nil
}

func (l liar) GRPCClient(context.Context, *plugin.GRPCBroker, *grpc.ClientConn) (any, error) {
	return nil, nil
}

// server serves one connector whose behaviour Open's configuration names.
type server struct {
	wirev1.UnimplementedPluginServer
	act string
}

func (s *server) Spec(context.Context, *wirev1.SpecRequest) (*wirev1.SpecResponse, error) {
	return &wirev1.SpecResponse{Specs: []*wirev1.Spec{{Name: "liar", Version: "1"}}}, nil
}

func (s *server) Open(_ context.Context, req *wirev1.OpenRequest) (*wirev1.OpenResponse, error) {
	cfg, err := wire.ConfigFromWire(req.GetConfig())
	s.act = cfg.String("act")
	return &wirev1.OpenResponse{Source: 1, Error: wire.ErrorToWire(err)}, nil
}

func (s *server) Check(ctx context.Context, _ *wirev1.CheckRequest) (*wirev1.CheckResponse, error) {
	if s.act == "pid" {
		return &wirev1.CheckResponse{Error: &wirev1.Error{Text: fmt.Sprint(os.Getpid())}}, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}
