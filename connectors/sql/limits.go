package sql

import (
	"errors"
	"fmt"
	"time"

	"github.com/unsilo/unsilo/core"
)

// limits bound what one source asks of a server.
type limits struct {
	connections        int64
	connect, statement time.Duration
}

func loadLimits(cfg core.Config) (limits, error) {
	l := limits{connections: cfg.Int("max_connections")}
	if l.connections == 0 {
		l.connections = 4
	}
	if l.connections < 0 {
		return l, fault(core.KindConfig, "open", "max_connections", "write 1 or more", errors.New("max_connections is negative"))
	}
	var err error
	if l.connect, err = cfg.Duration("connect_timeout"); err != nil {
		return l, err
	}
	if l.connect == 0 {
		l.connect = 10 * time.Second
	}
	l.statement, err = cfg.Duration("statement_timeout")
	return l, err
}

func loadZone(cfg core.Config) (*time.Location, error) {
	name := cfg.String("timezone")
	if name == "" {
		return time.UTC, nil
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fault(core.KindConfig, "open", "timezone", "write a name such as Europe/Helsinki", fmt.Errorf("%q is not a time zone", name))
	}
	return zone, nil
}
