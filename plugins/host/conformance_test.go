package host_test

import (
	"testing"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
	"github.com/unsilo/unsilo/plugins/host/testdata/numbers"
)

// TestConformance runs the one suite on both sides of the border.
func TestConformance(t *testing.T) {
	h, _ := newHost(t, nil)
	remote, err := h.Connector(t.Context(), "chaos", "numbers")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]core.Connector{"in process": numbers.Connector(), "through the wire": remote} {
		t.Run(name, func(t *testing.T) {
			coretest.TestConnector(t, coretest.ConnectorCase{
				Connector:  c,
				Config:     core.Config{Source: "test", Values: map[string]any{"rows": int64(500), "batch": int64(7), "token": "a good token"}},
				BadConfigs: []core.Config{{Values: map[string]any{"rows": int64(-1)}}},
				Rows:       map[string]int64{"numbers": 500},
			})
		})
	}
}
