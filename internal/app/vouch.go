package app

import (
	"encoding/json"
	"fmt"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/register"
)

// An entry that says which deciding part of the register holds is believed for the
// approvals that stand before it, not because it is there: whoever runs as the
// account of the tool has the log key, and can write what they like. Each such
// entry is judged once more by the rules that held before it.

// SmuggledError is for an entry about the register that nobody approved.
type SmuggledError struct {
	Index uint64
	Why   error
}

func (e *SmuggledError) Error() string {
	return fmt.Sprintf("believe entry %d, which changes who decides: %v", e.Index, e.Why)
}

// Unwrap returns why.
func (e *SmuggledError) Unwrap() error { return e.Why }

// Hint says what to do next.
func (*SmuggledError) Hint() string {
	return "stop: somebody wrote to the log past the approvals, with its key. Keep the store as it is, and treat it as an incident"
}

// Security says that this is a finding about trust, not a fault of the system.
func (*SmuggledError) Security() bool { return true }

// vouched reports the first entry about the register that its approvals do not
// bear. The first of all bears itself: it is approved by the people in it.
func (a *App) vouched(k *known, store string) error {
	if k.vouched || a.Without[custody.DefenceRegister] {
		return nil
	}
	former, used, held, rules := map[string]bool{}, map[string]bool{}, "", []byte(nil)
	for e, err := range k.view.Find(evidence.KindRegister, "") {
		if err != nil {
			return err
		}
		var d registerData
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return &SmuggledError{e.Index, err}
		}
		if rules == nil {
			rules = []byte(d.Deciding)
		}
		if err := a.bears(k, &e, held, former, rules, store); err != nil {
			return &SmuggledError{e.Index, err}
		}
		if used[e.Subject] {
			return &SmuggledError{e.Index, &custody.Refusal{Reason: custody.ReasonUsed, Detail: e.Subject}}
		}
		used[e.Subject] = true
		if held != "" {
			former[held] = true
		}
		held, rules = e.After, []byte(d.Deciding)
		delete(former, held)
	}
	k.vouched = true
	return nil
}

// bears judges the request of one entry by the rules before it, as of then.
func (a *App) bears(k *known, e *evidence.Entry, held string, former map[string]bool, rules []byte, store string) error {
	old, err := register.FromDeciding(rules)
	if err != nil {
		return err
	}
	p, _, err := k.pending(e.Subject)
	if err != nil {
		return err
	}
	var d registerDetails
	if err := json.Unmarshal(p.Request.Details, &d); err != nil {
		return err
	}
	verb := custody.VerbRegister
	if held == "" {
		verb = custody.VerbBegin
	}
	if p.Request.What != verb || d.From != held || d.To != e.After {
		return &custody.Refusal{Reason: custody.ReasonOther, Detail: "the request is about something else"}
	}
	// It was decided a moment before it was written.
	now := e.Time
	if over := now.Sub(p.Request.Expires); over >= 0 && over < time.Minute {
		now = p.Request.Expires.Add(-time.Second)
	}
	_, err = (&custody.Rules{Register: old, Approved: held, Former: former, Tenant: a.tenant(), Store: store, Now: now, Without: a.Without}).Decide(p)
	return err
}
