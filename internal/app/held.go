package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"halligan/evidence"
	"halligan/internal/store"
	"halligan/posture"
	"halligan/register"
)

// Look is what somebody found who went to a part. What is empty was not looked at.
type Look struct {
	Part string
	By   string
	// Seal is the number as it was read there, State what the part is like.
	Seal  string
	State PartState
	// Binder is the digest that stands on the pages of a printed binder, Version its
	// version.
	Binder, Version string
	// File is the SHA-256 of a sealed file that lies there, in hexadecimal digits.
	File string
	Note string
}

// PartState is what a part was found like.
type PartState string

// The states.
const (
	PartIntact  PartState = "intact"
	PartBroken  PartState = "broken"
	PartMissing PartState = "missing"
)

// PartStates are the states in words.
var PartStates = []string{string(PartIntact), string(PartBroken), string(PartMissing)}

// VerifiedData is the data of an entry of kind custody-verified.
type VerifiedData struct {
	Part   string    `json:"part"`
	By     string    `json:"by"`
	Holder string    `json:"holder,omitempty"`
	Place  string    `json:"place,omitempty"`
	Seal   string    `json:"seal,omitempty"`     // as it was read there
	Wanted string    `json:"recorded,omitempty"` // as the register had it
	State  PartState `json:"state"`
	// Binder and Version were read from paper, Register is the digest then.
	Binder   string `json:"binder,omitempty"`
	Version  string `json:"version,omitempty"`
	Register string `json:"register"`
	File     string `json:"file,omitempty"`
	Good     bool   `json:"good"`
	// Waits: nothing was wrong with it, and the findings are of looks before, which
	// this one does not clear up.
	Waits bool `json:"waits,omitempty"`
	// Unapproved: the register that it was compared with is not what was approved. It
	// clears nothing up.
	Unapproved bool `json:"unapproved,omitempty"`
	// Findings say what is wrong.
	Findings []string `json:"findings"`
}

// BinderData is the data of an entry of kind binder-printed.
type BinderData struct {
	Digest  string `json:"digest"` // register.Digest
	Version string `json:"version"`
}

// RecordOfBinder is what is recorded when the binder is printed.
func RecordOfBinder(r *register.Register, version string) Record {
	return Record{Kind: evidence.KindBinderPrinted, What: "print the binder", On: "binder " + version, Data: BinderData{r.Digest(), version}}
}

// sameNumber compares what somebody read with what is recorded: case and blanks make
// no difference.
func sameNumber(a, b string) bool { return plainSeal(a) == plainSeal(b) }

func plainSeal(s string) string { return strings.ToLower(strings.Join(strings.Fields(s), "")) }

// Verify compares what somebody found with what is recorded, and puts both into the
// log. The error is for what could not be compared or recorded; what is wrong with
// the part stands in VerifiedData.
func (a *App) Verify(ctx context.Context, l Look) (*VerifiedData, *evidence.Entry, error) {
	i, err := a.Register.FindPart(l.Part)
	if err != nil {
		return nil, nil, err
	}
	who, err := a.person(l.By)
	if err != nil {
		return nil, nil, err
	}
	if l.State == "" || !slices.Contains(PartStates, string(l.State)) {
		return nil, nil, &hinted{fmt.Errorf("record what was found: state %q", l.State), "one of " + strings.Join(PartStates, ", ")}
	}
	p, name := a.Register.Parts[i], a.Register.PartNames()[i]
	held, err := a.Held(ctx)
	if err != nil {
		return nil, nil, err
	}
	v := &VerifiedData{Part: name, By: who.Name, Holder: p.Holder, Place: p.Place, Seal: l.Seal, Wanted: p.Seal, State: l.State, Binder: l.Binder, Version: l.Version, Register: a.Register.Digest(), File: l.File, Findings: []string{}}
	v.Findings = append(v.Findings, held.wrongWith(name, &p, &l, v.Register)...)
	unapproved, _, err := a.Unapproved(ctx)
	if err != nil {
		return nil, nil, err
	}
	if v.Unapproved = len(unapproved) > 0; v.Unapproved {
		v.Findings = append(v.Findings, a.RegisterName+" is not what was approved, so this look clears nothing up: find out who changed it (halligan custody list), undo that or have it approved, and look again")
	}
	if v.Good = len(v.Findings) == 0; v.Good {
		v.Findings = append(v.Findings, held.after(&Looked{*v, a.Now(), 0})...)
		v.Waits = len(v.Findings) > 0
		v.Good = !v.Waits
	}
	entries, err := a.Record(ctx, Record{Kind: evidence.KindCustodyVerified, What: "verify custody", On: "part " + name, Why: cmp.Or(l.Note, joined(v.Findings, 3)), Data: v})
	if err != nil {
		return nil, nil, err
	}
	return v, &entries[0], nil
}

// wrongWith says what is wrong with a part as it was found. It does not tell the
// recorded number: whoever looks must read it there.
func (h *Held) wrongWith(name string, p *register.Part, l *Look, digest string) []string {
	var out []string
	add := func(wrong bool, text string) {
		if wrong {
			out = append(out, text)
		}
	}
	if l.State == PartMissing {
		return []string{"the part is not where it is recorded"}
	}
	add(l.State == PartBroken, "the seal or the envelope is broken")
	if before := h.Broken(p.Seal); before != nil && l.State != PartBroken {
		add(true, brokenText(before)+": halligan custody move "+quote(name)+" --seal NEW")
	}
	switch {
	case p.Seal == "" && l.Seal != "":
		add(true, "it bears a seal, and none is recorded")
	case p.Seal != "" && l.Seal == "":
		add(true, "the number of its seal was not read")
	default:
		add(!sameNumber(p.Seal, l.Seal), "the number on the seal is not the recorded one")
	}
	if p.Kind == register.PartBinder {
		switch {
		case l.Binder == "":
			add(true, "the digest on its pages was not read, so whether it is current is not known")
		default:
			add(!sameNumber(l.Binder, digest), "the printed binder is not of the register as it is now: print it anew (halligan binder) and destroy this copy")
		}
		add(l.Version != "" && h.Binder != nil && h.Binder.Version != "" && !sameNumber(l.Version, h.Binder.Version), "the printed binder is not the last version that was printed")
	}
	out = append(out, h.wrongWithSet(p, l)...)
	// Under one seal lies one file: the first that was looked at there, where the log
	// does not know better.
	t := h.trail(name)
	first, last := t.files[plainSeal(p.Seal)], t.last
	if s := h.set(p.Set); s != nil && len(s.files) > 0 {
		first = ""
	}
	add(l.File != "" && first != "" && !sameNumber(first, l.File), "the sealed file is another than when it was first looked at, under the same seal")
	add(l.File == "" && last != nil && !last.Good && last.File != "" && sameNumber(last.Wanted, p.Seal), "the sealed file was not looked at, and something was wrong the last time: --file")
	return out
}

// Looked is the last time that somebody looked at a part.
type Looked struct {
	VerifiedData
	At    time.Time
	Index uint64
}

// Held is what the log knows of custody beside the register.
type Held struct {
	// Binder is what was printed last; nil nothing.
	Binder *BinderData
	// Records are those that the checks take.
	Records posture.Records

	trails map[string]*trail // by the name that a part has now, as register.NameKey
	// broken is when each seal was first found broken, by its plainSeal. It does not
	// heal: whoever opened something can make it look whole.
	broken map[string]*Looked
	sets   map[string]*sealedSet
	// staff are the people as they were recorded, in the order of the log.
	staff []heldEvent
	// numbers are those that came off a part, by plainSeal.
	numbers map[string][]wore
}

// Broken is when the seal of a part was found broken; nil never. A number that was
// found broken anywhere is used up.
func (h *Held) Broken(seal string) *Looked {
	if h == nil || seal == "" {
		return nil
	}
	return h.broken[plainSeal(seal)]
}

// brokenText tells a break for people.
func brokenText(b *Looked) string {
	return fmt.Sprintf("its seal was found broken on %s by %s, and only a new seal heals that", register.DayOf(b.At), b.By)
}

// Held reads what was recorded of custody.
func (a *App) Held(ctx context.Context) (*Held, error) {
	h := &Held{trails: map[string]*trail{}, broken: map[string]*Looked{}, sets: map[string]*sealedSet{}, numbers: map[string][]wore{}}
	h.Records.Seals = []posture.SealCheck{}
	err := a.Ledger.View(ctx, func(v store.View) error {
		if _, err := a.know(v, a.Ledger.Identity().ID); err != nil {
			return err // what a log tells that was smuggled into is not relied on
		}
		events, err := heldEvents(v)
		if err != nil {
			return err
		}
		h.looks(events, a.Register)
		h.changes(events)
		return errors.Join(h.binders(v), h.sealed(v))
	})
	if err != nil {
		return nil, err
	}
	h.Records.Sets = h.Sets(a.Register)
	return h, nil
}
