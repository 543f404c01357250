package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hiddeco/sshsig"

	"halligan/custody"
	"halligan/entra"
	"halligan/evidence"
	"halligan/internal/store"
	"halligan/register"
	"halligan/seal"
)

// OpeningNamespace is the domain of signatures under the record of an opening
// (OpenSSH PROTOCOL.sshsig). A signature under a request is none of these.
const OpeningNamespace = "halligan-opening@v1"

// Opening is the record of an opening. It holds nothing that was sealed.
type Opening struct {
	Set, File   string // of the set, and SHA-256 of the file
	Label, What string
	Openers     []string // whose keys or shares opened it, by the file
	Altered     []string
	At          time.Time
	Why         string
	Account     string // who ran the program
	Signatures  []string
}

// openingData is the data of an entry about an opening.
type openingData struct {
	Set        string   `json:"set"`
	Openers    []string `json:"openers"`
	Altered    []string `json:"altered,omitempty"`
	Text       string   `json:"text"`
	Signatures []string `json:"signatures,omitempty"`
}

// OpeningOf is the record of an opening.
func OpeningOf(f *seal.File, o *seal.Opened, at time.Time, why, account string) *Opening {
	return &Opening{Set: o.Set, File: f.Digest, Label: f.Manifest.Label, What: f.Manifest.What, Openers: o.Openers, Altered: o.Altered, At: at.UTC().Truncate(time.Second), Why: why, Account: account}
}

// Text is what the openers sign.
func (o *Opening) Text() []byte {
	return openingText(o.Set, o.File, o.on(), o.Openers, o.Why, o.At)
}

// on is what was opened, as its entry has it.
func (o *Opening) on() string { return o.What + " of " + o.Label }

func openingText(set, file, on string, openers []string, why string, at time.Time) []byte {
	return fmt.Appendf(nil, "I opened this:\n\nset       %s\nfile      %s\nwhat      %s\nwith      %s\nwhy       %s\nat        %s\n",
		custody.Visible(set), custody.Visible(file), custody.Visible(on), custody.Visible(strings.Join(openers, ", ")), custody.Visible(why), at.UTC().Format(time.RFC3339))
}

// Entry is the record as an entry of the log. Without a register the openers are
// claimed by the file alone.
func (o *Opening) Entry(r *register.Register) (evidence.Entry, error) {
	data, err := json.Marshal(openingData{o.Set, o.Openers, o.Altered, string(o.Text()), o.Signatures})
	if err != nil {
		return evidence.Entry{}, err
	}
	e := evidence.Entry{Kind: evidence.KindOpened, Tenant: r.Or().Tenant.ID, Time: o.At, Who: []string{o.Account}, What: "open a sealed credential", On: o.on(), Why: o.Why, Subject: o.File, Data: data}
	judgeOpening(r, &e)
	return e, nil
}

// MarkOtherOpening is on the record of an opening under which there are signatures of
// another one.
const MarkOtherOpening = "what was signed is another opening"

// judgeOpening says who stands for the record of an opening: the people of the
// register whose signatures verify, under the text of this very record. Without one it
// is an unsigned claim.
func judgeOpening(r *register.Register, e *evidence.Entry) {
	var d openingData
	e.Marks = slices.DeleteFunc(slices.Clone(e.Marks), func(m string) bool { return m == custody.MarkUnsigned || m == MarkOtherOpening })
	var who []string
	if json.Unmarshal(e.Data, &d) == nil && len(d.Signatures) > 0 {
		text := string(openingText(d.Set, e.Subject, e.On, d.Openers, e.Why, e.Time))
		if d.Text != text {
			e.Marks, d.Signatures = append(e.Marks, MarkOtherOpening), nil
		}
		for _, s := range d.Signatures {
			if name := openerOf(r, text, s); name != "" && !slices.Contains(who, name) {
				who = append(who, name)
			}
		}
	}
	if len(who) == 0 {
		e.Marks = append(e.Marks, custody.MarkUnsigned)
		return
	}
	e.Who = who
}

// openerOf is whose signature it is, "" nobody's of the register.
func openerOf(r *register.Register, text, armoured string) string {
	s, err := custody.ParseSSHSignature(armoured)
	if err != nil {
		return ""
	}
	for _, p := range r.Or().People {
		key, err := register.ParseSigningKey(p.Signing)
		if err != nil || !bytes.Equal(key.Marshal(), s.PublicKey.Marshal()) {
			continue
		}
		if strings.HasPrefix(key.Type(), "sk-") && (len(s.Signature.Rest) != 5 || s.Signature.Rest[0]&1 == 0) {
			return "" // nobody touched it
		}
		if sshsig.Verify(strings.NewReader(text), s, key, s.HashAlgorithm, OpeningNamespace) == nil {
			return p.Name
		}
	}
	return ""
}

// RecordOpening puts an opening into the log, and says what the log knows of the set:
// "" nothing against it.
func (a *App) RecordOpening(ctx context.Context, o *Opening) (index uint64, against string, err error) {
	entries, err := a.Ledger.Append(ctx, func(v store.View) ([]evidence.Entry, error) {
		e, err := o.Entry(a.approvedPeople(v))
		if err != nil {
			return nil, err
		}
		e.Tenant = a.tenant()
		against, err = againstSet(v, o)
		return []evidence.Entry{e}, err
	})
	if err != nil {
		return 0, "", fmt.Errorf("record the opening: %w", err)
	}
	return entries[0].Index, against, nil
}

// approvedPeople is the deciding part that was approved last, nil when there is none
// that can be believed.
func (a *App) approvedPeople(v store.View) *register.Register {
	k, err := a.know(v, a.Ledger.Identity().ID)
	if err != nil || k.approved == "" {
		return nil
	}
	r, err := register.FromDeciding(k.rules)
	if err != nil {
		return nil
	}
	return r
}

// againstSet looks up what became of a set.
func againstSet(v store.View, o *Opening) (string, error) {
	known, next := false, successors{}
	for e, err := range v.Find(evidence.KindOutcome, "") {
		if err != nil {
			return "", err
		}
		d, is := sealedBy(&e)
		if !is {
			continue
		}
		next.take(&d, e.Index)
		if setKey(d.Set) == setKey(o.Set) {
			known = known || e.After == o.File
		}
	}
	if void := next.against(o.Set); void != "" {
		return void, nil
	}
	if !known {
		return "this file is not one that the log knows, by its SHA-256: somebody may have replaced it", nil
	}
	return "", nil
}

// recordTime is how long the log may take to answer before a side log takes its place.
const recordTime = 4 * time.Second

// openDetails are the details of a request to open what is sealed: which file.
type openDetails struct {
	Set     string   `json:"set"`
	File    string   `json:"file"` // SHA-256
	Need    int      `json:"need"`
	Holders []string `json:"holders"`
}

// OpenSubject is a sealed file as a Question has it.
func OpenSubject(f *seal.File) (string, error) {
	m := &f.Manifest
	d := openDetails{Set: m.Set, File: f.Digest, Need: m.Need}
	for _, h := range m.Holders {
		d.Holders = append(d.Holders, h.Name)
	}
	text, err := json.Marshal(map[string]any{"on": m.What + " of " + m.Label, "details": d})
	return string(text), err
}

func proposeOpen(_ *App, _ *known, subject string) (string, json.RawMessage, string, error) {
	var s struct {
		On      string      `json:"on"`
		Details openDetails `json:"details"`
	}
	if err := json.Unmarshal([]byte(subject), &s); err != nil {
		return "", nil, "", fmt.Errorf("read what is to be opened: %v", err)
	}
	details, err := json.Marshal(s.Details)
	return s.On, details, "", err
}

// openTold refuses a request to open that is of another file, or tells another thing of
// this one than stands in it.
func (a *App) openTold(p *custody.Pending, f *seal.File) error {
	var d openDetails
	if err := json.Unmarshal(p.Request.Details, &d); p.Request.What != custody.VerbOpen || err != nil || d.File != f.Digest || d.Set != f.Manifest.Set {
		return &hinted{errors.New("open by a request: another file was approved than this one"), "compare the SHA-256 with the request (halligan request show)"}
	}
	subject, err := OpenSubject(f)
	if err != nil {
		return err
	}
	on, details, _, err := proposeOpen(a, nil, subject)
	if err == nil {
		details, err = entra.Canonical(details) // as in a request
	}
	if err != nil {
		return err
	}
	if told := on == p.Request.On && bytes.Equal(details, p.Request.Details); !told && !a.trusting() {
		return &custody.Refusal{Reason: custody.ReasonUntold, Detail: fmt.Sprintf("what was approved is %.120q, and the file is %.120q; or its holders are told otherwise", p.Request.On, custody.Visible(on))}
	}
	return nil
}

// OpenApproved opens a sealed file by an approved request: the intent stands in the
// evidence before anything is decrypted. In an emergency nobody waits for that, and
// an opening without a request is recorded as one.
func (a *App) OpenApproved(ctx context.Context, given string, f *seal.File, open func() (*seal.Opened, error)) (*seal.Opened, *Done, error) {
	var opened *seal.Opened
	done, err := a.through(ctx, given, func(_ *known, p *custody.Pending, _ *requestData) (*act, error) {
		if err := a.openTold(p, f); err != nil {
			return nil, err
		}
		return &act{verb: p.Request.What, on: p.Request.On, why: p.Request.Why, before: f.Digest,
			effect: func(context.Context) (_ *effect, err error) {
				if opened, err = open(); err != nil {
					return nil, err
				}
				return &effect{after: f.Digest, tells: map[string]any{"set": opened.Set, "openers": opened.Openers, "opened": true}}, nil
			},
			readBack: func(context.Context) (string, error) { return f.Digest, nil }, // it stays as it is
		}, nil
	})
	if opened == nil && done != nil {
		err = &UsedError{err}
	}
	if opened == nil {
		return nil, nil, err
	}
	return opened, done, err
}

// Kept is where the record of an opening is.
type Kept struct {
	Where string // for people
	// Against is what the log knows against the file, "" nothing.
	Against string
	// InLog: it is in the log, and not beside it.
	InLog bool
}

// KeepOpening records an opening by the first of several ways that answers in time: in
// the log, else beside it. Nothing waits for a store or a disk that hangs; what hangs
// ends with the program. A way may be nil.
func KeepOpening(ctx context.Context, ways ...func(ctx context.Context) (Kept, error)) (Kept, error) {
	var wrong []error
	for _, way := range ways {
		if way == nil {
			continue
		}
		kept, err := Within(ctx, way)
		if err == nil {
			return kept, nil
		}
		wrong = append(wrong, err)
	}
	return Kept{}, errors.Join(wrong...)
}

// ErrNoAnswer is for what did not answer in the time that an opening gives it.
var ErrNoAnswer = errors.New("there was no answer in time")

// Within runs work for an opening, and goes on without it when it takes too long or ctx
// ends. Work that is left behind ends with the program: it must keep to itself what it
// changes.
func Within[T any](ctx context.Context, work func(ctx context.Context) (T, error)) (T, error) {
	return inTime(ctx, recordTime, work)
}

// signTime is how long a person may take to sign the record of an opening: a passphrase
// or a PIN, and a touch.
const signTime = time.Minute

// SignedWithin is Within for a signature, which waits for a person.
func SignedWithin(ctx context.Context, work func(ctx context.Context) (Signature, error)) (Signature, error) {
	return inTime(ctx, signTime, work)
}

func inTime[T any](ctx context.Context, most time.Duration, work func(ctx context.Context) (T, error)) (T, error) {
	ctx, cancel := context.WithTimeout(ctx, most)
	defer cancel()
	type answer struct {
		given T
		err   error
	}
	answers := make(chan answer, 1) // who comes too late finds room, and ends
	go func() {
		given, err := work(ctx)
		answers <- answer{given, err}
	}()
	select {
	case a := <-answers:
		return a.given, a.err
	case <-ctx.Done():
		return *new(T), ErrNoAnswer
	}
}
