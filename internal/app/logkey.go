package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/store"
)

// KeyPlace keeps the private half of the log key. A change of keys has two steps,
// so that no moment is without a key that the log believes: Prepare keeps the new
// one beside the old, Promote lets it take its place.
type KeyPlace interface {
	Load() (*evidence.LogKey, error)
	Prepare(custody.Secret) error
	Promote() error
	// Discard removes a key that was prepared and that the log will never take.
	Discard() error
	// Prepared is a key that was prepared and not promoted, nil when there is none.
	Prepared() (*evidence.LogKey, error)
	String() string // for people
}

// ChangeKey keeps a new key before the log knows it, and lets it take the old
// one's place when it does: a key that is lost between the two would end the log.
// A key that the log certainly did not take is removed: it would be taken for one
// that waits. Where that is in doubt it stays, and the log says it when it is opened.
func ChangeKey(keys KeyPlace, key *evidence.LogKey, write func() ([]evidence.Entry, error)) ([]evidence.Entry, error) {
	if keys == nil {
		return nil, errors.New("keep the new log key: there is no place for it")
	}
	if err := keys.Prepare(key.Secret()); err != nil {
		return nil, err
	}
	entries, err := write()
	if err != nil {
		if !maybeWritten(err) {
			err = errors.Join(err, keys.Discard())
		}
		return nil, err
	}
	return entries, keys.Promote()
}

// maybeWritten reports whether the entries of an append that failed may stand in
// the log all the same.
func maybeWritten(err error) bool {
	if poisoned, is := errors.AsType[*store.PoisonedError](err); is && poisoned.InDoubt {
		return true
	}
	if witness, is := errors.AsType[*store.WitnessError](err); is && witness.Written {
		return true
	}
	_, doubt := errors.AsType[*store.DoubtError](err)
	return doubt
}

// KeyFile keeps the log key in a file that its owner alone may read.
type KeyFile struct{ Path string }

// String is the path.
func (k KeyFile) String() string { return k.Path }

const mostKey = 4096

// Load reads the key. It refuses a file that others can read.
func (k KeyFile) Load() (*evidence.LogKey, error) { return readKey(k.Path) }

// NoKeyError is for a log key that is not where it should be.
type NoKeyError struct{ Place string }

func (e *NoKeyError) Error() string { return fmt.Sprintf("read log key %s: there is none", e.Place) }

// Hint says what to do next.
func (*NoKeyError) Hint() string {
	return "bring it back from its backup, or give its place with --log-key; if it is lost: halligan request log-key-lost"
}

func readKey(path string) (*evidence.LogKey, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, &NoKeyError{path}
	}
	if err != nil {
		return nil, fmt.Errorf("read log key: %w", err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		return nil, &hinted{fmt.Errorf("read log key %s: others can read it (mode %04o)", path, info.Mode().Perm()), "chmod 600 it, and change the key: halligan request log-key. Whoever read it can sign a false log"}
	}
	if info.Size() > mostKey {
		return nil, fmt.Errorf("read log key %s: %d bytes are no key", path, info.Size())
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read log key: %w", err)
	}
	key, err := evidence.ParseLogKey(custody.NewSecret(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

func (k KeyFile) next() string { return k.Path + ".next" }

// Prepare writes a key beside the one that holds, and does not return before it
// is on the disk.
func (k KeyFile) Prepare(secret custody.Secret) error {
	if err := os.MkdirAll(filepath.Dir(k.Path), 0o700); err != nil {
		return fmt.Errorf("keep log key: %w", err)
	}
	file, err := os.OpenFile(k.next(), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("keep log key: %w", err)
	}
	err = file.Chmod(0o600) // of a file that was left there, before the secret is in it
	if err == nil {
		_, err = file.Write(append(append([]byte(nil), secret.Reveal()...), '\n'))
	}
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return fmt.Errorf("keep log key %s: %w", k.next(), err)
	}
	return syncFolder(filepath.Dir(k.Path))
}

// Promote lets the prepared key take the place of the other, which is gone then:
// the log does not believe it any more.
func (k KeyFile) Promote() error {
	if err := os.Rename(k.next(), k.Path); err != nil {
		return fmt.Errorf("keep log key: %w", err)
	}
	return syncFolder(filepath.Dir(k.Path))
}

// Discard removes the prepared key.
func (k KeyFile) Discard() error {
	if err := os.Remove(k.next()); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("discard log key: %w", err)
	}
	return nil
}

// Prepared reads the prepared key.
func (k KeyFile) Prepared() (*evidence.LogKey, error) {
	key, err := readKey(k.next())
	if _, none := errors.AsType[*NoKeyError](err); none {
		return nil, nil
	}
	return key, err
}

// syncFolder makes a rename last. Windows has no such thing for folders.
func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}
