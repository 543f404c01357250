package posture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/register"
)

const commandCustody = "halligan custody list"

var checksCustody = []Check{
	{ID: "cus-complete", Theme: ThemeCustody, Severity: High, PerAccount: true,
		Title: "Every part of the account's credentials has a holder, a place, a seal and a date",
		Why:   []string{"S10", "S30", "S57"},
		Fix: Fix{Portal: []string{"find each part, seal it, and record who holds it where since when"},
			Command: []string{"halligan custody add", commandCustody}},
		Judge: judgeCustody},
	{ID: "cus-two-person", Theme: ThemeCustody, Severity: Critical, PerAccount: true,
		Title:      "No single person, role or line of management can bring a complete set together",
		Why:        []string{"S104", "S106", "S107"},
		References: []string{"privileged access management products, in part"},
		Fix: Fix{Portal: []string{"give the key and its PIN to people of different roles and lines", "take access to one of the two places from who has both"},
			Command: []string{"halligan survive", "halligan custody move"}},
		Judge: judgeTwoPerson},
	{ID: "cus-pin-apart", Theme: ThemeCustody, Severity: High, PerAccount: true,
		Title: "No PIN lies with its key, or is held by the same person",
		Why:   []string{"S30"},
		Fix: Fix{Portal: []string{"move the PIN to another place and holder, under a new seal"},
			Command: []string{"halligan custody move"}},
		Judge: judgePINApart},
	{ID: "cus-spof", Theme: ThemeCustody, Severity: Critical,
		Title: "With any one place, any one key, or any one or two people lost, one account can still be opened",
		Why:   []string{"S58", "S60", "S121"},
		Fix: Fix{Portal: []string{"add a key, a copy or a person where the loss listed leaves nothing"},
			Command: []string{"halligan survive"}},
		Judge: judgeLosses},
	{ID: "cus-separated", Theme: ThemeCustody, Severity: High,
		Title: "What opens the accounts lies on two sites or more, one of them away from the office, and every place resists fire",
		Why:   []string{"S10", "S57", pageEmergency + ": fireproof safes in separate locations"},
		Fix: Fix{Portal: []string{"move one set to another site", "write site, offSite and fireproof of each place into halligan.yaml"},
			Command: []string{"halligan custody move"}},
		Judge: judgeSeparated},
	{ID: "cus-seal-intact", Theme: ThemeCustody, Severity: High, Setting: "sealDays",
		Title: "Every seal was looked at within the quarter, and none was broken without a release",
		Why:   []string{"S59"},
		Fix: Fix{Portal: []string{"look at each seal and compare its number", "a broken seal that nobody released: rotate what lay behind it, and treat it as an incident"},
			Command: []string{"halligan custody verify"}},
		Judge: judgeSeals},
	{ID: "cus-holders-current", Theme: ThemeCustody, Severity: High,
		Asks:  []entra.Part{entra.PartUsers},
		Title: "Every holder still works here, and what a leaver could open has a new combination",
		Why:   []string{pageEmergency + ": validate after a change of staff", "S11"},
		Fix: Fix{Portal: []string{"hand the parts over, change the combinations, take the person out of people and access"},
			Graph:   []string{"GET /users/{id}?$select=accountEnabled,employeeLeaveDateTime"},
			Command: []string{"halligan custody hand-over", "halligan person remove"}},
		Judge: judgeHolders},
	{ID: "cus-trained", Theme: ThemeCustody, Severity: Medium, Setting: "trainingDays", Attestable: true,
		Title: "Every holder was trained, and knows of the plan, within the year",
		Why:   []string{"S88", "S125"},
		Fix: Fix{Portal: []string{"train the holder, and record the day under trained: and aware: in halligan.yaml"},
			Command: []string{"halligan attest cus-trained --by NAME --until DATE --note …"}},
		Judge: judgeTrained},
	{ID: "cus-offline", Theme: ThemeCustody, Severity: High,
		Title: "The binder lies printed in custody, in its current version",
		Why:   []string{"S59", "S73"},
		Fix: Fix{Portal: []string{"print the binder, seal it, record it as a part of kind binder, and destroy the old one"},
			Command: []string{"halligan binder", "halligan custody add"}},
		Judge: judgeOffline},
}

// noCustody is the answer where no part is registered.
func noCustody() Result { return notSetUp("no custody is recorded: nobody wrote down what lies where") }

// unlessUnread takes back a pass that the evidence could have contradicted, where there
// is evidence and it was not read.
func (c *Case) unlessUnread(r Result, what string) Result {
	if r.Status != Pass || c.Records.Unread == "" {
		return r
	}
	return unknown("%s: %s", what, c.Records.Unread)
}

func partEvidence(p *register.Part, detail string) Evidence {
	return Evidence{ID: p.Key, Name: strings.TrimSpace(string(p.Kind) + " " + cmp.Or(p.Place, p.Holder)), Detail: detail}
}

func judgeCustody(c *Case) Result {
	if len(c.Register.Or().Parts) == 0 {
		return noCustody()
	}
	var ev []Evidence
	names := c.Register.PartNames()
	n := 0
	for i := range c.Register.Parts {
		p := &c.Register.Parts[i]
		if !p.Account.Equal(c.Subject.ID) {
			continue
		}
		n++
		var gone []string
		for _, of := range []struct{ what, is string }{{"holder", p.Holder}, {"place", p.Place}, {"seal", p.Seal}, {"date", string(p.Since)}} {
			if strings.TrimSpace(of.is) == "" {
				gone = append(gone, of.what)
			}
		}
		if p.Place != "" && c.circle().Place(p.Place) == nil {
			gone = append(gone, "place that is registered")
		}
		if f := c.Records.about(names[i]); f != nil && f.Missing {
			gone = append(gone, "part: it "+f.What)
		}
		if p.Since > c.Today() {
			gone = append(gone, "date that has come: "+string(p.Since))
		}
		if len(gone) > 0 {
			ev = append(ev, partEvidence(p, "no "+strings.Join(gone, ", ")))
		}
	}
	// Whether a password should be in custody at all: pw-discarded-or-held.
	ways, known := c.circle().Ways(c.Registered)
	for _, w := range ways {
		for _, of := range w.All() {
			if len(of.Copies) == 0 && of.What != "the password" {
				ev = append(ev, Evidence{ID: w.Name, Name: of.What, Detail: "not recorded"})
			}
		}
	}
	switch {
	case len(ev) > 0:
		return fail("%d parts of the account are not wholly recorded", len(ev)).on(ev...)
	case n == 0 && !known:
		return unknown("the register does not say how the account is opened, so that what is missing cannot be told").on(c.user(c.Subject.ID, "no pattern, no keys"))
	}
	return c.unlessUnread(pass("%d parts, each with holder, place, seal and date", n), "what was found at the last looks is not known")
}

func judgeTwoPerson(c *Case) Result {
	results := c.alone()
	if len(c.Register.Or().Parts) == 0 {
		return merge(Result{}, append(results, noCustody())...)
	}
	if c.Registered.Pattern == register.PatternAccountReset {
		return fail("the account is opened by a reset, which one person can do alone (S108)").on(c.user(c.Subject.ID, "pattern accountReset"))
	}
	ways, known := c.circle().AllWays(c.Registered) // a pass opens the account alone, while it lasts, and so may a password beside the keys
	if !known {
		return unknown("the register does not say how the account is opened").on(c.user(c.Subject.ID, "no pattern, no keys"))
	}
	for _, p := range c.circle().Together(c.Registered) {
		ev := Evidence{ID: string(c.Subject.ID), Name: p.Place, Detail: p.Way}
		if p.Certain {
			results = append(results, fail("one place holds a complete set").on(ev))
		} else {
			results = append(results, unknown("one place perhaps holds a complete set").on(ev))
		}
	}
	for i := range ways {
		if gap := c.circle().Unrecorded(&ways[i]); gap != "" {
			results = append(results, unknown("who could bring a complete set together is not recorded").on(Evidence{ID: string(c.Subject.ID), Name: ways[i].Name, Detail: gap}))
		}
	}
	for _, a := range c.circle().Actors() {
		for _, w := range ways {
			ev := Evidence{ID: string(c.Subject.ID), Name: a.Name, Detail: w.Name}
			switch c.circle().Completes(a, w) {
			case custody.Yes:
				results = append(results, fail("one person, role or line alone can bring a complete set together").on(ev))
			case custody.Maybe:
				results = append(results, unknown("whether one can bring a complete set together is not known: parts are not recorded, or a quorum is not").on(ev))
			}
		}
	}
	return merge(pass("every complete set takes two people of different roles and lines"), results...)
}

// alone is the answer where one person decides and nobody outside has a part: then
// no second person can be needed, whatever lies where. Where somebody outside has
// one, the parts tell the rest, and GradeOf keeps in view that it is one person.
func (c *Case) alone() []Result {
	if q := c.Register.Or().Quorum; q.People != 1 || strings.TrimSpace(q.Outside) != "" {
		return nil
	}
	return []Result{notSetUp("one person decides alone, and nobody outside keeps a sealed second part").on(Evidence{Name: "quorum", Detail: "people 1, nobody outside"}).then("halligan init --people 1 --outside NAME")}
}

func judgePINApart(c *Case) Result {
	if len(c.Register.Or().Parts) == 0 {
		return noCustody()
	}
	pins := c.circle().Parts(c.Subject.ID, register.PartPIN)
	keys := slices.Concat(c.circle().Parts(c.Subject.ID, register.PartKey), c.circle().Parts(c.Subject.ID, register.PartCertificate))
	var results []Result
	for _, pin := range pins {
		for _, key := range keys {
			if !c.sameCredential(pin.Key, key.Key) {
				continue
			}
			ev := Evidence{ID: key.Key, Name: cmp.Or(pin.Place, pin.Holder), Detail: "the PIN and its key"}
			place, holder := register.NameKey(pin.Place) == register.NameKey(key.Place), register.NameKey(pin.Holder) == register.NameKey(key.Holder)
			switch {
			case place && pin.Place != "":
				results = append(results, fail("a PIN lies in the same place as its key").on(ev))
			case holder && pin.Holder != "":
				results = append(results, fail("a PIN and its key are held by the same person").on(ev))
			case pin.Place == "" || key.Place == "" || pin.Holder == "" || key.Holder == "":
				results = append(results, unknown("where a PIN and its key lie, or who holds them, is not recorded").on(ev))
			default:
				results = append(results, pass("every PIN lies apart from its key, with somebody else"))
			}
		}
	}
	return merge(notApplicable("no PIN and key of the account are both recorded: see cus-complete"), results...)
}

// sameCredential reports whether a PIN belongs to a key, under whatever names of
// it they were recorded; a PIN that names no key belongs to all.
func (c *Case) sameCredential(pin, key string) bool {
	if pin == "" || key == "" || strings.EqualFold(pin, key) {
		return true
	}
	return slices.ContainsFunc(c.Registered.Keys, func(k register.Key) bool { return custody.KeyIs(k, pin) && custody.KeyIs(k, key) })
}

// judgeLosses tries the losses that the rule names. It is exact for the register as
// it stands: what was not recorded counts once as lost and once as saved. Every set
// of losses: halligan survive.
func judgeLosses(c *Case) Result {
	reg := c.Register.Or()
	if len(reg.Parts) == 0 {
		return noCustody()
	}
	closed := c.closed()
	if len(closed) == len(reg.Accounts) {
		return notApplicable("no registered account is enabled: see id-enabled")
	}
	gone := map[int]string{}
	for i, name := range reg.PartNames() {
		if f := c.Records.about(name); f != nil && f.Missing {
			gone[i] = f.What
		}
	}
	survey := c.circle().Survey(custody.Outlook{Closed: closed, Gone: gone})
	var results []Result
	var fatal []custody.Loss
	for _, t := range c.trials() {
		// Two people are more than either: a pair is told only where neither alone is.
		if slices.ContainsFunc(fatal, t.holds) {
			continue
		}
		ev := Evidence{Name: t.name, Detail: "no account can be opened without"}
		switch survey.After(t.lost...) {
		case custody.No:
			if len(t.lost) == 1 {
				fatal = append(fatal, t.lost[0])
			}
			results = append(results, fail("a single loss leaves no account that can be opened").on(ev))
		case custody.Maybe:
			results = append(results, unknown("whether an account can be opened after a loss is not known: parts are not recorded").on(ev))
		}
	}
	return c.unlessUnread(merge(pass("one account or more can be opened after any single loss, or that of two people"), results...),
		"what was found at the last looks is not known, and a part that was missing then counts here as there")
}

func (c *Case) userOf(id entra.ID) *entra.User {
	v := c.View()
	for i := range v.Users {
		if v.Users[i].ID.Equal(id) {
			return &v.Users[i]
		}
	}
	return nil
}

func judgeSeparated(c *Case) Result {
	parts := c.Register.Or().Parts
	if len(parts) == 0 {
		return noCustody()
	}
	var sites []string
	var ev, burns []Evidence
	away, unsaid := false, false
	seen := map[*register.Place]bool{}
	for i := range parts {
		at := c.circle().Place(parts[i].Place)
		if parts[i].Kind == register.PartBinder {
			continue // a copy of the binder opens nothing
		}
		if at == nil {
			unsaid = true
			continue
		}
		if seen[at] {
			continue
		}
		seen[at] = true
		if s := register.NameKey(at.Site); s == "" {
			unsaid = true
		} else if !slices.Contains(sites, s) {
			sites = append(sites, s)
		}
		away = away || at.OffSite
		ev = append(ev, Evidence{Name: at.Name, Detail: fmt.Sprintf("site %s, off-site %v, fireproof %v", cmp.Or(at.Site, "not said"), at.OffSite, at.Fireproof)})
		if !at.Fireproof {
			burns = append(burns, Evidence{Name: at.Name, Detail: "not fireproof"})
		}
	}
	switch {
	case len(burns) > 0:
		return fail("%d places are not marked fireproof", len(burns)).on(burns...)
	case len(sites) < 2 && unsaid:
		return unknown("on which sites the parts lie is not recorded for all").on(ev...)
	case len(sites) < 2:
		return fail("everything lies on one site").on(ev...)
	case !away:
		return fail("no place is marked as away from the office").on(ev...)
	}
	return pass("%d sites, one or more away from the office, all fireproof", len(sites))
}

// sealKey is a number as it is compared: case and blanks make no difference.
func sealKey(seal string) string { return strings.ToLower(strings.Join(strings.Fields(seal), "")) }

func sameSeal(a, b string) bool { return sealKey(a) == sealKey(b) }

// unsealed are what was found wrong with parts that bear no seal: it stays until
// somebody found them well.
func (c *Case) unsealed() []Result {
	var out []Result
	for i, name := range c.Register.Or().PartNames() {
		if f := c.Records.about(name); f != nil && sealKey(c.Register.Parts[i].Seal) == "" {
			out = append(out, fail("what was found wrong with a part was not cleared up").on(Evidence{ID: name, Name: name, Detail: f.What}))
		}
	}
	return out
}

func judgeSeals(c *Case) Result {
	var seals []string
	for _, p := range c.Register.Or().Parts {
		if s := strings.TrimSpace(p.Seal); s != "" && !slices.ContainsFunc(seals, func(t string) bool { return sameSeal(s, t) }) {
			seals = append(seals, s)
		}
	}
	results := c.unsealed()
	switch {
	case len(seals) == 0 && len(results) > 0:
		return merge(Result{}, results...)
	case len(seals) == 0:
		return notSetUp("no part in custody is sealed")
	case c.Records.Unread != "":
		return unknown("whether the seals were looked at is not known: %s", c.Records.Unread)
	case c.Records.Seals == nil:
		return notSetUp("nobody has looked at the seals and recorded it yet")
	}
	for _, seal := range seals {
		var last SealCheck
		broken := Result{Status: Pass}
		for _, s := range c.Records.Seals {
			if !sameSeal(s.Seal, seal) || s.At.After(c.Now) {
				continue
			}
			if s.At.After(last.At) {
				last = s
			}
			// A seal does not heal: a break stays one, whatever was seen later.
			if !s.Intact && s.Release == "" {
				broken = fail("a seal was broken, and nobody released what it guards").on(Evidence{ID: seal, Name: "seal " + seal, Detail: "broken on " + s.At.UTC().Format(time.DateOnly)})
			}
		}
		ev := Evidence{ID: seal, Name: "seal " + seal, Detail: "never looked at"}
		switch {
		case broken.Status == Fail:
			results = append(results, broken)
		case last.At.IsZero():
			results = append(results, fail("a seal was not looked at for more than %d days", c.Settings.SealDays).on(ev))
		case days(last.At, c.Now) > c.Settings.SealDays:
			ev.Detail = "last looked at on " + last.At.UTC().Format(time.DateOnly)
			results = append(results, fail("a seal was not looked at for more than %d days", c.Settings.SealDays).on(ev))
		}
	}
	return merge(pass("%d seals were looked at within %d days and are intact, or were broken by a release", len(seals), c.Settings.SealDays), results...)
}

func judgeHolders(c *Case) Result {
	reg := c.Register.Or()
	holders := c.keepers()
	if len(holders) == 0 {
		return notSetUp("no holder is registered")
	}
	var results []Result
	for i := range holders {
		results = append(results, c.holder(&holders[i]))
	}
	for i := range reg.Places {
		results = append(results, c.combination(&reg.Places[i]))
	}
	for _, s := range c.circle().Strangers() {
		results = append(results, fail("a sealed set has a holder who is not in the register: seal it anew").on(Evidence{Name: s.Name, Detail: "set " + s.Set}).then("halligan request seal --reseals FILE"))
	}
	if len(reg.Places) == 0 && !slices.ContainsFunc(reg.Parts, func(p register.Part) bool { return p.Set != "" }) {
		return merge(Result{}, results...)
	}
	return c.unlessUnread(merge(Result{}, results...), "who opens the sealed sets, and who could open a place and may not any more, is not known")
}

// holder judges one holder by the person's own directory object.
func (c *Case) holder(h *register.Person) Result {
	ev := Evidence{ID: string(h.ID), Name: h.Name}
	if h.ID == "" {
		ev.Detail = "no id"
		return unknown("a holder has no object id, and would not be noticed leaving").on(ev)
	}
	u := c.userOf(h.ID)
	f := c.Snapshot.Details(entra.PartUsers, h.ID)
	leaves, known := f.Time("employeeLeaveDateTime")
	st := c.Snapshot.Status(entra.PartUsers)
	switch {
	case u == nil && st.Status != entra.StatusRead && c.userExists(h.ID) == maybe:
		return c.unread(entra.PartUsers, st).on(ev)
	case u == nil || u.Deleted:
		ev.Detail = "not in the directory"
		return fail("a holder has left").on(ev)
	case u.Enabled != nil && !*u.Enabled:
		ev.Detail = "accountEnabled is false"
		return fail("a holder has left").on(ev)
	case known && !leaves.IsZero() && !leaves.After(c.Now):
		ev.Detail = "employeeLeaveDateTime is " + leaves.UTC().Format(time.DateOnly)
		return fail("a holder has left").on(ev)
	case u.Enabled == nil:
		return c.missing(entra.PartUsers, "accountEnabled", permUserRead).on(ev)
	case !known:
		return c.missing(entra.PartUsers, "employeeLeaveDateTime", "User-LifeCycleInfo.Read.All").on(ev)
	case strings.TrimSpace(h.Title) == "":
		ev.Detail = "no title"
		return unknown("what a holder is in the company is not recorded").on(ev)
	}
	return pass("%d holders are in service", len(c.keepers()))
}

// combination judges whether a place still opens for somebody who should not open it
// (StaleCombinations).
func (c *Case) combination(p *register.Place) Result {
	for _, a := range p.Access {
		if c.Register.Person(a) == nil {
			return fail("a place opens for somebody who is not a holder").on(Evidence{Name: p.Name, Detail: a})
		}
	}
	var results []Result
	for _, s := range StaleCombinations(c.Register, &c.Records, c.Now) {
		if s.Of.Name != p.Name {
			continue
		}
		ev := Evidence{Name: p.Name, Detail: fmt.Sprintf("%s, %s", s.Person, s.At.UTC().Format(time.DateOnly))}
		switch {
		case s.Future:
			results = append(results, unknown("the change of a combination is dated in the future").on(Evidence{Name: p.Name, Detail: string(p.CombinationChanged)}))
		case !s.Known:
			results = append(results, unknown("when the combination of a place was changed, if it has one, is not recorded").on(ev))
		default:
			results = append(results, fail("the combination of a place was not changed since somebody could open it who should not").on(ev))
		}
	}
	return merge(pass("%d holders are in service", len(c.keepers())), results...)
}

func judgeTrained(c *Case) Result {
	holders := c.keepers()
	if len(holders) == 0 {
		return notSetUp("no holder is registered")
	}
	if !slices.ContainsFunc(holders, func(h register.Person) bool { return h.Trained != "" || h.Aware != "" }) {
		return notSetUp("no training of a holder is recorded")
	}
	first := c.Today().Add(-c.Settings.TrainingDays)
	var results []Result
	for _, h := range holders {
		for _, of := range []struct {
			what string
			day  register.Day
		}{{"trained", h.Trained}, {"aware", h.Aware}} {
			ev := Evidence{ID: string(h.ID), Name: h.Name, Detail: of.what + " " + cmp.Or(string(of.day), "never")}
			switch {
			case of.day > c.Today():
				results = append(results, unknown("a training is dated in the future").on(ev))
			case of.day < first:
				results = append(results, fail("a holder's training or awareness is older than %d days", c.Settings.TrainingDays).on(ev))
			}
		}
	}
	return merge(pass("%d holders were trained within %d days", len(holders), c.Settings.TrainingDays), results...)
}

func judgeOffline(c *Case) Result {
	var binders []Evidence
	for i := range c.Register.Or().Parts {
		if p := &c.Register.Parts[i]; p.Kind == register.PartBinder && c.circle().Place(p.Place) != nil {
			binders = append(binders, partEvidence(p, "binder"))
		}
	}
	printed, changed := c.Records.BinderPrinted, c.Records.RegisterChanged
	switch {
	case c.Records.Unread != "":
		return unknown("whether the binder was printed is not known: %s", c.Records.Unread)
	case printed.IsZero():
		return notSetUp("no printed binder is recorded")
	case printed.After(c.Now):
		return unknown("the binder is recorded as printed in the future")
	case len(binders) == 0:
		return fail("the binder was printed, and no place is recorded where it lies").on(Evidence{Name: "binder", Detail: "printed on " + printed.UTC().Format(time.DateOnly)})
	case c.Records.BinderDigest != "" && c.Records.BinderDigest == c.Register.Digest():
		return pass("printed on %s, of the register as it is now", printed.UTC().Format(time.DateOnly))
	case c.Records.BinderDigest != "":
		return fail("the register is not what it was when the binder was printed, on %s", printed.UTC().Format(time.DateOnly)).on(binders...)
	case changed.IsZero():
		return unknown("when the register last changed is not known, so the printed binder may be out of date").on(binders...)
	case printed.Before(changed):
		return fail("the register changed on %s, after the binder was printed", changed.UTC().Format(time.DateOnly)).on(binders...)
	}
	return pass("printed on %s, after the last change", printed.UTC().Format(time.DateOnly))
}
