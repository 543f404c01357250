package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/store"
)

// Withdrawn is how a request was taken back.
type Withdrawn struct {
	By    string    `json:"by"`
	Why   string    `json:"why"`
	Time  time.Time `json:"time"`
	Index uint64    `json:"index"` // of the entry
}

// withdrawalData is the data of an entry by which a request is taken back.
type withdrawalData struct {
	Withdrawal string `json:"withdrawal"` // canonical: a custody.Approval whose act is withdraw
}

// withdrawal believes that a request was taken back for the signature of who asked,
// judged by the people and rules of that moment; later ones change nothing about it.
func (f *fold) withdrawal(e *evidence.Entry) string {
	var d withdrawalData
	if err := json.Unmarshal(e.Data, &d); err != nil {
		return fmt.Sprintf("a withdrawal that cannot be read: %v", err)
	}
	s, err := custody.ParseApproval([]byte(d.Withdrawal))
	one := f.requests[e.Subject]
	switch {
	case err != nil:
		return fmt.Sprintf("a withdrawal that cannot be read: %v", err)
	case one == nil:
		return "a withdrawal of something that nobody asked for"
	}
	if _, err := f.takenBack(one, s, f.latest); err != nil {
		return fmt.Sprintf("a withdrawal that does not count: %v", err)
	}
	one.back = &Withdrawn{By: one.pending.Request.By, Why: s.Because, Time: s.Time, Index: e.Index}
	one.pending.Withdrawn = true
	return ""
}

// takenBack judges a withdrawal by what was approved, wherever halligan.yaml has got
// to: a request that came with a change of that file may be the one to take back.
func (f *fold) takenBack(one *asked, s *custody.Approval, now time.Time) (*custody.Signed, error) {
	law, err := f.law(one)
	if err != nil {
		return nil, err
	}
	law.Now = now
	return law.Withdraw(one.pending, s)
}

// Withdraw takes a request back, by the signature of who asked for it: nobody approves
// it any more, and it is not carried out. at is when it was signed elsewhere; zero is
// now.
func (a *App) Withdraw(ctx context.Context, given, why string, at time.Time, sign Sign) (out *RequestReport, err error) {
	r, s, err := a.draftWithdrawal(ctx, given, why, at)
	if err != nil {
		return nil, err
	}
	got, err := sign(ctx, s.Text(r), s.Challenge(r))
	if err != nil {
		return nil, err
	}
	s.Method, s.Signature = got.Method, got.Text
	data, err := json.Marshal(withdrawalData{string(s.Canonical())})
	if err != nil {
		return nil, err
	}
	end, err := a.opened(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	if _, err := a.Ledger.Append(ctx, func(v store.View) ([]evidence.Entry, error) {
		k, err := a.know(v, a.Ledger.Identity().ID)
		if err != nil {
			return nil, err
		}
		one := k.requests[r.Hash()]
		if one == nil {
			return nil, &NoRequestError{Given: given}
		}
		if _, err := k.takenBack(one, s, a.now(k)); err != nil {
			return nil, err
		}
		return []evidence.Entry{{Kind: evidence.KindWithdrawal, Tenant: r.Tenant, Time: a.now(k), Who: []string{r.By}, What: "withdraw " + string(r.What), On: r.On, Why: why, Subject: r.Hash(), Data: data}}, nil
	}); err != nil {
		a.refused(ctx, r, "a withdrawal", r.By, err)
		return nil, err
	}
	return a.Request(ctx, r.Hash())
}

// draftWithdrawal is what who asked has to sign. What cannot be taken back is refused
// before anybody does.
func (a *App) draftWithdrawal(ctx context.Context, given, why string, at time.Time) (r *custody.Request, s *custody.Approval, err error) {
	err = a.Ledger.View(ctx, func(v store.View) error {
		k, err := a.know(v, a.Ledger.Identity().ID)
		if err != nil {
			return err
		}
		p, _, err := k.pending(given)
		if err != nil {
			return err
		}
		r = p.Request
		one := k.requests[r.Hash()]
		rules, err := k.law(one)
		if err != nil {
			return err
		}
		now := a.now(k)
		if at.IsZero() {
			at = now
		}
		_, digest := rules.Register.Deciding() // it is judged by these rules
		s = custody.NewApproval(r, custody.ActWithdraw, r.By, digest, at)
		s.Because = why
		if s.Time.Before(r.Made) { // a signature has whole seconds
			s.Time = r.Made
		}
		tried := *s
		tried.Method, tried.Signature = custody.MethodSSH, "-"
		if _, err := k.takenBack(one, &tried, now); !errors.Is(err, custody.ReasonSignature) && !errors.Is(err, custody.ReasonKey) {
			return err // all but that nobody has signed yet
		}
		return nil
	})
	return r, s, err
}
