package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"halligan/internal/app"
	"halligan/register"
)

// custodyVerifyFlags are the flags of custody verify.
type custodyVerifyFlags struct {
	placeFlags
	look  app.Look
	state string
	file  string
}

func custodyVerifyCommand(c *console) *cobra.Command {
	var f custodyVerifyFlags
	cmd := &cobra.Command{
		Use:   "verify PART --as NAME",
		Short: "record that you went there and looked: seal number, state, printed binder",
		Long: `Record what you found where a part lies: whether it is there and intact, the number that you read on its seal, and of a printed
binder the digest on its pages. It is compared with what is recorded, which is not shown before: read it there. What is wrong is
a finding; it stands in the evidence either way. On a terminal it asks.

An opening with stock age or of an envelope leaves no record: only the seal tells. Look every quarter (settings.sealDays).

Exit codes: 0 all is as recorded, 3 something is wrong.`,
		Example: `  halligan custody verify "north key 1" --as "Ben Ode" --state intact --seal 4402
  halligan custody verify "red binder" --as "Ben Ode" --state intact --seal 4410 --digest 0123456789abcdef
  halligan custody verify "north half A" --as "Ben Ode" --state intact --seal 4411 --file /media/usb/north.sealed`,
		Args: takes("PART"),
		RunE: func(cmd *cobra.Command, args []string) error {
			f.look.Part = args[0]
			return c.custodyVerify(cmd.Context(), &f)
		},
	}
	flags := cmd.Flags()
	f.add(flags)
	flags.StringVar(&f.look.By, "as", "", "`NAME` of who looked, as in the register")
	flags.StringVar(&f.state, "state", "", "`STATE` in which it was found: "+strings.Join(app.PartStates, ", "))
	flags.StringVar(&f.look.Seal, "seal", "", "`NUMBER` on the seal, as you read it there")
	flags.StringVar(&f.look.Binder, "digest", "", "`DIGEST` on the pages of a printed binder")
	flags.StringVar(&f.look.Version, "version-printed", "", "`VERSION` on the pages of a printed binder")
	flags.StringVar(&f.file, "file", "", "sealed `FILE` that lies there: its SHA-256 is recorded, and compared with what was sealed for the set of the part, or with the first time under this seal")
	flags.StringVar(&f.look.Note, "note", "", "`TEXT`: what else you saw")
	complete(cmd, "state", app.PartStates...)
	return cmd
}

func (c *console) custodyVerify(ctx context.Context, f *custodyVerifyFlags) (err error) {
	r, _, err := requiredRegister(f.register)
	if err != nil {
		return err
	}
	if err := c.lookQuestions(f, r); err != nil {
		return err
	}
	f.look.State = app.PartState(f.state)
	if f.file != "" {
		if f.look.File, err = digestOfFile(f.file); err != nil {
			return &fault{exitFailed, fmt.Errorf("read the sealed file: %v", err), "give the file that lies there"}
		}
	}
	a, end, err := c.writing(ctx, &f.placeFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	v, entry, err := a.Verify(ctx, f.look)
	if err != nil {
		return err
	}
	p := c.page(c.stdout)
	unapproved := v.Unapproved && len(v.Findings) == 1 // and nothing else is wrong
	switch {
	case v.Good:
		p.styled(0, 2, green, "As recorded", "– "+v.Part+", entry "+number(entry.Index))
	case unapproved:
		p.styled(0, 2, red, "NOT APPROVED", "– "+v.Part+", entry "+number(entry.Index))
	default:
		p.styled(0, 2, red, "WRONG", "– "+v.Part+", entry "+number(entry.Index))
	}
	for _, f := range v.Findings {
		p.line(2, 2, f)
	}
	if !v.Good && !unapproved {
		p.line(0, 2, "Look once more. If it stays so and nobody can explain it, treat it as an incident: rotate what the part opens, and put it under a new seal (halligan custody move PART --seal NEW).")
	}
	if _, err := fmt.Fprint(c.stdout, p.b.String()); err != nil || v.Good {
		return err
	}
	return ended(exitTrouble)
}

// lookQuestions asks on a terminal for what was seen. The recorded number is not
// shown.
func (c *console) lookQuestions(f *custodyVerifyFlags, r *register.Register) error {
	there := func() bool { return f.state != string(app.PartMissing) }
	number := func() bool { return c.answers() && there() }
	return c.fillIn(asking{"ask what was found", "nothing was recorded", "give the answers as flags: halligan custody verify --help"}, []question{
		{flag: "PART", to: &f.look.Part, question: "Which part did you look at (halligan custody list)?", check: partIn(r), must: "which part? halligan custody list has the names"},
		{flag: "--as", to: &f.look.By, question: "Who looked: your name in the register?", check: personIn(r), must: `who looked? For example --as "Ben Ode"`},
		{flag: "--state", to: &f.state, question: "How did you find it: " + strings.Join(app.PartStates, ", ") + "?", check: oneOfThem("state", app.PartStates), must: "how was it found? " + strings.Join(app.PartStates, ", ")},
		{flag: "--seal", to: &f.look.Seal, question: "Which number do you read on its seal (Enter: there is none)?", asked: number},
		{flag: "--digest", to: &f.look.Binder, question: "Which digest stands on its pages?", asked: func() bool {
			i, err := r.FindPart(f.look.Part)
			return number() && err == nil && r.Parts[i].Kind == register.PartBinder
		}},
	})
}

// digestOfFile is the SHA-256 of a file in hexadecimal digits.
func digestOfFile(path string) (string, error) {
	in, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer in.Close()
	h := sha256.New()
	if _, err := io.Copy(h, in); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
