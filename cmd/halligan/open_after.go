package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"halligan/evidence"
	"halligan/internal/app"
	"halligan/register"
	"halligan/seal"
)

// telling starts to tell the channels that a file names inside; nil when it names none.
func (c *console) telling(ctx context.Context, o *app.Opening, opened *seal.Opened, notes *[]note) <-chan app.Told {
	for _, wrong := range opened.Faulty {
		c.noted(notes, "NOT told:", red, wrong+". Tell them yourself")
	}
	if len(opened.Announce) == 0 {
		return nil
	}
	c.say("note:", bold, "telling "+plural(len(opened.Announce), "channel", "channels")+" that it was opened, for at most ten seconds; Ctrl-C skips it")
	return app.AnnounceOpening(ctx, o, opened.Announce, nil)
}

// heard waits until every channel was told or could not be, and says which.
func (c *console) heard(results <-chan app.Told, notes *[]note) (all []app.Told) {
	if results == nil {
		return nil
	}
	for t := range results { // closed in time
		all = append(all, t)
		if t.Why == nil {
			c.noted(notes, "told:", bold, t.Channel)
			continue
		}
		if len(t.Who) > 0 {
			c.noted(notes, "told:", bold, strings.Join(t.Who, ", "))
		}
		c.noted(notes, "NOT told:", red, strings.TrimPrefix(t.Why.Error(), "tell ")+". Tell them yourself")
	}
	return all
}

// recordTold has the evidence know who was told, where it is at hand.
func (c *console) recordTold(ctx context.Context, f *keyFlags, o *app.Opening, all []app.Told, k keeping) {
	r, name, _, place := c.evidenceOf(f)
	if len(all) == 0 || !k.inLog || place == nil {
		return
	}
	_, err := app.KeepOpening(context.WithoutCancel(ctx), nil, func(ctx context.Context) (kept app.Kept, err error) {
		a, end, err := c.logAt(ctx, r, name, place)
		if err != nil {
			return kept, err
		}
		defer func() { err = errors.Join(err, end()) }()
		_, err = a.RecordTold(ctx, o, all)
		return kept, err
	})
	if err != nil {
		c.say("warning:", yellow, "who was told is not recorded: "+err.Error())
	}
}

// namesChannels is how many channels a file names, those too that are faulty.
func namesChannels(o *seal.Opened) int { return len(o.Announce) + len(o.Faulty) }

// tellWhom says who was told by this program, and whom to tell.
func (c *console) tellWhom(to io.Writer, file *seal.File, o *seal.Opened, all []app.Told) error {
	whole := 0
	for _, t := range all {
		if t.Why == nil {
			whole++
		}
	}
	so := "nobody is told by this program"
	switch n := namesChannels(o); {
	case whole > 0:
		so = fmt.Sprintf("this program told %d of %s, and calls nobody", whole, plural(n, "channel", "channels"))
	case n > 0:
		so = "this program could tell nobody"
	}
	p := c.page(to)
	p.blank()
	if call := callWithout(file.Manifest.Call, o.Openers); len(call) > 0 {
		p.line(0, 0, "Tell these people now; "+so+":")
		for _, line := range call {
			p.line(2, 4, line)
		}
	} else {
		p.line(0, 0, "The file names nobody "+ifElse(namesChannels(o) > 0, "else ", "")+"to tell. Tell those who answer for this account.")
	}
	p.line(0, 0, "Afterwards the secret must be changed, and the new one sealed: halligan request seal --replaces FILE.")
	_, err := fmt.Fprint(to, p.b.String())
	return err
}

// callWithout is whom to tell, without those who are here because they opened it; with
// them where nobody else is named.
func callWithout(call, openers []string) []string {
	others := slices.DeleteFunc(slices.Clone(call), func(line string) bool {
		name, _, _ := strings.Cut(line, ": ")
		return slices.ContainsFunc(openers, func(o string) bool { return register.SamePerson(o, name) })
	})
	if len(others) == 0 {
		return call
	}
	return others
}

// keeping is what became of the record of an opening.
type keeping struct {
	against bool // the log knows something against the file
	inLog   bool // and not in a side log
}

// noted says something, and keeps it to be said again.
func (c *console) noted(notes *[]note, label string, colour style, text string) {
	c.say(label, colour, text)
	*notes = append(*notes, note{label, colour, text})
}

// recordOpening records an opening. It never fails: the opening has happened.
func (c *console) recordOpening(ctx context.Context, f *keyFlags, o *app.Opening, notes *[]note) (k keeping) {
	say := func(label string, colour style, text string) { c.noted(notes, label, colour, text) }
	for _, key := range f.sign {
		s, err := c.sshSign(ctx, key, app.OpeningNamespace, o.Text())
		if err != nil {
			say("warning:", yellow, "the record is not signed by "+key+": "+err.Error())
			continue
		}
		o.Signatures = append(o.Signatures, s.Text)
	}
	r, name, side, place := c.evidenceOf(f)
	var record func(context.Context) (app.Kept, error)
	if place != nil {
		record = func(ctx context.Context) (kept app.Kept, err error) {
			a, end, err := c.logAt(ctx, r, name, place)
			if err != nil {
				return kept, err
			}
			defer func() { err = errors.Join(err, end()) }()
			index, against, err := a.RecordOpening(ctx, o)
			return app.Kept{Where: "recorded as entry " + number(index) + " of the evidence", Against: against, InLog: true}, err
		}
	}
	kept, err := app.KeepOpening(context.WithoutCancel(ctx), record, func(context.Context) (app.Kept, error) {
		e, err := o.Entry(r)
		if err != nil {
			return app.Kept{}, err
		}
		var key *evidence.LogKey
		if place != nil {
			key, _ = place.Keys.Load() // without it the side log is an unsigned claim
		}
		path, err := app.WriteSide(side, key, time.Now(), []evidence.Entry{e})
		return app.Kept{Where: "recorded in a side log, since the evidence was not at hand. Merge it later: halligan evidence merge " + path}, err
	})
	if err != nil {
		say("warning:", yellow, "the opening is not recorded: "+err.Error()+". Write down who opened it, when and why")
		return k
	}
	say("note:", bold, kept.Where)
	if len(o.Signatures) == 0 {
		say("note:", bold, "nobody signed the record; it is an unsigned claim (--sign KEY)")
	}
	if kept.Against != "" {
		say("WARNING:", red, kept.Against)
	}
	k.against, k.inLog = kept.Against != "", kept.InLog
	return k
}

// logAt opens the log at a place, which the end closes.
func (c *console) logAt(ctx context.Context, r *register.Register, name string, place *app.Place) (*app.App, func() error, error) {
	ledger, end, err := app.OpenLedger(ctx, *place)
	if err != nil {
		return nil, nil, err
	}
	a := c.newApp(r, name, *place)
	a.Ledger = ledger
	return a, end, nil
}

// evidenceOf finds where the evidence is, as far as anything here says so; place is
// nil where nothing does.
func (c *console) evidenceOf(f *keyFlags) (r *register.Register, name, side string, place *app.Place) {
	home, err := c.home()
	if err != nil {
		home = os.TempDir()
	}
	side = filepath.Join(home, "side")
	r, name, err = readRegister(f.register)
	if err != nil || r == nil {
		return nil, "", side, nil
	}
	p, err := c.place(&f.placeFlags, r)
	if err != nil {
		return r, name, side, nil
	}
	return r, name, p.Side, &p
}
