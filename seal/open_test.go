package seal_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"halligan/seal"
)

// with opens with enough good ones and one bad one, which must be told and not stop.
func with(t *testing.T, f *seal.File, keys []seal.Key, shares []seal.Given, reasons ...seal.Reason) {
	t.Helper()
	o, err := seal.Open(f, keys, shares)
	if err != nil {
		t.Fatal(err)
	}
	if string(o.Secret.Reveal()) != theSecret || len(o.Unused) != len(reasons) {
		t.Fatalf("got %q, unused %v", o.Secret.Reveal(), o.Unused)
	}
	for i, r := range reasons {
		refused(t, o.Unused[i], r)
	}
}

func TestASuperfluousBadKeyOrShareStopsNobody(t *testing.T) {
	ana, ben, carl, eve := classic(t, "Ana Weiss"), withSSH(t, "Ben Ode"), classic(t, "Carl Roe"), classic(t, "Eve")
	f := parsed(t, sealed(t, plan(t, seal.FormPair, 2, ana, ben, carl), theSecret))
	all := []seal.Key{eve.key(), ana.key(), ben.key()}
	page := seal.Given{From: "x", Text: secret("nothing at all")}
	with(t, f, all, nil, seal.ReasonStranger)
	with(t, f, all, []seal.Given{page}, seal.ReasonStranger, seal.ReasonNoShare)

	// Carl's public key with a private key that does not fit: a copy that was damaged.
	spoilt := seal.Key{From: "carl.key", Identity: eve.identity, Public: carl.public}
	with(t, f, []seal.Key{spoilt, ben.key(), ana.key()}, nil)
	with(t, f, []seal.Key{spoilt, carl.key(), ana.key()}, nil, seal.ReasonKey)

	people := []*person{ana, onPaper("Ben Ode"), onPaper("Dora Ek")}
	s := sealed(t, plan(t, seal.FormShares, 2, people...), theSecret)
	other := sealed(t, plan(t, seal.FormShares, 2, people...), theSecret)
	f = parsed(t, s)
	good := given(s, true, 2)
	for name, c := range map[string]struct {
		bad    seal.Given
		reason seal.Reason
	}{
		"mistyped":       {page, seal.ReasonTyped},
		"altered":        {seal.Given{From: "page 3", Text: changed(given(s, false, 3)[0].Text, 60)}, seal.ReasonAltered},
		"forged":         {seal.Given{From: "page 3", Text: forged(t, given(s, false, 3)[0].Text)}, seal.ReasonAltered},
		"of another set": {given(other, true, 3)[0], seal.ReasonOtherSet},
		"twice":          {good[0], seal.ReasonTwice},
	} {
		t.Run(name, func(t *testing.T) {
			with(t, f, []seal.Key{ana.key()}, append(slices.Clone(good), c.bad), c.reason)
			_, err := seal.Open(f, nil, append(slices.Clone(good), c.bad))
			refused(t, err, c.reason)
		})
	}

	_, err := seal.Open(f, []seal.Key{eve.key()}, append(slices.Clone(good), page))
	refused(t, err, seal.ReasonStranger, "Eve.key", "share from x")
}

func TestAHolderOnPaperIsToldToUseThePage(t *testing.T) {
	ana, cy, eve := classic(t, "Ana Weiss"), onPaper("Cy Tan"), classic(t, "Eve")
	f := parsed(t, sealed(t, plan(t, seal.FormShares, 2, ana, classic(t, "Ben Ode"), cy), theSecret))
	for _, keys := range [][]seal.Key{{ana.key(), eve.key()}, {ana.key()}} {
		_, err := seal.Open(f, keys, nil)
		hinted, is := errors.AsType[*seal.Error](err)
		if !is || !strings.Contains(hinted.Hint(), "Cy Tan has a page: --share -") {
			t.Errorf("%v", err)
		}
	}
}

// Enough says what opening would, and decrypts nothing.
func TestEnoughSaysWhatOpeningWould(t *testing.T) {
	ana, ben, cy, eve := classic(t, "Ana Weiss"), classic(t, "Ben Ode"), onPaper("Cy Tan"), classic(t, "Eve")
	secrets := map[seal.Form][]string{seal.FormPair: {theSecret}, seal.FormShares: {theSecret}, seal.FormHalves: {"Hf7q", "Lm3n"}}
	for form, people := range map[seal.Form][]*person{seal.FormPair: {ana, ben}, seal.FormShares: {ana, ben, cy}, seal.FormHalves: {ana, ben, cy}} {
		s := sealed(t, plan(t, form, 2, people...), secrets[form]...)
		f := parsed(t, s)
		for _, keys := range [][]seal.Key{nil, {ana.key()}, {ben.key()}, {ana.key(), ben.key()}, {ana.key(), eve.key()}, {eve.key()}} {
			for _, shares := range [][]seal.Given{nil, given(s, true, 3)} {
				_, err := seal.Open(f, keys, shares)
				if got := seal.Enough(f, keys, shares); fmt.Sprint(got) != fmt.Sprint(err) {
					t.Errorf("%s, %d keys, %d shares: got %v, and opening says %v", form, len(keys), len(shares), got, err)
				}
			}
		}
	}
}
