package app_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"filippo.io/age"
	"filippo.io/age/plugin"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/register"
	"halligan/seal"
)

// Enter pressed twice, or a plugin that is not on this machine, costs nobody their
// approvals.
func TestWhatCannotBeSealedIsNoticedBeforeTheRequestIsUsed(t *testing.T) {
	still := func(t *testing.T, w *world, hash string, err error, says, hint string) {
		t.Helper()
		if err == nil || !strings.Contains(err.Error(), says) || !strings.Contains(hintIn(err), hint) || !strings.Contains(hintIn(err), "the request stays approved") || strings.Contains(hintIn(err), "ask anew") {
			t.Errorf("got %v (%s)", err, hintIn(err))
		}
		if r, err := w.Request(t.Context(), hash); err != nil || r.State != app.RequestReady || len(w.entries(evidence.KindIntent, hash)) > 0 {
			t.Errorf("the request is not as it was: %+v %v", r, err)
		}
	}
	t.Run("no secret", func(t *testing.T) {
		w, hash := agreed(t, map[string]*age.X25519Identity{}, pairOfTwo)
		for typed, says := range map[string]string{"": "there is no secret", " \t": "there is no secret", strings.Repeat("x", seal.SecretMost+1): "a secret of 16385 bytes"} {
			given := custody.NewSecret([]byte(typed))
			j := job(t)
			j.Secret = func(context.Context, *app.SealTask) ([]custody.Secret, error) { return []custody.Secret{given}, nil }
			_, err := w.Seal(t.Context(), hash, j)
			still(t, w, hash, err, says, "give the secret")
			if strings.Contains(string(given.Reveal()), "x") {
				t.Error("it is not wiped")
			}
		}
		if _, err := w.Seal(t.Context(), hash, job(t)); err != nil {
			t.Error(err)
		}
	})
	t.Run("no plugin", func(t *testing.T) {
		w := begun(t, holding(map[string]*age.X25519Identity{}, "ana", "ben"), func(w *world) {
			w.Register.People[1].Receiving = plugin.EncodeRecipient("halliganmissing", []byte("a key of ben"))
		})
		asked, err := w.As("ana").wishes(pairOfTwo)
		must(t, err)
		hash := asked.Request.Hash()
		w.As("ben").Approves(hash)
		j := job(t)
		j.Secret = func(context.Context, *app.SealTask) ([]custody.Secret, error) {
			t.Error("it asks for a secret")
			return nil, errors.New("asked")
		}
		still(t, w, hash, w.TrySeal(t.Context(), hash, j), "the receiving key of ben: the program age-plugin-halliganmissing", "install it")
		_, err = w.Seal(t.Context(), hash, j)
		still(t, w, hash, err, "the receiving key of ben: the program age-plugin-halliganmissing", "install it")
	})
}

// However many are to be told, each of them stands in the file, or the file says how many
// do not.
func TestWhomToCallIsNotLeftOutInSilence(t *testing.T) {
	call := func(t *testing.T, set setUp) []string {
		t.Helper()
		w, hash := agreed(t, map[string]*age.X25519Identity{}, pairOfTwo, set)
		done, err := w.Seal(t.Context(), hash, job(t))
		must(t, err)
		for _, line := range done.Sealed.Manifest.Call {
			if len(line) > 300 || !utf8.ValidString(line) {
				t.Errorf("%d bytes: %s", len(line), line)
			}
		}
		return done.Sealed.Manifest.Call
	}
	var all []string
	for i := range 16 {
		all = append(all, fmt.Sprintf("security-operations-%02d@tidewaterinstruments.example.com", i))
	}
	t.Run("sixteen recipients", func(t *testing.T) {
		got := call(t, func(w *world) {
			w.Register.Channels = []register.Channel{{Name: "Security mail", Kind: "email", Recipients: all}}
		})
		text := strings.Join(got, "\n")
		for _, one := range all {
			if strings.Count(text, one) != 1 {
				t.Errorf("%s is not there once:\n%s", one, text)
			}
		}
		for _, line := range got[:4] {
			if !strings.HasPrefix(line, "Security mail (email): security-operations-") {
				t.Errorf("it does not say which channel: %s", line)
			}
		}
	})
	t.Run("thirty channels", func(t *testing.T) {
		got := call(t, func(w *world) {
			for i := range 30 {
				w.Register.Channels = append(w.Register.Channels, register.Channel{Name: fmt.Sprint("channel ", i), Kind: "sms", Recipients: []string{"on call"}})
			}
		})
		if len(got) != 24 || got[22] != "channel 22 (sms): on call" || !strings.HasPrefix(got[23], "8 more lines have no room here") { // ana has a number, too
			t.Errorf("%d lines: %q", len(got), got)
		}
	})
	t.Run("long words", func(t *testing.T) {
		got := call(t, func(w *world) {
			w.Register.Channels = []register.Channel{{Name: strings.Repeat("ä", 300), Kind: "sms", Recipients: []string{strings.Repeat("ö", 300), "on call"}}}
		})
		if len(got) != 3 || !strings.HasSuffix(got[0], "ö…") || !strings.HasSuffix(got[1], "ä…: on call") {
			t.Errorf("%q", got)
		}
	})
}
