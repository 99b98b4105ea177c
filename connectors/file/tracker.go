package file

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strings"
)

// A task is a file with something new in it.
type task struct {
	entry Entry
	known *known
	// meter has passed what was read before; nil starts at the beginning.
	meter *meter
}

// A tracker compares the files that are there with those known, and finds what to read.
// An entry meets the known file of the same identity, or else of the same name, and must
// prove by its content that it is that file. What is left over on both sides is compared by
// content alone, for a rotation may have copied or compressed it.
type tracker struct {
	opener opener
	// whole files are read from the beginning whenever they change.
	whole bool
	files []*known

	claimed map[*known]Entry
	byIdent map[string]*known
	byName  map[string]*known
	tasks   []task
	// faults are of files that could not be compared; the others go on.
	faults []error
}

// plan fills tasks, in the order in which the files were changed.
func (t *tracker) plan(ctx context.Context, entries []Entry) error {
	entries = withoutPacked(entries)
	slices.SortFunc(entries, func(a, b Entry) int {
		return cmp.Or(a.ModTime.Compare(b.ModTime), cmp.Compare(a.Name, b.Name))
	})
	t.index()
	idents := map[string]bool{}
	for _, e := range entries {
		idents[e.Ident] = true
	}
	var unknown []Entry
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		met, err := t.meet(ctx, e, t.candidate(e, idents))
		if !t.note(err) && !met {
			unknown = append(unknown, e)
		}
	}
	byHead := t.headIndex()
	for _, e := range unknown {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.note(t.welcome(ctx, e, byHead))
	}
	t.age()
	slices.SortStableFunc(t.tasks, func(a, b task) int {
		return cmp.Or(a.entry.ModTime.Compare(b.entry.ModTime), cmp.Compare(a.entry.Name, b.entry.Name))
	})
	return nil
}

// note keeps an error of one file; one that says that the file went away meanwhile is none.
func (t *tracker) note(err error) bool {
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, errMoved) {
		t.faults = append(t.faults, err)
	}
	return err != nil
}

func (t *tracker) index() {
	t.claimed, t.byIdent, t.byName = map[*known]Entry{}, map[string]*known{}, map[string]*known{}
	for _, k := range t.files {
		if k.Ident != "" && (k.Gone == 0 || t.byIdent[k.Ident] == nil) {
			t.byIdent[k.Ident] = k
		}
		if k.Gone == 0 || t.byName[k.Name] == nil {
			t.byName[k.Name] = k
		}
	}
}

// candidate is the known file that an entry seems to be.
func (t *tracker) candidate(e Entry, present map[string]bool) *known {
	k := t.byIdent[e.Ident]
	if k == nil || e.Ident == "" {
		k = t.byName[e.Name]
		if k != nil && k.Ident != "" && e.Ident != "" && present[k.Ident] {
			k = nil // that file has been renamed
		}
	}
	if _, taken := t.claimed[k]; taken {
		return nil
	}
	return k
}

// meet joins an entry to the known file it seems to be, if it is.
func (t *tracker) meet(ctx context.Context, e Entry, k *known) (bool, error) {
	switch {
	case k == nil:
		return false, nil
	case k.seen(e):
		t.claim(k, e)
		return true, nil
	case t.whole || k.Offset == 0:
		if !t.whole || !k.same(e) {
			k.Line = 0
		}
		t.claim(k, e)
		t.add(e, k, nil)
		return true, nil
	}
	m, err := t.verify(ctx, e, k)
	if err != nil || m == nil {
		return false, err
	}
	t.claim(k, e)
	t.add(e, k, m)
	return true, nil
}

func (t *tracker) claim(k *known, e Entry) {
	t.claimed[k] = e
	k.Name, k.Ident, k.Gone = e.Name, e.Ident, 0
}

func (t *tracker) add(e Entry, k *known, m *meter) {
	t.tasks = append(t.tasks, task{entry: e, known: k, meter: m})
}

// verify reads what the known file had before its position, and returns the meter that
// passed it; nil when the entry is another file.
func (t *tracker) verify(ctx context.Context, e Entry, k *known) (*meter, error) {
	c, err := t.opener.open(ctx, e, 0)
	if err != nil {
		return nil, err
	}
	m := newMeter(c)
	enough, err := m.skim(min(k.Offset, sumBytes))
	if err = errors.Join(err, c.Close()); err != nil {
		return nil, cutError(e, err)
	}
	if !enough {
		return nil, nil
	}
	if k.Offset > sumBytes {
		if enough, err = t.skipTo(ctx, e, m, k.Offset); err != nil || !enough {
			return nil, err
		}
	}
	if m.fingerprint() != k.Print {
		return nil, nil
	}
	m.lines = k.Line
	return m, nil
}

// skipTo moves a meter over what its sum does not cover.
func (t *tracker) skipTo(ctx context.Context, e Entry, m *meter, offset int64) (bool, error) {
	c, err := t.opener.open(ctx, e, offset-tailBytes)
	if err != nil {
		return false, err
	}
	tail := make([]byte, tailBytes)
	_, err = io.ReadFull(c, tail)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return false, c.Close()
	}
	m.tail, m.offset = tail, offset
	return true, errors.Join(err, c.Close())
}

// headKey finds known files by how their content begins.
type headKey struct {
	size int64
	hash string
}

func (t *tracker) headIndex() map[headKey][]*known {
	index := map[headKey][]*known{}
	if t.whole {
		return index
	}
	for _, k := range t.files {
		if k.Offset > 0 {
			key := headKey{k.Print.HeadSize, k.Print.Head}
			index[key] = append(index[key], k)
		}
	}
	return index
}

// sameHead finds the known files that begin like head, the furthest read first.
func (t *tracker) sameHead(head []byte, byHead map[headKey][]*known) []*known {
	var found []*known
	tried := map[int64]bool{}
	for key := range byHead {
		if key.size <= int64(len(head)) && !tried[key.size] {
			tried[key.size] = true
			found = append(found, byHead[headKey{key.size, hash(head[:key.size])}]...)
		}
	}
	slices.SortFunc(found, func(a, b *known) int {
		return cmp.Or(cmp.Compare(b.Offset, a.Offset), cmp.Compare(a.ID, b.ID), cmp.Compare(a.Name, b.Name))
	})
	return found
}

// welcome takes in an entry that no known file has met.
func (t *tracker) welcome(ctx context.Context, e Entry, byHead map[headKey][]*known) error {
	if len(byHead) > 0 {
		done, err := t.recognise(ctx, e, byHead)
		if err != nil || done {
			return err
		}
	}
	k := &known{}
	t.files = append(t.files, k)
	t.claim(k, e)
	t.add(e, k, nil)
	return nil
}

// recognise compares an entry with known files by content. A known file that nothing else
// is any more lives on in the entry. One that is still there has been copied, if the names
// say that the entry is a rotation of it: the copy goes on where the original stands, under
// the same name for rows. A copy that is still short of that is left for later.
func (t *tracker) recognise(ctx context.Context, e Entry, byHead map[headKey][]*known) (bool, error) {
	head, err := t.head(ctx, e)
	if err != nil {
		return false, err
	}
	found := t.sameHead(head, byHead)
	for _, k := range found {
		original, present := t.claimed[k]
		if present && baseName(original.Name) != baseName(e.Name) {
			continue
		}
		m, err := t.verify(ctx, e, k)
		if err != nil {
			return false, err
		}
		switch {
		case m != nil && !present:
			t.claim(k, e)
			t.add(e, k, m)
			return true, nil
		case m != nil:
			alias := *k
			alias.Open = true
			t.files = append(t.files, &alias)
			t.claim(&alias, e)
			t.add(e, &alias, m)
			return true, nil
		case present:
			if short, err := t.beginsLike(ctx, e, original); short || err != nil {
				return short, err
			}
		}
	}
	return false, nil
}

// head gives the first bytes of a content.
func (t *tracker) head(ctx context.Context, e Entry) ([]byte, error) {
	c, err := t.opener.open(ctx, e, 0)
	if err != nil {
		return nil, err
	}
	head := make([]byte, headBytes)
	n, err := io.ReadFull(c, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return head[:n], errors.Join(err, c.Close())
}

// beginsLike reports whether the whole content of e is how that of the longer one begins.
func (t *tracker) beginsLike(ctx context.Context, e, longer Entry) (bool, error) {
	a, err := t.opener.open(ctx, e, 0)
	if err != nil {
		return false, err
	}
	b, err := t.opener.open(ctx, longer, 0)
	if err != nil {
		return false, errors.Join(err, a.Close())
	}
	same, err := prefixOf(a, b)
	return same, errors.Join(err, a.Close(), b.Close())
}

func prefixOf(short, long io.Reader) (bool, error) {
	a, b := make([]byte, 32<<10), make([]byte, 32<<10)
	for {
		n, err := io.ReadFull(short, a)
		ended := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)
		if err != nil && !ended {
			return false, err
		}
		if m, err := io.ReadFull(long, b[:n]); m < n && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)) {
			return false, nil
		} else if err != nil && m < n {
			return false, err
		}
		if string(a[:n]) != string(b[:n]) {
			return false, nil
		}
		if ended {
			return true, nil
		}
	}
}

// age counts the absence of files that are gone, and forgets the longest absent.
func (t *tracker) age() {
	gone := 0
	for _, k := range t.files {
		if _, present := t.claimed[k]; !present {
			k.Gone++
			gone++
		}
	}
	if gone <= maxGone {
		return
	}
	var absences []int64
	for _, k := range t.files {
		if k.Gone > 0 {
			absences = append(absences, k.Gone)
		}
	}
	slices.Sort(absences)
	limit := absences[maxGone-1]
	kept := make([]*known, 0, len(t.files))
	for _, k := range t.files {
		if k.Gone <= limit {
			kept = append(kept, k)
		}
	}
	t.files = kept
}

var (
	packedSuffix  = regexp.MustCompile(`(?i)\.(gz|zst|zstd)$`)
	rotatedSuffix = regexp.MustCompile(`[-._](\d{1,6}|\d{8}([-T_]?\d{2,6})?|\d{4}-\d{2}-\d{2}([-T_]?\d{2,6})?)$`)
)

// baseName takes from a name what a rotation adds: access.log.2.gz is access.log.
func baseName(name string) string {
	return rotatedSuffix.ReplaceAllString(packedSuffix.ReplaceAllString(name, ""), "")
}

// withoutPacked leaves out compressed files beside which the original still stands: the
// compression is under way.
func withoutPacked(entries []Entry) []Entry {
	names := map[string]bool{}
	for _, e := range entries {
		names[e.Name] = true
	}
	return slices.DeleteFunc(slices.Clone(entries), func(e Entry) bool {
		plain := packedSuffix.ReplaceAllString(e.Name, "")
		return plain != e.Name && names[strings.TrimSuffix(plain, "/")]
	})
}
