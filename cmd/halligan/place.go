package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"halligan/custody"
	"halligan/entra"
	"halligan/evidence"
	"halligan/internal/app"
	"halligan/internal/store"
	"halligan/register"
)

// placeFlags say whose evidence is meant and where it is kept.
type placeFlags struct {
	register, store, witness, logKey string
}

func (f *placeFlags) add(flags *pflag.FlagSet) {
	f.addStore(flags)
	flags.StringVar(&f.witness, "witness", "", "`FOLDER` elsewhere that keeps the newest checkpoint, so that a second copy of the store is noticed (default: what the register says, else the one the store had last)")
}

func (f *placeFlags) addStore(flags *pflag.FlagSet) {
	flags.StringVar(&f.register, "register", "", "`FILE` of the register (default: "+registerFile+")")
	flags.StringVar(&f.store, "store", "", "`PATH` of the evidence store, or a postgres:// address (default: what the register says, else a folder of the tenant among your settings)")
	flags.StringVar(&f.logKey, "log-key", "", "`FILE` of the key that signs the log (default: log.key beside the store)")
}

// place resolves where the evidence of the register's tenant is kept. A password
// for a database stands in ~/.pgpass or PGPASSFILE, never in an address here.
func (c *console) place(f *placeFlags, r *register.Register) (app.Place, error) {
	known := r.Or()
	if err := register.CheckStoreAddress(f.store); err != nil {
		return app.Place{}, badStore(err)
	}
	p := app.Place{Store: cmp.Or(f.store, known.Evidence.Store), Witness: cmp.Or(f.witness, known.Evidence.Witness)}
	if p.Store == "" && known.Tenant.ID == "" {
		return p, &fault{exitFailed, errors.New("find the evidence: the register does not say which tenant it is about"), "write tenant: with its id into it; then halligan init --people NUMBER begins the evidence"}
	}
	home, err := c.home()
	if err != nil {
		return p, err
	}
	folder := filepath.Join(home, cmp.Or(strings.ToLower(string(known.Tenant.ID)), "no-tenant"))
	isDatabase := strings.HasPrefix(p.Store, "postgres://") || strings.HasPrefix(p.Store, "postgresql://")
	switch {
	case p.Store == "":
		p.Store = filepath.Join(folder, "evidence.db")
	case !isDatabase:
		folder = filepath.Dir(p.Store)
	}
	if p.Store, err = absolute(p.Store, isDatabase); err != nil {
		return p, err
	}
	if folder, err = filepath.Abs(folder); err != nil {
		return p, err
	}
	base := folder
	if !isDatabase && (f.store != "" || known.Evidence.Store != "") {
		// Several stores may share a folder that somebody chose.
		base = strings.TrimSuffix(p.Store, ".db")
		p.Keys, p.Socket = app.KeyFile{Path: base + ".log.key"}, base+".sock"
	} else {
		p.Keys, p.Socket = app.KeyFile{Path: filepath.Join(folder, "log.key")}, filepath.Join(folder, "s.sock")
	}
	p.Side = filepath.Join(folder, "side")
	if f.logKey != "" {
		p.Keys = app.KeyFile{Path: f.logKey}
	}
	return p, nil
}

// badStore refuses an address given as an argument, where every account of this
// machine and the history of the shell see it.
func badStore(err error) error { return misused(hintOf(err), "--store: %v", err) }

func absolute(path string, isDatabase bool) (string, error) {
	if isDatabase {
		return path, nil
	}
	return filepath.Abs(path)
}

// lossFile is where the request for a new log key waits when the old one is lost.
func lossFile(logKey string) string { return logKey + ".lost" }

// account is who runs this process.
func account() string {
	name, host := "unknown", "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	if h, err := os.Hostname(); err == nil {
		host = h
	}
	return "os:" + name + "@" + host
}

// requiredRegister reads the register, which must be there.
func requiredRegister(path string) (*register.Register, string, error) {
	r, name, err := readRegister(path)
	if err == nil && r == nil {
		err = &fault{exitFailed, errors.New("read register: there is no " + registerFile + " here"), "halligan init writes one; or give it with --register"}
	}
	return r, name, err
}

// writing opens the program for a tenant with its evidence for writing; the caller
// calls close.
func (c *console) writing(ctx context.Context, f *placeFlags) (a *app.App, close func() error, err error) {
	r, name, err := requiredRegister(f.register)
	if err != nil {
		return nil, nil, err
	}
	p, err := c.place(f, r)
	if err != nil {
		return nil, nil, err
	}
	return c.writingAt(ctx, r, name, p)
}

func (c *console) writingAt(ctx context.Context, r *register.Register, name string, p app.Place) (a *app.App, close func() error, err error) {
	ledger, end, err := app.OpenLedger(ctx, p)
	if _, none := errors.AsType[*app.NoStoreError](err); none {
		c.missing(r, &p)
	}
	if err != nil {
		return nil, nil, err
	}
	c.meet(ctx, r, &p, ledger)
	a = c.newApp(r, name, p)
	a.Ledger = ledger
	if waiting, err := a.WaitingSides(ctx, p.Side); err == nil && len(waiting) > 0 {
		c.say("note:", bold, plural(len(waiting), "side log waits", "side logs wait")+" to be merged: halligan evidence merge "+waiting[0])
	}
	return a, end, nil
}

// signing opens the program for a tenant with its evidence for reading, and lets it
// open that for writing once a person has signed.
func (c *console) signing(ctx context.Context, f *placeFlags, verb custody.Verb) (*app.App, func() error, error) {
	a, end, err := c.reading(ctx, f)
	if _, older := errors.AsType[*store.OlderError](err); older {
		return c.writing(ctx, f) // that brings it up to date
	}
	if err != nil {
		return nil, nil, err
	}
	a.Open = func(ctx context.Context) (app.Ledger, func() error, error) {
		w, end, err := c.writing(ctx, f)
		if err != nil {
			return nil, nil, err
		}
		return w.Ledger, end, nil
	}
	if verb == custody.VerbLogKey { // which key it is about, only the key says
		key, err := a.Keys.Load()
		if err != nil {
			return nil, nil, errors.Join(err, end())
		}
		a.Ledger = app.Owned{DB: a.Ledger.(readOnly).DB, Key: key}
	}
	return a, end, nil
}

func (c *console) newApp(r *register.Register, name string, p app.Place) *app.App {
	return &app.App{Register: r, RegisterName: name, File: registerOnDisk(name), Now: time.Now, Chance: rand.Reader, Account: account(), Keys: p.Keys,
		SideLog: func(entries []evidence.Entry) (string, error) {
			key, _ := p.Keys.Load() // without it the side log is an unsigned claim
			return app.WriteSide(p.Side, key, time.Now(), entries)
		}}
}

// reading opens the program for a tenant with its evidence for reading.
func (c *console) reading(ctx context.Context, f *placeFlags) (*app.App, func() error, error) {
	r, name, err := requiredRegister(f.register)
	if err != nil {
		return nil, nil, err
	}
	p, err := c.place(f, r)
	if err != nil {
		return nil, nil, err
	}
	db, err := app.ReadLedger(ctx, p)
	if _, none := errors.AsType[*app.NoStoreError](err); none {
		c.missing(r, &p)
	}
	if err != nil {
		return nil, nil, err
	}
	c.meet(ctx, r, &p, db)
	a := c.newApp(r, name, p)
	a.Ledger = readOnly{db}
	return a, db.Close, nil
}

// readOnly is a ledger for commands that only look.
type readOnly struct{ *store.DB }

// Append implements app.Ledger.
func (readOnly) Append(context.Context, store.Draft) ([]evidence.Entry, error) {
	return nil, errors.New("the evidence was opened for reading")
}

// warnRegister tells when the register is not the one that was approved. Reading
// goes on; whatever decides is refused.
func (c *console) warnRegister(ctx context.Context, r *register.Register, registerPath string, f *recordFlags) {
	for _, w := range c.registerWarnings(ctx, r, registerPath, f) {
		c.say("warning:", yellow, w)
	}
}

// registerWarnings are what somebody must know who relies on the register: that what
// decides in it, or a risk that it accepts, was not approved.
func (c *console) registerWarnings(ctx context.Context, r *register.Register, registerPath string, f *recordFlags) (out []string) {
	if r == nil || r.Tenant.ID == "" && r.Evidence.Store == "" && f.place.store == "" {
		return nil
	}
	place := f.place
	place.register = registerPath
	a, end, err := c.reading(ctx, &place)
	if _, none := errors.AsType[*app.NoStoreError](err); none {
		return nil // nothing was ever approved here
	}
	if err == nil {
		var begun bool
		var risks []string
		out, begun, err = a.Unapproved(ctx)
		if err == nil && begun {
			risks, err = a.UnapprovedRisks(ctx)
		}
		err = errors.Join(err, end())
		for _, check := range risks {
			out = append(out, "the accepted risk for check "+check+" stands in "+a.RegisterName+" as nobody has approved it: halligan request accept "+check)
		}
	}
	if err != nil {
		out = append(out, "whether the register is the approved one is not known: "+err.Error())
	}
	return out
}

// warnOf is warnRegister for a command that keeps no evidence itself.
func (c *console) warnOf(ctx context.Context, registerPath string) {
	if r, _, err := readRegister(registerPath); err == nil {
		c.warnRegister(ctx, r, registerPath, &recordFlags{})
	}
}

func shortDigest(d string) string {
	if len(d) < 19 {
		return d
	}
	return d[len("sha256:"):][:12]
}

// tenantOf is for messages.
func tenantOf(r *register.Register) string {
	return cmp.Or(r.Or().Tenant.Name, string(entra.ID(r.Or().Tenant.ID)))
}
