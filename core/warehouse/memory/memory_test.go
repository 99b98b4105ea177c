package memory_test

import (
	"testing"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
	"github.com/unsilo/unsilo/core/warehouse/memory"
)

func TestContract(t *testing.T) {
	coretest.TestWarehouse(t, func(t *testing.T) core.Warehouse {
		w := memory.New()
		t.Cleanup(func() {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
		return w
	}, nil)
}
