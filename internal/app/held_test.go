package app_test

import (
	"cmp"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/posture"
	"halligan/register"
)

func TestLookingAtAPart(t *testing.T) {
	const digest = "DIGEST" // that of the register
	for name, tt := range map[string]struct {
		look app.Look
		says string
	}{
		"as recorded":               {app.Look{Part: "North  Key", Seal: " 44 01", State: app.PartIntact}, ""},
		"another number":            {app.Look{Part: "north key", Seal: "4410", State: app.PartIntact}, "not the recorded one"},
		"no number":                 {app.Look{Part: "north key", State: app.PartIntact}, "was not read"},
		"broken":                    {app.Look{Part: "north pin", Seal: "4402", State: app.PartBroken}, "broken"},
		"not there":                 {app.Look{Part: "north key", State: app.PartMissing}, "not where it is recorded"},
		"a binder":                  {app.Look{Part: "binder", State: app.PartIntact, Binder: strings.ToUpper(digest)}, ""},
		"an old binder":             {app.Look{Part: "binder", State: app.PartIntact, Binder: "0123456789abcdef"}, "not of the register as it is now"},
		"a binder that nobody read": {app.Look{Part: "binder", State: app.PartIntact}, "was not read"},
		"a seal that is none":       {app.Look{Part: "binder", State: app.PartIntact, Binder: digest, Seal: "1"}, "none is recorded"},
	} {
		k := kept(t)
		tt.look.By = "ben"
		tt.look.Binder = strings.Replace(tt.look.Binder, digest, strings.ToUpper(k.Register.Digest()), 1)
		v, e, err := k.Verify(t.Context(), tt.look)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		says := strings.Join(v.Findings, "; ")
		if v.Good != (tt.says == "") || !strings.Contains(says, tt.says) || strings.Contains(says, "4401") {
			t.Errorf("%s: %+v", name, v)
		}
		if e.Kind != evidence.KindCustodyVerified || len(k.entries(evidence.KindCustodyVerified, "")) == 0 || e.On != "part "+v.Part {
			t.Errorf("%s: %+v", name, e)
		}
	}
	k := kept(t)
	for name, look := range map[string]app.Look{"no such part": {Part: "nort key", By: "ben", State: app.PartIntact}, "nobody": {Part: "binder", By: "bem", State: app.PartIntact}, "no state": {Part: "binder", By: "ben"}} {
		_, _, err := k.Verify(t.Context(), look)
		if err == nil {
			t.Errorf("%s: recorded", name)
			continue
		}
		hinted(t, err)
	}
}

// looks has somebody look at a part: ben, unless it says who.
func (k *keeper) looks(l app.Look) {
	k.t.Helper()
	l.By = cmp.Or(l.By, "ben")
	_, _, err := k.Verify(k.t.Context(), l)
	must(k.t, err)
	k.later(time.Hour)
}

func (k *keeper) heldNow() *app.Held {
	k.t.Helper()
	h, err := k.Held(k.t.Context())
	must(k.t, err)
	return h
}

// A number that was misread heals when it is read again; a broken seal does not.
func TestWhatTheChecksAreTold(t *testing.T) {
	k := kept(t)
	if h := k.heldNow(); h.Records.Seals == nil || len(h.Records.Seals) != 0 || !h.Records.BinderPrinted.IsZero() || h.Records.RegisterChanged.IsZero() || h.Records.Changes != nil {
		t.Errorf("%+v", h.Records)
	}
	k.looks(app.Look{Part: "north key", Seal: "4410", State: app.PartIntact})
	k.looks(app.Look{Part: "north pin", Seal: "4402", State: app.PartBroken})
	intact := func() map[string]bool {
		out := map[string]bool{"4401": true, "4402": true}
		for _, s := range k.heldNow().Records.Seals {
			out[s.Seal] = out[s.Seal] && s.Intact
		}
		return out
	}
	if got := intact(); got["4401"] || got["4402"] {
		t.Errorf("%v", got)
	}
	k.looks(app.Look{Part: "north key", By: "carol", Seal: "4401", State: app.PartIntact})
	k.looks(app.Look{Part: "north pin", By: "carol", Seal: "4402", State: app.PartIntact})
	if got := intact(); !got["4401"] || got["4402"] {
		t.Errorf("read again: %v", got)
	}
	// The list and whoever looks are told until there is a new seal.
	v, _, err := k.Verify(t.Context(), app.Look{Part: "north pin", By: "carol", Seal: "44 02", State: app.PartIntact})
	must(t, err)
	if got := strings.Join(v.Findings, "; "); v.Good || !strings.HasPrefix(got, "its seal was found broken on 2026-11-21 by ben, and only a new seal heals that: halligan custody move 'north pin' --seal NEW") {
		t.Errorf("looked at after it was broken: %q", got)
	}
	told := func() string {
		r := app.ListHeld(k.Register, k.heldNow(), nil, k.now.Add(time.Second))
		for _, f := range r.Findings {
			if !f.Due && strings.HasPrefix(f.What, "north pin: its seal was found broken on 2026-11-21 by ben") && strings.Contains(f.Do, "custody move 'north pin' --seal NEW") {
				return f.What
			}
		}
		return ""
	}
	if told() == "" {
		t.Error("the list forgets a broken seal")
	}
	pin := slices.IndexFunc(k.Register.Parts, func(p register.Part) bool { return p.Seal == "4402" })
	k.Register.Parts[pin].Seal = "4 402" // the same number, written otherwise
	if told() == "" {
		t.Error("a broken seal heals by writing it otherwise")
	}
	k.Register.Parts[pin].Seal = "4499"
	if told() == "" {
		t.Error("a new number in the file alone heals")
	}
	k.Register.Parts[pin].Seal = "4402"
	_, err = k.Record(t.Context(), app.RecordOfBinder(k.Register, "7"))
	must(t, err)
	printed := k.heldNow()
	if printed.Binder == nil || printed.Binder.Version != "7" || printed.Records.BinderDigest != k.Register.Digest() || !printed.Records.BinderPrinted.Equal(k.now) {
		t.Errorf("%+v", printed)
	}
	// Somebody leaves: what they could open needs a new combination.
	text, err := register.RemovePerson(func() []byte { b, _ := k.Read(); return b }(), "carol")
	must(t, err)
	must(t, os.WriteFile(k.path, text, 0o600))
	k.rereads()
	k.As("ben").Approves(k.As("ana").Requests(custody.VerbRegister))
	if c := k.heldNow().Records.Changes; len(c) != 1 || c[0].What != "carol" || c[0].Kind != "staff" {
		t.Errorf("%+v", c)
	}
}

func TestEveryClockRuns(t *testing.T) {
	k := kept(t)
	at := func(snap *entra.Snapshot) string {
		var out []string
		for _, f := range app.ListHeld(k.Register, k.heldNow(), snap, k.now).Findings {
			sign := "! "
			if f.Due {
				sign = "  "
			}
			out = append(out, sign+string(f.Day)+" "+f.What)
		}
		return strings.Join(out, "\n")
	}
	want := func(text string, snap *entra.Snapshot) {
		t.Helper()
		if got := at(snap); got != strings.TrimSpace(text) {
			t.Errorf("got\n%s\nwant\n%s", got, text)
		}
	}
	want("! 2026-11-21 nobody has looked at binder yet\n! 2026-11-21 nobody has looked at north key yet\n! 2026-11-21 nobody has looked at north pin yet", nil)
	k.looks(app.Look{Part: "north key", Seal: "4401", State: app.PartIntact})
	k.looks(app.Look{Part: "north pin", Seal: "4402", State: app.PartBroken})
	k.looks(app.Look{Part: "binder", State: app.PartIntact, Binder: k.Register.Digest()})
	if got := at(nil); !strings.HasPrefix(got, "! 2026-11-21 north pin: its seal was found broken on 2026-11-21 by ben, and only a new seal heals that\n  2027-02-19 look at binder\n  2027-02-19 look at north key") {
		t.Errorf("got\n%s", got)
	}
	k.later(91 * 24 * time.Hour)
	if got := at(nil); !strings.Contains(got, "! 2027-02-19 look at north key") {
		t.Errorf("got\n%s", got)
	}
	// Printed, then moved.
	_, err := k.Record(t.Context(), app.RecordOfBinder(k.Register, "1"))
	must(t, err)
	k.As("ben").Approves(k.As("ana").changes(custody.VerbMove, toBank))
	k.rereads()
	got := at(nil)
	for _, line := range []string{"! 2027-02-20 the binder was printed on 2027-02-20, and the register has changed since", "! 2027-02-20 nobody has looked at north key yet"} {
		if !strings.Contains(got, line) {
			t.Errorf("lacks %q:\n%s", line, got)
		}
	}
	report := app.ListHeld(k.Register, nil, nil, k.now)
	if len(report.Findings) != 1 || report.Findings[0].What != "victor alone can open ea-north@tidewater.example" || len(report.Parts) != 3 || report.Parts[1].Place != "Bank" && report.Parts[0].Place != "Bank" {
		t.Errorf("without evidence: %+v", report)
	}
}

// The holders are compared with the directory.
func TestHoldersWhoLeaveAreTold(t *testing.T) {
	k := kept(t)
	id := func(n string) entra.ID { return entra.ID("07136d09-5e64-44ad-b232-46424538dc" + n) }
	for i := range k.Register.People {
		switch p := &k.Register.People[i]; p.Name {
		case "ana":
			p.ID = id("01")
		case "ben":
			p.ID = id("02")
		case "victor":
			p.ID = id("03")
		}
	}
	users := `{"value":[{"id":"` + string(id("01")) + `","userPrincipalName":"ana@x.example","accountEnabled":false},
		{"id":"` + string(id("03")) + `","userPrincipalName":"victor@x.example","accountEnabled":true,"employeeLeaveDateTime":"2026-12-24T00:00:00Z"}]}`
	snap, err := app.Snapshot(t.Context(), app.ProveRequest{Sources: []entra.Source{{Name: "users.json", Data: []byte(users)}}}, k.Register, nil)
	must(t, err)
	r := app.ListHeld(k.Register, nil, snap, k.now)
	var got []string
	for _, f := range r.Findings {
		got = append(got, string(f.Day)+" "+f.What)
		if strings.HasPrefix(f.What, "the account of ana") && (!strings.Contains(f.Do, "halligan custody hand-over 'north key' --to NAME --by NAME --why TEXT --key FILE") || !strings.Contains(f.Do, "halligan person remove ana")) {
			t.Errorf("what to do: %s", f.Do)
		}
	}
	all := strings.Join(got, "\n")
	for _, line := range []string{"2026-11-21 the account of ana is disabled in the directory", "2026-12-24 victor leaves", "carol has no object id in the register"} {
		if !strings.Contains(all, line) {
			t.Errorf("lacks %q:\n%s", line, all)
		}
	}
	if !strings.Contains(all, "2026-11-21 ben is gone from the directory") && !strings.Contains(all, "whether ben still works here is not known") {
		t.Errorf("ben is not told:\n%s", all)
	}
	if !r.Overdue() || !r.Directory {
		t.Error("nothing is overdue")
	}
}

// The checks answer from the log.
func TestTheChecksOfCustodyAnswerFromTheLog(t *testing.T) {
	k := kept(t)
	k.looks(app.Look{Part: "north key", Seal: "4401", State: app.PartIntact})
	k.looks(app.Look{Part: "north pin", Seal: "4402", State: app.PartIntact})
	_, err := k.Record(t.Context(), app.RecordOfBinder(k.Register, "1"))
	must(t, err)
	answers := func(r posture.Records) map[string]posture.Status {
		out := map[string]posture.Status{}
		snap, err := app.Snapshot(t.Context(), app.ProveRequest{Sources: []entra.Source{{Name: "users.json", Data: []byte(`{"value":[{"id":"` + string(northAccount) + `","userPrincipalName":"ea-north@tidewater.example"}]}`)}}}, k.Register, nil)
		must(t, err)
		in := &posture.Input{Snapshot: snap, Register: k.Register, Records: r, Now: k.now, Accounts: []posture.Subject{{ID: northAccount}}}
		for _, f := range posture.Judge(in) {
			out[f.Check.ID] = f.Status
		}
		return out
	}
	got := answers(k.heldNow().Records)
	if got["cus-seal-intact"] != posture.Pass || got["cus-offline"] != posture.Pass || got["cus-complete"] != posture.Pass {
		t.Errorf("got %v %v %v", got["cus-seal-intact"], got["cus-offline"], got["cus-complete"])
	}
	k.looks(app.Look{Part: "north pin", Seal: "4402", State: app.PartBroken})
	k.As("ben").Approves(k.As("ana").changes(custody.VerbMove, toBank))
	k.rereads()
	got = answers(k.heldNow().Records)
	if got["cus-seal-intact"] != posture.Fail || got["cus-offline"] != posture.Fail {
		t.Errorf("got %v %v", got["cus-seal-intact"], got["cus-offline"])
	}
	// Written otherwise and found whole, the number is still that of a broken seal.
	k.Register.Parts[slices.IndexFunc(k.Register.Parts, func(p register.Part) bool { return p.Seal == "4402" })].Seal = "44 02"
	k.looks(app.Look{Part: "north pin", Seal: "4402", State: app.PartIntact})
	k.looks(app.Look{Part: "north key", Seal: toBank.Seal, State: app.PartIntact})
	if got = answers(k.heldNow().Records); got["cus-seal-intact"] != posture.Fail {
		t.Errorf("written otherwise: got %v", got["cus-seal-intact"])
	}
	got = answers(posture.Records{Unread: "the store is locked"})
	if got["cus-seal-intact"] != posture.Indeterminate || got["cus-offline"] != posture.Indeterminate {
		t.Errorf("unread: got %v %v", got["cus-seal-intact"], got["cus-offline"])
	}
	if got = answers(posture.Records{}); got["cus-seal-intact"] == posture.Pass || got["cus-offline"] == posture.Pass {
		t.Errorf("without a log: got %v %v", got["cus-seal-intact"], got["cus-offline"])
	}
}
