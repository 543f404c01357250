package app

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout"
)

// stating holds, for what is commonly unread, the supposition that states it.
// It is the answer that an ordinary emergency account gives; a person says
// whether it is true.
var stating = map[string]string{
	"group-membership": "member=none", "role-assignments": "role=GlobalAdministrator", "role-eligibility": "role=GlobalAdministrator",
	"methods": "key=any", "methods-policy": "methods=default", "account": "ordinary", "user": "ordinary", "user-type": "ordinary", "account-enabled": "ordinary",
	"per-user-mfa": "ordinary", "security-defaults": "ordinary", "domain-authentication": "ordinary", "protected-actions": "ordinary",
	"low-privilege-scopes": "baseline-scopes=enforced", "pass-registration": "registration=out-of-scope", "terms-per-device": "terms=per-user",
}

// settlements gathers what is not known about an account over its goals, so that
// a person sees which one thing settles most.
func settlements(a *AccountReport) []Settlement {
	out := []Settlement{}
	at := map[string]int{}
	touched := map[string]map[string]bool{}
	note := func(u lockout.Unknown, where string) {
		i, ok := at[u.ID]
		if !ok {
			i = len(out)
			at[u.ID], touched[u.ID] = i, map[string]bool{}
			how := u.Settle
			if a.Candidate == nil || a.Candidate.Kind == "user" {
				how = strings.ReplaceAll(how, "{id}", string(a.Account))
			}
			out = append(out, Settlement{ID: u.ID, What: u.What, How: how, Suppose: stating[u.ID], Subjects: []string{}})
		}
		if u.Subject != "" && !slices.Contains(out[i].Subjects, u.Subject) {
			out[i].Subjects = append(out[i].Subjects, u.Subject)
		}
		if where != "" {
			touched[u.ID][where] = true
		}
	}
	for _, g := range a.Goals {
		if g.Outcome != lockout.Undetermined {
			continue
		}
		for _, u := range g.Unknowns {
			note(u, "")
		}
		for i := range g.Policies {
			for _, u := range g.Policies[i].Unknowns {
				note(u, g.Policies[i].Policy)
			}
		}
		for i := range g.Gates {
			for _, u := range g.Gates[i].Unknowns {
				note(u, "gate "+g.Gates[i].Gate)
			}
		}
	}
	for i := range out {
		out[i].Touches = len(touched[out[i].ID])
	}
	slices.SortStableFunc(out, func(x, y Settlement) int { return cmp.Compare(y.Touches, x.Touches) })
	return out
}

func (r *Report) partRead(part entra.Part) bool {
	return slices.ContainsFunc(r.Parts, func(p PartReport) bool { return p.Part == part && p.Status == entra.StatusRead })
}

// conclude gives the report its verdict and says what to do next.
func (r *Report) conclude(req *ProveRequest) {
	for i, a := range r.Accounts {
		if i == 0 {
			r.Verdict = a.Verdict
		}
		r.Verdict = worst(r.Verdict, a.Verdict)
	}
	if len(r.Accounts) == 0 {
		r.Verdict = lockout.Undetermined
	}
	if r.PoliciesRead == 0 && !r.partRead(entra.PartPolicies) && req.Tenant == nil {
		r.Next = append(r.Next, Step{Do: "az rest --method get --url https://graph.microsoft.com/v1.0/identity/conditionalAccess/policies > policies.json", Why: "exports the policies; then halligan prove --from policies.json", Command: true})
	}
	troubles := r.Troubles
	if r.Change != nil {
		troubles = slices.Concat(r.Change.Troubles, troubles)
	}
	for _, t := range troubles {
		if req.Tenant != nil && t.Other == "" && (r.Change == nil || !slices.Contains(r.Change.Troubles, t)) {
			step := Step{Do: "halligan doctor", Why: t.What, Command: true}
			if !slices.ContainsFunc(r.Next, func(s Step) bool { return s.Do == step.Do }) {
				r.Next = append(r.Next, step)
			}
			continue
		}
		step := Step{Do: "mend or export again: " + place(t), Why: t.What}
		if other := t.Other; other != "" && other != t.File {
			step = Step{Do: fmt.Sprintf("give only one of %s and %s, the newer export, or export once more", other, t.File), Why: "they contradict each other: " + t.What}
			if slices.ContainsFunc(r.Next, func(s Step) bool { return s.Do == step.Do }) {
				continue // two exports differ in many objects; one advice is enough
			}
		}
		r.Next = append(r.Next, step)
		if len(r.Next) == 3 {
			break
		}
	}
	if r.Hypothesis {
		if len(r.Accounts) > 0 && r.Accounts[0].Verdict == lockout.Lockout {
			r.Next = append(r.Next, clearWay(r.Accounts[0]))
		}
		r.Next = append(r.Next, r.nameOne(req)...)
		return
	}
	for _, a := range r.Accounts {
		if a.Verdict == lockout.Lockout {
			r.Next = append(r.Next, clearWay(a))
		}
		if len(a.Settle) > 0 && a.Settle[0].Touches > 0 {
			s := &a.Settle[0]
			r.Next = append(r.Next, Step{Do: s.How, Why: fmt.Sprintf("settles most for %s: %s for it", a.Label(), count(s.Touches, "policy or gate waits", "policies and gates wait"))})
		}
	}
}

// closedGates tells what denies an account outside the policies.
func closedGates(a *AccountReport) []string {
	var out []string
	for _, g := range a.Goals {
		for i := range g.Gates {
			if l := &g.Gates[i]; g.Counts && !l.OK && len(l.Unknowns) == 0 && !slices.Contains(out, l.Why) {
				out = append(out, l.Why)
			}
		}
	}
	return out
}

// clearWay names the policies that deny an account for sure.
func clearWay(a *AccountReport) Step {
	var names []string
	for _, g := range a.Goals {
		for i := range g.Policies {
			l := &g.Policies[i]
			if name := fmt.Sprintf("%q", l.Name); g.Counts && g.Outcome == lockout.Lockout && l.Relation == lockout.RelBlocks && !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) == 0 {
		return Step{Do: "mend for " + a.Label() + ": " + strings.Join(closedGates(a), "; "), Why: "no policy stands in the way, but this does"}
	}
	if more := len(names) - 5; more > 0 {
		names = append(names[:5], fmt.Sprintf("%d more", more))
	}
	return Step{Do: fmt.Sprintf("exclude %s from %s, or give it what they ask for", a.Label(), strings.Join(names, ", ")), Why: "these deny it whatever else is settled"}
}

// nameOne says how to turn a hypothesis into a question.
func (r *Report) nameOne(req *ProveRequest) []Step {
	if len(r.Accounts) == 0 {
		return nil
	}
	a := r.Accounts[0]
	args := []string{"halligan prove"}
	for _, source := range req.Sources {
		name := source.Name
		if name == "stdin" {
			name = "-"
		}
		args = append(args, "--from "+quote(name))
	}
	switch a.Candidate.Kind {
	case "user":
		for _, x := range r.Accounts {
			if x.Candidate.Kind == "user" && x.Candidate.Excluded == a.Candidate.Excluded {
				args = append(args, "--account "+quote(x.Label()))
			}
		}
	case "group":
		args = append(args, "--account OBJECT-ID", "--suppose "+quote("member="+string(a.Candidate.ID)))
	default:
		args = append(args, "--account OBJECT-ID")
	}
	seen := []string{}
	for _, s := range a.Settle {
		if s.Suppose == "" || slices.Contains(seen, s.Suppose) || s.Suppose == "member=none" && a.Candidate.Kind == "group" {
			continue
		}
		seen = append(seen, s.Suppose)
	}
	for _, expression := range append(slices.Clone(req.Suppose), r.complete(seen)...) {
		args = append(args, "--suppose "+quote(expression))
	}
	for _, word := range req.Keep {
		args = append(args, quote(word))
	}
	steps := []Step{{Do: strings.Join(args, " "), Why: "name your emergency account; state only what is true of it", Command: true}}
	if slices.ContainsFunc(r.Accounts, func(x *AccountReport) bool { return len(x.Settle) > 0 }) {
		if req.Tenant == nil {
			steps = append(steps, Step{Do: "add exports of users, groups, roles and authentication methods with further --from", Why: "what is read need not be supposed"})
		}
	}
	return steps
}

// complete adds what a supposed key needs besides: one more round would only ask
// for it.
func (r *Report) complete(expressions []string) []string {
	key := slices.ContainsFunc(expressions, func(x string) bool { return strings.HasPrefix(x, "key=") })
	if key && !r.partRead(entra.PartMethodsPolicy) && !slices.Contains(expressions, "methods=default") {
		expressions = append(expressions, "methods=default")
	}
	return expressions
}

// quote makes an argument safe to paste into a shell.
func quote(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_=.@:,/+", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

func place(t entra.Trouble) string {
	s := t.File
	if t.Line > 0 {
		s += fmt.Sprintf(":%d", t.Line)
		if t.Column > 0 {
			s += fmt.Sprintf(":%d", t.Column)
		}
	}
	return s
}

func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
