package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/evidence"
	"halligan/internal/store"
	"halligan/register"
)

// Ledger is the evidence log of a store, whoever owns it: this process, or the one
// that serves it.
type Ledger interface {
	// Append adds what a draft returns; the draft sees the log as it is then.
	Append(ctx context.Context, draft store.Draft) ([]evidence.Entry, error)
	View(ctx context.Context, read func(store.View) error) error
	Identity() store.Identity
	Name() string
}

// Owned is a store that this process owns, with the key that signs its log.
type Owned struct {
	*store.DB
	Key *evidence.LogKey
}

// Append implements Ledger.
func (o Owned) Append(ctx context.Context, draft store.Draft) ([]evidence.Entry, error) {
	return o.DB.Append(ctx, o.Key, draft)
}

// App is the program for one tenant: its register, its evidence, and the corridor
// through which everything passes that changes a tenant, opens a seal or ends an
// alert: right, quorum, evidence of the intent, effect, reading back, evidence of
// the outcome. Nothing else does.
type App struct {
	Ledger Ledger
	// Register is halligan.yaml as it is now; Name is its path, for people.
	Register     *register.Register
	RegisterName string
	// File is halligan.yaml itself, for what is written into it; nil: nothing can be.
	File RegisterFile
	Now  func() time.Time
	// Chance makes requests and keys unguessable.
	Chance io.Reader
	// Account is who runs this process, as os:NAME@HOST: nobody proved who that is.
	Account string
	// Open opens the log for writing where Ledger only reads it, and returns what
	// closes it again: nobody is kept from the log while a person signs. Ledger is
	// closed before. nil: Ledger is written to.
	Open func(ctx context.Context) (Ledger, func() error, error)
	// Keys keeps the private half of the log key.
	Keys KeyPlace
	// SideLog takes what the store could not, and says where it is.
	SideLog func(entries []evidence.Entry) (string, error)
	// Without switches defences off. It is for tests, which show by it that each
	// one is needed.
	Without map[custody.Defence]bool
}

// tenant is the tenant that everything here is about.
func (a *App) tenant() entra.ID { return a.Register.Or().Tenant.ID }

// RestoredError is for a log that goes on from a backup without anybody having
// approved that.
type RestoredError struct{ Index uint64 }

func (e *RestoredError) Error() string {
	return fmt.Sprintf("the log was restored from a backup (entry %d), and nobody has approved that it goes on from there", e.Index)
}

// Hint says what to do next.
func (*RestoredError) Hint() string {
	return "halligan request restore; nothing else is decided before"
}

// stopped returns an error when nothing may be decided by a verb now.
func (k *known) stopped(verb custody.Verb) error {
	if k.restored != nil && !inRestored[verb] {
		return &RestoredError{*k.restored}
	}
	return nil
}

// registerData is the data of an entry that says which deciding part holds.
type registerData struct {
	Deciding string `json:"deciding"` // as register.Deciding wrote it
}

// requestData is the data of an entry about a request.
type requestData struct {
	Request string `json:"request"`         // canonical
	Asked   string `json:"asked,omitempty"` // signature of who asks, canonical
	// Proposal is what the request would bring about, where its details hold the
	// digest only.
	Proposal string `json:"proposal,omitempty"`
}

// approvalData is the data of an entry about an approval.
type approvalData struct {
	Approval string `json:"approval"` // canonical
	Key      string `json:"key"`
	Counter  uint32 `json:"counter,omitempty"`
}

// law is what a request is judged by: the approved register, and for everything
// but a change of it, the register as it is, which must be the approved one.
func (a *App) law(k *known, verb custody.Verb, ignored string) (*custody.Rules, error) {
	if err := k.stopped(verb); err != nil && ignored == "" {
		return nil, err
	}
	r := &custody.Rules{Register: a.Register.Or(), Approved: k.approved, Former: k.former, Tenant: a.tenant(), Store: k.store, Now: a.now(k), Counters: k.counters, Without: a.Without}
	if k.approved != "" && overRegister[verb] {
		old, err := register.FromDeciding(k.rules)
		if err != nil {
			return nil, err
		}
		r.Register = old
	}
	r.Used = func(hash string) bool {
		one := k.requests[hash]
		return hash != ignored && one != nil && one.used != nil
	}
	return r, nil
}

// overRegister are verbs that must work while halligan.yaml is not the approved
// one: they are judged by what was approved, wherever the file has got to.
var overRegister = map[custody.Verb]bool{custody.VerbRegister: true, custody.VerbLogKey: true, custody.VerbLogKeyLost: true, custody.VerbRestore: true}

// NoRequestError is for a request that the log does not know.
type NoRequestError struct {
	Given string
	Many  []string // hashes that begin so
}

func (e *NoRequestError) Error() string {
	if len(e.Many) > 0 {
		return fmt.Sprintf("find request %.80q: %d begin so", e.Given, len(e.Many))
	}
	return fmt.Sprintf("find request %.80q: the log has none", e.Given)
}

// Hint says what to do next.
func (e *NoRequestError) Hint() string {
	if len(e.Many) > 0 {
		return "give more of its hash"
	}
	return "halligan request list"
}

// pending finds a request by its hash, or by the beginning of it.
func (k *known) pending(given string) (*custody.Pending, *requestData, error) {
	var found []string
	for _, hash := range k.order {
		if NamesRequest(given, hash) {
			found = append(found, hash)
		}
	}
	switch {
	case len(found) == 0:
		return nil, nil, &NoRequestError{Given: given}
	case len(found) > 1:
		return nil, nil, &NoRequestError{Given: given, Many: found}
	}
	one := k.requests[found[0]]
	return one.pending, &one.data, nil
}

// leastPrefix is how much of a hash names a request.
const leastPrefix = 6

// NamesRequest reports whether what somebody gave is the hash of a request, or
// enough of its beginning.
func NamesRequest(given, hash string) bool {
	bare, is := strings.CutPrefix(hash, "sha256:")
	return is && given == hash || is && len(given) >= leastPrefix && len(given) <= len(bare) && bare[:len(given)] == given
}

// act is one thing to be done.
type act struct {
	verb   custody.Verb
	on     string
	why    string
	before string // digest of what is
	// effect does it, and says what then should be; nil for an act that the log
	// alone carries, which is then one transaction.
	effect func(ctx context.Context) (*effect, error)
	// readBack looks what came of it, as a digest.
	readBack func(ctx context.Context) (string, error)
	// entries are what the log has to say once it is done; they stand before the
	// outcome, or after it when they must be the last.
	entries []evidence.Entry
	last    bool
	// append is how the log takes it; nil is Ledger.Append.
	append func(ctx context.Context, draft store.Draft) ([]evidence.Entry, error)
}

// effect is what an effect said.
type effect struct {
	after      string // digest of what should be
	requestIDs []string
	source     time.Time // by the other side's clock
	// tells is what the outcome says beside its result.
	tells map[string]any
}

// Done is what became of an act.
type Done struct {
	Intent, Outcome uint64 // places in the log
	Marks, Warnings []string
	// Late is where the outcome stands when the log did not take it.
	Late string
}

// UnsureError is for an act of which nobody knows whether it was done: its intent
// is in the log, and no outcome says that it failed.
type UnsureError struct {
	What   string
	Intent uint64
	cause  error
}

func (e *UnsureError) Error() string {
	return fmt.Sprintf("%s: what became of it is not known (entry %d): %v", e.What, e.Intent, e.cause)
}

// Unwrap returns why.
func (e *UnsureError) Unwrap() error { return e.cause }

// Hint says what to do next.
func (*UnsureError) Hint() string {
	return "look at what was to be changed; do not repeat it before you know. Then ask anew"
}

// UsedError is for an act that was not done, whose request is used all the same.
type UsedError struct{ cause error }

func (e *UsedError) Error() string { return e.cause.Error() }

// Unwrap returns why it was not done.
func (e *UsedError) Unwrap() error { return e.cause }

// Hint says what to do next.
func (e *UsedError) Hint() string {
	const used = "the approvals are used: when it is mended, ask anew (halligan request)"
	if inner, is := errors.AsType[interface {
		error
		Hint() string
	}](e.cause); is && inner.Hint() != "" {
		return inner.Hint() + "; " + used
	}
	return used
}

// through is the corridor. The request was approved, or the refusal says why not;
// the intent is in the log before anything is done, and with it the request is
// used; what came of it is read back and recorded. Where the log cannot be
// written, nothing is done.
func (a *App) through(ctx context.Context, hash string, prepare func(*known, *custody.Pending, *requestData) (*act, error)) (*Done, error) {
	done := &Done{}
	var work *act
	open := func(v store.View) ([]evidence.Entry, error) {
		k, err := a.know(v, a.Ledger.Identity().ID)
		if err != nil {
			return nil, err
		}
		p, data, err := k.pending(hash)
		if err != nil {
			return nil, err
		}
		law, err := a.law(k, p.Request.What, "")
		if err != nil {
			return nil, err
		}
		decision, err := law.Decide(p)
		if err != nil {
			return nil, err
		}
		if work == nil || work.append == nil { // a way of its own has begun already
			if work, err = prepare(k, p, data); err != nil {
				return nil, err
			}
		}
		done.Marks, done.Warnings = decision.Marks, decision.Warnings
		intent := a.entry(evidence.KindIntent, work, p.Request)
		intent.Marks, intent.Who, intent.Time = decision.Marks, signers(p, decision), law.Now
		if work.effect != nil {
			return []evidence.Entry{intent}, nil
		}
		return a.closed(v.Size(), intent, work, p.Request), nil
	}
	add := func(draft store.Draft) ([]evidence.Entry, error) { return a.Ledger.Append(ctx, draft) }
	entries, err := add(func(v store.View) ([]evidence.Entry, error) {
		out, err := open(v)
		if err == nil && work.append != nil {
			return nil, errOtherWay
		}
		return out, err
	})
	if errors.Is(err, errOtherWay) {
		entries, err = work.append(ctx, open)
	}
	if err != nil {
		return nil, err
	}
	done.Intent = entries[0].Index
	if work.effect == nil {
		for _, e := range entries {
			if e.Kind == evidence.KindOutcome {
				done.Outcome = e.Index
			}
		}
		return done, nil
	}
	return done, a.carry(ctx, work, &entries[0], done)
}

// errOtherWay ends a draft whose act is written in a way of its own.
var errOtherWay = errors.New("written in a way of its own")

// closed are the entries of an act that the log alone carries.
func (a *App) closed(size uint64, intent evidence.Entry, w *act, r *custody.Request) []evidence.Entry {
	outcome := a.entry(evidence.KindOutcome, w, r)
	outcome.Refers, outcome.Why, outcome.Marks = &size, "", intent.Marks
	outcome.Who = intent.Who
	outcome.Data = json.RawMessage(`{"result":"done"}`)
	for i := range w.entries {
		e := &w.entries[i]
		e.Marks, e.Who = intent.Marks, intent.Who
		if e.After != "" {
			outcome.After = e.After
		}
	}
	if w.last {
		return slices.Concat([]evidence.Entry{intent, outcome}, w.entries)
	}
	return slices.Concat([]evidence.Entry{intent}, w.entries, []evidence.Entry{outcome})
}

// readBackTime is how long reading back may take.
const readBackTime = time.Minute

// carry does what the log has announced.
func (a *App) carry(ctx context.Context, w *act, intent *evidence.Entry, done *Done) error {
	what := fmt.Sprintf("%s on %s", w.verb, w.on)
	outcome := *intent
	outcome.Kind, outcome.Refers, outcome.Time = evidence.KindOutcome, &intent.Index, time.Time{}
	result, cause := "done", error(nil)
	said, err := w.effect(ctx)
	if said != nil {
		outcome.RequestIDs, outcome.After = said.requestIDs, said.after
		if !said.source.IsZero() {
			outcome.Source, outcome.Skew = said.source, a.Now().Sub(said.source)
		}
	}
	// What was sent may have arrived whatever the answer: only looking tells.
	// Ctrl-C must not leave unknown what can be known.
	look, cancel := context.WithTimeout(context.WithoutCancel(ctx), readBackTime)
	defer cancel()
	is, readErr := w.readBack(look)
	switch {
	case readErr != nil:
		result, cause = "unknown", errors.Join(err, readErr)
		outcome.After = ""
	case err != nil && is == w.before:
		result, cause = "failed", err
		outcome.After = is
	case err != nil && (said == nil || is != said.after), err == nil && is != said.after:
		result, cause = "unknown", errors.Join(err, fmt.Errorf("it is now %s", is))
		outcome.After = is
	default:
		outcome.After = is
	}
	data := map[string]any{}
	if said != nil {
		maps.Copy(data, said.tells)
	}
	data["result"] = result
	if cause != nil {
		data["why"] = cause.Error()
	}
	if outcome.Data, err = json.Marshal(data); err != nil {
		return err
	}
	all := slices.Clone(w.entries)
	for i := range all {
		all[i].Marks, all[i].Who = intent.Marks, intent.Who
	}
	all = append(all, outcome)
	if result != "done" {
		all = []evidence.Entry{outcome}
	}
	// The effect is there: its evidence must not be lost because somebody pressed
	// Ctrl-C meanwhile.
	written, err := a.Ledger.Append(context.WithoutCancel(ctx), func(store.View) ([]evidence.Entry, error) { return slices.Clone(all), nil })
	if w, is := errors.AsType[*store.WitnessError](err); is && w.Written {
		cause = errors.Join(cause, err) // it is in the log all the same
	} else if err != nil {
		for i := range all {
			all[i].Marks = append(slices.Clone(all[i].Marks), MarkLate)
		}
		// What rules the log does not come in by a side log: what became of the act
		// does, and the rest is approved anew.
		where, sideErr := a.aside(slices.DeleteFunc(slices.Clone(all), func(e evidence.Entry) bool { return !sideKinds[e.Kind] }))
		done.Late = where
		cause = errors.Join(cause, fmt.Errorf("record what became of it: %w", err), sideErr)
	} else {
		done.Outcome = written[len(written)-1].Index
	}
	switch result {
	case "done":
		return cause
	case "failed":
		return fmt.Errorf("%s: %w", what, cause)
	}
	return &UnsureError{what, intent.Index, cause}
}

// MarkLate is on entries that the log took later than they were due.
const MarkLate = "evidence late"

func (a *App) aside(entries []evidence.Entry) (string, error) {
	if a.SideLog == nil {
		return "", errors.New("there is no side log")
	}
	return a.SideLog(entries)
}

// entry begins an entry about an act.
func (a *App) entry(kind evidence.Kind, w *act, r *custody.Request) evidence.Entry {
	return evidence.Entry{Kind: kind, Tenant: a.tenant(), What: string(w.verb), On: w.on, Why: w.why, Before: w.before, Subject: r.Hash()}
}

// signers are who stands for an act, by name.
func signers(p *custody.Pending, d *custody.Decision) []string {
	var out []string
	if d.Asked != nil { // else nobody proved who asked, and the mark says so
		out = append(out, p.Request.By)
	}
	for _, s := range d.Approved {
		if !slices.ContainsFunc(out, func(n string) bool { return register.SamePerson(n, s.Person) }) {
			out = append(out, s.Person)
		}
	}
	return out
}
