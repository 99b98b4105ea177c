package model_test

import (
	"fmt"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/model"
)

func ExampleDecode() {
	file, _ := hclsyntax.ParseConfig([]byte(`
		sql      = "SELECT state, count(*) AS n FROM ${source.erp.invoices} GROUP BY state"
		question = "How many invoices are open?"
		chart    = "bar"
		test "unique" { columns = ["state"] }
	`), "models.hcl", hcl.InitialPos)
	m, diags := model.Decode("invoice_states", file.Body, eval(), []core.TableName{{Schema: "raw_erp", Name: "invoices"}})
	if diags.HasErrors() {
		fmt.Println(diags)
		return
	}
	answer := m.(*model.SQLModel)
	fmt.Println(answer.Ref(), "writes", answer.Output())
	fmt.Println(answer.Question(), answer.Chart())
	fmt.Println(answer.SQL())
	// Output:
	// model.invoice_states writes marts.invoice_states
	// How many invoices are open? bar
	// SELECT state, count(*) AS n FROM "raw_erp"."invoices" GROUP BY state
}
