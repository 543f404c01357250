package app

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/posture"
	"halligan/register"
)

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
	// Worse: something was found missing or broken, which is worse than what is due.
	Worse bool `json:"worse,omitempty"`
	// Do is what helps.
	Do string `json:"do,omitempty"`
}

// HeldReport is what is held where, and what is due.
type HeldReport struct {
	Parts  []HeldPart       `json:"parts"`
	Places []register.Place `json:"places"`
	// Findings are the worse ones first, then the earliest.
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
			if last := held.lastLook(name); last != nil && last.At.Before(now.Add(time.Minute)) && sameNumber(last.Wanted, p.Seal) {
				_, wrong := held.wrongSince(name, p.Seal)
				one.Looked, one.Good = &last.At, last.Good && wrong == ""
			}
		}
		out.Parts = append(out.Parts, one)
		c.part(&one, held)
	}
	c.drills(snap)
	c.binder()
	c.combinations()
	c.numbersUsed()
	c.openAlone()
	c.liveSets()
	c.strangers()
	c.holders(snap)
	worse := map[bool]int{true: -1}
	slices.SortStableFunc(out.Findings, func(a, b HeldFinding) int {
		return cmp.Or(worse[a.Worse]-worse[b.Worse], cmp.Compare(a.Day, b.Day), cmp.Compare(a.What, b.What))
	})
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
	if held == nil {
		return
	}
	const cleared = "find out what happened; if it cannot be explained, rotate what it opens and treat it as an incident"
	day, wrong := held.wrongSince(p.Name, p.Seal)
	switch {
	case wrong != "":
		do := cleared
		if t := held.trail(p.Name); t.missing() == nil && t.misread() == nil {
			do += ". Then: halligan custody move " + quote(p.Name) + " --seal NEW" + asking
		}
		c.add(register.DayOf(day), do, "%s: %s", p.Name, wrong)
		c.out.Findings[len(c.out.Findings)-1].Worse = true
	case p.Looked != nil && !p.Good:
		c.add(register.DayOf(*p.Looked), cleared, "%s: %s", p.Name, joined(held.lastLook(p.Name).Findings, 3))
	case p.Seal == "" && p.Kind != register.PartBinder: // nobody need look
	case p.Looked == nil:
		c.add(c.today, verify, "nobody has looked at %s yet", p.Name)
	default:
		c.add(register.DayOf(p.Looked.AddDate(0, 0, c.settings.SealDays)), verify, "look at %s", p.Name)
	}
}

// lastLook is the last look at a part; nil none.
func (h *Held) lastLook(name string) *Looked {
	return h.trail(name).last
}

// drills is the clock of the accounts: every account is proved each drillDays, by a
// drill, or by a sign-in where the directory tells the last one. Where neither is known
// nothing is due.
func (c *clocks) drills(snap *entra.Snapshot) {
	for _, a := range c.r.Accounts {
		name := cmp.Or(a.Name, string(a.ID))
		in := &posture.Input{Now: c.now, Accounts: []posture.Subject{{ID: a.ID}}}
		known := false
		if c.held != nil {
			in.Records, known = c.held.Records, c.held.Records.Drills != nil
		}
		last, _ := posture.LastDrill(in)
		if snap != nil {
			of := snap.Details(entra.PartUsers, a.ID)
			seen, told := of.Time("signInActivity.lastSuccessfulSignInDateTime")
			told = told || of.Null("signInActivity") // it has never signed in (graph-docs resources/signinactivity)
			if known = known || told; told && seen.After(last) && !seen.After(c.now) {
				last = seen
			}
		}
		switch {
		case !last.IsZero():
			c.add(register.DayOf(last.AddDate(0, 0, c.settings.DrillDays)), "sign in with it, by each of its ways", "drill %s", name)
		case known:
			c.add(c.today, "sign in with it, by each of its ways", "drill %s for the first time", name)
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

// combinations are due once somebody should not open a place any more who could.
func (c *clocks) combinations() {
	if c.held == nil {
		return
	}
	for _, s := range posture.StaleCombinations(c.r, &c.held.Records, c.now) {
		do := "change it on that day or later, then: halligan custody place " + quote(s.Of.Name) + " --combination-changed DAY" + asking
		who, what := s.Person+" may not open "+s.Of.Name+" any more", "its combination was not changed since"
		if s.Left {
			who, what = s.Person+" has left", "the combination of "+s.Of.Name+" was not changed since"
		}
		switch {
		case s.Future:
			what = "the change of its combination is dated in the future"
		case !s.Known:
			what += ", if it has a combination"
			do = "where it opens by a key or a badge, change that. Then write down the day: halligan custody place " + quote(s.Of.Name) + " --combination-changed DAY" + asking
		}
		c.add(register.DayOf(s.At), do, "%s, and %s", who, what)
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
	circle := custody.CircleOf(c.r)
	for _, p := range c.r.Places {
		if slices.Contains(posture.PlaceOpeners(circle, p.Name), register.NameKey(name)) {
			out = append(out, "take them out of access: there, change the combination, then: halligan custody place "+quote(p.Name)+" --combination-changed DAY"+asking)
		}
	}
	return joined(append(out, "halligan person remove "+quote(name)), most)
}

// strangers are the holders of sealed sets who are not in the register: people who left
// are counted on no more, but their keys still open the file.
func (c *clocks) strangers() {
	for _, s := range custody.CircleOf(c.r, c.held.Sets(c.r)...).Strangers() {
		c.add(c.today, "seal it for those who are there: halligan request seal --reseals FILE, or a new secret with --replaces "+s.Set+". Where it is somebody under a new name, write their id: into halligan.yaml",
			"%s, who opens set %s, is not in the register", s.Name, s.Set)
	}
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
