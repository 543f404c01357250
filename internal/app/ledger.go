package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/evidence"
	"halligan/internal/store"
)

// Place says where the evidence of a tenant is kept.
type Place struct {
	Store   string // path of a SQLite file, or a postgres:// address
	Witness string // folder elsewhere that knows the newest checkpoint; "" none
	Socket  string // where the owner of the store can be reached
	Side    string // folder for side logs
	Keys    KeyPlace
	Now     func() time.Time // of entries; nil is time.Now
	Begins  string           // why a log is begun here, for entry 0; "" is halligan init
}

func (p *Place) options(readOnly bool) store.Options {
	return store.Options{URL: p.Store, Witness: p.Witness, ReadOnly: readOnly, Now: p.Now}
}

// IsFile reports whether the store is a file, and not a database.
func (p *Place) IsFile() bool {
	return !strings.HasPrefix(p.Store, "postgres://") && !strings.HasPrefix(p.Store, "postgresql://")
}

// NoStoreHint is for somebody who may not be the first: a second log beside one that
// is kept elsewhere would be bound by nothing that was approved in that.
const NoStoreHint = "it may be kept elsewhere, by another account or on another machine: give --store, or store: under evidence: in halligan.yaml. Who sets Halligan up begins it, once: halligan init"

// NoStoreError is for evidence that is not where it was looked for.
type NoStoreError struct{ Name string }

func (e *NoStoreError) Error() string {
	return fmt.Sprintf("open the evidence in %s: there is none", e.Name)
}

// Hint says what to do next.
func (*NoStoreError) Hint() string {
	return NoStoreHint
}

// Exists reports an error for a store that is not there. Of a database only
// opening it tells.
func (p *Place) Exists() error {
	if !p.IsFile() {
		return nil
	}
	if _, err := os.Stat(p.Store); errors.Is(err, fs.ErrNotExist) {
		return &NoStoreError{p.Store}
	}
	return nil
}

// ReadLedger opens the evidence for reading, beside whoever owns it. Close it.
func ReadLedger(ctx context.Context, p Place) (*store.DB, error) {
	if err := p.Exists(); err != nil {
		return nil, err
	}
	return store.Open(ctx, p.options(true))
}

// Waiting for another command that owns the store for a moment.
const (
	ownerPatience = 5 * time.Second
	ownerPause    = 50 * time.Millisecond
)

// OpenLedger opens the evidence for writing: as its owner, or through the owner
// when another process serves it. The function that it returns closes it.
func OpenLedger(ctx context.Context, p Place) (Ledger, func() error, error) {
	if err := p.Exists(); err != nil {
		return nil, nil, err
	}
	until := time.Now().Add(ownerPatience)
	for {
		db, err := store.Open(ctx, p.options(false))
		owned, is := errors.AsType[*store.OwnedError](err)
		switch {
		case err == nil:
			l, err := own(ctx, db, p.Keys)
			if err != nil {
				return nil, nil, errors.Join(err, db.Close())
			}
			return l, db.Close, nil
		case !is:
			return nil, nil, err
		}
		if p.Socket != "" {
			remote, err := store.Reach(ctx, p.options(true), p.Socket)
			if err == nil {
				return remote, remote.Close, nil
			}
			if hangs, is := errors.AsType[*store.OwnedError](err); is {
				owned = hangs
			} else if other, is := errors.AsType[*store.OtherWitnessError](err); is {
				return nil, nil, other
			}
		}
		if time.Now().After(until) {
			return nil, nil, owned
		}
		timer := time.NewTimer(ownerPause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, nil, context.Cause(ctx)
		}
	}
}

// own takes the log key to a store. A key that was prepared when a change of keys
// was interrupted takes its place when the log believes it.
func own(ctx context.Context, db *store.DB, keys KeyPlace) (Ledger, error) {
	key, err := keys.Load()
	next, nextErr := taken(ctx, db, keys)
	if nextErr != nil {
		return nil, nextErr
	}
	if next != nil {
		return Owned{db, next}, keys.Promote()
	}
	if err != nil {
		return nil, err
	}
	return Owned{db, key}, nil
}

// taken returns the prepared key if the log has taken it, else nil. Both keys have
// signed where one took over from the other, and the log takes nothing by the old
// one after that: the entry about it decides.
func taken(ctx context.Context, db *store.DB, keys KeyPlace) (*evidence.LogKey, error) {
	next, err := keys.Prepared()
	if err != nil || next == nil {
		return nil, nil // what cannot be read is no key
	}
	holds := ""
	err = db.View(ctx, func(v store.View) error {
		holds, _ = lastWord(v) // a log that does not say which key signs it has taken none
		return nil
	})
	if err != nil || holds != next.Public() {
		return nil, err
	}
	return next, nil
}

// BeginLedger makes the log key and the store where there are none, and writes
// the first entry. It reports whether it did; a log that has begun stays as it is.
func BeginLedger(ctx context.Context, p Place, tenant entra.ID, account string) (key string, begun bool, err error) {
	if p.IsFile() {
		if err := os.MkdirAll(filepath.Dir(p.Store), 0o700); err != nil {
			return "", false, fmt.Errorf("begin the evidence: %w", err)
		}
	}
	k, err := p.Keys.Load()
	if _, none := errors.AsType[*NoKeyError](err); none {
		if there, lookErr := hasBegun(ctx, p); there || lookErr != nil {
			return "", false, cmp.Or(lookErr, err) // a log without its key is not begun anew
		}
		if k, err = evidence.NewLogKey(rand.Reader, "halligan-"+shortID(tenant)+"-1"); err != nil {
			return "", false, err
		}
		if err := p.Keys.Prepare(k.Secret()); err != nil {
			return "", false, err
		}
		err = p.Keys.Promote()
	}
	if err != nil {
		return "", false, err
	}
	db, err := store.Open(ctx, p.options(false))
	if err != nil {
		return "", false, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if _, err = db.Append(ctx, k, func(v store.View) ([]evidence.Entry, error) {
		if v.Size() > 0 {
			return nil, nil
		}
		begun = true
		e := evidence.Begin(k.Public())
		e.Tenant, e.Who, e.Why = tenant, []string{account}, cmp.Or(p.Begins, "halligan init")
		return []evidence.Entry{e}, nil
	}); err != nil {
		return "", false, err
	}
	return k.Public(), begun, nil
}

// hasBegun reports whether a log is there. A file is one, whatever is in it; a
// database may be there before it.
func hasBegun(ctx context.Context, p Place) (begun bool, err error) {
	if p.IsFile() {
		return p.Exists() == nil, nil
	}
	db, err := store.Open(ctx, p.options(false))
	if err != nil {
		return false, err
	}
	err = db.View(ctx, func(v store.View) error { begun = v.Size() > 0; return nil })
	return begun, errors.Join(err, db.Close())
}

// KeyLost reports whether a log is there and its key is not. A key that was
// prepared by a change of keys counts only when the log has taken it.
func KeyLost(ctx context.Context, p Place) (bool, error) {
	_, err := p.Keys.Load()
	if err == nil || p.Exists() != nil {
		return false, nil // without a log whoever writes is told
	}
	if _, none := errors.AsType[*NoKeyError](err); !none {
		return false, err
	}
	db, err := ReadLedger(ctx, p)
	if err != nil {
		return false, err
	}
	next, err := taken(ctx, db, p.Keys)
	return next == nil, errors.Join(err, db.Close())
}

func shortID(tenant entra.ID) string {
	if len(tenant) < 8 {
		return "log"
	}
	return strings.ToLower(string(tenant[:8]))
}

// Standing says whether the register that is used is the one that was approved.
type Standing struct {
	Approved string `json:"approved"` // digest; "" when none ever was
	Current  string `json:"current"`
	Since    uint64 `json:"since"` // entry
}

// Stands reports whether the register is the approved one.
func (s *Standing) Stands() bool { return s.Approved != "" && s.Approved == s.Current }

// Says is a sentence for people who must know that the two differ.
func (s *Standing) Says(file string) string {
	return fmt.Sprintf("what decides in %s (people, quorum, silences, channels, watched accounts and groups) is not what was approved: now %s, approved %s (entry %d). Find out who changed it; or have it approved: halligan request register",
		file, shortDigest(s.Current), shortDigest(s.Approved), s.Since)
}

// shortDigest is enough of a digest for people to tell it by.
func shortDigest(d string) string {
	const most = 12
	short := strings.TrimPrefix(d, "sha256:")
	return short[:min(most, len(short))]
}

// Unapproved are sentences that tell what of the register is not what was approved.
// begun: something was approved once.
func (a *App) Unapproved(ctx context.Context) (out []string, begun bool, err error) {
	s, err := a.Standing(ctx)
	if err != nil || s.Approved == "" {
		return nil, false, err
	}
	if !s.Stands() {
		out = append(out, s.Says(a.RegisterName))
	}
	held, err := a.CustodyStanding(ctx)
	if err == nil && !held.Stands() {
		out = append(out, held.Says(a.RegisterName))
	}
	return out, true, err
}

// Standing compares the register with the log.
func (a *App) Standing(ctx context.Context) (*Standing, error) {
	s := &Standing{}
	_, s.Current = a.Register.Deciding()
	err := a.Ledger.View(ctx, func(v store.View) error {
		for e, err := range v.Find(evidence.KindRegister, "") {
			if err != nil {
				return err
			}
			s.Approved, s.Since = e.After, e.Index
		}
		_, err := a.know(v, a.Ledger.Identity().ID) // and all of it was approved
		return err
	})
	return s, err
}

// Record is something that was found or stated, to be put into the log.
type Record struct {
	Kind    evidence.Kind
	What    string
	On, Why string
	Before  string
	After   string
	Subject string // digest of the snapshot that it is about
	Data    any
}

// The marks of records.
const (
	MarkUnapproved = "register not approved"
)

// Record puts what was found or stated into the log. Nobody proves who they are
// for that: the account that ran the program stands in the entry, as an unsigned
// claim.
func (a *App) Record(ctx context.Context, records ...Record) ([]evidence.Entry, error) {
	standing, err := a.Standing(ctx)
	if err != nil {
		return nil, err
	}
	marks := []string{custody.MarkUnsigned}
	if !standing.Stands() {
		marks = append(marks, MarkUnapproved)
	}
	return a.Ledger.Append(ctx, func(v store.View) ([]evidence.Entry, error) {
		var out []evidence.Entry
		for _, r := range records {
			var data json.RawMessage
			if r.Data != nil {
				if data, err = json.Marshal(r.Data); err != nil {
					return nil, fmt.Errorf("record %s: %w", r.Kind, err)
				}
			}
			if r.Kind == evidence.KindAcceptedRisk && found(v, r.Kind, r.Subject) {
				continue // it is there, and has not changed
			}
			out = append(out, evidence.Entry{Kind: r.Kind, Tenant: a.tenant(), Who: []string{a.Account}, What: r.What, On: r.On, Why: r.Why,
				Before: r.Before, After: r.After, Subject: r.Subject, Marks: slices.Clone(marks), Data: data})
		}
		return out, nil
	})
}

func found(v store.View, kind evidence.Kind, subject string) bool {
	for _, err := range v.Find(kind, subject) {
		return err == nil
	}
	return false
}
