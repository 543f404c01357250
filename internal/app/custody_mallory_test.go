package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/register"
)

// What mallory tries with what is held where: each is refused, and the file stays.
func TestMalloryDoesNotGetAPart(t *testing.T) {
	for name, tt := range map[string]struct {
		reason error
		tries  func(k *keeper) error
	}{
		"hands it over to mallory": {custody.ReasonReceiver, func(k *keeper) error {
			_, err := k.As("mallory").asksFor(custody.VerbHandOver, app.CustodyChange{Part: "north key", Holder: "mallory"})
			return err
		}},
		"approves mallory's own hand-over": {custody.ReasonOwn, func(k *keeper) error {
			_, err := k.As("mallory").approves(k.As("mallory").changes(custody.VerbHandOver, toBen))
			return err
		}},
		"signs the receipt in ben's name": {custody.ReasonReceipt, func(k *keeper) error {
			ask := k.As("mallory").changes(custody.VerbHandOver, toBen)
			k.As("carol").Approves(ask)
			k.handsIn(ask, k.As("mallory").prepares(k.request(ask), func(a *custody.Approval) { a.Person = "ben" }))
			return k.Does(ask)
		}},
		"carries a hand-over out twice": {custody.ReasonUsed, func(k *keeper) error {
			ask := k.As("ana").changes(custody.VerbHandOver, toBen)
			k.As("ben").Approves(ask)
			k.rereads()
			k.As("carol").Approves(k.As("ana").changes(custody.VerbMove, toBank))
			k.rereads()
			return k.Does(ask)
		}},
		"leaves out who receives": {nil, func(k *keeper) error {
			ask := k.lies(custody.VerbHandOver, func(r *register.Register) { r.Parts[0].Holder = "mallory" }, func(d map[string]any) {
				d["changes"] = []string{"part north key: holder ana -> mallory"}
				d["notes"] = []string{"part north key: mallory cannot open Main safe, where it lies: ana can"}
			})
			k.handsIn(ask, k.As("ben").prepares(k.request(ask)))
			return k.Does(ask)
		}},
		"leaves out that a number is used twice": {nil, func(k *keeper) error {
			ask := k.lies(custody.VerbMove, func(r *register.Register) { r.Parts[0].Seal = "4402" }, func(d map[string]any) { d["changes"] = []string{"part north key: seal 4401 -> 4402"} })
			k.handsIn(ask, k.As("ben").prepares(k.request(ask)))
			return k.Does(ask)
		}},
		"tells another change than is made": {nil, func(k *keeper) error {
			ask := k.lies(custody.VerbMove, func(r *register.Register) { r.Parts[0].Place = "Bank" }, func(d map[string]any) { d["changes"] = []string{"part binder: place Bank -> Main safe"} })
			k.handsIn(ask, k.As("ben").prepares(k.request(ask)))
			return k.Does(ask)
		}},
		"changes a holder by a move": {nil, func(k *keeper) error {
			ask := k.lies(custody.VerbMove, func(r *register.Register) { r.Parts[0].Holder = "mallory" }, func(d map[string]any) { d["changes"] = []string{"part north key: holder ana -> mallory"} })
			k.handsIn(ask, k.As("ben").prepares(k.request(ask)))
			return k.Does(ask)
		}},
		"brings another proposal than was approved": {custody.ReasonOther, func(k *keeper) error {
			ask := k.lies(custody.VerbMove, func(r *register.Register) { r.Parts[0].Place = "Bank" }, func(d map[string]any) { d["to"] = register.DigestOf([]byte("x")) })
			k.handsIn(ask, k.As("ben").prepares(k.request(ask)))
			return k.Does(ask)
		}},
		"takes a part out by a move": {nil, func(k *keeper) error {
			ask := k.lies(custody.VerbMove, func(r *register.Register) { r.Parts = r.Parts[:2] }, func(d map[string]any) { d["changes"] = []string{"- part binder: kind binder, holder ana, place Bank"} })
			k.handsIn(ask, k.As("ben").prepares(k.request(ask)))
			err := k.Does(ask)
			if len(k.entries(evidence.KindIntent, ask)) > 0 {
				k.t.Error("it was begun")
			}
			return err
		}},
		"keeps an approved move for later": {nil, func(k *keeper) error {
			ask := k.As("mallory").changes(custody.VerbMove, toBank)
			k.handsIn(ask, k.As("carol").prepares(k.request(ask)))
			k.As("ben").Approves(k.As("ana").changes(custody.VerbMove, app.CustodyChange{Part: "north key", Seal: "4409"}))
			k.rereads()
			err := k.Does(ask)
			if err != nil && !strings.Contains(err.Error(), "meanwhile") {
				k.t.Errorf("it says %v", err)
			}
			return err
		}},
		"edits the file, and goes on from there": {&app.UnrecordedError{}, func(k *keeper) error {
			k.byHand("holder: ana", "holder: mallory")
			_, err := k.As("mallory").asksFor(custody.VerbMove, toBank)
			k.byHand("holder: mallory", "holder: ana")
			return err
		}},
		"edits the file, and has that approved without ben": {custody.ReasonReceipt, func(k *keeper) error {
			k.byHand("holder: ana", "holder: ben")
			ask := k.As("mallory").changes(custody.VerbCustody, app.CustodyChange{})
			k.As("carol").Approves(ask)
			err := k.Does(ask)
			k.byHand("holder: ben", "holder: ana")
			return err
		}},
		"edits the file so that mallory has it, and has that approved": {custody.ReasonReceiver, func(k *keeper) error {
			k.byHand("holder: ana", "holder: mallory")
			_, err := k.As("mallory").asksFor(custody.VerbCustody, app.CustodyChange{})
			k.byHand("holder: mallory", "holder: ana")
			return err
		}},
		"renames the part, and is its holder under the new name": {custody.ReasonReceiver, func(k *keeper) error {
			k.byHand("name: north key\n", "name: key of the north\n")
			k.byHand("holder: ana", "holder: mallory")
			_, err := k.As("mallory").asksFor(custody.VerbCustody, app.CustodyChange{})
			k.byHand("holder: mallory", "holder: ana")
			k.byHand("name: key of the north\n", "name: north key\n")
			return err
		}},
		"lets mallory open the place where it lies": {custody.ReasonReceiver, func(k *keeper) error {
			k.byHand("access:\n      - ana\n", "access:\n      - mallory\n      - ana\n")
			_, err := k.As("mallory").asksFor(custody.VerbCustody, app.CustodyChange{})
			k.byHand("      - mallory\n", "")
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			k := kept(t)
			err := tt.tries(k)
			if err == nil {
				t.Fatal("nothing stopped it")
			}
			if _, unrecorded := tt.reason.(*app.UnrecordedError); unrecorded {
				if _, is := errors.AsType[*app.UnrecordedError](err); !is {
					t.Errorf("got %v", err)
				}
			} else if tt.reason != nil && !errors.Is(err, tt.reason) {
				t.Errorf("got %v, want: %v", err, tt.reason)
			}
			hinted(t, err)
			if holder := k.partNamed("north key").Holder; holder == "mallory" {
				t.Error("mallory has it")
			}
			if !k.stands().Stands() {
				t.Error("the file is not what is recorded")
			}
			if r := k.audited(); !r.Good() {
				t.Errorf("%+v", r.Findings)
			}
		})
	}
	for _, d := range []custody.Defence{custody.DefenceReceiver} {
		k := kept(t, lacking(d))
		k.As("ben").Approves(k.As("mallory").changes(custody.VerbHandOver, app.CustodyChange{Part: "north key", Holder: "mallory"}))
		if k.partNamed("north key").Holder != "mallory" {
			t.Errorf("without %q it is refused by something else", d)
		}
	}
	k := kept(t, lacking(custody.DefenceReceipt))
	k.As("carol").Approves(k.As("mallory").changes(custody.VerbHandOver, toBen))
	if k.partNamed("north key").Holder != "ben" {
		t.Error("without the receipt it is refused by something else")
	}
}

// lies makes a request about custody whose details are not what it would bring about.
func (k *keeper) lies(verb custody.Verb, change func(*register.Register), lie func(map[string]any)) string {
	k.t.Helper()
	r := *k.Register
	r.Parts = slices.Clone(r.Parts)
	change(&r)
	text, to := r.Custody()
	d := map[string]any{"from": k.stands().Recorded, "to": to, "changes": []string{"part north key: place Main safe -> Bank"}}
	lie(d)
	made := k.As("mallory").makesOf(verb, "part north key", jsonOf(k.t, d))
	return k.As("mallory").handsInRequest(made, string(text))
}

// makesOf is a request made without the program.
func (a *actor) makesOf(verb custody.Verb, on string, details json.RawMessage) *custody.Request {
	a.w.t.Helper()
	made, err := custody.NewRequest(a.w.Chance, custody.Request{Tenant: tidewater, Store: a.w.Ledger.Identity().ID, What: verb, On: on, Why: "incident 4711", By: a.name, Register: a.w.standing().Approved,
		Details: details, Made: a.w.now, Expires: a.w.now.Add(time.Hour)})
	must(a.w.t, err)
	return made
}

// Nobody is asked to sign a change that lies.
func TestALieAboutCustodyIsNotShownToSign(t *testing.T) {
	k := kept(t)
	ask := k.lies(custody.VerbMove, func(r *register.Register) { r.Parts[0].Holder = "mallory" }, func(d map[string]any) { d["changes"] = []string{"part north key: holder ana -> mallory"} })
	signed := false
	_, err := k.Approve(t.Context(), ask, "ben", time.Time{}, func(ctx context.Context, text []byte, c string) (app.Signature, error) {
		signed = true
		return k.As("ben").sign(ctx, text, c)
	})
	if err == nil || signed {
		t.Errorf("%v, %v", signed, err)
	}
	hinted(t, err)
}

// Whoever runs as the account of the tool has the log key, and can write a custody
// part into the log. It is not believed.
func TestACustodyPartThatNobodyApprovedIsNotBelieved(t *testing.T) {
	entry := func(k *keeper, subject string) evidence.Entry {
		r := *k.Register
		r.Parts = slices.Clone(r.Parts)
		r.Parts[0].Holder = "mallory"
		text, digest := r.Custody()
		return evidence.Entry{Kind: evidence.KindCustody, Tenant: tidewater, What: "hand-over", Subject: subject, Before: k.stands().Recorded, After: digest, Data: jsonOf(k.t, map[string]string{"custody": string(text)})}
	}
	for name, smuggle := range map[string]func(k *keeper){
		"without any request": func(k *keeper) { k.smuggles(entry(k, "")) },
		"under a request for something else": func(k *keeper) {
			k.edits(silence)
			ask := k.As("mallory").Requests(custody.VerbRegister)
			k.As("ben").Approves(ask)
			k.smuggles(entry(k, ask))
		},
		"under one that was carried out": func(k *keeper) {
			ask := k.As("mallory").changes(custody.VerbMove, toBank)
			k.As("ben").Approves(ask)
			k.smuggles(entry(k, ask))
		},
		"under its own request, which nobody approved": func(k *keeper) {
			k.smuggles(k.asApproved(k.As("mallory").changes(custody.VerbMove, toBank)))
		},
		"once more": func(k *keeper) {
			k.As("ben").Approves(k.As("ana").changes(custody.VerbMove, toBank))
			old := k.entries(evidence.KindCustody, "")[0]
			old.Time = time.Time{}
			k.smuggles(old)
		},
		"after it had failed": func(k *keeper) {
			ask := k.As("mallory").changes(custody.VerbMove, toBank)
			k.spoils = func() { _ = os.WriteFile(k.path, []byte("version: 2\n"), 0o600) }
			text, _ := k.Read()
			if _, err := k.As("ben").approves(ask); err == nil {
				k.t.Error("nothing failed")
			}
			k.spoils = nil
			must(k.t, os.WriteFile(k.path, text, 0o600))
			k.rereads()
			k.smuggles(k.asApproved(ask))
		},
		"with a digest that is not its own": func(k *keeper) {
			e := entry(k, "")
			e.After = register.DigestOf([]byte("x"))
			k.smuggles(e)
		},
	} {
		t.Run(name, func(t *testing.T) {
			k := kept(t)
			smuggle(k)
			_, err := k.As("ana").asksFor(custody.VerbMove, toBank)
			if _, is := errors.AsType[*app.SmuggledError](err); !is {
				t.Errorf("got %v", err)
			}
			if _, err := k.CustodyStanding(t.Context()); err == nil {
				t.Error("it is said to be recorded")
			}
			if r := k.audited(); r.Good() {
				t.Error("the audit finds nothing")
			}
		})
	}
}

// asApproved is the entry that the program would write for a request.
func (k *keeper) asApproved(ask string) evidence.Entry {
	k.t.Helper()
	r, err := k.Request(k.t.Context(), ask)
	must(k.t, err)
	return evidence.Entry{Kind: evidence.KindCustody, Tenant: tidewater, What: string(r.Request.What), On: r.Request.On, Subject: ask, Before: k.stands().Recorded, After: register.DigestOf([]byte(r.Proposal)),
		Data: jsonOf(k.t, map[string]string{"custody": r.Proposal})}
}
