package sim_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/unsilo/unsilo/connectors/sim"
)

// BenchmarkServe makes a company with files, database and truth, and lets a day pass.
func BenchmarkServe(b *testing.B) {
	for _, customers := range []int{2000, 100000} {
		b.Run(fmt.Sprint(customers), func(b *testing.B) {
			for b.Loop() {
				begin := time.Now()
				s, err := sim.Serve(context.Background(), sim.ServeOptions{
					Options: sim.Options{Customers: customers, Seed: 42}, Dir: b.TempDir(),
				})
				if err != nil {
					b.Fatal(err)
				}
				made := time.Now()
				if _, err := s.Advance(context.Background(), 24*time.Hour); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(made.Sub(begin).Seconds(), "s/company")
				b.ReportMetric(time.Since(made).Seconds(), "s/day")
				if err := s.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
