package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"
)

// process says who owns a store. It is for people: the lock decides.
type process struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

func thisProcess(now time.Time) process {
	host, err := os.Hostname()
	if err != nil {
		host = "this host"
	}
	return process{os.Getpid(), host, now.UTC().Truncate(time.Second)}
}

func (p process) text() string {
	text, err := json.Marshal(p)
	if err != nil {
		return ""
	}
	return string(text)
}

func ownedError(name string, text []byte) *OwnedError {
	var p process
	if json.Unmarshal(bytes.TrimSpace(text), &p) != nil || p.PID <= 0 {
		return &OwnedError{Name: name}
	}
	return &OwnedError{Name: name, PID: p.PID, Host: p.Host, Since: p.Since}
}

// fileOwner is the lock on a file beside a SQLite store. The operating system
// drops it when the process ends, however it ends; what the file says is never
// believed, so that neither an old text nor a process id that is in use again
// keeps anybody out.
type fileOwner struct{ file *os.File }

const ownerText = 4096

func ownFile(path, name string, now time.Time) (*fileOwner, error) {
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("own store %s: %w", name, err)
	}
	if err := lockFile(file); err != nil {
		text, _ := io.ReadAll(io.LimitReader(file, ownerText)) // told, not believed
		file.Close()
		if errors.Is(err, errLocked) {
			return nil, ownedError(name, text)
		}
		return nil, fmt.Errorf("own store %s: lock %s: %w", name, path, err)
	}
	// On a full disk the text is missing, and the lock holds.
	if file.Truncate(0) == nil {
		_, _ = file.WriteAt([]byte(thisProcess(now).text()+"\n"), 0)
	}
	return &fileOwner{file}, nil
}

// release leaves the file where it is: whoever waits for its lock must not hold
// the lock of a file that is gone.
func (o *fileOwner) release() error {
	_ = o.file.Truncate(0)
	return o.file.Close()
}
