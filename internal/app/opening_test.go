package app_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/register"
)

func TestWhoStandsForTheRecordOfAnOpening(t *testing.T) {
	w := begun(t)
	ana, ben, eve := w.As("ana"), w.As("ben"), w.As("eve")
	moved := w.opening("x", ana)
	moved.Why = "no fire" // another text under ana's signature
	approval := w.opening("x")
	approval.Signatures = []string{ana.armoured(approval.Text())} // signed as an approval is
	for name, c := range map[string]struct {
		o    *app.Opening
		who  []string
		mark bool
	}{
		"two signed":                   {w.opening("x", ana, ben), []string{"ana", "ben"}, false},
		"nobody signed":                {w.opening("x"), []string{"os:tool@host"}, true},
		"a stranger signed":            {w.opening("x", eve), []string{"os:tool@host"}, true},
		"one signed twice":             {w.opening("x", ana, ana), []string{"ana"}, false},
		"another text was signed":      {moved, []string{"os:tool@host"}, true},
		"it was signed as an approval": {approval, []string{"os:tool@host"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			index, against, err := w.RecordOpening(t.Context(), c.o)
			if err != nil || !strings.Contains(against, "not one that the log knows") {
				t.Fatal(against, err)
			}
			all := w.entries(evidence.KindOpened, "")
			e := all[len(all)-1]
			if e.Index != index || !slices.Equal(e.Who, c.who) || slices.Contains(e.Marks, custody.MarkUnsigned) != c.mark {
				t.Errorf("%v by %v", e.Marks, e.Who)
			}
		})
	}
}

// On a machine that knows nothing the record goes into a side log; signatures under
// it count when it is merged, and claims of the file do not.
func TestAnOpeningElsewhereIsMergedWithItsSignatures(t *testing.T) {
	w := begun(t)
	for _, signed := range []bool{true, false} {
		o := w.opening("x")
		if signed {
			o = w.opening("x", w.As("ben"))
		}
		e, err := o.Entry(nil)
		if err != nil || !slices.Contains(e.Marks, custody.MarkUnsigned) {
			t.Fatal(e, err)
		}
		w.merges(w.writes(nil, e))
		all := w.entries(evidence.KindOpened, "")
		got := all[len(all)-1]
		if slices.Contains(got.Marks, custody.MarkUnsigned) == signed || !slices.Contains(got.Marks, app.MarkSide) || signed && !slices.Equal(got.Who, []string{"ben"}) {
			t.Errorf("signed %v: %v by %v", signed, got.Marks, got.Who)
		}
	}
}

// Ben's signature stands for what Ben opened. Whoever copies it out of an export, and
// puts it under another opening in a side log of their own, has no signature.
func TestASignatureOfOneOpeningDoesNotStandForAnother(t *testing.T) {
	w := begun(t)
	genuine, err := w.opening("x", w.As("ben")).Entry(nil)
	must(t, err)
	for name, change := range map[string]func(e *evidence.Entry, d map[string]any){
		"what was opened":  func(e *evidence.Entry, _ map[string]any) { e.On = "the password of account 2" },
		"why":              func(e *evidence.Entry, _ map[string]any) { e.Why = "stolen" },
		"the file":         func(e *evidence.Entry, _ map[string]any) { e.Subject = register.DigestOf([]byte("y")) },
		"the time":         func(e *evidence.Entry, _ map[string]any) { e.Time = e.Time.AddDate(0, 0, 100) },
		"the set":          func(_ *evidence.Entry, d map[string]any) { d["set"] = "fedcba9876543210" },
		"who opened it":    func(_ *evidence.Entry, d map[string]any) { d["openers"] = []string{"ana", "carol"} },
		"what they signed": func(_ *evidence.Entry, d map[string]any) { d["text"] = d["text"].(string) + "x" },
		"":                 func(*evidence.Entry, map[string]any) {},
	} {
		t.Run("another is "+name, func(t *testing.T) {
			var d map[string]any
			must(t, json.Unmarshal(genuine.Data, &d))
			e := genuine
			change(&e, d)
			e.Data = jsonOf(t, d)
			e.Marks = append(slices.Clone(e.Marks), "made in folder "+name) // no two side logs are one
			w.merges(w.writes(malloryKey(t), e))
			all := w.entries(evidence.KindOpened, "")
			got := all[len(all)-1]
			other := name != ""
			if slices.Contains(got.Marks, custody.MarkUnsigned) != other || slices.Contains(got.Marks, app.MarkOtherOpening) != other || slices.Equal(got.Who, []string{"ben"}) == other {
				t.Errorf("%q by %q", got.Marks, got.Who)
			}
		})
	}
}

func TestARecordNeverWaitsForALogThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		release := make(chan struct{})
		kept, err := app.KeepOpening(t.Context(), func(context.Context) (app.Kept, error) { <-release; return app.Kept{Where: "log"}, nil },
			func(context.Context) (app.Kept, error) { return app.Kept{Where: "side log"}, nil })
		if err != nil || kept.Where != "side log" || time.Since(began) > 10*time.Second {
			t.Errorf("%+v %v after %v", kept, err, time.Since(began))
		}
		kept, err = app.KeepOpening(t.Context(), nil, func(context.Context) (app.Kept, error) { <-release; return app.Kept{}, nil })
		if err == nil {
			t.Errorf("%+v", kept)
		}
		close(release)
	})
}
