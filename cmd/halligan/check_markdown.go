package main

import (
	"fmt"
	"io"
	"strings"

	"halligan/internal/app"
	"halligan/posture"
)

// writeCheckMarkdown writes a check as Markdown, for a pull request or a wiki.
func writeCheckMarkdown(w io.Writer, r *app.CheckReport, l look) error {
	m := &markdown{}
	v := viewCheck(r, l.all)
	m.line("# Emergency access: %s", v.Word)
	m.line("\n%s. %s", v.Means, strings.TrimSuffix(v.Drill+"; "+v.Next, "; "))
	for _, w := range r.Warnings {
		m.line("\n**Beware:** %s.", w)
	}
	for _, fact := range r.Facts {
		m.line("\n%s.", fact)
	}
	m.line("")
	for i := range v.Proof.Accounts {
		a := &v.Proof.Accounts[i]
		for _, g := range a.Verdicts {
			if g.Counts {
				m.line("- **%s** – %s", g.Word, ifElse(a.AccountReport.Hypothesis, hypothesisWords, "")+g.Told)
			}
		}
	}
	told := v.Worst
	if l.all {
		told = v.Findings
	}
	if len(told) > 0 {
		m.line("\n## Findings\n\n| | severity | check | what was found | next step |\n|---|---|---|---|---|")
		for i := range told {
			f := &told[i]
			m.line("| %s %s | %s | %s | %s | %s |", f.Mark, f.Word, string(f.Severity), f.Check, f.text(), f.Next)
		}
	}
	m.b.WriteString("\n")
	for _, line := range append(v.Rest, v.NotSetUp) {
		if line != "" {
			m.line("- %s", line)
		}
	}
	m.list("Why not green", shorten(r.GradeReasons, l.all))
	m.list("Not read", v.Proof.NotRead)
	m.nextSteps(r.Next)
	_, err := io.WriteString(w, m.b.String())
	return err
}

// quickStart is the one-page checklist (S81): what to have, in the order of doing
// it, and the checks that say whether it is so.
var quickStart = []struct {
	do     string
	checks []string
}{
	{"Two accounts or more, cloud-only, in the initial domain, enabled (S10, S18, S46)", []string{"id-count-min", "id-cloud-only", "id-domain", "id-enabled", "id-not-deleted"}},
	{"Global Administrator, assigned directly, active and permanent (S21, S52, S53)", []string{"role-ga-active", "role-ga-permanent", "role-not-via-group"}},
	{"A password that never expires, discarded, split or vaulted (S15, S17, S106)", []string{"pw-never-expires", "pw-no-forced-change", "pw-discarded-or-held"}},
	{"Excluded from every policy that might block, proved for each account (S96)", []string{"ca-not-blocked", "ca-device-unmeetable", "ca-location"}},
	{"Two security keys per account, of different models, and no other method (S5, S55, S56)", []string{"am-phish-resistant", "am-two-keys", "am-model-diversity", "am-no-personal"}},
	{"Mandatory MFA can be met on every portal (S1, S83, S84)", []string{"mmfa-ready", "am-fido-policy-on", "am-aaguid-allowed"}},
	{"No pass left over, passes out of scope (S31, S98)", []string{"am-no-tap", "am-tap-out-of-scope"}},
	{"The exclusion group is protected and holds nobody else (S24, S91)", []string{"grp-exists-static", "grp-protected", "ca-exclusion-exclusive"}},
	{"Keys, PINs and envelopes apart, with two people, at two sites (S30, S57, S104)", []string{"cus-complete", "cus-two-person", "cus-pin-apart", "cus-separated", "cus-spof"}},
	{"Every sign-in and every change raises an alert on two channels (S33, S66, S77)", []string{"mon-signin-any", "mon-object-change", "mon-recipients"}},
	{"A drill with every account and key every 90 days, alert included (S35, S69, S118)", []string{"drl-account-90d", "drl-key-90d", "drl-alert-proved"}},
	{"The runbook and the binder, printed and current (S59, S73)", []string{"cus-offline", "drl-runbook-current"}},
}

// writeChecklist writes the one-page quick start with the state of each line.
func writeChecklist(w io.Writer, r *app.CheckReport, l look) error {
	p := &page{look: l}
	p.styled(0, 0, bold, "Emergency access, the quick start:", strings.ToUpper(string(r.Grade)))
	p.blank()
	worst := map[string]posture.Status{}
	for _, f := range r.Findings {
		if old, seen := worst[f.Check]; !seen || statusAt(f.Status) < statusAt(old) {
			worst[f.Check] = f.Status
		}
	}
	for i, line := range quickStart {
		status := posture.NotApplicable
		var open []string // each with its own status, the worst first
		for _, id := range line.checks {
			s, known := worst[id]
			if !known {
				continue
			}
			if statusAt(s) < statusAt(status) {
				status = s
			}
			if s == posture.Fail || s == posture.Indeterminate || s == posture.NotSetUp {
				open = append(open, id+" "+ifElse(s == posture.Fail, "fails", ifElse(s == posture.NotSetUp, "is not set up", "is open")))
			}
		}
		mark := "[ ]"
		switch status {
		case posture.Pass:
			mark = "[x]"
		case posture.NotApplicable:
			mark = "[-]"
		}
		text := line.do
		if len(open) > 0 {
			text += " – " + strings.Join(open, ", ")
		}
		p.styled(0, 8, statusStyle(status), fmt.Sprintf("%s %d.%s", mark, i+1, ifElse(i < 9, " ", "")), text)
	}
	p.blank()
	p.line(0, 0, "[x] passes, [ ] is open, [-] does not apply to this tenant.")
	p.line(0, 0, "One check told: halligan explain CHECK. Every finding: halligan check --all.")
	_, err := io.WriteString(w, p.b.String())
	return err
}
