package graph

import (
	"testing"

	"golang.org/x/sys/unix"
)

// The file of a store could be copied before it is deleted; without its key the
// copy is worth nothing.
func TestKeyOfARemovedStoreIsGone(t *testing.T) {
	ring, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true)
	if err != nil {
		t.Skipf("there is no keyring here: %v", err)
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	name := NewStoreName()
	if _, err := unix.AddKey("user", name+".cae", []byte("key"), ring); err != nil {
		t.Skipf("no key can be kept here: %v", err)
	}
	if _, err := unix.KeyctlSearch(ring, "user", name+".cae", 0); err != nil {
		t.Skipf("keys cannot be found here: %v", err)
	}
	if err := RemoveTokens(name); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.KeyctlSearch(ring, "user", name+".cae", 0); err == nil {
		t.Error("the key is still there")
	}
}
