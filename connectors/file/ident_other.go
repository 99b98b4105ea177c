//go:build !unix

package file

import "io/fs"

func ident(fs.FileInfo) string { return "" }
