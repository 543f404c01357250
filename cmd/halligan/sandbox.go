package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"halligan/entra"
	"halligan/internal/sandbox"
)

// sandboxFlags are the flags of sandbox.
type sandboxFlags struct {
	tenant, listen, state, plan, caFolder, format, record string
	from, faults, outages                                 []string
	logDelay, delay                                       time.Duration
	limits, listFaults                                    bool
}

// defaultTenant is the example that the sandbox shows when none is named.
const defaultTenant = "contoso-p2"

// plans are the licences that a tenant can have.
var plans = []string{"Free", "P1", "P2"}

func sandboxCommand(c *console) *cobra.Command {
	var f sandboxFlags
	cmd := &cobra.Command{
		Use:   "sandbox",
		Short: "serve an emulated tenant on this machine, to try, train and exercise in",
		Long: `Serve an emulated Microsoft Entra tenant on this machine until Ctrl-C: sign-in, Microsoft Graph, logs, and faults on demand.

Everything in it is made up: nothing is sent anywhere, and its passwords open nothing else. It has a certification authority of
its own, which can vouch for localhost alone, ends after a week, and is kept out of the system's store: give its file to the
programs that shall trust it with --ca, and delete the file to end that.`,
		Example: `  halligan sandbox
  halligan sandbox --tenant contoso-p1 --state contoso.json
  halligan sandbox --from snapshot.json --outage mfa
  halligan sandbox --fault 11=evil-suffix --fault "3,times=2"`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.sandbox(cmd.Context(), &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.tenant, "tenant", "", "`NAME` of the example tenant: "+strings.Join(sandbox.ExampleNames(), ", ")+" (default: "+defaultTenant+")")
	flags.StringArrayVar(&f.from, "from", nil, "`PATH` of a snapshot or export to begin from; may be repeated")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8443", "`ADDRESS` of this machine; port 0 takes a free one")
	flags.StringVar(&f.state, "state", "", "`FILE` that keeps the tenant from run to run (default: memory)")
	flags.StringVar(&f.plan, "plan", "", "`LICENCE` of the tenant: "+strings.Join(plans, ", ")+" (default: as it comes)")
	flags.StringArrayVar(&f.faults, "fault", nil, "`FAULT` to switch on, NUMBER[=VARIANT][,times=N][,after=N][,path=PART][,value=V]; may be repeated")
	flags.BoolVar(&f.listFaults, "faults", false, "list all faults, and serve nothing")
	flags.StringArrayVar(&f.outages, "outage", nil, "`KIND` of sign-in that is out: mfa, federation, signin; may be repeated")
	flags.BoolVar(&f.limits, "limits", false, "keep Microsoft's quotas: Conditional Access, reports, directory")
	flags.DurationVar(&f.logDelay, "log-delay", 0, "`TIME` after which a sign-in or change shows in the logs, as 2m")
	flags.DurationVar(&f.delay, "delay", 0, "`TIME` added to each request, as 80ms")
	flags.StringVar(&f.caFolder, "ca-folder", "", "`FOLDER` for the authority's certificate (default: a temporary one, removed at the end)")
	flags.StringVar(&f.record, "record", "", "`FILE` to which every request to Graph and its answer is added, without tokens, to see what a client does")
	flags.StringVar(&f.format, "format", "text", "`FORM` of what is printed: text, json")
	complete(cmd, "tenant", sandbox.ExampleNames()...)
	complete(cmd, "plan", plans...)
	complete(cmd, "outage", "mfa", "federation", "signin")
	complete(cmd, "format", "text", "json")
	return cmd
}

// sandboxStart is what a person or a script needs to use the sandbox.
type sandboxStart struct {
	URL      string           `json:"url"`
	Tenant   string           `json:"tenant"`
	Name     string           `json:"name"`
	CA       string           `json:"ca"`
	CAEnds   time.Time        `json:"caEnds"`
	Reader   string           `json:"readerCertificate,omitempty"` // path of the certificate, with its key, of the application that reads
	AdminKey string           `json:"adminKey"`
	Accounts []sandbox.Person `json:"accounts"`
	Apps     []sandbox.App    `json:"applications"`
}

func (c *console) sandbox(ctx context.Context, f *sandboxFlags) error {
	if f.listFaults {
		_, err := fmt.Fprintln(c.stdout, strings.Join(sandbox.FaultList(), "\n"))
		return err
	}
	if !slices.Contains([]string{"text", "json"}, f.format) {
		return misused("formats: text, json", "no format %q", f.format)
	}
	if err := sandbox.CheckFaults(f.faults, f.outages); err != nil {
		return &fault{exitMisused, err, "halligan sandbox --faults lists all; for example --fault 11=evil-suffix,times=2"}
	}
	state, err := c.sandboxState(ctx, f)
	if err != nil {
		return err
	}
	config := sandbox.Config{State: state, File: f.state, LogDelay: f.logDelay, Delay: f.delay, Faults: f.faults, Outages: f.outages}
	if f.limits {
		config.Limits = sandbox.Limits{ConditionalAccess: true, Reports: true, Directory: true}
	}
	if f.record != "" {
		record, err := os.OpenFile(f.record, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return fmt.Errorf("record what is said to Graph: %w", err)
		}
		config.Record = record
		defer record.Close() // Site.Close told what could not be written
	}
	site, err := sandbox.Open(ctx, config, f.listen)
	if err != nil {
		hint := hintOf(err)
		if hint == "" {
			hint = "another sandbox may be running; --listen 127.0.0.1:0 takes a free port"
		}
		return &fault{exitFailed, err, hint}
	}
	return errors.Join(c.serveSandbox(ctx, f, site), site.Close())
}

// sandboxState is the tenant that is asked for.
func (c *console) sandboxState(ctx context.Context, f *sandboxFlags) (*sandbox.State, error) {
	if f.tenant != "" && len(f.from) > 0 {
		return nil, misused("an example comes with --tenant, a tenant of yours with --from", "--tenant and --from exclude each other")
	}
	var state *sandbox.State
	if len(f.from) > 0 {
		sources, err := c.open(ctx, "--from", f.from)
		if err != nil {
			return nil, err
		}
		defer sources.close()
		snapshot, err := entra.Read(sources.list...)
		if err != nil {
			return nil, err
		}
		if state, err = sandbox.FromSnapshot(snapshot); err != nil {
			return nil, err
		}
	} else {
		name := f.tenant
		if name == "" {
			name = defaultTenant
		}
		if !slices.Contains(sandbox.ExampleNames(), name) {
			return nil, misused(suggest(name, sandbox.ExampleNames(), "example tenants: "+strings.Join(sandbox.ExampleNames(), ", ")), "no example tenant %q", name)
		}
		var err error
		if state, err = sandbox.Example(name); err != nil {
			return nil, err
		}
	}
	if f.plan != "" {
		if !slices.Contains(plans, f.plan) {
			return nil, misused("licences: "+strings.Join(plans, ", "), "no licence %q", f.plan)
		}
		state.Plan = f.plan
	}
	return state, nil
}

// serveSandbox tells how to use the site, and waits until it shall end.
func (c *console) serveSandbox(ctx context.Context, f *sandboxFlags, site *sandbox.Site) (err error) {
	folder := f.caFolder
	if folder == "" {
		if folder, err = os.MkdirTemp("", "halligan-sandbox-"); err != nil {
			return fmt.Errorf("write the sandbox's authority: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	ca, err := site.Save(folder)
	if err != nil {
		return err
	}
	if ca, err = filepath.Abs(ca); err != nil {
		return fmt.Errorf("write the sandbox's authority: %w", err)
	}
	reader, err := site.SaveReader(filepath.Dir(ca))
	if err != nil {
		return err
	}
	start := &sandboxStart{site.URL, site.TenantID(), site.TenantName(), ca, site.Ends(), reader, site.AdminKey(), site.People(), site.Apps()}
	if err := c.showSandbox(f, start); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

func (c *console) showSandbox(f *sandboxFlags, start *sandboxStart) error {
	if f.format == "json" {
		e := json.NewEncoder(c.stdout)
		e.SetEscapeHTML(false)
		return e.Encode(start)
	}
	p := c.page(c.stdout)
	p.styled(0, 0, bold, escape(start.Name), "– an emulated tenant. Nothing in it is real.")
	for _, fact := range [][2]string{{"Address", start.URL}, {"Tenant", start.Tenant}, {"CA file", start.CA}, {"Admin key", start.AdminKey}} {
		fmt.Fprintf(&p.b, "  %-10s %s\n", fact[0], escape(fact[1]))
	}
	p.people(start.Accounts)
	if len(start.Apps) > 0 {
		p.blank()
		p.line(0, 0, "Applications, with made-up secrets:")
		for _, app := range start.Apps {
			fmt.Fprintf(&p.b, "  %s  %s  %s\n", app.ClientID, escape(app.Secret), escape(app.Name))
		}
		if start.Reader != "" {
			fmt.Fprintf(&p.b, "  %s also has a certificate, with its key: %s\n", sandbox.ReaderName, escape(start.Reader))
		}
	}
	p.blank()
	p.line(0, 0, "In another terminal (POSIX shell):")
	for _, line := range loginLines(start, posixQuoted) {
		fmt.Fprintf(&p.b, "  %s\n", line)
	}
	p.line(0, 0, "or PowerShell:")
	for _, line := range loginLines(start, powershellQuoted) {
		fmt.Fprintf(&p.b, "  %s\n", line)
	}
	p.blank()
	p.line(0, 0, fmt.Sprintf("To register a security key, open %s/security-info. The browser warns of the certificate: go on for this address, or import the CA file into a profile made for it. Never add it to the system's store.", start.URL))
	p.line(0, 0, fmt.Sprintf("To end the trust, delete the CA file and that profile; by itself it ends on %s.", start.CAEnds.Local().Format("2006-01-02")))
	if isTerminal(c.stdout) {
		p.blank()
		p.line(0, 0, "Ctrl-C ends the sandbox.")
	}
	_, err := fmt.Fprint(c.stdout, p.b.String())
	return err
}

// people lists who can sign in.
func (p *page) people(people []sandbox.Person) {
	if len(people) == 0 {
		p.blank()
		p.line(0, 0, "Nobody can sign in: the tenant that it began from tells no credentials.")
		return
	}
	p.blank()
	p.line(0, 0, "Who can sign in, with made-up passwords; the page shows them, and the codes. Gaia Rune may read everything, and is the one to try Halligan with:")
	widest := 0
	shown := people[:min(len(people), peopleShown)]
	for _, person := range shown {
		widest = max(widest, len(person.UPN))
	}
	for _, person := range shown {
		var with []string
		if person.Password != "" {
			with = append(with, person.Password)
		}
		if person.TAP != "" {
			with = append(with, "Temporary Access Pass "+person.TAP)
		}
		if person.TOTP != "" {
			with = append(with, "codes of seed "+person.TOTP)
		}
		if person.Passkeys > 0 {
			with = append(with, plural(person.Passkeys, "passkey", "passkeys"))
		}
		if len(person.Roles) > 0 {
			with = append(with, "("+strings.Join(person.Roles, ", ")+")")
		}
		fmt.Fprintf(&p.b, "  %-*s  %s\n", widest, escape(person.UPN), escape(strings.Join(with, "  ")))
	}
	if more := len(people) - len(shown); more > 0 {
		fmt.Fprintf(&p.b, "  and %d more: --format json tells all\n", more)
	}
}

// peopleShown is how many people are listed, administrators first.
const peopleShown = 8

// loginLines are the commands that sign in to the sandbox and look at it.
func loginLines(start *sandboxStart, quoted func(string) string) []string {
	return []string{
		fmt.Sprintf("halligan login --cloud %s --ca %s --tenant %s", start.URL, quoted(start.CA), start.Tenant),
		"halligan check",
	}
}

func posixQuoted(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

func powershellQuoted(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
