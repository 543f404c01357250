package app_test

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"filippo.io/age"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/register"
	"halligan/seal"
)

// The name to sign in with goes inside, and whoever opens the file in an emergency types
// it: it is under the approval like the holders are.
func TestAnotherNameThanTheApprovedOneIsNotSealed(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, pairOfTwo)
	other := strings.Replace(northName, "ea-north", "ea-nOrth-x", 1)
	w.edits(func(r *register.Register) { r.Accounts[0].Name = other })
	j := job(t)
	_, err := w.Seal(t.Context(), hash, j)
	if err == nil || !strings.Contains(err.Error(), other) {
		t.Errorf("sealed with a name that nobody approved: %v", err)
	}
	if hint := hintIn(err); !strings.Contains(hint, "halligan.yaml") {
		t.Errorf("hint: %q", hint)
	}
	if _, err := os.Stat(j.Out); err == nil {
		t.Error("there is a file")
	}
	// Nor does a request that says one name to its approvers and holds another.
	asked, err := w.As("ana").wishes(app.SealWish{Holders: []string{"ana", "ben"}})
	if err == nil {
		t.Fatalf("the old name is still known: %+v", asked)
	}
	w.edits(func(r *register.Register) { r.Accounts[0].Name = northName })
	asked, err = w.As("ana").wishes(pairOfTwo)
	must(t, err)
	w.edits(func(r *register.Register) { r.Accounts[0].Name = other })
	var d map[string]any
	must(t, json.Unmarshal(asked.Request.Details, &d))
	d["name"] = other
	details, err := json.Marshal(d)
	must(t, err)
	mallory := w.As("mallory")
	lie := mallory.handsInRequest(mallory.makes(func(r *custody.Request) {
		r.What, r.On, r.Details = custody.VerbSeal, asked.Request.On, details
	}), "")
	if _, err := w.As("ben").approves(lie); err == nil || !strings.Contains(err.Error(), "what was approved is") {
		t.Errorf("ben is asked to sign: %v", err)
	}
	w.handsIn(lie, w.As("ben").prepares(w.request(lie)))
	if _, err := w.Seal(t.Context(), lie, job(t)); err == nil || !strings.Contains(err.Error(), "what was approved is") {
		t.Errorf("approved as %q: %v", asked.Request.On, err)
	}
}

// What is in a file that the log speaks against does not become the new set.
func TestAFileThatTheLogSpeaksAgainstIsNotSealedAnew(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w, hash := agreed(t, keys, pairOfTwo)
	j := job(t)
	_, err := w.Seal(t.Context(), hash, j)
	must(t, err)
	old, err := app.ReadSealed(j.Out)
	must(t, err)
	must(t, w.Resealable(t.Context(), old))
	false_ := *old
	false_.Digest = register.DigestOf([]byte("another"))
	unknown := seal.File{Digest: old.Digest, Manifest: old.Manifest}
	unknown.Manifest.Set = "0123456789abcdef"
	must(t, w.Resealable(t.Context(), &unknown))
	if err := w.Resealable(t.Context(), &false_); err == nil || !strings.Contains(err.Error(), "another file was sealed for it") || hintIn(err) == "" {
		t.Errorf("another file of the set: %v", err)
	}
	asked, err := w.As("ana").wishes(app.SealWish{Holders: []string{"ben", "carol"}, Void: app.VoidOf(old, "2026-11-21")})
	must(t, err)
	w.As("ben").Approves(asked.Request.Hash())
	next := job(t)
	next.Reseals = old.Manifest.Set
	_, err = w.Seal(t.Context(), asked.Request.Hash(), next)
	must(t, err)
	if err := w.Resealable(t.Context(), old); err == nil || !strings.Contains(err.Error(), "is void") || hintIn(err) == "" {
		t.Errorf("a void set: %v", err)
	}
}

// hintIn is what an error says to do next.
func hintIn(err error) string {
	if h, is := errors.AsType[interface {
		error
		Hint() string
	}](err); is {
		return h.Hint()
	}
	return ""
}
