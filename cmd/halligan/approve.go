package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/internal/store"
)

// approveFlags are the flags of approve.
type approveFlags struct {
	placeFlags
	signFlags
	as string
}

func approveCommand(c *console) *cobra.Command {
	var f approveFlags
	cmd := &cobra.Command{
		Use:   "approve REQUEST --as NAME --key FILE",
		Short: "approve what another asked for, by your signature",
		Long: `Read a request and sign it. The text that is signed says everything that is asked for and carries the hash of the request; the
signature is good for that alone. Nobody approves what they asked for, and two names with one key are one person. With the
last approval that it takes, the request is carried out.

On another machine: --text-out FILE writes the text, ssh-keygen -Y sign -f KEY -n ` + custody.Namespace + ` FILE signs it there, and
--text FILE --signature FILE.sig brings it back.`,
		Example: `  halligan approve 5f0c2a71b9d4 --as "Ben Ode" --key ~/.ssh/id_ed25519
  halligan approve 5f0c2a71b9d4 --as "Ben Ode" --text-out ben.txt`,
		Args: takes("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error { return c.approve(cmd.Context(), &f, args[0]) },
	}
	f.placeFlags.add(cmd.Flags())
	f.signFlags.add(cmd.Flags(), true)
	cmd.Flags().StringVar(&f.as, "as", "", "`NAME` of who approves, as in the register")
	return cmd
}

func (c *console) approve(ctx context.Context, f *approveFlags, which string) (err error) {
	if f.as == "" {
		return misused(`for example --as "Ben Ode"`, "who approves? --as says it")
	}
	sign, at, err := c.signer(&f.signFlags, f.register, f.as)
	if err != nil {
		return err
	}
	shown := sign
	sign = func(ctx context.Context, text []byte, challenge string) (app.Signature, error) {
		c.showText(text)
		if f.key != "" { // a passkey asks by itself
			if err := c.consents(f.as); err != nil {
				return app.Signature{}, err
			}
		}
		return shown(ctx, text, challenge)
	}
	approved, err := c.approved(ctx, f, which, sign, at)
	if errors.Is(err, errTextOut) {
		_, err := fmt.Fprintf(c.stdout, "written to %s. Sign it where your key is:\n  ssh-keygen -Y sign -f KEY -n %s %s\nand bring the signature back:\n  halligan approve %s --as %s --text %s --signature %s.sig\n",
			escape(f.textOut), custody.Namespace, posixQuoted(f.textOut), which, posixQuoted(f.as), posixQuoted(f.textOut), posixQuoted(f.textOut))
		return err
	}
	if err != nil {
		return err
	}
	p := c.page(c.stdout)
	p.styled(0, 2, bold, "Approved", "by "+custody.Visible(f.as)+ifElse(approved.Missing > 0, "; "+plural(approved.Missing, "more approval is", "more approvals are")+" needed", ""))
	for _, w := range approved.Warnings {
		p.line(0, 2, "warning: "+w)
	}
	if approved.Missing == 0 && approved.Done == nil {
		p.line(0, 2, "It is carried out by: "+app.NextStep(approved.Request))
	}
	if _, err := fmt.Fprint(c.stdout, p.b.String()); err != nil || approved.Done == nil {
		return err
	}
	if err := c.tellDone(approved.Done); err != nil || !changesKey[approved.Request.What] {
		return err
	}
	return c.tellKey(&f.placeFlags)
}

// changesKey are the acts after which the binder needs another public key.
var changesKey = map[custody.Verb]bool{custody.VerbLogKey: true, custody.VerbLogKeyLost: true}

// tellKey tells the key that signs the log from now on.
func (c *console) tellKey(f *placeFlags) error {
	r, _, err := requiredRegister(f.register)
	if err != nil {
		return err
	}
	p, err := c.place(f, r)
	if err != nil {
		return err
	}
	key, err := p.Keys.Load()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.stdout, "New log key, public, for the binder; back up the private one again (%s):\n%s\n", escape(p.Keys.String()), key.Public())
	return err
}

// approved brings an approval to where the request is: the log, or beside it when
// the log key is lost.
func (c *console) approved(ctx context.Context, f *approveFlags, which string, sign app.Sign, at time.Time) (out *app.Approved, err error) {
	if loss, end, lossErr := c.loss(ctx, &f.placeFlags); lossErr == nil {
		defer func() { err = errors.Join(err, end()) }()
		if r, err := loss.l.LossRequest(); err == nil && app.NamesRequest(which, r.Hash()) {
			return loss.a.ApproveLoss(ctx, loss.l, f.as, at, sign)
		}
		return nil, &fault{exitFailed, fmt.Errorf("approve %.80q: the log key is lost, and nothing but a new one can be approved", which),
			"halligan request list shows what waits; halligan request log-key-lost asks for it. Is the old key in a backup? Bring it back"}
	} else if !errors.Is(lossErr, errNoLoss) {
		return nil, lossErr
	}
	a, end, err := c.signing(ctx, &f.placeFlags, custody.VerbApprove)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	if r, err := a.Request(ctx, which); err == nil { // what is wrong with it, approving says
		for _, w := range r.Warnings {
			c.say("warning:", yellow, w)
		}
	}
	return a.Approve(ctx, which, f.as, at, sign)
}

// lost is a log without its key, and the program for it.
type lost struct {
	a *app.App
	l *app.Loss
}

var errNoLoss = errors.New("the log key is not lost")

// loss opens a store whose log key is gone. errNoLoss says that it is there.
func (c *console) loss(ctx context.Context, f *placeFlags) (*lost, func() error, error) {
	r, name, err := requiredRegister(f.register)
	if err != nil {
		return nil, nil, err
	}
	p, err := c.place(f, r)
	if err != nil {
		return nil, nil, err
	}
	if is, err := app.KeyLost(ctx, p); err != nil {
		return nil, nil, err
	} else if !is {
		return nil, nil, errNoLoss
	}
	db, err := store.Open(ctx, store.Options{URL: p.Store, Witness: p.Witness})
	if err != nil {
		return nil, nil, err
	}
	c.meet(ctx, r, &p, db)
	a := c.newApp(r, name, p)
	return &lost{a, &app.Loss{File: lossFile(p.Keys.String()), DB: db}}, db.Close, nil
}

func (c *console) askLoss(ctx context.Context, f *askFlags, q app.Question) (err error) {
	loss, end, err := c.loss(ctx, &f.placeFlags)
	if errors.Is(err, errNoLoss) {
		return &fault{exitFailed, errors.New("ask for a new log key: the key is not lost"), "to change it: halligan request log-key"}
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	waiting, err := loss.a.Waiting(loss.l.File)
	if err != nil {
		return err
	}
	if waiting != nil {
		return &fault{exitFailed, fmt.Errorf("ask for a new log key: request %s waits for approval already", shortDigest(waiting.Hash)),
			"read it: halligan request show " + shortDigest(waiting.Hash) + ". To give it up with its approvals and ask anew, remove " + loss.l.File}
	}
	asked, err := loss.a.AskLoss(ctx, loss.l, q)
	if err != nil {
		return err
	}
	return c.tellAsked(asked)
}
