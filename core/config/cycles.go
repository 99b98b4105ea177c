package config

import (
	"fmt"
	"slices"
	"strings"
)

// findCycles reports models that need each other's results, each cycle once.
func (l *loader) findCycles() {
	c := cycles{loader: l, state: map[string]int{}}
	for _, b := range l.project.Models {
		key := b.Ref().String()
		if c.state[key] == 0 {
			c.visit(key)
		}
	}
}

type cycles struct {
	loader *loader
	// state of a block: 0 not seen, 1 on the path, 2 done.
	state map[string]int
	path  []string
}

func (c *cycles) visit(key string) {
	c.state[key] = 1
	c.path = append(c.path, key)
	for _, u := range c.loader.uses[key] {
		switch maker := u.maker; {
		case maker == "":
		case c.state[maker] == 0:
			c.visit(maker)
		case c.state[maker] == 1:
			loop := append(slices.Clone(c.path[slices.Index(c.path, maker):]), maker)
			c.loader.fail(u.at, fmt.Sprintf("Cycle: %s", strings.Join(loop, " -> ")),
				"Each of these needs the result of the next, so none can be built first.",
				"Take one of the references out, or split the block that both sides need.")
		}
	}
	c.state[key] = 2
	c.path = c.path[:len(c.path)-1]
}
