package lockout_test

import (
	"testing"

	"halligan/lockout"
)

func TestOwnVectors(t *testing.T) {
	f, err := lockout.OwnVectors()
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Vectors) != 40 {
		t.Errorf("got %d vectors, want 40", len(f.Vectors))
	}
	judge(t, f)
}

func judge(t *testing.T, f *lockout.VectorFile) {
	t.Helper()
	for _, r := range lockout.Selftest(f) {
		if !r.OK {
			t.Errorf("%s %s\nwant %s\ngot  %s\nreason: %s", r.ID, r.Title, r.Want, r.Got, r.Reason)
		}
	}
}
