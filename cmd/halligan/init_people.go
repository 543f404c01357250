package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"halligan/internal/app"
	"halligan/register"
)

// answers reports whether somebody sits there who can be asked.
func (c *console) answers() bool {
	in, is := c.stdin.(*os.File)
	return is && isTerminal(in) && isTerminal(c.stderr)
}

// howMany asks on a terminal how many people can decide; elsewhere it stays unsaid.
// Nobody is asked for who does not exist.
func (c *console) howMany(f *initFlags) error {
	if !c.answers() {
		return nil
	}
	many := ""
	return c.fillIn(asking{"ask how many people there are", "nothing was written", "give --people NUMBER"}, []question{
		{flag: "--people", to: &many, question: "How many people are there who can decide about these accounts? (Enter: say it later)", check: func(given string) (string, error) {
			n, err := strconv.Atoi(given)
			if err != nil || n < 1 || n > mostPeople {
				return "", misused("answer with a number, or give --people", "no number of people: %q", given)
			}
			f.people = n
			return given, nil
		}},
		{flag: "--outside", to: &f.outside, asked: func() bool { return f.people == 1 }, question: "Who outside keeps a sealed second part: a notary, a bank, a second firm? (Enter: nobody yet)"},
	})
}

// complete adds to a register that is there what init says about people, and
// begins the evidence.
func (c *console) complete(ctx context.Context, f *initFlags) error {
	q := register.Quorum{People: f.people, Outside: f.outside}
	old, _, err := requiredRegister(f.output)
	if err != nil {
		return err
	}
	if old.Quorum.People != 0 || old.Quorum.Approvals != 0 {
		q.Approvals, q.Lines = old.Quorum.Approvals, old.Quorum.Lines
		if q.Approvals >= q.People {
			q.Approvals = 0 // the rule for that many people
		}
	}
	if f.begins, err = c.another(ctx, f, old); err != nil {
		return err
	}
	if err := editRegister(ctx, f.output, func(text []byte, _ *register.Register) ([]byte, error) { return register.SetQuorum(text, q) }); err != nil {
		return err
	}
	r, _, err := requiredRegister(f.output)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(c.stdout, "%s: %s\n", escape(f.output), plural(f.people, "person decides", "people decide")); err != nil {
		return err
	}
	return c.beginEvidence(ctx, f, r)
}

// beginEvidence makes the store and the log key, and says what comes next.
func (c *console) beginEvidence(ctx context.Context, f *initFlags, r *register.Register) error {
	p := c.page(c.stdout)
	end := func() error { _, err := fmt.Fprint(c.stdout, p.b.String()); return err }
	if r.Tenant.ID == "" {
		p.line(0, 2, "The evidence has not begun: what was read does not say which tenant it is of. Write the id under tenant: in "+f.output+", then: halligan init --people NUMBER")
		return end()
	}
	place, err := c.place(&f.place, r)
	if err != nil {
		return err
	}
	place.Begins = f.begins
	if f.another && place.IsFile() {
		if _, err := os.Stat(place.Store); err == nil {
			return &fault{exitFailed, fmt.Errorf("begin another log: %s is there, and a log that has begun goes on", place.Store),
				"move the old log away first, it stays evidence: the store (" + filepath.Base(place.Store) + "*) and the log key (" + place.Keys.String() + ") into a folder of their own; then give the command again. Or --store with another place"}
		}
	}
	key, begun, err := app.BeginLedger(ctx, place, r.Tenant.ID, account())
	if err != nil {
		return fmt.Errorf("begin the evidence: %w", err)
	}
	if err := c.begunKnown(ctx, r, place, begun); err != nil {
		c.tell("warning:", yellow, "which log this is cannot be remembered, so that another would not be noticed: "+err.Error())
	}
	p.blank()
	if f.place.store != "" && r.Evidence.Store != f.place.store {
		c.tell("warning:", yellow, "halligan.yaml does not say where this log is, so the next command would look elsewhere: write evidence: {store: "+f.place.store+"} into "+f.output+", or give --store each time")
	}
	p.styled(0, 2, bold, "Evidence", ifElse(begun, "begun in ", "goes on in ")+place.Name())
	p.line(2, 4, "Log key, private: "+place.Keys.String()+" (back it up apart from the store)")
	p.line(2, 4, "Log key, public, for the binder:")
	p.b.WriteString("    " + key + "\n") // whole, to be copied
	p.quorum(&r.Quorum)
	if len(r.People) == 0 && r.Quorum.People > 0 {
		p.nextSteps(firstSteps(&r.Quorum))
	}
	return end()
}

// firstSteps lead to the first approval, an act of two where there are two.
func firstSteps(q *register.Quorum) []app.Step {
	steps := []app.Step{{Do: `halligan person add "YOUR NAME" --role operator --role approver --signing ~/.ssh/id_ed25519.pub`, Why: "who decides, and with which key" + ifElse(q.People > 1, "; once for each person", ""), Command: true},
		{Do: `halligan request begin --by "YOUR NAME" --why "first register" --key ~/.ssh/id_ed25519`, Why: "ask for the first approval", Command: true}}
	return append(steps, app.Step{Do: `halligan approve REQUEST --as "` + ifElse(q.People > 1, "THE OTHER'S NAME", "YOUR NAME") + `" --key FILE`, Why: ifElse(q.People > 1, "the other person reads and signs it", "with one person it is your own, and marked so"), Command: true})
}
