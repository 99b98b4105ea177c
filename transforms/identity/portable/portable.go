// Package portable says the rules of an identity in SQL that every engine of the project
// understands: equi-joins, CASE, GROUP BY and integers. Go prepares keys, letters and
// weights; the engine pairs, compares and groups. The result is the kernel's, edge for
// edge. The package opens no connection and holds no state.
package portable

import (
	"fmt"
	"strings"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/transforms/identity/frame"
	"github.com/unsilo/unsilo/transforms/identity/fs"
	"github.com/unsilo/unsilo/transforms/identity/kernel"
)

// A Step makes one table from earlier ones.
type Step struct {
	Table core.TableName
	Query string
}

// Program is a list of steps and the input that they read.
type Program struct {
	Schema string
	// Records, Keys and Tokens are the inputs, to be written before the steps run.
	Records Input
	Keys    Input
	Tokens  []Input
	Steps   []Step
	// Edges is the result: a, b, rule, pattern, bits.
	Edges core.TableName
}

// Options of Compile.
type Options struct {
	Schema  string
	Dialect core.Dialect
	Floor   int32
}

// Compile writes the program for the scanner's comparisons and blocks under a fitted
// model. It fails on comparisons that have no portable definition: those of a model block
// and those of attributes with several values.
func Compile(f *frame.Frame, s *kernel.Scanner, m *fs.Model, opt Options) (*Program, error) {
	c := &compiler{frame: f, scanner: s, model: m, opt: opt, fields: &fieldSet{index: map[string]int{}}}
	radix, code := m.Coder(), 1.0
	for i := range m.Comparisons {
		code *= float64(radix.Radix(i))
	}
	if code >= 1<<62 {
		return nil, fmt.Errorf("compile identity: %d comparisons make more patterns than a BIGINT can count", len(m.Comparisons))
	}
	p := &Program{Schema: opt.Schema}
	var levels []string
	for k, comparison := range s.Comparisons {
		level, err := c.level(k, comparison)
		if err != nil {
			return nil, fmt.Errorf("compile comparison %s: %w", comparison.Name, err)
		}
		levels = append(levels, level)
	}
	extra, err := c.extras()
	if err != nil {
		return nil, err
	}
	p.Records = c.records()
	p.Keys = keysInput(opt.Schema, s.Blocks)
	p.Tokens = c.tokens
	p.Steps, p.Edges, err = c.steps(levels, extra)
	return p, err
}

type compiler struct {
	frame   *frame.Frame
	scanner *kernel.Scanner
	model   *fs.Model
	opt     Options
	fields  *fieldSet
	tokens  []Input
	dots    []int // comparisons over words, in order of tokens
}

func (c *compiler) table(name string) core.TableName {
	return core.TableName{Schema: c.opt.Schema, Name: name}
}

func (c *compiler) from(t core.TableName) string {
	return c.opt.Dialect.Quote(t.Schema) + "." + c.opt.Dialect.Quote(t.Name)
}

// The tables of a program.
const (
	recordTable = "records"
	keyTable    = "keys"
	pairTable   = "pairs"
	levelTable  = "levels"
	edgeTable   = "edges"
)

// steps joins pairs, compares them and weighs their patterns.
func (c *compiler) steps(levels []string, extra string) ([]Step, core.TableName, error) {
	minRule, err := c.opt.Dialect.Call("min", "x.rule")
	if err != nil {
		return nil, core.TableName{}, err
	}
	pairs := Step{c.table(pairTable), fmt.Sprintf("SELECT x.record AS a, y.record AS b, %s AS rule FROM %s x JOIN %s y ON x.rule = y.rule AND x.block = y.block WHERE x.record < y.record GROUP BY x.record, y.record",
		minRule, c.from(c.table(keyTable)), c.from(c.table(keyTable)))}
	steps := []Step{pairs}
	joins := ""
	for i, k := range c.dots {
		sum, err := c.opt.Dialect.Call("sum", "t.weight * u.weight")
		if err != nil {
			return nil, core.TableName{}, err
		}
		tokens := c.from(c.tokens[i].Table.Name)
		t := c.table(fmt.Sprintf("dots_%d", k))
		steps = append(steps, Step{t, fmt.Sprintf("SELECT p.a, p.b, CAST(%s AS BIGINT) AS dot FROM %s p JOIN %s t ON t.record = p.a JOIN %s u ON u.record = p.b AND u.token = t.token GROUP BY p.a, p.b",
			sum, c.from(pairs.Table), tokens, tokens)})
		joins += fmt.Sprintf(" LEFT JOIN %s d%d ON d%d.a = p.a AND d%d.b = p.b", c.from(t), k, k, k)
	}
	var columns []string
	for k, level := range levels {
		columns = append(columns, fmt.Sprintf("%s AS l%d", level, k))
	}
	records := c.from(c.table(recordTable))
	steps = append(steps, Step{c.table(levelTable), fmt.Sprintf("SELECT p.a, p.b, p.rule, %s FROM %s p JOIN %s x ON x.record = p.a JOIN %s y ON y.record = p.b%s",
		strings.Join(columns, ", "), c.from(pairs.Table), records, records, joins)})
	pattern, weight := c.pattern(), c.weight()
	steps = append(steps, Step{c.table(edgeTable), fmt.Sprintf("SELECT w.a, w.b, w.rule, w.pattern, w.weight + %s AS bits FROM (SELECT l.*, %s AS pattern, %s AS weight FROM %s l) w JOIN %s x ON x.record = w.a JOIN %s y ON y.record = w.b WHERE w.weight >= %d",
		extra, pattern, weight, c.from(c.table(levelTable)), records, records, c.opt.Floor)})
	return steps, c.table(edgeTable), nil
}

// pattern packs the levels as the kernel does.
func (c *compiler) pattern() string {
	coder := c.model.Coder()
	out := "CAST(0 AS BIGINT)"
	for k := range c.model.Comparisons {
		out = fmt.Sprintf("(%s * %d + l.l%d + 1)", out, coder.Radix(k), k)
	}
	return out
}

// weight adds the prior, the levels and their dependences in millionths of a bit.
func (c *compiler) weight() string {
	parts := []string{fmt.Sprintf("CAST(%d AS BIGINT)", c.model.PriorBits())}
	for k, comparison := range c.model.Comparisons {
		var whens []string
		for l := range comparison.Levels {
			whens = append(whens, fmt.Sprintf("WHEN %d THEN %d", l, c.model.LevelBits(k, l)))
		}
		parts = append(parts, fmt.Sprintf("CASE l.l%d %s ELSE 0 END", k, strings.Join(whens, " ")))
	}
	for _, d := range c.model.Dependences {
		var whens []string
		for a, row := range d.Bits {
			for b, bits := range row {
				if micro := fs.MicroBits(bits); micro != 0 {
					whens = append(whens, fmt.Sprintf("WHEN l.l%d = %d AND l.l%d = %d THEN %d", d.A, a, d.B, b, -micro))
				}
			}
		}
		if len(whens) > 0 {
			parts = append(parts, "CASE "+strings.Join(whens, " ")+" ELSE 0 END")
		}
	}
	return strings.Join(parts, " + ")
}

// extras adds what the frequency of an agreed value is worth.
func (c *compiler) extras() (string, error) {
	parts := []string{"0"}
	for k, comparison := range c.scanner.Comparisons {
		var whens []string
		for l, level := range comparison.Levels {
			if level.Term == nil {
				continue
			}
			term, column := level.Term, level.Term.Column
			name := c.fields.number("t_"+column.Name+fmt.Sprint(k), func(r int32) (int64, bool) {
				if code := column.First(r); code >= 0 {
					return int64(term.Bits[code]), true
				}
				return 0, false
			})
			least, err := c.opt.Dialect.Call("least", "x."+name, "y."+name)
			if err != nil {
				return "", err
			}
			least, err = c.opt.Dialect.Call("coalesce", least, "0")
			if err != nil {
				return "", err
			}
			whens = append(whens, fmt.Sprintf("WHEN %d THEN %s", l, least))
		}
		if len(whens) > 0 {
			parts = append(parts, fmt.Sprintf("CASE w.l%d %s ELSE 0 END", k, strings.Join(whens, " ")))
		}
	}
	return strings.Join(parts, " + "), nil
}
