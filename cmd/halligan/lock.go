package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// lockWait bounds how long a command waits for others that change the same file,
// lockPause how long it waits between two looks.
const (
	lockWait  = 10 * time.Second
	lockPause = 10 * time.Millisecond
)

var errLocked = errors.New("another halligan is changing it")

// locked runs change while no other halligan changes the file. Without it, two
// that read the file, add to it and write it would leave what the last one added.
//
// The lock is on a file beside it, since the file itself is replaced. The system
// drops it when a process ends, however it does; what such a process leaves is an
// empty file that is locked anew.
func locked(ctx context.Context, path string, change func() error) error {
	name := filepath.Join(filepath.Dir(path), ".halligan-"+filepath.Base(path)+".lock")
	end := time.NewTimer(lockWait)
	defer end.Stop()
	for {
		file, err := takeLock(name)
		if err == nil {
			defer dropLock(file)
			return change()
		}
		if !errors.Is(err, errLocked) {
			return &fault{exitFailed, fmt.Errorf("lock %s: %v", path, err), "nothing was changed; the folder must be writable"}
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("lock %s: %w", path, ctx.Err())
		case <-end.C:
			return &fault{exitFailed, fmt.Errorf("lock %s: %v", path, err), "nothing was changed; try again when the other one has ended"}
		case <-time.After(lockPause):
		}
	}
}

// takeLock opens and locks a file, made if need be. The error is errLocked when
// somebody else has it.
func takeLock(name string) (*os.File, error) {
	file, err := os.OpenFile(name, os.O_RDONLY|os.O_CREATE, 0o644)
	switch {
	case err != nil && vanishing(err):
		return nil, errLocked
	case err != nil:
		return nil, err
	}
	if err := lockFile(file); err != nil {
		_ = file.Close()
		return nil, err
	}
	// Whoever had it before removed the file: a lock on what has no name any more
	// keeps nobody out.
	opened, err := file.Stat()
	named, gone := os.Lstat(name)
	if err != nil || gone != nil || !os.SameFile(opened, named) {
		_ = file.Close()
		return nil, errLocked
	}
	return file, nil
}
