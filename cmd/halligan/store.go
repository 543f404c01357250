package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"halligan/evidence"
	"halligan/internal/app"
	"halligan/internal/store"
)

func storeCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "store",
		Short: "keep the store of the evidence: backup, restore, check, witness",
		Long: `The store is one file, or a PostgreSQL database, in which the evidence is kept. One process at a time owns it. docs/operations.md
says how to keep it.`,
	}
	cmd.AddCommand(storeBackupCommand(c), storeRestoreCommand(c), storeCheckCommand(c), storeWitnessCommand(c))
	return cmd
}

func storeBackupCommand(c *console) *cobra.Command {
	var f placeFlags
	var output string
	cmd := &cobra.Command{
		Use:   "backup -o FILE",
		Short: "write a copy of the store, while it is in use",
		Long: `Write a copy of the store to a file that is not there yet. It may be in use meanwhile. The log key is not in it: keep that apart,
or a thief of the backup could sign a false log.`,
		Example: "  halligan store backup -o /mnt/backup/evidence-2026-11-21.db",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if output == "" {
				return misused("for example -o /mnt/backup/evidence-2026-11-21.db", "nowhere to write: give a file with -o")
			}
			a, end, err := c.reading(cmd.Context(), &f)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, end()) }()
			if err := a.Ledger.(readOnly).Backup(cmd.Context(), output); err != nil {
				return &fault{exitFailed, err, cmp.Or(hintOf(err), "give a file that is not there yet, in a folder that exists")}
			}
			_, err = fmt.Fprintf(c.stdout, "%s: a copy of store %s; the log key is not in it (%s)\n", escape(output), a.Ledger.Identity().ID, escape(a.Keys.String()))
			return err
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().StringVarP(&output, "output", "o", "", "`FILE` to write")
	return cmd
}

func storeRestoreCommand(c *console) *cobra.Command {
	var f placeFlags
	var gone bool
	cmd := &cobra.Command{
		Use:   "restore FILE",
		Short: "make the store anew from a backup",
		Long: `Make the store anew from a backup, where none is. The next entry says so. When the original still runs, the two become a fork,
which the witness place shows to whichever writes second: end the original first.

--original-gone says that the original is lost for good and that what it recorded after the backup is given up; without it a
restore of less than the witness knows is refused when it is written to.`,
		Args: takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.storeRestore(cmd.Context(), &f, args[0], gone)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().BoolVar(&gone, "original-gone", false, "the original is lost for good; what it recorded after the backup is given up")
	return cmd
}

func (c *console) storeRestore(ctx context.Context, f *placeFlags, backup string, gone bool) error {
	r, _, err := requiredRegister(f.register)
	if err != nil {
		return err
	}
	p, err := c.place(f, r)
	if err != nil {
		return err
	}
	if _, err := os.Stat(backup); err != nil {
		return &fault{exitFailed, fmt.Errorf("restore: %v", err), nearName(backup, "give the file that halligan store backup wrote")}
	}
	if err := store.Restore(ctx, backup, store.Options{URL: p.Store, Witness: p.Witness}, store.RestoreOptions{OriginalGone: gone}); err != nil {
		hint := "give --store a file in a folder that exists"
		if p.Exists() == nil {
			hint = "a store is never written over: move the one that is there aside, with the files beside it that begin like it; or restore into another place with --store"
		}
		return &fault{exitFailed, err, cmp.Or(hintOf(err), hint)}
	}
	out := c.page(c.stdout)
	out.line(0, 2, "restored to "+p.Name()+"; the next entry says so")
	if _, err := p.Keys.Load(); err != nil {
		out.line(0, 2, "the log key is not here: bring it back to "+p.Keys.String()+", or, if it is lost: halligan request log-key-lost")
	}
	out.line(0, 2, "now: halligan store check --key KEY --checkpoint FILE")
	_, err = fmt.Fprint(c.stdout, out.b.String())
	return err
}

// storeCheckView is the result of store check.
type storeCheckView struct {
	Good     bool     `json:"good"`
	Store    string   `json:"store"`
	Size     uint64   `json:"size"`
	Trouble  []string `json:"trouble"`
	Unknown  []string `json:"unknown"` // could not be told
	Warnings []string `json:"warnings"`
}

func storeCheckCommand(c *console) *cobra.Command {
	var f placeFlags
	var v verifyFlags
	cmd := &cobra.Command{
		Use:   "check --key KEY",
		Short: "check the store whole: the database, every entry, every checkpoint, the witness",
		Long: `Read all of the store: the database's own structure, every entry against its hash, the tree against every signed checkpoint, the
head, and the witness place. The key comes from the binder. docs/operations.md says what each trouble means.`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.storeCheck(cmd.Context(), &f, &v)
		},
	}
	f.add(cmd.Flags())
	flags := cmd.Flags()
	flags.StringArrayVar(&v.keys, "key", nil, "public log `KEY` from the binder, or a file that holds it; repeatable")
	flags.StringArrayVar(&v.checkpoints, "checkpoint", nil, "`FILE` with a checkpoint that left the machine; repeatable")
	flags.StringVar(&v.format, "format", "terminal", "`FORM`: terminal, json")
	complete(cmd, "format", "terminal", "json")
	return cmd
}

func (c *console) storeCheck(ctx context.Context, f *placeFlags, v *verifyFlags) (err error) {
	if err := oneOf("format", v.format, "terminal", "json"); err != nil {
		return err
	}
	o, err := verifyOptions(v.keys, v.checkpoints)
	if err != nil {
		return err
	}
	r, _, err := requiredRegister(f.register)
	if err != nil {
		return err
	}
	p, err := c.place(f, r)
	if err != nil {
		return err
	}
	if err := p.Exists(); err != nil {
		return err
	}
	out, err := storeChecked(ctx, &p, o)
	if err != nil {
		return err
	}
	if v.format == "json" {
		err = indented(c.stdout, out)
	} else {
		pg := c.page(c.stdout)
		what := p.Name() + ", which cannot be read"
		if out.Store != "" {
			what = "store " + out.Store + ", " + plural(int(out.Size), "entry", "entries")
		}
		verdict := map[exitCode]string{exitDone: "GOOD", exitTrouble: "TROUBLE", exitUndetermined: "UNDETERMINED"}[out.code()]
		pg.styled(0, 2, bold, verdict, "– "+what)
		for _, t := range out.Trouble {
			pg.line(2, 4, "✗ "+t)
		}
		for _, u := range out.Unknown {
			pg.line(2, 4, "? "+u)
		}
		for _, w := range out.Warnings {
			pg.line(2, 4, "! "+w)
		}
		_, err = fmt.Fprint(c.stdout, pg.b.String())
	}
	if err == nil {
		err = ended(out.code())
	}
	return err
}

// code is how the check ends: what was found wins over what could not be told.
func (v *storeCheckView) code() exitCode {
	switch {
	case len(v.Trouble) > 0:
		return exitTrouble
	case len(v.Unknown) > 0:
		return exitUndetermined
	}
	return exitDone
}

// storeChecked checks a store. One that is too damaged to be opened is trouble that
// was found, too, and not a check that failed.
func storeChecked(ctx context.Context, p *app.Place, o evidence.VerifyOptions) (out storeCheckView, err error) {
	db, err := store.Open(ctx, store.Options{URL: p.Store, Witness: p.Witness, ReadOnly: true})
	if store.Damaged(err) {
		return storeCheckView{Trouble: []string{err.Error()}, Unknown: []string{}, Warnings: []string{hintOf(err)}}, nil
	}
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	report, err := db.Check(ctx, o)
	if err != nil {
		return out, err
	}
	out = storeCheckView{Good: report.Good(), Store: db.Identity().ID, Size: report.Size, Trouble: append([]string{}, report.Damage...), Unknown: []string{}, Warnings: append([]string{}, db.Warnings()...)}
	if report.Evidence != nil {
		out.Trouble = append(out.Trouble, report.Evidence.Error())
	}
	if report.Fork != nil {
		out.Trouble = append(out.Trouble, report.Fork.Error())
	}
	if unasked, is := errors.AsType[*store.WitnessError](report.Witness); is && unasked.Unasked {
		out.Unknown = append(out.Unknown, report.Witness.Error())
	} else if report.Witness != nil {
		out.Trouble = append(out.Trouble, report.Witness.Error())
	}
	if p.Witness == "" && db.Identity().Witness == "" {
		out.Warnings = append(out.Warnings, "no witness place is set: a second copy of this store that somebody uses would not be noticed (--witness)")
	}
	return out, nil
}

func storeWitnessCommand(c *console) *cobra.Command {
	var f placeFlags
	var m store.WitnessMove
	var none bool
	var why string
	cmd := &cobra.Command{
		Use:   "witness FOLDER --why TEXT",
		Short: "give the store another witness place, or none",
		Long: `Give the store another witness place. The store remembers the place it has, and is not written under another one. The old place
must agree with the log once more; --old-gone says that it is lost for good. An entry of the log says from where, to where and why.

Then have the register say the same (witness: under evidence: in halligan.yaml), and have that approved: halligan request register.`,
		Example: `  halligan store witness /mnt/witness2 --why "the old machine is given back"
  halligan store witness /mnt/witness2 --old-gone --why "its disk failed"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if none != (len(args) == 0) {
				return misused("for example /mnt/witness2, or --none", "give the folder that is the witness from now on, or --none")
			}
			m.To = strings.Join(args, "")
			return c.storeWitness(cmd.Context(), &f, m, why)
		},
	}
	f.addStore(cmd.Flags())
	cmd.Flags().BoolVar(&none, "none", false, "the store has no witness from now on: a second copy of it is not noticed")
	cmd.Flags().BoolVar(&m.OldGone, "old-gone", false, "the old place is lost for good and is not asked")
	cmd.Flags().StringVar(&why, "why", "", "`TEXT`: the reason, for the log")
	return cmd
}

func (c *console) storeWitness(ctx context.Context, f *placeFlags, m store.WitnessMove, why string) (err error) {
	if why == "" {
		return misused(`for example --why "the old machine is given back"`, "the log keeps the reason: give --why")
	}
	if m.To != "" {
		if m.To, err = filepath.Abs(m.To); err != nil {
			return err
		}
		if info, err := os.Stat(m.To); err != nil || !info.IsDir() {
			return &fault{exitFailed, fmt.Errorf("move the witness place: %s is no folder", m.To), "give a folder that is there, on another machine or disk"}
		}
	}
	r, name, err := requiredRegister(f.register)
	if err != nil {
		return err
	}
	p, err := c.place(f, r)
	if err != nil {
		return err
	}
	p.Witness = "" // the one that the store remembers, whatever the register says by now
	a, end, err := c.writingAt(ctx, r, name, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	entries, err := a.MoveWitness(ctx, m, why)
	if err != nil {
		return &fault{exitFailed, err, cmp.Or(hintOf(err), "halligan store check says how the store and its witness stand")}
	}
	out := c.page(c.stdout)
	now := "the store has no witness place any more"
	if m.To != "" {
		now = "the witness place is " + m.To
	}
	out.line(0, 2, now+" (entry "+number(entries[len(entries)-1].Index)+")")
	if r.Evidence.Witness != m.To {
		out.line(0, 2, "now: "+ifElse(m.To == "", "remove witness: from evidence: in halligan.yaml", "write witness: "+m.To+" under evidence: in halligan.yaml")+", and have it approved: halligan request register")
	}
	_, err = fmt.Fprint(c.stdout, out.b.String())
	return err
}

func serveCommand(c *console) *cobra.Command {
	var f placeFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "own the evidence of a tenant for long; other commands here write through it",
		Long: `Own the store of the evidence until Ctrl-C. Other commands of this account on this machine write through it, over a socket that
no other account may open. It asks for no permission in the tenant.`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.serve(cmd.Context(), &f) },
	}
	f.add(cmd.Flags())
	return cmd
}

func (c *console) serve(ctx context.Context, f *placeFlags) (err error) {
	r, _, err := requiredRegister(f.register)
	if err != nil {
		return err
	}
	p, err := c.place(f, r)
	if err != nil {
		return err
	}
	socket := p.Socket
	p.Socket = "" // another owner is an error here
	ledger, end, err := app.OpenLedger(ctx, p)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	owned := ledger.(app.Owned)
	out := c.page(c.stdout)
	out.line(0, 2, "Serving the evidence of "+tenantOf(r)+": store "+owned.Name()+", socket "+socket)
	for _, w := range owned.Warnings() {
		out.line(0, 2, "warning: "+w)
	}
	if isTerminal(c.stdout) {
		out.line(0, 0, "Ctrl-C ends it.")
	}
	return owned.Serve(ctx, owned.Key, strings.TrimSpace(socket), func() error {
		_, err := fmt.Fprint(c.stdout, out.b.String())
		return err
	})
}
