package rest

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
)

// crew reads partitions, several at a time. Each of its workers is a reading of its own.
type crew struct {
	ctx   context.Context
	group *errgroup.Group
	idle  chan *reading
	do    func(context.Context, *reading, string) error
}

// maxWorkers bounds the partitions read at a time.
const maxWorkers = 16

// newCrew makes as many workers as the stream's budget has places; one without a bound.
func (r *reading) newCrew(ctx context.Context, do func(context.Context, *reading, string) error) *crew {
	n := min(max(1, cap(r.src.limiters[r.st.def.main.budget].slots)), maxWorkers)
	c := &crew{idle: make(chan *reading, n), do: do}
	c.group, c.ctx = errgroup.WithContext(ctx)
	for range n {
		w := *r
		w.seen, w.builder = newSeen(), nil // made when it is first needed
		c.idle <- &w
	}
	return c
}

// start reads a partition when a worker is free.
func (c *crew) start(key string, vars scope) error {
	select {
	case w := <-c.idle:
		c.group.Go(func() error {
			err := w.enter(vars)
			if err == nil {
				err = c.do(c.ctx, w, key)
			}
			c.idle <- w
			return err
		})
		return nil
	case <-c.ctx.Done():
		return errStopped
	}
}

// errStopped says that a partition has failed, whose own error matters.
var errStopped = errors.New("another partition failed")

// pause waits until no partition is being read.
func (c *crew) pause() error {
	var idle []*reading
	for range cap(c.idle) {
		select {
		case w := <-c.idle:
			idle = append(idle, w)
		case <-c.ctx.Done():
			return errStopped
		}
	}
	for _, w := range idle {
		c.idle <- w
	}
	return c.ctx.Err()
}

// wait waits for the last partition. err is what ended the going through of partitions.
func (c *crew) wait(err error) error {
	if err := c.group.Wait(); err != nil {
		return err
	}
	return err
}

// enter sets scope, constant columns and progress for a partition.
func (r *reading) enter(vars scope) error {
	if r.builder == nil {
		b, err := r.st.def.builder(r.req.Stream.Schema)
		if err != nil {
			return err
		}
		r.builder = b
	}
	r.vars, r.progress = vars, progress{}
	return r.enterPartition()
}
