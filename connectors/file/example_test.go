package file_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/unsilo/unsilo/connectors/file"
	"github.com/unsilo/unsilo/core"
)

func ExampleConnector() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "orders.csv")
	if err := os.WriteFile(path, []byte("id,total\n1,9.50\n2,3.25\n"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	ctx := context.Background()
	src, err := file.Connector().Open(ctx, core.Config{Streams: []core.StreamConfig{
		{Name: "orders", PrimaryKey: []string{"id"}, Values: map[string]any{"path": path}},
	}})
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
	err = src.Read(ctx, core.ReadRequest{Stream: streams[0]}, func(b core.Batch) error {
		if b.Rows != nil {
			fmt.Println(b.Rows.NumRows(), "rows of", streams[0].Schema.Field(1).Name)
		}
		return nil
	})
	fmt.Println(err)
	// Output:
	// 2 rows of total
	// <nil>
}
