package app_test

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/internal/store"
	"halligan/register"
)

// A story in which somebody tries to get round the others, told through the whole
// program and a store on a disk. It is refused for the reason and leaves nothing
// behind, and would succeed if exactly the one defence were missing.
type story struct {
	name    string
	reason  custody.Reason
	defence custody.Defence
	// tell returns what became of the last step, and the request that it is about.
	tell func(t *testing.T, lacking ...setUp) (*world, string, error)
}

// told begins a world as it is by itself.
func told(tell func(w *world) (string, error), set ...setUp) func(*testing.T, ...setUp) (*world, string, error) {
	return func(t *testing.T, lacking ...setUp) (*world, string, error) {
		w := begun(t, slices.Concat(set, lacking)...)
		hash, err := tell(w)
		return w, hash, err
	}
}

func silence(r *register.Register) {
	r.Silences = []register.Silence{{ID: tidewater, From: "2026-11-21", Until: "2026-11-22", Why: "maintenance"}}
}

// trent is a second name of mallory's.
func trent(change func(w *world, p *register.Person)) setUp {
	return func(w *world) {
		p := register.Person{Name: "trent", Roles: []register.Role{register.RoleApprover}, Signing: w.As("trent").line()}
		for _, name := range []string{"ana", "ben", "carol", "mallory"} {
			w.Register.People = append(w.Register.People, register.Person{Name: name, Roles: []register.Role{register.RoleOperator, register.RoleApprover}, Signing: w.As(name).line()})
		}
		change(w, &p)
		w.Register.People = append(w.Register.People, p)
	}
}

const directoryID = "07136d09-5e64-44ad-b232-46424538dc6f"

var stories = []story{
	{"uses a request twice", custody.ReasonUsed, custody.DefenceOnce, told(func(w *world) (string, error) {
		ask := w.As("mallory").Requests(custody.VerbAccept)
		w.As("ben").Approves(ask)
		w.later(time.Minute)
		return ask, w.Does(ask)
	})},
	{"has an approval signed before the log knew the request", custody.ReasonEarly, custody.DefenceOrder, told(func(w *world) (string, error) {
		r := w.As("mallory").makes()
		approval := w.As("ben").prepares(r) // whatever ben was told that it is
		w.later(30 * time.Minute)
		ask := w.As("mallory").handsInRequest(r, "")
		w.handsIn(ask, approval)
		return ask, w.Does(ask)
	})},
	{"takes an approval for another request", custody.ReasonOther, custody.DefenceHash, told(func(w *world) (string, error) {
		first := w.As("mallory").Requests(custody.VerbAccept)
		approval := w.As("ben").prepares(w.request(first))
		second := w.As("mallory").Requests(custody.VerbAccept)
		w.handsIn(second, approval)
		return second, w.Does(second)
	})},
	{"hands in one approval twice", custody.ReasonTwice, custody.DefencePeople, told(func(w *world) (string, error) {
		w.edits(silence)
		ask := w.As("mallory").Requests(custody.VerbRegister)
		w.As("ben").Approves(ask)
		w.handsIn(ask, w.As("ben").prepares(w.request(ask), func(a *custody.Approval) { a.Person = "Ben " }))
		return ask, w.Does(ask)
	}, quorum(2))},
	{"approves under two names with one key", custody.ReasonSameKey, custody.DefenceKeys, told(func(w *world) (string, error) {
		w.edits(silence)
		ask := w.As("ana").Requests(custody.VerbRegister)
		w.As("mallory").Approves(ask)
		_, err := w.As("trent").approves(ask)
		return ask, err
	}, quorum(2), trent(func(w *world, p *register.Person) {
		w.As("trent").signer = w.As("mallory").signer
		p.Signing = w.As("mallory").line() + " trent@laptop"
	}))},
	{"approves under two names with one directory account", custody.ReasonSameID, custody.DefenceIDs, told(func(w *world) (string, error) {
		w.edits(silence)
		ask := w.As("ana").Requests(custody.VerbRegister)
		w.As("mallory").Approves(ask)
		_, err := w.As("trent").approves(ask)
		return ask, err
	}, quorum(2), trent(func(w *world, p *register.Person) {
		p.ID = directoryID
		w.Register.People[3].ID = directoryID
	}))},
	{"uses the approval of somebody who has left", custody.ReasonPerson, custody.DefencePerson, told(func(w *world) (string, error) {
		ask := w.As("mallory").Requests(custody.VerbAccept)
		w.handsIn(ask, w.As("carol").prepares(w.request(ask)))
		w.later(time.Minute)
		w.edits(func(r *register.Register) {
			r.People = slices.DeleteFunc(r.People, func(p register.Person) bool { return p.Name == "carol" })
		})
		w.As("ben").Approves(w.As("ana").Requests(custody.VerbRegister))
		return ask, w.Does(ask)
	})},
	{"writes a friend into the register, who approves that", custody.ReasonPerson, custody.DefencePerson, told(func(w *world) (string, error) {
		w.edits(func(r *register.Register) {
			r.People = append(r.People, register.Person{Name: "trent", Roles: []register.Role{register.RoleApprover}, Signing: w.As("trent").line()})
		})
		ask := w.As("mallory").Requests(custody.VerbRegister)
		w.handsIn(ask, w.As("trent").prepares(w.request(ask)))
		return ask, w.Does(ask)
	})},
	{"makes a friend an approver, who approves that", custody.ReasonRight, custody.DefenceRight, told(func(w *world) (string, error) {
		w.edits(func(r *register.Register) { r.Person("victor").Roles = []register.Role{register.RoleApprover} })
		ask := w.As("mallory").Requests(custody.VerbRegister)
		_, err := w.As("victor").approves(ask)
		return ask, err
	})},
	{"gives a friend a role, who asks for its approval", custody.ReasonMayNotAsk, custody.DefenceAsk, told(func(w *world) (string, error) {
		w.edits(func(r *register.Register) { r.Person("victor").Roles = []register.Role{register.RoleOperator} })
		asked, err := w.As("victor").asks(custody.VerbRegister)
		if err != nil {
			return "", err
		}
		_, err = w.As("mallory").approves(asked.Request.Hash())
		return asked.Request.Hash(), err
	})},
	{"approves mallory's own change", custody.ReasonOwn, custody.DefenceRequester, told(func(w *world) (string, error) {
		w.edits(func(r *register.Register) { r.Quorum = register.Quorum{People: 1} }) // by which mallory would decide alone
		ask := w.As("mallory").Requests(custody.VerbRegister)
		_, err := w.As("mallory").approves(ask)
		return ask, err
	})},
	{"asks in the name of ana, and approves it", custody.ReasonUnsigned, custody.DefenceSigned, told(func(w *world) (string, error) {
		ask := w.As("mallory").handsInRequest(w.As("ana").makes(), "")
		w.handsIn(ask, w.As("mallory").prepares(w.request(ask)))
		return ask, w.Does(ask)
	})},
	{"puts another key into ben's entry and signs as ben", custody.ReasonRegister, custody.DefenceRegister, told(func(w *world) (string, error) {
		w.edits(func(r *register.Register) { r.Person("ben").Signing = w.As("mallory's second key").line() })
		ask := w.As("mallory").handsInRequest(w.As("mallory").makes(), "")
		w.handsIn(ask, w.As("mallory's second key").prepares(w.request(ask), func(a *custody.Approval) { a.Person = "ben" }))
		return ask, w.Does(ask)
	})},
	{"puts another key into ben's entry and has ben approve that", custody.ReasonKey, custody.DefenceKey, told(func(w *world) (string, error) {
		w.edits(func(r *register.Register) { r.Person("ben").Signing = w.As("mallory's second key").line() })
		w.people["ben"].signer = w.As("mallory's second key").signer
		ask := w.As("mallory").Requests(custody.VerbRegister)
		_, err := w.As("ben").approves(ask)
		return ask, err
	})},
	{"signs another time as ben's", custody.ReasonSignature, custody.DefenceSignature, told(func(w *world) (string, error) {
		ask := w.As("mallory").Requests(custody.VerbAccept)
		approval := w.As("ben").prepares(w.request(ask))
		approval.Time = approval.Time.Add(time.Minute)
		w.handsIn(ask, approval)
		return ask, w.Does(ask)
	})},
	{"waits until nobody remembers", custody.ReasonExpired, custody.DefenceExpiry, told(func(w *world) (string, error) {
		ask := w.As("mallory").Requests(custody.VerbAccept)
		w.handsIn(ask, w.As("ben").prepares(w.request(ask)))
		w.later(24 * time.Hour)
		return ask, w.Does(ask)
	})},
	{"turns the clock back for an approval that came too late", custody.ReasonLate, custody.DefenceLate, told(func(w *world) (string, error) {
		ask := w.As("mallory").Requests(custody.VerbAccept)
		w.later(24 * time.Hour)
		approval := w.As("ben").prepares(w.request(ask))
		w.later(-2 * time.Minute)
		w.handsIn(ask, approval)
		return ask, w.Does(ask)
	})},
	{"has an approval dated tonight", custody.ReasonFuture, custody.DefenceFuture, told(func(w *world) (string, error) {
		ask := w.As("mallory").Requests(custody.VerbAccept)
		w.handsIn(ask, w.As("ben").prepares(w.request(ask), func(a *custody.Approval) { a.Time = w.now.Add(10 * time.Hour) }))
		return ask, w.Does(ask)
	})},
	{"shows ben a register of mallory's own", custody.ReasonUnknownRules, custody.DefenceKnown, told(func(w *world) (string, error) {
		ask := w.As("mallory").Requests(custody.VerbAccept)
		w.handsIn(ask, w.As("ben").prepares(w.request(ask), func(a *custody.Approval) { a.Register = register.DigestOf([]byte("mallory's")) }))
		return ask, w.Does(ask)
	})},
	{"brings a request from another tenant", custody.ReasonTenant, custody.DefenceTenant, told(func(w *world) (string, error) {
		ask := w.As("mallory").handsInRequest(w.As("mallory").makes(func(r *custody.Request) { r.Tenant = elsewhere }), "")
		w.handsIn(ask, w.As("ben").prepares(w.request(ask)))
		return ask, w.Does(ask)
	})},
	{"copies an approved request from the log of a test store", custody.ReasonStore, custody.DefenceStore, func(t *testing.T, lacking ...setUp) (*world, string, error) {
		w := begun(t, lacking...)
		test := begun(t, append(lacking, sharing(w))...)
		ask := test.As("mallory").Requests(custody.VerbAccept) // it is only a test
		test.handsIn(ask, test.As("ben").prepares(test.request(ask)))
		for _, kind := range []evidence.Kind{evidence.KindRequest, evidence.KindApproval} {
			w.smuggles(test.entries(kind, ask)...)
		}
		return w, ask, w.Does(ask)
	}},
	{"carries out what ana took back", custody.ReasonWithdrawn, custody.DefenceWithdrawn, told(func(w *world) (string, error) {
		ask := w.As("ana").Requests(custody.VerbAccept)
		w.handsIn(ask, w.As("ben").prepares(w.request(ask)))
		if _, err := w.As("ana").withdraws(ask); err != nil {
			w.t.Fatal(err)
		}
		return ask, w.Does(ask)
	})},
	{"goes on with one approval of two", custody.ReasonTooFew, custody.DefenceCount, told(func(w *world) (string, error) {
		w.edits(silence)
		ask := w.As("mallory").Requests(custody.VerbRegister)
		w.handsIn(ask, w.As("ben").prepares(w.request(ask)))
		return ask, w.Does(ask)
	}, quorum(2))},
}

func TestMalloryIsRefusedByTheProgram(t *testing.T) {
	for _, s := range slices.Concat(stories, sealStories) {
		t.Run(s.name, func(t *testing.T) {
			w, hash, err := s.tell(t)
			if !errors.Is(err, s.reason) {
				t.Fatalf("got %v, want: %s", err, s.reason)
			}
			hinted(t, err)
			once := 0
			if s.defence == custody.DefenceOnce {
				once = 1
			}
			if hash != "" {
				if got := w.entries(evidence.KindIntent, hash); len(got) != once {
					t.Errorf("%d intents are in the log", len(got))
				}
			}
			w, hash, err = s.tell(t, lacking(s.defence))
			if err != nil {
				t.Fatalf("without %q it is refused by something else: %v", s.defence, err)
			}
			if got := w.entries(evidence.KindOutcome, hash); len(got) != once+1 {
				t.Errorf("without %q: %d outcomes", s.defence, len(got))
			}
		})
	}
}

// changesFile writes a silence into halligan.yaml, or takes it out.
func changesFile(w *world, silent bool, why ...string) {
	w.edits(func(r *register.Register) {
		r.Silences = nil
		if silent {
			silence(r)
			r.Silences[0].Why += strings.Join(why, "")
		}
	})
}

// changes has such a change approved.
func changes(w *world, silent bool, why ...string) string {
	w.t.Helper()
	changesFile(w, silent, why...)
	ask := w.As("ana").Requests(custody.VerbRegister)
	w.As("ben").Approves(ask)
	w.later(time.Minute)
	return ask
}

// Whoever runs as the account of the tool has the log key. That does not make them
// two people.
func TestARegisterThatNobodyApprovedIsNotBelieved(t *testing.T) {
	evil := func(w *world) (text []byte, digest string) {
		w.edits(func(r *register.Register) { r.Quorum = register.Quorum{People: 1} })
		return w.Register.Deciding()
	}
	entry := func(w *world, subject string) evidence.Entry {
		approved := w.standing().Approved
		text, digest := evil(w)
		return evidence.Entry{Kind: evidence.KindRegister, Tenant: tidewater, What: "register", Subject: subject, Before: approved, After: digest, Data: jsonOf(w.t, map[string]string{"deciding": string(text)})}
	}
	for name, tell := range map[string]func(t *testing.T, set ...setUp) *world{
		"without any request": func(t *testing.T, set ...setUp) *world {
			w := begun(t, set...)
			w.smuggles(entry(w, ""))
			return w
		},
		"under a request for something else": func(t *testing.T, set ...setUp) *world {
			w := begun(t, set...)
			ask := w.As("mallory").Requests(custody.VerbAccept)
			w.As("ben").Approves(ask)
			w.smuggles(entry(w, ask))
			return w
		},
		"under a request that nobody approved": func(t *testing.T, set ...setUp) *world {
			w := begun(t, set...)
			e := entry(w, "")
			e.Subject = w.As("mallory").Requests(custody.VerbRegister)
			w.smuggles(e)
			return w
		},
		"under the request for another change": func(t *testing.T, set ...setUp) *world {
			w := begun(t, set...)
			e := entry(w, "")
			w.edits(func(r *register.Register) { r.Quorum = register.Quorum{People: 5, Approvals: 1}; silence(r) })
			e.Subject = w.As("mallory").Requests(custody.VerbRegister)
			w.handsIn(e.Subject, w.As("ben").prepares(w.request(e.Subject)))
			w.smuggles(e)
			w.edits(func(r *register.Register) { r.Quorum, r.Silences = register.Quorum{People: 1}, nil })
			return w
		},
		"under a request of long ago": func(t *testing.T, set ...setUp) *world {
			w := begun(t, set...)
			ask := changes(w, true)
			changes(w, true, "another")
			w.smuggles(w.entries(evidence.KindRegister, ask)...) // what ask brought holds again
			changesFile(w, true)
			return w
		},
		"under a request that fits once more": func(t *testing.T, set ...setUp) *world {
			w := begun(t, set...)
			ask := changes(w, true)
			changes(w, false) // undone by all the rules
			w.smuggles(w.entries(evidence.KindRegister, ask)...)
			changesFile(w, true)
			return w
		},
		"under a request that another overtook": func(t *testing.T, set ...setUp) *world {
			w := begun(t, set...)
			e := entry(w, "")
			e.Subject = w.As("mallory").Requests(custody.VerbRegister)
			w.handsIn(e.Subject, w.As("ben").prepares(w.request(e.Subject)))
			w.edits(func(r *register.Register) { r.Quorum = register.Quorum{People: 5, Approvals: 1} })
			changes(w, true)
			w.smuggles(e)
			w.edits(func(r *register.Register) { r.Quorum, r.Silences = register.Quorum{People: 1}, nil })
			return w
		},
		"copied from a test store": func(t *testing.T, set ...setUp) *world {
			test := begun(t, set...)
			text, _ := evil(test)
			ask := test.As("mallory").Requests(custody.VerbRegister)
			test.As("ben").Approves(ask)
			w := begun(t, append(set, sharing(test))...)
			if evil(w); string(text) == "" {
				t.Fatal("no text")
			}
			for _, kind := range []evidence.Kind{evidence.KindRequest, evidence.KindApproval, evidence.KindRegister} {
				w.smuggles(test.entries(kind, ask)...)
			}
			return w
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := tell(t)
			_, err := w.As("mallory").asks(custody.VerbAccept)
			smuggled, is := errors.AsType[*app.SmuggledError](err)
			if !is || !smuggled.Security() {
				t.Fatalf("%v", err)
			}
			hinted(t, err)
			if _, err := w.Standing(t.Context()); err == nil {
				t.Error("the register is said to be approved")
			}
			w = tell(t, lacking(custody.DefenceRegister))
			if _, err = w.As("mallory").asks(custody.VerbAccept); err != nil {
				t.Errorf("without the defence it is refused by something else: %v", err)
			}
		})
	}
}

// What approvers read is what is done: the lines of a request about the register
// are made from the change, not believed.
func TestARequestCannotTellAnotherChange(t *testing.T) {
	w := begun(t)
	approved := w.standing().Approved
	w.edits(func(r *register.Register) { r.Quorum = register.Quorum{People: 1} })
	text, digest := w.Register.Deciding()
	r := w.As("mallory").makes(func(r *custody.Request) {
		r.What, r.On = custody.VerbRegister, "halligan.yaml, deciding part"
		r.Details = jsonOf(t, map[string]any{"from": approved, "to": digest, "changes": []string{"+ channels: name duty, recipients [duty@tidewater.example]"}})
	})
	ask := w.As("mallory").handsInRequest(r, string(text))
	signed := false
	_, err := w.Approve(t.Context(), ask, "ben", time.Time{}, func(ctx context.Context, text []byte, c string) (app.Signature, error) {
		signed = true
		return w.As("ben").sign(ctx, text, c)
	})
	if err == nil || signed {
		t.Errorf("ben was asked to sign: %v, %v", signed, err)
	} else {
		hinted(t, err)
	}
	w.handsIn(ask, w.As("ben").prepares(r)) // on a machine of mallory's own
	if err := w.Does(ask); err == nil {
		t.Error("it was carried out")
	}
	if w.standing().Approved != approved {
		t.Error("the register is another")
	}
}

// A backup holds people and keys of long ago. Nothing is decided by it before two
// people have approved that it goes on, and a side log does not say that they did.
func TestARestoredLogWaitsForItsApproval(t *testing.T) {
	w := begun(t)
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := w.db.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	w.closes()
	w.place.Store = filepath.Join(t.TempDir(), "restored.db")
	if err := store.Restore(t.Context(), backup, store.Options{URL: w.place.Store}, store.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	w.opens()
	w.smuggles(note("the first entry writes down the restore"))
	refused := func(when string) {
		t.Helper()
		if _, err := w.As("ana").asks(custody.VerbAccept); err == nil {
			t.Errorf("%s: a risk may be accepted", when)
		} else if _, is := errors.AsType[*app.RestoredError](err); !is {
			t.Errorf("%s: %v", when, err)
		} else {
			hinted(t, err)
		}
	}
	refused("restored")
	w.merges(w.writes(nil, evidence.Entry{Kind: evidence.KindOutcome, What: string(custody.VerbRestore), Data: []byte(`{"result":"done"}`)}))
	refused("after a side log")
	ask := w.As("ana").Requests(custody.VerbRestore)
	refused("asked for")
	if _, err := w.As("ana").approves(ask); !errors.Is(err, custody.ReasonOwn) {
		t.Errorf("one person: %v", err)
	}
	w.As("ben").Approves(ask)
	w.As("ben").Approves(w.As("ana").Requests(custody.VerbAccept))
}
