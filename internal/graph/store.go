package graph

import (
	"fmt"
	"regexp"
)

// Where tokens are kept.
//
// The platform's own store is used where that is possible without cgo: on Linux
// a file that is encrypted with a key in the kernel's keyring, on Windows a file
// encrypted for the user by DPAPI (Microsoft's module azidentity/cache). On
// macOS the keychain needs cgo, and this program is built without: tokens stay
// in memory there. Containers often forbid keyctl; so the store is tried before
// it is used.
//
// azidentity has no way to remove a token. So each profile has a store of its
// own, with a random name, and logging out deletes its files (and, on Linux, the
// key that could open a copy of them).

// Store says whether tokens outlive the process, where they are, and why not.
func Store() (persist bool, where, why string) { return probeStore() }

// storeName is the form of the name of a profile's store: it becomes the name
// of a file.
var storeName = regexp.MustCompile(`^halligan-[0-9a-f]{16}$`)

func checkStoreName(name string) error {
	if !storeName.MatchString(name) {
		return &ConfigError{What: fmt.Sprintf("use token store %q: that is no name of a store", clean(name, 80)), Cure: "Sign in again with `halligan login`."}
	}
	return nil
}

// RemoveTokens deletes what the store of that name holds. There need not be
// anything.
func RemoveTokens(name string) error {
	if err := checkStoreName(name); err != nil {
		return err
	}
	return removeStore(name)
}
