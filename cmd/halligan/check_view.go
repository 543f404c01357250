package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/internal/app"
	"halligan/posture"
)

// checkView is a check report in the order and words in which a person reads it.
// Its texts are raw: each writer escapes for its own form.
type checkView struct {
	*app.CheckReport
	Proof    *reportView
	Word     string // the grade, in capitals
	Means    string // the grade, in words
	Drill    string // days since the last successful drill (S75)
	Next     string // the next thing due
	Findings []findingView
	// Worst are those that a person reads first; Rest counts the others.
	Worst    []findingView
	Rest     []string
	NotSetUp string
}

// findingView is one check with one answer, for all the accounts that share it.
type findingView struct {
	*app.FindingReport
	Mark, Word string
	Who        []string // the accounts; none: the tenant
	Says       []string // one sentence, or one for each account
	Next       string   // the next step
	Everybody  bool     // Who are all the accounts, and there are several
}

// statusWords name the statuses for people; no sign stands without its word.
var statusWords = map[posture.Status]string{posture.Fail: "✗", posture.Indeterminate: "?", posture.AcceptedRisk: "!", posture.NotSetUp: "○", posture.Attested: "≈",
	posture.Pass: "✓", posture.NotApplicable: "·"}

var gradeWords = map[posture.Grade]string{
	posture.Green: "every account gets in, and nothing critical or high is open",
	posture.Amber: "no lock-out is known, but not everything is known or in order",
	posture.Red:   "an account can be locked out or taken over, or a critical check fails",
}

// fewFindings is how many findings a person reads before looking away.
const fewFindings = 5

func viewCheck(r *app.CheckReport, all bool) *checkView {
	v := &checkView{CheckReport: r, Proof: viewOf(&r.Report, all), Word: strings.ToUpper(string(r.Grade)), Means: gradeWords[r.Grade]}
	if len(r.Accounts) == 0 || r.PoliciesRead == 0 && len(r.Warnings) > 0 {
		v.Means = "not enough was read to judge anything"
	}
	switch {
	case r.DrillDays < 0:
		v.Drill = "no successful drill is on record"
	case r.DrillDays == 0:
		v.Drill = "last successful drill: today"
	default:
		v.Drill = "last successful drill: " + plural(r.DrillDays, "day", "days") + " ago"
	}
	if len(r.Due) > 0 {
		d := r.Due[0]
		v.Next = "next due: " + d.What + ", " + ifElse(d.Overdue, "overdue since ", "by ") + string(d.Day)
	}
	v.Findings = groupFindings(r.Findings)
	v.Worst = slices.DeleteFunc(slices.Clone(v.Findings), func(f findingView) bool { return f.Status != posture.Fail })
	if len(v.Worst) > fewFindings && !all {
		v.Worst = v.Worst[:fewFindings]
	}
	v.count(all)
	return v
}

// groupFindings puts the accounts together that share the answer of a check, the
// worst first.
func groupFindings(findings []*app.FindingReport) []findingView {
	var out []findingView
	at := map[string]int{}
	for _, f := range findings {
		k := fmt.Sprint(f.Check, f.Status, f.Known, f.Lapsed)
		i, seen := at[k]
		if !seen {
			i = len(out)
			at[k] = i
			one := *f // the others' evidence joins it
			one.Evidence, one.Missing = slices.Clone(f.Evidence), slices.Clone(f.Missing)
			out = append(out, findingView{FindingReport: &one, Mark: statusWords[f.Status], Word: f.Status.Words(), Next: stepOf(f)})
		}
		g := &out[i]
		if seen {
			for _, e := range f.Evidence {
				if !slices.Contains(g.Evidence, e) {
					g.Evidence = append(g.Evidence, e)
				}
			}
			for _, m := range f.Missing {
				if !slices.Contains(g.Missing, m) {
					g.Missing = append(g.Missing, m)
				}
			}
		}
		if f.Account != "" {
			g.Who = append(g.Who, cmp.Or(f.AccountName, string(f.Account)))
		}
		g.Says = append(g.Says, f.Says)
	}
	accounts := map[entra.ID]bool{}
	for _, f := range findings {
		if f.Account != "" {
			accounts[f.Account] = true
		}
	}
	for i := range out {
		g := &out[i]
		g.Everybody = len(g.Who) > 1 && len(g.Who) == len(accounts)
		if distinct := slices.Compact(slices.Sorted(slices.Values(g.Says))); len(distinct) == 1 {
			g.Says = distinct
		}
	}
	slices.SortStableFunc(out, func(a, b findingView) int {
		// What a policy does to an account stands first among failures of one
		// severity or less: it is what locks out.
		return cmp.Or(statusAt(a.Status)-statusAt(b.Status), urgency(&a)-urgency(&b))
	})
	return out
}

// urgency ranks findings of one status: by severity, and what the prover found
// among the policies like a critical one.
func urgency(f *findingView) int {
	if f.Status == posture.Fail && f.Theme == posture.ThemePolicies && f.Severity == posture.High {
		return 0
	}
	return severityAt(f.Severity)
}

func statusAt(s posture.Status) int     { return slices.Index(posture.Statuses, s) }
func severityAt(s posture.Severity) int { return slices.Index(posture.Severities, s) }

// text tells whom a finding is about and what was found.
func (f *findingView) text() string {
	if f.Hypothesis {
		return hypothesisWords + f.found()
	}
	return f.found()
}

// hypothesisWords stand before what is true only of an emergency account.
const hypothesisWords = "if this is your emergency account: "

func (f *findingView) found() string {
	switch {
	case len(f.Who) == 0:
		return strings.Join(f.Says, "; ")
	case len(f.Says) == 1:
		return f.who() + ": " + f.Says[0]
	}
	var parts []string
	for i := range f.Says {
		parts = append(parts, f.Who[i]+": "+f.Says[i])
	}
	return strings.Join(parts, "; ")
}

func (f *findingView) who() string {
	switch {
	case f.Everybody && len(f.Who) == 2:
		return "both accounts"
	case f.Everybody:
		return fmt.Sprintf("all %d accounts", len(f.Who))
	case len(f.Who) > 3:
		return fmt.Sprintf("%s and %d more accounts", f.Who[0], len(f.Who)-1)
	}
	return strings.Join(f.Who, ", ")
}

// stepOf is the first thing to do about a finding.
func stepOf(f *app.FindingReport) string {
	switch f.Status {
	case posture.Pass, posture.NotApplicable, posture.Attested:
		return ""
	}
	if f.Step != "" {
		return f.Step
	}
	if check := posture.Lookup(f.Check); check != nil && check.Attestable && f.Status == posture.Indeterminate && len(f.Missing) == 0 {
		return attestLine(f.Check)
	}
	if f.Status == posture.Indeterminate && len(f.Missing) > 0 {
		m := f.Missing[0]
		step := "read " + m.Part.Info().What
		if m.Property != "" {
			step += " with " + m.Property
		}
		return step + " (" + m.Permission + "; " + m.Request + ")"
	}
	for _, list := range [][]string{f.Fix.Portal, f.Fix.Command, f.Fix.Graph} {
		for _, step := range list {
			if !strings.HasPrefix(step, "halligan ") || commandExists(step) {
				return step
			}
		}
	}
	return "halligan explain " + f.Check
}

// commandExists reports whether a step that names a command of ours names one
// that this program has: the catalogue is ahead of it.
func commandExists(step string) bool {
	words := strings.Fields(step)
	return len(words) < 2 || words[0] != "halligan" || slices.Contains(ownCommands, words[1])
}

// ownCommands are the commands of the table commands; a test holds the two to
// each other, since the table cannot be asked from within a command.
var ownCommands = []string{"check", "prove", "explain", "attest", "init", "export", "selftest", "login", "logout", "whoami", "doctor", "permissions", "snapshot", "sandbox", "person", "request", "approve", "custody", "survive", "seal", "open", "reseal", "evidence", "store", "binder", "serve", "demo", "version", "completion", "man", "help"}

// attestLine is how a person answers for a check.
func attestLine(check string) string {
	return "halligan attest " + check + " --by NAME --until DAY --note TEXT"
}

// count tells in a few lines what is not told one by one.
func (v *checkView) count(all bool) {
	fails := 0
	setUp := map[posture.Theme]bool{}
	var themes []string
	for _, f := range v.Findings {
		switch f.Status {
		case posture.Fail:
			fails++
		case posture.NotSetUp:
			if !setUp[f.Theme] {
				setUp[f.Theme] = true
				themes = append(themes, string(f.Theme))
			}
		}
	}
	if more := fails - len(v.Worst); more > 0 {
		v.Rest = append(v.Rest, plural(more, "more check fails", "more checks fail"))
	}
	if n := v.Counts[posture.Indeterminate]; n > 0 {
		line := fmt.Sprintf("%d indeterminate", n)
		var why []string
		for i, w := range v.Unread {
			if i == 3 {
				why = append(why, "and "+plural(len(v.Unread)-i, "other permission", "other permissions"))
				break
			}
			why = append(why, fmt.Sprintf("%d for want of %s", w.Findings, w.Permission))
		}
		if len(why) > 0 {
			line += ": " + strings.Join(why, ", ")
		}
		v.Rest = append(v.Rest, line)
	}
	var others []string
	for _, s := range []posture.Status{posture.AcceptedRisk, posture.Attested, posture.Pass, posture.NotApplicable} {
		if n := v.Counts[s]; n > 0 {
			others = append(others, fmt.Sprintf("%d %s", n, s.Words()))
		}
	}
	if len(others) > 0 {
		v.Rest = append(v.Rest, strings.Join(others, ", "))
	}
	if len(themes) > 0 {
		v.NotSetUp = "not set up yet: " + strings.Join(themes, ", ") + " (" + plural(v.Counts[posture.NotSetUp], "finding", "findings") + ")"
	}
	if !all && len(v.Findings) > len(v.Worst) {
		v.Rest = append(v.Rest, "every finding: --all, or --format html -o report.html")
	}
}
