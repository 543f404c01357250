package app_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/register"
)

// withdraws takes a request back, through the program.
func (a *actor) withdraws(hash string) (*app.RequestReport, error) {
	return a.w.Withdraw(a.w.t.Context(), hash, "it names the wrong risk", time.Time{}, a.sign)
}

// takesBack signs a withdrawal and hands nothing in.
func (a *actor) takesBack(r *custody.Request, change ...func(*custody.Approval)) *custody.Approval {
	s := custody.NewApproval(r, custody.ActWithdraw, a.name, r.Register, a.w.now)
	s.Because = "it names the wrong risk"
	return a.signs(s, r, change...)
}

// handsInWithdrawal puts a withdrawal into the log past the program, under a request.
func (w *world) handsInWithdrawal(hash string, s *custody.Approval) {
	w.t.Helper()
	w.smuggles(evidence.Entry{Kind: evidence.KindWithdrawal, Tenant: tidewater, Who: []string{s.Person}, What: "withdraw", Subject: hash, Data: jsonOf(w.t, map[string]any{"withdrawal": string(s.Canonical())})})
}

func TestWhoAskedTakesTheRequestBack(t *testing.T) {
	w := begun(t)
	ask := w.As("ana").Requests(custody.VerbAccept)
	kept := w.As("ana").Requests(custody.VerbAccept)
	got, err := w.As("ana").withdraws(ask)
	must(t, err)
	entries := w.entries(evidence.KindWithdrawal, ask)
	if got.State != app.RequestWithdrawn || !got.State.Over() || got.Withdrawn.Why != "it names the wrong risk" || len(entries) != 1 || entries[0].Index != got.Withdrawn.Index || entries[0].Who[0] != "ana" {
		t.Errorf("%+v, %+v", got, entries)
	}
	signed := false
	_, err = w.Approve(t.Context(), ask, "ben", time.Time{}, w.As("ben").meanwhile(func(*world) { signed = true }))
	if !errors.Is(err, custody.ReasonWithdrawn) || signed {
		t.Errorf("ben was asked to sign: %v, %v", signed, err)
	}
	hinted(t, err)
	if _, err := w.As("ana").withdraws(ask); !errors.Is(err, custody.ReasonWithdrawn) {
		t.Errorf("again: %v", err)
	}
	w.As("ben").Approves(kept)
	if _, err := w.As("ana").withdraws(kept); !errors.Is(err, custody.ReasonUsed) {
		t.Errorf("what was carried out: %v", err)
	}
	if r := w.audited(); !r.Good() || r.Withdrawn != 1 {
		t.Errorf("%+v", r)
	}
}

// Ana leaves, or has another key: what she took back stays so.
func TestWhatWasTakenBackStaysSo(t *testing.T) {
	w := begun(t)
	ask := w.As("ana").handsInRequest(w.As("ana").makes(func(r *custody.Request) { r.Expires = w.now.Add(48 * time.Hour) }), "")
	for _, name := range []string{"ben", "carol"} {
		w.handsIn(ask, w.As(name).prepares(w.request(ask)))
	}
	_, err := w.As("ana").withdraws(ask)
	must(t, err)
	w.edits(func(r *register.Register) { r.Person("ana").Signing = w.As("ana's second key").line() })
	w.As("ben").Approves(w.As("mallory").Requests(custody.VerbRegister))
	if err := w.Does(ask); !errors.Is(err, custody.ReasonWithdrawn) {
		t.Errorf("got %v", err)
	}
	w.later(72 * time.Hour)
	if r, err := w.Request(t.Context(), ask); err != nil || r.State != app.RequestWithdrawn {
		t.Errorf("%+v, %v", r, err)
	}
}

// While halligan.yaml is not the approved one, a request can be taken back all the same.
func TestARequestIsTakenBackWhateverTheFileSays(t *testing.T) {
	w := begun(t)
	w.edits(silence)
	ask := w.As("mallory").Requests(custody.VerbRegister)
	other := w.As("ana").handsInRequest(w.As("ana").makes(), "")
	for name, hash := range map[string]string{"mallory": ask, "ana": other} {
		if _, err := w.As(name).withdraws(hash); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A request that has ended is told as that, whatever else is wrong with it by now.
func TestARequestOfLongAgoHasExpired(t *testing.T) {
	w := begun(t)
	ask := w.As("ana").Requests(custody.VerbAccept)
	w.edits(silence) // the file is not the approved one any more
	if r, err := w.Request(t.Context(), ask); err != nil || r.State != app.RequestRefused {
		t.Errorf("%+v, %v", r, err)
	}
	w.later(48 * time.Hour)
	if r, err := w.Request(t.Context(), ask); err != nil || r.State != app.RequestExpired {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := w.As("ana").withdraws(ask); !errors.Is(err, custody.ReasonExpired) {
		t.Errorf("taken back: %v", err)
	}
}

// Mallory would hold up what ana asked for and ben approved. The program refuses and
// keeps a trace; what was written past it is not believed, stops nobody, and is found.
func TestAFalseWithdrawalTakesNothingBack(t *testing.T) {
	w := begun(t)
	ask := w.As("ana").Requests(custody.VerbAccept)
	if _, err := w.Withdraw(t.Context(), ask, "never mind", time.Time{}, w.As("mallory").sign); !errors.Is(err, custody.ReasonKey) {
		t.Errorf("by the program: %v", err)
	} else {
		hinted(t, err)
	}
	if trace := w.entries(evidence.KindRefusal, ask); len(trace) != 1 || !strings.HasPrefix(trace[0].What, "refuse a withdrawal") {
		t.Errorf("%+v", trace)
	}
	for name, tt := range map[string]struct {
		defence custody.Defence
		tries   func(w *world, ask string) *custody.Approval
	}{
		"in mallory's name": {custody.DefenceAsker, func(w *world, ask string) *custody.Approval { return w.As("mallory").takesBack(w.request(ask)) }},
		"in ana's name": {custody.DefenceKey, func(w *world, ask string) *custody.Approval {
			return w.As("mallory").takesBack(w.request(ask), func(s *custody.Approval) { s.Person = "ana" })
		}},
		"by what ana signed for another request": {custody.DefenceHash, func(w *world, ask string) *custody.Approval {
			other := w.As("ana").Requests(custody.VerbAccept)
			return w.As("ana").takesBack(w.request(other))
		}},
		"by what ana signed, dated anew": {custody.DefenceSignature, func(w *world, ask string) *custody.Approval {
			s := w.As("ana").takesBack(w.request(ask))
			s.Time = s.Time.Add(time.Second)
			return s
		}},
		"dated next week": {custody.DefenceFuture, func(w *world, ask string) *custody.Approval {
			return w.As("ana").takesBack(w.request(ask), func(s *custody.Approval) { s.Time = w.now.Add(20 * time.Hour) })
		}},
	} {
		t.Run(name, func(t *testing.T) {
			told := func(set ...setUp) (*world, error) {
				w := begun(t, set...)
				ask := w.As("ana").Requests(custody.VerbAccept)
				w.handsIn(ask, w.As("ben").prepares(w.request(ask)))
				w.handsInWithdrawal(ask, tt.tries(w, ask))
				return w, w.Does(ask)
			}
			w, err := told()
			if err != nil {
				t.Errorf("it holds ana up: %v", err)
			}
			if r := w.audited(); r.Good() || r.Withdrawn != 0 || !strings.Contains(r.Findings[0].Says, "a withdrawal that does not count") {
				t.Errorf("the audit: %+v", r)
			}
			if _, err := told(lacking(tt.defence)); !errors.Is(err, custody.ReasonWithdrawn) {
				t.Errorf("without %q: %v", tt.defence, err)
			}
		})
	}
}

// Taken back after it was carried out: it was not.
func TestAWithdrawalIsNotWrittenInLater(t *testing.T) {
	w := begun(t)
	ask := w.As("mallory").Requests(custody.VerbAccept)
	w.As("ben").Approves(ask)
	w.handsInWithdrawal(ask, w.As("mallory").takesBack(w.request(ask)))
	if r, err := w.Request(t.Context(), ask); err != nil || r.State != app.RequestUsed {
		t.Errorf("%+v, %v", r, err)
	}
	if r := w.audited(); r.Good() || r.Withdrawn != 0 {
		t.Errorf("%+v", r)
	}
	w.handsInWithdrawal(register.DigestOf([]byte("nothing")), w.As("mallory").takesBack(w.request(ask)))
	w.smuggles(evidence.Entry{Kind: evidence.KindWithdrawal, What: "withdraw", Subject: ask, Data: []byte(`{"withdrawal":"{}"}`)})
	if r := w.audited(); len(r.Findings) != 3 {
		t.Errorf("%+v", r.Findings)
	}
}
