package app

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"

	"halligan/custody"
	"halligan/evidence"
	"halligan/register"
)

// Audit decides once more, from an exported log alone, whether everything that was
// carried out had been approved by the people and rules of that moment. Whoever can
// run as the account that owns the store can write entries past this program; what
// they cannot write is the signatures of others.
//
// evidence.Verify says that the log is what was signed; Audit says whether what it
// tells was allowed.
func Audit(fsys fs.FS) (*AuditReport, error) {
	file, err := fsys.Open(evidence.EntriesFile)
	if err != nil {
		return nil, fmt.Errorf("audit the evidence: %w", err)
	}
	defer file.Close()
	a := &audit{requests: map[string]*audited{}, former: map[string]bool{}, counters: map[string]uint32{}, intents: map[uint64]*evidence.Entry{}}
	lines := bufio.NewReaderSize(file, evidence.MaxLine+1)
	for {
		line, err := lines.ReadSlice('\n')
		if err == io.EOF && len(line) == 0 {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("audit the evidence: read entry %d: %w", a.size, err)
		}
		e, err := evidence.ParseLine(line[:len(line)-1])
		if err != nil {
			return nil, fmt.Errorf("audit the evidence: %w", err)
		}
		a.size++
		if step, is := auditSteps[e.Kind]; is {
			step(a, &e)
		}
	}
	a.close()
	return &a.report, nil
}

// AuditReport is what an audit found.
type AuditReport struct {
	// Requests were asked for, Decided carried out, each approved as it had to be
	// unless Findings says otherwise.
	Requests int `json:"requests"`
	Decided  int `json:"decided"`
	// OnePerson counts what one person decided alone, as the register allowed.
	OnePerson int `json:"onePerson"`
	// Open are intents of which no outcome tells.
	Open     []uint64       `json:"open"`
	Findings []AuditFinding `json:"findings"`
	// Register is the digest of the deciding part that holds at the end.
	Register string `json:"register,omitempty"`
}

// Good reports whether everything that was carried out was approved.
func (r *AuditReport) Good() bool { return len(r.Findings) == 0 }

// AuditFinding is an entry that no approval carries.
type AuditFinding struct {
	Index uint64 `json:"index"`
	Says  string `json:"says"`
}

type audited struct {
	pending *custody.Pending
	data    requestData
	used    bool
}

// audit folds a log, as know does, but believes only signatures.
type audit struct {
	report   AuditReport
	size     uint64
	tenant   string
	store    string
	requests map[string]*audited
	approved string
	rules    *register.Register
	former   map[string]bool
	counters map[string]uint32
	restored *uint64
	intents  map[uint64]*evidence.Entry // without an outcome
	last     *evidence.Entry            // the intent that was found good last
}

func (a *audit) find(e *evidence.Entry, format string, args ...any) {
	if len(a.report.Findings) < mostFindings {
		a.report.Findings = append(a.report.Findings, AuditFinding{e.Index, fmt.Sprintf(format, args...)})
	}
}

const mostFindings = 1000

// auditSteps are the kinds by which the log is ruled. Others tell and decide nothing.
var auditSteps = map[evidence.Kind]func(*audit, *evidence.Entry){
	evidence.KindRequest:    (*audit).request,
	evidence.KindApproval:   (*audit).approval,
	evidence.KindIntent:     (*audit).intent,
	evidence.KindOutcome:    (*audit).outcome,
	evidence.KindRegister:   (*audit).register,
	evidence.KindLogKey:     (*audit).logKey,
	evidence.KindLogKeyLost: (*audit).logKey,
	evidence.KindRestored:   (*audit).restore,
}

func (a *audit) request(e *evidence.Entry) {
	a.report.Requests++
	one := &audited{}
	if err := json.Unmarshal(e.Data, &one.data); err != nil {
		a.find(e, "a request that cannot be read: %v", err)
		return
	}
	r, err := custody.ParseRequest([]byte(one.data.Request))
	if err != nil || r.Hash() != e.Subject {
		a.find(e, "a request that does not have its hash")
		return
	}
	one.pending = &custody.Pending{Request: r, Recorded: e.Time}
	if r.What == custody.VerbLogKeyLost {
		one.pending.Recorded = r.Made // it waited beside the log
	}
	if one.data.Asked != "" {
		if one.pending.Asked, err = custody.ParseApproval([]byte(one.data.Asked)); err != nil {
			a.find(e, "the signature of who asks cannot be read: %v", err)
			return
		}
	}
	if a.requests[r.Hash()] != nil {
		a.find(e, "a request that was made before")
		return
	}
	a.requests[r.Hash()] = one
}

func (a *audit) approval(e *evidence.Entry) {
	var d approvalData
	if err := json.Unmarshal(e.Data, &d); err != nil {
		a.find(e, "an approval that cannot be read: %v", err)
		return
	}
	approval, err := custody.ParseApproval([]byte(d.Approval))
	one := a.requests[e.Subject]
	switch {
	case err != nil:
		a.find(e, "an approval that cannot be read: %v", err)
	case one == nil:
		a.find(e, "an approval of something that nobody asked for")
	case one.used:
		a.find(e, "an approval of what was carried out before")
	default:
		one.pending.Approvals = append(one.pending.Approvals, approval)
	}
}

// intent decides once more.
func (a *audit) intent(e *evidence.Entry) {
	a.report.Decided++
	a.last = nil
	a.intents[e.Index] = e
	one := a.requests[e.Subject]
	if one == nil {
		a.find(e, "it was carried out, and nobody asked for it")
		return
	}
	r := one.pending.Request
	if a.restored != nil && r.What != custody.VerbRestore {
		a.find(e, "it was carried out in a log that was restored at entry %d, before anybody approved that", *a.restored)
		return
	}
	rules := a.rules
	if r.What == custody.VerbBegin {
		first, err := register.FromDeciding([]byte(one.data.Proposal))
		if err != nil {
			a.find(e, "the first register cannot be read: %v", err)
			return
		}
		rules = first
	}
	law := &custody.Rules{Register: rules, Approved: a.approved, Former: a.former, Tenant: r.Tenant, Store: r.Store, Now: e.Time, Counters: a.counters,
		Used: func(string) bool { return one.used }}
	if string(e.Tenant) != string(r.Tenant) || a.tenant != "" && a.tenant != string(r.Tenant) || a.store != "" && a.store != r.Store {
		a.find(e, "the request is for another tenant or another store")
		return
	}
	decision, err := law.Decide(one.pending)
	if err != nil {
		a.find(e, "it was carried out without being approved: %v", err)
		return
	}
	one.used = true
	a.tenant, a.store, a.last = string(r.Tenant), r.Store, e
	for _, m := range decision.Marks {
		if m == custody.MarkOnePerson {
			a.report.OnePerson++
		}
	}
}

func (a *audit) outcome(e *evidence.Entry) {
	if e.Refers == nil {
		return // of a side log
	}
	intent := a.intents[*e.Refers]
	if intent == nil || intent.Subject != e.Subject || intent.What != e.What {
		a.find(e, "an outcome of what was never begun")
		return
	}
	delete(a.intents, *e.Refers)
	if e.What == string(custody.VerbRestore) {
		a.restored = nil
	}
}

// register believes a deciding part that the intent just before it carries.
func (a *audit) register(e *evidence.Entry) {
	var d registerData
	if err := json.Unmarshal(e.Data, &d); err != nil || register.DigestOf([]byte(d.Deciding)) != e.After {
		a.find(e, "the deciding part does not have its digest")
		return
	}
	one := a.requests[e.Subject]
	if a.last == nil || one == nil || a.last.Subject != e.Subject || one.data.Proposal != d.Deciding {
		a.find(e, "a deciding part that nobody approved")
		return
	}
	var want registerDetails
	if err := json.Unmarshal(one.pending.Request.Details, &want); err != nil || want.To != e.After || want.From != a.approved {
		a.find(e, "another deciding part than the one that was approved")
		return
	}
	rules, err := register.FromDeciding([]byte(d.Deciding))
	if err != nil {
		a.find(e, "the deciding part cannot be read: %v", err)
		return
	}
	if a.approved != "" {
		a.former[a.approved] = true
	}
	a.approved, a.rules = e.After, rules
	a.report.Register = e.After
	delete(a.former, a.approved)
}

func (a *audit) logKey(e *evidence.Entry) {
	var d struct{ Old, New string }
	one := a.requests[e.Subject]
	var want logKeyDetails
	if json.Unmarshal(e.Data, &d) != nil || one == nil || a.last == nil || a.last.Subject != e.Subject ||
		json.Unmarshal(one.pending.Request.Details, &want) != nil || want.Old != d.Old {
		a.find(e, "another log key, which nobody approved")
	}
}

func (a *audit) restore(e *evidence.Entry) {
	if a.approved != "" {
		a.restored = &e.Index
	}
}

// close tells which intents have no outcome.
func (a *audit) close() {
	a.report.Open = []uint64{}
	for i := range a.size {
		if a.intents[i] != nil {
			a.report.Open = append(a.report.Open, i)
		}
	}
	if a.report.Findings == nil {
		a.report.Findings = []AuditFinding{}
	}
}
