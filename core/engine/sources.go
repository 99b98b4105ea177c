package engine

import (
	"context"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/core/config"
)

// openSource is a source that is open, and how many read from it now.
type openSource struct {
	core.Source
	name string
	// users and dropped are guarded by Engine.opening.
	users   int
	dropped bool
}

// source opens a source, or gives the one that is open. The caller gives it back.
func (e *Engine) source(ctx context.Context, src config.Source) (*openSource, error) {
	if s, ok := e.share(src.Name, nil); ok {
		return s, nil
	}
	opened, err := e.Connect(ctx, src)
	if err != nil {
		return nil, err
	}
	s, other := e.share(src.Name, opened)
	if other { // somebody was faster
		if err := opened.Close(); err != nil {
			e.giveBack(s, false)
			return nil, err
		}
	}
	return s, nil
}

// share gives the open source of a name to one more user; there says whether there was
// one. If not, fresh becomes it, unless that is nil.
func (e *Engine) share(name string, fresh core.Source) (s *openSource, there bool) {
	e.opening.Lock()
	defer e.opening.Unlock()
	s, there = e.opened[name]
	if !there {
		if fresh == nil {
			return nil, false
		}
		if e.opened == nil {
			e.opened = map[string]*openSource{}
		}
		s = &openSource{Source: fresh, name: name}
		e.opened[name] = s
	}
	s.users++
	return s, there
}

// giveBack ends a use. A broken source is dropped, so that the next use opens it anew; it
// is closed when nobody reads from it any more, since what broke one stream need not have
// broken the others.
func (e *Engine) giveBack(s *openSource, broken bool) {
	e.opening.Lock()
	s.users--
	if broken {
		s.dropped = true
		if e.opened[s.name] == s {
			delete(e.opened, s.name)
		}
	}
	last := s.dropped && s.users == 0
	e.opening.Unlock()
	if last {
		_ = s.Close() // the failure that led here is what gets reported
	}
}

// Close closes the sources that are open. The warehouse stays its owner's.
func (e *Engine) Close() error {
	e.opening.Lock()
	defer e.opening.Unlock()
	var first error
	for _, s := range e.opened {
		if err := s.Close(); err != nil && first == nil {
			first = err
		}
	}
	e.opened = nil
	return first
}
