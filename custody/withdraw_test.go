package custody_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"halligan/custody"
	"halligan/register"
)

func TestWhoAskedTakesARequestBack(t *testing.T) {
	w := newWorld(t)
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	w.As("ben").Approves(ask)
	if err := w.As("ben").Withdraws(ask); !errors.Is(err, custody.ReasonNotAsker) || !strings.HasPrefix(err.Error(), "take the request back: ") {
		t.Errorf("ben: %v", err)
	}
	if err := w.As("ana").Withdraws(ask); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{"used": w.Does(ask), "taken back again": w.As("ana").Withdraws(ask)} {
		if !errors.Is(err, custody.ReasonWithdrawn) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := w.rules().Admit(ask, w.As("carol").prepares(ask.Request)); !errors.Is(err, custody.ReasonWithdrawn) {
		t.Errorf("approved: %v", err)
	}
}

// What is done, or has ended, is not taken back; and whoever was written in as the
// one who asks, without having signed, can say that it was not so.
func TestWhatIsDoneIsNotTakenBack(t *testing.T) {
	w := newWorld(t)
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	w.As("ben").Approves(ask)
	must(t, w.Does(ask))
	if err := w.As("ana").Withdraws(ask); !errors.Is(err, custody.ReasonUsed) {
		t.Errorf("used: %v", err)
	}
	ask = w.As("ana").Requests(custody.VerbOpen, north)
	w.later(time.Hour)
	if err := w.As("ana").Withdraws(ask); !errors.Is(err, custody.ReasonExpired) {
		t.Errorf("expired: %v", err)
	}
	ask = w.As("mallory").Requests(custody.VerbOpen, north, func(r *custody.Request) { r.By = "ana" })
	must(t, w.As("ana").Withdraws(ask))

	// While halligan.yaml is another than the approved one, too: then it may be urgent.
	ask = w.As("ana").Requests(custody.VerbOpen, north)
	w.register.Silences = []register.Silence{{ID: tidewater, From: "2026-11-21", Until: "2026-11-22", Why: "maintenance"}}
	must(t, w.As("ana").Withdraws(ask))
}

// One act is not taken for another.
func TestAnActIsWhatItSays(t *testing.T) {
	w := newWorld(t)
	ask := w.As("ana").Requests(custody.VerbOpen, north)
	if _, err := w.rules().Withdraw(ask, ask.Asked); !errors.Is(err, custody.ReasonForm) {
		t.Errorf("the request itself: %v", err)
	}
	if _, err := w.rules().Withdraw(ask, nil); !errors.Is(err, custody.ReasonForm) {
		t.Errorf("nothing: %v", err)
	}
	turned := *ask.Asked
	turned.Act, turned.Because = custody.ActWithdraw, "it says so"
	if _, err := w.rules().Withdraw(ask, &turned); !errors.Is(err, custody.ReasonSignature) {
		t.Errorf("the request turned round: %v", err)
	}
	without := custody.NewApproval(ask.Request, custody.ActWithdraw, "ana", w.approved, w.now)
	if _, err := w.rules().Withdraw(ask, w.As("ana").signs(without, ask.Request)); !errors.Is(err, custody.ReasonForm) {
		t.Errorf("without a reason: %v", err)
	}
	without.Because = "it was meant for another account"
	w.As("ana").signs(without, ask.Request)
	if read, err := custody.ParseApproval(without.Canonical()); err != nil || *read != *without {
		t.Errorf("%+v, %v", read, err)
	}
	if text := string(without.Text(ask.Request)); !strings.Contains(text, "\nbecause   it was meant for another account\n") || !strings.HasPrefix(text, "halligan withdrawal\nI take this back") {
		t.Error(text)
	}
	ask.Approvals = append(ask.Approvals, without)
	if err := w.Does(ask); !errors.Is(err, custody.ReasonForm) {
		t.Errorf("as an approval: %v", err)
	}
	approval := w.As("ben").prepares(ask.Request, func(a *custody.Approval) { a.Because = "a reason" })
	if _, err := w.rules().Admit(ask, approval); !errors.Is(err, custody.ReasonForm) {
		t.Errorf("an approval with a reason: %v", err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
