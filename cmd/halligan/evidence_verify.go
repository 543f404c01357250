package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"halligan/evidence"
	"halligan/internal/app"
)

// verifyFlags are the flags of evidence verify.
type verifyFlags struct {
	keys, checkpoints []string
	format            string
}

func evidenceVerifyCommand(c *console) *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify FOLDER --key KEY",
		Short: "verify an export of the evidence, offline, and name the first bad entry",
		Long: `Verify an exported log: that every byte is what was signed, that nothing is missing, moved or added, and that it continues every
checkpoint that is given. It needs no configuration, store or network.

The key comes from the binder or from whoever watches the log, never from the folder: somebody who can write the folder could
write a key into it. --checkpoint takes the ones that left the machine; without any, a log that was taken back to an earlier
state looks whole. The result is one line for machines, good SIZE ROOT or bad INDEX KIND, and what it means.`,
		Example: `  halligan evidence verify export/ --key halligan-8c1f2a30-1+1a2b3c4d+AZ... --checkpoint printed.txt`,
		Args:    takes("FOLDER"),
		RunE:    func(_ *cobra.Command, args []string) error { return c.evidenceVerify(args[0], &f) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.keys, "key", nil, "public log `KEY`, or a file that holds it; repeatable")
	flags.StringArrayVar(&f.checkpoints, "checkpoint", nil, "`FILE` with a checkpoint that left the machine; repeatable")
	flags.StringVar(&f.format, "format", "terminal", "`FORM`: terminal, json")
	complete(cmd, "format", "terminal", "json")
	return cmd
}

// verifyView is the result of evidence verify.
type verifyView struct {
	Good    bool             `json:"good"`
	Size    uint64           `json:"size"`
	Root    string           `json:"root,omitempty"`
	Origin  string           `json:"origin,omitempty"`
	Bad     *uint64          `json:"bad,omitempty"` // index of the first bad entry
	Fault   evidence.Fault   `json:"fault,omitempty"`
	Says    string           `json:"says"`
	Hint    string           `json:"hint,omitempty"`
	Keys    []evidence.Vouch `json:"keys,omitempty"`
	Losses  []evidence.Loss  `json:"losses,omitempty"`
	Outside int              `json:"outsideCheckpoints"`
	// Audit says whether what was carried out had been approved; absent when the log
	// is not what was signed.
	Audit    *app.AuditReport `json:"audit,omitempty"`
	Warnings []string         `json:"warnings,omitempty"`
}

const mostCheckpoint = 64 << 10

func (c *console) evidenceVerify(folder string, f *verifyFlags) error {
	if err := oneOf("format", f.format, "terminal", "json"); err != nil {
		return err
	}
	o, err := verifyOptions(f.keys, f.checkpoints)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return &fault{exitFailed, fmt.Errorf("verify evidence: %v", err), nearName(folder, "give the folder that halligan evidence export wrote")}
	}
	defer root.Close()
	result, err := evidence.Verify(root.FS(), o)
	finding, bad := errors.AsType[*evidence.Finding](err)
	if err != nil && !bad {
		return fmt.Errorf("verify evidence in %s: %w", folder, err)
	}
	v := verifyView{Good: !bad, Size: result.Size, Origin: result.Origin, Keys: result.Keys, Losses: result.Losses, Outside: result.Outside}
	machine := ""
	if bad {
		v.Bad, v.Fault, v.Says, v.Hint, machine = &finding.Index, finding.Fault, finding.Error(), finding.Hint(), finding.Machine()
	} else {
		v.Root, machine = hex.EncodeToString(result.Root[:]), result.Machine()
		v.Says = plural(int(result.Size), "entry is", "entries are") + " what was signed, and none is missing before the last"
		if result.Outside == 0 {
			v.Warnings = append(v.Warnings, "no checkpoint from outside was given: a log that was taken back to an earlier state would look the same (--checkpoint)")
		}
		if v.Audit, err = app.Audit(root.FS(), result.Origin); err != nil {
			return err
		}
		v.Good = v.Audit.Good()
		for _, n := range v.Audit.Open {
			v.Warnings = append(v.Warnings, fmt.Sprintf("entry %d was begun, and no outcome tells what became of it", n))
		}
		for _, l := range result.Losses {
			v.Warnings = append(v.Warnings, fmt.Sprintf("the log key was lost before entry %d: what stands before it rests on the old key, what follows on the new one", l.Index))
		}
	}
	if f.format == "json" {
		err = indented(c.stdout, v)
	} else {
		p := c.page(c.stdout)
		fmt.Fprintln(&p.b, machine)
		p.line(0, 2, v.Says)
		p.audit(v.Audit)
		for _, w := range v.Warnings {
			p.line(0, 2, "warning: "+w)
		}
		if v.Hint != "" {
			p.line(0, 2, "hint: "+v.Hint)
		}
		_, err = fmt.Fprint(c.stdout, p.b.String())
	}
	if err != nil {
		return err
	}
	if !v.Good {
		return ended(exitTrouble)
	}
	return nil
}

// audit tells whether what was carried out had been approved.
func (p *page) audit(a *app.AuditReport) {
	if a == nil {
		return
	}
	switch {
	case !a.Good():
		p.styled(0, 2, red, "NOT APPROVED", "– "+plural(len(a.Findings), "entry that nobody approved", "entries that nobody approved")+". Treat it as an incident: somebody wrote into the log past the rules")
		for _, f := range a.Findings {
			p.line(2, 4, fmt.Sprintf("✗ entry %d: %s", f.Index, f.Says))
		}
	case a.Decided > 0:
		one := ""
		if a.OnePerson > 0 {
			one = fmt.Sprintf("; %d of them by one person alone, as the register allowed", a.OnePerson)
		}
		if a.Withdrawn > 0 {
			one += "; " + plural(a.Withdrawn, "request was", "requests were") + " taken back by who had asked"
		}
		p.line(0, 2, plural(a.Decided, "act was", "acts were")+" carried out, approved by the people and rules of the time"+one)
	}
}

func verifyOptions(keys, checkpoints []string) (evidence.VerifyOptions, error) {
	o := evidence.VerifyOptions{}
	if len(keys) == 0 {
		return o, misused("the public log key stands on the binder; halligan evidence checkpoint prints it too", "verify needs the public log key: --key")
	}
	for _, k := range keys {
		if evidence.CheckKey(k) != nil {
			if text, err := readSome(k); err == nil {
				if k = keyIn(string(text)); k == "" && !strings.Contains(string(text), "PRIVATE+KEY+") {
					return o, misused("give the one line from the binder, or the page that halligan evidence checkpoint prints", "no public log key, or more than one, is in that file")
				} else if k == "" {
					k = string(text) // told apart, and not shown
				}
			}
		}
		if err := evidence.CheckKey(k); err != nil {
			return o, &fault{exitMisused, err, hintOf(err)}
		}
		o.Keys = append(o.Keys, k)
	}
	for _, path := range checkpoints {
		text, err := readSome(path)
		if err != nil {
			return o, &fault{exitFailed, fmt.Errorf("read checkpoint: %v", err), nearName(path, "give the file that halligan evidence checkpoint wrote")}
		}
		note, err := checkpointIn(string(text))
		if err != nil {
			return o, &fault{exitFailed, fmt.Errorf("read checkpoint %s: %v", path, err), "give the file that halligan evidence checkpoint wrote, or the lines from " + evidence.OriginPrefix + "… to the signature"}
		}
		o.Checkpoints = append(o.Checkpoints, note)
	}
	return o, nil
}

// keyIn finds a public log key in a text: the only line that is one.
func keyIn(text string) string {
	found := ""
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); evidence.CheckKey(line) == nil && line != found {
			if found != "" {
				return "" // which of them was meant, nobody can tell
			}
			found = line
		}
	}
	return found
}

func readSome(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, mostCheckpoint))
}

// checkpointIn finds a signed checkpoint in a text, such as a mail or what was
// printed: from its first line to its last signature.
func checkpointIn(text string) ([]byte, error) {
	text = strings.ReplaceAll(text, "\r\n", "\n")
	if strings.Contains(text, "=E2=80=94") { // a mail as it was sent (RFC 2045 6.7)
		if plain, err := io.ReadAll(quotedprintable.NewReader(strings.NewReader(text))); err == nil {
			text = string(plain)
		}
	}
	begin := strings.Index(text, evidence.OriginPrefix)
	if begin < 0 {
		return nil, errors.New("no checkpoint is in it")
	}
	var out strings.Builder
	signed := false
	for line := range strings.Lines(text[begin:]) {
		is := strings.HasPrefix(line, "— ")
		if signed && !is {
			break
		}
		signed = signed || is
		out.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	if !signed {
		return nil, errors.New("it is not signed")
	}
	return []byte(out.String()), nil
}
