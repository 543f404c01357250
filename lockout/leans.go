package lockout

import (
	"fmt"
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
)

// leans collects the rules a verdict rests on that Microsoft does not plainly
// document, and those that end on a date.
func (p *Prover) leans(q *Question, a *account, pr *problem, v *Verdict) {
	add := func(id string) {
		r := facts.Rule(id)
		for _, l := range v.LeansOn {
			if l.Rule == id {
				return
			}
		}
		v.LeansOn = append(v.LeansOn, Lean{Rule: id, Status: r.Status, Text: r.Text, Source: r.Source})
	}
	if g, ok := facts.LookupGoal(strings.TrimPrefix(q.Goal.Name, "recover:")); ok && g.Status == "inferred" {
		add("audience-set")
	}
	switch v.Outcome {
	case Proved:
		p.provedLeans(q, a, v, add)
	case Lockout:
		for _, c := range v.Counterexample.Causes {
			switch c.Control {
			case "passwordChange":
				add("passwordless-cannot-change-password")
			case "block":
				if p.blocksAmongOthers(c.Source) {
					add("block-never-satisfied")
				}
			case "disableResilienceDefaults":
				add("resilience-group-exclusion")
			}
		}
	}
	p.warnNothingEnforced(v)
	for _, f := range facts.StaleOn(string(q.Now)) {
		v.Warnings = append(v.Warnings, "vendor data "+f+" was last checked over 12 months ago: check it against Microsoft's pages")
	}
}

// warnNothingEnforced says so when no policy is enabled: the verdict is then not
// about what the policies say.
func (p *Prover) warnNothingEnforced(v *Verdict) {
	report := 0
	for _, pol := range p.policies {
		if pol.enabled.v != no {
			return
		}
		if pol.policy.State == entra.StateReportOnly {
			report++
		}
	}
	if len(p.policies) == 0 {
		return
	}
	w := fmt.Sprintf("none of the %d policies is enabled, so none decides", len(p.policies))
	if report > 0 {
		w += fmt.Sprintf("; %d are report-only: --as-if report-only=enabled judges them as if they were on", report)
	}
	v.Warnings = append(v.Warnings, w)
}

// blocksAmongOthers reports whether a policy asks for something beside block.
func (p *Prover) blocksAmongOthers(id string) bool {
	for _, pol := range p.policies {
		g := &pol.policy.Grant
		if string(pol.policy.ID) == id && (len(g.Controls)+len(g.TermsOfUse)+len(g.CustomFactors) > 1 || g.Strength != nil) {
			return true
		}
	}
	return false
}

func (p *Prover) provedLeans(q *Question, a *account, v *Verdict, add func(string)) {
	c := v.Certificate
	byID := map[string]*compiled{}
	for _, pol := range p.policies {
		byID[string(pol.policy.ID)] = pol
	}
	for i := range c.Lines {
		l := &c.Lines[i]
		pol := byID[l.Policy]
		switch l.Reason {
		case ReasonExcluded:
			if l.Route.Kind == "role" && a.activeVia[strings.ToLower(l.Route.ID)] != "" {
				add("role-through-group-active")
			}
			if l.Route.Kind == "guest" {
				add("guest-is-internal")
			}
		case ReasonUserNotIncluded:
			for _, role := range pol.policy.Conditions.Users.IncludeRoles {
				if a.eligible.has(role) && !a.active.has(role) {
					add("eligible-role-not-matched")
				}
			}
		case ReasonTarget:
			if pol.include["00000006-0000-0ff1-ce00-000000000000"] || contains(pol.policy.Conditions.Applications.Include, "Office365") {
				add("office365-not-entra-portal")
			}
			if contains(pol.policy.Conditions.Applications.Include, "MicrosoftAdminPortals") {
				add("admin-portals-not-apis")
			}
		case ReasonSatisfied:
			if s := &pol.policy.Session; s.PersistentBrowser != "" || s.AppEnforcedRestrictions || s.GlobalSecureAccess {
				add("session-controls-harmless")
			}
		}
	}
	for _, g := range c.Gates {
		p.gateLeans(g, a, q, v)
	}
	for i := range c.Lines {
		for _, it := range c.Lines[i].Items {
			p.combinationLeans(it.Combination, q, v)
		}
	}
	if len(p.view.LegacyMethods) > 0 {
		v.Warnings = append(v.Warnings, "the proof may rest on a method enabled in the legacy settings, which cannot be managed there since September 30, 2025")
	}
}

func (p *Prover) gateLeans(g CertGate, _ *account, q *Question, v *Verdict) {
	p.combinationLeans(g.Combination, q, v)
}

// combinationLeans prints the vendor dates on which a combination ends.
func (p *Prover) combinationLeans(c entra.Combination, q *Question, v *Verdict) {
	for _, m := range c {
		if m == entra.ModeSMS || m == entra.ModeVoice {
			d := facts.Date("smsVoiceRetirement")
			for _, l := range v.LeansOn {
				if l.Rule == d.ID {
					return
				}
			}
			v.LeansOn = append(v.LeansOn, Lean{Rule: d.ID, Status: "ends", Text: d.Text, Source: d.Source, Until: Date(d.Date)})
		}
	}
	if facts.GraphPagesOnly(c) {
		w := "the proof rests on a combination of password and certificate that only the Graph pages list for multifactor authentication"
		for _, x := range v.Warnings {
			if x == w {
				return
			}
		}
		v.Warnings = append(v.Warnings, w)
	}
}
