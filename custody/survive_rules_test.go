package custody_test

import (
	"slices"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/entra"
	"halligan/register"
)

const oneAccount = "00000000-0000-4000-8000-000000000001"

// twoKeys is an account with two keys, each with a key and a PIN of its own, and people
// who are reached at the door.
func twoKeys(change func(*register.Register)) *register.Register {
	reg := &register.Register{Accounts: []register.Account{{ID: oneAccount, Name: "a@x.onmicrosoft.com", Pattern: register.PatternFIDO2,
		Keys: []register.Key{{Label: "One", AAGUID: "aa-1"}, {Label: "Two", AAGUID: "aa-2"}}}}}
	for _, name := range []string{"Ana", "Ben", "Cleo", "Dan", "Eve"} {
		reg.People = append(reg.People, register.Person{Name: name, Reach: []string{"at the door"}})
	}
	reg.Parts = []register.Part{
		{Account: oneAccount, Kind: register.PartKey, Key: "One", Holder: "Ana"}, {Account: oneAccount, Kind: register.PartPIN, Key: "One", Holder: "Ben"},
		{Account: oneAccount, Kind: register.PartKey, Key: "Two", Holder: "Cleo"}, {Account: oneAccount, Kind: register.PartPIN, Key: "Two", Holder: "Dan"}}
	if change != nil {
		change(reg)
	}
	return reg
}

func survives(reg *register.Register, lost ...custody.Loss) custody.Answer {
	return custody.CircleOf(reg).Survey(custody.Outlook{}).After(lost...)
}

func is(t *testing.T, what string, got, want custody.Answer) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// A PIN that does not say of which of two keys it is cannot be counted on for either,
// nor can one whose label two keys have.
func TestAPINOfNoNamedKeyIsOfOneOfThem(t *testing.T) {
	is(t, "each with its own", survives(twoKeys(nil), custody.PersonLost("Ben")), custody.Yes)
	for name, key := range map[string]string{"no name": "", "the serial number of both": "5"} {
		reg := twoKeys(func(r *register.Register) {
			r.Parts[1].Key = key
			if key != "" {
				r.Accounts[0].Keys[0].Serial, r.Accounts[0].Keys[1].Serial = key, key
			}
		})
		is(t, name+", the other PIN lost", survives(reg, custody.PersonLost("Dan")), custody.Maybe)
		is(t, name+", the other key lost", survives(reg, custody.PersonLost("Cleo")), custody.Maybe)
		o := custody.CircleOf(reg).Openings(reg.Accounts[0])
		for _, x := range o.Certain {
			if slices.Contains(x.People, "Ben") {
				t.Errorf("%s: %v could open it for certain", name, x.People)
			}
		}
		if !slices.ContainsFunc(o.Possible, func(x custody.Opening) bool { return slices.Equal(x.People, []string{"Ben", "Cleo"}) }) {
			t.Errorf("%s: Ben's PIN may be that of Cleo's key: %+v", name, o.Possible)
		}
	}
	reg := twoKeys(func(r *register.Register) {
		r.Accounts[0].Keys[1].Label, r.Parts[2].Key, r.Parts[3].Key = "one", "One", "One"
	})
	is(t, "two keys of one label", survives(reg), custody.Maybe)
	reg = twoKeys(func(r *register.Register) {
		r.Accounts[0].Keys, r.Parts = r.Accounts[0].Keys[:1], r.Parts[:2]
		r.Parts[1].Key = ""
	})
	is(t, "one key", survives(reg), custody.Yes)
}

// A model that is written once by its AAGUID and once by its name is one model; what
// may be one model never passes as two.
func TestWhatMayBeOneModelDoesNotPassAsTwo(t *testing.T) {
	for name, of := range map[string]struct {
		one, two register.Key
		more     []register.Key // elsewhere in the register
		want     custody.Answer // after the loss of the model of the first
		models   custody.Answer
	}{
		"two AAGUIDs":                       {one: register.Key{AAGUID: "aa-1"}, two: register.Key{AAGUID: "aa-2"}, want: custody.Yes, models: custody.Yes},
		"the name stands with the AAGUID":   {one: register.Key{AAGUID: "aa-1", Model: "T 5"}, two: register.Key{Model: "t  5"}, want: custody.No, models: custody.No},
		"elsewhere":                         {one: register.Key{AAGUID: "aa-1"}, two: register.Key{Model: "T 5"}, more: []register.Key{{AAGUID: "AA-1", Model: "T 5"}}, want: custody.No, models: custody.No},
		"elsewhere, with another":           {one: register.Key{AAGUID: "aa-1"}, two: register.Key{Model: "T 5"}, more: []register.Key{{AAGUID: "aa-2", Model: "T 5"}}, want: custody.Yes, models: custody.Yes},
		"with two AAGUIDs":                  {one: register.Key{AAGUID: "aa-1"}, two: register.Key{Model: "T 5"}, more: []register.Key{{AAGUID: "aa-1", Model: "T 5"}, {AAGUID: "aa-2", Model: "T 5"}}, want: custody.Maybe, models: custody.Maybe},
		"never together":                    {one: register.Key{AAGUID: "aa-1"}, two: register.Key{Model: "T 5"}, want: custody.Maybe, models: custody.Maybe},
		"never together, the other way":     {one: register.Key{Model: "T 5"}, two: register.Key{AAGUID: "aa-1"}, want: custody.Maybe, models: custody.Maybe},
		"two AAGUIDs that are called alike": {one: register.Key{AAGUID: "aa-1", Model: "T 5"}, two: register.Key{AAGUID: "aa-2", Model: "T 5"}, want: custody.Maybe, models: custody.Maybe},
		"two names":                         {one: register.Key{Model: "T 5"}, two: register.Key{Model: "U"}, want: custody.Yes, models: custody.Yes},
		"not recorded":                      {one: register.Key{AAGUID: "aa-1"}, want: custody.Maybe, models: custody.Maybe},
	} {
		reg := twoKeys(func(r *register.Register) {
			of.one.Label, of.two.Label = "One", "Two"
			r.Accounts[0].Keys = []register.Key{of.one, of.two}
			r.Accounts = append(r.Accounts, register.Account{ID: "00000000-0000-4000-8000-000000000002", Keys: of.more})
		})
		circle := custody.CircleOf(reg)
		lost := custody.Loss{Kind: custody.LossModel, ID: strings.ToLower(of.one.AAGUID)}
		if lost.ID == "" {
			lost.ID = strings.ToLower(of.one.Model)
		}
		is(t, name, circle.Survey(custody.Outlook{Closed: []entra.ID{"00000000-0000-4000-8000-000000000002"}}).After(lost), of.want)
		is(t, name+", of two models", circle.TwoModels(reg.Accounts[0].Keys...), of.models)
	}
}

// A serial number at two accounts is one key, unless both say of which model it is and
// these differ.
func TestOneSerialNumberIsOneKey(t *testing.T) {
	const other = "00000000-0000-4000-8000-000000000002"
	for name, of := range map[string]struct {
		one, two register.Key
		want     custody.Answer // after the loss of the first
	}{
		"known at one":        {register.Key{Serial: "77", AAGUID: "aa-1"}, register.Key{Serial: "77"}, custody.No},
		"known at the other":  {register.Key{Serial: "77"}, register.Key{Serial: "77", AAGUID: "aa-1"}, custody.No},
		"known at neither":    {register.Key{Serial: "77"}, register.Key{Serial: "77"}, custody.No},
		"known, and the same": {register.Key{Serial: "7 7", AAGUID: "aa-1"}, register.Key{Serial: "77", AAGUID: "AA-1"}, custody.No},
		"known, and two":      {register.Key{Serial: "77", AAGUID: "aa-1"}, register.Key{Serial: "77", AAGUID: "aa-2"}, custody.Yes},
	} {
		reg := twoKeys(func(r *register.Register) {
			of.one.Label, of.two.Label = "One", "Two"
			r.Accounts[0].Keys = []register.Key{of.one}
			r.Accounts = append(r.Accounts, register.Account{ID: other, Name: "b@x.onmicrosoft.com", Pattern: register.PatternFIDO2, Keys: []register.Key{of.two}})
			r.Parts[2].Account, r.Parts[3].Account = other, other
		})
		is(t, name, survives(reg, custody.KeyLost(oneAccount, of.one, 0)), of.want)
		if name == "known, and two" { // of a third that does not say, it may be either
			reg.Accounts[0].Keys = append(reg.Accounts[0].Keys, register.Key{Label: "Three", Serial: "77"})
			reg.Parts[2], reg.Parts[3] = reg.Parts[0], reg.Parts[1]
			for i := range reg.Parts {
				reg.Parts[i].Key = "Three"
			}
			is(t, "known as two, and a third that may be either", survives(reg, custody.KeyLost(oneAccount, of.one, 0)), custody.Maybe)
			continue
		}
		is(t, name+", by its other entry", survives(reg, custody.KeyLost(other, of.two, 0)), of.want)
	}
}

// Who can fetch the combination of a safe can fetch what lies in it, as long as the
// combination is there; a circle of combinations opens nothing.
func TestWhoFetchesACombinationOpensThePlace(t *testing.T) {
	combination := func(opens, place, holder string) register.Part {
		return register.Part{Kind: register.PartCombination, Opens: opens, Place: place, Holder: holder}
	}
	made := func(access []string, parts ...register.Part) *register.Register {
		return twoKeys(func(r *register.Register) {
			r.Accounts[0].Keys, r.Parts = r.Accounts[0].Keys[:1], r.Parts[:2]
			r.Places = []register.Place{{Name: "Safe", Access: access}, {Name: "Desk", Access: []string{"Cleo"}}, {Name: "Box"}}
			r.Parts[0].Place = "Safe"
			r.Parts = append(r.Parts, parts...)
		})
	}
	lost := func(names ...string) (out []custody.Loss) {
		for _, n := range names {
			if slices.Contains([]string{"Safe", "Desk", "Box"}, n) {
				out = append(out, custody.PlaceLost(n))
			} else if n == "combination" {
				out = append(out, custody.Loss{Kind: custody.LossPart, ID: "2"})
			} else {
				out = append(out, custody.PersonLost(n))
			}
		}
		return out
	}
	for _, x := range []struct {
		reg  *register.Register
		lost []custody.Loss
		want custody.Answer
	}{
		{made(nil), lost("Ana"), custody.No}, // neither is recorded: the holder
		{made([]string{"Eve"}), lost("Ana"), custody.Yes},
		{made([]string{"Eve"}), lost("Eve"), custody.No},
		{made([]string{"Eve"}, combination("Safe", "Desk", "Ana")), lost("Eve"), custody.Yes},
		{made([]string{"Eve"}, combination("Safe", "Desk", "Ana")), lost("Eve", "Cleo"), custody.No},
		{made([]string{"Eve"}, combination("Safe", "Desk", "Ana")), lost("Eve", "Desk"), custody.No},
		{made([]string{"Eve"}, combination("Safe", "Desk", "Ana")), lost("Eve", "combination"), custody.No},
		{made([]string{"Eve"}, combination("Safe", "Desk", "Ana")), lost("Desk"), custody.Yes},
		{made(nil, combination("Safe", "", "Dan")), lost("Ana"), custody.Yes},
		{made(nil, combination("Safe", "", "Dan")), lost("Dan"), custody.No},
		{made(nil, combination("Safe", "", "")), nil, custody.Maybe}, // with whom is not recorded
		{made(nil, combination("Safe", "Box", ""), combination("Box", "Desk", "")), lost("Ana"), custody.Yes},
		{made(nil, combination("Safe", "Box", ""), combination("Box", "Desk", "")), lost("Box"), custody.No},
		{made(nil, combination("Safe", "Box", ""), combination("Box", "Safe", "")), nil, custody.No},
		{made(nil, combination("Safe", "Safe", "")), nil, custody.No},
	} {
		is(t, setName(x.lost), survives(x.reg, x.lost...), x.want)
	}
	reg := made(nil, combination("Safe", "Box", ""), combination("Box", "Desk", ""))
	if got := custody.CircleOf(reg).Openers(&reg.Parts[0]); !slices.Equal(got, []string{"cleo"}) {
		t.Errorf("openers %q", got)
	}
	now := custody.CircleOf(reg).Survey(custody.Outlook{}).Standings()[0]
	if !strings.Contains(strings.Join(now.With, "; "), "in Safe: Cleo with the combination") {
		t.Errorf("who fetches it: %q", now.With)
	}
}

// One line that holds an address and a number may need both networks; two lines do not.
func TestALineWithTwoNetworksMayNeedBoth(t *testing.T) {
	for _, x := range []struct {
		reach       []string
		phone, mail custody.Answer
	}{
		{[]string{"ana@x.example / +351 20 123 4567"}, custody.Maybe, custody.Maybe},
		{[]string{"ana@x.example", "+351 20 123 4567"}, custody.Yes, custody.Yes},
		{[]string{"ana@x.example / +351 20 123 4567", "+351 20 123 4567"}, custody.Maybe, custody.Yes},
		{[]string{"ana@x.example / +351 20 123 4567", "1 Mill Lane"}, custody.Yes, custody.Yes},
		{nil, custody.Maybe, custody.Maybe},
	} {
		reg := twoKeys(func(r *register.Register) {
			r.Accounts[0].Keys, r.Parts = r.Accounts[0].Keys[:1], r.Parts[:2]
			r.People[0].Reach = x.reach
		})
		is(t, strings.Join(x.reach, " | ")+" without phones", survives(reg, custody.PhonesDown), x.phone)
		is(t, strings.Join(x.reach, " | ")+" without mail", survives(reg, custody.MailDown), x.mail)
	}
}

// A sealed file is opened by the holders whom the set names. Papers that were handed
// over are theirs who have none; a share that only its holder's key opens helps nobody
// else.
func TestASealedSetIsOpenedByItsHolders(t *testing.T) {
	holders := func(list ...string) (out []custody.SealedHolder) {
		for _, n := range list {
			name, paper := strings.CutSuffix(n, " on paper")
			out = append(out, custody.SealedHolder{Name: name, ByKey: !paper})
		}
		return out
	}
	share := func(holder, place string) register.Part {
		return register.Part{Account: oneAccount, Kind: register.PartShare, Set: "5E7A", Holder: holder, Place: place}
	}
	for name, x := range map[string]struct {
		set   custody.SealedSet
		parts []register.Part
		lost  string
		want  custody.Answer
	}{
		"two by key":                    {custody.SealedSet{Need: 2, Holders: holders("Ana", "Ben", "Cleo")}, nil, "Ana", custody.Yes},
		"both are wanted":               {custody.SealedSet{Need: 2, Holders: holders("Ana", "Ben")}, nil, "Ana", custody.No},
		"the other pair may not":        {custody.SealedSet{Need: 2, Holders: holders("Ana", "Ben", "Cleo"), Pairs: [][2]int{{0, 1}, {0, 2}}}, nil, "Ana", custody.No},
		"the other pair may":            {custody.SealedSet{Need: 2, Holders: holders("Ana", "Ben", "Cleo"), Pairs: [][2]int{{0, 1}, {1, 2}}}, nil, "Ana", custody.Yes},
		"paper that is recorded":        {custody.SealedSet{Need: 2, Holders: holders("Ana", "Ben", "Cleo on paper")}, []register.Part{share("Cleo", "")}, "Ana", custody.Yes},
		"paper that is not":             {custody.SealedSet{Need: 2, Holders: holders("Ana", "Ben", "Cleo on paper")}, nil, "Ana", custody.Maybe},
		"paper that was handed over":    {custody.SealedSet{Need: 2, Holders: holders("Ana", "Ben", "Cleo on paper")}, []register.Part{share("Eve", "")}, "Ana", custody.Yes},
		"more papers than holders":      {custody.SealedSet{Need: 2, Holders: holders("Ana", "Ben", "Cleo on paper")}, []register.Part{share("Eve", ""), share("Dan", "")}, "Ana", custody.Maybe},
		"a key that lies with others":   {custody.SealedSet{Need: 2, Holders: holders("Ana", "Ben", "Cleo")}, []register.Part{share("Cleo", "Vault")}, "Ana", custody.Maybe},
		"a key that its holder fetches": {custody.SealedSet{Need: 2, Holders: holders("Ana", "Ben", "Cleo")}, []register.Part{share("Cleo", "Desk")}, "Ana", custody.Yes},
		"void":                          {custody.SealedSet{Voided: true}, nil, "Ana", custody.Maybe},
		"more wanted than there are":    {custody.SealedSet{Need: 3, Holders: holders("Ana", "Ben")}, nil, "Ana", custody.Maybe},
	} {
		x.set.ID = "5e7a"
		reg := twoKeys(func(r *register.Register) {
			r.Accounts[0].Keys, r.Accounts[0].Pattern = nil, register.PatternVault
			r.Places = []register.Place{{Name: "Safe", Access: []string{"Dan"}}, {Name: "Vault", Access: []string{"Eve"}}, {Name: "Desk", Access: []string{"Cleo"}}}
			r.Parts = append([]register.Part{{Account: oneAccount, Kind: register.PartPassword, Set: "5e7a", Place: "Safe"}}, x.parts...)
		})
		survey := custody.CircleOf(reg, x.set).Survey(custody.Outlook{})
		is(t, name, survey.After(custody.PersonLost(x.lost)), x.want)
		if name == "a key that lies with others" { // Eve has it, and cannot use it
			with := func(list []custody.Opening) bool {
				return slices.ContainsFunc(list, func(o custody.Opening) bool { return slices.Contains(o.People, "Eve") })
			}
			if o := custody.CircleOf(reg, x.set).Openings(reg.Accounts[0]); with(o.Certain) || !with(o.Possible) {
				t.Errorf("who could open it: %+v, perhaps %+v", o.Certain, o.Possible)
			}
		}
		if !x.set.Voided && x.set.Need <= len(x.set.Holders) {
			is(t, name+", without the file", survey.After(custody.PlaceLost("Safe")), custody.No)
		}
	}
}
