package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age/plugin"

	"halligan/custody"
	"halligan/entra"
	"halligan/evidence"
	"halligan/internal/store"
	"halligan/register"
	"halligan/seal"
)

// SealTask is an approved request to seal, before the secret is there.
type SealTask struct {
	Hash, On, Label, What string
	Form                  seal.Form
	Make                  *Made
	Void                  []seal.Void
	// Replaces are those of Void that a new secret makes void.
	Replaces []string
	Account  string // the name to sign in with
	Papers   int    // holders who get paper
	Seal     string // number of the seal at the file
	// Seals are the numbers of the envelopes, by the names of their holders.
	Seals    map[string]string
	Need     int
	Holders  []seal.Holder
	Announce []string // who is told when it is opened, in words
	reseals  string   // the set that is opened for it
	details  *sealDetails
}

// SealJob is how an approved request is carried out.
type SealJob struct {
	Out string // path of the file; it must not be there
	// Secret asks for the secret, or its two halves, unless one is made.
	Secret func(ctx context.Context, t *SealTask) ([]custody.Secret, error)
	// Reseals is the set that was opened for it, "" none.
	Reseals string
	Talk    *Talk
	// Put keeps the file at another place, too, once it is written.
	Put *register.Place

	tried string // hash of the request that was tried
}

// SealDone is what came of it. Papers and Secrets are for the caller to show and to
// wipe. With an error, too, when the file is there all the same.
type SealDone struct {
	*Done
	Sealed  *seal.Sealed
	Task    *SealTask
	Secrets []custody.Secret
}

// Wipe clears what is secret in it.
func (d *SealDone) Wipe() {
	for _, s := range d.Secrets {
		s.Wipe()
	}
	if d.Sealed != nil {
		for _, p := range d.Sealed.Papers {
			p.QR.Wipe()
			p.Words.Wipe()
		}
	}
}

// detailsOf are the details of a request to seal, unless the register or the log says
// something else.
func (a *App) detailsOf(k *known, p *custody.Pending) (*sealDetails, error) {
	if p.Request.What != custody.VerbSeal {
		return nil, &hinted{fmt.Errorf("request %s is to %s, not to seal", p.Request.Hash(), p.Request.What), "halligan request list"}
	}
	var d sealDetails
	if err := json.Unmarshal(p.Request.Details, &d); err != nil {
		return nil, fmt.Errorf("read the details of the request: %v", err)
	}
	now, err := a.sealing(d.wish())
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(now)
	if err == nil {
		text, err = entra.Canonical(text)
	}
	if err != nil {
		return nil, err
	}
	if err := a.toldAll(k, p, &d); err != nil {
		return nil, err
	}
	if string(text) != string(p.Request.Details) {
		return nil, &hinted{errors.New("the register does not say any more what was approved: a holder, a key, a line of managers or a channel has changed"), "compare the two (halligan request show), and ask anew"}
	}
	return &d, nil
}

// SealTask looks at an approved request to seal. It is refused as it would be when
// it is carried out.
func (a *App) SealTask(ctx context.Context, given string) (*SealTask, error) {
	var out *SealTask
	err := a.Ledger.View(ctx, func(v store.View) error {
		k, err := a.know(v, a.Ledger.Identity().ID)
		if err != nil {
			return err
		}
		p, _, err := k.pending(given)
		if err != nil {
			return err
		}
		law, err := a.law(k, p.Request.What, "")
		if err != nil {
			return err
		}
		if p.Request.What == custody.VerbSeal { // detailsOf refuses any other
			if _, err := law.Decide(p); err != nil {
				return err
			}
		}
		d, err := a.detailsOf(k, p)
		if err != nil {
			return err
		}
		out = &SealTask{details: d, Hash: p.Request.Hash(), On: p.Request.On, Label: d.Label, What: d.What, Form: d.Form, Make: d.Make, Void: d.Void, Replaces: d.Replaces, reseals: d.reseals(), Account: d.Name, Seal: d.Seal, Seals: map[string]string{}, Need: d.Need}
		told, err := a.announcements()
		if err != nil {
			return err
		}
		out.Announce = ChannelsOf(told)
		for i, h := range d.Holders {
			out.Holders = append(out.Holders, seal.Holder{Number: i + 1, Name: h.Name, Kind: h.Kind, Half: h.Half})
			if h.Kind == seal.KindPaper {
				out.Papers++
				out.Seals[h.Name] = h.Seal
			}
		}
		return nil
	})
	return out, err
}

// Seal carries out an approved request to seal: it takes or makes the secret, has
// the intent recorded, writes the file, reads it back and records what came of it.
func (a *App) Seal(ctx context.Context, given string, job *SealJob) (*SealDone, error) {
	task, err := a.SealTask(ctx, given)
	if err != nil {
		return nil, err
	}
	if task.reseals != job.Reseals {
		return nil, &hinted{errors.New("what was approved and what was opened are not the same set"), "a request with --reseals is for: halligan reseal FILE; any other for: halligan seal"}
	}
	if err := TakesSealed(job.Out); err != nil {
		return nil, err
	}
	if err := a.tryJob(task, job); err != nil {
		return nil, err
	}
	out := &SealDone{Task: task}
	if out.Secrets, err = a.secretsFor(ctx, task, job); err != nil {
		return nil, err
	}
	for _, s := range out.Secrets {
		if err := seal.CheckSecret(s); err != nil {
			out.Wipe()
			return nil, staysApproved(err)
		}
	}
	var putErr error // of the second copy; the file is sealed all the same
	out.Done, err = a.through(ctx, task.Hash, func(k *known, p *custody.Pending, _ *requestData) (*act, error) {
		d, err := a.detailsOf(k, p)
		if err != nil {
			return nil, err
		}
		plan, err := a.planOf(d, a.Now(), job.Talk)
		if err != nil {
			return nil, err
		}
		return &act{verb: p.Request.What, on: p.Request.On, why: p.Request.Why,
			effect: func(ctx context.Context) (*effect, error) {
				if out.Sealed, err = seal.Seal(a.Chance, plan, out.Secrets...); err != nil {
					return nil, err
				}
				said := &effect{after: out.Sealed.Digest, tells: sealTells(out.Sealed.Manifest, d)}
				if err := writeSealed(job.Out, out.Sealed.Bytes); err != nil {
					return said, err
				}
				if job.Put != nil {
					putErr = keepAt(ctx, job.Put, out.Sealed)
					said.tells["place"], said.tells["placeKeepsIt"] = job.Put.Name, putErr == nil
				}
				return said, nil
			},
			readBack: func(context.Context) (string, error) { return readBackSealed(job.Out) }}, nil
	})
	if f, readErr := ReadSealed(job.Out); err != nil && (out.Sealed == nil || readErr != nil || f.Digest != out.Sealed.Digest) {
		out.Wipe()
		if out.Done != nil {
			err = &UsedError{err}
		}
		return nil, err
	}
	return out, errors.Join(err, putErr) // a file that is there needs its papers, whatever became of the record
}

// TrySeal finds what would fail in carrying out an approved request to seal, before an
// old set is opened for it. Nothing is used or written.
func (a *App) TrySeal(ctx context.Context, given string, job *SealJob) error {
	task, err := a.SealTask(ctx, given)
	if err != nil {
		return err
	}
	return a.tryJob(task, job)
}

func (a *App) tryJob(task *SealTask, job *SealJob) error {
	if job.tried == task.Hash {
		return nil
	}
	if err := a.trySeal(task.details, job.Talk); err != nil {
		return staysApproved(err)
	}
	job.tried = task.Hash
	return nil
}

// trySeal seals something else in memory, to the same holders in the same form, and
// throws it away: what would fail is told before a secret is asked for and before the
// request is used.
func (a *App) trySeal(d *sealDetails, talk *Talk) error {
	plan, err := a.planOf(d, a.Now(), talk)
	if err != nil {
		return err
	}
	trial := []custody.Secret{custody.NewSecret([]byte("trial"))}
	if d.Form == seal.FormHalves {
		trial = append(trial, trial[0])
	}
	sealed, err := seal.Seal(a.Chance, plan, trial...)
	if sealed != nil {
		(&SealDone{Sealed: sealed}).Wipe()
	}
	missing, is := errors.AsType[*plugin.NotFoundError](err)
	if !is {
		return err
	}
	program := "age-plugin-" + missing.Name
	whose := ""
	for _, h := range plan.Holders {
		if r, is := h.Recipient.(*plugin.Recipient); is && r.Name() == missing.Name {
			whose = " of " + h.Name
		}
	}
	return &hinted{fmt.Errorf("seal to the receiving key%s: the program %.60s that it takes is not on this machine", whose, program), "install it where programs are found (PATH), or seal on a machine that has it"}
}

// staysApproved says that nothing was used up.
func staysApproved(err error) error {
	hint := "the request stays approved: mend it, and give the command again"
	if inner, is := errors.AsType[interface {
		error
		Hint() string
	}](err); is && inner.Hint() != "" {
		hint = inner.Hint() + "; the request stays approved"
	}
	return &hinted{err, hint}
}

// secretsFor are the secret, or its halves: made, or asked for.
func (a *App) secretsFor(ctx context.Context, t *SealTask, job *SealJob) ([]custody.Secret, error) {
	if t.Make == nil || job.Reseals != "" {
		return job.Secret(ctx, t)
	}
	made, err := seal.Make(a.Chance, seal.AlphabetOf(t.Make.Alphabet), t.Make.Length)
	if err != nil || t.Form != seal.FormHalves {
		return []custody.Secret{made}, err
	}
	whole := made.Reveal()
	half := len(whole) / 2
	return []custody.Secret{custody.NewSecret(whole[:half:half]), custody.NewSecret(whole[half:])}, nil
}

// sealedSet is what the log knows of a set.
type sealedSet struct {
	files []string // digests
	opens opensSet
	// account is of the register when it was sealed, by id or name; on is when.
	account, what string
	on            time.Time
	index         uint64 // of the entry
	// void says why it is void, "" it is not; voidOn since when.
	void   string
	voidOn time.Time
}

// outcomeOfSeal is what an outcome tells of a set that was sealed; "" nothing that is
// relied on.
type outcomeOfSeal struct {
	Set, Voids, Result string
	Replaces           []string
	Account, What      string
	opensSet
}

// voids are the sets that are void since, and whether another secret is in their place.
func (d *outcomeOfSeal) voids() (ids []string, anew bool) {
	if len(d.Replaces) > 0 {
		return d.Replaces, true
	}
	if d.Voids != "" {
		ids = []string{d.Voids}
	}
	return ids, false
}

func sealedBy(e *evidence.Entry) (d outcomeOfSeal, is bool) {
	foreign := slices.Contains(e.Marks, MarkSide) && slices.Contains(e.Marks, custody.MarkUnsigned) // whoever wrote it could say anything
	is = !foreign && e.What == string(custody.VerbSeal) && json.Unmarshal(e.Data, &d) == nil && d.Result == "done"
	return d, is
}

func setKey(id string) string { return strings.ToLower(strings.TrimSpace(id)) }

// set is what the log knows of a set; nil nothing.
func (h *Held) set(id string) *sealedSet {
	if h == nil || setKey(id) == "" {
		return nil
	}
	return h.sets[setKey(id)]
}

// sealed reads which file was sealed for each set, and which sets are void.
func (h *Held) sealed(v store.View) error { return h.sealedBefore(v, math.MaxUint64) }

// sealedBefore reads it as it was before an entry.
func (h *Held) sealedBefore(v store.View, end uint64) error {
	of := func(id string) *sealedSet {
		if h.sets[setKey(id)] == nil {
			h.sets[setKey(id)] = &sealedSet{}
		}
		return h.sets[setKey(id)]
	}
	for e, err := range v.Find(evidence.KindOutcome, "") {
		if err != nil {
			return err
		}
		d, is := sealedBy(&e)
		if !is || d.Set == "" || e.Index >= end {
			continue
		}
		s := of(d.Set)
		s.files, s.opens, s.account, s.what, s.on, s.index = append(s.files, e.After), d.opensSet, d.Account, d.What, e.Time, e.Index
		if what, account, is := strings.Cut(e.On, " of account "); is && s.account == "" { // as it was recorded before
			s.account, s.what = account, what
		}
		ids, anew := d.voids()
		for _, id := range ids {
			of(id).void, of(id).voidOn = tookPlace(d.Set, id, e.Index, anew), e.Time
		}
	}
	return nil
}

// Resealable refuses to seal anew what is in a file that the log speaks against: another
// file was sealed for its set, so that what is inside may be another secret; or another
// set took its place. A set that the log has not sealed is not refused: it may be of
// before the log, and approvers read its name.
func (a *App) Resealable(ctx context.Context, f *seal.File) error {
	h := &Held{sets: map[string]*sealedSet{}}
	if err := a.Ledger.View(ctx, h.sealed); err != nil {
		return fmt.Errorf("look up set %s: %w", f.Manifest.Set, err)
	}
	s := h.set(f.Manifest.Set)
	switch {
	case s == nil:
	case s.void != "":
		return &hinted{fmt.Errorf("seal set %s anew: %s", f.Manifest.Set, s.void), "seal the newer set anew; where that is lost, open this one (halligan open) and seal its secret as a new one (halligan request seal)"}
	case !slices.ContainsFunc(s.files, func(file string) bool { return strings.EqualFold(file, f.Digest) }):
		return &hinted{fmt.Errorf("seal set %s anew: another file was sealed for it, by the SHA-256 of the log", f.Manifest.Set), "somebody may have replaced this file: treat it as an incident, and take another copy"}
	}
	return nil
}

// wrongWithSet says what is wrong with the sealed file of a part, by what the log has
// of its set.
func (h *Held) wrongWithSet(p *register.Part, l *Look) []string {
	var out []string
	s := h.set(p.Set)
	if s != nil && s.void != "" {
		out = append(out, s.void)
	}
	switch file := Digest(l.File); {
	case setKey(p.Set) == "" || file == "":
	case s == nil || len(s.files) == 0:
		out = append(out, "the log has not sealed the set that is recorded for the part, so whether this is its file is not known")
	case !slices.ContainsFunc(s.files, func(f string) bool { return strings.EqualFold(f, file) }):
		out = append(out, "the sealed file is not the one that was sealed for its set: somebody may have replaced it")
	}
	return out
}

// sealTells is what the evidence has of a set: nothing that opens it.
func sealTells(m *seal.Manifest, d *sealDetails) map[string]any {
	shares := map[string]string{}
	for _, h := range m.Holders {
		if h.Share != "" {
			shares[h.Name] = h.Share
		}
	}
	opens := opensOf(m)
	out := map[string]any{"set": m.Set, "form": opens.Form, "need": opens.Need, "holders": opens.Holders, "account": string(d.Account), "what": d.What}
	if len(opens.Pairs) > 0 {
		out["pairs"] = opens.Pairs
	}
	if len(shares) > 0 {
		out["shares"] = shares
	}
	if id := d.reseals(); id != "" {
		out["voids"] = id
	}
	if len(d.Replaces) > 0 {
		out["replaces"] = d.Replaces
	}
	return out
}

// TakesSealed looks whether a sealed file can be written, before somebody gives a
// secret for it and before the request is used: nothing is of that name, and its
// folder takes a file.
func TakesSealed(path string) error {
	_, err := os.Lstat(path)
	if err == nil {
		return &hinted{fmt.Errorf("seal into %s: there is something of that name", path), "give a new name: what is sealed is never written over"}
	}
	folder := filepath.Dir(path)
	var file *os.File
	if errors.Is(err, fs.ErrNotExist) {
		if file, err = os.CreateTemp(folder, sealedPart); err == nil {
			err = errors.Join(file.Close(), os.Remove(file.Name()))
		}
	}
	if err == nil {
		return nil
	}
	hint := "give a folder in which you may write; the request stays approved"
	if _, none := os.Stat(folder); errors.Is(none, fs.ErrNotExist) {
		hint = "make the folder " + folder + ", or give another; the request stays approved"
	}
	return &hinted{fmt.Errorf("seal into %s: %w", path, err), hint}
}

// sealedPart is what a file is called while it is written.
const sealedPart = ".halligan-*"

// writeSealed writes a file that was not there, for its owner alone, in one step.
func writeSealed(path string, data []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), sealedPart) // mode 0600
	if err != nil {
		return fmt.Errorf("write the sealed file: %w", err)
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Sync(), file.Close())
	if err == nil {
		// A second name fails where the first is taken; a stick may have no second names.
		if err = os.Link(file.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
			if _, there := os.Lstat(path); errors.Is(there, fs.ErrNotExist) {
				return os.Rename(file.Name(), path)
			}
		}
	}
	err = errors.Join(err, os.Remove(file.Name()))
	if err != nil {
		return fmt.Errorf("write the sealed file: %w", err)
	}
	return syncFolder(filepath.Dir(path))
}

// keepAt keeps a sealed file at a place outside, and looks what is there, where the
// place has a command for it.
func keepAt(ctx context.Context, p *register.Place, s *seal.Sealed) error {
	if err := PutSealed(ctx, p, s.Bytes); err != nil || len(p.Get) == 0 {
		return err
	}
	data, err := GetSealed(ctx, p)
	if err == nil && register.DigestOf(data) != s.Digest {
		err = &hinted{fmt.Errorf("put the sealed file at %s: it gives something else back", p.Name), "the file here is sealed; try both commands of the place by hand"}
	}
	return err
}

// readBackSealed is the digest of the file that was written, "" when there is none.
func readBackSealed(path string) (string, error) {
	f, err := ReadSealed(path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	return f.Digest, nil
}

// ReadSealed reads a sealed file that is whole.
func ReadSealed(path string) (*seal.File, error) { return readSealed(path, seal.Parse) }

// ReadSealedToOpen reads one of which something that is not needed may be damaged.
func ReadSealedToOpen(path string) (*seal.File, error) { return readSealed(path, seal.ParseToOpen) }

func readSealed(path string, parse func([]byte) (*seal.File, error)) (*seal.File, error) {
	data, err := readMost(path, seal.FileMost)
	if err != nil {
		return nil, fmt.Errorf("read the sealed file: %w", err)
	}
	f, err := parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// mostVoid is how many void sets a file goes on to name: people read them all.
const mostVoid = 12

// VoidOf is a set as it stands among the void ones, behind the latest of those that
// were void before it.
func VoidOf(f *seal.File, day string) []seal.Void {
	m := &f.Manifest
	v := seal.Void{Set: m.Set, On: day}
	for _, h := range m.Holders {
		v.Holders = append(v.Holders, h.Name)
	}
	all := append(slices.Clone(m.Voided), v)
	return all[max(0, len(all)-mostVoid):]
}
