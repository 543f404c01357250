package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"halligan/entra"
	"halligan/internal/app"
	"halligan/lockout"
	"halligan/register"
)

// initFlags are the flags of init.
type initFlags struct {
	from, accounts []string
	output         string
	tenant         string
	people         int
	another        bool
	begins         string // why, for entry 0
	outside        string
	live           liveFlags
	place          placeFlags
}

// mostPeople bounds how many people there can be.
const mostPeople = 100000

func initCommand(c *console) *cobra.Command {
	var f initFlags
	cmd := &cobra.Command{
		Use:   "init --account ID",
		Short: "write the register of the emergency accounts, halligan.yaml",
		Long: `Write ` + registerFile + `: which accounts are the emergency accounts, what is intended for them policy by policy, and the keys that
were read. Only accounts that you name are put in, with --account or by the list of another tool given with --from:
EmergencyAccessAccounts of Maester or ZeroTrustAssessment, CapExclusions and RoleExclusions of ScubaGear.

Without any the proposals are told and nothing is written. A file that is there is never written over. The register holds no
secrets; keep it where your configuration is kept.

It also begins the evidence: a store, and the key that signs its log. --people says how many people there are who can decide;
nobody is asked for who does not exist. With one person everything is marked as one person's, and somebody outside should keep a
sealed second part: --outside. Where halligan.yaml is there already, init --people completes it.`,
		Example: `  halligan init --from export/ --account 9b1f6c1e-0000-4000-8000-000000000001 --account bg2@contoso.example
  halligan init --from export/ --from maester-config.json
  halligan init --from scuba_compliance.yaml -o tenants/contoso.yaml`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.init(cmd.Context(), &f) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.from, "from", nil, "`PATH` of an export, or of another tool's configuration; repeatable")
	flags.StringArrayVar(&f.accounts, "account", nil, "`ID` or user principal name of an emergency account; repeatable")
	f.live.register(flags)
	flags.StringVarP(&f.output, "output", "o", registerFile, "`FILE` to write; - for stdout")
	flags.StringVar(&f.tenant, "tenant", "", "`ID` of the tenant, where what is read does not say it")
	flags.IntVar(&f.people, "people", 0, "`NUMBER` of people who can decide (asked for on a terminal)")
	flags.StringVar(&f.outside, "outside", "", "`NAME` of who outside keeps the sealed second part, where there is one person")
	flags.BoolVar(&f.another, "another-log", false, "begin another log though this account knows one of this tenant; its first entry says so")
	flags.StringVar(&f.place.store, "store", "", "`PATH` of the evidence store, or a postgres:// address (default: a folder of the tenant among your settings)")
	flags.StringVar(&f.place.witness, "witness", "", "`FOLDER` elsewhere that keeps the newest checkpoint")
	flags.StringVar(&f.place.logKey, "log-key", "", "`FILE` of the key that signs the log (default: log.key beside the store)")
	return cmd
}

func (c *console) init(ctx context.Context, f *initFlags) error {
	if f.tenant != "" && !entra.ID(f.tenant).IsGUID() {
		return misused("it stands in the Entra admin center > Overview > Tenant ID", "no id of a tenant: %q", f.tenant)
	}
	if err := register.CheckStoreAddress(f.place.store); err != nil {
		return badStore(err)
	}
	if f.people < 0 || f.people > mostPeople {
		return misused("for example --people 2", "no number of people: %d", f.people)
	}
	if f.outside != "" && (f.people > 1 || f.people == 0 && !c.answers()) {
		return misused("it is for --people 1", "--outside with %d people", f.people)
	}
	if f.output != "-" {
		if _, err := os.Lstat(f.output); !errors.Is(err, fs.ErrNotExist) {
			if err == nil && f.people > 0 && len(f.accounts) == 0 && len(f.from) == 0 {
				return c.complete(ctx, f)
			}
			return &fault{exitFailed, fmt.Errorf("write register %s: it is there already", f.output), "edit it, or give another file with -o"}
		}
	}
	if err := f.where(); err != nil {
		return err
	}
	from, err := c.open(ctx, "--from", f.from)
	if err != nil {
		return err
	}
	defer from.close()
	req := app.InitRequest{Accounts: f.accounts, Now: lockout.Date(time.Now().UTC().Format(time.DateOnly))}
	for _, s := range from.list {
		n, is, err := neighbours(s)
		switch {
		case err != nil:
			return &fault{exitFailed, err, "mend the file, or name the accounts with --account"}
		case is:
			req.Neighbours = append(req.Neighbours, n)
		default:
			req.Sources = append(req.Sources, s)
		}
	}
	if len(req.Sources) == 0 && len(req.Neighbours) == 0 {
		var live app.ProveRequest
		err := c.readLive(&live, &f.live, "")
		signedOut, is := errors.AsType[*fault](err)
		switch {
		case err == nil:
			req.Tenant = live.Tenant
		case !is || signedOut.code != exitNotSignedIn:
			return err
		case len(f.accounts) == 0:
			return misused("for example --from export/ --account OBJECT-ID, or sign in: halligan login", "nothing to begin with: name the accounts, give an export, or sign in")
		}
	}
	made, err := app.Init(ctx, req)
	if err != nil {
		return asMisuse(asLive(err))
	}
	switch id := entra.ID(f.tenant); {
	case id != "" && made.Register.Tenant.ID != "" && !id.Equal(made.Register.Tenant.ID):
		return misused("leave --tenant out, or read the tenant that is meant", "what was read is of tenant %s, not %s", made.Register.Tenant.ID, f.tenant)
	case id != "":
		made.Register.Tenant.ID = id
	}
	if f.people == 0 && f.output != "-" {
		if err := c.howMany(f); err != nil {
			return err
		}
	}
	made.Register.Quorum = register.Quorum{People: f.people, Outside: f.outside}
	made.Register.Evidence = register.Evidence{Store: f.place.store, Witness: f.place.witness}
	text, err := made.Register.Write()
	if err != nil {
		return fmt.Errorf("write register: %w", err)
	}
	if f.output == "-" {
		if _, err := c.stdout.Write(text); err != nil {
			return err
		}
		return c.tellOpen(made)
	}
	if f.begins, err = c.another(ctx, f, made.Register); err != nil {
		return err
	}
	if err := writeNew(f.output, text); err != nil {
		return &fault{exitFailed, fmt.Errorf("write register: %v", err), "give a file in a folder that exists"}
	}
	if err := c.tellInit(f, made); err != nil {
		return err
	}
	return c.beginEvidence(ctx, f, made.Register)
}

// where makes of the places of the evidence what they mean from every folder, since
// the register keeps them, and refuses a witness place that is not there before
// anything is written.
func (f *initFlags) where() (err error) {
	if p := (app.Place{Store: f.place.store}); f.place.store != "" && p.IsFile() {
		if f.place.store, err = filepath.Abs(f.place.store); err != nil {
			return err
		}
	}
	if f.place.witness == "" {
		return nil
	}
	if f.place.witness, err = filepath.Abs(f.place.witness); err != nil {
		return err
	}
	if info, err := os.Stat(f.place.witness); err != nil || !info.IsDir() {
		return &fault{exitFailed, fmt.Errorf("begin the evidence: the witness place %s is no folder", f.place.witness), "give --witness a folder that is there, on another machine or disk"}
	}
	return nil
}

func neighbours(s entra.Source) (*register.Neighbours, bool, error) {
	if s.FS != nil {
		return nil, false, nil
	}
	return register.ReadNeighbours(s.Name, s.Data)
}

// writeNew writes a file that must not be there.
func writeNew(path string, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := file.Write(text); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

// tellOpen says beside a register on stdout what was put in, and what is open.
func (c *console) tellOpen(made *app.Initial) error {
	p := c.page(c.stderr)
	for _, s := range made.Says {
		p.line(0, 2, s)
	}
	p.list("To complete by hand", made.Open)
	_, err := fmt.Fprint(c.stderr, p.b.String())
	return err
}

func (c *console) tellInit(f *initFlags, made *app.Initial) error {
	p := c.page(c.stdout)
	p.styled(0, 2, bold, f.output, "written: "+plural(len(made.Register.Accounts), "emergency account", "emergency accounts"))
	for _, a := range made.Register.Accounts {
		p.line(2, 2, accountLine(a))
	}
	for _, s := range made.Says {
		p.line(2, 2, s)
	}
	p.list("To complete by hand", made.Open)
	check := "halligan check --from PATH"
	if len(f.from) == 0 {
		check = "halligan check"
	}
	p.nextSteps([]app.Step{{Do: check, Why: "judge the tenant with this register; read the file first, what it says is intended", Command: true}})
	_, err := fmt.Fprint(c.stdout, p.b.String())
	return err
}
