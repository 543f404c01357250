package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/evidence"
	"halligan/internal/store"
	"halligan/register"
)

// Signature is what a person's key made of a text.
type Signature struct {
	Method custody.Method
	Text   string // an armoured sshsig, or the JSON of an assertion
}

// Sign has a person sign: text is what they sign with an SSH key, challenge what a
// passkey signs. It shows the person what it is about.
type Sign func(ctx context.Context, text []byte, challenge string) (Signature, error)

// Question is what somebody wants to have approved.
type Question struct {
	Verb custody.Verb
	// On is the object where the verb leaves a choice, such as a check.
	On  string
	Why string
	By  string // who asks, by the name in the register
	// Life is how long it is open; 0 is a day.
	Life time.Duration
	// Sign has who asks sign the request; nil leaves it an unsigned claim.
	Sign Sign
}

// defaultLife is how long a request is open.
const defaultLife = 24 * time.Hour

// Asked is a request that the log has taken in.
type Asked struct {
	Request *custody.Request
	Index   uint64
	// Needed is how many approvals by others it takes.
	Needed int
	// Unsigned are people who must sign for what they receive.
	Unsigned []string
	// Holders have a key and are said to hold what nobody held before: they can sign
	// for it before the last approval, and it does not wait for them.
	Holders  []string
	Warnings []string
}

// NoPersonError is for a name that nobody in the register has.
type NoPersonError struct {
	Name string
	Near string
}

func (e *NoPersonError) Error() string {
	return fmt.Sprintf("nobody in the register is called %.80q", e.Name)
}

// Hint says what to do next.
func (e *NoPersonError) Hint() string {
	if e.Near != "" {
		return fmt.Sprintf("did you mean %q? halligan person list", e.Near)
	}
	return "halligan person list; halligan person add"
}

// person finds somebody in the register.
func (a *App) person(name string) (*register.Person, error) {
	if p := a.Register.Person(name); p != nil {
		return p, nil
	}
	var names []string
	for _, p := range a.Register.Or().People {
		names = append(names, p.Name)
	}
	return nil, &NoPersonError{name, register.Nearest(name, names)}
}

// opened opens the log for writing, until end. What was read before may not hold
// any more: whatever is appended then is judged by the log as it is then.
func (a *App) opened(ctx context.Context) (func() error, error) {
	if a.Open == nil {
		return func() error { return nil }, nil
	}
	read := a.Ledger
	if open, is := read.(io.Closer); is { // after a crash an owner waits until nobody reads
		if err := open.Close(); err != nil {
			return nil, err
		}
	}
	written, shut, err := a.Open(ctx)
	if err != nil {
		return nil, err
	}
	if now, then := written.Identity().ID, read.Identity().ID; now != then {
		return nil, errors.Join(fmt.Errorf("open the evidence for writing: it is store %s now, and what was signed is for store %s", now, then), shut())
	}
	a.Ledger = written
	return func() error { a.Ledger = read; return shut() }, nil
}

// Ask makes a request and puts it into the log. It is refused at once when nobody
// could approve it.
func (a *App) Ask(ctx context.Context, q Question) (out *Asked, err error) {
	deed, is := deeds[q.Verb]
	if !is {
		return nil, &custody.Refusal{Reason: custody.ReasonVerb, Detail: string(q.Verb)}
	}
	if a.tenant() == "" {
		return nil, errNoTenant
	}
	var made *custody.Request
	var data requestData
	err = a.Ledger.View(ctx, func(v store.View) error {
		k, err := a.know(v, a.Ledger.Identity().ID)
		if err != nil {
			return err
		}
		rules, err := a.law(k, q.Verb, "")
		if err != nil {
			return err
		}
		// By the register that it is judged by: who was taken out of halligan.yaml by
		// somebody alone can still ask for the repair.
		by := rules.Register.Person(q.By)
		if by == nil {
			if _, err := a.person(q.By); err != nil {
				return fmt.Errorf("ask for %s: %w", q.Verb, err)
			}
			return &custody.Refusal{Reason: custody.ReasonPerson, Who: q.By, Detail: "the approved register has nobody of that name"}
		}
		q.By = by.Name
		if made, data, err = a.draftRequest(k, &q, by.Name, deed); err != nil {
			return err
		}
		return rules.CheckRequest(made) // before anybody signs
	})
	if err != nil {
		return nil, err
	}
	if q.Sign != nil {
		if data.Asked, err = a.signed(ctx, made, custody.ActRequest, q.By, time.Time{}, q.Sign); err != nil {
			return nil, err
		}
	}
	end, err := a.opened(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	return a.enter(ctx, made, &data, func(k *known) error {
		on, details, proposal, err := deed.propose(a, k, q.On)
		if err == nil && details != nil {
			details, err = entra.Canonical(details) // as in a request
		}
		if err == nil && (on != made.On || !bytes.Equal(details, made.Details) || proposal != data.Proposal) {
			err = &hinted{errors.New("the log has gone on meanwhile, and what was signed is not what would be asked for now"), "ask anew"}
		}
		if err != nil {
			return fmt.Errorf("ask for %s: %w", q.Verb, err)
		}
		return nil
	})
}

var errNoTenant = &hinted{errors.New("the register does not say which tenant it is about"), "write tenant: with its id into halligan.yaml"}

// hinted is an error with a hint.
type hinted struct {
	error
	hint string
}

func (h *hinted) Hint() string  { return h.hint }
func (h *hinted) Unwrap() error { return h.error }

func (a *App) draftRequest(k *known, q *Question, by string, d deed) (*custody.Request, requestData, error) {
	data := requestData{}
	on, details, proposal, err := d.propose(a, k, q.On)
	if err != nil {
		return nil, data, fmt.Errorf("ask for %s: %w", q.Verb, err)
	}
	digest := k.approved
	if digest == "" {
		_, digest = a.Register.Deciding()
	}
	now := a.now(k)
	r, err := custody.NewRequest(a.Chance, custody.Request{Tenant: a.tenant(), Store: a.Ledger.Identity().ID, What: q.Verb, On: on, Why: q.Why, Details: details,
		By: by, Register: digest, Made: now, Expires: now.Add(cmp.Or(q.Life, defaultLife))})
	if err != nil {
		return nil, data, fmt.Errorf("ask for %s: %w", q.Verb, err)
	}
	data.Request, data.Proposal = string(r.Canonical()), proposal
	return r, data, nil
}

// signed has a person sign a request.
func (a *App) signed(ctx context.Context, r *custody.Request, as custody.Act, person string, at time.Time, sign Sign) (string, error) {
	_, digest := a.Register.Deciding()
	if overRegister[r.What] {
		digest = r.Register // it is judged by these rules, wherever halligan.yaml has got to
	}
	if at.IsZero() {
		at = a.Now()
	}
	s := custody.NewApproval(r, as, person, digest, at)
	// The log keeps milliseconds, and a signature whole seconds: one made in the
	// second of the request is not older.
	if s.Time.Before(r.Made) {
		s.Time = r.Made
	}
	got, err := sign(ctx, s.Text(r), s.Challenge(r))
	if err != nil {
		return "", err
	}
	s.Method, s.Signature = got.Method, got.Text
	return string(s.Canonical()), nil
}

// enter puts a request into the log, unless it could not be approved there, or is
// not what would be asked for by what the log says then.
func (a *App) enter(ctx context.Context, r *custody.Request, data *requestData, still func(*known) error) (*Asked, error) {
	text, err := json.Marshal(data)
	if err != nil {
		return nil, err
	}
	out := &Asked{Request: r}
	entries, err := a.Ledger.Append(ctx, func(v store.View) ([]evidence.Entry, error) {
		k, err := a.know(v, a.Ledger.Identity().ID)
		if err != nil {
			return nil, err
		}
		law, err := a.law(k, r.What, "")
		if err != nil {
			return nil, err
		}
		if err := still(k); err != nil {
			return nil, err
		}
		e := evidence.Entry{Kind: evidence.KindRequest, Tenant: r.Tenant, Time: law.Now, Who: []string{r.By}, What: string(r.What), On: r.On, Why: r.Why, Subject: r.Hash(), Data: text}
		one, err := readRequest(&e)
		if err != nil {
			return nil, err
		}
		decision, err := law.Decide(one.pending)
		if err != nil && !errors.Is(err, custody.ReasonTooFew) {
			return nil, err
		}
		e.Marks, out.Needed, out.Warnings, out.Unsigned = decision.Marks, decision.Needed, decision.Warnings, decision.Unsigned
		out.Holders = holdersToSign(law.Register, one.pending)
		return []evidence.Entry{e}, nil
	})
	if err != nil {
		return nil, err
	}
	out.Index = entries[0].Index
	return out, nil
}

// Approved is what became of an approval.
type Approved struct {
	Request *custody.Request
	Index   uint64
	// Missing is how many more approvals it takes; 0: enough.
	Missing  int
	Warnings []string
	// Done is what was carried out, when this approval was the last one that it
	// took.
	Done *Done
}

// Approve takes in a person's approval of a request, and carries the request out
// when it was the last one that it takes. at is when it was signed elsewhere; zero
// is now.
func (a *App) Approve(ctx context.Context, given, name string, at time.Time, sign Sign) (out *Approved, err error) {
	var r *custody.Request
	err = a.Ledger.View(ctx, func(v store.View) error {
		k, err := a.know(v, a.Ledger.Identity().ID)
		if err != nil {
			return err
		}
		p, data, err := k.pending(given)
		if err != nil {
			return err
		}
		r = p.Request
		law, err := a.law(k, r.What, "")
		if err != nil {
			return err
		}
		who := law.Register.Person(name)
		if who == nil {
			if _, err := a.person(name); err != nil {
				return err
			}
			return &custody.Refusal{Reason: custody.ReasonPerson, Who: name, Detail: "the approved register has nobody of that name"}
		}
		name = who.Name
		if err := law.CheckPending(p); err != nil || relied[r.What] == nil {
			return err
		}
		return relied[r.What](a, k, p, data)
	})
	if err != nil {
		return nil, err
	}
	text, err := a.signed(ctx, r, custody.ActApprove, name, at, sign)
	if err != nil {
		return nil, err
	}
	end, err := a.opened(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	out, err = a.takeIn(ctx, r, text)
	if err != nil {
		return nil, err
	}
	if out.Missing > 0 || elsewhere[r.What] != nil {
		return out, nil
	}
	out.Done, err = a.CarryOut(ctx, r.Hash())
	return out, err
}

// takeIn puts an approval into the log when it counts.
func (a *App) takeIn(ctx context.Context, r *custody.Request, text string) (*Approved, error) {
	approval, err := custody.ParseApproval([]byte(text))
	if err != nil {
		return nil, err
	}
	out := &Approved{Request: r}
	entries, err := a.Ledger.Append(ctx, func(v store.View) ([]evidence.Entry, error) {
		k, err := a.know(v, a.Ledger.Identity().ID)
		if err != nil {
			return nil, err
		}
		p, _, err := k.pending(r.Hash())
		if err != nil {
			return nil, err
		}
		law, err := a.law(k, r.What, "")
		if err != nil {
			return nil, err
		}
		before, err := law.Decide(p)
		if err != nil && !errors.Is(err, custody.ReasonTooFew) {
			return nil, err
		}
		signed, err := law.Admit(p, approval)
		if err != nil {
			return nil, err
		}
		p.Approvals = append(p.Approvals, approval)
		decision, err := law.Decide(p)
		if err != nil && !errors.Is(err, custody.ReasonTooFew) {
			return nil, err
		}
		if len(decision.Approved) == len(before.Approved) && len(decision.Refused) > len(before.Refused) {
			return nil, decision.Refused[len(decision.Refused)-1] // by itself it counts, beside the others it does not
		}
		data, err := json.Marshal(approvalData{string(approval.Canonical()), signed.Key, signed.Counter})
		if err != nil {
			return nil, err
		}
		out.Missing, out.Warnings = decision.Missing(), signed.Notes
		for _, name := range decision.Unsigned {
			out.Warnings = append(out.Warnings, "it waits for the signature of "+custody.Visible(name)+", who receives: halligan approve "+shortDigest(r.Hash())+" --as "+strconv.Quote(custody.Visible(name))+" --key FILE")
		}
		return []evidence.Entry{{Kind: evidence.KindApproval, Tenant: r.Tenant, Who: []string{signed.Person}, What: "approve " + string(r.What), On: r.On, Subject: r.Hash(), Marks: decision.Marks, Data: data}}, nil
	})
	if err != nil {
		a.refused(ctx, r, "an approval", approval.Person, err)
		return nil, err
	}
	out.Index = entries[0].Index
	return out, nil
}

// refused leaves a trace of a refusal, where there is one: a false signature is
// worth knowing about. The log may not take it; the refusal stands.
func (a *App) refused(ctx context.Context, r *custody.Request, of, who string, err error) {
	refusal, is := errors.AsType[*custody.Refusal](err)
	if !is {
		return
	}
	_, _ = a.Ledger.Append(ctx, func(store.View) ([]evidence.Entry, error) {
		return []evidence.Entry{{Kind: evidence.KindRefusal, Tenant: r.Tenant, Who: []string{a.Account}, What: "refuse " + of + " of " + string(r.What), On: r.On,
			Why: string(refusal.Reason) + "; it was in the name of " + who, Subject: r.Hash()}}, nil
	})
}

// CarryOut does what a request asks for, when enough people have approved it.
func (a *App) CarryOut(ctx context.Context, given string) (*Done, error) {
	return a.through(ctx, given, func(k *known, p *custody.Pending, data *requestData) (*act, error) {
		d, is := deeds[p.Request.What]
		if !is {
			return nil, &custody.Refusal{Reason: custody.ReasonVerb, Detail: string(p.Request.What)}
		}
		w, err := d.prepare(a, k, p, data)
		if err != nil {
			return nil, err
		}
		w.verb, w.on, w.why = p.Request.What, p.Request.On, p.Request.Why
		return w, nil
	})
}

// RequestReport is a request as the log has it.
type RequestReport struct {
	Hash    string           `json:"hash"`
	Index   uint64           `json:"index"`
	State   RequestState     `json:"state"`
	Request *custody.Request `json:"request"`
	// Proposal is what it would bring about, where the request has only the digest.
	Proposal string   `json:"proposal,omitempty"`
	Needed   int      `json:"needed"`
	Approved []string `json:"approved"` // by whom
	Refused  []string `json:"refused,omitempty"`
	// Unsigned are people who receive something and have not signed for it.
	Unsigned []string `json:"unsigned,omitempty"`
	// Holders are people with a key who are to hold something, and can sign for it
	// before the last approval; it does not wait for them.
	Holders  []string `json:"holders,omitempty"`
	Marks    []string `json:"marks,omitempty"`
	Warnings []string `json:"warnings,omitempty"`
	Why      string   `json:"why,omitempty"` // it cannot be used
	Used     *uint64  `json:"used,omitempty"`
	// Withdrawn says how it was taken back.
	Withdrawn *Withdrawn `json:"withdrawn,omitempty"`
}

// RequestState is where a request stands.
type RequestState string

// The states.
const (
	RequestOpen    RequestState = "open"
	RequestReady   RequestState = "ready" // approved, and not carried out
	RequestUsed    RequestState = "used"
	RequestExpired RequestState = "expired"
	RequestRefused RequestState = "refused"
	// RequestWithdrawn: who asked took it back.
	RequestWithdrawn RequestState = "withdrawn"
	// RequestOvertaken: another change was approved meanwhile, and what it was made
	// from is no more.
	RequestOvertaken RequestState = "overtaken"
)

// Over reports whether nothing comes of such a request any more.
func (s RequestState) Over() bool {
	return s == RequestUsed || s == RequestExpired || s == RequestWithdrawn || s == RequestOvertaken
}

// Requests lists the requests of the log, the newest first.
func (a *App) Requests(ctx context.Context) ([]RequestReport, error) {
	var out []RequestReport
	err := a.Ledger.View(ctx, func(v store.View) error {
		k, err := a.know(v, a.Ledger.Identity().ID)
		if err != nil {
			return err
		}
		for _, hash := range k.order {
			r, err := a.report(k, hash)
			if err != nil {
				return err
			}
			out = append(out, *r)
		}
		return nil
	})
	slices.Reverse(out)
	return out, err
}

// Request finds a request of the log by its hash, or the beginning of it.
func (a *App) Request(ctx context.Context, given string) (*RequestReport, error) {
	all, err := a.Requests(ctx)
	if err != nil {
		return nil, err
	}
	return FindRequest(all, given)
}

// FindRequest finds one by its hash, or the beginning of it.
func FindRequest(all []RequestReport, given string) (*RequestReport, error) {
	var found []RequestReport
	for _, r := range all {
		if NamesRequest(given, r.Hash) {
			found = append(found, r)
		}
	}
	if len(found) == 1 {
		return &found[0], nil
	}
	e := &NoRequestError{Given: given}
	for _, f := range found {
		e.Many = append(e.Many, f.Hash)
	}
	return nil, e
}

func (a *App) report(k *known, hash string) (*RequestReport, error) {
	one := k.requests[hash]
	p := one.pending
	out := &RequestReport{Hash: hash, Index: one.entry, Request: p.Request, Proposal: one.data.Proposal, Approved: []string{}}
	law, err := a.law(k, p.Request.What, hash)
	if err != nil {
		return nil, err
	}
	decision, refusal := law.Decide(p)
	out.Needed, out.Marks, out.Warnings, out.Unsigned = decision.Needed, decision.Marks, decision.Warnings, decision.Unsigned
	out.Holders = holdersToSign(law.Register, p)
	for _, s := range decision.Approved {
		out.Approved = append(out.Approved, s.Person)
	}
	for _, r := range decision.Refused {
		out.Refused = append(out.Refused, r.Error())
	}
	switch {
	case one.used != nil:
		out.State, out.Used = RequestUsed, one.used
	case one.back != nil:
		out.State, out.Withdrawn = RequestWithdrawn, one.back
	case refusal == nil:
		out.State = RequestReady
	case errors.Is(refusal, custody.ReasonExpired), !law.Now.Before(p.Request.Expires):
		out.State = RequestExpired // whatever else is wrong with it
	case errors.Is(refusal, custody.ReasonTooFew):
		out.State = RequestOpen
	default:
		out.State, out.Why = RequestRefused, refusal.Error()
		if why, is := errors.AsType[*custody.Refusal](refusal); is {
			out.Why = why.Why()
		}
	}
	if err := k.stopped(p.Request.What); err != nil && (out.State == RequestReady || out.State == RequestOpen) {
		out.State, out.Why = RequestRefused, err.Error()
	}
	if !out.State.Over() && k.overtaken(p.Request) {
		out.State, out.Why = RequestOvertaken, overtaken
	}
	if out.State.Over() {
		// Whatever holds now was not what held then.
		out.Approved, out.Refused, out.Warnings, out.Unsigned, out.Holders = namesOf(p), nil, nil, nil, nil
	}
	return out, nil
}

func namesOf(p *custody.Pending) []string {
	out := []string{}
	for _, s := range p.Approvals {
		if !slices.ContainsFunc(out, func(n string) bool { return strings.EqualFold(n, s.Person) }) {
			out = append(out, s.Person)
		}
	}
	return out
}
