package host_test

import (
	"context"
	"fmt"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/host"
)

// A connector in another process is used like any other.
func ExampleHost_Connector() {
	ctx := context.Background()
	h := host.New(host.Options{Dirs: []string{pluginDir}})
	defer h.Close()
	numbers, err := h.Connector(ctx, "chaos", "numbers")
	if err != nil {
		fmt.Println(err)
		return
	}
	src, err := numbers.Open(ctx, core.Config{Source: "mine", Values: map[string]any{"rows": int64(25), "batch": int64(10)}})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer src.Close()
	streams, err := src.Streams(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	rows := int64(0)
	err = src.Read(ctx, core.ReadRequest{Stream: streams[0]}, func(b core.Batch) error {
		rows += b.Rows.NumRows()
		return nil
	})
	fmt.Println(streams[0].Name, rows, err)
	// Output: numbers 25 <nil>
}
