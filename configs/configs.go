// Package configs holds ready-to-run projects. Each folder is a project of its own and,
// with it, an end-to-end test: what is shipped as an example is what is tested.
//
// The package only embeds what the program itself needs; it decodes nothing.
package configs

import (
	"embed"
	"io/fs"
)

//go:embed quickstart/*.hcl
var quickstart embed.FS

// Quickstart is the project that `unsilo demo` writes: the *.hcl files, at the top.
func Quickstart() (fs.FS, error) { return fs.Sub(quickstart, "quickstart") }
