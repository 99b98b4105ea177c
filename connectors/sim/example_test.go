package sim_test

import (
	"fmt"
	"time"

	"github.com/unsilo/unsilo/connectors/sim"
)

func ExampleNew() {
	company := sim.New(sim.Options{Customers: 100, Seed: 42})
	before := company.Now()
	changes := company.Advance(24 * time.Hour)
	contacts, err := company.Expected("crm", "contacts")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(before.Format(time.DateOnly), company.Now().Format(time.DateOnly))
	fmt.Println(len(changes) > 0, len(contacts.Rows) > 100, contacts.Columns[1])
	// Output:
	// 2026-04-27 2026-04-28
	// true true email
}
