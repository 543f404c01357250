package main

import (
	_ "embed"
	"html/template"
	"io"
	"strings"

	"halligan/internal/app"
	"halligan/posture"
)

//go:embed check.html.tmpl
var checkPage string

var checkTemplate = template.Must(pageTemplate("check", checkPage, template.FuncMap{
	"who":      func(who []string) string { return strings.Join(who, ", ") },
	"evidence": evidenceText,
	"missing":  missingText,
	"list":     func(parts []string) string { return strings.Join(parts, ", ") },
}))

// checkPageView is what the template sees.
type checkPageView struct {
	*htmlPage
	CheckReport  *app.CheckReport
	Grade        posture.Grade
	GradeReasons []string
	Word, Means  string
	Drill        string
	DueNext      string
	Tally        []tallyLine
	Groups       []findingGroup
	Others       []matrixRow
	Due          []posture.Due
	Conflicts    []app.Choice
	Unread       []app.Want
	Next         []app.Step
}

type tallyLine struct{ Mark, Word, Text string }

// findingGroup are the findings of one status; those that need nobody's attention
// are folded away.
type findingGroup struct {
	Title    string
	Open     bool
	Findings []pageFinding
}

type pageFinding struct {
	*findingView
	Mend    []string
	Unfold  bool
	Reasons string
}

// writeCheckHTML writes one page that needs nothing else: no script, no network.
func writeCheckHTML(w io.Writer, r *app.CheckReport, l look) error {
	v := viewCheck(r, l.all)
	p := &checkPageView{htmlPage: pageOf(&r.Report, l), CheckReport: r, Grade: r.Grade, GradeReasons: r.GradeReasons, Word: v.Word, Means: v.Means, Drill: v.Drill, DueNext: v.Next,
		Due: r.Due, Conflicts: r.Conflicts, Unread: r.Unread, Next: r.Next}
	p.Facts = append(p.Facts, r.Facts...)
	p.Title = "Emergency access: " + v.Word
	p.Others = p.htmlPage.Rest
	for _, status := range posture.Statuses {
		if n := r.Counts[status]; n > 0 {
			p.Tally = append(p.Tally, tallyLine{statusWords[status], status.Words(), plural(n, "finding", "findings")})
		}
		g := findingGroup{Title: strings.ToUpper(status.Words()[:1]) + status.Words()[1:], Open: status == posture.Fail || status == posture.AcceptedRisk}
		for i := range v.Findings {
			if f := &v.Findings[i]; f.Status == status {
				g.Findings = append(g.Findings, onPage(f))
			}
		}
		if len(g.Findings) > 0 {
			p.Groups = append(p.Groups, g)
		}
	}
	return checkTemplate.Execute(w, p)
}

// onPage adds to a finding what the page shows of it.
func onPage(f *findingView) pageFinding {
	out := pageFinding{findingView: f, Unfold: f.Status == posture.Fail && f.Severity == posture.Critical}
	if f.Status == posture.Fail || f.Status == posture.AcceptedRisk || f.Status == posture.NotSetUp {
		out.Mend = fixLines(f.Fix)
		if f.Step != "" {
			out.Mend = append([]string{f.Step}, out.Mend...)
		}
	}
	out.Reasons = "Why: " + strings.Join(f.Why, "; ")
	if len(f.References) > 0 {
		out.Reasons += ". Also asked for by " + strings.Join(f.References, ", ")
	}
	if f.Conflict != "" {
		out.Reasons += ". The sources contradict each other: " + f.Conflict
	}
	return out
}
