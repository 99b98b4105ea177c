package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/gofrs/flock"
)

// Lock keeps a project to one run at a time. The operating system releases it when the
// process ends, however it ends.
type Lock struct {
	file *flock.Flock
	path string
}

// Holder says who holds a lock.
type Holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

// LockedError says that another run holds the lock.
type LockedError struct {
	Holder Holder
}

// Error names the holder.
func (e *LockedError) Error() string {
	if e.Holder.PID == 0 {
		return "another run holds the project"
	}
	return fmt.Sprintf("another run holds the project: process %d on %s, since %s",
		e.Holder.PID, e.Holder.Host, e.Holder.Since.Format(time.RFC3339))
}

// AcquireLock takes the lock at path, or returns a *LockedError at once. Who holds it is
// written to path + ".holder"; the lock itself is the operating system's.
func AcquireLock(path string) (*Lock, error) {
	f := flock.New(path, flock.SetPermissions(0o600))
	ok, err := f.TryLock()
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	if !ok {
		return nil, &LockedError{Holder: readHolder(path)}
	}
	host, _ := os.Hostname() // the process id alone still helps
	text, err := json.Marshal(Holder{PID: os.Getpid(), Host: host, Since: time.Now().UTC().Truncate(time.Second)})
	if err == nil {
		err = os.WriteFile(holderPath(path), text, 0o600)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("write lock holder: %w", err), f.Unlock())
	}
	return &Lock{file: f, path: path}, nil
}

// Release gives the lock back.
func (l *Lock) Release() error {
	if err := os.Remove(holderPath(l.path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove lock holder: %w", err)
	}
	return l.file.Unlock()
}

func holderPath(path string) string { return path + ".holder" }

func readHolder(path string) Holder {
	var h Holder
	// A lock whose holder cannot be read is still held; it is reported without a name.
	if text, err := os.ReadFile(holderPath(path)); err == nil {
		_ = json.Unmarshal(text, &h)
	}
	return h
}
