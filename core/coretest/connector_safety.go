package coretest

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/unsilo/unsilo/core"
)

// cancelLimit is how long a Read may take to notice that its context ended.
const cancelLimit = 2 * time.Second

func safetyRules() []connectorRule {
	return []connectorRule{
		{"emit.error", "An error from emit comes back from Read as it is, at once.", emitError},
		{"cancel.read", "When its context ends in the middle of a stream, Read returns within two seconds.", cancelRead},
		{"cancel.blocked", "When its context ends while emit is busy, Read returns what emit returned, within two seconds.", cancelBlocked},
		{"cancel.before", "With a context that ended before, Read gives an error and no rows go missing in silence.", cancelBefore},
		{"close.isolated", "Closing one source leaves another of the same connector as it was; closing twice does no harm.", closeIsolated},
		{"close.goroutines", "After Close no goroutine of the source is left, also after a read was cancelled.", closeGoroutines},
		{"secrets.hidden", "The values of secret fields are in no error and no state, in no encoding.", secretsHidden},
		{"errors.typed", "An error at wrong credentials is a core.Error whose kind tells what to do.", errorsTyped},
	}
}

func emitError(s *connectorSuite) error {
	return s.eachRead(func(stream core.Stream, base *readout) error {
		if base.batches == 0 {
			return skipped("no stream has rows")
		}
		stop := errors.New("the warehouse is full")
		calls := 0
		err := s.with(func(src core.Source) error {
			return src.Read(s.ctx, core.ReadRequest{Stream: stream}, func(core.Batch) error {
				calls++
				return stop
			})
		})
		if err != stop { //nolint:errorlint // the rule is that it is the very same
			return fmt.Errorf("Read returned %v, not the error of emit itself", err)
		}
		if calls != 1 {
			return fmt.Errorf("emit was called %d times after its error", calls-1)
		}
		return nil
	})
}

func cancelRead(s *connectorSuite) error {
	return s.eachRead(func(stream core.Stream, base *readout) error {
		if base.batches == 0 {
			return skipped("no stream has rows")
		}
		return s.with(func(src core.Source) error {
			ctx, cancel := context.WithCancel(s.ctx)
			defer cancel()
			return within(cancelLimit, "Read after its context ended", func() error {
				err := src.Read(ctx, core.ReadRequest{Stream: stream}, func(core.Batch) error {
					cancel()
					return nil
				})
				if err != nil && !errors.Is(err, context.Canceled) {
					return fmt.Errorf("Read returned %w, not the end of its context", err)
				}
				return nil
			})
		})
	})
}

func cancelBlocked(s *connectorSuite) error {
	return s.eachRead(func(stream core.Stream, base *readout) error {
		if base.batches == 0 {
			return skipped("no stream has rows")
		}
		return s.with(func(src core.Source) error {
			ctx, cancel := context.WithCancel(s.ctx)
			defer cancel()
			return within(cancelLimit+time.Second, "Read after its context ended", func() error {
				err := src.Read(ctx, core.ReadRequest{Stream: stream}, func(core.Batch) error {
					time.AfterFunc(100*time.Millisecond, cancel)
					<-ctx.Done()
					return ctx.Err()
				})
				if !errors.Is(err, context.Canceled) {
					return fmt.Errorf("Read returned %v, not the end of its context", err)
				}
				return nil
			})
		})
	})
}

func cancelBefore(s *connectorSuite) error {
	return s.eachRead(func(stream core.Stream, base *readout) error {
		return s.with(func(src core.Source) error {
			ctx, cancel := context.WithCancel(s.ctx)
			cancel()
			return within(cancelLimit, "Read with a context that ended", func() error {
				out, err := s.readFrom(ctx, src, core.ReadRequest{Stream: stream})
				if err == nil && len(out.rows) < len(base.rows) {
					return fmt.Errorf("Read gave %d of %d rows and no error", len(out.rows), len(base.rows))
				}
				return nil
			})
		})
	})
}

func closeIsolated(s *connectorSuite) error {
	first, err := s.Connector.Open(s.ctx, s.Config)
	if err != nil {
		return err
	}
	return s.with(func(other core.Source) error {
		if err := first.Close(); err != nil {
			return fmt.Errorf("Close: %w", err)
		}
		_ = first.Close() // it may complain; it must not panic
		if _, err := other.Streams(s.ctx); err != nil {
			return fmt.Errorf("the other source: %w", err)
		}
		return s.eachRead(func(stream core.Stream, base *readout) error {
			out, err := s.readFrom(s.ctx, other, core.ReadRequest{Stream: stream})
			if err != nil {
				return fmt.Errorf("the other source: %w", err)
			}
			return differ(fold(stream, out.rows), fold(stream, base.rows))
		})
	})
}

func closeGoroutines(s *connectorSuite) error {
	if err := s.each(func(stream core.Stream) error { _, err := s.full(stream); return err }); err != nil {
		var skip skipped
		if !errors.As(err, &skip) {
			return err
		}
	}
	runtime.GC()
	before := settled(0)
	for range 3 {
		err := s.with(func(src core.Source) error {
			ctx, cancel := context.WithCancel(s.ctx)
			defer cancel()
			streams, _ := s.list()
			for _, stream := range streams {
				_ = src.Read(ctx, core.ReadRequest{Stream: stream}, func(core.Batch) error { cancel(); return ctx.Err() })
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if after := settled(before); after > before {
		return fmt.Errorf("%d goroutines were there before, %d after three sources were closed", before, after)
	}
	return nil
}

// settled waits until the number of goroutines falls to want, or stays as it is for a
// while, and gives it.
func settled(want int) int {
	n := runtime.NumGoroutine()
	for range 30 {
		if n <= want {
			break
		}
		time.Sleep(100 * time.Millisecond)
		next := runtime.NumGoroutine()
		if want == 0 && next == n {
			break
		}
		n = next
	}
	return n
}

// canary is the value that secret fields get; nothing else looks like it.
const canary = "cAnArY7f3e91secret"

// withCanaries gives the configuration with every secret replaced; false when it has none.
func (s *connectorSuite) withCanaries() (core.Config, bool) {
	cfg := s.Config
	cfg.Values = map[string]any{}
	found := false
	for k, v := range s.Config.Values {
		cfg.Values[k] = v
	}
	for _, f := range s.spec.Fields {
		if _, set := cfg.Values[f.Name].(string); f.Secret && set {
			cfg.Values[f.Name] = canary
			found = true
		}
	}
	return cfg, found
}

// refusals are the errors of every call with wrong secrets.
func (s *connectorSuite) refusals() ([]error, error) {
	cfg, found := s.withCanaries()
	if !found {
		return nil, skipped("the configuration has no secret")
	}
	ctx, cancel := context.WithTimeout(s.ctx, 20*time.Second)
	defer cancel()
	src, err := s.Connector.Open(ctx, cfg)
	if err != nil {
		return []error{err}, nil
	}
	defer src.Close()
	errs := []error{src.Check(ctx)}
	_, err = src.Streams(ctx)
	errs = append(errs, err)
	streams, err := s.list()
	if err == nil {
		_, err = s.readFrom(ctx, src, core.ReadRequest{Stream: streams[0]})
	}
	return append(errs, err), nil
}

func secretsHidden(s *connectorSuite) error {
	errs, err := s.refusals()
	if err != nil {
		return err
	}
	for _, secret := range append(s.secrets(), canary) {
		for _, form := range []string{secret, url.QueryEscape(secret), base64.StdEncoding.EncodeToString([]byte(secret))} {
			for _, e := range errs {
				if e != nil && strings.Contains(e.Error(), form) {
					return errors.New("a secret stands in an error: " + strings.ReplaceAll(e.Error(), form, "(secret)"))
				}
			}
			for name, b := range s.baselines {
				if b.read == nil {
					continue
				}
				for _, m := range b.read.marks {
					if strings.Contains(string(m.after), form) {
						return fmt.Errorf("a secret stands in a state of stream %q", name)
					}
				}
			}
		}
	}
	return nil
}

func errorsTyped(s *connectorSuite) error {
	errs, err := s.refusals()
	if err != nil {
		return err
	}
	for _, err := range errs {
		var e *core.Error
		if err != nil && !errors.Is(err, context.DeadlineExceeded) && (!errors.As(err, &e) || e.Kind == core.KindInternal) {
			return fmt.Errorf("wrong credentials gave %q of kind %q", err, core.KindOf(err))
		}
	}
	return nil
}
