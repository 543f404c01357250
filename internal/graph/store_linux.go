package graph

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

const storeWords = "in %s, encrypted with a key in the kernel's keyring; a restart of the machine ends them"

// storeDir is where azidentity/cache keeps its files.
func storeDir() (string, error) {
	dir := os.Getenv("XDG_CACHE_HOME")
	if dir == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", err
		}
		dir = filepath.Join(home, ".cache")
	}
	return filepath.Join(dir, ".IdentityService"), nil
}

// removeKey takes the key of a store out of the user's keyrings. That it fails
// is no matter: without the file there is nothing for the key to open.
func removeKey(description string) {
	ring, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, false)
	if err != nil {
		return
	}
	key, err := unix.KeyctlSearch(ring, "user", description, 0)
	if err != nil {
		return
	}
	// The key may hang in a persistent keyring below the user's: revoking it
	// works wherever it is.
	_, _ = unix.KeyctlInt(unix.KEYCTL_REVOKE, key, 0, 0, 0)
	_, _ = unix.KeyctlInt(unix.KEYCTL_UNLINK, key, ring, 0, 0)
}
