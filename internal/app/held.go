package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"halligan/entra"
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
	v.Good = len(v.Findings) == 0
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
	first, last := h.files[fileKey(name, p.Seal)], h.Looked[name]
	if s := h.set(p.Set); s != nil && len(s.files) > 0 {
		first = ""
	}
	add(l.File != "" && first != "" && !sameNumber(first, l.File), "the sealed file is another than when it was first looked at, under the same seal")
	add(l.File == "" && last != nil && !last.Good && last.File != "" && sameNumber(last.Wanted, p.Seal), "the sealed file was not looked at, and something was wrong the last time: --file")
	return out
}

func fileKey(part, seal string) string { return part + "\x00" + seal }

// Looked is the last time that somebody looked at a part.
type Looked struct {
	VerifiedData
	At    time.Time
	Index uint64
}

// Held is what the log knows of custody beside the register.
type Held struct {
	// Looked is the last look at each part, by its name.
	Looked map[string]*Looked
	// Binder is what was printed last; nil nothing.
	Binder *BinderData
	// Records are those that the checks take.
	Records posture.Records

	files map[string]string // by fileKey: SHA-256 of the first sealed file
	// broken is when each seal was first found broken, by its plainSeal. It does not
	// heal: whoever opened something can make it look whole.
	broken map[string]*Looked
	sets   map[string]*sealedSet
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
	h := &Held{Looked: map[string]*Looked{}, files: map[string]string{}, broken: map[string]*Looked{}, sets: map[string]*sealedSet{}, numbers: map[string][]wore{}}
	h.Records.Seals = []posture.SealCheck{}
	err := a.Ledger.View(ctx, func(v store.View) error {
		if _, err := a.know(v, a.Ledger.Identity().ID); err != nil {
			return err // what a log tells that was smuggled into is not relied on
		}
		return errors.Join(h.looks(v), h.binders(v), h.changes(v), h.sealed(v))
	})
	if err != nil {
		return nil, err
	}
	return h, nil
}

func (h *Held) looks(v store.View) error {
	misread := map[string][]posture.SealCheck{}
	for e, err := range v.Find(evidence.KindCustodyVerified, "") {
		if err != nil {
			return err
		}
		var d VerifiedData
		if json.Unmarshal(e.Data, &d) != nil || d.Part == "" {
			continue // not of this program: it tells nothing that could be relied on
		}
		if last := h.Looked[d.Part]; last == nil || !e.Time.Before(last.At) {
			h.Looked[d.Part] = &Looked{d, e.Time, e.Index}
		}
		if h.Broken(d.Wanted) == nil && d.Wanted != "" && d.State == PartBroken {
			h.broken[plainSeal(d.Wanted)] = &Looked{d, e.Time, e.Index}
		}
		if key := fileKey(d.Part, d.Wanted); d.File != "" && h.files[key] == "" {
			h.files[key] = d.File
		}
		one := posture.SealCheck{Seal: d.Wanted, At: e.Time, Intact: d.State == PartIntact && sameNumber(d.Wanted, d.Seal)}
		switch {
		case one.Seal == "":
		case one.Intact:
			// Whoever read another number before had misread it: it is there.
			h.Records.Seals = append(h.Records.Seals, one)
			delete(misread, one.Seal)
		case d.State == PartBroken:
			h.Records.Seals = append(h.Records.Seals, one) // that does not heal
		default:
			misread[one.Seal] = append(misread[one.Seal], one)
		}
	}
	for _, seal := range slices.Sorted(maps.Keys(misread)) {
		h.Records.Seals = append(h.Records.Seals, misread[seal]...)
	}
	return nil
}

func (h *Held) binders(v store.View) error {
	for e, err := range v.Find(evidence.KindBinderPrinted, "") {
		if err != nil {
			return err
		}
		var d BinderData
		if json.Unmarshal(e.Data, &d) == nil && d.Digest != "" && !e.Time.Before(h.Records.BinderPrinted) {
			h.Binder, h.Records.BinderPrinted, h.Records.BinderDigest = &d, e.Time, d.Digest
		}
	}
	return nil
}

// changes are when the register changed by an approval, and who left it then.
func (h *Held) changes(v store.View) error {
	var before *register.Register
	for e, err := range v.Find(evidence.KindCustody, "") {
		if err != nil {
			return err
		}
		h.changed(e.Time)
		var d custodyData
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return err
		}
		now, err := register.FromCustody([]byte(d.Custody))
		if err != nil {
			return err
		}
		h.worn(before.Or(), now, e.Time)
		before = now
	}
	before = nil
	for e, err := range v.Find(evidence.KindRegister, "") {
		if err != nil {
			return err
		}
		h.changed(e.Time)
		var d registerData
		if err := json.Unmarshal(e.Data, &d); err != nil {
			return err
		}
		now, err := register.FromDeciding([]byte(d.Deciding))
		if err != nil {
			return err
		}
		for _, p := range before.Or().People {
			stays := func(q register.Person) bool {
				return register.SamePerson(q.Name, p.Name) || p.ID != "" && q.ID.Equal(p.ID)
			}
			if !slices.ContainsFunc(now.People, stays) {
				h.Records.Changes = append(h.Records.Changes, posture.ChangeEvent{Kind: "staff", What: p.Name, At: e.Time})
			}
		}
		before = now
	}
	return nil
}

func (h *Held) changed(at time.Time) {
	if at.After(h.Records.RegisterChanged) {
		h.Records.RegisterChanged = at
	}
}

// HeldPart is a part as custody list tells it.
type HeldPart struct {
	Name    string            `json:"name"`
	Kind    register.PartKind `json:"kind"`
	Account entra.ID          `json:"account,omitempty"`
	// AccountName is the user principal name.
	AccountName string       `json:"accountName,omitempty"`
	Key         string       `json:"key,omitempty"`
	Opens       string       `json:"opens,omitempty"`
	Set         string       `json:"set,omitempty"`
	Holder      string       `json:"holder,omitempty"`
	Place       string       `json:"place,omitempty"`
	Site        string       `json:"site,omitempty"`
	Seal        string       `json:"seal,omitempty"`
	Since       register.Day `json:"since,omitempty"`
	// Looked is when somebody last looked at it, under this seal; nil never. Good:
	// nothing was wrong.
	Looked *time.Time `json:"looked,omitempty"`
	Good   bool       `json:"good,omitempty"`
}

// HeldFinding is something that is due, or wrong since a day.
type HeldFinding struct {
	Day register.Day `json:"day"`
	// What is due or wrong, Due: it lies ahead.
	What string `json:"what"`
	Due  bool   `json:"due"`
	// Do is what helps.
	Do string `json:"do,omitempty"`
}

// HeldReport is what is held where, and what is due.
type HeldReport struct {
	Parts  []HeldPart       `json:"parts"`
	Places []register.Place `json:"places"`
	// Findings are the earliest first.
	Findings []HeldFinding `json:"findings"`
	// Directory: the holders were compared with the directory.
	Directory bool `json:"directory"`
	// Evidence: there is a log. Without one nothing is known of looks.
	Evidence bool `json:"evidence"`
}

// Overdue reports whether anything is wrong or due now.
func (r *HeldReport) Overdue() bool {
	return slices.ContainsFunc(r.Findings, func(f HeldFinding) bool { return !f.Due })
}

// ListHeld tells who holds what where, and which clocks have run out. held is nil
// where there is no evidence, snap where the directory was not read.
func ListHeld(r *register.Register, held *Held, snap *entra.Snapshot, now time.Time) *HeldReport {
	r = r.Or()
	out := &HeldReport{Parts: []HeldPart{}, Places: append([]register.Place{}, r.Places...), Findings: []HeldFinding{}, Directory: snap != nil, Evidence: held != nil}
	c := clocks{r: r, held: held, settings: r.Settings.Settled(), now: now, today: register.DayOf(now), out: out}
	for i, name := range r.PartNames() {
		p := &r.Parts[i]
		one := HeldPart{Name: name, Kind: p.Kind, Account: p.Account, Key: p.Key, Opens: p.Opens, Set: p.Set, Holder: p.Holder, Place: p.Place, Seal: p.Seal, Since: p.Since}
		if a := r.Account(p.Account); a != nil && p.Account != "" {
			one.AccountName = a.Name
		}
		if at := r.Place(p.Place); at != nil {
			one.Site = at.Site
		}
		if held != nil {
			if last := held.Looked[name]; last != nil && last.At.Before(now.Add(time.Minute)) && sameNumber(last.Wanted, p.Seal) {
				one.Looked, one.Good = &last.At, last.Good && held.Broken(p.Seal) == nil
			}
		}
		out.Parts = append(out.Parts, one)
		c.part(&one, held)
	}
	c.drills(snap)
	c.binder()
	c.combinations()
	c.numbersUsed()
	c.holders(snap)
	slices.SortStableFunc(out.Findings, func(a, b HeldFinding) int { return cmp.Or(cmp.Compare(a.Day, b.Day), cmp.Compare(a.What, b.What)) })
	return out
}

// clocks finds what is due.
type clocks struct {
	r        *register.Register
	held     *Held
	settings register.Settings
	now      time.Time
	today    register.Day
	out      *HeldReport
}

func (c *clocks) add(day register.Day, do, format string, args ...any) {
	c.out.Findings = append(c.out.Findings, HeldFinding{Day: day, What: fmt.Sprintf(format, args...), Due: day > c.today, Do: do})
}

// part is the clock of one part: sealed parts and binders are looked at every
// sealDays; a part that was found wrong stays a finding until it is found right.
func (c *clocks) part(p *HeldPart, held *Held) {
	verify := "halligan custody verify " + quote(p.Name) + " --as NAME"
	if s := held.set(p.Set); s != nil && s.void != "" {
		c.add(register.DayOf(s.voidOn), "destroy it; where the part is of another set now, write that under set: and have it approved: halligan request custody", "%s: %s", p.Name, s.void)
	}
	switch {
	case p.Seal == "" && p.Kind != register.PartBinder || held == nil:
	case held.Broken(p.Seal) != nil && !held.lost(p):
		b := held.Broken(p.Seal)
		c.add(register.DayOf(b.At), "find out what happened; if it cannot be explained, rotate what it opens and treat it as an incident. Then: halligan custody move "+quote(p.Name)+" --seal NEW"+asking, "%s: %s", p.Name, brokenText(b))
	case p.Looked == nil:
		c.add(c.today, verify, "nobody has looked at %s yet", p.Name)
	case !p.Good:
		c.add(register.DayOf(*p.Looked), "find out what happened; if it cannot be explained, rotate what it opens and treat it as an incident", "%s: %s", p.Name, joined(held.Looked[p.Name].Findings, 3))
	default:
		c.add(register.DayOf(p.Looked.AddDate(0, 0, c.settings.SealDays)), verify, "look at %s", p.Name)
	}
}

// lost reports whether a part was not there at the last look.
func (h *Held) lost(p *HeldPart) bool {
	last := h.Looked[p.Name]
	return p.Looked != nil && last != nil && last.State == PartMissing
}

// missing are the parts that were not there at the last look, and that nobody put
// under another seal since: by their place among the parts, how that is known.
func (h *Held) missing(r *register.Register) map[int]string {
	out := map[int]string{}
	for i, name := range r.PartNames() {
		if last := h.Looked[name]; last != nil && last.State == PartMissing && sameNumber(last.Wanted, r.Parts[i].Seal) {
			out[i] = fmt.Sprintf("was found missing on %s by %s", register.DayOf(last.At), last.By)
		}
	}
	return out
}

// found tells what is missing or broken, for somebody who relies on the parts.
func (h *Held) found(r *register.Register) []string {
	var out []string
	gone := h.missing(r)
	for i, name := range r.PartNames() {
		if why, is := gone[i]; is {
			out = append(out, name+" "+why+", and counts as lost")
		} else if b := h.Broken(r.Parts[i].Seal); b != nil {
			out = append(out, name+": "+brokenText(b)+". What lies behind it counts as there")
		}
	}
	return out
}

// drills are those of the accounts, where drills are recorded at all.
func (c *clocks) drills(snap *entra.Snapshot) {
	if c.held == nil || c.held.Records.Drills == nil {
		return
	}
	in := &posture.Input{Snapshot: snap, Register: c.r, Records: c.held.Records, Now: c.now}
	for _, a := range c.r.Accounts {
		in.Accounts = append(in.Accounts, posture.Subject{ID: a.ID, Name: a.Name})
	}
	for _, d := range posture.Dues(in) {
		if strings.HasPrefix(d.What, "drill ") {
			c.add(d.Day, "", "%s", d.What)
		}
	}
}

// binder is the clock of what is on paper.
func (c *clocks) binder() {
	if c.held == nil || c.held.Binder == nil {
		return
	}
	if c.held.Binder.Digest != c.r.Digest() {
		day := register.DayOf(c.held.Records.RegisterChanged)
		if c.held.Records.RegisterChanged.Before(c.held.Records.BinderPrinted) {
			day = c.today // changed by hand: when is not known
		}
		c.add(day, "halligan binder -o binder.pdf --record", "the binder was printed on %s, and the register has changed since", register.DayOf(c.held.Records.BinderPrinted))
	}
}

// combinations are due once somebody has left who could open a place.
func (c *clocks) combinations() {
	if c.held == nil {
		return
	}
	for _, e := range c.held.Records.Changes {
		if c.r.Person(e.What) != nil {
			continue // came back
		}
		for _, p := range c.r.Places {
			if p.CombinationChanged < register.DayOf(e.At) {
				c.add(register.DayOf(e.At), "change it, then: halligan custody place "+quote(p.Name)+" --combination-changed DAY"+asking, "%s has left, and the combination of %s was not changed since", e.What, p.Name)
			}
		}
	}
}

// asking is what every request takes; people put their own words for the capitals.
const asking = " --by NAME --why TEXT --key FILE"

// without is what to do about somebody who leaves: hand over, and change what they can
// open.
func (c *clocks) without(name string) string {
	const most = 4
	var out []string
	for i, part := range c.r.PartNames() {
		if register.SamePerson(c.r.Parts[i].Holder, name) {
			out = append(out, "halligan custody hand-over "+quote(part)+" --to NAME"+asking)
		}
	}
	for _, p := range c.r.Places {
		if slices.ContainsFunc(p.Access, func(a string) bool { return register.SamePerson(a, name) }) {
			out = append(out, "change the combination, then: halligan custody place "+quote(p.Name)+" --combination-changed DAY"+asking)
		}
	}
	return joined(append(out, "halligan person remove "+quote(name)), most)
}

// holders are compared with the directory: who holds something, or opens a place,
// and is disabled, deleted or leaving.
func (c *clocks) holders(snap *entra.Snapshot) {
	if snap == nil {
		return
	}
	st := snap.Status(entra.PartUsers)
	read := st.Status == entra.StatusRead
	users := snap.View().Users
	for _, h := range c.r.Holders() {
		if h.ID == "" {
			c.add(c.today, "write id: of "+h.Name+" into halligan.yaml", "%s has no object id in the register, and would not be noticed leaving", h.Name)
			continue
		}
		do := c.without(h.Name)
		i := slices.IndexFunc(users, func(u entra.User) bool { return u.ID.Equal(h.ID) })
		leaves, known := snap.Details(entra.PartUsers, h.ID).Time("employeeLeaveDateTime")
		switch {
		case i < 0 && !read:
			c.add(c.today, "", "whether %s still works here is not known: the users were not read", h.Name)
		case i < 0, users[i].Deleted:
			c.add(c.today, do, "%s is gone from the directory", h.Name)
		case users[i].Enabled != nil && !*users[i].Enabled:
			c.add(c.today, do, "the account of %s is disabled in the directory", h.Name)
		case known && !leaves.IsZero():
			c.add(register.DayOf(leaves), do, "%s leaves", h.Name)
		}
	}
}
