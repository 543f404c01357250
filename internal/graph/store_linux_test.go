package graph

import (
	"testing"

	"golang.org/x/sys/unix"

	"halligan/internal/testenv"
)

// The file of a store could be copied before it is deleted; without its key the
// copy is worth nothing.
func TestKeyOfARemovedStoreIsGone(t *testing.T) {
	ring, err := unix.KeyctlGetKeyringID(unix.KEY_SPEC_USER_KEYRING, true)
	if err != nil {
		testenv.Missing(t, "there is no keyring here: "+err.Error())
	}
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	name := NewStoreName()
	if _, err := unix.AddKey("user", name+".cae", []byte("key"), ring); err != nil {
		testenv.Missing(t, "no key can be kept here: "+err.Error())
	}
	if _, err := unix.KeyctlSearch(ring, "user", name+".cae", 0); err != nil {
		testenv.Missing(t, "keys cannot be found here: "+err.Error())
	}
	if err := RemoveTokens(name); err != nil {
		t.Fatal(err)
	}
	if _, err := unix.KeyctlSearch(ring, "user", name+".cae", 0); err == nil {
		t.Error("the key is still there")
	}
}
