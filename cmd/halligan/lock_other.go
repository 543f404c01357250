//go:build !windows

package main

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// lockFile locks a file, or returns errLocked at once.
func lockFile(file *os.File) error {
	err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) || errors.Is(err, unix.EINTR) {
		return errLocked
	}
	return err
}

// dropLock removes the file while it is locked: later it may be another's.
func dropLock(file *os.File) {
	_ = os.Remove(file.Name())
	_ = file.Close()
}

// vanishing reports whether a file could not be opened only because it is being
// removed, which does not happen on these systems.
func vanishing(error) bool { return false }
