package register_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"filippo.io/age/plugin"
	"halligan/entra"

	"halligan/register"
)

const (
	signingKey = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKnbLZDqC6aOB25z6aDem1k+h7S8iOygaIIFxU83EJqe ana@tidewater"
	otherKey   = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAVHd50yLAC22sF9zDvvziEw8pvFZtAAWOAFd0ecUGnn"
	ageKey     = "age1v4j4zlhralkghehmtzwkmkg3y3zf6ruqhuqcz6y6v09t030dgdtsz39vqw"
)

func aPasskey() register.Passkey {
	return register.Passkey{RPID: "tidewater.example", Origin: "https://approve.tidewater.example", CredentialID: "cvfZzoxJgPtwq5uCdom_CDVGz-g",
		PublicKey: "pQECAyYgASFYIBid0jVHFJKpiQZP7WcsRnLmWQIf2UCOQS3u73dPHQeCIlgghW-7wa0uWpA_dSlatA1qw9j2Y4Y3qbcPhblJ4WzXyw8"}
}

func digest(r *register.Register) string {
	_, digest := r.Deciding()
	return digest
}

// What decides about people, alerts and what is watched changes the digest;
// nothing else does.
func TestDigestFollowsTheDecidingPart(t *testing.T) {
	whole := digest(full())
	if !strings.HasPrefix(whole, "sha256:") || len(whole) != len("sha256:")+64 {
		t.Fatalf("got %q", whole)
	}
	deciding := map[string]func(*register.Register){
		"a name":           func(r *register.Register) { r.People[0].Name = "Ana" },
		"a directory id":   func(r *register.Register) { r.People[0].ID = south },
		"a title":          func(r *register.Register) { r.People[0].Title = "CIO" },
		"no title":         func(r *register.Register) { r.People[0].Title = "" },
		"a way to reach":   func(r *register.Register) { r.People[0].Reach[0] = "+351 900 000 009" },
		"no way to reach":  func(r *register.Register) { r.People[0].Reach = nil },
		"a role":           func(r *register.Register) { r.People[1].Roles = append(r.People[1].Roles, register.RoleOperator) },
		"a signing key":    func(r *register.Register) { r.People[0].Signing = otherKey },
		"a passkey":        func(r *register.Register) { r.People[1].Passkey.CredentialID = "AAAAAAAAAAAAAAAAAAAAAA" },
		"its origin":       func(r *register.Register) { r.People[1].Passkey.Origin = "https://tidewater.example" },
		"a receiving key":  func(r *register.Register) { r.People[0].Receiving = "" },
		"a manager":        func(r *register.Register) { r.People[0].Manager = "" },
		"one person less":  func(r *register.Register) { r.People = r.People[:1] },
		"how many people":  func(r *register.Register) { r.Quorum.People = 5 },
		"how many approve": func(r *register.Register) { r.Quorum.Approvals = 1 },
		"lines":            func(r *register.Register) { r.Quorum.Lines = register.LinesWarn },
		"who is outside":   func(r *register.Register) { r.Quorum.Outside = "" },
		"a silence":        func(r *register.Register) { r.Silences[0].Until = "2026-01-04" },
		"no silence":       func(r *register.Register) { r.Silences = nil },
		"a recipient":      func(r *register.Register) { r.Channels[0].Recipients[0] = "nobody" },
		"a channel":        func(r *register.Register) { r.Channels = nil },
		"an address":       func(r *register.Register) { r.Channels[1].Address = "smtps://relay.eve.example" },
		"an address file":  func(r *register.Register) { r.Channels[2].AddressFile = "/srv/room.url" },
		"a sender":         func(r *register.Register) { r.Channels[1].Sender = "" },
		"an account":       func(r *register.Register) { r.Accounts = r.Accounts[:1] },
		"a group":          func(r *register.Register) { r.Groups[0].ID = south },
		"use of a group":   func(r *register.Register) { r.Groups[0].Use = register.GroupTAP },
		"the store":        func(r *register.Register) { r.Evidence.Store = "elsewhere.db" },
		"a proxy":          func(r *register.Register) { r.Proxy = "http://eve.example:3128" },
		"whom it believes": func(r *register.Register) { r.CABundle = "eve.pem" },
		"a supposition":    func(r *register.Register) { r.Suppose[0] = "licence=P2" },
		"of an account":    func(r *register.Register) { r.Accounts[0].Suppose = nil },
		"no witness":       func(r *register.Register) { r.Evidence.Witness = "" },
	}
	other := map[string]func(*register.Register){
		"a training":                 func(r *register.Register) { r.People[0].Trained = "2026-03-03" },
		"the order of ways to reach": func(r *register.Register) { slices.Reverse(r.People[0].Reach) },
		"the comment of a key":       func(r *register.Register) { r.People[0].Signing += " on the new laptop" },
		"the order of suppositions":  func(r *register.Register) { slices.Reverse(r.Suppose) },
		"the order of people":        func(r *register.Register) { slices.Reverse(r.People) },
		"the order of roles":         func(r *register.Register) { slices.Reverse(r.People[0].Roles) },
		"the order of accounts":      func(r *register.Register) { slices.Reverse(r.Accounts) },
		"the case of an id":          func(r *register.Register) { r.Accounts[0].ID = entra.ID(strings.ToUpper(string(north))) },
		"the case of a person's id":  func(r *register.Register) { r.People[0].ID = entra.ID(strings.ToUpper(string(third))) },
		"the name of an account":     func(r *register.Register) { r.Accounts[0].Name = "" },
		"a policy":                   func(r *register.Register) { r.Policies = nil },
		"a part":                     func(r *register.Register) { r.Parts = nil },
		"an attestation":             func(r *register.Register) { r.Attestations = nil },
		"an accepted risk":           func(r *register.Register) { r.Accepted = nil },
		"a setting":                  func(r *register.Register) { r.Settings = register.Settings{} },
		"the name of the tenant":     func(r *register.Register) { r.Tenant.Name = "x" },
		"the default of a quorum":    func(r *register.Register) { r.Quorum.Approvals = 0 },
		"the place of a safe":        func(r *register.Register) { r.Places = nil },
		"an approved writer":         func(r *register.Register) { r.Writers = nil },
		"what neighbours have":       func(r *register.Register) { r.Neighbours = register.Neighbours{} },
	}
	for name, change := range deciding {
		r := full()
		if change(r); digest(r) == whole {
			t.Errorf("%s changes nothing", name)
		}
	}
	for name, change := range other {
		r := full()
		if change(r); digest(r) != whole {
			t.Errorf("%s changes the digest", name)
		}
	}
}

// The rules that held when a register was approved can be had back from its
// deciding part, and from nothing else.
func TestRulesComeBackFromTheDecidingPart(t *testing.T) {
	for name, r := range map[string]*register.Register{"full": full(), "empty": {}, "none": nil} {
		text, want := r.Deciding()
		back, err := register.FromDeciding(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := digest(back); got != want || register.DigestOf(text) != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	text, _ := full().Deciding()
	back, _ := register.FromDeciding(text)
	if p := back.Person("ana  ribeiro"); p == nil || !p.Has(register.RoleApprover) || p.Manager != "no" || back.Quorum.Needed() != 2 {
		t.Errorf("got %+v", back)
	}
	for name, bad := range map[string]string{
		"nothing": "", "another form": strings.Replace(string(text), "v1", "v2", 1), "a key more": strings.Replace(string(text), "{", `{"a":1,`, 1), "blanks": string(text) + " ",
		"another order": strings.Replace(string(text), `["approver","auditor"]`, `["auditor","approver"]`, 1), "two": string(text) + string(text), "a list": "[]",
	} {
		if bad == string(text) {
			t.Fatalf("%s: nothing was changed", name)
		}
		if r, err := register.FromDeciding([]byte(bad)); err == nil {
			t.Errorf("%s: got %+v", name, r)
		}
	}
	if !json.Valid(text) {
		t.Error("no JSON")
	}
}

func TestPeopleAreFoundByName(t *testing.T) {
	r := &register.Register{People: []register.Person{{Name: "Ana Ribeiro", Manager: "Grace"}, {Name: "Grace", Manager: "Hilda"}, {Name: "Hilda"}, {Name: "Ben", Manager: "Hilda"},
		{Name: "Round", Manager: "About"}, {Name: "About", Manager: "Round"}}}
	if p := r.Person(" ana ribeiro"); p == nil || p.Name != "Ana Ribeiro" || r.Person("Anna") != nil || r.Person("") != nil || (*register.Register)(nil).Person("Ana") != nil {
		t.Errorf("got %+v", p)
	}
	if got := r.Line("Ana Ribeiro"); !slices.Equal(got, []string{"Grace", "Hilda"}) {
		t.Errorf("got %q", got)
	}
	if got := r.Line("Round"); !slices.Equal(got, []string{"About", "Round"}) {
		t.Errorf("a circle: got %q", got)
	}
	for _, c := range []struct {
		a, b string
		want bool
	}{{"Ana Ribeiro", "Hilda", true}, {"Grace", "Ana Ribeiro", true}, {"Ana Ribeiro", "Ben", false}, {"Ben", "Grace", false}} {
		if got := r.InOneLine(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: got %v", c.a, c.b, got)
		}
	}
}

// A register of nothing but people, each above the next, is read in little time.
func TestManyPeople(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\npeople:\n")
	const n = 13000
	for i := range n {
		fmt.Fprintf(&b, "  - {name: P%d, manager: P%d, id: %08x-0000-4000-8000-000000000000}\n", i, i+1, i)
	}
	fmt.Fprintf(&b, "  - {name: P%d}\n", n)
	r, err := register.Parse("halligan.yaml", []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(r.Holders()); got != 1 {
		t.Errorf("got %d holders", got)
	}
	if got := len(r.Line("P0")); got != n {
		t.Errorf("got a line of %d", got)
	}
}

func TestOnePersonInTwoSpellings(t *testing.T) {
	for _, pair := range [][2]string{{"Ana", "ANA"}, {" Ana  Ribeiro", "ana ribeiro "}, {"Kim", "\u212aim"}, {"Ross", "Ro\u017f\u017f"}, {"ΣΟΦΙΑ", "σοφια"}} {
		r := &register.Register{People: []register.Person{{Name: pair[0]}}}
		if !register.SamePerson(pair[0], pair[1]) || r.Person(pair[1]) == nil {
			t.Errorf("%q and %q", pair[0], pair[1])
		}
		two := &register.Register{Version: register.Version, People: []register.Person{{Name: pair[0]}, {Name: pair[1]}}}
		if _, err := two.Write(); err == nil {
			t.Errorf("%q and %q stand in one register", pair[0], pair[1])
		}
	}
}

func TestWhoOnlyManagesHoldsNothing(t *testing.T) {
	r := &register.Register{People: []register.Person{{Name: "Ana", Manager: "Grace"}, {Name: "Ben", Manager: "Hilda"}, {Name: "Grace"}, {Name: "Hilda"}, {Name: "Ivo", Roles: []register.Role{register.RoleViewer}}, {Name: "Jan", Manager: "Ivo"}, {Name: "Kim", Manager: "Jan"}},
		Parts: []register.Part{{Holder: "hilda"}}, Places: []register.Place{{Access: []string{"Jan"}}}}
	var got []string
	for _, p := range r.Holders() {
		got = append(got, p.Name)
	}
	if want := []string{"Ana", "Ben", "Hilda", "Ivo", "Jan", "Kim"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestHowManyMustApprove(t *testing.T) {
	for _, c := range []struct {
		q    register.Quorum
		want int
	}{{register.Quorum{}, 2}, {register.Quorum{People: 1}, 1}, {register.Quorum{People: 2}, 1}, {register.Quorum{People: 3}, 1}, {register.Quorum{People: 4}, 2}, {register.Quorum{People: 9, Approvals: 4}, 4}} {
		if got := c.q.Needed(); got != c.want {
			t.Errorf("%+v: got %d, want %d", c.q, got, c.want)
		}
	}
}

func TestAddingAndRemovingAPerson(t *testing.T) {
	const head = "version: 1 # the form\n"
	ben := register.Person{Name: "Ben Okoro", Roles: []register.Role{register.RoleApprover}, Signing: otherKey, Reach: []string{"+351 900 000 001"}}
	const added = "  - name: Ben Okoro\n    roles:\n      - approver\n    signing: " + otherKey + "\n    reach:\n      - \"+351 900 000 001\"\n"
	const ana, eva = "  - name: Ana # first\n    reach: [a, b]\n", "  - {name: Eva}\n"
	tests := map[string]struct{ before, after string }{
		"nobody yet":                       {head, head + "\npeople:\n" + added},
		"after others":                     {head + "people: # all\n" + ana + "# end\n", head + "people: # all\n" + ana + added + "# end\n"},
		"something follows":                {head + "people:\n" + eva + "\n# where\nplaces: []\n", head + "people:\n" + eva + added + "\n# where\nplaces: []\n"},
		"Windows line ends":                {"version: 1\r\npeople:\r\n  - name: Ana\r\nplaces:\r\n", "version: 1\r\npeople:\r\n  - name: Ana\r\n" + strings.ReplaceAll(added, "\n", "\r\n") + "places:\r\n"},
		"no end of the line at the bottom": {head + "people:\n  - name: Ana", head + "people:\n  - name: Ana\n" + added},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			after, err := register.AddPerson([]byte(tt.before), ben)
			if err != nil || string(after) != tt.after {
				t.Fatalf("got %v\n%q\nwant\n%q", err, after, tt.after)
			}
			back, err := register.RemovePerson(after, "ben okoro")
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.TrimRight(tt.before, "\r\n"); !strings.HasPrefix(string(back), want) {
				t.Errorf("got %q, want %q", back, tt.before)
			}
		})
	}
	for name, tt := range map[string]struct{ before, who, after string }{
		"the first":            {head + "people:\n" + ana + "  # the second\n" + eva, "Ana", head + "people:\n  # the second\n" + eva},
		"the last":             {head + "people:\n" + ana + eva + "\nplaces: []\n", "Eva", head + "people:\n" + ana + "\nplaces: []\n"},
		"the only one":         {head + "people:\n" + ana + "places:\n", "ana", head + "people:\nplaces:\n"},
		"a dash of its own":    {head + "people:\n  -\n    name: Ana\n" + eva, "Ana", head + "people:\n" + eva},
		"a comment above":      {head + "people:\n  # works here\n" + ana + eva, "Ana", head + "people:\n  # works here\n" + eva},
		"dashes at the margin": {head + "people:\n- name: Ana\n- name: Eva\nplaces:\n", "Ana", head + "people:\n- name: Eva\nplaces:\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := register.RemovePerson([]byte(tt.before), tt.who); err != nil || string(got) != tt.after {
				t.Errorf("got %v\n%q\nwant\n%q", err, got, tt.after)
			}
		})
	}
}

func TestWhoIsNeededIsNotRemoved(t *testing.T) {
	text := written(t, full())
	for name, tt := range map[string]struct {
		text []byte
		who  string
		what string
	}{
		"holds and opens":  {text, "Ana Ribeiro", "holds the key North 1, opens Main"},
		"manages":          {text, "no", "manages Ana Ribeiro"},
		"nobody":           {text, "Anna Ribeiro", "the register has no \"Anna Ribeiro\""},
		"a list in a line": {[]byte("version: 1\npeople: [{name: Ana}]\n"), "Ana", "in brackets"},
		"in braces":        {[]byte("{version: 1, people: [{name: Ana}]}\n"), "Ana", "in brackets"},
		"no register":      {[]byte("version: 2\n"), "Ana", "version"},
	} {
		got, err := register.RemovePerson(tt.text, tt.who)
		if err == nil || !strings.Contains(err.Error(), tt.what) {
			t.Errorf("%s: got %v\n%s", name, err, got)
			continue
		}
		checkHint(t, err)
	}
	if _, err := register.AddPerson(text, register.Person{Name: "ANA ribeiro"}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("one person twice: got %v", err)
	}
}

func TestSettingTheQuorumKeepsEveryOtherByte(t *testing.T) {
	const head = "version: 1 # the form\n"
	q := register.Quorum{People: 3, Approvals: 1}
	for name, tt := range map[string]struct{ before, after string }{
		"there is none":         {head, head + "\nquorum:\n  people: 3\n  approvals: 1\n"},
		"no end of the line":    {"version: 1", "version: 1\n\nquorum:\n  people: 3\n  approvals: 1\n"},
		"nothing under the key": {head + "quorum: # later\nplaces:\n", head + "quorum: # later\n  people: 3\n  approvals: 1\nplaces:\n"},
		"a tilde":               {head + "quorum: ~\n", head + "quorum:\n  people: 3\n  approvals: 1\n"},
		"one key changes":       {head + "quorum:\n    people: 2   # both\n    # lines stay\n    approvals: 1\nplaces:\n", head + "quorum:\n    people: 3   # both\n    # lines stay\n    approvals: 1\nplaces:\n"},
		"one is added":          {head + "quorum:\n  people: 3\n\nplaces:\n", head + "quorum:\n  people: 3\n  approvals: 1\n\nplaces:\n"},
		"one goes":              {head + "quorum:\n  people: 3\n  lines: distinct\n  approvals: 2\n", head + "quorum:\n  people: 3\n  approvals: 1\n"},
		"in braces":             {head + "quorum: {people: 2, outside: x} # so\n", head + "quorum: {people: 3, approvals: 1} # so\n"},
		"Windows line ends":     {"version: 1\r\nquorum:\r\n  people: 2\r\n", "version: 1\r\nquorum:\r\n  people: 3\r\n  approvals: 1\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := register.SetQuorum([]byte(tt.before), q)
			if err != nil || string(got) != tt.after {
				t.Fatalf("got %v\n%q\nwant\n%q", err, got, tt.after)
			}
			r, err := register.Parse("halligan.yaml", got)
			if err != nil || !reflect.DeepEqual(r.Quorum, q) {
				t.Errorf("got %+v, %v", r, err)
			}
			if again, err := register.SetQuorum(got, q); err != nil || !bytes.Equal(again, got) {
				t.Errorf("a second time: %v\n%q", err, again)
			}
		})
	}
	for name, tt := range map[string]struct {
		text string
		q    register.Quorum
		what string
	}{
		"more approvals than people": {head, register.Quorum{People: 2, Approvals: 2}, "2 approvals of 2 people"},
		"a block of text":            {head + "quorum:\n  outside: |\n    x\n", q, "more than one line"},
		"all in braces":              {"{version: 1}", q, "in braces"},
		"braces on two lines":        {head + "quorum: {people: 2,\n  approvals: 1}\n", q, "more than one line"},
		"no register":                {"version: 2\n", q, "version"},
	} {
		got, err := register.SetQuorum([]byte(tt.text), tt.q)
		if err == nil || !strings.Contains(err.Error(), tt.what) {
			t.Errorf("%s: got %v\n%s", name, err, got)
			continue
		}
		checkHint(t, err)
	}
}

func TestKeysThatMaySign(t *testing.T) {
	for _, line := range []string{signingKey, otherKey, "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHDnd9OLIgmOqSlL3fHfPAaSZeIeStwEs6wDF+ZxuBJNT0g17wd+cchp2Hmfe0CrlrzZCMvV0bBPSYgzq4unn3E= e"} {
		if _, err := register.ParseSigningKey(line); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
	ofPlugin := plugin.EncodeRecipient("yubikey", []byte("33 bytes of a compressed P-256 key"))
	for _, text := range []string{ageKey, signingKey, ofPlugin} {
		if err := register.CheckReceivingKey(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{strings.Replace(ofPlugin, "1yubikey1", "1yubikeyx1", 1), ofPlugin[:len(ofPlugin)-1] + "b", ofPlugin[:20] + ofPlugin[21:], "age1yubikey1", "age1yubikey1qqqqqq"} {
		if err := register.CheckReceivingKey(text); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
	pair := aPasskey()
	if credential, cose, err := pair.Keys(); err != nil || len(credential) != 20 || len(cose) != 77 {
		t.Errorf("got %d, %d, %v", len(credential), len(cose), err)
	}
}

func FuzzKeysOfPeople(f *testing.F) {
	for _, text := range []string{signingKey, ageKey, "age1pq1qqqq", "ssh-rsa AAAA", "no-pty " + otherKey, "", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA=="} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if key, err := register.ParseSigningKey(text); (err == nil) != (key != nil) {
			t.Errorf("got %v, %v", key, err)
		}
		if err := register.CheckReceivingKey(text); err != nil {
			checkHint(t, err)
		}
	})
}

func FuzzFromDeciding(f *testing.F) {
	text, _ := full().Deciding()
	f.Add(text)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := register.FromDeciding(text)
		if err != nil {
			return
		}
		if again, _ := r.Deciding(); !bytes.Equal(again, text) {
			t.Errorf("got\n%s\nwant\n%s", again, text)
		}
	})
}
