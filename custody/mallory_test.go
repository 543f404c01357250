package custody_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/register"
)

// A story in which somebody tries to get round the others. It is refused for the
// reason, and would succeed if exactly the one defence were missing.
type story struct {
	name    string
	reason  custody.Reason
	defence custody.Defence
	tell    func(w *world) error
}

var stories = []story{
	{"replays an approved request", custody.ReasonUsed, custody.DefenceOnce, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("ben").Approves(ask)
		if err := w.Does(ask); err != nil {
			w.t.Fatal(err)
		}
		w.later(time.Minute)
		return w.Does(ask)
	}},
	{"has an approval signed in advance", custody.ReasonEarly, custody.DefenceOrder, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("ben").Approves(ask) // whatever ben was told that it is
		w.later(30 * time.Minute)
		ask.Recorded = w.now // only now the others could see it
		return w.Does(ask)
	}},
	{"takes an approval for another request", custody.ReasonOther, custody.DefenceHash, func(w *world) error {
		first := w.As("mallory").Requests(custody.VerbOpen, north)
		approval := w.As("ben").Approves(first)
		second := w.As("mallory").Requests(custody.VerbOpen, north)
		second.Approvals = append(second.Approvals, approval)
		return w.Does(second)
	}},
	{"takes an approval from another tenant", custody.ReasonTenant, custody.DefenceTenant, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north, func(r *custody.Request) { r.Tenant = elsewhere })
		w.As("ben").Approves(ask)
		return w.Does(ask)
	}},
	{"takes an approval from another store", custody.ReasonStore, custody.DefenceStore, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("ben").Approves(ask)
		w.store = "ffffffffffffffffffffffffffffffff" // a store that was set up anew
		return w.Does(ask)
	}},
	{"waits until nobody remembers", custody.ReasonExpired, custody.DefenceExpiry, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("ben").Approves(ask)
		w.later(time.Hour)
		return w.Does(ask)
	}},
	{"approves what mallory asked for", custody.ReasonOwn, custody.DefenceRequester, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("mallory").Approves(ask)
		return w.Does(ask)
	}},
	{"asks in the name of ana and approves it", custody.ReasonUnsigned, custody.DefenceSigned, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north, func(r *custody.Request) { r.By = "ana" })
		w.As("mallory").Approves(ask)
		return w.Does(ask)
	}},
	{"uses the approval of somebody who has left", custody.ReasonPerson, custody.DefencePerson, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("carol").Approves(ask)
		w.later(time.Minute)
		w.register.People = append(w.register.People[:2:2], w.register.People[3:]...)
		w.registerIsApproved()
		return w.Does(ask)
	}},
	{"replaces ben's key in the register", custody.ReasonRegister, custody.DefenceRegister, func(w *world) error {
		w.person("ben").Signing = w.As("mallory with another key").line()
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("mallory with another key").Approves(ask, func(a *custody.Approval) { a.Person = "ben" })
		return w.Does(ask)
	}},
	{"makes an accomplice an approver in the register", custody.ReasonRegister, custody.DefenceRegister, func(w *world) error {
		w.person("victor").Roles = []register.Role{register.RoleApprover}
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("victor").Approves(ask)
		return w.Does(ask)
	}},
	{"writes into the register that there is one person", custody.ReasonRegister, custody.DefenceRegister, func(w *world) error {
		w.register.Quorum = register.Quorum{People: 1}
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("mallory").Approves(ask)
		return w.Does(ask)
	}},
	{"silences the alerts in the register", custody.ReasonRegister, custody.DefenceRegister, func(w *world) error {
		w.register.Silences = []register.Silence{{ID: tidewater, From: "2026-11-21", Until: "2026-11-22", Why: "maintenance"}}
		ask := w.As("ana").Requests(custody.VerbApply, "a policy")
		w.As("ben").Approves(ask)
		return w.Does(ask)
	}},
	{"stands in the register under two names with one key", custody.ReasonSameKey, custody.DefenceKeys, func(w *world) error {
		w.register.People = append(w.register.People, register.Person{Name: "trent", Roles: []register.Role{register.RoleApprover}, Signing: w.As("mallory").line() + " trent@laptop"})
		w.people["trent"] = &actor{w: w, name: "trent", signer: w.As("mallory").signer}
		w.register.Quorum.Approvals = 2
		w.registerIsApproved()
		ask := w.As("ana").Requests(custody.VerbOpen, north)
		w.As("mallory").Approves(ask)
		w.As("trent").Approves(ask)
		return w.Does(ask)
	}},
	{"stands in the register under two names with one directory account", custody.ReasonSameID, custody.DefenceIDs, func(w *world) error {
		const id = entra.ID("07136d09-5e64-44ad-b232-46424538dc6f")
		w.person("mallory").ID = id
		w.register.People = append(w.register.People, register.Person{Name: "trent", ID: "07136D09-5E64-44AD-B232-46424538DC6F", Roles: []register.Role{register.RoleApprover}, Signing: w.As("trent").line()})
		w.register.Quorum.Approvals = 2
		w.registerIsApproved()
		ask := w.As("ana").Requests(custody.VerbOpen, north)
		w.As("mallory").Approves(ask)
		w.As("trent").Approves(ask)
		return w.Does(ask)
	}},
	{"stands in the register under two names with one passkey", custody.ReasonSamePasskey, custody.DefenceCredentials, func(w *world) error {
		key := newSoftKey(w.t)
		w.person("mallory").Signing, w.person("mallory").Passkey = "", key.public(w.t)
		w.register.People = append(w.register.People, register.Person{Name: "trent", Roles: []register.Role{register.RoleApprover}, Passkey: key.public(w.t)})
		w.As("mallory").passkey, w.As("trent").passkey = key, key
		w.register.Quorum.Approvals = 2
		w.registerIsApproved()
		ask := w.As("ana").Requests(custody.VerbOpen, north)
		w.As("mallory").Approves(ask)
		key.counter++
		w.As("trent").Approves(ask)
		return w.Does(ask)
	}},
	{"asks, and approves under a second name with the same key", custody.ReasonSameKey, custody.DefenceKeys, func(w *world) error {
		w.register.People = append(w.register.People, register.Person{Name: "trent", Roles: []register.Role{register.RoleApprover}, Signing: w.As("mallory").line()})
		w.people["trent"] = &actor{w: w, name: "trent", signer: w.As("mallory").signer}
		w.registerIsApproved()
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("trent").Approves(ask)
		return w.Does(ask)
	}},
	{"hands in one approval twice", custody.ReasonTwice, custody.DefencePeople, func(w *world) error {
		w.register.Quorum.Approvals = 2
		w.registerIsApproved()
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("ben").Approves(ask)
		w.As("ben").Approves(ask, func(a *custody.Approval) { a.Person = "Ben " })
		return w.Does(ask)
	}},
	{"finds an approver who may only look", custody.ReasonRight, custody.DefenceRight, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("victor").Approves(ask)
		return w.Does(ask)
	}},
	{"asks for what the role does not allow", custody.ReasonMayNotAsk, custody.DefenceAsk, func(w *world) error {
		ask := w.As("carol").Requests(custody.VerbApply, "a policy")
		w.As("ben").Approves(ask)
		return w.Does(ask)
	}},
	{"uses a signature that ben gave for a file", custody.ReasonNamespace, custody.DefenceNamespace, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		a := w.As("ben").Approves(ask)
		a.Signature = armoured(w.t, w.As("ben").signer, a.Text(ask.Request), "file")
		return w.Does(ask)
	}},
	{"signs as ben with a key of mallory's own", custody.ReasonKey, custody.DefenceKey, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("mallory").Approves(ask, func(a *custody.Approval) { a.Person = "ben" })
		return w.Does(ask)
	}},
	{"puts a new time on an old approval", custody.ReasonSignature, custody.DefenceSignature, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		approval := w.As("ben").Approves(ask)
		w.later(10 * time.Minute)
		ask.Recorded, approval.Time = w.now, w.now
		return w.Does(ask)
	}},
	{"shows ben a register of mallory's own", custody.ReasonUnknownRules, custody.DefenceKnown, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("ben").Approves(ask, func(a *custody.Approval) { a.Register = register.DigestOf([]byte("mallory's")) })
		return w.Does(ask)
	}},
	{"has an approval dated next week", custody.ReasonFuture, custody.DefenceFuture, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("ben").Approves(ask, func(a *custody.Approval) { a.Time = w.now.Add(50 * time.Minute) })
		return w.Does(ask)
	}},
	{"turns back the clock for an approval that came too late", custody.ReasonLate, custody.DefenceLate, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.later(time.Hour)
		w.As("ben").Approves(ask)
		w.later(-2 * time.Minute)
		return w.Does(ask)
	}},
	{"goes on with one approval of two", custody.ReasonTooFew, custody.DefenceCount, func(w *world) error {
		w.register.Quorum.Approvals = 2
		w.registerIsApproved()
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("ben").Approves(ask)
		return w.Does(ask)
	}},
	{"hides the end of a name behind a mark of direction", custody.ReasonHidden, custody.DefenceHidden, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, "ea-\u202ehtron@tidewater.example")
		w.As("ben").Approves(ask)
		return w.Does(ask)
	}},
	{"asks for an account whose name has a letter without width", custody.ReasonHidden, custody.DefenceHidden, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, "ea-nor\u200bth@tidewater.example")
		w.As("ben").Approves(ask)
		return w.Does(ask)
	}},
	{"asks for an account whose name looks like that of another", custody.ReasonAlike, custody.DefenceAlike, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbOpen, "ea-nоrth@tidewater.example") // the o is Cyrillic
		w.As("ben").Approves(ask)
		return w.Does(ask)
	}},
	{"hides such a name in the details", custody.ReasonAlike, custody.DefenceAlike, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbApply, "a policy", func(r *custody.Request) { r.Details = []byte(`{"exclude":["ea-n\u043erth@tidewater.example"]}`) })
		w.As("ben").Approves(ask)
		return w.Does(ask)
	}},
	{"has the boss ask and a subordinate approve, where lines are distinct", custody.ReasonLine, custody.DefenceLines, func(w *world) error {
		w.person("ben").Manager, w.person("carol").Manager = "carol", "mallory"
		w.register.Quorum.Lines = register.LinesDistinct
		w.registerIsApproved()
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("ben").Approves(ask)
		return w.Does(ask)
	}},
	{"hands a key over to mallory", custody.ReasonReceiver, custody.DefenceReceiver, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbHandOver, "part key-north-1", handing("mallory"))
		w.As("ben").Approves(ask)
		return w.Does(ask)
	}},
	{"writes down that ben has a key that mallory kept", custody.ReasonReceipt, custody.DefenceReceipt, func(w *world) error {
		ask := w.As("mallory").Requests(custody.VerbHandOver, "part key-north-1", handing("ben"))
		w.As("carol").Approves(ask)
		return w.Does(ask)
	}},
	{"carries out what ana took back", custody.ReasonWithdrawn, custody.DefenceWithdrawn, func(w *world) error {
		ask := w.As("ana").Requests(custody.VerbOpen, north)
		w.As("ben").Approves(ask)
		if err := w.As("ana").Withdraws(ask); err != nil {
			w.t.Fatal(err)
		}
		return w.Does(ask)
	}},
	{"takes ana's request back", custody.ReasonNotAsker, custody.DefenceAsker, func(w *world) error {
		return w.As("mallory").Withdraws(w.As("ana").Requests(custody.VerbOpen, north))
	}},
	{"takes ana's request back in her name", custody.ReasonKey, custody.DefenceKey, func(w *world) error {
		return w.As("mallory").Withdraws(w.As("ana").Requests(custody.VerbOpen, north), func(a *custody.Approval) { a.Person = "ana" })
	}},
	{"takes ana's request back by what she signed for another", custody.ReasonOther, custody.DefenceHash, func(w *world) error {
		first, second := w.As("ana").Requests(custody.VerbOpen, north), w.As("ana").Requests(custody.VerbOpen, north)
		return w.As("ana").Withdraws(second, func(a *custody.Approval) { a.Request = first.Request.Hash() })
	}},
	{"takes ana's request back by her signature, with another reason", custody.ReasonSignature, custody.DefenceSignature, func(w *world) error {
		ask := w.As("ana").Requests(custody.VerbOpen, north)
		s := custody.NewApproval(ask.Request, custody.ActWithdraw, "ana", w.approved, w.now)
		s.Because = "for the drill"
		w.As("ana").signs(s, ask.Request)
		s.Because = "for ever"
		_, err := w.rules().Withdraw(ask, s)
		return err
	}},
	{"approves with a passkey that lies open on the desk", custody.ReasonVerified, custody.DefenceVerified, func(w *world) error {
		key := newSoftKey(w.t)
		key.flags = 1 // present, not verified
		w.person("ben").Signing, w.person("ben").Passkey, w.As("ben").passkey = "", key.public(w.t), key
		w.registerIsApproved()
		ask := w.As("mallory").Requests(custody.VerbOpen, north)
		w.As("ben").Approves(ask)
		return w.Does(ask)
	}},
}

// handing makes a request one by which people receive something.
func handing(receivers ...string) func(*custody.Request) {
	return func(r *custody.Request) {
		r.Details = []byte(`{"receivers":["` + strings.Join(receivers, `","`) + `"]}`)
	}
}

func TestMalloryIsRefused(t *testing.T) {
	for _, s := range stories {
		t.Run(s.name, func(t *testing.T) {
			err := s.tell(newWorld(t))
			if !errors.Is(err, s.reason) {
				t.Fatalf("got %v, want: %s", err, s.reason)
			}
			refusal, is := errors.AsType[*custody.Refusal](err)
			if !is || refusal.Hint() == "" {
				t.Errorf("no hint: %v", err)
			}
			if err := s.tell(newWorld(t, s.defence)); err != nil {
				t.Errorf("without %q it is refused by something else: %v", s.defence, err)
			}
			for _, other := range defences {
				// What is left over when an approval is refused, the count refuses.
				if other == s.defence || other == custody.DefenceCount {
					continue
				}
				if err := s.tell(newWorld(t, other)); err == nil {
					t.Errorf("without %q it succeeds, too", other)
				}
			}
		})
	}
}

// Every defence has a story that shows that it is needed.
func TestEveryDefenceHasItsStory(t *testing.T) {
	told := map[custody.Defence]bool{}
	for _, s := range stories {
		told[s.defence] = true
	}
	for _, d := range defences {
		if !told[d] {
			t.Errorf("no story shows why %q", d)
		}
	}
}

var defences = []custody.Defence{custody.DefenceTenant, custody.DefenceStore, custody.DefenceRegister, custody.DefenceExpiry, custody.DefenceOnce, custody.DefenceHidden, custody.DefenceAlike, custody.DefenceAsk,
	custody.DefenceSigned, custody.DefenceHash, custody.DefencePerson, custody.DefenceRequester, custody.DefenceRight, custody.DefenceKnown, custody.DefenceOrder, custody.DefenceFuture, custody.DefenceLate,
	custody.DefenceKey, custody.DefenceNamespace, custody.DefenceSignature, custody.DefenceVerified, custody.DefencePeople, custody.DefenceKeys, custody.DefenceIDs, custody.DefenceCredentials, custody.DefenceLines, custody.DefenceCount,
	custody.DefenceReceiver, custody.DefenceReceipt, custody.DefenceWithdrawn, custody.DefenceAsker}
