package main

import (
	"fmt"
	"io"
	"strings"

	"halligan/internal/app"
	"halligan/lockout"
	"halligan/posture"
)

func gradeStyle(g posture.Grade) style {
	switch g {
	case posture.Green:
		return green
	case posture.Red:
		return red
	}
	return yellow
}

func statusStyle(s posture.Status) style {
	switch s {
	case posture.Fail:
		return red
	case posture.Indeterminate, posture.AcceptedRisk:
		return yellow
	case posture.Pass:
		return green
	}
	return 0
}

// writeCheckTerminal writes a check for a person at a terminal: the grade, what
// is due, the verdicts, the worst findings with one step each, and counts.
func writeCheckTerminal(w io.Writer, r *app.CheckReport, l look) error {
	p := &page{look: l}
	v := viewCheck(r, l.all)
	p.styled(0, 2, gradeStyle(r.Grade), v.Word, "– "+v.Means)
	p.line(2, 2, strings.TrimSuffix(v.Drill+"; "+v.Next, "; "))
	for _, w := range r.Warnings {
		p.styled(2, 2, red, "beware:", w)
	}
	p.blank()
	for i := range v.Proof.Accounts {
		p.checkAccount(&v.Proof.Accounts[i])
	}
	if len(v.Proof.Accounts) == 0 {
		p.styled(2, 2, yellow, "UNDETERMINED", "– there is no account to judge")
	}
	switch {
	case l.all:
		p.everyFinding(v)
	case len(v.Worst) > 0:
		p.heading(ifElse(len(v.Worst) == 1, "The one check that fails", "What fails, the worst first"))
		for i := range v.Worst {
			p.finding(&v.Worst[i])
		}
	}
	p.heading("The rest")
	for _, line := range v.Rest {
		p.line(4, 2, line)
	}
	if v.NotSetUp != "" {
		p.line(4, 2, v.NotSetUp)
	}
	if r.Grade != posture.Green {
		p.list("Why not green", shorten(r.GradeReasons, l.all))
	}
	if l.all {
		p.proposals(r)
		p.choices(r)
	}
	p.list("Not read", v.Proof.NotRead)
	p.heading("Read")
	for _, fact := range append(v.Proof.Facts, r.Facts...) {
		p.line(4, 2, fact)
	}
	if r.Register != "" {
		p.line(4, 2, "register: "+r.Register)
	} else {
		p.line(4, 2, "no register ("+registerFile+"): nobody said which accounts are emergency accounts")
	}
	p.nextSteps(r.Next)
	_, err := io.WriteString(w, p.b.String())
	return err
}

// shorten keeps a list readable; --all tells it whole.
func shorten(list []string, all bool) []string {
	if all || len(list) <= fewFindings {
		return list
	}
	return append(list[:fewFindings:fewFindings], "and "+plural(len(list)-fewFindings, "more reason", "more reasons")+" (--all)")
}

// checkAccount tells the verdicts of one account: in one line when every goal
// that counts is proved.
func (p *page) checkAccount(v *accountView) {
	word, titles := "", []string{}
	for _, g := range v.Verdicts {
		if g.Counts {
			word = g.Word
			titles = append(titles, g.Title)
		}
	}
	if v.AccountReport.Verdict == lockout.Proved && len(titles) > 0 {
		p.styled(2, 2, outcomeStyle(lockout.Proved), word, "– "+ifElse(v.AccountReport.Hypothesis, hypothesisWords, "")+v.Heading+" can always reach "+strings.Join(titles, ", and "))
		return
	}
	for _, g := range v.Verdicts {
		if g.Counts {
			p.styled(2, 2, outcomeStyle(g.Outcome), g.Word, "– "+ifElse(v.AccountReport.Hypothesis, hypothesisWords, "")+g.Told)
		}
	}
}

func (p *page) everyFinding(v *checkView) {
	for _, status := range posture.Statuses {
		var group []findingView
		for _, f := range v.Findings {
			if f.Status == status {
				group = append(group, f)
			}
		}
		if len(group) == 0 {
			continue
		}
		p.heading(strings.ToUpper(status.Words()[:1]) + status.Words()[1:])
		for i := range group {
			p.finding(&group[i])
		}
	}
}

// fewEvidence is how many objects of a failure are told at first.
const fewEvidence = 3

func (p *page) finding(f *findingView) {
	p.styled(4, 2, statusStyle(f.Status), f.Mark+" "+string(f.Severity), f.Check+" – "+f.text())
	if f.Known {
		p.line(6, 2, "known from the baseline")
	}
	if f.Lapsed != "" {
		p.line(6, 2, f.Lapsed)
	}
	// A failure of the tenant says nothing without the objects that it is about.
	shown := len(f.Evidence)
	if !p.all {
		shown = 0
		if f.Status == posture.Fail && f.Account == "" {
			shown = min(len(f.Evidence), fewEvidence)
		}
	}
	for _, e := range f.Evidence[:shown] {
		p.line(8, 2, evidenceText(e))
	}
	if more := len(f.Evidence) - shown; shown > 0 && more > 0 {
		p.line(8, 2, fmt.Sprintf("and %d more (--all)", more))
	}
	if f.Next != "" && (f.Status == posture.Fail || p.all && f.Status == posture.Indeterminate) {
		p.line(6, 2, "→ "+f.Next)
	}
}

func evidenceText(e posture.Evidence) string {
	name := e.Name
	switch {
	case name == "":
		name = e.ID
	case e.ID != "" && e.ID != name:
		name += " (" + e.ID + ")"
	}
	if e.Detail != "" {
		name += ": " + e.Detail
	}
	return strings.TrimPrefix(name, ": ")
}

func (p *page) proposals(r *app.CheckReport) {
	var lines []string
	for i := range r.Proposals {
		x := &r.Proposals[i]
		lines = append(lines, fmt.Sprintf("%s %s – %s", x.Kind, evidenceText(posture.Evidence{ID: string(x.ID), Name: x.Name}), strings.Join(x.Signs, "; ")))
	}
	p.list("What may be an emergency account", lines)
}

func (p *page) choices(r *app.CheckReport) {
	if len(r.Conflicts) == 0 {
		return
	}
	p.heading("Where the sources contradict each other")
	for _, c := range r.Conflicts {
		p.line(4, 2, fmt.Sprintf("%s: %s is %s%s", c.Conflict, c.Setting, c.Value, ifElse(c.Default, " (the default)", "")))
		for _, text := range c.Texts {
			p.line(8, 2, text)
		}
	}
}
