package sql_test

import (
	"fmt"

	"github.com/unsilo/unsilo/connectors/sql"
)

func ExampleConnectors() {
	for _, c := range sql.Connectors() {
		fmt.Println(c.Spec().Name+":", c.Spec().Summary)
	}
	// Output:
	// postgres: Tables, views and queries of a PostgreSQL database
	// mysql: Tables, views and queries of a MySQL or MariaDB database
	// sqlite: Tables, views and queries of an SQLite file
}
