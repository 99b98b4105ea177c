package file

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/unsilo/unsilo/core"
)

// local is the file system of this machine. Patterns are those of path.Match for each
// element of the path; ** stands for any number of folders, {a,b} for a choice. Like in a
// shell, * does not match a leading dot.
type local struct{}

// List gives the regular files that match; links to files are followed, links to folders
// are not.
func (local) List(ctx context.Context, pattern string) ([]Entry, error) {
	var entries []Entry
	var fault error
	for _, p := range braces(filepath.ToSlash(pattern)) {
		found, err := listOne(ctx, p)
		if err != nil && core.KindOf(err) != core.KindPermission {
			return nil, err
		}
		if fault == nil {
			fault = err
		}
		entries = append(entries, found...)
	}
	return entries, fault
}

// listOne lists a pattern without braces.
func listOne(ctx context.Context, pattern string) ([]Entry, error) {
	root, elements := fixedPart(pattern)
	for _, e := range elements {
		if _, err := path.Match(e, ""); err != nil {
			return nil, &core.Error{Kind: core.KindConfig, Op: "list files", Path: "path", Err: fmt.Errorf("%q is not a pattern", e)}
		}
	}
	walk := walker{ctx: ctx, root: root}
	if len(elements) == 0 {
		walk.root = path.Dir(root)
		err := walk.add(root)
		return walk.entries, cmp.Or(err, walk.fault)
	}
	err := walk.folder(root, elements)
	return walk.entries, cmp.Or(err, walk.fault)
}

// commonRoot is the folder that all patterns have in common, from which files are named when
// there are several: files of one name in different folders are then called differently.
func commonRoot(patterns []string) (root string, several bool) {
	var common []string
	n := 0
	for _, pattern := range patterns {
		if isURL(pattern) {
			return "", false
		}
		for _, p := range braces(filepath.ToSlash(pattern)) {
			dir, elements := fixedPart(p)
			if len(elements) == 0 {
				dir = path.Dir(dir)
			}
			parts := strings.Split(dir, "/")
			if n++; n == 1 {
				common = parts
				continue
			}
			same := 0
			for same < len(common) && same < len(parts) && common[same] == parts[same] {
				same++
			}
			common = common[:same]
		}
	}
	return strings.Join(common, "/"), n > 1
}

func relativeTo(root, name string) string {
	if root != "" && root != "." {
		name = strings.TrimPrefix(name, root)
	}
	return strings.TrimPrefix(name, "/")
}

// fixedPart splits a pattern into the folder before the first wildcard and the elements
// from there on.
func fixedPart(pattern string) (root string, elements []string) {
	all := strings.Split(path.Clean(pattern), "/")
	for i, e := range all {
		if strings.ContainsAny(e, `*?[\`) {
			root = strings.Join(all[:i], "/")
			if root == "" && strings.HasPrefix(pattern, "/") {
				root = "/"
			}
			if root == "" {
				root = "."
			}
			return root, all[i:]
		}
	}
	return path.Clean(pattern), nil
}

type walker struct {
	ctx     context.Context
	root    string
	entries []Entry
	// fault is the first refusal; what else there is is listed nevertheless.
	fault error
}

// pass takes an error of one file or folder. What is not there, or leads nowhere, does not
// match.
func (w *walker) pass(name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) || errors.Is(err, syscall.ELOOP) {
		return nil
	}
	err = localError("list files", name, err)
	if core.KindOf(err) != core.KindPermission {
		return err
	}
	if w.fault == nil {
		w.fault = err
	}
	return nil
}

// folder matches the elements below a folder.
func (w *walker) folder(dir string, elements []string) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	if elements[0] == "**" {
		if len(elements) == 1 {
			elements = []string{"**", "*"}
		}
		if err := w.folder(dir, elements[1:]); err != nil {
			return err
		}
	}
	children, err := os.ReadDir(filepath.FromSlash(dir))
	if err != nil {
		return w.pass(dir, err)
	}
	for _, child := range children {
		name := path.Join(dir, child.Name())
		switch {
		case elements[0] == "**":
			if child.IsDir() && !strings.HasPrefix(child.Name(), ".") {
				err = w.folder(name, elements)
			}
		case !matches(elements[0], child.Name()):
		case len(elements) > 1:
			if child.IsDir() || isFolder(child, name) {
				err = w.folder(name, elements[1:])
			}
		default:
			err = w.add(name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// isFolder follows a link that stands where the pattern spells out a folder.
func isFolder(child fs.DirEntry, name string) bool {
	if child.Type()&fs.ModeSymlink == 0 {
		return false
	}
	info, err := os.Stat(filepath.FromSlash(name))
	return err == nil && info.IsDir()
}

func matches(element, name string) bool {
	if strings.HasPrefix(name, ".") && !strings.HasPrefix(element, ".") {
		return false
	}
	ok, err := path.Match(element, name)
	return ok && err == nil
}

// add notes a file, if it is one and is still there.
func (w *walker) add(name string) error {
	info, err := os.Stat(filepath.FromSlash(name))
	if err != nil {
		return w.pass(name, err)
	}
	if !info.Mode().IsRegular() {
		return nil
	}
	itself, err := os.Lstat(filepath.FromSlash(name))
	if err != nil {
		return w.pass(name, err)
	}
	w.entries = append(w.entries, Entry{
		Path: name, Name: relativeTo(w.root, name), Size: info.Size(), ModTime: info.ModTime(), Ident: ident(info),
		Link: itself.Mode()&fs.ModeSymlink != 0,
	})
	return nil
}

// Open opens the file, if it is still the one that was listed.
func (local) Open(_ context.Context, e Entry, offset int64) (io.ReadCloser, error) {
	f, err := os.Open(filepath.FromSlash(e.Path))
	if err != nil {
		return nil, localError("open", e.Name, err)
	}
	info, err := f.Stat()
	if err == nil && ident(info) != e.Ident {
		err = errMoved
	}
	if err == nil && offset > 0 {
		_, err = f.Seek(offset, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(localError("open", e.Name, err), f.Close())
	}
	return f, nil
}

// errMoved says that a rotation came between listing and opening.
var errMoved = errors.New("another file has taken its place")

func localError(op, name string, err error) error {
	kind, try := core.KindUnavailable, ""
	var cause *fs.PathError
	if errors.As(err, &cause) {
		err = cause.Err
	}
	if errors.Is(err, fs.ErrPermission) {
		kind, try = core.KindPermission, "let this user read the file and its folder"
	}
	return &core.Error{Kind: kind, Op: op, Try: try, Err: fmt.Errorf("%s: %w", name, err)}
}

// braces expands {a,b} into its choices; an unmatched brace stands for itself.
func braces(pattern string) []string {
	open := strings.IndexByte(pattern, '{')
	if open < 0 {
		return []string{pattern}
	}
	depth, from := 0, open+1
	var choices []string
	for i := open; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '{':
			depth++
		case c == ',' && depth == 1, c == '}' && depth == 1:
			choices = append(choices, pattern[from:i])
			from = i + 1
			if c == '}' {
				return expand(pattern[:open], choices, pattern[i+1:])
			}
		case c == '}':
			depth--
		}
	}
	return []string{pattern}
}

// maxChoices bounds what braces may multiply to.
const maxChoices = 1000

func expand(before string, choices []string, after string) []string {
	var out []string
	for _, choice := range choices {
		for _, p := range braces(before + choice + after) {
			if len(out) < maxChoices {
				out = append(out, p)
			}
		}
	}
	return out
}
