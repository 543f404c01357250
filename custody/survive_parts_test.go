package custody_test

import (
	"slices"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/register"
)

// inParts is an account whose password is in parts; Cleo and Dan open the safe.
func inParts(parts ...register.Part) *register.Register {
	return twoKeys(func(r *register.Register) {
		r.Accounts[0].Keys, r.Accounts[0].Pattern = nil, register.PatternSplitPassword
		r.Places = []register.Place{{Name: "Safe", Access: []string{"Cleo", "Dan"}}}
		r.Parts = nil
		for _, p := range parts {
			p.Account = oneAccount
			r.Parts = append(r.Parts, p)
		}
	})
}

// oneAlone are those of whom each alone could open the account: for certain, and perhaps.
func oneAlone(c *custody.Circle, reg *register.Register) (sure, perhaps []string) {
	o := c.Openings(reg.Accounts[0])
	for i, list := range [][]custody.Opening{o.Certain, o.Possible} {
		for _, x := range list {
			if len(x.People) == 1 {
				*[]*[]string{&sure, &perhaps}[i] = append(*[]*[]string{&sure, &perhaps}[i], x.People[0])
			}
		}
	}
	return sure, perhaps
}

func takesTwo(c *custody.Circle, reg *register.Register) custody.Answer {
	o := c.Openings(reg.Accounts[0])
	return o.TwoPeople()
}

// Halves that were sealed to keys lie in the sealed file and nowhere else: without it
// the password is gone, and whoever opens the safe has nothing of it. A half on paper
// needs no file.
func TestHalvesSealedToKeysLieInTheFile(t *testing.T) {
	const set = "5e7a"
	file := register.Part{Kind: register.PartPassword, Set: set, Place: "Safe"}
	half := func(holder string) register.Part {
		return register.Part{Kind: register.PartPasswordHalf, Set: "5E7A", Holder: holder}
	}
	key, paper := custody.SealedHolder{Name: "Ana", ByKey: true, Half: 1}, custody.SealedHolder{Name: "Ben", Half: 2}
	byKey := func(h custody.SealedHolder) custody.SealedHolder { h.ByKey = true; return h }
	onPaper := func(h custody.SealedHolder) custody.SealedHolder { h.ByKey = false; return h }
	reg := inParts(file, half("Ana"), half("Ben"))
	for name, x := range map[string]struct {
		holders []custody.SealedHolder
		burnt   custody.Answer // after the loss of the safe
	}{
		"both by key":            {[]custody.SealedHolder{key, byKey(paper)}, custody.No},
		"one on paper":           {[]custody.SealedHolder{key, paper}, custody.No},
		"both on paper":          {[]custody.SealedHolder{onPaper(key), paper}, custody.Yes},
		"a half also on paper":   {[]custody.SealedHolder{key, byKey(paper), {Name: "Eve", Half: 2}}, custody.No},
		"each half also on one":  {[]custody.SealedHolder{onPaper(key), paper, {Name: "Eve", ByKey: true, Half: 2}}, custody.Yes},
		"of one half alone":      {[]custody.SealedHolder{key, {Name: "Ben", ByKey: true, Half: 1}}, custody.Maybe},
		"a holder of no half":    {[]custody.SealedHolder{key, byKey(paper), {Name: "Eve"}}, custody.Maybe},
		"nobody knows who opens": {nil, custody.Maybe},
	} {
		var sets []custody.SealedSet
		if x.holders != nil {
			sets = []custody.SealedSet{{ID: set, Need: 2, Holders: x.holders}}
		}
		c := custody.CircleOf(reg, sets...)
		survey := c.Survey(custody.Outlook{})
		is(t, name+", as it is", survey.After(), custody.Yes)
		is(t, name+", the safe burnt", survey.After(custody.PlaceLost("Safe")), x.burnt)
		is(t, name+", without Ana", survey.After(custody.PersonLost("Ana")), custody.No)
		sure, perhaps := oneAlone(c, reg)
		if len(sure)+len(perhaps) > 0 {
			t.Errorf("%s: %q alone could open it, perhaps %q", name, sure, perhaps)
		}
		is(t, name+", two people", takesTwo(c, reg), custody.Yes)
		certain := teams(c.Openings(reg.Accounts[0]).Certain)
		if want := x.burnt == custody.Yes; certain["ana + ben"] != want || !want && !certain["ana + ben + cleo"] {
			t.Errorf("%s: who could open it: %v", name, certain)
		}
		if possible := teams(c.Openings(reg.Accounts[0]).Possible); x.burnt == custody.Maybe && !possible["ana + ben"] {
			t.Errorf("%s: both halves may be on paper: %v", name, possible)
		}
	}
	// A file of which no half is recorded is opened by nobody knows whom.
	reg = inParts(file)
	if now := custody.CircleOf(reg).Survey(custody.Outlook{}).Standings(); now[0].Way != "the sealed password" || now[0].Works != custody.Maybe {
		t.Errorf("the file alone: %+v", now)
	}
	// A paper in nobody's name of the set is of the half that is on paper, if there is one.
	reg = inParts(file, half("Ana"), half("Eve"))
	for name, holders := range map[string][]custody.SealedHolder{"one half on paper": {key, paper}, "two": {onPaper(key), paper, {Name: "Dan", Half: 1}}} {
		is(t, name+", handed over to Eve", custody.CircleOf(reg, custody.SealedSet{ID: set, Need: 2, Holders: holders}).Survey(custody.Outlook{}).After(), map[bool]custody.Answer{true: custody.Yes, false: custody.Maybe}[len(holders) == 2])
	}
	var all []string
	for _, w := range custody.CircleOf(reg, custody.SealedSet{ID: set, Need: 2, Holders: []custody.SealedHolder{key, paper}}).Survey(custody.Outlook{}).Standings() {
		all = append(all, w.Way)
	}
	if !slices.Equal(all, []string{"the password in parts by Ana and Ben"}) {
		t.Errorf("ways: %q", all)
	}
}

// Two copies of each half are no four parts of which any two do: at one site there may be
// one half twice. Of so many parts as the password has, each is wanted.
func TestTwoCopiesOfOneHalfAreNoPassword(t *testing.T) {
	half := func(place string, needed int) register.Part {
		return register.Part{Kind: register.PartPasswordHalf, Place: place, Needed: needed}
	}
	made := func(needed int, places ...string) *register.Register {
		var parts []register.Part
		for _, at := range places {
			parts = append(parts, half(at, needed))
		}
		reg := inParts(parts...)
		reg.Places = []register.Place{{Name: "S1", Site: "X", Access: []string{"Ana"}}, {Name: "S2", Site: "X", Access: []string{"Ben"}}, {Name: "S3", Site: "Y", Access: []string{"Cleo"}}, {Name: "S4", Site: "Y", Access: []string{"Dan"}}}
		return reg
	}
	y := custody.SiteLost("Y")
	reg := made(2, "S1", "S2", "S3", "S4")
	is(t, "two copies of each, one site lost", survives(reg, y), custody.Maybe)
	is(t, "two copies of each, one half and a place left", survives(reg, y, custody.PlaceLost("S1")), custody.No)
	is(t, "two copies of each", survives(reg), custody.Yes)
	is(t, "two copies of each, two people", takesTwo(custody.CircleOf(reg), reg), custody.Yes)
	if o := custody.CircleOf(reg).Openings(reg.Accounts[0]); len(o.Certain) != 1 || !teams(o.Possible)["ana + cleo"] {
		t.Errorf("who could open it: %+v, perhaps %+v", o.Certain, o.Possible)
	}
	reg = made(3, "S1", "S2", "S3", "S4")
	is(t, "four of three thirds, one lost", survives(reg, custody.PlaceLost("S1")), custody.Maybe)
	is(t, "four of three thirds, two lost", survives(reg, y), custody.No)
	reg = made(2, "S1", "S3")
	is(t, "two halves", survives(reg), custody.Yes)
	is(t, "two halves, one lost", survives(reg, y), custody.No)
	is(t, "one of two halves", survives(made(2, "S1")), custody.Maybe)
	is(t, "two of three thirds", survives(made(3, "S1", "S3")), custody.Maybe)
}

// A PIN, a token or a combination that was sealed is not counted on: who opens the set is
// not looked at. Whoever could take it may have it, and its loss is a loss.
func TestWhatIsSealedAndNoPasswordIsNotCountedOn(t *testing.T) {
	reg := twoKeys(func(r *register.Register) {
		r.Accounts[0].Keys, r.Parts = r.Accounts[0].Keys[:1], r.Parts[:2]
		r.Places = []register.Place{{Name: "Bank", Access: []string{"Dan"}}}
		r.Parts[1] = register.Part{Account: oneAccount, Kind: register.PartPIN, Key: "One", Set: "5e7a", Place: "Bank"}
	})
	sets := []custody.SealedSet{{ID: "5e7a", Need: 2, Holders: []custody.SealedHolder{{Name: "Ana", ByKey: true}, {Name: "Eve", ByKey: true}}}}
	c := custody.CircleOf(reg, sets...)
	is(t, "a sealed PIN, its holders lost", c.Survey(custody.Outlook{}).After(custody.PersonLost("Eve")), custody.Maybe)
	is(t, "a sealed PIN, the place lost", survives(reg, custody.PlaceLost("Bank")), custody.No)
	o := c.Openings(reg.Accounts[0])
	if !teams(o.Possible)["ana + dan"] || len(o.Certain) > 0 || len(o.Unrecorded) > 0 {
		t.Errorf("who could open it: %+v", o)
	}
	if why := c.Survey(custody.Outlook{}).Standings()[0].Why; why != "the PIN of One is sealed, and whether it can be had is not known" {
		t.Errorf("why: %q", why)
	}
	is(t, "a sealed PIN and its key in one place", func() custody.Answer {
		reg.Parts[0].Place = "Bank"
		places := custody.CircleOf(reg).Together(reg.Accounts[0])
		if len(places) != 1 || places[0].Certain {
			return custody.No
		}
		return custody.Yes
	}(), custody.Yes)
	reg = twoKeys(func(r *register.Register) {
		r.Accounts[0].Keys, r.Parts = r.Accounts[0].Keys[:1], r.Parts[:2]
		r.Places = []register.Place{{Name: "Bank", Access: []string{"Dan"}}}
		r.Parts[1].Place = "Bank"
		r.Parts = append(r.Parts, register.Part{Kind: register.PartCombination, Opens: "Bank", Holder: "Cleo", Set: "5e7a"})
	})
	is(t, "a sealed combination, who opens the place lost", survives(reg, custody.PersonLost("Dan")), custody.Maybe)
	is(t, "a sealed combination", survives(reg, custody.PersonLost("Cleo")), custody.Yes)
	if got := custody.CircleOf(reg).Openers(&reg.Parts[1]); !slices.Equal(got, []string{"dan"}) {
		t.Errorf("who can be counted on: %q", got)
	}
	reg.Accounts[0].Pattern = register.PatternOATH
	reg.Parts = []register.Part{{Account: oneAccount, Kind: register.PartPassword, Holder: "Ana"}, {Account: oneAccount, Kind: register.PartToken, Holder: "Ben", Set: "5e7a"}}
	is(t, "a sealed token", survives(reg), custody.Maybe)
}

// Who was handed the share of another has two of them, and opens alone what two open. It
// is told of nobody else. Where everybody has the own, a second one is a copy.
func TestAHandedOverShareIsASecondOne(t *testing.T) {
	const set = "5e7a"
	share := func(holder, place string) register.Part {
		return register.Part{Kind: register.PartShare, Set: set, Holder: holder, Place: place}
	}
	half := func(holder, place string) register.Part {
		p := share(holder, place)
		p.Kind = register.PartPasswordHalf
		return p
	}
	paper := func(names ...string) (out []custody.SealedHolder) {
		for _, n := range names {
			out = append(out, custody.SealedHolder{Name: n})
		}
		return out
	}
	ana := custody.SealedHolder{Name: "Ana", ByKey: true}
	halves := []custody.SealedHolder{{Name: "Ana", ByKey: true, Half: 1}, {Name: "Ben", Half: 2}}
	for name, x := range map[string]struct {
		holders       []custody.SealedHolder
		parts         []register.Part
		sure, perhaps []string // who alone could open it
		without       string   // after whose loss
		works         custody.Answer
		place         custody.Answer // whether the safe holds all of it
	}{
		"handed over":                   {paper("Ana", "Ben", "Cleo"), []register.Part{share("Ana", ""), share("Ana", ""), share("Cleo", "")}, []string{"Ana"}, nil, "Cleo", custody.Yes, custody.No},
		"without Ana":                   {paper("Ana", "Ben", "Cleo"), []register.Part{share("Ana", ""), share("Ana", ""), share("Cleo", "")}, []string{"Ana"}, nil, "Ana", custody.No, custody.No},
		"all in one place":              {paper("Ana", "Ben", "Cleo"), []register.Part{share("Ana", "Safe"), share("Ana", "Safe"), share("Cleo", "")}, []string{"Ana", "Eve"}, nil, "Cleo", custody.Yes, custody.Yes},
		"a copy":                        {paper("Ana", "Cleo"), []register.Part{share("Ana", ""), share("Ana", ""), share("Cleo", "")}, nil, nil, "Cleo", custody.No, custody.No},
		"one more than is wanting":      {paper("Ana", "Ben", "Cleo"), []register.Part{share("Ana", ""), share("Ana", ""), share("Ana", ""), share("Cleo", "")}, nil, []string{"Ana"}, "Cleo", custody.Maybe, custody.No},
		"to a holder by key":            {append(paper("Ben", "Cleo"), ana), []register.Part{share("Ana", ""), share("Ana", "Desk"), share("Cleo", "")}, []string{"Ana"}, nil, "Cleo", custody.Maybe, custody.No},
		"to a holder by key, all there": {append(paper("Ben", "Cleo"), ana), []register.Part{share("Ana", ""), share("Ana", ""), share("Cleo", "")}, []string{"Ana"}, nil, "Cleo", custody.Yes, custody.No},
		"one that others open":          {append(paper("Ben", "Cleo"), ana), []register.Part{share("Ana", "Box"), share("Ana", ""), share("Cleo", "Box")}, []string{"Ana"}, []string{"Eve"}, "Cleo", custody.Yes, custody.No},
		"one that lies with the file":   {append(paper("Ben", "Cleo"), ana), []register.Part{share("Ana", "Safe"), share("Ana", ""), share("Cleo", "Safe")}, []string{"Ana"}, []string{"Eve"}, "Cleo", custody.Yes, custody.Maybe},
		"a half, to a holder by key":    {halves, []register.Part{half("Ana", ""), half("Ana", "")}, []string{"Ana"}, nil, "Ben", custody.Yes, custody.No},
		"a half that lies with others":  {halves, []register.Part{half("Ana", ""), half("Ana", "Desk")}, []string{"Ana"}, nil, "Ben", custody.Maybe, custody.No},
	} {
		reg := inParts(append(x.parts, register.Part{Kind: register.PartPassword, Set: set, Place: "Safe"})...)
		reg.Places = []register.Place{{Name: "Safe", Access: []string{"Ana", "Eve"}}, {Name: "Desk", Access: []string{"Dan"}}, {Name: "Box", Access: []string{"Ana", "Eve"}}}
		c := custody.CircleOf(reg, custody.SealedSet{ID: set, Need: 2, Holders: x.holders})
		sure, perhaps := oneAlone(c, reg)
		if !slices.Equal(sure, x.sure) || !slices.Equal(perhaps, x.perhaps) {
			t.Errorf("%s: %q alone could open it, perhaps %q", name, sure, perhaps)
		}
		if x.sure != nil {
			is(t, name+", two people", takesTwo(c, reg), custody.No)
		}
		is(t, name+", without "+x.without, c.Survey(custody.Outlook{}).After(custody.PersonLost(x.without)), x.works)
		for _, o := range c.Openings(reg.Accounts[0]).Possible {
			if len(o.People) == 1 && o.People[0] == "Eve" && !strings.Contains(strings.ReplaceAll(strings.Join(o.Why, ""), "Box", "Safe"), "perhaps Eve opens Safe where the share of Ben lies") {
				t.Errorf("%s: why: %q", name, o.Why)
			}
		}
		survey := c.Survey(custody.Outlook{})
		ends := survey.LossSets(1)
		for _, l := range survey.Losses() {
			one := setName([]custody.Loss{l})
			if after := survey.After(l); told(ends.Certain)[one] != (after == custody.No) || survey.After() == custody.Yes && told(ends.Possible)[one] != (after == custody.Maybe) {
				t.Errorf("%s: after %s it is %v, and by the sets %v %v", name, one, after, told(ends.Certain)[one], told(ends.Possible)[one])
			}
		}
		place := custody.No
		for _, p := range c.Together(reg.Accounts[0]) {
			place = map[bool]custody.Answer{false: custody.Maybe, true: custody.Yes}[p.Certain]
		}
		is(t, name+", in one place", place, x.place)
	}
}
