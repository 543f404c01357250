package register_test

import (
	"bytes"
	"reflect"
	"slices"
	"strings"
	"testing"

	"halligan/entra"
	"halligan/register"
)

func hintIn(t *testing.T, err error) string {
	t.Helper()
	checkHint(t, err)
	return err.(interface{ Hint() string }).Hint()
}

func custodyOf(r *register.Register) string { _, digest := r.Custody(); return digest }

func TestPartsHaveNames(t *testing.T) {
	r := &register.Register{Parts: []register.Part{
		{Kind: register.PartKey, Key: "North 1"}, {Kind: register.PartPasswordHalf}, {Kind: register.PartPasswordHalf}, {Name: "password-half-2", Kind: register.PartPasswordHalf},
		{Name: "Lisbon binder", Kind: register.PartBinder}, {Kind: register.PartCombination, Opens: "Café / Vault"}, {Kind: register.PartPasswordHalf},
	}}
	want := []string{"key-north-1", "password-half", "password-half-3", "password-half-2", "Lisbon binder", "combination-café-vault", "password-half-4"}
	if got := r.PartNames(); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	for i, name := range want {
		if got, err := r.FindPart(strings.ToUpper(name)); err != nil || got != i {
			t.Errorf("%s: got %d, %v", name, got, err)
		}
	}
	for name, near := range map[string]string{"key-north-2": `did you mean "key-north-1"`, "": "halligan custody list", "zzzzzzzzzz": "halligan custody list"} {
		_, err := r.FindPart(name)
		if err == nil || !strings.Contains(hintIn(t, err), near) {
			t.Errorf("%q: got %v", name, err)
		}
	}
	r.Parts[0].Place, r.Parts[0].Holder = "Vault B", "Ben"
	if got := r.PartNames(); got[0] != want[0] {
		t.Errorf("moved, it is called %q", got[0])
	}
}

func TestDigestFollowsTheCustodyPart(t *testing.T) {
	base := custodyOf(full())
	for name, change := range map[string]func(*register.Register){
		"a holder":          func(r *register.Register) { r.Parts[0].Holder = "no" },
		"a place":           func(r *register.Register) { r.Parts[0].Place = "" },
		"a seal":            func(r *register.Register) { r.Parts[0].Seal = "000124" },
		"a day":             func(r *register.Register) { r.Parts[0].Since = "2026-01-03" },
		"a sealed set":      func(r *register.Register) { r.Parts[2].Set = "0" },
		"what it opens":     func(r *register.Register) { r.Parts[1].Opens = "" },
		"one part less":     func(r *register.Register) { r.Parts = r.Parts[:2] },
		"who has access":    func(r *register.Register) { r.Places[0].Access = nil },
		"the combination":   func(r *register.Register) { r.Places[0].CombinationChanged = "2026-01-03" },
		"the site":          func(r *register.Register) { r.Places[0].Site = "Porto" },
		"no longer a safe":  func(r *register.Register) { r.Places[0].Fireproof = false },
		"a model":           func(r *register.Register) { r.Accounts[0].Keys[0].Model = "another" },
		"an AAGUID":         func(r *register.Register) { r.Accounts[0].Keys[0].AAGUID = "another" },
		"a serial number":   func(r *register.Register) { r.Accounts[0].Keys[0].Serial = "another" },
		"a label":           func(r *register.Register) { r.Accounts[0].Keys[0].Label = "another" },
		"the id of a key":   func(r *register.Register) { r.Accounts[0].Keys[0].ID = "another" },
		"no keys":           func(r *register.Register) { r.Accounts[0].Keys = nil },
		"a pattern":         func(r *register.Register) { r.Accounts[0].Pattern = register.PatternAccountReset },
		"a password":        func(r *register.Register) { r.Accounts[0].Password = register.PasswordVaulted },
		"an account's name": func(r *register.Register) { r.Accounts[0].Name = "another" },
		"an account less":   func(r *register.Register) { r.Accounts = r.Accounts[:1] },
	} {
		r := full()
		if change(r); custodyOf(r) == base {
			t.Errorf("%s: the digest is the same", name)
		}
	}
	for name, change := range map[string]func(*register.Register){
		"the order":         func(r *register.Register) { slices.Reverse(r.Parts) },
		"the case of an id": func(r *register.Register) { r.Parts[0].Account = entra.ID(strings.ToUpper(string(north))) },
		"an attestation":    func(r *register.Register) { r.Attestations = nil },
		"a role":            func(r *register.Register) { r.People[0].Roles = nil },
		"order of accounts": func(r *register.Register) { slices.Reverse(r.Accounts) },
		"what is supposed":  func(r *register.Register) { r.Accounts[0].Suppose = nil },
	} {
		r := full()
		if change(r); custodyOf(r) != base {
			t.Errorf("%s: the digest is another", name)
		}
	}
}

func TestPartsComeBackFromTheCustodyPart(t *testing.T) {
	text, digest := full().Custody()
	r, err := register.FromCustody(text)
	if err != nil || custodyOf(r) != digest || len(r.Parts) != 3 || len(r.Places) != 1 {
		t.Fatalf("got %+v, %v", r, err)
	}
	for name, text := range map[string]string{
		"nothing": "", "another form": `{"form":"x","parts":[],"places":[]}`, "a field more": `{"form":"halligan register custody v1","parts":[],"places":[],"pin":"1"}`,
		"not sorted": strings.Replace(string(text), `"form"`, ` "form"`, 1), "a part without a name": `{"form":"halligan register custody v1","parts":[{"kind":"key","name":""}],"places":[]}`,
	} {
		if got, err := register.FromCustody([]byte(text)); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// Logs hold the form of before accounts were part of it: it is read, and says nothing
// of them. A register that has nothing in custody has the digest that it had then.
func TestTheFirstFormOfTheCustodyPartIsRead(t *testing.T) {
	const first = `{"form":"halligan register custody v1","parts":[{"account":"2786d9fb-aa4e-4778-8abb-11a546852728","key":"North 1","kind":"key","name":"north key"}],"places":[]}`
	old, err := register.FromCustody([]byte(first))
	if err != nil || len(old.Parts) != 1 || len(old.Accounts) != 0 {
		t.Fatalf("got %+v, %v", old, err)
	}
	old.Accounts = []register.Account{{ID: north, Name: "north@x.example"}}
	text, _ := old.Custody()
	if now, err := register.FromCustody(text); err != nil || len(now.Accounts) != 1 || now.Accounts[0].Name != "north@x.example" || !strings.Contains(string(text), "custody v2") {
		t.Errorf("got %s, %v", text, err)
	}
	for name, text := range map[string]string{
		"accounts in the first form":  strings.Replace(string(text), "custody v2", "custody v1", 1),
		"the second form without any": strings.Replace(first, "custody v1", "custody v2", 1),
		"accounts and nothing else":   `{"accounts":[{"id":"2786d9fb-aa4e-4778-8abb-11a546852728"}],"form":"halligan register custody v2","parts":[],"places":[]}`,
	} {
		if got, err := register.FromCustody([]byte(text)); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	nothing := &register.Register{Accounts: old.Accounts}
	if custodyOf(nothing) != custodyOf(&register.Register{}) {
		t.Error("accounts alone are custody")
	}
}

// The digest on paper: what is printed depends on all of the register but what
// dates itself.
func TestDigestOnPaper(t *testing.T) {
	base := full().Digest()
	if len(base) != 16 || strings.Trim(base, "0123456789abcdef") != "" {
		t.Fatalf("got %q", base)
	}
	read, err := register.Parse("halligan.yaml", append([]byte("# a comment\n"), written(t, full())...))
	if err != nil || read.Digest() != base {
		t.Errorf("read back: %s, %v", read.Digest(), err)
	}
	for name, change := range map[string]func(*register.Register){
		"a way to reach somebody": func(r *register.Register) { r.People[0].Reach[0] = "+351 900 000 009" },
		"a seal":                  func(r *register.Register) { r.Parts[0].Seal = "1" },
		"an account":              func(r *register.Register) { r.Accounts[0].Name = "x" },
		"a setting":               func(r *register.Register) { r.Settings.DrillDays = 31 },
	} {
		r := full()
		if change(r); r.Digest() == base {
			t.Errorf("%s: the digest is the same", name)
		}
	}
	r := full()
	r.Attestations, r.Accepted, r.Silences = nil, nil, nil
	if r.Digest() != base {
		t.Error("an attestation makes paper old")
	}
	if (*register.Register)(nil).Digest() == "" {
		t.Error("no register has no digest")
	}
}

const custodyHead = "version: 1\npeople:\n  - name: Ana\n  - name: Ben\nplaces:\n  - name: Main\n  - name: Vault B\n"

func TestMovingAPartKeepsEveryOtherByte(t *testing.T) {
	move := func(p *register.Part) { p.Place, p.Seal = "Vault B", "4402" }
	give := func(p *register.Part) { p.Holder, p.Since = "Ben", "2026-11-21" }
	for name, tt := range map[string]struct {
		change        func(*register.Part)
		before, after string
	}{
		"one key to a line": {move, "parts:\n  - kind: binder # the red one\n    place: Main   # first floor\n    # a remark\n    seal: \"4401\"\n    holder: 'Ana'\n# end\n",
			"parts:\n  - kind: binder # the red one\n    place: Vault B   # first floor\n    # a remark\n    seal: \"4402\"\n    holder: 'Ana'\n# end\n"},
		"a seal is new":    {move, "parts:\n  - kind: binder\n    place: Main\n\naccepted: []\n", "parts:\n  - kind: binder\n    place: Vault B\n    seal: \"4402\"\n\naccepted: []\n"},
		"in braces":        {give, "parts:\n  - {kind: binder, holder: Ana, seal: x} # red\n", "parts:\n  - {kind: binder, holder: Ben, seal: x, since: 2026-11-21} # red\n"},
		"dashes at margin": {give, "parts:\n- kind: binder\n  holder: Ana\n", "parts:\n- kind: binder\n  holder: Ben\n  since: 2026-11-21\n"},
		"windows":          {give, "parts:\r\n  - kind: binder\r\n    holder: Ana\r\n", "parts:\r\n  - kind: binder\r\n    holder: Ben\r\n    since: 2026-11-21\r\n"},
		"the end is open":  {give, "parts:\n  - kind: binder\n    holder: Ana", "parts:\n  - kind: binder\n    holder: Ben\n    since: 2026-11-21\n"},
		"the seal goes":    {func(p *register.Part) { p.Seal = "" }, "parts:\n  - kind: binder\n    seal: x\n    place: Main\n", "parts:\n  - kind: binder\n    place: Main\n"},
		"a dash alone":     {give, "parts:\n  -\n    kind: binder\n    holder: Ana\n    since: 2026-01-02\n", "parts:\n  -\n    kind: binder\n    holder: Ben\n    since: 2026-11-21\n"},
		"an id in capitals": {give, "accounts:\n  - id: 2786D9FB-AA4E-4778-8ABB-11A546852728\nparts:\n  - kind: tap\n    name: binder\n    account: 2786D9FB-AA4E-4778-8abb-11a546852728\n",
			"accounts:\n  - id: 2786D9FB-AA4E-4778-8ABB-11A546852728\nparts:\n  - kind: tap\n    name: binder\n    account: 2786D9FB-AA4E-4778-8abb-11a546852728\n    holder: Ben\n    since: 2026-11-21\n"},
	} {
		t.Run(name, func(t *testing.T) {
			head := custodyHead
			if strings.Contains(tt.before, "\r\n") {
				head = strings.ReplaceAll(head, "\n", "\r\n")
			}
			r, err := register.Parse("halligan.yaml", []byte(head+tt.before))
			if err != nil {
				t.Fatal(err)
			}
			to := r.Parts[0]
			to.Account = entra.ID(to.Account.Key()) // as evidence has it
			tt.change(&to)
			got, err := register.SetPart([]byte(head+tt.before), "Binder", to)
			if err != nil || string(got) != head+tt.after {
				t.Fatalf("got %v\n%q\nwant\n%q", err, got, head+tt.after)
			}
			again, err := register.SetPart(got, "binder", to)
			if err != nil || !bytes.Equal(again, got) {
				t.Errorf("a second time: %v\n%q", err, again)
			}
		})
	}
	for name, tt := range map[string]struct {
		text, part string
		to         register.Part
		what       string
	}{
		"no such part":         {custodyHead + "parts:\n  - kind: binder\n", "bindr", register.Part{Kind: register.PartBinder}, "the register has none"},
		"a list in brackets":   {custodyHead + "parts: [{kind: binder}]\n", "binder", register.Part{Kind: register.PartBinder, Place: "Main"}, "in brackets"},
		"a value on two lines": {custodyHead + "parts:\n  - kind: binder\n    seal: |\n      x\n", "binder", register.Part{Kind: register.PartBinder, Seal: "y"}, "more than one line"},
		"braces on two lines":  {custodyHead + "parts:\n  - {kind: binder,\n     place: Main}\n", "binder", register.Part{Kind: register.PartBinder}, "more than one line"},
		"a place that is none": {custodyHead + "parts:\n  - kind: binder\n", "binder", register.Part{Kind: register.PartBinder, Place: "Vault C"}, "no place has the name"},
		"a value that goes on": {custodyHead + "parts:\n  - kind: binder\n    seal: a\n      b\n", "binder", register.Part{Kind: register.PartBinder, Seal: "a b", Set: "x"}, "was not found"},
		"the dash's key goes":  {custodyHead + "parts:\n  - seal: x\n    kind: binder\n", "binder", register.Part{Kind: register.PartBinder}, "begins with"},
		"no register":          {"version: 2\n", "binder", register.Part{}, "version"},
	} {
		got, err := register.SetPart([]byte(tt.text), tt.part, tt.to)
		if err == nil || !strings.Contains(err.Error(), tt.what) {
			t.Errorf("%s: got %v\n%s", name, err, got)
			continue
		}
		checkHint(t, err)
	}
}

func TestAddingPartsAndPlaces(t *testing.T) {
	text, err := register.AddPlace([]byte(custodyHead+"# the parts\nparts: []\n"), register.Place{Name: "Bank", Access: []string{"Ana"}})
	if err != nil {
		t.Fatal(err)
	}
	if text, err = register.AddPart(text, register.Part{Name: "red binder", Kind: register.PartBinder, Place: "Bank"}); err != nil {
		t.Fatal(err)
	}
	want := custodyHead + "  - name: Bank\n    access:\n      - Ana\n# the parts\nparts:\n  - name: red binder\n    kind: binder\n    place: Bank\n"
	if string(text) != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	if got, err := register.AddPart(text, register.Part{Name: "Red  Binder", Kind: register.PartBinder}); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("one name twice: %v\n%s", err, got)
	}
	if got, err := register.AddPart(text, register.Part{Name: "x", Kind: register.PartBinder, Opens: "Main"}); err == nil || !strings.Contains(err.Error(), "opens no place") {
		t.Errorf("a binder that opens a place: %v\n%s", err, got)
	}
	if got, err := register.AddPart(text, register.Part{Name: "x", Kind: register.PartCombination, Opens: "Mian"}); err == nil || !strings.Contains(err.Error(), "no place has the name") {
		t.Errorf("a place that is none: %v\n%s", err, got)
	}
}

func TestTheDayOfACombination(t *testing.T) {
	before := custodyHead + "accepted: []\n"
	got, err := register.SetCombinationChanged([]byte(before), "Main", "2026-11-21")
	want := strings.Replace(before, "  - name: Main\n", "  - name: Main\n    combinationChanged: 2026-11-21\n", 1)
	if err != nil || string(got) != want {
		t.Fatalf("got %v\n%s", err, got)
	}
	inBraces := "version: 1\npeople:\n  - name: Ana\nplaces:\n  - {name: Main, access: [Ana]}\n"
	got, err = register.SetCombinationChanged([]byte(inBraces), "Main", "2026-11-21")
	if err != nil || !strings.Contains(string(got), "{name: Main, access: [Ana], combinationChanged: 2026-11-21}") {
		t.Errorf("got %v\n%s", err, got)
	}
	if _, err := register.SetCombinationChanged([]byte(before), "Mian", "2026-11-21"); err == nil || !strings.Contains(hintIn(t, err), "Main") {
		t.Errorf("got %v", err)
	}
}

func FuzzCustodyEdits(f *testing.F) {
	f.Add([]byte(custodyHead+"parts:\n  - kind: binder\n    place: Main\n"), "Main", "x1", "Ben")
	f.Add([]byte(custodyHead+"parts:\n  - {kind: binder, place: Main} # x\n"), "Vault B", "y: #", "Ana")
	f.Add([]byte("version: 1\r\nparts:\r\n- kind: tap\r\n  seal: 'a'\r\n"), "", "\"", "")
	f.Fuzz(func(t *testing.T, text []byte, place, seal, holder string) {
		r, err := register.Parse("halligan.yaml", text)
		if err != nil {
			return
		}
		for _, add := range []func() ([]byte, error){
			func() ([]byte, error) {
				return register.AddPart(text, register.Part{Name: seal, Kind: register.PartBinder, Place: place, Holder: holder, Seal: seal})
			},
			func() ([]byte, error) {
				return register.AddPlace(text, register.Place{Name: seal, Site: place, Access: []string{holder}, OffSite: true})
			},
			func() ([]byte, error) { return register.SetCombinationChanged(text, place, "2026-11-21") },
		} {
			got, err := add()
			if err != nil {
				checkHint(t, err)
				continue
			}
			if _, err := register.Parse("halligan.yaml", got); err != nil {
				t.Errorf("%v\n%s", err, got)
			}
		}
		if len(r.Parts) == 0 {
			return
		}
		to := r.Parts[len(r.Parts)-1]
		to.Place, to.Seal, to.Holder = place, seal, holder
		names := r.PartNames()
		if err := edited(t, text, names[len(names)-1], to); err != nil {
			checkHint(t, err)
		}
	})
}

// edited changes a part, and fails when anything else has changed.
func edited(t *testing.T, text []byte, name string, to register.Part) error {
	t.Helper()
	got, err := register.SetPart(text, name, to)
	if err != nil {
		return err
	}
	was, _ := register.Parse("halligan.yaml", text)
	is, err := register.Parse("halligan.yaml", got)
	if err != nil {
		t.Fatalf("%v\n%s", err, got)
	}
	i, _ := was.FindPart(name)
	was.Parts[i] = to
	if !reflect.DeepEqual(is, was) {
		t.Errorf("got %+v\nwant %+v", is, was)
	}
	return nil
}

func FuzzFromCustody(f *testing.F) {
	text, _ := full().Custody()
	f.Add(text)
	f.Add([]byte("{}"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := register.FromCustody(text)
		if err != nil {
			return
		}
		if again, _ := r.Custody(); !bytes.Equal(again, text) {
			t.Errorf("got\n%s\nwant\n%s", again, text)
		}
	})
}
