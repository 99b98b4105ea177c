package numbers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/unsilo/unsilo/core"
)

// reopens hangs in the second Open of the act "reopen", whose file counts them.
func reopens(ctx context.Context, cfg core.Config) error {
	file, ok := strings.CutPrefix(cfg.String("act"), "reopen:")
	if !ok {
		return nil
	}
	seen, _ := os.ReadFile(file)
	if err := os.WriteFile(file, append(seen, '.'), 0o600); err != nil {
		return err
	}
	if len(seen) == 1 {
		<-ctx.Done()
		return ctx.Err()
	}
	return nil
}

// misbehave does what the field act asks for, once row "at" is reached.
func (s *source) misbehave(ctx context.Context, row int64, emit func(core.Batch) error) error {
	if row < s.cfg.Int("at") {
		return nil
	}
	act, arg, _ := strings.Cut(s.cfg.String("act"), ":")
	switch act {
	case "exit":
		fmt.Fprintln(os.Stderr, "giving up now, token", s.cfg.String("token"))
		time.Sleep(20 * time.Millisecond)
		os.Exit(1)
	case "exit-once":
		if _, err := os.Stat(arg); err != nil {
			_ = os.WriteFile(arg, nil, 0o600)
			os.Exit(1)
		}
	case "reopen": // dies in the first process
		if seen, _ := os.ReadFile(arg); len(seen) == 1 {
			os.Exit(1)
		}
	case "segv":
		_ = syscall.Kill(os.Getpid(), syscall.SIGSEGV)
		time.Sleep(time.Second)
	case "kill":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		time.Sleep(time.Second)
	case "panic":
		var none map[string]int
		none["x"] = 1
	case "panic-elsewhere":
		go func() { panic("in a goroutine of its own") }()
		time.Sleep(time.Second)
	case "stop": // the whole process stands still, and does so once
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		<-ctx.Done()
		return ctx.Err()
	case "hang":
		<-ctx.Done()
		return ctx.Err()
	case "deaf": // ignores cancellation
		time.Sleep(time.Hour)
	case "noise":
		for range 200 {
			fmt.Println("noise on standard output")
			fmt.Fprintln(os.Stderr, "noise on standard error")
			_, _ = syscall.Write(1, []byte("raw noise\n"))
		}
		slog.Warn("the api is slow", "token", s.cfg.String("token"))
	case "huge-cell":
		return emitText(emit, strings.Repeat("x", 64<<20))
	case "bad-text":
		return emitText(emit, "\xff\xfe")
	case "memory":
		var hog [][]byte
		for {
			b := make([]byte, 16<<20)
			for i := range b {
				b[i] = 1
			}
			hog = append(hog, b)
			if len(hog) > 1000 {
				return errors.New("nothing stopped it")
			}
		}
	case "children":
		if _, err := os.Stat(arg); err == nil {
			return nil // one is enough
		}
		cmd := exec.Command("/bin/sleep", "3600")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Start(); err != nil {
			return err
		}
		if err := os.WriteFile(arg, []byte(fmt.Sprint(cmd.Process.Pid)), 0o600); err != nil {
			return err
		}
	case "pid":
		if err := os.WriteFile(arg, []byte(fmt.Sprint(os.Getpid())), 0o600); err != nil {
			return err
		}
	case "env":
		return emitText(emit, strings.Join(os.Environ(), "\n"))
	case "limited":
		return &core.Error{Kind: core.KindLimited, Op: "read page", Stream: "numbers", RetryAfter: 3 * time.Second,
			Err: errors.New("429"), Try: "wait"}
	}
	return nil
}

func emitText(emit func(core.Batch) error, text string) error {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{{Name: "text", Type: arrow.BinaryTypes.String}}, nil))
	defer b.Release()
	b.Field(0).(*array.StringBuilder).Append(text)
	rec := b.NewRecordBatch()
	defer rec.Release()
	return emit(core.Batch{Rows: rec})
}
