package main

import (
	"context"
	"io"
	"strings"

	"halligan/internal/app"
	"halligan/posture"
	"halligan/register"
)

// checkExplanation is a check of the catalogue and, when a tenant was given, what
// it found there.
type checkExplanation struct {
	Schema string `json:"schema"`
	Kind   string `json:"kind"`
	checkEntry
	Sides    []string             `json:"sides"`
	Findings []*app.FindingReport `json:"findings"`
}

// explainCheck tells one check, and its findings when there is something to read.
func (c *console) explainCheck(ctx context.Context, f *proveFlags, check *posture.Check) error {
	e := &checkExplanation{Schema: app.ExplainSchema, Kind: "check", checkEntry: entryOf(check), Sides: []string{}, Findings: []*app.FindingReport{}}
	for _, s := range register.SettingsTable() {
		if s.Key != check.Setting {
			continue
		}
		for _, side := range s.Sides {
			e.Sides = append(e.Sides, strings.TrimSuffix(side.Source+", "+side.Date, ", ")+": "+side.Text)
		}
	}
	code := exitDone
	if len(f.from) > 0 {
		req, from, err := c.checkRequest(ctx, &checkFlags{proveFlags: *f, failOn: string(posture.High), register: f.register})
		if err != nil {
			return err
		}
		defer from.close()
		report, err := app.Check(ctx, *req)
		if err != nil {
			return asMisuse(err)
		}
		for _, x := range report.Findings {
			if x.Check == check.ID {
				e.Findings = append(e.Findings, x)
			}
		}
		c.tellTroubles(&report.Report, true)
		c.warnOf(ctx, f.register)
		code = findingsCode(e.Findings, report)
	}
	if f.format == "json" {
		if err := indented(c.stdout, e); err != nil {
			return err
		}
		return ended(code)
	}
	if err := writeCheckExplanation(c.stdout, e, look{columns: width(c.stdout, c.getenv), paint: c.paintOn(c.stdout), all: true}); err != nil {
		return err
	}
	return ended(code)
}

// findingsCode is the exit code of one check: 3 when it fails, 5 when it cannot be
// told, something was not read, or nobody said whose account it is.
func findingsCode(findings []*app.FindingReport, r *app.CheckReport) exitCode {
	code := exitDone
	if r.Incomplete || r.Hypothesis {
		code = exitUndetermined
	}
	for _, f := range findings {
		switch f.Status {
		case posture.Fail:
			code = worse(code, exitTrouble)
		case posture.Indeterminate, posture.NotSetUp:
			code = worse(code, exitUndetermined)
		}
	}
	return code
}

func writeCheckExplanation(w io.Writer, e *checkExplanation, l look) error {
	p := &page{look: l}
	p.styled(0, 2, bold, e.ID, "– "+e.Title)
	p.line(2, 2, string(e.Severity)+", "+string(e.Theme)+", "+ifElse(e.PerAccount, "for each account", "for the tenant")+ifElse(e.Licence != "", "; needs "+e.Licence, ""))
	p.list("Why", e.Why)
	p.list("Also asked for by", e.References)
	var reads []string
	for _, r := range e.Reads {
		reads = append(reads, r.Request+" ("+r.Permission+ifElse(r.Beta, ", beta", "")+")")
	}
	p.list("Reads", reads)
	if e.Setting != "" {
		p.list("Setting "+e.Setting+" in "+registerFile+ifElse(e.Conflict != "", ", "+e.Conflict+": the sources contradict each other", ""), e.Sides)
		if len(e.Sides) == 0 {
			p.list("Setting", []string{e.Setting + " in " + registerFile + " (docs/config.md)"})
		}
	}
	p.list("To mend it", fixLines(e.Fix))
	if e.Attestable {
		p.list("Only a person can know, in part or in whole", []string{attestLine(e.ID)})
	}
	if len(e.Findings) > 0 {
		p.heading("Found")
		views := groupFindings(e.Findings)
		for i := range views {
			p.finding(&views[i])
		}
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}
