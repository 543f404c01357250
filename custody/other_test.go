package custody_test

import (
	"slices"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/register"
)

func openingsOf(reg *register.Register, sets ...custody.SealedSet) *custody.Openings {
	return custody.CircleOf(reg, sets...).Openings(reg.Accounts[0])
}

// alone lists those who might open the account without anybody else.
func alone(o *custody.Openings) (out []string) {
	for _, x := range slices.Concat(o.Certain, o.Possible) {
		if len(x.People) == 1 {
			out = append(out, x.People[0])
		}
	}
	return out
}

// What else is recorded than the pattern of an account wants may open it, too: for the
// thief, never for the rescuer.
func TestWhatThePatternDoesNotHaveMayOpenTheAccount(t *testing.T) {
	part := func(kind register.PartKind, holder string) register.Part {
		return register.Part{Account: oneAccount, Kind: kind, Holder: holder}
	}
	for name, x := range map[string]struct {
		pattern register.Pattern
		parts   []register.Part
		alone   string // "" it takes two
	}{
		"keys alone":                        {register.PatternFIDO2, nil, ""},
		"the whole password":                {register.PatternFIDO2, []register.Part{part(register.PartPassword, "Eve")}, "Eve"},
		"both halves":                       {register.PatternFIDO2, []register.Part{part(register.PartPasswordHalf, "Eve"), part(register.PartPasswordHalf, "Eve")}, "Eve"},
		"a half with each of two":           {register.PatternFIDO2, []register.Part{part(register.PartPasswordHalf, "Eve"), part(register.PartPasswordHalf, "Ana")}, ""},
		"a token, the password is wherever": {register.PatternFIDO2, []register.Part{part(register.PartToken, "Eve")}, "Eve"},
		"certificate and PIN":               {register.PatternFIDO2, []register.Part{{Account: oneAccount, Kind: register.PartCertificate, Key: "One", Holder: "Ben"}}, "Ben"},
		"the password of a certificate":     {register.PatternCertificate, []register.Part{part(register.PartPassword, "Eve")}, "Eve"},
	} {
		reg := twoKeys(func(r *register.Register) {
			r.Accounts[0].Pattern = x.pattern
			if x.pattern == register.PatternCertificate {
				r.Parts[0].Kind, r.Parts[2].Kind = register.PartCertificate, register.PartCertificate
			}
			r.Parts = append(r.Parts, x.parts...)
		})
		o, want := openingsOf(reg), custody.Maybe
		if x.alone == "" {
			want = custody.Yes
		}
		is(t, name, o.TwoPeople(), want)
		if got := strings.Join(alone(o), ", "); got != x.alone {
			t.Errorf("%s: %q may open it alone, want %q", name, got, x.alone)
		}
		is(t, name+", for recovery", survives(reg, custody.PersonLost("Ana"), custody.PersonLost("Cleo")), custody.No)
	}
	split := &register.Register{Accounts: []register.Account{{ID: oneAccount, Name: "a@x.onmicrosoft.com", Pattern: register.PatternSplitPassword}}, Parts: []register.Part{
		part(register.PartPasswordHalf, "Ana"), part(register.PartPasswordHalf, "Ben"), part(register.PartKey, "Eve"), part(register.PartPIN, "Eve")}}
	o := openingsOf(split)
	is(t, "key and PIN beside halves", o.TwoPeople(), custody.Maybe)
	if got := alone(o); !slices.Equal(got, []string{"Eve"}) {
		t.Errorf("key and PIN beside halves: %q", got)
	}
}

// To know less of a key never looks safer than to know more.
func TestAKeyOfWhichNothingIsRecordedMayBeWithAnybody(t *testing.T) {
	reg := twoKeys(func(r *register.Register) {
		r.Accounts[0].Keys = append(r.Accounts[0].Keys, register.Key{Label: "Amber spare"})
	})
	o := openingsOf(reg)
	is(t, "nothing recorded", o.TwoPeople(), custody.Maybe)
	if want := []string{"who has key Amber spare and the PIN of Amber spare is not recorded"}; !slices.Equal(o.Unrecorded, want) {
		t.Errorf("told %q, want %q", o.Unrecorded, want)
	}
	reg.Parts = append(reg.Parts, register.Part{Account: oneAccount, Kind: register.PartKey, Key: "Amber spare", Holder: "Eve"})
	is(t, "the key recorded", openingsOf(reg).TwoPeople(), custody.Maybe)
	reg.Parts = append(reg.Parts, register.Part{Account: oneAccount, Kind: register.PartPIN, Key: "Amber spare", Holder: "Dan"})
	is(t, "both recorded", openingsOf(reg).TwoPeople(), custody.Yes)
}

// Whoever kept the old file and the old shares still has the secret.
func TestAVoidSetMayStillBeOpened(t *testing.T) {
	two := []custody.SealedHolder{{Name: "Ana", ByKey: true}, {Name: "Ben", ByKey: true}}
	reg := func(file string) *register.Register {
		return twoKeys(func(r *register.Register) {
			r.Accounts[0].Pattern, r.Accounts[0].Keys = register.PatternVault, nil
			r.Parts = []register.Part{{Account: oneAccount, Kind: register.PartPassword, Set: "a1", Holder: file}, {Account: oneAccount, Kind: register.PartPassword, Set: "b2", Holder: "Cleo"}}
		})
	}
	now := custody.SealedSet{ID: "b2", Need: 2, Holders: []custody.SealedHolder{{Name: "Cleo", ByKey: true}, {Name: "Dan", ByKey: true}}}
	for name, x := range map[string]struct {
		old  custody.SealedSet
		want custody.Answer
		set  string // who may open it
	}{
		"who opened it is known": {custody.SealedSet{ID: "a1", Voided: true, Need: 2, Holders: two}, custody.Yes, "Ana + Ben"},
		"who opened it is not":   {custody.SealedSet{ID: "a1", Voided: true}, custody.Maybe, "Ana"},
	} {
		r := reg("Ana")
		o := openingsOf(r, x.old, now)
		is(t, name, o.TwoPeople(), x.want)
		if !slices.ContainsFunc(o.Possible, func(p custody.Opening) bool { return strings.Join(p.People, " + ") == x.set }) || len(o.Certain) != 1 {
			t.Errorf("%s: certain %+v, possible %+v", name, o.Certain, o.Possible)
		}
		is(t, name+", for recovery", custody.CircleOf(r, x.old, now).Survey(custody.Outlook{}).After(custody.PersonLost("Dan")), custody.No)
	}
}

// A place that holds all of a way is a complete set, whoever opens it; who opens one of
// which that is not recorded is anybody.
func TestAPlaceDoesNotHoldACompleteSet(t *testing.T) {
	made := func(key, pin string, access ...string) *register.Register {
		return twoKeys(func(r *register.Register) {
			r.Places = []register.Place{{Name: "Safe", Access: access}, {Name: "Box"}, {Name: "Vault", Access: []string{"Dan"}}}
			r.Parts, r.Accounts[0].Keys = r.Parts[:2], r.Accounts[0].Keys[:1]
			r.Parts[0].Place, r.Parts[1].Place = key, pin
		})
	}
	for name, x := range map[string]struct {
		reg    *register.Register
		two    custody.Answer
		place  string // that holds it all
		untold bool
	}{
		"with their holders":                    {made("", ""), custody.Yes, "", false},
		"apart, and who opens both is recorded": {made("Safe", "Vault", "Cleo"), custody.Yes, "", false},
		"apart, and one of the openers is not":  {made("Box", "Vault"), custody.Maybe, "", false},
		"apart, and who opens either is not":    {made("Safe", "Box"), custody.Maybe, "", true},
		"together, and who opens it is not":     {made("Safe", "safe "), custody.Maybe, "Safe", true},
		"together, and one opens it":            {made("Safe", "Safe", "Eve"), custody.No, "Safe", false},
		"in a place that nobody has registered": {made("Attic", "Attic"), custody.Maybe, "Attic", true},
	} {
		o := openingsOf(x.reg)
		is(t, name, o.TwoPeople(), x.two)
		place := ""
		for _, p := range o.Places {
			if place = p.Place; !p.Certain {
				t.Errorf("%s: it is not certain of %s", name, place)
			}
		}
		if place != x.place || len(o.Unrecorded) > 0 != x.untold {
			t.Errorf("%s: place %q, want %q; not recorded: %q", name, place, x.place, o.Unrecorded)
		}
	}
	halves := made("", "")
	halves.Accounts[0].Pattern = register.PatternSplitPassword
	half := register.Part{Account: oneAccount, Kind: register.PartPasswordHalf, Place: "Box"}
	halves.Parts = []register.Part{half, half}
	if o := openingsOf(halves); len(o.Places) != 1 || o.TwoPeople() == custody.Yes {
		t.Errorf("both halves in one place: %+v, two people %v", o.Places, o.TwoPeople())
	}
	halves.Accounts[0].Pattern, halves.Parts = register.PatternFIDO2, append(halves.Parts, register.Part{Account: oneAccount, Kind: register.PartKey, Key: "One"})
	if o := openingsOf(halves); len(o.Places) != 1 || o.Places[0].Certain {
		t.Errorf("both halves of a password beside the keys: %+v", o.Places)
	}
}
