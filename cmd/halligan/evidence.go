package main

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"halligan/custody"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/internal/store"
)

func evidenceCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "evidence",
		Short: "look at, verify, export and merge what was recorded",
		Long: `The evidence is an append-only log: who asked for what, who approved it, what was done, what came of it, which checks ran with
which result. Every entry is a leaf of a Merkle tree whose root is signed after each append (docs/evidence-format.md). An
export can be verified offline, by this program or another, with the public log key from the binder.`,
	}
	cmd.AddCommand(evidenceLogCommand(c), evidenceShowCommand(c), evidenceVerifyCommand(c), evidenceExportCommand(c), evidenceCheckpointCommand(c), evidenceMergeCommand(c))
	return cmd
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }

// entryView is an entry as evidence log and show print it.
type entryView struct {
	Index      uint64          `json:"index"`
	Kind       evidence.Kind   `json:"kind"`
	Tenant     string          `json:"tenant,omitempty"`
	Time       time.Time       `json:"time"`
	Source     *time.Time      `json:"source,omitempty"`
	SkewMs     int64           `json:"skewMs,omitempty"`
	Who        []string        `json:"who"`
	What       string          `json:"what"`
	On         string          `json:"on,omitempty"`
	Why        string          `json:"why,omitempty"`
	Before     string          `json:"before,omitempty"`
	After      string          `json:"after,omitempty"`
	RequestIDs []string        `json:"requestIds,omitempty"`
	Subject    string          `json:"subject,omitempty"`
	Refers     *uint64         `json:"refers,omitempty"`
	Marks      []string        `json:"marks,omitempty"`
	Data       json.RawMessage `json:"data,omitempty"`
}

func viewEntry(e *evidence.Entry) entryView {
	v := entryView{Index: e.Index, Kind: e.Kind, Tenant: string(e.Tenant), Time: e.Time, SkewMs: e.Skew.Milliseconds(), Who: append([]string{}, e.Who...), What: e.What, On: e.On, Why: e.Why,
		Before: e.Before, After: e.After, RequestIDs: e.RequestIDs, Subject: e.Subject, Refers: e.Refers, Marks: e.Marks, Data: e.Data}
	if !e.Source.IsZero() {
		v.Source = &e.Source
	}
	return v
}

func evidenceLogCommand(c *console) *cobra.Command {
	var f placeFlags
	var format, kind string
	var last int
	cmd := &cobra.Command{
		Use:   "log",
		Short: "list what was recorded, the newest last",
		Long: `List the entries of the evidence, each with its number, time, kind, and who. A name that begins with os: is the account of the
machine: nobody proved who that was.`,
		Example: "  halligan evidence log\n  halligan evidence log --kind approval --last 0",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.evidenceLog(cmd.Context(), &f, kind, last, format)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().StringVar(&kind, "kind", "", "`KIND` of entries: "+strings.Join(kindNames(), ", "))
	cmd.Flags().IntVar(&last, "last", 30, "`NUMBER` of entries to list; 0 is all")
	cmd.Flags().StringVar(&format, "format", "terminal", "`FORM`: terminal, json")
	complete(cmd, "kind", kindNames()...)
	complete(cmd, "format", "terminal", "json")
	return cmd
}

func kindNames() []string {
	var out []string
	for _, k := range evidence.Kinds {
		out = append(out, string(k.Kind))
	}
	return out
}

func (c *console) evidenceLog(ctx context.Context, f *placeFlags, kind string, last int, format string) (err error) {
	if err := oneOf("format", format, "terminal", "json"); err != nil {
		return err
	}
	if kind != "" && !slices.Contains(kindNames(), kind) {
		return misused(suggest(kind, kindNames(), "kinds: "+strings.Join(kindNames(), ", ")), "no kind %q", kind)
	}
	if last < 0 {
		return misused("--last 0 lists all", "no number of entries: %d", last)
	}
	a, end, err := c.reading(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	var entries []entryView
	var size uint64
	err = a.Ledger.View(ctx, func(v store.View) error {
		size = v.Size()
		for e, err := range v.Find(evidence.Kind(kind), "") {
			if err != nil {
				return err
			}
			entries = append(entries, viewEntry(&e))
			if last > 0 && len(entries) > last {
				entries = entries[1:]
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if format == "json" {
		if entries == nil {
			entries = []entryView{}
		}
		return indented(c.stdout, map[string]any{"store": a.Ledger.Identity().ID, "size": size, "entries": entries})
	}
	p := c.page(c.stdout)
	for i := range entries {
		p.entry(&entries[i])
	}
	if more := size - uint64(len(entries)); more > 0 && kind == "" {
		p.line(0, 0, fmt.Sprintf("and %d before these: halligan evidence log --last 0", more))
	}
	_, err = fmt.Fprint(c.stdout, p.b.String())
	return err
}

func (p *page) entry(e *entryView) {
	text := e.Time.Format(time.DateTime) + "  " + string(e.Kind) + ": " + e.What
	if e.On != "" {
		text += ", " + e.On
	}
	if len(e.Who) > 0 {
		text += " (" + strings.Join(e.Who, ", ") + ")"
	}
	if e.Refers != nil {
		text += ", of entry " + number(*e.Refers)
	}
	if len(e.Marks) > 0 {
		text += " [" + strings.Join(e.Marks, "; ") + "]"
	}
	p.styled(0, 6, bold, fmt.Sprintf("%4d", e.Index), text)
}

func evidenceShowCommand(c *console) *cobra.Command {
	var f placeFlags
	var format string
	cmd := &cobra.Command{
		Use:   "show NUMBER",
		Short: "show one entry whole, with its proof",
		Long: `Show one entry with everything in it. --format json adds the proof that it is in the log: its leaf, the hashes on the way to the
root, and the signed checkpoint (RFC 6962 2.1.1).`,
		Args: takes("NUMBER"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.evidenceShow(cmd.Context(), &f, args[0], format)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().StringVar(&format, "format", "terminal", "`FORM`: terminal, json")
	complete(cmd, "format", "terminal", "json")
	return cmd
}

// proofView is an entry with the proof that it is in the log.
type proofView struct {
	Entry      entryView `json:"entry"`
	Line       string    `json:"line"`
	Leaf       string    `json:"leaf"`
	Proof      []string  `json:"proof"`
	Checkpoint string    `json:"checkpoint"`
}

func (c *console) evidenceShow(ctx context.Context, f *placeFlags, which, format string) (err error) {
	if err := oneOf("format", format, "terminal", "json"); err != nil {
		return err
	}
	n, err := strconv.ParseUint(which, 10, 64)
	if err != nil {
		return misused("entries are counted from 0: halligan evidence log", "no number of an entry: %q", which)
	}
	a, end, err := c.reading(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	var out proofView
	err = a.Ledger.View(ctx, func(v store.View) error {
		if n >= v.Size() {
			return &fault{exitFailed, fmt.Errorf("show entry %d: the log has %d", n, v.Size()), "entries are counted from 0: halligan evidence log"}
		}
		line, err := v.Line(n)
		if err != nil {
			return err
		}
		e, err := v.Entry(n)
		if err != nil {
			return err
		}
		out.Entry, out.Line, out.Checkpoint = viewEntry(&e), string(line), string(v.Checkpoint())
		if format != "json" {
			return nil
		}
		leaf := evidence.LeafHash(line)
		out.Leaf = hex.EncodeToString(leaf[:])
		proof, err := evidence.ProveEntry(v.Size(), n, func(i uint64) (evidence.Hash, error) {
			line, err := v.Line(i)
			return evidence.LeafHash(line), err
		})
		out.Proof = []string{}
		for _, h := range proof {
			out.Proof = append(out.Proof, hex.EncodeToString(h[:]))
		}
		return err
	})
	if err != nil {
		return err
	}
	if format == "json" {
		return indented(c.stdout, out)
	}
	p := c.page(c.stdout)
	p.entry(&out.Entry)
	e := &out.Entry
	for _, fact := range [][2]string{{"why", e.Why}, {"before", e.Before}, {"after", e.After}, {"subject", e.Subject}, {"requests", strings.Join(e.RequestIDs, ", ")}, {"tenant", e.Tenant}} {
		if fact[1] != "" {
			p.line(6, 8, fact[0]+": "+fact[1])
		}
	}
	if e.Source != nil {
		p.line(6, 8, fmt.Sprintf("the other side's clock: %s; ours was %d ms ahead", e.Source.Format(time.RFC3339), e.SkewMs))
	}
	if len(e.Data) > 0 {
		p.line(6, 8, "data: "+string(e.Data))
	}
	_, err = fmt.Fprint(c.stdout, p.b.String())
	return err
}

func evidenceExportCommand(c *console) *cobra.Command {
	var f placeFlags
	var output string
	cmd := &cobra.Command{
		Use:   "export -o FOLDER",
		Short: "write the evidence as a folder that anybody can verify offline",
		Long: `Write the whole log as a folder: entries, hashes, and signed checkpoints, those that left the machine among them. It holds all that
was recorded: give it to whoever may know that.`,
		Example: "  halligan evidence export -o evidence-2026-11\n  halligan evidence verify evidence-2026-11 --key KEY",
		Args:    takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.evidenceExport(cmd.Context(), &f, output)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().StringVarP(&output, "output", "o", "", "`FOLDER` to write; it must not be there, or be empty")
	return cmd
}

func (c *console) evidenceExport(ctx context.Context, f *placeFlags, output string) (err error) {
	if output == "" {
		return misused("for example -o evidence-2026-11", "nowhere to write: give a folder with -o")
	}
	a, end, err := c.reading(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	db := a.Ledger.(readOnly).DB
	if err := db.Export(ctx, output); err != nil {
		return &fault{exitFailed, err, cmp.Or(hintOf(err), "give a folder that is not there yet, or is empty")}
	}
	var size uint64
	if err := a.Ledger.View(ctx, func(v store.View) error { size = v.Size(); return nil }); err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "%s: %s of store %s\n", escape(output), plural(int(size), "entry", "entries"), a.Ledger.Identity().ID)
	return err
}

// checkpointFlags are the flags of evidence checkpoint.
type checkpointFlags struct {
	placeFlags
	to     []string
	mail   mailFlags
	format string
}

func evidenceCheckpointCommand(c *console) *cobra.Command {
	var f checkpointFlags
	cmd := &cobra.Command{
		Use:   "checkpoint",
		Short: "let a signed checkpoint leave this machine: printed, mailed, or written to a second place",
		Long: `Print the signed checkpoint of the log, with the public key. Keep it where whoever can write the store cannot: on paper, in
the mailbox of an auditor, in a second place. A log nobody else holds a checkpoint of proves nothing against its own
administrator. Each place that gets one is recorded.

--to writes it into a folder elsewhere, under a name of its own. --mail sends it by SMTP with STARTTLS or TLS; a name and
password for the server are asked for where --mail-user is given, and kept nowhere.`,
		Example: `  halligan evidence checkpoint > checkpoint.txt
  halligan evidence checkpoint --to /mnt/auditor/
  halligan evidence checkpoint --mail auditor@contoso.example --mail-server smtp.contoso.example:587 --mail-from halligan@contoso.example`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.evidenceCheckpoint(cmd.Context(), &f) },
	}
	f.placeFlags.add(cmd.Flags())
	flags := cmd.Flags()
	flags.StringArrayVar(&f.to, "to", nil, "`FOLDER` elsewhere to write it into; repeatable")
	f.mail.add(flags)
	flags.StringVar(&f.format, "format", "terminal", "`FORM`: terminal, json")
	complete(cmd, "format", "terminal", "json")
	return cmd
}

func (c *console) evidenceCheckpoint(ctx context.Context, f *checkpointFlags) (err error) {
	if err := oneOf("format", f.format, "terminal", "json"); err != nil {
		return err
	}
	if err := f.mail.check(); err != nil {
		return err
	}
	away := len(f.to) > 0 || len(f.mail.to) > 0
	open := c.reading
	if away {
		open = c.writing // it is recorded where it went
	}
	a, end, err := open(ctx, &f.placeFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	given, err := a.Checkpoint(ctx)
	if err != nil {
		return err
	}
	if !away {
		return c.showCheckpoint(given, f.format)
	}
	places, err := c.give(ctx, f, given)
	if len(places) > 0 { // what went out before an error is recorded, too
		err = errors.Join(err, a.Given(ctx, given, places))
	}
	if err != nil {
		return err
	}
	return c.showCheckpoint(given, f.format)
}

func (c *console) showCheckpoint(given *app.GivenCheckpoint, format string) error {
	if format == "json" {
		return indented(c.stdout, given)
	}
	_, err := io.WriteString(c.stdout, given.Text())
	return err
}

// give hands the checkpoint out, and says where it went: up to the error, if there
// is one.
func (c *console) give(ctx context.Context, f *checkpointFlags, given *app.GivenCheckpoint) (places []string, err error) {
	text := given.Text()
	for _, folder := range f.to {
		// The log remembers the place; it must mean the same from another folder.
		name, err := filepath.Abs(filepath.Join(folder, fmt.Sprintf("halligan-checkpoint-%s-%d.txt", given.Store[:8], given.Size)))
		if err == nil {
			err = writeNew(name, []byte(text))
		}
		if errors.Is(err, os.ErrExist) {
			there, readErr := readSome(name)
			if readErr != nil || string(there) != text {
				return places, &fault{exitFailed, fmt.Errorf("write checkpoint: %s is there, and says something else", name), "keep that file: somebody wrote it, or another log is kept there. Compare the two, and give another folder"}
			}
			continue // it went there before
		}
		if err != nil {
			return places, &fault{exitFailed, fmt.Errorf("write checkpoint: %v", err), "give a folder that exists, on another machine or disk"}
		}
		places = append(places, name)
	}
	if len(f.mail.to) == 0 {
		return places, nil
	}
	if err := c.mailCheckpoint(ctx, &f.mail, given.Size, text); err != nil {
		return places, err
	}
	for _, to := range f.mail.to {
		places = append(places, "mail to "+to)
	}
	return places, nil
}

func evidenceMergeCommand(c *console) *cobra.Command {
	var f placeFlags
	cmd := &cobra.Command{
		Use:   "merge FOLDER",
		Short: "put a side log, written while the store could not be reached, into the evidence",
		Long: `Put a side log into the evidence: one entry that says whence, and its entries, marked. It is verified first, and merged once. One that
was not signed with the key of this log is marked as an unsigned claim.`,
		Args: takes("FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			a, end, err := c.writing(cmd.Context(), &f)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, end()) }()
			m, err := a.MergeSide(cmd.Context(), args[0])
			if err != nil {
				return &fault{exitFailed, err, cmp.Or(hintOf(err), "give the folder of a side log, as halligan named it when it wrote it")}
			}
			said := fmt.Sprintf("merged as entry %d and after: %s", m.Index, plural(m.Entries, "entry", "entries"))
			if m.Before {
				said = fmt.Sprintf("it was merged before, as entry %d; nothing was added", m.Index)
			}
			if !m.Ours && !m.Before {
				said += "; it was not signed with a key of this log, so that its entries are marked as an " + custody.MarkUnsigned
			}
			_, err = fmt.Fprintln(c.stdout, said)
			return err
		},
	}
	f.add(cmd.Flags())
	return cmd
}
