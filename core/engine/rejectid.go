package engine

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/zeebo/xxh3"

	"github.com/unsilo/unsilo/core"
)

// nameRejects gives each reject an id that is the same when the record is met again: at the
// boundary of a cursor, in every full read, or after a crash. Such a record is in the
// quarantine once. The id of a record of which something is withheld is a keyed digest of
// what it was: records that look the same stay apart, and nothing can be guessed from it.
func (s *streamRun) nameRejects(ctx context.Context, rejects []reject) error {
	var private []int
	var texts []string
	for i, r := range rejects {
		if r.raw != "" && r.raw != r.record {
			private, texts = append(private, i), append(texts, digest128(s.step.Source, s.step.Name, r.path, r.raw))
			continue
		}
		rejects[i].id = digest128(s.step.Source, s.step.Name, r.path, r.record)
	}
	if len(private) == 0 {
		return nil
	}
	ids, err := s.keyedDigests(ctx, texts)
	if err != nil {
		return fmt.Errorf("name rejects: %w", err)
	}
	for n, i := range private {
		rejects[i].id = ids[n]
	}
	return nil
}

func digest128(parts ...string) string {
	h := xxh3.New()
	for _, part := range parts {
		_, _ = h.WriteString(strconv.Itoa(len(part)) + ":" + part) // a hash takes everything
	}
	sum := h.Sum128().Bytes()
	return hex.EncodeToString(sum[:])
}

// keyedDigests digests with the project's privacy key, or, in a project without one, with a
// key of the engine's own that lies beside the project, never in the warehouse.
func (e *Engine) keyedDigests(ctx context.Context, texts []string) ([]string, error) {
	if e.Mask != nil {
		out, err := e.maskedDigests(ctx, texts)
		if core.KindOf(err) != core.KindConfig {
			return out, err
		}
	}
	key, err := e.quarantineKey()
	if err != nil {
		return nil, err
	}
	out := make([]string, len(texts))
	for i, text := range texts {
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(text)) // a hash takes everything
		out[i] = hex.EncodeToString(mac.Sum(nil)[:16])
	}
	return out, nil
}

func (e *Engine) maskedDigests(ctx context.Context, texts []string) ([]string, error) {
	const column = "quarantined"
	t, err := e.Mask(map[string]string{column: "hmac"})
	if err != nil {
		return nil, err
	}
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(texts, nil)
	values := b.NewArray()
	defer values.Release()
	schema := arrow.NewSchema([]arrow.Field{{Name: column, Type: arrow.BinaryTypes.String}}, nil)
	in := array.NewRecordBatch(schema, []arrow.Array{values}, int64(len(texts)))
	defer in.Release()
	masked, err := t.Apply(ctx, in)
	if err != nil {
		return nil, err
	}
	defer masked.Release()
	tokens, ok := textColumn(masked, column)
	if !ok {
		return nil, errors.New("the mask gave no text")
	}
	out := make([]string, len(texts))
	for i := range out {
		out[i] = digest128(tokens.Value(i)) // a token of this kind stands nowhere else
	}
	return out, nil
}

// quarantineKey reads the engine's own key, or makes it.
func (e *Engine) quarantineKey() ([]byte, error) {
	e.keying.Lock()
	defer e.keying.Unlock()
	if e.key != nil {
		return e.key, nil
	}
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key) // it does not fail
	if e.Project == nil || e.Project.Dir == "" {
		e.key = key
		return key, nil
	}
	name := filepath.Join(e.Project.Dir, ".unsilo", "quarantine.key")
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		text = []byte(hex.EncodeToString(key))
		if err = os.MkdirAll(filepath.Dir(name), 0o700); err == nil {
			err = errors.Join(os.WriteFile(name+".new", text, 0o600), os.Rename(name+".new", name))
		}
	}
	if err == nil {
		key, err = hex.DecodeString(string(text))
	}
	if err == nil && len(key) != sha256.Size {
		err = errors.New("it does not hold a key; delete it to have another one made")
	}
	if err != nil {
		return nil, &core.Error{Kind: core.KindInternal, Op: "read " + name, Err: err}
	}
	e.key = key
	return key, nil
}
