package config

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/unsilo/unsilo/core"
)

const (
	maxSecret   = 64 << 10
	execTimeout = 30 * time.Second
)

// Secrets resolves references to secrets, and takes every value it has resolved out of
// text that is shown or stored. It may be used by several goroutines.
type Secrets struct {
	dir       string
	getenv    func(string) string
	allowExec bool

	mu    sync.RWMutex
	known map[string]string // value by reference
	forms []string          // what is searched for, longest first
}

// NewSecrets makes a resolver for the references of a project. Secrets that stand in its
// files, or came as variables, are known to it from the start.
func NewSecrets(p *Project, getenv func(string) string) *Secrets {
	if getenv == nil {
		getenv = func(string) string { return "" }
	}
	s := &Secrets{dir: p.Dir, getenv: getenv, allowExec: p.AllowExec, known: map[string]string{}}
	for _, ref := range sortedKeys(p.held) {
		s.remember(ref, p.held[ref])
	}
	return s
}

// Resolve gives the value of a reference: the environment variable of env:NAME, the text
// of file:PATH inside the project, the output of exec:COMMAND, the latter two without the
// line end. An Error of KindConfig names the reference, never a value.
func (s *Secrets) Resolve(ctx context.Context, ref core.SecretRef) (string, error) {
	s.mu.RLock()
	value, ok := s.known[ref.Ref]
	s.mu.RUnlock()
	if ok {
		return value, nil
	}
	value, try, err := s.lookUp(ctx, ref.Ref)
	if err != nil {
		return "", &core.Error{Kind: core.KindConfig, Op: "resolve " + ref.String(), Err: err, Try: try}
	}
	s.remember(ref.Ref, value)
	return value, nil
}

// lookUp gives the value of a reference, or what to try and what is wrong.
func (s *Secrets) lookUp(ctx context.Context, ref string) (value, try string, err error) {
	if text, ok := strings.CutPrefix(ref, textScheme); ok {
		return s.compose(ctx, text)
	}
	if err := checkRef(ref, s.allowExec); err != nil {
		return "", "Correct the reference.", err
	}
	scheme, rest, _ := strings.Cut(ref, ":")
	switch scheme + ":" {
	case envScheme:
		if value = s.getenv(rest); value == "" {
			return "", fmt.Sprintf("Set the environment variable %s.", rest),
				fmt.Errorf("the environment variable %s is not set", rest)
		}
		return value, "", nil
	case fileScheme:
		src, err := readInside(s.dir, rest, maxSecret)
		if err == nil && strings.TrimSpace(string(src)) == "" {
			err = fmt.Errorf("the file %q is empty", rest)
		}
		return strings.TrimRight(string(src), "\r\n"), fmt.Sprintf("Put the secret into the file %s, with mode 0600.", rest), err
	}
	return s.run(ctx, rest)
}

// compose resolves the references in a text.
func (s *Secrets) compose(ctx context.Context, text string) (string, string, error) {
	var b strings.Builder
	for _, part := range textParts(text) {
		if !part.secret {
			b.WriteString(part.text)
			continue
		}
		value, err := s.Resolve(ctx, core.SecretRef{Ref: part.text})
		if err != nil {
			var e *core.Error
			errors.As(err, &e)
			return "", e.Try, e.Err
		}
		b.WriteString(value)
	}
	return b.String(), "", nil
}

// run gives the output of a program. It is started without a shell; its own messages are
// not repeated, as they may hold the secret.
func (s *Secrets) run(ctx context.Context, command string) (string, string, error) {
	words := strings.Fields(command)
	ctx, cancel := context.WithTimeout(ctx, execTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir = s.dir
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	value := strings.TrimRight(string(out), "\r\n")
	try := fmt.Sprintf("Run %s in the project's folder and see what it says.", words[0])
	switch {
	case ctx.Err() != nil:
		return "", try, fmt.Errorf("run %s: %w", words[0], ctx.Err())
	case err != nil:
		return "", try, fmt.Errorf("run %s: %w", words[0], withoutOutput(err))
	case value == "" || len(value) > maxSecret:
		return "", try, fmt.Errorf("run %s: it printed %d bytes", words[0], len(out))
	}
	return value, "", nil
}

// withoutOutput drops what a failed program printed.
func withoutOutput(err error) error {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return fmt.Errorf("it ended with %s", exit.ProcessState)
	}
	return err
}

// remember stores a value and its forms.
func (s *Secrets) remember(ref, value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.known[ref]; ok && old == value {
		return
	}
	s.known[ref] = value
	s.addForms(value)
}

// Hide takes a value out of text from now on, as if it had been resolved. It is for
// secrets that appear while running, such as access tokens.
func (s *Secrets) Hide(value string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addForms(value)
}
