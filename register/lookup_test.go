package register_test

import (
	"testing"
	"time"

	"halligan/entra"
	"halligan/register"
)

const (
	north = entra.ID("2786d9fb-aa4e-4778-8abb-11a546852728")
	south = entra.ID("f3e17452-398d-4a53-b5ca-a4ab1958a78b")
	third = entra.ID("07136d09-5e64-44ad-b232-46424538dc6f")
)

func TestTreatmentByIDThenName(t *testing.T) {
	r := &register.Register{Policies: []register.Policy{
		{ID: north, Name: "Block legacy", Treatment: register.TreatmentExcluded},
		{Name: "Require MFA", Treatment: register.TreatmentIncluded},
	}}
	excluded := &register.Register{Policies: r.Policies, Settings: register.Settings{Policies: "excluded"}}
	tests := map[string]struct {
		in     *register.Register
		policy entra.Policy
		want   register.Treatment
		stated bool
	}{
		"by id in another case":                     {r, entra.Policy{ID: "2786D9FB-AA4E-4778-8ABB-11A546852728"}, register.TreatmentExcluded, true},
		"by name, since the entry has no id":        {r, entra.Policy{ID: south, DisplayName: "Require MFA"}, register.TreatmentIncluded, true},
		"by name, since the export has no ids":      {r, entra.Policy{ID: "policy-1", DisplayName: "Block legacy"}, register.TreatmentExcluded, true},
		"another policy of that name is not it":     {r, entra.Policy{ID: south, DisplayName: "Block legacy"}, register.TreatmentUnknown, false},
		"a like name is another":                    {r, entra.Policy{ID: south, DisplayName: "require MFA"}, register.TreatmentUnknown, false},
		"no name is no match":                       {r, entra.Policy{ID: south}, register.TreatmentUnknown, false},
		"the setting decides about the rest":        {excluded, entra.Policy{ID: south}, register.TreatmentExcluded, false},
		"what is stated wins over the setting":      {excluded, entra.Policy{ID: south, DisplayName: "Require MFA"}, register.TreatmentIncluded, true},
		"without a register everything is judged":   {nil, entra.Policy{ID: south}, register.TreatmentUnknown, false},
		"a name with a blank at its end is another": {r, entra.Policy{ID: south, DisplayName: "Require MFA "}, register.TreatmentUnknown, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, stated := tt.in.Treatment(&tt.policy); got != tt.want || stated != tt.stated {
				t.Errorf("got %q, stated %v; want %q, %v", got, stated, tt.want, tt.stated)
			}
		})
	}
}

func TestStatementsHoldThroughTheirLastDay(t *testing.T) {
	r := &register.Register{
		Attestations: []register.Attestation{
			{Check: "a", On: "2026-01-01", Until: "2026-03-31", Note: "tenant"},
			{Check: "a", Account: north, On: "2026-03-01", Until: "2026-06-30", Note: "north"},
			{Check: "a", On: "2027-01-01", Until: "2027-03-31", Note: "later"},
		},
		Accepted: []register.Accepted{
			{Check: "a", On: "2026-01-01", Until: "2026-03-31", Reason: "tenant"},
			{Check: "a", Account: north, On: "2026-03-01", Until: "2026-06-30", Reason: "north"},
			{Check: "a", On: "2027-01-01", Until: "2027-03-31", Reason: "later"},
		},
	}
	tests := map[string]struct {
		account entra.ID
		on      register.Day
		want    string
		expired bool
	}{
		"the last day counts":                    {"", "2026-03-31", "tenant", false},
		"the day after does not":                 {"", "2026-04-01", "tenant", true},
		"an account has its own":                 {"2786D9FB-AA4E-4778-8ABB-11A546852728", "2026-05-01", "north", false},
		"another account has that of the tenant": {south, "2026-03-01", "tenant", false},
		"an account's own expires, too":          {north, "2026-07-01", "north", true},
		"no day, no answer":                      {north, "", "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			note, reason := "", ""
			a, expired := r.AttestationFor("a", tt.account, tt.on)
			if a != nil {
				note = a.Note
			}
			b, over := r.AcceptedFor("a", tt.account, tt.on)
			if b != nil {
				reason = b.Reason
			}
			if note != tt.want || expired != tt.expired || reason != tt.want || over != tt.expired {
				t.Errorf("got attested %q %v, accepted %q %v; want %q %v", note, expired, reason, over, tt.want, tt.expired)
			}
		})
	}
	if a, _ := r.AttestationFor("a", "", "2025-12-31"); a != nil {
		t.Errorf("before its first day: %+v", a)
	}
	if a, _ := r.AttestationFor("b", north, "2026-03-01"); a != nil {
		t.Errorf("of another check: %+v", a)
	}
	if a, expired := (*register.Register)(nil).AttestationFor("a", "", "2026-03-01"); a != nil || expired {
		t.Error("no register states something")
	}
}

func TestOnePersonHasManySpellings(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"Ana Ribeiro", "ana ribeiro", true}, {"Ana Ribeiro", " Ana\t Ribeiro ", true}, {"Åsa", "åsa", true}, {"Ana\u00a0Ribeiro", "Ana Ribeiro", true},
		{"Ana Ribeiro", "AnaRibeiro", false}, {"Ana Ribeiro", "Ben Okoro", false},
	} {
		if got := register.SamePerson(tt.a, tt.b); got != tt.want {
			t.Errorf("%q and %q: got %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}

func TestDays(t *testing.T) {
	if got := register.DayOf(time.Date(2026, 3, 1, 1, 0, 0, 0, time.FixedZone("", 7200))); got != "2026-02-28" {
		t.Errorf("the day in UTC: got %s, want 2026-02-28", got)
	}
	for _, tt := range []struct {
		day  register.Day
		add  int
		want register.Day
	}{{"2026-02-28", 1, "2026-03-01"}, {"2028-02-28", 1, "2028-02-29"}, {"2026-01-01", -1, "2025-12-31"}, {"", 1, ""}, {"2026-02-30", 1, ""}, {"9999-12-31", 1, ""}, {"2026-01-01", 1 << 40, ""}} {
		if got := tt.day.Add(tt.add); got != tt.want {
			t.Errorf("%s + %d: got %s, want %s", tt.day, tt.add, got, tt.want)
		}
		if n, is := register.DaysBetween(tt.day, tt.want); tt.want != "" && (!is || n != tt.add) {
			t.Errorf("%s to %s: got %d %v, want %d", tt.day, tt.want, n, is, tt.add)
		}
	}
	if n, is := register.DaysBetween("0001-01-01", "9999-12-31"); n != 3652058 || !is {
		t.Errorf("all days: got %d %v", n, is)
	}
	if _, is := register.DaysBetween("", "2026-01-01"); is {
		t.Error("a number of days from none")
	}
	for _, text := range []string{"2026-02-30", "2026-2-3", " 2026-02-03", "2026-02-03T00:00:00Z", "", "26-02-03", "2026-13-01", "10000-01-01"} {
		if d, err := register.ParseDay(text); err == nil || d.IsDay() {
			t.Errorf("%q is taken for a day", text)
		}
	}
}
