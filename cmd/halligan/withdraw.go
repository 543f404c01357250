package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"halligan/custody"
	"halligan/internal/app"
)

// withdrawFlags are the flags of request withdraw.
type withdrawFlags struct {
	placeFlags
	signFlags
	why string
}

func requestWithdrawCommand(c *console) *cobra.Command {
	var f withdrawFlags
	cmd := &cobra.Command{
		Use:   "withdraw REQUEST --why TEXT --key FILE",
		Short: "take back what you asked for",
		Long: `Take back a request that you made, by your signature: nobody approves it any more, and it is not carried out. The evidence keeps both
the request and why it was taken back. It cannot be undone; ask anew.

Only who asked takes a request back; otherwise one person could hold up the others. Who finds a request wrong does not approve it:
it ends by itself, after a day where nothing else was said. What was carried out cannot be taken back.

To sign elsewhere: --text-out writes the text, and --text with --signature brings it back, as in halligan approve.`,
		Example: `  halligan request withdraw 5f0c2a71b9d4 --why "it names the wrong safe" --key ~/.ssh/id_ed25519`,
		Args:    takes("REQUEST"),
		RunE:    func(cmd *cobra.Command, args []string) error { return c.withdraw(cmd.Context(), &f, args[0]) },
	}
	f.placeFlags.add(cmd.Flags())
	f.signFlags.add(cmd.Flags(), true)
	cmd.Flags().StringVar(&f.why, "why", "", "`TEXT`: the reason, for the others")
	return cmd
}

func (c *console) withdraw(ctx context.Context, f *withdrawFlags, which string) (err error) {
	if f.why == "" {
		return misused(`for example --why "it names the wrong safe"`, "why is it taken back? --why says it")
	}
	a, end, err := c.signing(ctx, &f.placeFlags, custody.VerbAsk)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	r, err := c.requestOf(ctx, a, which)
	if err != nil {
		return err
	}
	if r.Request.What == custody.VerbLogKeyLost && r.State == app.RequestOpen {
		file := lossFile(a.Keys.String())
		return &fault{exitFailed, errors.New("take back the request for a new log key: it waits beside the log, which takes nothing without its key"), "remove " + file + "; the approvals in it go, too"}
	}
	sign, at, err := c.signer(&f.signFlags, f.register, r.Request.By)
	if err != nil {
		return err
	}
	back, err := a.Withdraw(ctx, r.Hash, f.why, at, func(ctx context.Context, text []byte, challenge string) (app.Signature, error) {
		fmt.Fprintln(c.stderr, escape("Only "+custody.Visible(r.Request.By)+", who asked, can take this back."))
		c.showText(text)
		return sign(ctx, text, challenge)
	})
	if errors.Is(err, errTextOut) {
		_, err := fmt.Fprintf(c.stdout, "written to %s. Sign it where your key is:\n  ssh-keygen -Y sign -f KEY -n %s %s\nand bring the signature back:\n  halligan request withdraw %s --why %s --text %s --signature %s.sig\n",
			escape(f.textOut), custody.Namespace, posixQuoted(f.textOut), which, posixQuoted(f.why), posixQuoted(f.textOut), posixQuoted(f.textOut))
		return err
	}
	if errors.Is(err, custody.ReasonKey) {
		return &fault{exitFailed, err, "only " + custody.Visible(r.Request.By) + ", who asked, takes it back, with the key that the register has of them. Who finds it wrong does not approve it, and it ends by itself"}
	}
	if err != nil {
		return err
	}
	p := c.page(c.stdout)
	p.styled(0, 2, bold, "Taken back", "– entry "+number(back.Withdrawn.Index)+": "+custody.Visible(string(back.Request.What)+" on "+back.Request.On)+". Nobody approves it any more, and it is not carried out.")
	_, err = fmt.Fprint(c.stdout, p.b.String())
	return err
}

// stateWords are the states of requests that are over, in the order in which they are
// counted.
var stateWords = []struct {
	state app.RequestState
	word  string
}{{app.RequestUsed, "carried out"}, {app.RequestExpired, "expired"}, {app.RequestWithdrawn, "taken back"}, {app.RequestOvertaken, "overtaken by another change"}}

// hiddenRequests says how many requests a list leaves out; "" none.
func hiddenRequests(list []app.RequestReport) string {
	text := ""
	for _, s := range stateWords {
		n := 0
		for i := range list {
			if list[i].State == s.state {
				n++
			}
		}
		if n > 0 {
			text += ifElse(text == "", "", ", ") + fmt.Sprintf("%d %s", n, s.word)
		}
	}
	return text
}
