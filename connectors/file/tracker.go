package file

import (
	"cmp"
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"time"
)

// A task is a file with something new in it.
type task struct {
	entry Entry
	known *known
	// meter has passed what was read before; nil starts at the beginning.
	meter *meter
}

// A tracker compares the files that are there with those known, and finds what to read. A
// file that looks unchanged is taken at its word. Every other one must prove by its content
// that it is a known file, whose identity, name or beginning it shares; where several pairs
// are possible the longest proof counts. What is left over is new.
type tracker struct {
	opener opener
	// whole files are read from the beginning whenever they change; they prove nothing.
	whole bool
	files []*known

	claimed map[*known]Entry
	present map[string]*known // claimed, by path
	byIdent map[string]*known
	byName  map[string]*known
	byHead  map[headKey][]*known
	tasks   []task
	// faults are of files that could not be compared; the others go on.
	faults []error
}

// plan fills tasks, in the order in which the files were changed.
func (t *tracker) plan(ctx context.Context, entries []Entry) error {
	entries = withoutPacked(entries)
	t.index()
	changed := t.unchanged(entries)
	pairs, err := t.pairs(ctx, changed)
	if err != nil {
		return err
	}
	met, err := t.meet(ctx, pairs)
	if err != nil {
		return err
	}
	for _, e := range changed {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !met[e.Path] {
			t.note(t.welcome(ctx, e))
		}
	}
	t.age(time.Now())
	slices.SortFunc(t.tasks, func(a, b task) int {
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

// headKey finds known files by how their content begins.
type headKey struct {
	size int64
	hash string
}

func (t *tracker) index() {
	t.claimed, t.byIdent, t.byName = map[*known]Entry{}, map[string]*known{}, map[string]*known{}
	t.byHead, t.present = map[headKey][]*known{}, map[string]*known{}
	for _, k := range t.files {
		if k.Ident != "" && (k.Gone == 0 || t.byIdent[k.Ident] == nil) {
			t.byIdent[k.Ident] = k
		}
		if k.Gone == 0 || t.byName[k.Name] == nil {
			t.byName[k.Name] = k
		}
		if k.Offset > 0 {
			key := headKey{k.Print.HeadSize, k.Print.Head}
			t.byHead[key] = append(t.byHead[key], k)
		}
	}
}

// unchanged joins the entries that look as they did when they were read to their end, and
// returns the others.
func (t *tracker) unchanged(entries []Entry) []Entry {
	var changed []Entry
	for _, e := range entries {
		k := t.byIdent[e.Ident]
		if e.Ident == "" {
			k = t.byName[e.Name]
		}
		if _, taken := t.claimed[k]; k == nil || taken || !k.seen(e) {
			changed = append(changed, e)
			continue
		}
		t.claim(k, e)
	}
	return changed
}

// A pair is an entry and a known file that it may be.
type pair struct {
	entry Entry
	known *known
	// kin orders pairs of equal proof: identity before name before content.
	kin int
}

// pairs gathers what may belong together, the longest proof first.
func (t *tracker) pairs(ctx context.Context, entries []Entry) ([]pair, error) {
	var pairs []pair
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		seen := map[*known]bool{}
		add := func(k *known, kin int) {
			if _, taken := t.claimed[k]; k != nil && !taken && !seen[k] {
				seen[k] = true
				pairs = append(pairs, pair{e, k, kin})
			}
		}
		if e.Ident != "" {
			add(t.byIdent[e.Ident], 0)
		}
		add(t.byName[e.Name], 1)
		if len(t.byHead) == 0 || t.whole {
			continue
		}
		head, err := t.head(ctx, e)
		if t.note(err) {
			continue
		}
		for _, k := range t.sameHead(head) {
			add(k, 2+notRotated(e.Name))
		}
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		return cmp.Or(cmp.Compare(b.known.Offset, a.known.Offset), cmp.Compare(a.kin, b.kin),
			a.entry.ModTime.Compare(b.entry.ModTime), cmp.Compare(a.entry.Name, b.entry.Name), cmp.Compare(a.known.ID, b.known.ID))
	})
	return pairs, nil
}

// meet joins pairs that prove true, and returns the paths of the entries joined.
func (t *tracker) meet(ctx context.Context, pairs []pair) (map[string]bool, error) {
	met := map[string]bool{}
	for _, p := range pairs {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if _, taken := t.claimed[p.known]; taken || met[p.entry.Path] {
			continue
		}
		var m *meter
		switch {
		case t.whole || p.known.Offset == 0:
			if p.kin > 1 || p.kin == 0 && !t.kept(p.entry, p.known) {
				continue
			}
			if !t.whole || !p.known.same(p.entry) {
				p.known.Line = 0
			}
		default:
			var err error
			if m, err = t.verify(ctx, p.entry, p.known); t.note(err) {
				met[p.entry.Path] = true // to be read when it can be compared
				continue
			}
			if m == nil {
				continue
			}
		}
		met[p.entry.Path] = true
		t.claim(p.known, p.entry)
		t.tasks = append(t.tasks, task{entry: p.entry, known: p.known, meter: m})
	}
	return met, nil
}

// kept reports whether a file that has the identity of a known one, and no content to prove
// it by, is that file: file systems give the identity of a deleted file to the next one.
func (t *tracker) kept(e Entry, k *known) bool {
	switch {
	case e.Name == k.Name || !t.whole && k.ID == "":
		return true
	case t.whole:
		return k.same(e)
	}
	return baseName(e.Name) == baseName(k.Name)
}

func (t *tracker) claim(k *known, e Entry) {
	t.claimed[k], t.present[e.Path] = e, k
	k.Name, k.Ident, k.Gone = e.Name, e.Ident, 0
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

// sameHead finds the known files that begin like head.
func (t *tracker) sameHead(head []byte) []*known {
	var found []*known
	tried := map[int64]bool{}
	for key := range t.byHead {
		if key.size <= int64(len(head)) && !tried[key.size] {
			tried[key.size] = true
			found = append(found, t.byHead[headKey{key.size, hash(head[:key.size])}]...)
		}
	}
	return found
}

// copyBytes is the size from which on a file that begins like another may be a copy of it
// that is being made; small ones are made in no time.
const copyBytes = 4 << 10

// welcome takes in an entry that is no known file. A copy that a rotation is making of a
// known file is left until the original has been cut.
func (t *tracker) welcome(ctx context.Context, e Entry) error {
	if e.Size >= copyBytes && !t.whole {
		if k := t.present[baseName(e.Path)]; k != nil && k.Offset > 0 && notRotated(e.Name) == 0 {
			if copied, err := t.beginsLike(ctx, e, t.claimed[k]); copied || err != nil {
				return err
			}
		}
	}
	k := &known{}
	t.files = append(t.files, k)
	t.claim(k, e)
	t.tasks = append(t.tasks, task{entry: e, known: k})
	return nil
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

// age notes when files went missing, and forgets those missing longest.
func (t *tracker) age(now time.Time) {
	var missing []int64
	for _, k := range t.files {
		if _, present := t.claimed[k]; present {
			continue
		}
		if k.Gone == 0 {
			k.Gone = now.Unix()
		}
		missing = append(missing, k.Gone)
	}
	if len(missing) <= maxGone {
		return
	}
	slices.Sort(missing)
	oldest := missing[len(missing)-maxGone]
	spare := maxGone
	t.files = slices.DeleteFunc(t.files, func(k *known) bool {
		if k.Gone == 0 || k.Gone < oldest {
			return k.Gone > 0
		}
		spare--
		return spare < 0
	})
}
