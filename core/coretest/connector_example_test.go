package coretest_test

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/coretest"
)

// Conformance reports on a connector outside of tests.
func ExampleConformance() {
	report := coretest.Conformance(context.Background(), coretest.ConnectorCase{
		Connector: newShelf("state.resume", memory.DefaultAllocator), // one with a strict > on its cursor
		Config:    core.Config{Values: map[string]any{"token": "good token", "size": int64(4)}},
	})
	for _, res := range report.Results {
		if res.Outcome == coretest.Fail {
			fmt.Println(res.ID + ": " + res.Detail)
		}
	}
	// Output:
	// request.from: stream "items": 4 rows are missing, 0 are too many, 0 differ, of 20
	// state.resume: stream "items": from the state after row 3: 1 rows are missing, 0 are too many, 0 differ, of 40
}
