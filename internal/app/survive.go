package app

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"halligan/custody"
	"halligan/entra"
	"halligan/lockout"
	"halligan/register"
)

// SurviveSchema names the JSON form of a SurviveReport.
const SurviveSchema = "halligan-survive/1"

// lossesMost is the size up to which every set of losses is told.
const lossesMost = 3

// Bounds of what is kept of single losses. A register of thousands of shares is within
// what a register may be, and each of its losses would tell all of them again.
const (
	linesMost = 50_000 // lines of With in all
	whyMost   = 400    // bytes of a Why, where there would be more lines
)

// SurviveRequest asks what survives which loss.
type SurviveRequest struct {
	Register     *register.Register
	RegisterName string
	// Sources or Tenant are the tenant's side; neither: the register alone.
	ProveRequest
	// Unread is why the tenant that was to be read cannot be; nil: it can, or need not.
	Unread error
	// Held is what the log knows of looks and of sealed sets; nil: it was not read.
	Held *Held
	// Silent is why a log that is there does not answer; nil: it does, or there is none.
	Silent error
	// Scenario restricts the report to one named scenario; "" all.
	Scenario string
}

// unlooked is said where the log was not read.
const unlooked = "what was found at the last looks is not known here"

// SurviveReport is what survives which loss, and who could open an account.
type SurviveReport struct {
	Schema   string `json:"schema"`
	Tool     string `json:"tool"`
	Register string `json:"register"`
	Tenant   string `json:"tenant,omitempty"`
	// Basis says what the answer rests on: the register alone, or also a tenant.
	Basis string `json:"basis"`
	// Snapshot is the digest of the tenant that was read; "" none.
	Snapshot string `json:"snapshot,omitempty"`
	// Unread is why the tenant that was to be read was not; nil where it was, or need
	// not be.
	Unread error `json:"-"`
	// Holds: every rule holds (yes), one is broken (no), one cannot be told (maybe).
	Holds     custody.Answer `json:"holds"`
	Judgement string         `json:"judgement"`
	// Broken and Open are the rules that fail and those that cannot be told.
	Broken []string `json:"broken"`
	Open   []string `json:"open"`
	// Remarks are what was found missing or broken, and the services and settings of the
	// tenant each of which alone ends it: no rule of custody can hold against these.
	Remarks []string `json:"remarks"`
	// Now are the ways in as they are; Scenarios are named days; Losses every single
	// loss.
	Now       []custody.Standing `json:"now"`
	Scenarios []SurviveTrial     `json:"scenarios"`
	Losses    []SurviveTrial     `json:"losses"`
	// Sets are the smallest losses that end it; nil where only a scenario was asked
	// for.
	Sets     *custody.LossSets   `json:"sets,omitempty"`
	Openings []*custody.Openings `json:"openings"`
	Troubles []entra.Trouble     `json:"troubles"`
	// Circle and Accounts are for the picture.
	Circle   *custody.Circle    `json:"-"`
	Accounts []register.Account `json:"-"`
}

// SurviveTrial is one loss and what is left after it.
type SurviveTrial struct {
	custody.Scenario
	Works custody.Answer `json:"works"`
	// Ways are empty where what would be lost is not known (Unclear).
	Ways []custody.Standing `json:"ways"`
}

// Survive answers the request.
func Survive(ctx context.Context, req SurviveRequest) (*SurviveReport, error) {
	if req.Scenario != "" && !slices.Contains(custody.ScenarioNames(), req.Scenario) {
		return nil, &RequestError{Err: fmt.Errorf("no scenario %q", req.Scenario), Near: custody.ScenarioNames(), Word: req.Scenario, hint: "scenarios: " + strings.Join(custody.ScenarioNames(), ", ")}
	}
	reg := req.Register.Or()
	r := &SurviveReport{Schema: SurviveSchema, Tool: req.Tool, Register: req.RegisterName, Tenant: reg.Tenant.Name, Basis: "the register alone: what the tenant allows was not read",
		Broken: []string{}, Open: []string{}, Remarks: []string{}, Scenarios: []SurviveTrial{}, Losses: []SurviveTrial{}, Openings: []*custody.Openings{},
		Troubles: []entra.Trouble{}, Circle: custody.CircleOf(reg, req.Held.Sets(reg)...)}
	for i, name := range reg.PartNames() {
		if p := &reg.Parts[i]; custody.Locked(p) {
			r.Remarks = append(r.Remarks, name+" is sealed (set "+p.Set+") and no password: who opens it is not looked at, so that it is not counted on, and who could take it may have it")
		}
	}
	outlook, err := r.side(ctx, &req, reg)
	if err != nil {
		return nil, err
	}
	if req.Silent != nil {
		why, _, _ := strings.Cut(req.Silent.Error(), "\n")
		r.Basis += "; the evidence did not answer (" + why + "), and a part that was found missing counts as there"
	} else if req.Held == nil {
		r.Basis += "; " + unlooked
	} else {
		outlook.Gone = req.Held.missing(reg)
		r.Basis += "; and what was found at the last looks"
		r.Remarks = append(r.Remarks, req.Held.found(reg)...)
	}
	survey := r.Circle.Survey(outlook)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("ask the tenant's side: %w", err)
	}
	r.Accounts, r.Now = survey.Accounts(), survey.Standings()
	for _, s := range survey.Scenarios() {
		if req.Scenario == "" || s.Name == req.Scenario {
			r.Scenarios = append(r.Scenarios, trialOf(survey, s))
		}
	}
	if req.Scenario == "" {
		r.Losses = losses(survey)
		r.Sets = survey.LossSets(lossesMost)
		for _, a := range r.Accounts {
			r.Openings = append(r.Openings, r.Circle.Openings(a))
		}
	}
	r.conclude(survey)
	return r, nil
}

// side reads the tenant's side where there is one. A live tenant that cannot be read
// ends nothing: on the day that may be just what happened, and the register answers.
func (r *SurviveReport) side(ctx context.Context, req *SurviveRequest, reg *register.Register) (custody.Outlook, error) {
	live := req.ProveRequest.Tenant != nil
	if r.Unread = req.Unread; r.Unread == nil && (live || len(req.Sources) > 0) {
		snap, err := req.read(ctx, reg)
		switch {
		case err == nil:
			r.Snapshot, r.Troubles = snap.Digest(), orEmpty(snap.View().Troubles)
			r.Basis = "the register, and the tenant as it was read"
			return tenantSide(ctx, snap, reg, req.Now), nil
		case !live || ctx.Err() != nil:
			return custody.Outlook{}, err
		}
		r.Unread = err
	}
	if r.Unread != nil {
		why, _, _ := strings.Cut(r.Unread.Error(), "\n")
		r.Basis = "the register alone: the tenant was to be read, and was not (" + why + ")"
	}
	return custody.Outlook{}, nil
}

func trialOf(s *custody.Survey, of custody.Scenario) SurviveTrial {
	if of.Unclear != "" { // what is left after nothing is lost would be no answer
		return SurviveTrial{Scenario: of, Works: custody.Maybe, Ways: []custody.Standing{}}
	}
	return SurviveTrial{Scenario: of, Works: s.After(of.Lost...), Ways: s.Standings(of.Lost...)}
}

// losses are all single losses. Those of a register of thousands of shares are short.
func losses(survey *custody.Survey) []SurviveTrial {
	out := []SurviveTrial{}
	lines := 0
	for _, l := range survey.Singles() {
		t := trialOf(survey, custody.Scenario{Name: string(l.Kind), Title: l.String(), Lost: []custody.Loss{l}})
		before := lines
		lines += linesOf(t.Ways)
		out = append(out, t)
		switch {
		case before > linesMost:
			out[len(out)-1].shorten()
		case lines > linesMost:
			for i := range out {
				out[i].shorten()
			}
		}
	}
	return out
}

// linesOf counts what ways take, and what is said of why.
func linesOf(ways []custody.Standing) int {
	n := 0
	for i := range ways {
		n += len(ways[i].With) + 1 + len(ways[i].Why)/whyMost
	}
	return n
}

// shorten leaves of each way whether it works, and the beginning of why.
func (t *SurviveTrial) shorten() {
	for i := range t.Ways {
		w := &t.Ways[i]
		w.With = nil
		if len(w.Why) > whyMost {
			at := strings.LastIndex(w.Why[:whyMost], ", ")
			if at < 0 {
				at = strings.LastIndex(w.Why[:whyMost], " ")
			}
			w.Why = strings.ToValidUTF8(w.Why[:max(at, 0)], "") + " …"
		}
	}
}

// conclude judges by the rules (S56..S60, S104, S121): as it is; each scenario; one place, site, key, model
// or person; two people; and who opens an account.
func (r *SurviveReport) conclude(s *custody.Survey) {
	tell := func(a custody.Answer, no, maybe string) {
		switch {
		case a == custody.No:
			r.Broken = append(r.Broken, no)
		case a == custody.Maybe && maybe != "":
			r.Open = append(r.Open, maybe)
		}
	}
	now := s.After()
	switch {
	case len(r.Accounts) == 0:
		r.Open = append(r.Open, "no emergency account is registered that is enabled")
	case now == custody.No:
		r.Broken = append(r.Broken, "no account can be opened as it is now")
	case now == custody.Maybe:
		r.Open = append(r.Open, "whether any account can be opened as it is now is not known")
		r.singles(func(a custody.Answer, no, _ string) { tell(a, no, "") })
	default:
		r.singles(tell)
	}
	for _, o := range r.Openings {
		name := o.Name
		if name == "" {
			name = string(o.Account)
		}
		tell(o.TwoPeople(), breach(o, o.Certain, name, ""), breach(o, o.Possible, name, "perhaps "))
		for _, p := range o.Places {
			if p.Certain {
				tell(custody.No, "place "+p.Place+" holds all that opens "+name, "")
			} else {
				tell(custody.Maybe, "", "place "+p.Place+" perhaps holds all that opens "+name)
			}
		}
	}
	switch {
	case len(r.Broken) > 0:
		r.Holds = custody.No
		r.Judgement = strings.Join(r.Broken, "; ")
	case len(r.Open) > 0:
		r.Holds = custody.Maybe
		r.Judgement = strings.Join(r.Open, "; ")
	default:
		r.Holds = custody.Yes
		r.Judgement = "an account can be opened after the loss of any one place, site, key, key model or person, or of any two people, and in every scenario; and it takes two people who are independent of each other"
		if r.Sets == nil {
			r.Judgement = "an account can be opened"
		}
	}
}

// singles judges single losses and scenarios. What one loss already breaks is not
// told again as a scenario.
func (r *SurviveReport) singles(tell func(a custody.Answer, no, maybe string)) {
	var told []custody.Loss
	var maybe, settings, unclear []string
	for _, t := range r.Losses {
		l := t.Lost[0]
		switch {
		case t.Works == custody.Yes:
		case l.Service() && t.Works == custody.No:
			settings = append(settings, t.Title)
		case l.Service():
			unclear = append(unclear, t.Title)
		case t.Works == custody.No:
			told = append(told, l)
			tell(custody.No, t.Title+" alone ends it", "")
		default:
			maybe = append(maybe, t.Title)
		}
	}
	switch {
	case len(settings) == 1:
		r.Remarks = append(r.Remarks, "this alone ends it, and no custody can help: "+settings[0])
	case len(settings) > 1:
		r.Remarks = append(r.Remarks, "each of these alone ends it, and no custody can help: "+strings.Join(settings, "; "))
	}
	if len(unclear) > 0 {
		r.Remarks = append(r.Remarks, "whether an account can be opened is not known after the loss of "+some(unclear)+", and no custody can help")
	}
	if len(maybe) > 0 {
		tell(custody.Maybe, "", "whether an account can be opened is not known after the loss of "+some(maybe))
	}
	for _, t := range r.Scenarios {
		if slices.ContainsFunc(t.Lost, func(l custody.Loss) bool { return slices.Contains(told, l) }) {
			continue
		}
		no, unknown := "no account can be opened when "+t.Title, "whether an account can be opened is not known when "+t.Title
		switch {
		case t.Unclear != "":
			unknown = t.Unclear
		case t.Name == "phones-down", t.Name == "mail-down":
			unknown = "whether those who hold the parts can be reached is not known when " + t.Title + ": write two ways into reach of each person"
		}
		tell(t.Works, no, unknown)
	}
}

// breach tells the worst set of people who could open an account.
func breach(o *custody.Openings, list []custody.Opening, name, how string) string {
	for _, x := range list {
		switch {
		case len(x.People) == 1:
			return x.People[0] + " alone can " + how + "open " + name
		case x.Line != "":
			return strings.Join(x.People, " and ") + ", who are one line or role, can " + how + "open " + name
		}
	}
	switch {
	case o.Reset:
		return "whoever resets the password of " + name + " opens it alone (S108)"
	case o.Cut:
		return "there are too many sets of people who could open " + name + " to look at"
	}
	if len(o.Unrecorded) > 0 {
		return "who could open " + name + " is not recorded: " + strings.Join(o.Unrecorded, "; ")
	}
	return "who could open " + name + " is not recorded"
}

// tenantSide is what the tenant allows, as the prover sees it.
func tenantSide(ctx context.Context, snap *entra.Snapshot, reg *register.Register, now lockout.Date) custody.Outlook {
	side := &side{ctx: ctx, snap: snap, reg: reg, now: now}
	o := custody.Outlook{Tenant: side.answer, Services: side.services()}
	for _, a := range reg.Accounts {
		for i := range snap.View().Users {
			if u := &snap.View().Users[i]; u.ID.Equal(a.ID) && (u.Deleted || u.Enabled != nil && !*u.Enabled) {
				o.Closed = append(o.Closed, a.ID)
			}
		}
	}
	return o
}
