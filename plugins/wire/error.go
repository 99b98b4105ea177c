package wire

import (
	"context"
	"errors"
	"strings"

	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/unsilo/unsilo/core"
	wirev1 "github.com/unsilo/unsilo/plugins/wire/v1"
)

// ErrorToWire converts an error; nil stays nil. A core.Error anywhere in its chain keeps
// all its fields, and the whole keeps its text.
func ErrorToWire(err error) *wirev1.Error {
	if err == nil {
		return nil
	}
	w := &wirev1.Error{
		Text:     clean(err.Error()),
		Canceled: errors.Is(err, context.Canceled),
		Deadline: errors.Is(err, context.DeadlineExceeded),
	}
	var e *core.Error
	if !errors.As(err, &e) {
		return w
	}
	w.Kind, w.Op, w.Stream = string(e.Kind), clean(e.Op), clean(e.Stream)
	w.Path, w.Try = clean(e.Path), clean(e.Try)
	if e.RetryAfter != 0 {
		w.RetryAfter = durationpb.New(e.RetryAfter)
	}
	if e.Err != nil {
		w.Cause = clean(e.Err.Error())
	}
	return w
}

// ErrorFromWire converts an error; nil stays nil. One that held a core.Error holds an
// equal one again; the text is the same, and errors.Is still finds the errors of a context.
func ErrorFromWire(w *wirev1.Error) error {
	if w == nil {
		return nil
	}
	var cause error
	switch {
	case w.GetCanceled():
		cause = context.Canceled
	case w.GetDeadline():
		cause = context.DeadlineExceeded
	}
	if w.GetKind() == "" {
		return remoteError{text: w.GetText(), inner: cause}
	}
	e := &core.Error{
		Kind: core.Kind(w.GetKind()), Op: w.GetOp(), Stream: w.GetStream(),
		Path: w.GetPath(), Try: w.GetTry(), RetryAfter: w.GetRetryAfter().AsDuration(),
	}
	if cause != nil || w.GetCause() != "" {
		e.Err = remoteError{text: w.GetCause(), inner: cause}
	}
	if e.Error() == w.GetText() {
		return e
	}
	return remoteError{text: w.GetText(), inner: e}
}

// remoteError is an error whose type stayed in the plugin.
type remoteError struct {
	text  string
	inner error
}

func (e remoteError) Error() string { return e.text }
func (e remoteError) Unwrap() error { return e.inner }

// clean makes s fit a protobuf string.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
