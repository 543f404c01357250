package custody_test

import (
	"slices"
	"testing"

	"halligan/custody"
	"halligan/register"
)

const account = "2786d9fb-aa4e-4778-8abb-11a546852728"

// shared is an account whose password lies in shares, two of which open it.
func shared(parts ...register.Part) *register.Register {
	r := &register.Register{Accounts: []register.Account{{ID: account, Pattern: register.PatternVault}},
		Places: []register.Place{{Name: "One", Site: "North", Access: []string{"Ana"}}, {Name: "Two", Site: "South", Access: []string{"Ben"}}, {Name: "Three", Access: []string{"Carl"}}}}
	for _, p := range parts {
		p.Account = account
		r.Parts = append(r.Parts, p)
	}
	return r
}

func share(place, set string) register.Part {
	return register.Part{Kind: register.PartShare, Place: place, Set: set, Needed: 2}
}

func TestSharesOfTwoSetsOpenNothingTogether(t *testing.T) {
	for name, tt := range map[string]struct {
		parts []register.Part
		want  custody.Answer
	}{
		"of one set":                {[]register.Part{share("One", "a1"), share("Two", "A1 ")}, custody.Yes},
		"of two sets":               {[]register.Part{share("One", "a1"), share("Two", "b2")}, custody.Maybe},
		"a sealed password":         {[]register.Part{{Kind: register.PartPassword, Place: "One", Set: "a1"}}, custody.Maybe},
		"a password in the open":    {[]register.Part{{Kind: register.PartPassword, Place: "One"}}, custody.Yes},
		"two sets, one of it whole": {[]register.Part{share("One", "a1"), share("Two", "a1"), share("Two", "b2")}, custody.Yes},
	} {
		outlook := custody.Outlook{Tenant: func(*custody.Way, []custody.Loss) custody.Answer { return custody.Yes }}
		if got := custody.CircleOf(shared(tt.parts...)).Survey(outlook).After(); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

// Shares open the sealed file of their set: it is needed with them, and opens nothing
// without them.
func TestSharesOpenTheSealedFileOfTheirSet(t *testing.T) {
	file := func(place, set string) register.Part {
		return register.Part{Kind: register.PartPassword, Place: place, Set: set}
	}
	outlook := custody.Outlook{Tenant: func(*custody.Way, []custody.Loss) custody.Answer { return custody.Yes }}
	r := shared(share("One", "a1"), share("Two", "a1"), file("Three", " A1"))
	s := custody.CircleOf(r).Survey(outlook)
	for name, tt := range map[string]struct{ got, want custody.Answer }{
		"as it is":                  {s.After(), custody.Yes},
		"the place of the file":     {s.After(custody.PlaceLost("Three")), custody.No},
		"one copy of two":           {custody.CircleOf(shared(share("One", "a1"), share("Two", "a1"), file("Three", "a1"), file("One", "a1"))).Survey(outlook).After(custody.PlaceLost("Three")), custody.Yes},
		"the file of another set":   {custody.CircleOf(shared(share("One", "a1"), share("Two", "a1"), file("Three", "b2"))).Survey(outlook).After(custody.PlaceLost("Three")), custody.Yes},
		"who opens it is two":       {custody.CircleOf(shared(share("One", "a1"), share("Two", "a1"), file("One", "a1"))).Openings(r.Accounts[0]).TwoPeople(), custody.Yes},
		"of a file alone not known": {custody.CircleOf(shared(file("One", "a1"))).Openings(r.Accounts[0]).TwoPeople(), custody.Maybe},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: got %v, want %v", name, tt.got, tt.want)
		}
	}
	certain := custody.CircleOf(r).Openings(r.Accounts[0]).Certain
	if len(certain) != 1 || !slices.Equal(certain[0].People, []string{"Ana", "Ben", "Carl"}) {
		t.Errorf("%+v", certain)
	}
}

// A part whose place has no site may lie at the one that burns.
func TestAPartAtAnUnknownSiteIsNotSureToSurvive(t *testing.T) {
	outlook := custody.Outlook{Tenant: func(*custody.Way, []custody.Loss) custody.Answer { return custody.Yes }}
	s := custody.CircleOf(shared(register.Part{Kind: register.PartPassword, Place: "One"}, register.Part{Kind: register.PartPassword, Place: "Three"})).Survey(outlook)
	if got := s.After(custody.SiteLost("North")); got != custody.Maybe {
		t.Errorf("after a site is lost: %v, want maybe", got)
	}
	if got := s.After(custody.PlaceLost("One")); got != custody.Yes {
		t.Errorf("after a place is lost: %v, want yes", got)
	}
}

// What is written down by hand is no form: what might be a number needs telephones.
func TestWhoIsReachedByANumberIsNotReachedWithoutTelephones(t *testing.T) {
	for way, want := range map[string]custody.Answer{
		"Harbour house, third floor": custody.Yes, "radio, channel 4": custody.Yes,
		"+49 30 1234567": custody.Maybe, "+49 30 1234567 ext. 4": custody.Maybe, "Handy, im Register": custody.Maybe, "cell 0170 1234567": custody.Maybe, "Signal: anna": custody.Maybe,
		"1 Mill Lane": custody.Yes, "at the next door": custody.Yes, "ext. 4711": custody.Maybe, "Anna, desk, ext. 47": custody.Maybe, "DECT 312": custody.Maybe, "her DECT set, 312": custody.Maybe, "Durchwahl 12": custody.Maybe, "die Durchwahl im Labor": custody.Maybe,
		"FaceTime": custody.Maybe, "Webex, own room": custody.Maybe, "the intercom at reception": custody.Maybe, "extension of the desk": custody.Maybe, "4711": custody.Maybe, "Reception": custody.Maybe, "a b 4711": custody.Maybe, "": custody.Maybe,
		"Teams anna": custody.Maybe, "anna@home.example": custody.Maybe, "anna@work.example (work)": custody.Maybe, "٠١٧٠١٢٣": custody.Maybe,
	} {
		r := shared(register.Part{Kind: register.PartPassword, Place: "One"})
		r.People = []register.Person{{Name: "Ana", Reach: []string{way}}}
		outlook := custody.Outlook{Tenant: func(*custody.Way, []custody.Loss) custody.Answer { return custody.Yes }}
		if got := custody.CircleOf(r).Survey(outlook).After(custody.PhonesDown, custody.MailDown); got != want {
			t.Errorf("%q: got %v, want %v", way, got, want)
		}
	}
}
