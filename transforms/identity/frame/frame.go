// Package frame holds the records of one identity in memory: columns of codes into
// dictionaries of normalised values, in the total order of a stable record key. It knows
// no rule and reads no table.
package frame

import (
	"slices"

	"github.com/zeebo/xxh3"
)

// A Frame is n records. Record numbers are dense, from 0, and ascend by UID, so that they
// do not depend on the order of arrival.
type Frame struct {
	Sources []Source
	// Source of each record, an index into Sources.
	Source []uint16
	// UID is a stable hash of source, stream and key; ties were broken by the key.
	UID []uint64
	// Key holds record keys; KeyOf is the code of each record.
	Key   Dict
	KeyOf []int32
	// Updated is the record's own time in microseconds; 0 is unknown.
	Updated []int64
	// RowHash changes when any mapped value changes.
	RowHash []uint64
	// Surname tells names that more records have as their family name than as their given
	// one; nil: the records themselves are counted.
	Surname func(name []byte) bool
	// Repeated counts, by source, the rows that had the key of another one; of distinct
	// sources it is 0.
	Repeated []int
	Columns  []*Column
}

// Source names where records come from.
type Source struct {
	// Record is the name of the record block, Source and Stream name the table.
	Record, Source, Stream string
	Trust                  int
	// Distinct sources have many rows for one record: the record holds the values of all.
	Distinct bool
}

// Len is the number of records.
func (f *Frame) Len() int { return len(f.Source) }

// Column finds a column by name, or nil.
func (f *Frame) Column(name string) *Column {
	for _, c := range f.Columns {
		if c.Name == name {
			return c
		}
	}
	return nil
}

// RecordKey gives the key of record i.
func (f *Frame) RecordKey(i int32) string { return f.Key.Value(f.KeyOf[i]) }

// UID gives the stable hash that orders records.
func UID(source, stream, key string) uint64 { return UIDOf(source, stream, []byte(key)) }

// UIDOf is UID of a key that is not a string.
func UIDOf(source, stream string, key []byte) uint64 {
	var space [128]byte
	buf := append(append(space[:0], source...), 0)
	buf = append(append(buf, stream...), 0)
	return xxh3.Hash(append(buf, key...))
}

// A Column is one attribute. A record has any number of values, mostly none or one.
type Column struct {
	Name string
	Kind Kind
	// Raw codes of record i are Raw[Start[i]:Start[i+1]]; with a nil Start every record has
	// one code, -1 for none.
	Start []int32
	Raw   []int32
	// Codes are the normalised codes beside Raw; -1 when a value is missing or blocked.
	Codes  []int32
	Values Dict
	// Originals holds the values as they came.
	Originals Dict
	// NormOf maps a raw code to a normalised one.
	NormOf []int32
	// Masked columns hold tokens: only equality means anything.
	Masked bool
	// Words are the frequencies of the words of a column of texts, when others count than
	// those of its records; else nil.
	Words *Words
}

// Words counts the records that hold a word, by a hash that stands for it. Of Total records
// few hold a word that is not there.
type Words struct {
	Total   float64
	Holders map[uint64]int32
	Hash    func(word []byte) uint64
}

// Of gives the normalised codes of record i that are present.
func (c *Column) Of(i int32) []int32 {
	if c.Start != nil {
		return c.Codes[c.Start[i]:c.Start[i+1]]
	}
	if c.Codes[i] < 0 {
		return nil
	}
	return c.Codes[i : i+1]
}

// First gives the first normalised code of record i, or -1.
func (c *Column) First(i int32) int32 {
	if c.Start == nil {
		return c.Codes[i]
	}
	for _, code := range c.Codes[c.Start[i]:c.Start[i+1]] {
		if code >= 0 {
			return code
		}
	}
	return -1
}

// FirstRaw gives the first raw code of record i, or -1.
func (c *Column) FirstRaw(i int32) int32 {
	if c.Start == nil {
		return c.Raw[i]
	}
	if c.Start[i] == c.Start[i+1] {
		return -1
	}
	return c.Raw[c.Start[i]]
}

// Normalise fills Values and Codes from the raw ones, each distinct value once. norm
// appends the normalised form of a value to dst, or nothing when the value is missing.
func (c *Column) Normalise(norm func(dst []byte, value string) []byte) {
	c.NormOf = make([]int32, c.Originals.Len())
	c.Values = Dict{}
	var buf []byte
	for code := range c.NormOf {
		buf = norm(buf[:0], c.Originals.Value(int32(code)))
		if len(buf) == 0 {
			c.NormOf[code] = -1
			continue
		}
		c.NormOf[code] = c.Values.Add(buf)
	}
	c.Recode()
}

// Recode derives Codes from Raw and NormOf, dropping missing and repeated values of a
// record with several.
func (c *Column) Recode() {
	if c.Start == nil {
		c.Codes = make([]int32, len(c.Raw))
		for i, raw := range c.Raw {
			if c.Codes[i] = raw; raw >= 0 {
				c.Codes[i] = c.NormOf[raw]
			}
		}
		return
	}
	start := make([]int32, len(c.Start))
	codes := make([]int32, 0, len(c.Raw))
	raws := make([]int32, 0, len(c.Raw))
	for i := range len(start) - 1 {
		for _, raw := range c.Raw[c.Start[i]:c.Start[i+1]] {
			code := c.NormOf[raw]
			if code >= 0 && !slices.Contains(codes[start[i]:], code) {
				codes = append(codes, code)
				raws = append(raws, raw)
			}
		}
		start[i+1] = int32(len(codes))
	}
	c.Start, c.Codes, c.Raw = start, codes, raws
}

// Counts gives the number of records that hold each value.
func (c *Column) Counts() []int32 {
	counts := make([]int32, c.Values.Len())
	for _, code := range c.Codes {
		if code >= 0 {
			counts[code]++
		}
	}
	return counts
}
