package config_test

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
)

// A project is a folder of *.hcl files. What is wrong with it is reported with the place
// and something to try.
func ExampleLoad() {
	dir, err := os.MkdirTemp("", "project")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	src := `source "crm" "sales" {
  tokn = secret("env:CRM_TOKEN")
}
`
	if err := os.WriteFile(filepath.Join(dir, "main.hcl"), []byte(src), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	spec := core.Spec{Name: "crm", Fields: []core.Field{{Name: "token", Type: core.TypeString, Secret: true}}}
	_, diagnostics := config.Load(dir, config.Options{
		Spec:  func(kind string) (core.Spec, bool) { return spec, kind == spec.Name },
		Kinds: []string{spec.Name},
	})
	config.RenderText(os.Stdout, diagnostics, false)
	// Output:
	// Error: Unknown attribute "tokn"
	//
	//   on main.hcl line 2, column 3, in source "crm" "sales":
	//   2:   tokn = secret("env:CRM_TOKEN")
	//        ^^^^
	//
	//   source.sales has no attribute of this name.
	//
	//   Did you mean "token"?
}
