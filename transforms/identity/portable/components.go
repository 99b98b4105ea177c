package portable

import (
	"fmt"
	"math/rand/v2"

	"github.com/unsilo/unsilo/core"
)

// prime bounds record numbers; v -> (a*v + b) mod prime is a bijection and its product
// fits a BIGINT.
const prime = 1<<31 - 1

// Engine runs the steps of a program.
type Engine interface {
	// Materialize replaces a table by the result of a query and returns its rows.
	Materialize(table core.TableName, query string) (int64, error)
}

// Contract names the connected component of every record by its smallest record number:
// randomized contraction, which needs only MIN, JOIN and DISTINCT. edges has columns a
// and b, records a column record with numbers below 2^31-1. The result has record and
// cluster.
func Contract(e Engine, d core.Dialect, schema string, edges, records core.TableName, seed uint64) (core.TableName, error) {
	c := &contraction{engine: e, dialect: d, schema: schema, rng: rand.New(rand.NewPCG(seed, 0x636f6e74))}
	result := core.TableName{Schema: schema, Name: "clusters"}
	e0, l0 := c.name("links", 0), c.name("labels", 0)
	left, err := c.run(e0, fmt.Sprintf("SELECT a AS u, b AS v FROM %[1]s WHERE a <> b UNION SELECT b AS u, a AS v FROM %[1]s WHERE a <> b", c.from(edges)))
	if err != nil {
		return result, err
	}
	if _, err := c.run(l0, fmt.Sprintf("SELECT record, record AS cur FROM %s", c.from(records))); err != nil {
		return result, err
	}
	round := 0
	for ; left > 0; round++ {
		if round > 200 {
			return result, fmt.Errorf("contract components: no end after %d rounds", round)
		}
		if left, err = c.round(round); err != nil {
			return result, err
		}
	}
	least, err := d.Call("min", "record")
	if err != nil {
		return result, err
	}
	labels := c.from(c.name("labels", round))
	_, err = c.run(result, fmt.Sprintf("SELECT l.record, x.first AS cluster FROM %s l JOIN (SELECT cur, %s AS first FROM %s GROUP BY cur) x ON l.cur = x.cur", labels, least, labels))
	return result, err
}

type contraction struct {
	engine  Engine
	dialect core.Dialect
	schema  string
	rng     *rand.Rand
}

// name alternates between two tables, since a query cannot read what it replaces.
func (c *contraction) name(kind string, round int) core.TableName {
	return core.TableName{Schema: c.schema, Name: fmt.Sprintf("%s_%d", kind, round%2)}
}

func (c *contraction) from(t core.TableName) string {
	return c.dialect.Quote(t.Schema) + "." + c.dialect.Quote(t.Name)
}

func (c *contraction) run(t core.TableName, query string) (int64, error) {
	n, err := c.engine.Materialize(t, query)
	if err != nil {
		return 0, fmt.Errorf("contract components: %w", err)
	}
	return n, nil
}

// round maps every vertex to the least hash among itself and its neighbours.
func (c *contraction) round(round int) (int64, error) {
	a, b := 1+c.rng.Int64N(prime-1), c.rng.Int64N(prime)
	hash := func(v string) string {
		return fmt.Sprintf("(%d * CAST(%s AS BIGINT) + %d) %% %d", a, v, b, int64(prime))
	}
	least, err := c.dialect.Call("min", hash("v"))
	if err != nil {
		return 0, err
	}
	if least, err = c.dialect.Call("least", least, hash("u")); err != nil {
		return 0, err
	}
	links, labels, heads := c.name("links", round), c.name("labels", round), core.TableName{Schema: c.schema, Name: "heads"}
	if _, err := c.run(heads, fmt.Sprintf("SELECT u, %s AS r FROM %s GROUP BY u", least, c.from(links))); err != nil {
		return 0, err
	}
	left, err := c.run(c.name("links", round+1), fmt.Sprintf("SELECT DISTINCT x.r AS u, y.r AS v FROM %s e JOIN %s x ON e.u = x.u JOIN %s y ON e.v = y.u WHERE x.r <> y.r",
		c.from(links), c.from(heads), c.from(heads)))
	if err != nil {
		return 0, err
	}
	current, err := c.dialect.Call("coalesce", "h.r", hash("l.cur"))
	if err != nil {
		return 0, err
	}
	_, err = c.run(c.name("labels", round+1), fmt.Sprintf("SELECT l.record, %s AS cur FROM %s l LEFT JOIN %s h ON l.cur = h.u", current, c.from(labels), c.from(heads)))
	return left, err
}
