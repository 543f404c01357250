package app

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/store"
	"halligan/register"
)

// What a log decides is not believed because it is in the log: whoever runs as the
// account of the tool has the log key, and can write what they like. It is believed
// for the signatures in it. A fold goes through the entries that rule, in their
// order, and decides each once more by the people and rules of its moment. The
// program does so before it decides anything, and evidence verify on an export:
// there is one judgement, and no second truth.

// ruling are the kinds by which a log is ruled. Others tell, and decide nothing.
var ruling = map[evidence.Kind]func(*fold, *evidence.Entry) string{
	evidence.KindRequest:      (*fold).request,
	evidence.KindApproval:     (*fold).approval,
	evidence.KindWithdrawal:   (*fold).withdrawal,
	evidence.KindIntent:       (*fold).intent,
	evidence.KindOutcome:      (*fold).outcome,
	evidence.KindRegister:     (*fold).register,
	evidence.KindLogKey:       (*fold).logKey,
	evidence.KindLogKeyLost:   (*fold).logKey,
	evidence.KindRestored:     (*fold).restore,
	evidence.KindAcceptedRisk: (*fold).risk,
	evidence.KindCustody:      (*fold).custody,
}

// asked is a request, with what came in for it.
type asked struct {
	entry   uint64
	pending *custody.Pending
	data    requestData
	used    *uint64 // the intent that used it
	back    *Withdrawn
}

// fold is what the entries so far decide.
type fold struct {
	tenant, store string
	without       map[custody.Defence]bool

	requests map[string]*asked
	order    []string        // hashes, as they were asked for
	approved string          // digest of the deciding part that holds; "" before the first
	rules    []byte          // that part
	former   map[string]bool // digests that held before
	counters map[string]uint32
	latest   time.Time // the latest that any of the entries says; a clock that is turned back makes nothing new
	restored *uint64   // the entry about a restore that nobody approved; nil none
	open     map[uint64]*evidence.Entry
	custodied
	last *evidence.Entry // the intent just before, when it was found good

	decided, alone int
}

func newFold(tenant, store string, without map[custody.Defence]bool) *fold {
	return &fold{tenant: tenant, store: store, without: without, requests: map[string]*asked{}, former: map[string]bool{}, counters: map[string]uint32{}, open: map[uint64]*evidence.Entry{}, custodied: custodied{begun: map[string]bool{}}}
}

func (f *fold) lenient() bool { return f.without[custody.DefenceRegister] }

// trusting reports whether what a request tells is believed as it stands; in tests alone.
func (a *App) trusting() bool { return a.Without[custody.DefenceTold] }

// take goes on by one entry, and says what is wrong with it; "" nothing. What comes
// from a side log decides nothing.
func (f *fold) take(e *evidence.Entry) string {
	f.seen(e)
	step, rules := ruling[e.Kind]
	if !rules || slices.Contains(e.Marks, MarkSide) {
		return ""
	}
	return step(f, e)
}

// seen takes the time of an entry. A side log tells its own, which whoever wrote it
// may have chosen: with it every request would be too old, for good.
func (f *fold) seen(e *evidence.Entry) {
	if e.Time.After(f.latest) && !slices.Contains(e.Marks, MarkSide) {
		f.latest = e.Time
	}
}

func (f *fold) request(e *evidence.Entry) string {
	one, err := readRequest(e)
	if err != nil {
		return err.Error()
	}
	hash := one.pending.Request.Hash()
	if f.requests[hash] != nil {
		return "a request that was made before"
	}
	f.requests[hash] = one
	f.order = append(f.order, hash)
	return ""
}

// readRequest reads the entry about a request.
func readRequest(e *evidence.Entry) (*asked, error) {
	one := &asked{entry: e.Index}
	if err := json.Unmarshal(e.Data, &one.data); err != nil {
		return nil, fmt.Errorf("a request that cannot be read: %v", err)
	}
	r, err := custody.ParseRequest([]byte(one.data.Request))
	if err != nil || r.Hash() != e.Subject {
		return nil, fmt.Errorf("a request that does not have its hash")
	}
	one.pending = &custody.Pending{Request: r, Recorded: e.Time}
	if r.What == custody.VerbLogKeyLost {
		one.pending.Recorded = r.Made // it waited beside the log
	}
	if one.data.Asked != "" {
		if one.pending.Asked, err = custody.ParseApproval([]byte(one.data.Asked)); err != nil {
			return nil, fmt.Errorf("the signature of who asks cannot be read: %v", err)
		}
	}
	return one, nil
}

func (f *fold) approval(e *evidence.Entry) string {
	var d approvalData
	if err := json.Unmarshal(e.Data, &d); err != nil {
		return fmt.Sprintf("an approval that cannot be read: %v", err)
	}
	if d.Counter > f.counters[d.Key] {
		f.counters[d.Key] = d.Counter
	}
	approval, err := custody.ParseApproval([]byte(d.Approval))
	one := f.requests[e.Subject]
	switch {
	case err != nil:
		return fmt.Sprintf("an approval that cannot be read: %v", err)
	case one == nil:
		return "an approval of something that nobody asked for"
	case one.used != nil && !f.without[custody.DefenceOnce]:
		return "an approval of what was carried out before"
	case one.back != nil && !f.without[custody.DefenceWithdrawn]:
		return "an approval of what was taken back before"
	}
	one.pending.Approvals = append(one.pending.Approvals, approval)
	return ""
}

// intent decides once more.
func (f *fold) intent(e *evidence.Entry) string {
	f.decided++
	f.last, f.open[e.Index] = nil, e
	one := f.requests[e.Subject]
	if one == nil {
		return "it was carried out, and nobody asked for it"
	}
	index := e.Index
	defer func() {
		if one.used == nil {
			one.used = &index
		}
	}()
	r := one.pending.Request
	switch {
	case f.restored != nil && !inRestored[r.What]:
		return fmt.Sprintf("it was carried out in a log that was restored at entry %d, before anybody approved that", *f.restored)
	case e.What != string(r.What) || e.On != r.On:
		return fmt.Sprintf("%q on %q was carried out, and %q on %q was asked for", e.What, e.On, r.What, r.On)
	case string(e.Tenant) != string(r.Tenant):
		return "it was carried out in another tenant than it was asked for"
	}
	law, err := f.law(one)
	if err != nil {
		return err.Error()
	}
	law.Now = f.latest
	decision, err := law.Decide(one.pending)
	if err != nil {
		return fmt.Sprintf("it was carried out without being approved: %v", err)
	}
	if r.What == custody.VerbRestore && !f.lenient() {
		var d restoreDetails
		if err := json.Unmarshal(r.Details, &d); err != nil || f.restored == nil || d.Entry != *f.restored || d.Approved != f.approved {
			return "another restore was approved than the one that it is about"
		}
	}
	if r.What == custody.VerbRestore {
		f.restored = nil
	}
	f.last = e
	f.begun[e.Subject] = carries[evidence.KindCustody][r.What]
	if slices.Contains(decision.Marks, custody.MarkOnePerson) {
		f.alone++
	}
	return ""
}

// inRestored are the acts of a log that was restored, and of which nobody approved
// yet that it goes on: that it does, and a new log key, without which nothing can be
// written. Both take as many people.
var inRestored = map[custody.Verb]bool{custody.VerbRestore: true, custody.VerbLogKeyLost: true}

// law is what a request is judged by where nothing but the log is at hand: the
// approved deciding part, and for the first register that one itself.
func (f *fold) law(one *asked) (*custody.Rules, error) {
	r, text := one.pending.Request, f.rules
	if r.What == custody.VerbBegin {
		text = []byte(one.data.Proposal)
	}
	rules, err := register.FromDeciding(text)
	if err != nil {
		return nil, err
	}
	if f.tenant == "" {
		f.tenant = string(r.Tenant) // an export tells of one tenant; the first act says which
	}
	return &custody.Rules{Register: rules, Approved: f.approved, Former: f.former, Tenant: r.Tenant, Store: f.store, Counters: f.counters, Without: f.without,
		Used: func(string) bool { return one.used != nil }}, f.sameTenant(r)
}

func (f *fold) sameTenant(r *custody.Request) error {
	if string(r.Tenant) != f.tenant && !f.without[custody.DefenceTenant] {
		return fmt.Errorf("it is for tenant %s, and the log is of %s", r.Tenant, f.tenant)
	}
	return nil
}

func (f *fold) outcome(e *evidence.Entry) string {
	if e.Refers == nil {
		return "an outcome of nothing"
	}
	intent := f.open[*e.Refers]
	if intent == nil || intent.Subject != e.Subject || intent.What != e.What {
		return "an outcome of what was never begun"
	}
	delete(f.open, *e.Refers)
	delete(f.begun, e.Subject)
	return ""
}

// register believes a deciding part that the act just before it carries, and of
// which the approvers read every line.
func (f *fold) register(e *evidence.Entry) string {
	var d registerData
	if err := json.Unmarshal(e.Data, &d); err != nil || register.DigestOf([]byte(d.Deciding)) != e.After {
		return "the deciding part does not have its digest"
	}
	one := f.requests[e.Subject]
	if !f.lenient() {
		if one == nil || f.last == nil || f.last.Subject != e.Subject || one.data.Proposal != d.Deciding || !carries[e.Kind][one.pending.Request.What] {
			return "a deciding part that nobody approved"
		}
		want, err := checkRegister(f.approved, f.rules, one.pending, &one.data)
		if err != nil {
			return err.Error()
		}
		if want.To != e.After {
			return "another deciding part than the one that was approved"
		}
	}
	if f.approved != "" {
		f.former[f.approved] = true
	}
	f.approved, f.rules, f.last = e.After, []byte(d.Deciding), nil
	delete(f.former, f.approved) // it holds again
	return ""
}

// carries says by which acts an entry comes into the log.
var carries = map[evidence.Kind]map[custody.Verb]bool{
	evidence.KindRegister:     {custody.VerbBegin: true, custody.VerbRegister: true},
	evidence.KindLogKey:       {custody.VerbLogKey: true},
	evidence.KindLogKeyLost:   {custody.VerbLogKeyLost: true},
	evidence.KindAcceptedRisk: {custody.VerbAccept: true},
	evidence.KindCustody:      {custody.VerbCustody: true, custody.VerbMove: true, custody.VerbHandOver: true},
}

// risk believes that a risk was accepted when the act just before it carries that.
// What a run of the checks tells of the register rules nothing.
func (f *fold) risk(e *evidence.Entry) string {
	if e.What != riskAccepted {
		return ""
	}
	one := f.requests[e.Subject]
	if one == nil || f.last == nil || f.last.Subject != e.Subject || !carries[e.Kind][one.pending.Request.What] || e.After != register.DigestOf(one.pending.Request.Details) {
		return "an accepted risk that nobody approved"
	}
	f.last = nil
	return ""
}

func (f *fold) logKey(e *evidence.Entry) string {
	var d struct{ Old, New string }
	var want logKeyDetails
	one := f.requests[e.Subject]
	if json.Unmarshal(e.Data, &d) != nil || one == nil || f.last == nil || f.last.Subject != e.Subject || !carries[e.Kind][one.pending.Request.What] ||
		json.Unmarshal(one.pending.Request.Details, &want) != nil || want.Old != d.Old {
		return "another log key, which nobody approved"
	}
	f.last = nil
	return ""
}

// restore: a backup can hold people and keys of long ago. Who goes on from one alone
// could undo their own removal. Before the first approval there is nothing to undo.
func (f *fold) restore(e *evidence.Entry) string {
	if f.approved != "" {
		f.restored = &e.Index
	}
	return ""
}

// SmuggledError is for an entry that rules the log and that nobody approved.
type SmuggledError struct {
	Index uint64
	Why   string
}

func (e *SmuggledError) Error() string {
	return fmt.Sprintf("believe entry %d of the log: %s", e.Index, e.Why)
}

// Hint says what to do next.
func (*SmuggledError) Hint() string {
	return "stop: somebody wrote to the log past the approvals, with its key. Keep the store as it is, and treat it as an incident"
}

// Security says that this is a finding about trust, not a fault of the system.
func (*SmuggledError) Security() bool { return true }

// known is a fold of a whole log, as of one moment.
type known struct {
	*fold
	view store.View
}

// know folds the log of a store.
func (a *App) know(v store.View, id string) (*known, error) {
	k := &known{newFold(string(a.tenant()), id, a.Without), v}
	entries, err := rulingEntries(v)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		e := &entries[i]
		// A request, an approval or a withdrawal that is none stops nobody: it brings
		// nothing about.
		if wrong := k.take(e); wrong != "" && !k.lenient() && !harmless[e.Kind] {
			return nil, &SmuggledError{e.Index, wrong}
		}
	}
	// Entries that rule nothing count as time, too: the newest tells.
	if n := v.Size(); n > 0 {
		e, err := v.Entry(n - 1)
		if err != nil {
			return nil, err
		}
		k.seen(&e)
	}
	return k, nil
}

// harmless are the kinds of which a false one brings nothing about.
var harmless = map[evidence.Kind]bool{evidence.KindRequest: true, evidence.KindApproval: true, evidence.KindWithdrawal: true}

// rulingEntries are the entries of a log by which it is ruled, in their order.
func rulingEntries(v store.View) ([]evidence.Entry, error) {
	var out []evidence.Entry
	for kind := range ruling {
		for e, err := range v.Find(kind, "") {
			if err != nil {
				return nil, err
			}
			out = append(out, e)
		}
	}
	slices.SortFunc(out, func(a, b evidence.Entry) int { return int(a.Index) - int(b.Index) })
	return out, nil
}

// now is the time by which requests are judged: ours, but never before what the log
// has seen. A clock that is turned back makes nothing fresh again.
func (a *App) now(k *known) time.Time {
	now := a.Now()
	if k.latest.After(now) && !a.Without[custody.DefenceExpiry] {
		return k.latest
	}
	return now
}
