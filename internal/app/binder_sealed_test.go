package app_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"filippo.io/age"

	"halligan/internal/app"
	"halligan/internal/print"
	"halligan/register"
)

// Whoever opens the binder in the emergency reads there which file is the right one,
// who opens it and where it lies, and which part is not there any more.
func TestTheBinderHasTheLiveSetsAndWhatIsMissing(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, pairOfTwo)
	void, err := w.Seal(t.Context(), hash, job(t))
	must(t, err)
	done := w.sealedAnew(app.SealWish{Holders: []string{"ben", "carol"}, Replaces: []string{void.Sealed.Manifest.Set}})
	id := done.Sealed.Manifest.Set
	w.Register.Parts = []register.Part{
		{Name: "sealed file", Kind: register.PartPassword, Account: north, Seal: "1", Set: strings.ToUpper(id), Place: "Bank vault"},
		{Name: "old key", Kind: register.PartKey, Account: north, Seal: "2"}, {Name: "cracked", Kind: register.PartPIN, Account: north, Seal: "3"},
		{Name: "old file", Kind: register.PartPassword, Account: north, Seal: "4", Set: " " + strings.ToUpper(void.Sealed.Manifest.Set), Place: "Bank vault"}, {Name: "old share", Kind: register.PartShare, Account: north, Set: void.Sealed.Manifest.Set}}
	for _, l := range []app.Look{{Part: "old key", By: "ben", State: app.PartMissing}, {Part: "cracked", By: "ben", Seal: "3", State: app.PartBroken}} {
		_, _, err := w.Verify(t.Context(), l)
		must(t, err)
	}
	_, _, err = w.Verify(t.Context(), app.Look{Part: "old share", By: "ben", State: app.PartMissing})
	must(t, err)
	b, err := w.Binder(t.Context(), w.now)
	must(t, err)
	const isVoid = "VOID since 2026-11-21: do not use"
	if want := []string{"", "MISSING since 2026-11-21", "SEAL BROKEN since 2026-11-21", isVoid, "MISSING since 2026-11-21\n" + isVoid}; !slices.Equal(b.Marks, want) {
		t.Errorf("the marks: %q, want %q", b.Marks, want)
	}
	if len(b.Sealed) != 1 || !slices.Equal(b.Sealed[0].Holders, []string{"ben", "carol"}) {
		t.Errorf("the live sets: %+v", b.Sealed)
	}
	for i := range print.Forms {
		if print.Forms[i].Name != "html" {
			continue
		}
		var page bytes.Buffer
		_, err := print.Forms[i].Write(b.Document(), &page, print.Options{Paper: print.A4})
		must(t, err)
		text := page.String()
		digest := strings.TrimPrefix(done.Sealed.Digest, "sha256:")
		for _, want := range []string{"set " + id, digest[:8] + " " + digest[8:16], "opened by 2 of ben, carol", "Bank vault", "MISSING since 2026-11-21", "SEAL BROKEN since 2026-11-21", isVoid} {
			if !strings.Contains(text, want) {
				t.Errorf("the binder does not say %q", want)
			}
		}
		if _, sealed, _ := strings.Cut(text, ">Sealed files<"); sealed == "" || strings.Contains(sealed, void.Sealed.Manifest.Set) {
			t.Error("the binder has a set that is void among the live ones")
		}
	}
}
