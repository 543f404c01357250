package app_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"filippo.io/age"

	"halligan/evidence"
	"halligan/internal/app"
	"halligan/register"
)

func TestASealedFileIsKeptAtAPlaceOutsideAndComesBack(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, pairOfTwo)
	j := job(t)
	kept := filepath.Join(t.TempDir(), "vaulted")
	j.Put = &register.Place{Name: "Key vault", Put: []string{"tee", kept}, Get: []string{"cat", kept}}
	done, err := w.Seal(t.Context(), hash, j)
	if err != nil {
		t.Fatal(err)
	}
	data, err := app.GetSealed(t.Context(), j.Put)
	if err != nil || !bytes.Equal(data, done.Sealed.Bytes) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	for name, p := range map[string]*register.Place{"no command": {Name: "x"}, "it fails": {Name: "x", Get: []string{"false"}}, "it is not there": {Name: "x", Get: []string{"halligan-no-such-program"}}, "it gives something else": {Name: "x", Get: []string{"echo", "not base64!"}}, "it gives too much": {Name: "x", Get: []string{"yes"}}} {
		if _, err := app.GetSealed(t.Context(), p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// A vault that takes nothing, or keeps something else: the file is sealed all the
// same, and whoever sealed it is told.
func TestAPlaceThatDoesNotKeepTheFileIsTold(t *testing.T) {
	for name, p := range map[string]*register.Place{
		"something else comes back": {Name: "Key vault", Put: []string{"true"}, Get: []string{"echo", "UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA=="}},
		"it takes nothing":          {Name: "Key vault", Put: []string{"false"}},
	} {
		t.Run(name, func(t *testing.T) {
			keys := map[string]*age.X25519Identity{}
			w, hash := agreed(t, keys, pairOfTwo)
			j := job(t)
			j.Put = p
			done, err := w.Seal(t.Context(), hash, j)
			if err == nil || done == nil {
				t.Fatal("no error, or no file")
			}
			out := w.entries(evidence.KindOutcome, hash)
			if len(out) != 1 || result(t, out[0]) != "done" || !strings.Contains(string(out[0].Data), `"placeKeepsIt":false`) {
				t.Errorf("%+v", out)
			}
		})
	}
}
