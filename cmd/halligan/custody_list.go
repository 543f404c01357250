package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"halligan/entra"
	"halligan/internal/app"
	"halligan/posture"
	"halligan/register"
)

// recordsPatience is how long a check waits for the evidence: it goes on without.
const recordsPatience = 5 * time.Second

// recordsOf are what the evidence tells the checks; nothing where none was ever begun. A
// check never waits for it long, and never fails for want of it. Evidence that must be
// somewhere, and is not found, was not read.
func (c *console) recordsOf(ctx context.Context, r *register.Register, registerPath string, f *recordFlags) posture.Records {
	held, err := c.heldOf(ctx, r, registerPath, f)
	switch {
	case err != nil:
		return posture.Records{Unread: err.Error()}
	case held == nil:
		return posture.Records{Unread: c.begunElsewhere(r, &f.place)}
	}
	return held.Records
}

// begunElsewhere says why the evidence of a register must be somewhere, though none is
// where it was looked for: somebody says where it is, this account has seen it, or the
// register has what nothing but the evidence gives. "" where nothing tells that there
// ever was any, so that nothing was ever looked at, found or approved.
func (c *console) begunElsewhere(r *register.Register, f *placeFlags) string {
	const not = "the evidence was not found: "
	known := r.Or()
	if store := cmp.Or(f.store, known.Evidence.Store); store != "" {
		return not + "there is none in " + (&app.Place{Store: store}).Name()
	}
	if file, err := c.knownFile(r); err == nil && file != "" {
		if logs, err := knownLogs(file); err != nil || len(logs.Logs) > 0 {
			return not + "this account has seen it before"
		}
	}
	for _, of := range []struct {
		is  bool
		why string
	}{
		{slices.ContainsFunc(known.Parts, func(p register.Part) bool { return app.SetID(p.Set) }), "the register names sealed sets, which it has recorded"},
		{slices.ContainsFunc(known.People, func(p register.Person) bool { return p.Signing != "" }), "the register names keys with which requests are signed, which it keeps"},
	} {
		if of.is {
			return not + of.why + " (--store, or store: under evidence:)"
		}
	}
	return ""
}

// heldOf is what the evidence of a register knows of custody; nil where there is
// none, or no place for one.
func (c *console) heldOf(ctx context.Context, r *register.Register, registerPath string, f *recordFlags) (*app.Held, error) {
	if r == nil || r.Tenant.ID == "" && r.Evidence.Store == "" && f.place.store == "" {
		return nil, nil
	}
	place := f.place
	place.register = registerPath
	return c.held(ctx, &place)
}

// held is what the evidence knows of custody; nil where there is no evidence.
func (c *console) held(ctx context.Context, f *placeFlags) (held *app.Held, err error) {
	ctx, cancel := context.WithTimeout(ctx, recordsPatience)
	defer cancel()
	a, end, err := c.reading(ctx, f)
	if _, none := errors.AsType[*app.NoStoreError](err); none {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	return a.Held(ctx)
}

// custodyListFlags are the flags of custody list.
type custodyListFlags struct {
	placeFlags
	side   sideFlags
	format string
}

func custodyListCommand(c *console) *cobra.Command {
	var f custodyListFlags
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list who holds what where under which seal since when, and what is due",
		Long: `List the parts with holder, place, seal and day, the places, and every clock that runs: seals and binders that must be looked at,
combinations that somebody who left still knows. With --live or --from, the holders are compared with the directory, and so are the
accounts: who is disabled, gone or leaving is a finding with its date, and each account is due for a drill 90 days (settings.drillDays)
after its last sign-in, where the directory tells it. A tenant that cannot be read leaves the rest of the list, and is told.

Exit codes: 0 nothing is due, 3 something is wrong or overdue, 5 the evidence is not here, so what was looked at is not known; or the
tenant was to be read (--live) and could not be.`,
		Example: `  halligan custody list
  halligan custody list --live
  halligan custody list --from export/ --format json`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.custodyList(cmd.Context(), &f) },
	}
	f.add(cmd.Flags())
	f.side.add(cmd)
	cmd.Flags().StringVar(&f.format, "format", "terminal", "`FORM`: terminal, json")
	complete(cmd, "format", "terminal", "json")
	return cmd
}

func (c *console) custodyList(ctx context.Context, f *custodyListFlags) error {
	if err := oneOf("format", f.format, "terminal", "json"); err != nil {
		return err
	}
	r, name, err := requiredRegister(f.register)
	if err != nil {
		return err
	}
	c.warnRegister(ctx, r, f.register, &recordFlags{place: f.placeFlags})
	held, err := c.held(ctx, &f.placeFlags)
	if err != nil {
		return err
	}
	snap, unread, err := c.directory(ctx, &f.side, r, f.register)
	if err != nil {
		return err
	}
	report := app.ListHeld(r, held, snap, time.Now())
	if f.format == "json" {
		err = indented(c.stdout, report)
	} else {
		p := c.page(c.stdout)
		p.held(report, name)
		_, err = fmt.Fprint(c.stdout, p.b.String())
	}
	if err != nil {
		return err
	}
	c.tellUnread(unread)
	switch {
	case report.Overdue():
		return ended(exitTrouble)
	case !report.Evidence || unread != nil:
		return ended(exitUndetermined)
	}
	return nil
}

// directory is what was read of the tenant; nil where that was not asked for, or the
// live tenant cannot be read, and why.
func (c *console) directory(ctx context.Context, f *sideFlags, r *register.Register, registerPath string) (snap *entra.Snapshot, unread, err error) {
	if !f.asked() && f.who.profile == "" {
		return nil, nil, nil
	}
	req := app.ProveRequest{}
	unread, closed, err := c.side(ctx, f, &req, registerPath)
	if err != nil || unread != nil {
		return nil, unread, err
	}
	defer closed()
	done := c.progress(&req)
	snap, err = app.Snapshot(ctx, req, r, nil)
	done()
	if err != nil && f.live && ctx.Err() == nil {
		return nil, err, nil
	}
	return snap, nil, asMisuse(asUnread(err))
}

func (p *page) held(r *app.HeldReport, file string) {
	if len(r.Parts) == 0 {
		p.line(0, 2, "No part is written down in "+file+" yet: halligan custody add --help")
	}
	var accounts []string // in the order in which the register comes to them
	under := map[string][]string{}
	for i := range r.Parts {
		one := &r.Parts[i]
		of := cmp.Or(one.AccountName, string(one.Account), "No account")
		if under[of] == nil {
			accounts = append(accounts, of)
		}
		under[of] = append(under[of], one.Name+": "+partLine(one))
	}
	for _, of := range accounts {
		p.styled(0, 2, bold, of, "")
		for _, line := range under[of] {
			p.line(2, 4, line)
		}
	}
	if len(r.Places) > 0 {
		p.blank()
	}
	for _, at := range r.Places {
		words := []string{}
		for _, w := range []struct {
			is   bool
			text string
		}{{at.Kind != "", at.Kind}, {at.Site != "", "site " + at.Site}, {at.Fireproof, "fireproof"}, {at.OffSite, "off-site"}, {len(at.Access) > 0, "opened by " + strings.Join(at.Access, ", ")},
			{at.CombinationChanged != "", "combination changed " + string(at.CombinationChanged)}} {
			if w.is {
				words = append(words, w.text)
			}
		}
		p.styled(0, 4, bold, "Place "+at.Name+":", strings.Join(words, ", "))
	}
	p.heldFindings(r)
	if !r.Evidence {
		p.blank()
		p.styled(0, 2, yellow, "NOT KNOWN", "– no evidence of this register is here, so whether anybody looked at the parts, and what was found, is not known: "+app.NoStoreHint+".")
	}
}

func (p *page) heldFindings(r *app.HeldReport) {
	for _, due := range []bool{false, true} {
		begun := false
		for _, f := range r.Findings {
			if f.Due != due {
				continue
			}
			if !begun {
				p.heading(ifElse(due, "Next", "Now"))
				begun = true
			}
			p.line(4, 2, ifElse(f.Worse, "! ", "")+string(f.Day)+" "+f.What)
			if f.Do != "" && !due {
				p.line(6, 2, f.Do)
			}
		}
	}
}

func partLine(h *app.HeldPart) string {
	words := []string{string(h.Kind)}
	for _, w := range []struct{ before, text string }{{"of ", h.Key}, {"opens ", h.Opens}, {"set ", h.Set}, {"held by ", cmp.Or(h.Holder, "nobody")}, {"in ", cmp.Or(h.Place, "no place")}, {"seal ", cmp.Or(h.Seal, "none")}, {"since ", string(h.Since)}} {
		if w.text != "" {
			words = append(words, w.before+w.text)
		}
	}
	if h.Looked != nil {
		words = append(words, ifElse(h.Good, "looked at ", "found wrong ")+h.Looked.UTC().Format(time.DateOnly))
	}
	return strings.Join(words, ", ")
}
