package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"halligan/internal/app"
	"halligan/internal/store"
	"halligan/register"
)

// knownFile is where this account keeps which logs of a tenant it has seen; "" for
// a register that names no tenant.
func (c *console) knownFile(r *register.Register) (string, error) {
	tenant := strings.ToLower(string(r.Or().Tenant.ID))
	if tenant == "" {
		return "", nil
	}
	home, err := c.home()
	return filepath.Join(home, tenant, "known-logs.json"), err
}

// knownLogs reads them; no file is none.
func knownLogs(file string) (*app.KnownLogs, error) {
	in, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return &app.KnownLogs{}, nil
	}
	if err != nil {
		return nil, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0 {
		return nil, fmt.Errorf("others may write to it (mode %04o)", info.Mode().Perm())
	}
	text, err := io.ReadAll(io.LimitReader(in, app.MaxKnownLogs+1))
	if err != nil {
		return nil, err
	}
	return app.ParseKnownLogs(text)
}

// remember adds a log to those that this account has seen.
func (c *console) remember(ctx context.Context, file string, log app.KnownLog) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return locked(ctx, file, func() error {
		known, err := knownLogs(file)
		if err != nil || !known.Add(log) {
			return err
		}
		text, err := known.Write()
		if err != nil {
			return err
		}
		return writePrivate(file, text)
	})
}

// viewer is a log that can be looked at.
type viewer interface {
	View(ctx context.Context, read func(store.View) error) error
	Identity() store.Identity
}

// meet compares the log that a command opens with those that this account knows of
// the tenant, and remembers the first. It never keeps anybody from going on.
func (c *console) meet(ctx context.Context, r *register.Register, p *app.Place, l viewer) {
	file, err := c.knownFile(r)
	if file == "" || err != nil {
		return // place has said so
	}
	known, ok := c.known(file)
	if !ok {
		return
	}
	var log app.KnownLog
	begun := false
	err = l.View(ctx, func(v store.View) (err error) {
		log, begun, err = app.LogOf(v, l.Identity().ID, p.Name())
		return err
	})
	switch {
	case err != nil:
		c.tell("warning:", yellow, "whether this is the log that this account knows is not known: "+err.Error())
	case len(known.Logs) > 0 && !begun:
		c.missed(file, known, p.Name()+" holds a log that has not begun")
	case len(known.Logs) > 0 && !known.Knows(&log):
		c.missed(file, known, fmt.Sprintf("%s is another log: store %s, key %s", p.Name(), log.Store, log.Key()))
	case begun:
		if err := c.remember(ctx, file, log); err != nil {
			c.tell("warning:", yellow, "which log this is cannot be remembered, so that another would not be noticed: "+err.Error())
		}
	}
}

// missing is meet for a place where no log is.
func (c *console) missing(r *register.Register, p *app.Place) {
	file, err := c.knownFile(r)
	if file == "" || err != nil {
		return
	}
	if known, ok := c.known(file); ok && len(known.Logs) > 0 {
		c.missed(file, known, "there is none in "+p.Name())
	}
}

func (c *console) known(file string) (*app.KnownLogs, bool) {
	known, err := knownLogs(file)
	if err != nil {
		c.tell("WARNING:", red, fmt.Sprintf("%s, by which another log would be noticed, cannot be relied on: %v. Compare the public log key with the binder (halligan evidence checkpoint prints it), then remove the file: it is written anew", file, err))
	}
	return known, err == nil
}

func (c *console) missed(file string, known *app.KnownLogs, found string) {
	c.tell("WARNING:", red, "this account knows the evidence of this tenant as "+knownSays(known)+"; "+found+
		". A log that somebody began anew is bound by nothing that was approved in the other. Do not rely on it: bring the known one back (--store, or a backup), and compare the public key with the binder. If the people agreed on another log, remove "+file)
}

func knownSays(known *app.KnownLogs) string {
	var all []string
	for i := range known.Logs {
		l := &known.Logs[i]
		all = append(all, fmt.Sprintf("store %s, key %s, in %s", l.Store, l.Key(), l.Where))
	}
	return strings.Join(all, "; and as ")
}

// tell says something once in a run.
func (c *console) tell(label string, colour style, text string) {
	if c.told[text] {
		return
	}
	if c.told == nil {
		c.told = map[string]bool{}
	}
	c.told[text] = true
	c.say(label, colour, text)
}

// another refuses to begin a second log of a tenant unless that is what is meant; it
// then returns what entry 0 says of it.
func (c *console) another(ctx context.Context, f *initFlags, r *register.Register) (says string, err error) {
	file, err := c.knownFile(r)
	if file == "" || err != nil {
		return "", err
	}
	known, err := knownLogs(file)
	if err != nil {
		return "", &fault{exitFailed, fmt.Errorf("begin the evidence: read %s, which tells whether there is a log already: %v", file, err), "compare the public log key with the binder, then remove the file"}
	}
	p, err := c.place(&f.place, r)
	if err != nil || len(known.Logs) == 0 || !begins(ctx, p) {
		return "", err
	}
	if !f.another {
		return "", &fault{exitFailed, fmt.Errorf("begin the evidence in %s: this account knows a log of this tenant already: %s", p.Name(), knownSays(known)),
			"use that one: --store, or bring it back from a backup with halligan store restore. If everybody agrees that there is another log from now on: --another-log, which its first entry says"}
	}
	last := &known.Logs[len(known.Logs)-1]
	return "halligan init --another-log, beside store " + last.Store + ", key " + last.Key(), nil
}

// begins reports whether a log would be begun in a place.
func begins(ctx context.Context, p app.Place) bool {
	db, err := app.ReadLedger(ctx, p)
	if err != nil {
		_, none := errors.AsType[*app.NoStoreError](err)
		older, is := errors.AsType[*store.OlderError](err)
		return none || is && older.Have == 0
	}
	empty := false
	err = db.View(ctx, func(v store.View) error { empty = v.Size() == 0; return nil })
	return cmp.Or(err, db.Close()) == nil && empty
}

// begunKnown remembers the log that init has begun, or goes on with.
func (c *console) begunKnown(ctx context.Context, r *register.Register, p app.Place, begun bool) error {
	db, err := app.ReadLedger(ctx, p)
	if err != nil {
		return err
	}
	defer db.Close()
	if !begun {
		c.meet(ctx, r, &p, db)
		return nil
	}
	file, err := c.knownFile(r)
	if file == "" || err != nil {
		return err
	}
	return db.View(ctx, func(v store.View) error {
		log, _, err := app.LogOf(v, db.Identity().ID, p.Name())
		if err != nil {
			return err
		}
		return c.remember(ctx, file, log)
	})
}
