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

// full has something in every field of every type.
func full() *register.Register {
	return &register.Register{
		Version: register.Version,
		Tenant:  register.Tenant{ID: third, Name: "Tidewater: Instruments #1", AzureRoot: true},
		Proxy:   "http://proxy.example:3128", CABundle: "proxy.pem",
		Accounts: []register.Account{
			{ID: north, Name: "ea-north@tidewaterinstruments.onmicrosoft.com", Pattern: register.PatternFIDO2, Password: register.PasswordDiscarded,
				Keys:   []register.Key{{ID: "_jpuR-TGZtk6aQCLF3BQjA2", Label: "North 1", AAGUID: "2fc0579f-8113-47ea-b116-bb5a8db9202a", Model: "YubiKey 5 NFC", Serial: "0012345678"}},
				Groups: []entra.ID{third}, Suppose: []string{"key=any"}},
			{ID: south},
		},
		Groups:   []register.Group{{ID: third, Name: "CA-EmergencyAccess", Use: register.GroupExclusion}},
		Policies: []register.Policy{{ID: third, Name: "Block: everything", Treatment: register.TreatmentIrrelevant, Reason: "\"quoted\" \\ and\nmore\ttab"}},
		Suppose:  []string{"ordinary", "licence=P1"},
		Settings: fullSettings(),
		People: []register.Person{
			{Name: "Ana Ribeiro", ID: third, Title: "CISO", Roles: []register.Role{register.RoleApprover, register.RoleAuditor}, Manager: "no",
				Signing: signingKey, Receiving: ageKey, Trained: "2026-01-02", Aware: "2026-01-03",
				Reach: []string{"+351 900 000 000", "ana.ribeiro@tidewater.example"}},
			{Name: "no", Roles: []register.Role{register.RoleApprover}, Passkey: aPasskey(), Receiving: otherKey},
		},
		Quorum:   register.Quorum{People: 4, Approvals: 2, Lines: register.LinesDistinct, Outside: "Parsons and Co"},
		Silences: []register.Silence{{ID: north, From: "2026-01-02", Until: "2026-01-03", Why: "drill"}},
		Places:   []register.Place{{Name: "Main", Kind: "safe", Site: "Lisbon", Fireproof: true, OffSite: true, Access: []string{"Ana Ribeiro"}, CombinationChanged: "2026-01-02", Put: []string{"vault", "kv", "put"}, Get: []string{"vault", "kv", "get"}}},
		Parts: []register.Part{{Account: north, Kind: register.PartKey, Key: "North 1", Holder: "Ana Ribeiro", Place: "Main", Needed: 2, Seal: "000123", Since: "2026-01-02"},
			{Name: "lisbon combination", Kind: register.PartCombination, Opens: "Main", Holder: "no"}, {Account: south, Kind: register.PartShare, Set: "3f9c01d2a4b5e6f7"}},
		Channels: []register.Channel{{Name: "Duty", Kind: "sms", InTenant: true, Recipients: []string{"on call"}},
			{Name: "Mail", Kind: "email", Recipients: []string{"security@tidewater.example"}, Address: "smtp://relay.tidewater.example:25", Sender: "halligan@tidewater.example"},
			{Name: "Room", Kind: "slack", Recipients: []string{"#security"}, AddressFile: "/etc/halligan/room.url"}},
		Writers:      []register.Writer{{ID: third, Name: "Deploy", Reason: "Terraform"}},
		Attestations: []register.Attestation{attestation()},
		Accepted:     []register.Accepted{acceptedRisk()},
		Evidence:     register.Evidence{Store: "postgres://halligan@db.example/halligan", Witness: "/mnt/witness"},
		Neighbours: register.Neighbours{
			Maester:   []register.MaesterAccount{{Type: "User", ID: north, UserPrincipalName: "ea-north@tidewaterinstruments.onmicrosoft.com"}},
			ScubaGear: []register.ScubaExclusion{{Policy: "MS.AAD.1.1v1", Kind: "CapExclusions", Users: []entra.ID{north}, Groups: []entra.ID{third}}},
		},
	}
}

func fullSettings() register.Settings {
	s := register.Settings{}.Settled()
	s.Names, s.DrillDays = "any", 30
	return s
}

func attestation() register.Attestation {
	return register.Attestation{Check: "gov-stale-cleanup", Account: north, By: "Ana Ribeiro", On: "2026-01-02", Until: "2026-06-30", Note: "Looked at the job: it skips both."}
}

func acceptedRisk() register.Accepted {
	return register.Accepted{Check: "am-two-keys", Account: north, Reason: "on order", Owner: "Ana Ribeiro", Approver: "Ben Okoro", On: "2026-01-02", Until: "2026-06-30",
		Compensating: []string{"drl-key-90d", "am-key-registry-match"}}
}

func TestFullRegisterLeavesNothingOut(t *testing.T) {
	set := map[string]bool{}
	var walk func(v reflect.Value)
	walk = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Slice:
			for i := range v.Len() {
				walk(v.Index(i))
			}
		case reflect.Struct:
			for i := range v.NumField() {
				name := v.Type().Name() + "." + v.Type().Field(i).Name
				set[name] = set[name] || !v.Field(i).IsZero()
				walk(v.Field(i))
			}
		}
	}
	walk(reflect.ValueOf(*full()))
	for name, is := range set {
		if !is {
			t.Errorf("full does not set %s", name)
		}
	}
}

func written(t *testing.T, r *register.Register) []byte {
	t.Helper()
	text, err := r.Write()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestWhatIsWrittenReadsTheSame(t *testing.T) {
	for name, r := range map[string]*register.Register{"full": full(), "empty": {Version: register.Version}, "one account": {Version: register.Version, Accounts: []register.Account{{ID: north}}}} {
		t.Run(name, func(t *testing.T) {
			text := written(t, r)
			got, err := register.Parse("halligan.yaml", text)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if !reflect.DeepEqual(got, r) {
				t.Errorf("got  %+v\nwant %+v\n%s", got, r, text)
			}
			if again := written(t, got); !bytes.Equal(again, text) {
				t.Errorf("written again it is\n%s\nwas\n%s", again, text)
			}
		})
	}
}

func TestWriteRefusesWhatParseWould(t *testing.T) {
	for name, r := range map[string]*register.Register{
		"an account by name": {Version: register.Version, Accounts: []register.Account{{ID: "ea-north@tidewater.example"}}},
		"no version":         {},
		"bytes":              {Version: register.Version, Tenant: register.Tenant{Name: "a\xffb"}},
	} {
		if text, err := r.Write(); err == nil {
			t.Errorf("%s is written:\n%s", name, text)
		}
	}
}

// Whatever a name is, it comes back, and as text.
func FuzzNamesSurviveTheRoundTrip(f *testing.F) {
	for _, name := range []string{"Ana", "", " ", "true", "~", "null", "- a", "a: b", "a #b", "\"", "'", "\\", "\n", "a\r\nb", "\u202e", "\x1b[31m", "é", "🙂", "\ufeff", "0x1F", "1e3", ".inf", "2026-01-01", "&a", "*a", "<<", "=", "|", ">", "%", "@", "`", "{", "[", "?", "!", "---", "...", "a\u0085b", "\u2028", strings.Repeat("a ", 200), "\t", "a\tb"} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		r := &register.Register{Version: register.Version, Tenant: register.Tenant{Name: name}}
		text, err := r.Write()
		if err != nil {
			return // a secret, or no text
		}
		got, err := register.Parse("halligan.yaml", text)
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		if got.Tenant.Name != name {
			t.Errorf("got %q, want %q\n%s", got.Tenant.Name, name, text)
		}
	})
}

func TestAddingKeepsEveryOtherByte(t *testing.T) {
	const head = "version: 1 # the form\n\naccounts:\n  # north\n  - id: " + string(north) + "\n"
	const one = "  - check: gov-writers\n    by: Ana\n    on: 2026-01-01\n    until: 2026-02-01\n    note: seen\n"
	const added = "  - check: gov-stale-cleanup\n    account: " + string(north) + "\n    by: Ana Ribeiro\n    on: 2026-01-02\n    until: 2026-06-30\n    note: \"Looked at the job: it skips both.\"\n"
	outdent := func(text string) string { return strings.ReplaceAll(strings.TrimPrefix(text, "  "), "\n  ", "\n") }
	tests := map[string]struct{ before, want string }{
		"there is no list":              {head, head + "\nattestations:\n" + added},
		"no line end at the end":        {strings.TrimSuffix(head, "\n"), head + "\nattestations:\n" + added},
		"a comment at the end":          {head + "# the end", head + "# the end\n\nattestations:\n" + added},
		"the list is the last":          {head + "attestations: # stated\n" + one, head + "attestations: # stated\n" + one + added},
		"another list follows":          {head + "attestations:\n" + one + "\n# people\npeople: # all\n  - name: Ana\n", head + "attestations:\n" + one + added + "\n# people\npeople: # all\n  - name: Ana\n"},
		"a comment belongs to the last": {head + "attestations:\n" + one + "    # seen twice\n\n# people\npeople: []\n", head + "attestations:\n" + one + "    # seen twice\n" + added + "\n# people\npeople: []\n"},
		"comments between and after":    {head + "attestations:\n  # first\n" + one + "  # second\n" + one + "# end\n", head + "attestations:\n  # first\n" + one + "  # second\n" + one + added + "# end\n"},
		"an empty list":                 {head + "attestations: [ ]  # none yet\npeople:\n", head + "attestations: # none yet\n" + added + "people:\n"},
		"an empty list, no comment":     {head + "attestations: []\n", head + "attestations:\n" + added},
		"nothing under the key":         {head + "attestations: # none yet\npeople:\n", head + "attestations: # none yet\n" + added + "people:\n"},
		"nothing under the last key":    {head + "attestations:", head + "attestations:\n" + added},
		"null":                          {head + "attestations: null\n", head + "attestations:\n" + added},
		"a tilde":                       {head + "attestations: ~ # none\n", head + "attestations: # none\n" + added},
		"dashes at the margin":          {head + "attestations:\n" + outdent(one) + "people:\n- name: Ana\n", head + "attestations:\n" + outdent(one) + outdent(added) + "people:\n- name: Ana\n"},
		"a block of text at the end": {head + "attestations:\n" + strings.Replace(one, "note: seen", "note: |\n      seen\n\n      # no comment", 1) + "\npeople: []\n",
			head + "attestations:\n" + strings.Replace(one, "note: seen", "note: |\n      seen\n\n      # no comment", 1) + added + "\npeople: []\n"},
		"a block that keeps its blank lines": {head + "attestations:\n" + strings.Replace(one, "note: seen", "note: |+\n      seen\n\n", 1) + "people: []\n",
			head + "attestations:\n" + strings.Replace(one, "note: seen", "note: |+\n      seen\n\n", 1) + added + "people: []\n"},
		"a header":          {"---\n" + head, "---\n" + head + "\nattestations:\n" + added},
		"Windows line ends": {strings.ReplaceAll(head+"attestations:\n"+one+"people: []\n", "\n", "\r\n"), strings.ReplaceAll(head+"attestations:\n"+one+added+"people: []\n", "\n", "\r\n")},
		"a byte order mark": {"\ufeffattestations: []\n" + head, "\ufeffattestations:\n" + added + head},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := register.AddAttestation([]byte(tt.before), attestation())
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != tt.want {
				t.Errorf("got\n%q\nwant\n%q", got, tt.want)
			}
			twice, err := register.AddAttestation(got, attestation())
			if err != nil {
				t.Fatalf("a second time: %v\n%s", err, got)
			}
			r, err := register.Parse("halligan.yaml", twice)
			if err != nil || !slices.Contains(r.Attestations, attestation()) {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

func TestAddingAnAcceptedRisk(t *testing.T) {
	r0 := full()
	r0.Neighbours, r0.Evidence = register.Neighbours{}, register.Evidence{} // what follows would stand behind the addition
	before := written(t, r0)
	got, err := register.AddAccepted(before, acceptedRisk())
	if err != nil {
		t.Fatal(err)
	}
	r, err := register.Parse("halligan.yaml", got)
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Accepted) != 2 || !reflect.DeepEqual(r.Accepted[1], acceptedRisk()) || !bytes.HasPrefix(got, before) {
		t.Errorf("got %+v\n%s", r.Accepted, got)
	}
}

func TestAddingRefusesWhatItCannotKeep(t *testing.T) {
	wrong := attestation()
	wrong.Until = "2025-01-01"
	nobody := attestation()
	nobody.Account = south
	secret := attestation()
	secret.Note = "the PIN is 493817"
	head := "version: 1\naccounts:\n  - id: " + string(north) + "\n"
	tests := map[string]struct {
		text string
		a    register.Attestation
		what string
	}{
		"a register that is refused":     {"version: 1\nacounts: []\n", attestation(), "unknown key"},
		"an attestation that is refused": {head, wrong, "is before on"},
		"of an account that is not":      {head, nobody, "no account has the id"},
		"a secret in the note":           {head, secret, "looks like a PIN"},
		"a list in brackets":             {head + "attestations: [{check: a, by: b, on: 2026-01-01, until: 2026-01-01, note: c}]\n", attestation(), "in brackets"},
		"a register in braces":           {"{version: 1, accounts: [{id: " + string(north) + "}]}", attestation(), "in braces"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := register.AddAttestation([]byte(tt.text), tt.a)
			if err == nil || !strings.Contains(err.Error(), tt.what) {
				t.Fatalf("got %v, want an error with %q\n%s", err, tt.what, got)
			}
			checkHint(t, err)
		})
	}
}
