package app_test

import (
	"strings"
	"testing"

	"filippo.io/age"

	"halligan/internal/app"
)

// A number is used once: two envelopes have two, and that of the file is a third.
func TestEachEnvelopeHasItsOwnNumber(t *testing.T) {
	keys := map[string]*age.X25519Identity{}
	w := begun(t, holding(keys, "ana"))
	for name, c := range map[string]struct {
		holders []string
		file    string
		seals   []string
		says    string // part of the error, or of the details when it begins with +
	}{
		"one for two":           {[]string{"ana", "ben", "victor"}, "", []string{"5300"}, "1 numbers, and 2 envelopes"},
		"the same twice":        {[]string{"ana", "ben", "victor"}, "", []string{"5300", "53 00"}, "stands there twice"},
		"that of the file":      {[]string{"ana", "ben", "victor"}, "5300", []string{"5300", "5301"}, "stands there twice"},
		"three for two":         {[]string{"ana", "ben", "victor"}, "", []string{"1", "2", "3"}, "3 numbers, and 2 envelopes"},
		"two for two, in order": {[]string{"ana", "victor", "ben"}, "5299", []string{"5300", "5301"}, `+"name":"victor","seal":"5300"`},
	} {
		asked, err := w.As("ana").wishes(app.SealWish{Holders: c.holders, Seal: c.file, Seals: c.seals})
		want, taken := strings.CutPrefix(c.says, "+")
		if taken != (err == nil) || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
		if taken && err == nil && !strings.Contains(string(asked.Request.Details), want) {
			t.Errorf("%s: %s", name, asked.Request.Details)
		}
	}
	w.As("ben")
	asked, err := w.As("ana").wishes(app.SealWish{Holders: []string{"ana", "victor", "ben"}, Seals: []string{"5300", "5301"}})
	must(t, err)
	w.As("ben").Approves(asked.Request.Hash())
	done, err := w.Seal(t.Context(), asked.Request.Hash(), job(t))
	must(t, err)
	if s := done.Task.Seals; s["victor"] != "5300" || s["ben"] != "5301" || done.Sealed.Manifest.Seal != "" {
		t.Errorf("envelopes %v, file %q", s, done.Sealed.Manifest.Seal)
	}
}
