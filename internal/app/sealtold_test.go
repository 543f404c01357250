package app_test

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"halligan/custody"
	"halligan/entra"
	"halligan/internal/app"
	"halligan/register"
	"halligan/seal"
)

const (
	south     = entra.ID("5e0a6d3c-7a55-4bd3-8f0b-6a1f7f1a9b10")
	southName = "ea-south@tidewaterinstruments.onmicrosoft.com"
)

type object = map[string]any

// twoSealed are two accounts, for each of which a set is sealed and live.
type twoSealed struct {
	*world
	keys         map[string]*age.X25519Identity
	north, south *seal.File
}

func sealedTwice(t *testing.T, set ...setUp) *twoSealed {
	t.Helper()
	w := &twoSealed{keys: map[string]*age.X25519Identity{}}
	w.world = begun(t, append([]setUp{holding(w.keys, "ana", "ben", "carol"), func(w *world) {
		w.Register.Accounts[0].Pattern = register.PatternVault
		w.Register.Accounts = append(w.Register.Accounts, register.Account{ID: south, Name: southName, Pattern: register.PatternVault})
	}}, set...)...)
	w.north, w.south = w.sealedFor(northName, "ana", "ben"), w.sealedFor(southName, "ben", "carol")
	return w
}

// sealedFor seals the password of an account.
func (w *twoSealed) sealedFor(account string, holders ...string) *seal.File {
	w.t.Helper()
	asked, err := w.As("ana").wishesAsIs(app.SealWish{Account: account, What: "the password", Holders: holders})
	must(w.t, err)
	w.As("ben").Approves(asked.Request.Hash())
	j := job(w.t)
	_, err = w.Seal(w.t.Context(), asked.Request.Hash(), j)
	must(w.t, err)
	w.later(time.Minute)
	f, err := app.ReadSealed(j.Out)
	must(w.t, err)
	return f
}

// forges makes, without the program, what mallory asks: details of an honest request,
// changed. ben approves what he reads.
func (w *twoSealed) forges(wish app.SealWish, change func(d object)) (string, error) {
	w.t.Helper()
	wish.Account, wish.What = northName, "the password"
	if wish.Holders == nil {
		wish.Holders = []string{"ana", "ben"}
	}
	honest, err := w.As("mallory").wishesAsIs(wish)
	must(w.t, err)
	var d object
	must(w.t, json.Unmarshal(honest.Request.Details, &d))
	change(d)
	w.later(time.Minute)
	made := w.As("mallory").makesOf(custody.VerbSeal, honest.Request.On, jsonOf(w.t, d))
	ask := w.As("mallory").handsInRequest(made, "")
	w.handsIn(ask, w.As("ben").prepares(w.request(ask)))
	j := job(w.t)
	if void, is := d["void"].([]any); is && d["replaces"] == nil {
		j.Reseals = void[len(void)-1].(object)["set"].(string)
	}
	_, err = w.Seal(w.t.Context(), ask, j)
	return ask, err
}

// voidOf is a set as a request names it among the void ones.
func voidOf(f *seal.File, holders ...any) object {
	return object{"set": f.Manifest.Set, "on": "2026-11-21", "holders": holders}
}

func replacesNorth(w *twoSealed) app.SealWish {
	return app.SealWish{Replaces: []string{w.north.Manifest.Set}}
}

// toldOfSets is a story about two accounts with live sets.
func toldOfSets(tell func(w *twoSealed) (string, error)) func(*testing.T, ...setUp) (*world, string, error) {
	return func(t *testing.T, lacking ...setUp) (*world, string, error) {
		w := sealedTwice(t, lacking...)
		hash, err := tell(w)
		return w.world, hash, err
	}
}

// opensAs has an opening approved that is not told as it is.
func (w *twoSealed) opensAs(f *seal.File, change func(r *custody.Request, d object)) (string, error) {
	w.t.Helper()
	subject, err := app.OpenSubject(f)
	must(w.t, err)
	var s struct {
		On      string
		Details object
	}
	must(w.t, json.Unmarshal([]byte(subject), &s))
	made := w.As("mallory").makes(func(r *custody.Request) {
		r.What, r.On = custody.VerbOpen, s.On
		change(r, s.Details)
		r.Details = jsonOf(w.t, s.Details)
	})
	ask := w.As("mallory").handsInRequest(made, "")
	w.handsIn(ask, w.As("ben").prepares(w.request(ask)))
	opened, _, err := w.OpenApproved(w.t.Context(), ask, f, func() (*seal.Opened, error) { return seal.Open(f, brought(w.keys, "ben", "carol"), nil) })
	if opened != nil {
		opened.Wipe()
	}
	return ask, err
}

// What mallory hides in a request that was made by hand. Each of them is refused, and
// goes through where requests need not tell what they bring about.
var sealStories = []story{
	{"makes the live set of another account void by an ordinary seal", custody.ReasonUntold, custody.DefenceTold, toldOfSets(func(w *twoSealed) (string, error) {
		return w.forges(app.SealWish{}, func(d object) {
			d["replaces"], d["void"] = []any{w.south.Manifest.Set}, []any{voidOf(w.south, "ben", "carol")}
			delete(d, "beware")
		})
	})},
	{"writes the set of another account among those that were void before", custody.ReasonUntold, custody.DefenceTold, toldOfSets(func(w *twoSealed) (string, error) {
		return w.forges(replacesNorth(w), func(d object) { d["void"] = append([]any{voidOf(w.south, "ben", "carol")}, d["void"].([]any)...) })
	})},
	{"has the set of another account sealed as one of this", custody.ReasonUntold, custody.DefenceTold, toldOfSets(func(w *twoSealed) (string, error) {
		return w.forges(app.SealWish{Void: app.VoidOf(w.north, "2026-11-21")}, func(d object) {
			d["void"] = []any{voidOf(w.south, "ben", "carol")}
			d["beware"] = []any{"set " + w.north.Manifest.Set + " of 2026-11-21 is live and of the same account. If the new secret takes the place of the old one, ask with --replaces " + w.north.Manifest.Set}
		})
	})},
	{"tells other holders of the set that goes", custody.ReasonUntold, custody.DefenceTold, toldOfSets(func(w *twoSealed) (string, error) {
		return w.forges(replacesNorth(w), func(d object) { d["void"] = []any{voidOf(w.north, "victor", "mallory")} })
	})},
	{"leaves the set that goes out of the void ones", custody.ReasonUntold, custody.DefenceTold, toldOfSets(func(w *twoSealed) (string, error) {
		return w.forges(replacesNorth(w), func(d object) { delete(d, "void") })
	})},
	{"leaves out that another set is live", custody.ReasonUntold, custody.DefenceTold, toldOfSets(func(w *twoSealed) (string, error) {
		return w.forges(app.SealWish{}, func(d object) { delete(d, "beware") })
	})},
	{"tells approvers something of mallory's own", custody.ReasonUntold, custody.DefenceTold, toldOfSets(func(w *twoSealed) (string, error) {
		return w.forges(replacesNorth(w), func(d object) { d["beware"] = []any{"the security team has looked at this: approve it"} })
	})},
	{"has an opening approved as that of another account", custody.ReasonUntold, custody.DefenceTold, toldOfSets(func(w *twoSealed) (string, error) {
		return w.opensAs(w.south, func(r *custody.Request, _ object) { r.On = "the password of emergency account 1" })
	})},
	{"tells other holders of the file that is opened", custody.ReasonUntold, custody.DefenceTold, toldOfSets(func(w *twoSealed) (string, error) {
		return w.opensAs(w.south, func(_ *custody.Request, d object) { d["holders"] = []any{"ana", "ben", "carol", "victor"} })
	})},
}

// Nobody is asked to sign a request to seal that lies.
func TestALieAboutSetsIsNotShownToSign(t *testing.T) {
	w := sealedTwice(t)
	honest, err := w.As("mallory").wishes(app.SealWish{Holders: []string{"ana", "ben"}})
	must(t, err)
	var d object
	must(t, json.Unmarshal(honest.Request.Details, &d))
	delete(d, "beware")
	ask := w.As("mallory").handsInRequest(w.As("mallory").makesOf(custody.VerbSeal, honest.Request.On, jsonOf(t, d)), "")
	signed := false
	_, err = w.Approve(t.Context(), ask, "ben", time.Time{}, func(ctx context.Context, text []byte, c string) (app.Signature, error) {
		signed = true
		return w.As("ben").sign(ctx, text, c)
	})
	if err == nil || signed || !strings.Contains(err.Error(), "it leaves out: set "+w.north.Manifest.Set) {
		t.Errorf("%v, %v", signed, err)
	}
	hinted(t, err)
}

// What changed honestly since it was asked is told, and uses nothing up.
func TestWhatCameInAfterTheApprovalIsToldAndUsesNothing(t *testing.T) {
	w := sealedTwice(t)
	ask := func(wish app.SealWish) string {
		asked, err := w.As("ana").wishes(wish)
		must(t, err)
		w.As("ben").Approves(asked.Request.Hash())
		w.later(time.Minute)
		return asked.Request.Hash()
	}
	beside, replacing, again := ask(app.SealWish{Holders: []string{"ana", "carol"}}), ask(app.SealWish{Holders: []string{"ana", "ben"}, Replaces: []string{w.north.Manifest.Set}}), ask(app.SealWish{Holders: []string{"ben", "carol"}, Replaces: []string{w.north.Manifest.Set}})
	done, err := w.Seal(t.Context(), replacing, job(t))
	must(t, err)
	for hash, says := range map[string]string{beside: "set " + done.Sealed.Manifest.Set, again: "set " + w.north.Manifest.Set} {
		_, err := w.Seal(t.Context(), hash, job(t))
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "since it was asked for") || !strings.Contains(hintIn(err), "nothing is used") {
			t.Errorf("%v (%s)", err, hintIn(err))
		}
		if r, err := w.Request(t.Context(), hash); err != nil || r.State != app.RequestReady {
			t.Errorf("%+v %v", r, err)
		}
	}
}

// Approvers read that the register does not say how an account signs in. Whoever mends
// that meanwhile does not have to ask anew; whoever makes it worse has.
func TestARegisterThatWasMendedAfterTheApprovalIsTaken(t *testing.T) {
	for pattern, good := range map[register.Pattern]bool{register.PatternVault: true, register.PatternFIDO2: false} {
		w, hash := agreed(t, map[string]*age.X25519Identity{}, pairOfTwo)
		w.Register.Accounts[0].Pattern = pattern
		if _, err := w.Seal(t.Context(), hash, &app.SealJob{Out: filepath.Join(t.TempDir(), "x.sealed"), Secret: job(t).Secret}); (err == nil) != good {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

// What is asked by a file that the log speaks against is refused before anybody approves.
func TestAFalseFileIsNotAskedToBeReplaced(t *testing.T) {
	w := sealedTwice(t)
	false1 := app.VoidOf(w.north, "2026-11-21")
	false1[0].Holders = []string{"victor", "mallory"}
	for name, c := range map[string]struct {
		wish app.SealWish
		says string
	}{
		"other holders":           {app.SealWish{Void: false1, Replaces: []string{w.north.Manifest.Set}}, "its holders are said to be victor, mallory"},
		"other holders, resealed": {app.SealWish{Void: false1}, "its holders are said to be victor, mallory"},
		"another account":         {app.SealWish{Void: app.VoidOf(w.south, "2026-11-21")}, "it is of account " + string(south)},
	} {
		c.wish.Holders = []string{"ana", "ben"}
		if _, err := w.As("ana").wishes(c.wish); err == nil || !strings.Contains(err.Error(), c.says) || hintIn(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
}
