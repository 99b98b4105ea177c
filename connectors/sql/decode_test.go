package sql

import (
	"bytes"
	"encoding/binary"
	"math/big"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"pgregory.net/rapid"

	"github.com/unsilo/unsilo/core"
)

// everyForm has a column of each form that PostgreSQL's rows can have.
func everyForm() []column {
	var columns []column
	for _, oid := range []uint32{16, 21, 23, 20, 26, 700, 701, 25, 17, 2950, 3802, 1082, 1114, 1184, 790, 0} {
		columns = append(columns, pgColumn("c", oid, -1, "t", "b", 0))
	}
	columns = append(columns, pgColumn("c", 1700, (12<<16|2)+4, "numeric(12,2)", "b", 0), pgColumn("c", 1007, -1, "integer[]", "b", 23))
	return columns
}

// FuzzCopy feeds arbitrary bytes to the decoder of PostgreSQL's binary rows, cut in two
// anywhere. Whatever comes, it must not panic, and every column must have as many values.
func FuzzCopy(f *testing.F) {
	head := append(bytes.Clone(pgSignature), 0, 0, 0, 0, 0, 0, 0, 0)
	row := []byte{0, 18}
	for range 18 {
		row = append(row, 255, 255, 255, 255)
	}
	f.Add(append(bytes.Clone(head), 255, 255), 5)
	f.Add(append(append(bytes.Clone(head), row...), 255, 255), 25)
	for size := range 20 {
		cells := []byte{0, 18}
		for range 18 {
			cells = binary.BigEndian.AppendUint32(cells, uint32(size))
			cells = append(cells, bytes.Repeat([]byte{1}, size)...)
		}
		f.Add(append(append(bytes.Clone(head), cells...), 255, 255), size)
	}
	columns := everyForm()
	f.Fuzz(func(t *testing.T, data []byte, cut int) {
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		defer mem.AssertSize(t, 0)
		b := newBatcher(columns, schema(columns, nil, nil), mem, func(batch core.Batch) error {
			for _, col := range batch.Rows.Columns() {
				if int64(col.Len()) != batch.Rows.NumRows() {
					t.Errorf("a column of %d in a batch of %d rows", col.Len(), batch.Rows.NumRows())
				}
			}
			return nil
		})
		defer b.release()
		rows := newPgRows(b, false)
		b.at = rows.at
		b.after = func(at func(int) (string, bool)) (core.State, error) {
			for i := range columns {
				at(i)
			}
			return nil, nil
		}
		cut = min(max(0, cut), len(data))
		if _, err := rows.Write(data[:cut]); err != nil {
			return
		}
		if _, err := rows.Write(data[cut:]); err != nil {
			return
		}
		if err := b.flush(); err != nil {
			t.Error(err)
		}
	})
}

// FuzzPosition decodes arbitrary states; those it takes must survive being written again.
func FuzzPosition(f *testing.F) {
	f.Add([]byte(`{"v":1,"phase":"tail","at":"2026-01-01","key":["7"]}`))
	f.Add([]byte(`{"v":1,"phase":"first","key":["7","x"],"tied":["a"]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePosition(data, 1)
		if err != nil {
			if core.KindOf(err) != core.KindData {
				t.Errorf("error of kind %q", core.KindOf(err))
			}
			return
		}
		state, err := p.state()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := parsePosition(state, 1); err != nil {
			t.Errorf("%s is not read back: %v", state, err)
		}
	})
}

// FuzzLiteral checks that no text ends a literal or an identifier early.
func FuzzLiteral(f *testing.F) {
	f.Add(`a'b"c`)
	f.Add("`;\\'")
	f.Fuzz(func(t *testing.T, s string) {
		for _, quoted := range []struct{ text, mark string }{
			{pgGrammar{}.literal(s), "'"}, {pgGrammar{}.quote(s), `"`}, {mysqlGrammar{}.quote(s), "`"}, {sqliteGrammar{}.quote(s), `"`},
		} {
			inner := quoted.text[1 : len(quoted.text)-1]
			if strings.Contains(strings.ReplaceAll(inner, quoted.mark+quoted.mark, ""), quoted.mark) {
				t.Errorf("%q ends early", quoted.text)
			}
		}
	})
}

// pgNumericBytes writes a decimal text as PostgreSQL would.
func pgNumericBytes(unscaled *big.Int, scale int) []byte {
	digits := new(big.Int).Abs(unscaled).String()
	for len(digits) <= scale {
		digits = "0" + digits
	}
	whole, fraction := digits[:len(digits)-scale], digits[len(digits)-scale:]
	for len(whole)%4 != 0 {
		whole = "0" + whole
	}
	for len(fraction)%4 != 0 {
		fraction += "0"
	}
	weight := len(whole)/4 - 1
	var groups []uint16
	for all := whole + fraction; all != ""; all = all[4:] {
		n := uint16(0)
		for _, c := range all[:4] {
			n = n*10 + uint16(c-'0')
		}
		groups = append(groups, n)
	}
	for len(groups) > 0 && groups[0] == 0 {
		groups, weight = groups[1:], weight-1
	}
	for len(groups) > 0 && groups[len(groups)-1] == 0 {
		groups = groups[:len(groups)-1]
	}
	sign := uint16(pgPositive)
	if unscaled.Sign() < 0 {
		sign = pgNegative
	}
	out := binary.BigEndian.AppendUint16(nil, uint16(len(groups)))
	out = binary.BigEndian.AppendUint16(out, uint16(int16(weight)))
	out = binary.BigEndian.AppendUint16(out, sign)
	out = binary.BigEndian.AppendUint16(out, uint16(scale))
	for _, g := range groups {
		out = binary.BigEndian.AppendUint16(out, g)
	}
	return out
}

// TestDecimalsAreExact compares both decimal readers with big integers.
func TestDecimalsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		scale := rapid.IntRange(0, 38).Draw(t, "scale")
		digits := rapid.StringMatching(`-?[0-9]{1,38}`).Draw(t, "digits")
		unscaled, _ := new(big.Int).SetString(digits, 10)
		kind := &arrow.Decimal128Type{Precision: 38, Scale: int32(scale)}
		cell := pgNumericBytes(unscaled, scale)
		b := array.NewDecimal128Builder(memory.DefaultAllocator, kind)
		defer b.Release()
		if reason := pgNumericReader(b, kind)(cell); reason != "" {
			t.Fatalf("%s with scale %d: %s", digits, scale, reason)
		}
		a := b.NewDecimal128Array()
		defer a.Release()
		if got := a.Value(0).BigInt(); got.Cmp(unscaled) != 0 {
			t.Errorf("scale %d: got %s, want %s", scale, got, unscaled)
		}
		text, ok := pgNumericText(cell)
		if !ok {
			t.Fatal("no text")
		}
		d, reason := parseDecimal([]byte(text), kind)
		if reason != "" || d.BigInt().Cmp(unscaled) != 0 {
			t.Errorf("text %s with scale %d: got %s %s, want %s", text, scale, d.BigInt(), reason, unscaled)
		}
	})
}
