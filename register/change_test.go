package register_test

import (
	"strings"
	"testing"

	"halligan/register"
)

func TestChangingAPersonKeepsEveryOtherByte(t *testing.T) {
	const head = "version: 1 # the form\npeople: # all\n  # works in Lisbon\n"
	const rest = "  - name: Eva # second\n    reach: [a, b]\n# where\nplaces: []\n"
	operator := func(p *register.Person) { p.Roles = []register.Role{register.RoleOperator, register.RoleApprover} }
	k := aPasskey()
	passkey := "    passkey:\n      rpId: " + k.RPID + "\n      origin: " + k.Origin + "\n      credentialId: " + k.CredentialID + "\n      publicKey: " + k.PublicKey + "\n"
	for name, tt := range map[string]struct {
		before, after string
		change        func(*register.Person)
	}{
		"roles of one without": {"  - name: Ana # first\n    title: boss\n", "  - name: Ana # first\n    title: boss\n    roles:\n      - operator\n      - approver\n", operator},
		"roles in lines":       {"  - name: Ana\n    roles: # few\n      - viewer\n    title: boss # really\n", "", operator},
		"roles below roles":    {"  - name: Ana\n    roles:\n      - viewer\n      - auditor\n    title: boss # really\n", "  - name: Ana\n    roles:\n      - operator\n      - approver\n    title: boss # really\n", operator},
		"roles at the margin":  {"  - name: Ana\n    roles:\n    - viewer\n    title: boss\n", "  - name: Ana\n    roles:\n      - operator\n      - approver\n    title: boss\n", operator},
		"roles in brackets":    {"  - name: Ana\n    roles: [viewer] # for now\n", "  - name: Ana\n    roles: [operator, approver] # for now\n", operator},
		"roles of nothing":     {"  - name: Ana\n    roles:\n    title: boss\n", "  - name: Ana\n    title: boss\n    roles:\n      - operator\n      - approver\n", operator},
		"roles first":          {"  - roles:\n      - viewer\n    name: Ana\n", "  - roles:\n      - operator\n      - approver\n    name: Ana\n", operator},
		"in braces":            {"  - {name: Ana, roles: [viewer]} # so\n", "  - {name: Ana, roles: [operator, approver]} # so\n", operator},
		"no role any more":     {"  - name: Ana\n    roles:\n      - viewer\n    # how\n    reach: [x]\n", "  - name: Ana\n    # how\n    reach: [x]\n", func(p *register.Person) { p.Roles = nil }},
		"one way more":         {"  - name: Ana\n    reach:\n      - a@x.example\n", "  - name: Ana\n    reach:\n      - a@x.example\n      - \"+351 900 000 001\"\n", func(p *register.Person) { p.Reach = append(p.Reach, "+351 900 000 001") }},
		"a title":              {"  - name: Ana # first\n    title: boss # really\n", "  - name: Ana # first\n    title: head of IT # really\n", func(p *register.Person) { p.Title = "head of IT" }},
		"a key for a passkey":  {"  - name: Ana\n" + passkey + "    title: boss\n", "  - name: Ana\n    title: boss\n    signing: " + otherKey + "\n", func(p *register.Person) { p.Passkey, p.Signing = register.Passkey{}, otherKey }},
		"all at once": {"  - name: Ana\n    title: boss\n    manager: Eva\n", "  - name: Ana\n    manager: Eva\n    roles:\n      - operator\n      - approver\n    receiving: " + ageKey + "\n",
			func(p *register.Person) { operator(p); p.Title, p.Receiving = "", ageKey }},
	} {
		for _, ending := range []string{"\n", "\r\n"} {
			as := strings.NewReplacer("\n", ending)
			got, err := register.ChangePerson([]byte(as.Replace(head+tt.before+rest)), "ana", tt.change)
			if tt.after == "" {
				if err == nil || !strings.Contains(err.Error(), "a comment stands within roles") {
					t.Errorf("%s: got %v\n%s", name, err, got)
				} else {
					checkHint(t, err)
				}
			} else if want := as.Replace(head + tt.after + rest); err != nil || string(got) != want {
				t.Errorf("%s: got %v\n%q\nwant\n%q", name, err, got, want)
			}
		}
	}
	// At the end of the text.
	got, err := register.ChangePerson([]byte("version: 1\npeople:\n  - name: Ana\n    roles:\n      - viewer"), "Ana", operator)
	if err != nil || string(got) != "version: 1\npeople:\n  - name: Ana\n    roles:\n      - operator\n      - approver\n" {
		t.Errorf("%q, %v", got, err)
	}
	// The name stays, and so does the spelling of what is the same.
	text := []byte("version: 1\npeople:\n  - name: Ana\n    id: 2786D9FB-AA4E-4778-8ABB-11A546852728\n")
	if got, err = register.ChangePerson(text, "ana", func(p *register.Person) { p.Name, p.ID = "Eva", "2786d9fb-aa4e-4778-8abb-11a546852728" }); err != nil || string(got) != string(text) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAPersonIsNotChangedIntoWhatIsRefused(t *testing.T) {
	text := written(t, full())
	for name, tt := range map[string]struct {
		text   []byte
		who    string
		what   string
		change func(*register.Person)
	}{
		"nobody":             {text, "Anna Ribeiro", "the register has no \"Anna Ribeiro\"", func(*register.Person) {}},
		"an unknown boss":    {text, "Ana Ribeiro", "no person has the name \"Zoe\"", func(p *register.Person) { p.Manager = "Zoe" }},
		"their own manager":  {text, "Ana Ribeiro", "manager", func(p *register.Person) { p.Manager = "Ana Ribeiro" }},
		"a key that is none": {text, "Ana Ribeiro", "no SSH public key", func(p *register.Person) { p.Signing = "ssh-rsa AAAA" }},
		"a list in a line":   {[]byte("version: 1\npeople: [{name: Ana}]\n"), "Ana", "in brackets", func(p *register.Person) { p.Title = "boss" }},
		"lines of text":      {[]byte("version: 1\npeople:\n  - name: Ana\n    title: |\n      boss\n      of all\n"), "Ana", "more than one line", func(p *register.Person) { p.Title = "boss" }},
	} {
		got, err := register.ChangePerson(tt.text, tt.who, tt.change)
		if err == nil || !strings.Contains(err.Error(), tt.what) {
			t.Errorf("%s: got %v\n%s", name, err, got)
			continue
		}
		checkHint(t, err)
	}
}
