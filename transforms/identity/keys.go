package identity

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
)

// A recordKeys is what ties one record to others: the values that exact rules join by, its
// blocks, and the values that are weighed by their rarity. Keys are hashes.
type recordKeys struct{ links, blocks, terms []uint64 }

// keyring makes the keys of the records of a frame.
type keyring struct {
	scramble scramble
	links    []linkKey
	blocks   *kernel.Keyring
	terms    []valueKey
	keys     recordKeys
}

// linkKey is a value, or a tuple of them, that an exact rule joins by.
type linkKey struct {
	seed   uint64
	values []valueKey
}

type valueKey struct {
	column *frame.Column
	hashes []uint64
}

func hashed(c *frame.Column, hash func([]byte) uint64) valueKey {
	out := valueKey{c, make([]uint64, c.Values.Len())}
	for code := range out.hashes {
		out.hashes[code] = hash(c.Values.Bytes(int32(code)))
	}
	return out
}

// newKeyring makes the keys of p's frame and blocking rules.
func (p *pipeline) newKeyring() *keyring {
	k := &keyring{scramble: newScramble(p.tokenKey), blocks: kernel.NewKeyring(p.scanner.Blocks.Rules, p.nameless())}
	known := map[string]bool{}
	link := func(names ...string) {
		joined := strings.Join(names, "\x00")
		if known[joined] {
			return
		}
		known[joined] = true
		l := linkKey{seed: xxh3.HashString(joined)}
		for _, name := range names {
			c := p.frame.Column(name)
			if c == nil {
				return
			}
			l.values = append(l.values, hashed(c, xxh3.Hash))
		}
		k.links = append(k.links, l)
	}
	for _, r := range p.model.exactRules(p.layout) {
		link(r.on...)
	}
	link("cookie")
	for _, c := range termColumns(p.scanner) {
		k.terms = append(k.terms, hashed(c, p.termHash(c.Name)))
	}
	if family := p.frame.Column("last_name"); p.terms[surnameTerms] != nil && family != nil && !slices.Contains(termColumns(p.scanner), family) {
		k.terms = append(k.terms, hashed(family, p.termHash(family.Name)))
	}
	return k
}

// of gives the keys of a record; they are good until the next call.
func (k *keyring) of(r int32) *recordKeys {
	out := &k.keys
	out.links, out.blocks, out.terms = out.links[:0], out.blocks[:0], out.terms[:0]
	for _, l := range k.links {
		if len(l.values) == 1 {
			for _, code := range l.values[0].column.Of(r) {
				if code >= 0 {
					out.links = append(out.links, k.scramble.of(mixed(l.values[0].hashes[code]+l.seed)))
				}
			}
			continue
		}
		key := l.seed
		for _, v := range l.values {
			code := v.column.First(r)
			if code < 0 {
				key = 0
				break
			}
			key = mixed(key + v.hashes[code])
		}
		if key != 0 {
			out.links = append(out.links, k.scramble.of(key))
		}
	}
	k.blocks.Each(r, func(rule int, key uint64) { out.blocks = append(out.blocks, k.scramble.blockKey(rule, key)) })
	for _, t := range k.terms {
		for _, code := range t.column.Of(r) {
			if code >= 0 {
				out.terms = append(out.terms, t.hashes[code])
			}
		}
	}
	return out
}

// ruleBits are the lowest bits of the key of a block: the number of its rule.
const ruleBits = 6

func (s scramble) blockKey(rule int, key uint64) uint64 {
	return s.of(key)<<ruleBits | uint64(rule)
}

// A scramble makes keys of hashes. Where attributes are hashed in what is published it does so
// under their key, and without it a key tells nothing of the value; else it leaves them as
// they are.
type scramble struct{ block cipher.Block }

func newScramble(key []byte) scramble {
	if len(key) == 0 {
		return scramble{}
	}
	secret := sha256.Sum256(append([]byte("keys\x00"), key...))
	block, _ := aes.NewCipher(secret[:]) // never fails: it is of 32 bytes
	return scramble{block}
}

func (s scramble) of(hash uint64) uint64 {
	if s.block == nil {
		return hash
	}
	var in [aes.BlockSize]byte
	binary.LittleEndian.PutUint64(in[:], hash)
	s.block.Encrypt(in[:], in[:])
	return binary.LittleEndian.Uint64(in[:])
}

// ruleOfKey is the rule that a block is of.
func ruleOfKey(key uint64) int { return int(key & (1<<ruleBits - 1)) }

// writeKeys stores the keys of records that are not as they were, of all when that is not
// known, and none when the next build has no use for them.
func (p *pipeline) writeKeys(ctx context.Context, tx core.Tx) error {
	if p.confined != nil {
		return p.confined.writeKeys(ctx, tx)
	}
	table := p.model.output(tableKey)
	if p.keyed = p.narrowable(); !p.keyed {
		return replaceRows(ctx, tx, table, 0, nil)
	}
	ring := p.newKeyring()
	row := func(r int32, w *rowWriter) { keysRow(p.frame.UID[r], ring.of(r), w) }
	stand, err := p.keysStand(ctx)
	if err != nil {
		return err
	}
	if !stand {
		return replaceRows(ctx, tx, table, p.frame.Len(), func(i int, w *rowWriter) { row(int32(i), w) })
	}
	if err := p.storeRecords(ctx, tx, table, p.changed(), row); err != nil {
		return err
	}
	gone := p.gone()
	return storeRows(ctx, tx, table, core.WriteDelete, len(gone), func(i int, w *rowWriter) { w.key(int64(gone[i])) })
}

// keysStand reports whether the keys of all records of the last build are there, made by the
// same rules.
func (p *pipeline) keysStand(ctx context.Context) (bool, error) {
	if p.altered == nil || p.trainedOn == nil || !p.trainedOn.Keyed {
		return false, nil
	}
	tables, err := p.req.Warehouse.Tables(ctx, core.SchemaIdentity)
	if err != nil {
		return false, fmt.Errorf("list tables of %s: %w", core.SchemaIdentity, err)
	}
	return slices.ContainsFunc(tables, func(t core.Table) bool {
		return t.Name == p.model.tableOf(tableKey) && t.Rows == int64(len(p.former.uids))
	}), nil
}

func keysRow(uid uint64, keys *recordKeys, w *rowWriter) {
	w.number(0, int64(uid))
	w.numbers(1, keys.links)
	w.numbers(2, keys.blocks)
	w.numbers(3, keys.terms)
	w.end()
}

// changed lists the records that are new or say something else than in the last build.
func (p *pipeline) changed() []int32 {
	var out []int32
	for r, altered := range p.altered {
		if altered {
			out = append(out, int32(r))
		}
	}
	return out
}
