package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/store"
	"halligan/register"
)

// Who holds what where stands in halligan.yaml, and the log knows the digest of that
// part as it was last approved. A change passes the corridor: the approvers read it
// line by line, the file is edited, read back, and the new digest recorded. Somebody
// who edits the file alone changes what it says and not what the log knows: reading
// commands tell, and no further change is made before that one is approved or undone.

// RegisterFile is halligan.yaml as a file.
type RegisterFile interface {
	Read() ([]byte, error)
	// Edit replaces the file as a whole or not at all, under its lock.
	Edit(ctx context.Context, edit func(text []byte) ([]byte, error)) error
}

// CustodyChange is one change of custody. Which of its fields count, its verb says.
type CustodyChange struct {
	// Add is a part that is written down (VerbCustody), Place a place.
	Add   *register.Part  `json:"add,omitempty"`
	Place *register.Place `json:"place,omitempty"`
	// Combination is a place whose combination was changed, on the day Since.
	Combination string `json:"combination,omitempty"`
	// Part is moved to To, under Seal, or handed over to Holder. What is empty
	// stays; Unsealed takes the seal away.
	Part     string       `json:"part,omitempty"`
	To       string       `json:"to,omitempty"`
	Seal     string       `json:"seal,omitempty"`
	Unsealed bool         `json:"unsealed,omitempty"`
	Holder   string       `json:"holder,omitempty"`
	Since    register.Day `json:"since,omitempty"`
}

// Question makes a question of a change; the zero change asks for what halligan.yaml
// says already.
func (c *CustodyChange) Question(q Question) (Question, error) {
	text, err := json.Marshal(c)
	q.On = string(text)
	return q, err
}

// custodyDetails are the details of a request about custody.
type custodyDetails struct {
	From    string   `json:"from,omitempty"` // digest of the custody part that is recorded
	To      string   `json:"to"`
	Changes []string `json:"changes"`
	custody.Handing
	// Notes are what approvers must know.
	Notes []string `json:"notes,omitempty"`
	// Alone says who could open an account alone then, and could not before. It is
	// worked out anew when somebody approves it and when it is carried out; not when
	// the log is read, since later rules may find more.
	Alone []string `json:"alone,omitempty"`
}

// custodyData is the data of an entry about custody.
type custodyData struct {
	Custody string `json:"custody"` // as register.Custody wrote it
}

// custodied is what a fold knows of custody.
type custodied struct {
	held     string // digest of the custody part that is recorded; "" before the first
	heldText []byte
	heldAt   uint64
	begun    map[string]bool // requests about custody whose intent was found good and that have no outcome
}

// noCustody is the digest of a register that holds nothing.
var _, noCustody = (&register.Register{}).Custody()

// recorded reports whether the custody part of a register is the one that the log
// knows. Before anything is recorded, that is one without parts and places.
func (c *custodied) recorded(digest string) bool { return digest == cmp.Or(c.held, noCustody) }

func custodyDeed(verb custody.Verb) deed {
	return deed{
		propose: func(a *App, k *known, subject string) (string, json.RawMessage, string, error) {
			return proposeCustody(a, k, verb, subject)
		},
		prepare: prepareCustody,
	}
}

// UnrecordedError is for a custody part of halligan.yaml that the log does not know.
type UnrecordedError struct{ Name string }

func (e *UnrecordedError) Error() string {
	return fmt.Sprintf("the parts, places and accounts in %s are not what was last approved", e.Name)
}

// Hint says what to do next.
func (*UnrecordedError) Hint() string {
	return "find out who changed them (halligan custody list); undo that, or have them approved as they stand: halligan request custody"
}

func proposeCustody(a *App, k *known, verb custody.Verb, subject string) (string, json.RawMessage, string, error) {
	var c CustodyChange
	if subject != "" {
		if err := json.Unmarshal([]byte(subject), &c); err != nil {
			return "", nil, "", fmt.Errorf("read the change: %v", err)
		}
	}
	_, is := a.Register.Custody()
	asItStands := c == CustodyChange{}
	switch {
	case asItStands && k.recorded(is):
		return "", nil, "", &hinted{errors.New("the parts, places and accounts in the register are what was last approved"), "write places and parts into halligan.yaml first; or halligan custody add, move, hand-over"}
	case !asItStands && !k.recorded(is):
		return "", nil, "", &UnrecordedError{a.RegisterName}
	}
	on, want, err := custodyWanted(a, verb, &c)
	if err != nil {
		return "", nil, "", err
	}
	text, to := want.Custody()
	if len(text) > evidence.MaxLine/2 {
		fit := len(want.Parts) * (evidence.MaxLine / 2) / len(text)
		return "", nil, "", &hinted{fmt.Errorf("the %d parts, with places and accounts, take %d bytes, and one entry of the evidence holds %d: about %d parts like these", len(want.Parts), len(text), evidence.MaxLine/2, fit),
			"take out parts that are no longer there, and shorten names; or keep some accounts with their parts in another halligan.yaml, with a log of its own"}
	}
	change, err := custodyBetween(k.heldText, text)
	if err != nil {
		return "", nil, "", err
	}
	if wrong := change.fits(verb); wrong != "" {
		return "", nil, "", &hinted{errors.New(wrong), "halligan custody --help"}
	}
	// What the file would refuse is told before anybody signs.
	if !asItStands && a.File != nil {
		file, err := a.File.Read()
		if err == nil {
			_, err = change.apply(file)
		}
		if err != nil {
			return "", nil, "", err
		}
	}
	d := custodyDetails{From: k.held, To: to, Changes: change.lines(), Handing: change.handing()}
	if d.Notes, err = change.notes(text); err != nil {
		return "", nil, "", err
	}
	if d.Alone, err = alone(k.heldText, text); err != nil {
		return "", nil, "", err
	}
	details, err := json.Marshal(d)
	if err == nil && len(details) > mostDetails {
		fit := max(1, len(d.Changes)*mostDetails/len(details)-1)
		err = &hinted{fmt.Errorf("the change has %d lines, and a request holds about %d like these: people read all of them before they approve", len(d.Changes), fit),
			fmt.Sprintf("in steps: put a # before all but about %d of the new parts in halligan.yaml, halligan request custody, have it approved; then take the # from the next ones, and ask again", fit)}
	}
	return on, details, string(text), err
}

// custodyWanted is the register as a change makes it, and what the change is about.
func custodyWanted(a *App, verb custody.Verb, c *CustodyChange) (on string, want *register.Register, err error) {
	r := *a.Register.Or()
	r.Parts, r.Places = slices.Clone(r.Parts), slices.Clone(r.Places)
	switch {
	case verb == custody.VerbCustody && c.Add != nil:
		r.Parts = append(r.Parts, *c.Add)
		return "part " + r.PartNames()[len(r.Parts)-1], &r, nil
	case verb == custody.VerbCustody && c.Place != nil:
		r.Places = append(r.Places, *c.Place)
		return "place " + c.Place.Name, &r, nil
	case verb == custody.VerbCustody && c.Combination != "":
		p := r.Place(c.Combination)
		if p == nil {
			return "", nil, noPlace(&r, c.Combination)
		}
		p.CombinationChanged = c.Since
		return "place " + p.Name, &r, nil
	case verb == custody.VerbCustody:
		return "halligan.yaml, parts and places", &r, nil
	}
	i, err := r.FindPart(c.Part)
	if err != nil {
		return "", nil, err
	}
	p := &r.Parts[i]
	on = "part " + r.PartNames()[i]
	if c.To != "" {
		if r.Place(c.To) == nil {
			return "", nil, noPlace(&r, c.To)
		}
		p.Place = c.To
	}
	if c.Holder != "" {
		who, err := a.person(c.Holder)
		if err != nil {
			return "", nil, err
		}
		p.Holder = who.Name
	}
	p.Seal, p.Since = cmp.Or(c.Seal, p.Seal), cmp.Or(c.Since, p.Since)
	if c.Unsealed {
		p.Seal = ""
	}
	return on, &r, nil
}

// noPlace is the error for a name that no place has.
func noPlace(r *register.Register, name string) error {
	var all []string
	for _, p := range r.Places {
		all = append(all, p.Name)
	}
	hint := "halligan custody list shows the places; halligan custody place NAME writes one down"
	if near := register.Nearest(name, all); near != "" {
		hint = fmt.Sprintf("did you mean %q?", near)
	}
	return &hinted{fmt.Errorf("the register has no place %.80q", name), hint}
}

// checkCustody looks at a change of custody as its approvers must be able to rely on:
// the lines that they read are the change, it is of the kind that its verb says,
// those who receive are named, and nothing came between.
func checkCustody(f *fold, p *custody.Pending, data *requestData) (*custodyDetails, *custodyDiff, error) {
	var d custodyDetails
	if err := json.Unmarshal(p.Request.Details, &d); err != nil {
		return nil, nil, fmt.Errorf("read the details of the request: %v", err)
	}
	if register.DigestOf([]byte(data.Proposal)) != d.To {
		return nil, nil, &custody.Refusal{Reason: custody.ReasonOther, Detail: "what it would bring about does not have the digest that was approved"}
	}
	if d.From != f.held {
		return nil, nil, &hinted{errors.New("another change of what is held where was approved meanwhile"), "look at halligan custody list, and ask anew"}
	}
	change, err := custodyBetween(f.heldText, []byte(data.Proposal))
	if err != nil {
		return nil, nil, err
	}
	notes, err := change.notes([]byte(data.Proposal))
	if err != nil {
		return nil, nil, err
	}
	lying := change.fits(p.Request.What)
	if h := change.handing(); lying == "" && (!slices.Equal(d.Notes, notes) || !slices.Equal(d.Changes, change.lines()) || !slices.Equal(d.Receivers, h.Receivers) || !slices.Equal(d.Holders, h.Holders)) {
		lying = "the request does not tell the change that it would bring about"
	}
	if lying != "" {
		return nil, nil, errLying(lying)
	}
	return &d, change, nil
}

// errLying is for a request that does not tell what it would bring about.
func errLying(what string) error {
	return &hinted{errors.New(what), "do not approve it. Ask who made it; it is meant to look like another"}
}

// checkCustodyNow is checkCustody for somebody who is about to approve a change or to
// carry it out: who could open an account alone then must stand in it, too.
func checkCustodyNow(f *fold, p *custody.Pending, data *requestData) (*custodyDetails, *custodyDiff, error) {
	d, change, err := checkCustody(f, p, data)
	if err != nil {
		return nil, nil, err
	}
	opens, err := alone(f.heldText, []byte(data.Proposal))
	if err == nil && !slices.Equal(d.Alone, opens) {
		err = errLying("the request does not tell who could open an account alone once it is carried out")
	}
	return d, change, err
}

func reliedCustody(_ *App, k *known, p *custody.Pending, data *requestData) error {
	_, _, err := checkCustodyNow(k.fold, p, data)
	return err
}

func prepareCustody(a *App, k *known, p *custody.Pending, data *requestData) (*act, error) {
	d, change, err := checkCustodyNow(k.fold, p, data)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(custodyData{Custody: data.Proposal})
	if err != nil {
		return nil, err
	}
	_, is := a.Register.Custody()
	w := &act{before: is, entries: []evidence.Entry{{Kind: evidence.KindCustody, Tenant: p.Request.Tenant, What: string(p.Request.What), On: p.Request.On, Why: p.Request.Why,
		Before: d.From, After: d.To, Subject: p.Request.Hash(), Data: text}}}
	switch {
	case is == d.To:
		return w, nil // the file says so already
	case !k.recorded(is):
		return nil, &UnrecordedError{a.RegisterName}
	case a.File == nil:
		return nil, &hinted{errors.New("halligan.yaml is not at hand to be changed"), "carry it out where the register is: halligan request carry-out"}
	}
	w.effect = func(ctx context.Context) (*effect, error) {
		return &effect{after: d.To}, a.File.Edit(ctx, func(text []byte) ([]byte, error) { return a.editCustody(k, text, is, change) })
	}
	w.readBack = func(context.Context) (string, error) {
		text, err := a.File.Read()
		if err != nil {
			return "", fmt.Errorf("read the register back: %w", err)
		}
		r, err := ReadRegister(a.RegisterName, text)
		if err != nil {
			return "", err
		}
		a.Register = r
		_, digest := r.Custody()
		return digest, nil
	}
	return w, nil
}

// editCustody makes a change in the text of a register, which must still be the one
// that it was approved for.
func (a *App) editCustody(k *known, text []byte, before string, change *custodyDiff) ([]byte, error) {
	r, err := ReadRegister(a.RegisterName, text)
	if err != nil {
		return nil, err
	}
	_, custodyNow := r.Custody()
	if _, deciding := r.Deciding(); custodyNow != before || deciding != k.approved && !k.lenient() {
		return nil, &hinted{errors.New("the register has changed while this was carried out, and nothing was written"), "look at it, and ask anew"}
	}
	return change.apply(text)
}

// custody believes a custody part that an approved act carries, and of which the
// approvers read every line. The act has changed a file meanwhile, so that its intent
// need not stand just before.
func (f *fold) custody(e *evidence.Entry) string {
	var d custodyData
	if err := json.Unmarshal(e.Data, &d); err != nil || register.DigestOf([]byte(d.Custody)) != e.After {
		return "the custody part does not have its digest"
	}
	one := f.requests[e.Subject]
	if !f.lenient() {
		if one == nil || !f.begun[e.Subject] || one.data.Proposal != d.Custody {
			return "a custody part that nobody approved"
		}
		want, _, err := checkCustody(f, one.pending, &one.data)
		if err != nil {
			return err.Error()
		}
		if want.To != e.After {
			return "another custody part than the one that was approved"
		}
	}
	delete(f.begun, e.Subject)
	f.held, f.heldText, f.heldAt = e.After, []byte(d.Custody), e.Index
	return ""
}

// CustodyStanding says whether the parts and places of the register are those that
// were last approved.
type CustodyStanding struct {
	Recorded string `json:"recorded"` // digest; "" when none ever was
	Current  string `json:"current"`
	Since    uint64 `json:"since"` // entry
	// Changes are what the file says otherwise, in lines.
	Changes []string `json:"changes"`
}

// Stands reports whether they are. A register without parts and places of which
// nothing was recorded stands, too.
func (s *CustodyStanding) Stands() bool { return s.Current == cmp.Or(s.Recorded, noCustody) }

// CustodyStanding compares the register with the log.
func (a *App) CustodyStanding(ctx context.Context) (*CustodyStanding, error) {
	s := &CustodyStanding{Changes: []string{}}
	text, digest := a.Register.Custody()
	s.Current = digest
	err := a.Ledger.View(ctx, func(v store.View) error {
		k, err := a.know(v, a.Ledger.Identity().ID)
		if err != nil {
			return err
		}
		s.Recorded, s.Since = k.held, k.heldAt
		if s.Stands() {
			return nil
		}
		change, err := custodyBetween(k.heldText, text)
		if err == nil {
			s.Changes = change.lines()
		}
		return err
	})
	return s, err
}

// joined is for sentences: a, b, c and 4 more.
func joined(list []string, most int) string {
	if n := len(list) - most; n > 0 {
		return strings.Join(list[:most], "; ") + fmt.Sprintf("; and %d more", n)
	}
	return strings.Join(list, "; ")
}

// Says is a sentence for people who must know that the two differ.
func (s *CustodyStanding) Says(file string) string {
	const most = 4
	if s.Recorded == "" {
		return fmt.Sprintf("what %s says of parts, places and accounts was never approved (%d lines): halligan request custody", file, len(s.Changes))
	}
	return fmt.Sprintf("what %s says of parts, places and accounts is not what was last approved (entry %d): %s. Find out who changed it, and look whether it is so; then undo it, or have it approved: halligan request custody", file, s.Since, joined(s.Changes, most))
}
