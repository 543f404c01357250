package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"halligan/internal/app"
	"halligan/posture"
	"halligan/register"
)

// registerFile is where the register is looked for when nobody says where.
const registerFile = "halligan.yaml"

// checkFlags are the flags of check.
type checkFlags struct {
	proveFlags
	register, failOn, baseline string
	tenants                    string
	list, checklist, cross     bool
}

// checkFormats are the forms in which a check report can be written.
var checkFormats = []form[*app.CheckReport]{
	{"terminal", []string{".txt", ".log"}, writeCheckTerminal},
	{"json", []string{".json"}, writeCheckJSON},
	{"html", []string{".html", ".htm"}, writeCheckHTML},
	{"markdown", []string{".md", ".markdown", ".txt"}, writeCheckMarkdown},
	{"sarif", []string{".sarif", ".json"}, writeCheckSARIF},
	{"junit", []string{".xml"}, writeCheckJUnit},
	{"csv", []string{".csv"}, writeCheckCSV},
}

func severityNames() []string {
	var names []string
	for _, s := range posture.Severities {
		names = append(names, string(s))
	}
	return names
}

func checkCommand(c *console) *cobra.Command {
	var f checkFlags
	cmd := &cobra.Command{
		Use:   "check",
		Short: "judge the emergency accounts by every check: the proof, and all else that would fail on the day",
		Long: `Read a tenant once, prove its emergency accounts as prove does, and ask every check of the catalogue.

The accounts are those of the register (` + registerFile + ` in this folder, or --register). Without one, accounts that look like emergency
accounts are proposed and judged as hypotheses; that never ends with exit code 0, and the report ends with the command that
registers them.

What was not read makes a check indeterminate, never a pass. A check about something that was not set up yet says so. What only
a person can know is attested (halligan attest) until a day; a risk that somebody answers for stands in the register until a day.
The grade is green only when every registered account is PROVED without suppositions, no critical check fails or is open, and no
check of high severity fails.

Exit codes: 0 nothing found, 3 a lockout or a failed check of the severity of --fail-on or worse, 5 not known, incomplete, resting
on a supposition, or a hypothesis in which nothing fails.`,
		Example: `  halligan check
  halligan check --cross-check --azure
  halligan check --tenants tenants.yaml -o reports/
  halligan check --from export/
  halligan check --from export/ --format html -o report.html
  halligan check --from export/ --fail-on medium --baseline last.json --format sarif -o findings.sarif
  halligan check --list
  halligan check --checklist --from export/`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.keep = keptWords(cmd.Flags())
			return c.check(cmd.Context(), &f)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.from, "from", nil, "`PATH` of an export: file, folder, zip, or - for stdin; repeatable (default: the tenant you are signed in to)")
	flags.StringVar(&f.tenants, "tenants", "", "`FILE` that lists several tenants to check: one line each, the worst first, and with -o a folder of reports")
	flags.BoolVar(&f.cross, "cross-check", false, "also ask Microsoft which policies apply to at most 60 sampled sign-ins, about a second each, and compare")
	f.live.register(flags)
	flags.StringVar(&f.register, "register", "", "`FILE` of the register (default: "+registerFile+" where there is one)")
	flags.StringArrayVar(&f.accounts, "account", nil, "`ID` or user principal name of an emergency account; repeatable (default: those of the register)")
	flags.StringArrayVar(&f.goals, "goal", nil, "`NAME` of what must be reached; repeatable (default: "+strings.Join(app.DefaultGoals, ", ")+")")
	flags.StringArrayVar(&f.suppose, "suppose", nil, "`EXPRESSION` that states what was not read, or @FILE with one a line; repeatable")
	f.record.add(flags)
	flags.StringVar(&f.failOn, "fail-on", string(posture.High), "least `SEVERITY` of a failed check that ends with exit code 3: "+strings.Join(severityNames(), ", "))
	flags.StringVar(&f.baseline, "baseline", "", "`FILE` of an earlier check as JSON: failures that it has do not count")
	flags.StringVar(&f.date, "date", "", "`DAY` for which the tenant is judged, as 2006-01-02 (default: now)")
	flags.StringVar(&f.format, "format", "", "`FORM` of the report: "+strings.Join(formNames(checkFormats), ", ")+" (default: terminal, or by the name after -o)")
	flags.StringVarP(&f.output, "output", "o", "", "`FILE` to write the report to (default: stdout)")
	flags.BoolVar(&f.all, "all", false, "tell every finding, not only those that matter most")
	flags.BoolVar(&f.list, "list", false, "list the catalogue of checks and read nothing")
	flags.BoolVar(&f.checklist, "checklist", false, "write the one-page quick start instead of the findings")
	complete(cmd, "goal", app.GoalNames()...)
	complete(cmd, "format", formNames(checkFormats)...)
	complete(cmd, "fail-on", severityNames()...)
	return cmd
}

func (c *console) check(ctx context.Context, f *checkFlags) error {
	if f.list {
		return c.listChecks(f)
	}
	if f.tenants != "" {
		if !slices.Contains(severityNames(), f.failOn) {
			return misused("severities: "+strings.Join(severityNames(), ", "), "no severity %q", f.failOn)
		}
		return c.checkTenants(ctx, f)
	}
	format, err := chooseForm(checkFormats, f.format, f.output)
	if err != nil {
		return err
	}
	req, from, err := c.checkRequest(ctx, f)
	if err != nil {
		return err
	}
	defer from.close()
	done := c.progress(&req.ProveRequest)
	report, err := app.Check(ctx, *req)
	done()
	if err != nil {
		return asMisuse(asUnread(err))
	}
	warnings := c.registerWarnings(ctx, req.Register, f.register, &f.record)
	report.Warnings = append(report.Warnings, warnings...) // whoever is given the report must know, too
	var out bytes.Buffer
	l := look{columns: width(c.stdout, c.getenv), paint: c.paintOn(c.stdout), all: f.all}
	if f.output != "" {
		l.paint = false
	}
	write := format.write
	if f.checklist {
		if format.name != "terminal" && format.name != "markdown" {
			return misused("formats of the checklist: terminal, markdown", "the checklist has no form %q", format.name)
		}
		write = writeChecklist
	}
	if err := write(&out, report, l); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := c.deliver(f.output, out.Bytes()); err != nil {
		return err
	}
	if f.output != "" {
		v := viewCheck(report, false)
		c.say(v.Word, bold, "– "+v.Means)
	}
	c.tellTroubles(&report.Report, format.name != "terminal" || f.output != "")
	if format.name != "terminal" || f.output != "" {
		for _, w := range warnings {
			c.say("warning:", yellow, w)
		}
	}
	if f.record.on {
		records, err := app.RecordsOfCheck(report, req.Register, register.DigestOf(out.Bytes()))
		if err != nil {
			return err
		}
		if err := c.record(ctx, f.register, &f.record, records...); err != nil {
			return err
		}
	}
	code := exitDone
	if !report.Settled() {
		code = exitUndetermined
	}
	if report.Trouble() {
		code = worse(code, exitTrouble)
	}
	return ended(code)
}

// checkRequest makes a request of the flags; the caller closes the sources.
func (c *console) checkRequest(ctx context.Context, f *checkFlags) (*app.CheckRequest, *sources, error) {
	if !slices.Contains(severityNames(), f.failOn) {
		return nil, nil, misused(suggest(f.failOn, severityNames(), "severities: "+strings.Join(severityNames(), ", ")), "no severity %q", f.failOn)
	}
	if f.cross && len(f.from) > 0 {
		return nil, nil, misused("sign in with halligan login, and leave --from out", "an export cannot be cross-checked: Microsoft judges the tenant as it is")
	}
	f.proveFlags.register = f.register
	prove, from, err := c.proveRequest(ctx, &f.proveFlags)
	if err != nil {
		return nil, nil, err
	}
	if f.cross {
		prove.Evaluator, _ = prove.Tenant.(app.Evaluator)
		c.say("note:", bold, "Microsoft is asked about at most 60 sign-ins; when it slows down, that takes about a second each")
	}
	req := &app.CheckRequest{ProveRequest: *prove, FailOn: posture.Severity(f.failOn), Time: time.Now()}
	if f.date != "" {
		if req.Time, err = time.Parse(time.DateOnly, f.date); err != nil {
			from.close()
			return nil, nil, misused("write a day as 2026-12-31", "no day %q", f.date)
		}
	}
	if req.Register, req.RegisterName, err = readRegister(f.register); err != nil {
		from.close()
		return nil, nil, err
	}
	req.Records = c.recordsOf(ctx, req.Register, f.register, &f.record)
	if f.baseline != "" {
		text, err := os.ReadFile(f.baseline)
		if err != nil {
			from.close()
			return nil, nil, &fault{exitFailed, fmt.Errorf("read baseline: %v", err), nearPath(f.baseline)}
		}
		if req.Baseline, err = app.ReadBaseline(f.baseline, text); err != nil {
			from.close()
			return nil, nil, asMisuse(err)
		}
	}
	return req, from, nil
}

// readRegister reads the register that was named, or the one of this folder; none
// of either is no register.
func readRegister(path string) (*register.Register, string, error) {
	named := path != ""
	if !named {
		path = registerFile
	}
	text, err := os.ReadFile(path)
	if !named && errors.Is(err, fs.ErrNotExist) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", &fault{exitFailed, fmt.Errorf("read register: %v", err), "halligan init writes one"}
	}
	r, err := app.ReadRegister(path, text)
	if err != nil {
		return nil, "", asRegisterFault(err)
	}
	return r, path, nil
}
