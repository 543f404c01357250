package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"halligan/internal/app"
	"halligan/lockout"
	"halligan/plan"
	"halligan/register"
)

// proveFlags are the flags of prove.
type proveFlags struct {
	record                                                 recordFlags
	from, accounts, goals, suppose, with, asIf, dimensions []string
	keep                                                   []string // see app.ProveRequest.Keep
	workstation, date, format, output                      string
	register                                               string // of check and explain
	live                                                   liveFlags
	margin, all                                            bool
}

// proveFormats are the forms in which a report can be written.
var proveFormats = []form[*app.Report]{
	{"terminal", []string{".txt", ".log"}, writeTerminal},
	{"json", []string{".json"}, writeJSON},
	{"markdown", []string{".md", ".markdown", ".txt"}, writeMarkdown},
	{"html", []string{".html", ".htm"}, writeHTML},
	{"certificate", []string{".json"}, writeCertificates},
}

// look is what a writer knows about where and how it writes.
type look struct {
	columns int
	paint   paint
	all     bool // not only what matters
}

func proveCommand(c *console) *cobra.Command {
	var f proveFlags
	cmd := &cobra.Command{
		Use:   "prove --from PATH",
		Short: "prove that an emergency account gets in whatever happens, or show the sign-in that fails",
		Long:  proveHelp(),
		Example: `  halligan prove --from export/
  halligan prove --from export/ --account bg1@contoso.example
  halligan prove --from policies.json --account 9b1f6c1e-0000-4000-8000-000000000001 --suppose @facts.txt
  halligan prove --from export/ --account bg1@contoso.example --with draft.json
  halligan prove --from export/ --format html -o report.html`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			f.keep = keptWords(cmd.Flags())
			return c.prove(cmd.Context(), &f)
		},
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.from, "from", nil, "`PATH` of an export: file, folder, zip, or - for stdin; repeatable (default: the tenant you are signed in to)")
	flags.StringArrayVar(&f.accounts, "account", nil, "`ID` or user principal name of an emergency account; repeatable (default: candidates are proposed)")
	flags.StringArrayVar(&f.goals, "goal", nil, "`NAME` of what must be reached; repeatable (default: "+strings.Join(app.DefaultGoals, ", ")+")")
	flags.StringArrayVar(&f.suppose, "suppose", nil, "`EXPRESSION` that states what was not read, or @FILE with one a line; repeatable")
	flags.StringArrayVar(&f.with, "with", nil, "`PATH` of a change: drafts, a Terraform plan as JSON, or a second export; repeatable")
	flags.StringArrayVar(&f.asIf, "as-if", nil, "`EXPRESSION` of a change to try; repeatable")
	flags.StringArrayVar(&f.dimensions, "dimension", nil, "`NAME=forall|exists:VALUES` of the envelope, values separated by |, * for all; repeatable")
	flags.StringVar(&f.workstation, "workstation", "", "`DEVICE` from which the account signs in: any, unregistered, or JSON (default: unregistered)")
	flags.BoolVar(&f.margin, "margin", false, "also count how many single mistakes an account is away from failing")
	flags.StringVar(&f.date, "date", "", "`DAY` for which vendor dates are read, as 2006-01-02 (default: today)")
	flags.StringVar(&f.format, "format", "", "`FORM` of the report: "+strings.Join(formNames(proveFormats), ", ")+" (default: terminal, or by the name after -o)")
	flags.StringVarP(&f.output, "output", "o", "", "`FILE` to write the report to (default: stdout)")
	flags.BoolVar(&f.all, "all", false, "tell every policy and gate, not only those that matter")
	f.live.register(flags)
	f.record.add(flags)
	complete(cmd, "goal", app.GoalNames()...)
	complete(cmd, "format", formNames(proveFormats)...)
	return cmd
}

// complete offers fixed values for a flag.
func complete(cmd *cobra.Command, flag string, values ...string) {
	err := cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
	if err != nil {
		panic(err) // the flag does not exist: a mistake in this package
	}
}

func proveHelp() string {
	var b strings.Builder
	b.WriteString(`Judge whether an account gets in whatever happens: from any platform, network, country and at any risk score.

Every account and goal gets one of three verdicts. PROVED comes with a certificate that others can check. LOCKOUT comes with
a sign-in that fails. UNDETERMINED says what was not read and what would settle it; it is never safe. Without --account the
objects that most policies exclude are proposed and judged as hypotheses, which never end with exit code 0.

An account is PROVED when every goal that was asked for is. When none was asked for, these are the sign-in and the repair of
the policies from the Entra admin center; Graph PowerShell is told beside them and does not count.

Policies alone leave group membership, roles and keys unread. Give exports of them with further --from, or state them with
--suppose; the verdict is then "PROVED supposing". These can be supposed of every account that is judged:

`)
	for _, form := range lockout.SuppositionForms() {
		fmt.Fprintf(&b, "  %s\n      %s\n", form[0], form[1])
	}
	b.WriteString("\nWith --as-if one can ask what would be if:\n\n")
	for _, form := range plan.AsIfForms() {
		fmt.Fprintf(&b, "  %s\n      %s\n", form[0], form[1])
	}
	b.WriteString("\nGoals:\n\n")
	for _, name := range app.GoalNames() {
		fmt.Fprintf(&b, "  %s\n", name)
	}
	b.WriteString("\nDimensions of the envelope:\n\n")
	for _, d := range lockout.Dimensions {
		fmt.Fprintf(&b, "  %s\n", d)
	}
	b.WriteString(`
The form of a file follows from its name: .txt, .json, .md or .html. One that does not fit --format is refused. Certificates
are written only when everything that was asked for is proved of accounts that were named; else nothing is, and the exit code
is that of the verdict.
`)
	b.WriteString("\nExit codes: 0 all proved, 3 a lockout or a change for the worse, 5 not known, incomplete or a hypothesis.")
	return b.String()
}

func (c *console) prove(ctx context.Context, f *proveFlags) error {
	format, err := chooseForm(proveFormats, f.format, f.output)
	if err != nil {
		return err
	}
	req, from, err := c.proveRequest(ctx, f)
	if err != nil {
		return err
	}
	defer from.close()
	with, err := c.open(ctx, "--with", f.with)
	if err != nil {
		return err
	}
	defer with.close()
	req.With = with.list
	done := c.progress(req)
	report, err := app.Prove(ctx, *req)
	done()
	if err != nil {
		return asMisuse(asUnread(err))
	}
	if name := format.name; name == "certificate" && (report.Verdict != lockout.Proved || report.Hypothesis) {
		return noCertificate(report)
	}
	var out bytes.Buffer
	l := look{columns: width(c.stdout, c.getenv), paint: c.paintOn(c.stdout), all: f.all}
	if f.output != "" {
		l.paint = false
	}
	if err := format.write(&out, report, l); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := c.deliver(f.output, out.Bytes()); err != nil {
		return err
	}
	c.tellTroubles(report, format.name != "terminal" || f.output != "")
	if r, _, err := readRegister(f.register); err == nil {
		c.warnRegister(ctx, r, f.register, &f.record)
	}
	if f.record.on {
		if err := c.record(ctx, f.register, &f.record, app.RecordOfProof(report, register.DigestOf(out.Bytes()))); err != nil {
			return err
		}
	}
	return ended(codeOf(report))
}

// keptWords are the flags that make the question what it is, as they were
// written: a command that is advised next must repeat them.
func keptWords(flags *pflag.FlagSet) []string {
	var out []string
	for _, name := range []string{"goal", "with", "as-if", "dimension", "workstation", "date"} {
		flag := flags.Lookup(name)
		if flag == nil || !flag.Changed {
			continue
		}
		values := []string{flag.Value.String()}
		if list, is := flag.Value.(pflag.SliceValue); is {
			values = list.GetSlice()
		}
		for _, v := range values {
			out = append(out, "--"+name, v)
		}
	}
	return out
}

// noCertificate says why nothing was written: a file of that name must not look
// as if everything that was asked for were proved.
func noCertificate(r *app.Report) error {
	code, why := codeOf(r), "the verdict is "+string(r.Verdict)
	if r.Verdict == lockout.Proved {
		why = "no account was named, and a hypothesis proves nothing"
	}
	return &fault{code, fmt.Errorf("no certificate was written: %s", why), "the reasons: the same command without --format certificate"}
}

// codeOf is the exit code of a report.
func codeOf(r *app.Report) exitCode {
	code := exitDone
	if !r.Settled() {
		code = exitUndetermined
	}
	if r.Trouble() {
		code = worse(code, exitTrouble)
	}
	return code
}

// suggest is a hint that names what was probably meant, else what there is.
func suggest(word string, candidates []string, otherwise string) string {
	if near := register.Nearest(word, candidates); near != "" {
		return fmt.Sprintf("did you mean %s? %s", near, otherwise)
	}
	return otherwise
}

// asMisuse turns a request that cannot be answered into a misuse with a hint.
func asMisuse(err error) error {
	request, is := errors.AsType[*app.RequestError](err)
	if !is {
		return err
	}
	hint := request.Hint()
	if request.Word != "" {
		hint = suggest(request.Word, request.Near, hint)
	}
	return misused(hint, "%w", request.Err)
}

// proveRequest makes a request of the flags and opens what it reads; the caller
// closes that.
func (c *console) proveRequest(ctx context.Context, f *proveFlags) (*app.ProveRequest, *sources, error) {
	req, err := c.question(f)
	if err != nil {
		return nil, nil, err
	}
	if len(f.from) == 0 {
		return req, &sources{}, c.readLive(req, &f.live, f.register)
	}
	if f.live.azure {
		return nil, nil, misused("sign in with halligan login, and leave --from out", "--azure reads a live tenant, and --from gives an export")
	}
	from, err := c.open(ctx, "--from", f.from)
	if err != nil {
		return nil, nil, err
	}
	req.Sources = from.list
	return req, from, nil
}

// question makes a request of the flags, without what it is asked of.
func (c *console) question(f *proveFlags) (*app.ProveRequest, error) {
	req := &app.ProveRequest{AsIf: f.asIf, Accounts: f.accounts, Goals: f.goals, Margin: f.margin, Keep: f.keep, Tool: "halligan " + versionName()}
	day := f.date
	if day == "" {
		day = time.Now().UTC().Format(time.DateOnly)
	}
	if _, err := time.Parse(time.DateOnly, day); err != nil {
		return nil, misused("write a day as 2026-12-31", "no day %q", f.date)
	}
	req.Now = lockout.Date(day)
	var err error
	if req.Suppose, err = expressions(f.suppose); err != nil {
		return nil, err
	}
	if req.Envelope, err = envelope(f.dimensions, f.workstation); err != nil {
		return nil, err
	}
	return req, nil
}

// expressions reads suppositions; @FILE stands for the lines of a file, in which
// # begins a comment.
func expressions(given []string) ([]string, error) {
	var out []string
	for _, expression := range given {
		path, isFile := strings.CutPrefix(expression, "@")
		if !isFile {
			out = append(out, expression)
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, &fault{exitFailed, fmt.Errorf("read suppositions: %v", err), nearPath(path)}
		}
		for line := range strings.Lines(string(data)) {
			line, _, _ = strings.Cut(line, "#")
			if line = strings.TrimSpace(line); line != "" {
				out = append(out, line)
			}
		}
	}
	return out, nil
}

// deliver writes the result to stdout or to the file that was named.
func (c *console) deliver(path string, data []byte) error {
	if path == "" {
		_, err := c.stdout.Write(data)
		return err
	}
	// For its owner alone: it says where the tenant is weak.
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return &fault{exitFailed, fmt.Errorf("write report: %v", err), "give a file in a folder that exists"}
	}
	_, err := fmt.Fprintf(c.stderr, "written to %s\n", escape(path))
	return err
}

// progress shows what is being worked on, on a terminal only, and returns what
// wipes it away.
func (c *console) progress(req *app.ProveRequest) func() {
	if !isTerminal(c.stderr) {
		return func() {}
	}
	var one sync.Mutex // answers of a tenant come from several at once
	req.Progress = func(what string) {
		one.Lock()
		defer one.Unlock()
		text := escape(what)
		if columns := width(c.stderr, c.getenv) - 5; len(text) > columns {
			text = text[:columns]
		}
		_, _ = fmt.Fprintf(c.stderr, "\r\x1b[K%s …", text)
	}
	return func() { _, _ = fmt.Fprint(c.stderr, "\r\x1b[K") }
}

// tellTroubles names on stderr what could not be read, for a person whose report
// went elsewhere.
func (c *console) tellTroubles(r *app.Report, elsewhere bool) {
	if !elsewhere {
		return
	}
	troubles := r.Troubles
	if r.Change != nil {
		troubles = slices.Concat(r.Change.Troubles, troubles)
	}
	for i, t := range troubles {
		if i == 20 {
			c.say("warning:", yellow, fmt.Sprintf("and %d more; all are in the report", len(troubles)-i))
			return
		}
		c.say("warning:", yellow, placed(t.File, t.Line, t.Column)+": "+t.What)
	}
}

// placed is file:line:column as far as known.
func placed(file string, line, column int) string {
	switch {
	case line > 0 && column > 0:
		return fmt.Sprintf("%s:%d:%d", file, line, column)
	case line > 0:
		return fmt.Sprintf("%s:%d", file, line)
	}
	return file
}
