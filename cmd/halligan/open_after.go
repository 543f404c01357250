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
// A Ctrl-C that skips something else skips none of them; skip does.
func (c *console) telling(ctx context.Context, o *app.Opening, opened *seal.Opened) (results <-chan app.Told, skip func()) {
	if len(opened.Announce) == 0 {
		return nil, func() {}
	}
	ctx, skip = context.WithCancel(context.WithoutCancel(ctx))
	return app.AnnounceOpening(ctx, o, opened.Announce, nil), skip
}

// sayTelling says that channels are being told, and which cannot be.
func (c *console) sayTelling(opened *seal.Opened, notes *[]note) {
	for _, wrong := range opened.Faulty {
		c.noted(notes, "NOT told:", red, wrong+". Tell them yourself")
	}
	if n := len(opened.Announce); n > 0 {
		c.say("note:", bold, "telling "+plural(n, "channel", "channels")+" that it was opened, for at most ten seconds; Ctrl-C skips it")
	}
}

// heard waits until every channel was told or could not be, and says which.
func (c *console) heard(results <-chan app.Told, opened *seal.Opened, notes *[]note) (all []app.Told) {
	if namesChannels(opened) == 0 {
		return nil
	}
	defer func() { c.say("note:", bold, toldByUs(opened, &all)) }()
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
func (c *console) recordTold(ctx context.Context, at whereabouts, o *app.Opening, all []app.Told, k keeping) {
	if len(all) == 0 || !k.inLog || at.place == nil {
		return
	}
	_, err := app.KeepOpening(context.WithoutCancel(ctx), func(ctx context.Context) (kept app.Kept, err error) {
		a, end, err := c.logAt(ctx, &at)
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

// toldByUs says in words how far this program told of an opening; all nil: it is at it.
func toldByUs(o *seal.Opened, all *[]app.Told) string {
	n := namesChannels(o)
	if n == 0 {
		return "nobody is told by this program"
	}
	if all == nil {
		return "this program tries to tell " + plural(n, "channel", "channels") + ", and calls nobody"
	}
	whole := 0
	for _, t := range *all {
		if t.Why == nil {
			whole++
		}
	}
	if whole == 0 {
		return "this program could tell nobody"
	}
	return fmt.Sprintf("this program told %d of %s, and calls nobody", whole, plural(n, "channel", "channels"))
}

// tellWhom says whom to tell; all are who was told by this program, nil while it is at it.
func (c *console) tellWhom(to io.Writer, file *seal.File, o *seal.Opened, all *[]app.Told) error {
	so := toldByUs(o, all)
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

// signOpening has the openers sign the record. Who does not sign in time, or presses
// Ctrl-C, leaves a claim that is not signed.
func (c *console) signOpening(ctx context.Context, f *keyFlags, o *app.Opening, notes *[]note) {
	for _, key := range f.sign {
		c.say("note:", bold, "signing the record with "+key+", for at most a minute; Ctrl-C skips it")
		during, end := nextStop(ctx)
		s, err := app.SignedWithin(during, func(ctx context.Context) (app.Signature, error) {
			return c.sshSign(ctx, key, app.OpeningNamespace, o.Text())
		})
		if skipped(during, err) {
			err = errors.New("it was skipped")
		}
		end()
		if err != nil {
			c.noted(notes, "warning:", yellow, "the record is not signed by "+key+": "+err.Error())
			continue
		}
		o.Signatures = append(o.Signatures, s.Text)
	}
}

// recordOpening records an opening. It never fails: the opening has happened.
func (c *console) recordOpening(ctx context.Context, at whereabouts, o *app.Opening, notes *[]note) (k keeping) {
	say := func(label string, colour style, text string) { c.noted(notes, label, colour, text) }
	aside := func(folder string, keys app.KeyPlace) func(context.Context) (app.Kept, error) {
		return func(context.Context) (app.Kept, error) {
			e, err := o.Entry(at.register)
			if err != nil {
				return app.Kept{}, err
			}
			var key *evidence.LogKey
			if keys != nil {
				key, _ = keys.Load() // without it the side log is an unsigned claim
			}
			path, err := app.WriteSide(folder, key, time.Now(), []evidence.Entry{e})
			return app.Kept{Where: "recorded in a side log, since the evidence was not at hand. Merge it later: halligan evidence merge " + path}, err
		}
	}
	var record, beside func(context.Context) (app.Kept, error)
	if at.place != nil {
		record = func(ctx context.Context) (kept app.Kept, err error) {
			a, end, err := c.logAt(ctx, &at)
			if err != nil {
				return kept, err
			}
			defer func() { err = errors.Join(err, end()) }()
			index, against, err := a.RecordOpening(ctx, o)
			return app.Kept{Where: "recorded as entry " + number(index) + " of the evidence", Against: against, InLog: true}, err
		}
		beside = aside(at.place.Side, at.place.Keys)
	}
	kept, err := app.KeepOpening(context.WithoutCancel(ctx), record, beside, aside(at.side, nil))
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
func (c *console) logAt(ctx context.Context, at *whereabouts) (*app.App, func() error, error) {
	ledger, end, err := app.OpenLedger(ctx, *at.place)
	if err != nil {
		return nil, nil, err
	}
	a := c.newApp(at.register, at.name, *at.place)
	a.Ledger = ledger
	return a, end, nil
}

// whereabouts are where the evidence is, as far as anything here says so.
type whereabouts struct {
	register *register.Register
	name     string     // of the register
	place    *app.Place // nil: nothing says where
	side     string     // folder for side logs where no other takes one
}

// evidenceOf finds where the evidence is. A register on a disk that hangs is as good as
// none.
func (c *console) evidenceOf(ctx context.Context, f *keyFlags) whereabouts {
	home, err := c.home()
	if err != nil {
		home = os.TempDir()
	}
	none := whereabouts{side: filepath.Join(home, "side")}
	at, err := app.Within(context.WithoutCancel(ctx), func(context.Context) (whereabouts, error) {
		at := none
		r, name, err := readRegister(f.register)
		if err != nil || r == nil {
			return at, nil
		}
		at.register, at.name = r, name
		if p, err := c.place(&f.placeFlags, r); err == nil {
			at.place = &p
		}
		return at, nil
	})
	if err != nil {
		return none
	}
	return at
}
