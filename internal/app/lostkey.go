package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/store"
	"halligan/register"
)

// When the log key is lost nothing can be appended, not even the request for a new
// one. The request and its approvals then wait in a file beside the store, and go
// into the log in one transaction with the entry about the loss, signed by the new
// key. Whoever verifies the log believes that key only when told to.

// Loss is a request to go on with a new log key.
type Loss struct {
	// File keeps the request and what came in for it.
	File string
	// DB is the store, owned by this process.
	DB *store.DB
}

// lossFile is what the file holds.
type lossFile struct {
	Request   string   `json:"request"`
	Asked     string   `json:"asked"`
	Approvals []string `json:"approvals"`
}

const mostLoss = 1 << 20

// NoLossError is for a loss that nobody has asked about.
type NoLossError struct{ File string }

func (e *NoLossError) Error() string { return "approve a new log key: nobody has asked for one" }

// Hint says what to do next.
func (*NoLossError) Hint() string { return "halligan request log-key-lost" }

func (l *Loss) read() (*lossFile, *custody.Pending, error) {
	file, err := os.Open(l.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, &NoLossError{l.File}
	}
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil && info.Size() > mostLoss {
		err = fmt.Errorf("read %s: %d bytes are no request", l.File, info.Size())
	}
	if err != nil {
		return nil, nil, err
	}
	var f lossFile
	if err := json.NewDecoder(file).Decode(&f); err != nil {
		return nil, nil, fmt.Errorf("read %s: %v", l.File, err)
	}
	r, err := custody.ParseRequest([]byte(f.Request))
	if err != nil {
		return nil, nil, err
	}
	p := &custody.Pending{Request: r, Recorded: r.Made}
	if p.Asked, err = custody.ParseApproval([]byte(f.Asked)); err != nil {
		return nil, nil, err
	}
	for _, text := range f.Approvals {
		a, err := custody.ParseApproval([]byte(text))
		if err != nil {
			return nil, nil, err
		}
		p.Approvals = append(p.Approvals, a)
	}
	return &f, p, nil
}

func (l *Loss) write(f *lossFile) error {
	text, err := json.Marshal(f)
	if err != nil {
		return err
	}
	_ = os.Remove(l.File + ".new") // of a process that ended in between
	if err := writeDurably(l.File+".new", string(text)+"\n"); err != nil {
		return err
	}
	return errors.Join(os.Rename(l.File+".new", l.File), syncFolder(filepath.Dir(l.File)))
}

// AskLoss makes the request. Who asks must sign it. a.Ledger need not be set.
func (a *App) AskLoss(ctx context.Context, l *Loss, q Question) (*Asked, error) {
	if q.Sign == nil {
		return nil, &custody.Refusal{Reason: custody.ReasonUnsigned, Who: q.By}
	}
	if a.tenant() == "" {
		return nil, errNoTenant
	}
	by, err := a.person(q.By)
	if err != nil {
		return nil, err
	}
	out := &Asked{}
	err = l.DB.View(ctx, func(v store.View) error {
		k, err := a.know(v, l.DB.Identity().ID)
		if err != nil {
			return err
		}
		if err := a.notWaiting(k, l); err != nil {
			return err
		}
		if k.approved == "" {
			return &hinted{errors.New("no register was ever approved in this log, so that nobody can decide about its key"), "begin a new log in another folder: halligan init --store"}
		}
		checkpoint, err := lastWord(v)
		if err != nil {
			return err
		}
		details, err := json.Marshal(logKeyDetails{Old: checkpoint, New: nextName(checkpoint)})
		if err != nil {
			return err
		}
		now := a.now(k)
		out.Request, err = custody.NewRequest(a.Chance, custody.Request{Tenant: a.tenant(), Store: l.DB.Identity().ID, What: custody.VerbLogKeyLost, On: "the key that signs the log", Why: q.Why,
			Details: details, By: by.Name, Register: k.approved, Made: now, Expires: now.Add(custody.LifeMost)})
		if err != nil {
			return err
		}
		law, err := a.lossLaw(k, l)
		if err != nil {
			return err
		}
		out.Needed = custody.RightOf(custody.VerbLogKeyLost).Needed(law.Register.Quorum)
		return law.CheckRequest(out.Request)
	})
	if err != nil {
		return nil, err
	}
	asked, err := a.signed(ctx, out.Request, custody.ActRequest, by.Name, time.Time{}, q.Sign)
	if err != nil {
		return nil, err
	}
	return out, l.write(&lossFile{Request: string(out.Request.Canonical()), Asked: asked})
}

// notWaiting returns an error while a request waits: it is not written over, since
// others may have signed it.
func (a *App) notWaiting(k *known, l *Loss) error {
	waiting, err := a.Waiting(l.File)
	if err != nil || waiting == nil {
		return err
	}
	if one := k.requests[waiting.Hash]; one != nil && one.used != nil {
		return nil // left from a change that was carried out
	}
	return &hinted{fmt.Errorf("a request for a new log key waits already, until %s: %s", waiting.Request.Expires.Format(time.DateTime), waiting.Hash), "approve that one (halligan request list), or wait until it ends"}
}

// lossLaw judges by the register that was approved.
func (a *App) lossLaw(k *known, l *Loss) (*custody.Rules, error) {
	old, err := register.FromDeciding(k.rules)
	if err != nil {
		return nil, err
	}
	return &custody.Rules{Register: old, Approved: k.approved, Former: k.former, Tenant: a.tenant(), Store: k.store, Now: a.now(k), Counters: k.counters, Without: a.Without,
		Used: func(hash string) bool { one := k.requests[hash]; return one != nil && one.used != nil }}, nil
}

// lastWord is the public key that the log says is its own: that of the newest entry
// about keys. Where one took over from another both have signed, and the older one
// must not be taken for it.
func lastWord(v store.View) (string, error) {
	key, at := "", uint64(0)
	for _, kind := range []evidence.Kind{evidence.KindLogBegun, evidence.KindLogKey, evidence.KindLogKeyLost} {
		for e, err := range v.Find(kind, "") {
			if err != nil {
				return "", err
			}
			var d struct{ Key, New string }
			if err := json.Unmarshal(e.Data, &d); err != nil {
				return "", err
			}
			if key == "" || e.Index > at {
				key, at = d.Key+d.New, e.Index
			}
		}
	}
	if key == "" || !signedBy(v.Checkpoint(), key) {
		return "", errors.New("the log does not say which key signs it")
	}
	return key, nil
}

func signedBy(note []byte, public string) bool {
	_, err := evidence.OpenCheckpoint(note, public)
	return err == nil
}

// LossRequest is the request that waits, for people to read.
func (l *Loss) LossRequest() (*custody.Request, error) {
	_, p, err := l.read()
	if err != nil {
		return nil, err
	}
	return p.Request, nil
}

// Waiting is the request that waits, as a report of the log would have it, nil when
// there is none or it has expired.
func (a *App) Waiting(file string) (*RequestReport, error) {
	_, p, err := (&Loss{File: file}).read()
	if _, none := errors.AsType[*NoLossError](err); none {
		return nil, nil
	}
	if err != nil || !a.Now().Before(p.Request.Expires) {
		return nil, err
	}
	return &RequestReport{Hash: p.Request.Hash(), State: RequestOpen, Request: p.Request, Approved: namesOf(p),
		Needed: custody.RightOf(p.Request.What).Needed(a.Register.Or().Quorum), Marks: []string{MarkBeside}}, nil
}

// MarkBeside is for a request that waits beside a log without its key.
const MarkBeside = "waits beside the log, whose key is lost"

// ApproveLoss takes in an approval, and goes on with a new key when it was the last
// one that it takes.
func (a *App) ApproveLoss(ctx context.Context, l *Loss, name string, at time.Time, sign Sign) (*Approved, error) {
	f, p, err := l.read()
	if err != nil {
		return nil, err
	}
	out := &Approved{Request: p.Request}
	var law *custody.Rules
	if err := l.DB.View(ctx, func(v store.View) error {
		k, err := a.know(v, l.DB.Identity().ID)
		if err != nil {
			return err
		}
		law, err = a.lossLaw(k, l)
		if err != nil {
			return err
		}
		law.Used = nil // checked again where it is written
		who := law.Register.Person(name)
		if who == nil {
			return &custody.Refusal{Reason: custody.ReasonPerson, Who: name, Detail: "the approved register has nobody of that name"}
		}
		name = who.Name
		return law.CheckRequest(p.Request)
	}); err != nil {
		return nil, err
	}
	text, err := a.signed(ctx, p.Request, custody.ActApprove, name, at, sign)
	if err != nil {
		return nil, err
	}
	approval, err := custody.ParseApproval([]byte(text))
	if err != nil {
		return nil, err
	}
	if _, err := law.Admit(p, approval); err != nil {
		return nil, err
	}
	before, _ := law.Decide(p)
	p.Approvals = append(p.Approvals, approval)
	decision, err := law.Decide(p)
	if err != nil && !errors.Is(err, custody.ReasonTooFew) {
		return nil, err
	}
	if len(decision.Approved) == len(before.Approved) && len(decision.Refused) > len(before.Refused) {
		return nil, decision.Refused[len(decision.Refused)-1] // by itself it counts, beside the others it does not
	}
	f.Approvals = append(f.Approvals, text)
	if writeErr := l.write(f); writeErr != nil {
		return nil, writeErr
	}
	out.Missing = max(0, decision.Needed-len(decision.Approved))
	if err != nil {
		return out, nil
	}
	out.Done, err = a.replaceKey(ctx, l, p, f, decision)
	return out, err
}

// replaceKey writes all of it in one transaction, signed by the new key.
func (a *App) replaceKey(ctx context.Context, l *Loss, p *custody.Pending, f *lossFile, decision *custody.Decision) (*Done, error) {
	var d logKeyDetails
	if err := json.Unmarshal(p.Request.Details, &d); err != nil {
		return nil, fmt.Errorf("read the details of the request: %v", err)
	}
	key, err := evidence.NewLogKey(a.Chance, d.New)
	if err != nil {
		return nil, err
	}
	signatures, err := signaturesOf(p)
	if err != nil {
		return nil, err
	}
	w := &act{verb: p.Request.What, on: p.Request.On, why: p.Request.Why, last: true}
	lose := evidence.Lose(d.Old, key.Public(), signatures)
	lose.Tenant, lose.Subject, lose.Who = p.Request.Tenant, p.Request.Hash(), signers(p, decision)
	w.entries = []evidence.Entry{lose}
	done := &Done{Marks: decision.Marks, Warnings: decision.Warnings}
	entries, err := ChangeKey(a.Keys, key, func() ([]evidence.Entry, error) {
		return l.DB.Replace(ctx, key, func(v store.View) ([]evidence.Entry, error) {
			k, err := a.know(v, l.DB.Identity().ID)
			if err != nil {
				return nil, err
			}
			law, err := a.lossLaw(k, l)
			if err != nil {
				return nil, err
			}
			if _, err := law.Decide(p); err != nil {
				return nil, err
			}
			return a.lossEntries(v.Size(), law.Now, p, f, w, decision)
		})
	})
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		switch e.Kind {
		case evidence.KindIntent:
			done.Intent = e.Index
		case evidence.KindOutcome:
			done.Outcome = e.Index
		}
	}
	return done, os.Remove(l.File)
}

func (a *App) lossEntries(size uint64, at time.Time, p *custody.Pending, f *lossFile, w *act, decision *custody.Decision) ([]evidence.Entry, error) {
	r := p.Request
	data, err := json.Marshal(requestData{Request: f.Request, Asked: f.Asked})
	if err != nil {
		return nil, err
	}
	out := []evidence.Entry{{Kind: evidence.KindRequest, Tenant: r.Tenant, Time: r.Made, Who: []string{r.By}, What: string(r.What), On: r.On, Why: r.Why, Subject: r.Hash(), Data: data}}
	for i, s := range p.Approvals {
		d := approvalData{Approval: f.Approvals[i]}
		for _, by := range decision.Approved {
			if register.SamePerson(by.Person, s.Person) {
				d.Key, d.Counter = by.Key, by.Counter
			}
		}
		data, err := json.Marshal(d)
		if err != nil {
			return nil, err
		}
		out = append(out, evidence.Entry{Kind: evidence.KindApproval, Tenant: r.Tenant, Time: s.Time, Who: []string{s.Person}, What: "approve " + string(r.What), On: r.On, Subject: r.Hash(), Data: data})
	}
	intent := a.entry(evidence.KindIntent, w, r)
	intent.Who, intent.Marks, intent.Time = signers(p, decision), decision.Marks, at
	return append(out, a.closed(size+uint64(len(out)), intent, w, r)...), nil
}
