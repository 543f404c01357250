package app_test

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/internal/store"
)

func (w *world) log() app.KnownLog {
	w.t.Helper()
	var log app.KnownLog
	if err := w.Ledger.View(w.t.Context(), func(v store.View) (err error) {
		log, _, err = app.LogOf(v, w.Ledger.Identity().ID, "here")
		return err
	}); err != nil {
		w.t.Fatal(err)
	}
	return log
}

// A log is known by its store and by its keys: after a change of the key as before,
// and from a backup of before, too. One with the same id and keys of its own is another.
func TestALogIsKnownByItsStoreAndItsKeys(t *testing.T) {
	w := begun(t)
	before := w.log()
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbLogKey))
	after := w.log()
	if len(before.Keys) != 1 || len(after.Keys) != 2 || after.Keys[0] != before.Keys[0] {
		t.Fatalf("keys %q, then %q", before.Keys, after.Keys)
	}
	other := begun(t).log()
	known := &app.KnownLogs{}
	if !known.Add(before) || known.Add(before) || !known.Add(after) || known.Add(before) {
		t.Error("it is not remembered once, with what is new")
	}
	text, err := known.Write()
	if err != nil {
		t.Fatal(err)
	}
	if known, err = app.ParseKnownLogs(text); err != nil {
		t.Fatal(err)
	}
	disguised := other
	disguised.Store = after.Store
	forked := app.KnownLog{Store: after.Store, Keys: []string{after.Keys[0], other.Keys[0]}}
	for name, tt := range map[string]struct {
		log  app.KnownLog
		want bool
	}{"itself": {after, true}, "from a backup": {before, true}, "another": {other, false}, "another that names itself like it": {disguised, false},
		"one that went on with another key": {forked, false}, "no key": {app.KnownLog{Store: after.Store}, false}} {
		if got := known.Knows(&tt.log); got != tt.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestWhatIsRememberedOfLogsIsReadStrictly(t *testing.T) {
	known := &app.KnownLogs{}
	for range 40 {
		l := aLog(t, len(known.Logs))
		known.Add(l)
	}
	text, err := known.Write()
	if err != nil {
		t.Fatal(err)
	}
	back, err := app.ParseKnownLogs(text)
	if err != nil || len(back.Logs) != 32 {
		t.Fatalf("%v: %d logs", err, len(back.Logs))
	}
	one := &app.KnownLogs{Logs: slices.Clone(known.Logs[:1])}
	good, err := one.Write()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.ParseKnownLogs(good); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"nothing":          "",
		"another version":  strings.Replace(string(good), `"version": 1`, `"version": 2`, 1),
		"no logs":          `{"version": 1, "logs": []}`,
		"a word more":      strings.Replace(string(good), `"version": 1`, `"version": 1, "trust": true`, 1),
		"something behind": string(good) + "{}",
		"no id":            strings.Replace(string(good), `"store": "`, `"store": "x`, 1),
		"no key":           strings.Replace(string(good), "halligan-", "halligan ", 1),
		"too long":         string(good) + strings.Repeat(" ", app.MaxKnownLogs),
	} {
		if _, err := app.ParseKnownLogs([]byte(bad)); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

// aLog is one of many logs, with a key of its own.
func aLog(t *testing.T, n int) app.KnownLog {
	t.Helper()
	key, err := evidence.NewLogKey(rand.Reader, fmt.Sprintf("halligan-%d-1", n))
	if err != nil {
		t.Fatal(err)
	}
	id := make([]byte, 16)
	if _, err := rand.Read(id); err != nil {
		t.Fatal(err)
	}
	return app.KnownLog{Store: hex.EncodeToString(id), Keys: []string{key.Public()}, Where: "here"}
}
