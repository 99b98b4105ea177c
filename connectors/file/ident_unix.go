//go:build unix

package file

import (
	"io/fs"
	"strconv"
	"syscall"
)

// ident names a file by device and inode.
func ident(info fs.FileInfo) string {
	st, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	return strconv.FormatUint(uint64(st.Dev), 36) + "." + strconv.FormatUint(st.Ino, 36)
}
