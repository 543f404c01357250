package store

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

var errLocked = errors.New("another process holds the lock")

// lockFile locks one byte far behind the text, so that others can read who the
// owner is: on Windows a locked byte cannot be read.
func lockFile(file *os.File) error {
	at := windows.Overlapped{OffsetHigh: 1 << 30}
	err := windows.LockFileEx(windows.Handle(file.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) || errors.Is(err, windows.ERROR_IO_PENDING) {
		return errLocked
	}
	return err
}

// syncDir does nothing: Windows has no flush for a folder and keeps names with
// the journal of its file system.
func syncDir(string) error { return nil }

func otherNames(os.FileInfo) uint64 { return 0 }
