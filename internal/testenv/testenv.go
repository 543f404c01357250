// Package testenv finds the data that some tests need and that is not part of
// the project: published policies, Microsoft's description of Graph, vectors.
//
// A test whose data is not there skips and says so. With HALLIGAN_REQUIRE=1 it
// fails instead, so that a missing folder cannot hide a missing test.
package testenv

import (
	"os"
	"testing"
)

// Folder returns the folder or file named by an environment variable, for
// example HALLIGAN_CORPUS. It ends the test when there is none.
func Folder(t testing.TB, variable string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		missing(t, variable+" is not set")
	}
	if _, err := os.Stat(path); err != nil {
		missing(t, variable+" cannot be read: "+err.Error())
	}
	return path
}

// Missing ends a test that lacks something of its surroundings: it is skipped, or
// fails where HALLIGAN_REQUIRE=1 demands that nothing is.
func Missing(t testing.TB, why string) { missing(t, why) }

func missing(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("HALLIGAN_REQUIRE") == "1" {
		t.Fatalf("%s, and HALLIGAN_REQUIRE=1 demands it", why)
	}
	t.Skipf("%s: not tested (CONTRIBUTING.md says where the data comes from)", why)
}
