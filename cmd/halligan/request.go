package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/register"
)

// askable are the things that can be asked for, with what the command says of them.
var askable = []struct {
	verb  custody.Verb
	use   string
	short string
}{
	{custody.VerbBegin, "begin", "have the first register and this log approved"},
	{custody.VerbRegister, "register", "have a change of who decides, who is told and what is watched approved"},
	{custody.VerbAccept, "accept CHECK", "have an accepted risk of the register approved"},
	{custody.VerbLogKey, "log-key", "have the key that signs the log changed"},
	{custody.VerbCustody, "custody", "have what halligan.yaml says of parts, places and accounts approved as it stands"},
	{custody.VerbRestore, "restore", "have it approved that the log goes on from a backup"},
	{custody.VerbLogKeyLost, "log-key-lost", "go on with a new key, since the old one is lost"},
}

// askFlags are the flags of asking.
type askFlags struct {
	placeFlags
	signFlags
	by, why string
	life    days
}

func requestCommand(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "request",
		Short: "ask for what others must approve, and see what is asked for",
		Long: `Ask for something that one person must not do alone. The request says what, on what, why and by whom; its hash names it. Who asks
signs it; others read it and sign the same text with their own keys (halligan approve). It is good once, and for a day. Who asked can
take it back before that (halligan request withdraw).`,
	}
	for _, a := range askable {
		cmd.AddCommand(askCommand(c, a.verb, a.use, a.short))
	}
	cmd.AddCommand(requestSealCommand(c), requestOpenCommand(c))
	cmd.AddCommand(requestListCommand(c), requestShowCommand(c), requestWithdrawCommand(c), carryOutCommand(c))
	return cmd
}

func askCommand(c *console, verb custody.Verb, use, short string) *cobra.Command {
	var f askFlags
	_, argument, has := strings.Cut(use, " ")
	args := takes()
	if has {
		args = takes(argument)
	}
	right := custody.RightOf(verb)
	var may []string
	for _, r := range right.May {
		may = append(may, string(r))
	}
	cmd := &cobra.Command{
		Use:     use + " --by NAME --why TEXT --key FILE",
		Short:   short,
		Long:    strings.ToUpper(short[:1]) + short[1:] + ".\n\nWho may ask: " + strings.Join(may, ", ") + ". Where nobody signs with --key or --passkey, the request is an unsigned claim and takes two approvals.",
		Example: "  halligan request " + strings.ReplaceAll(use, "CHECK", "am-tap-out-of-scope") + ` --by "Ana Weiss" --why "Ben joins, Carl has left" --key ~/.ssh/id_ed25519`,
		Args:    args,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.ask(cmd.Context(), &f, verb, strings.Join(args, ""))
		},
	}
	f.add(cmd.Flags())
	return cmd
}

func (f *askFlags) add(flags *pflag.FlagSet) {
	f.placeFlags.add(flags)
	f.signFlags.add(flags, false)
	flags.StringVar(&f.by, "by", "", "`NAME` of who asks, as in the register")
	flags.StringVar(&f.why, "why", "", "`TEXT`: the reason, for those who approve")
	f.life = days(24 * time.Hour)
	flags.Var(&f.life, "life", "`TIME` for which it is open, as 12h or 2d; at most 7d")
}

func (c *console) ask(ctx context.Context, f *askFlags, verb custody.Verb, on string) (err error) {
	if f.by == "" || f.why == "" {
		return misused(`for example --by "Ana Weiss" --why "Ben joins, Carl has left"`, "a request needs --by and --why")
	}
	q := app.Question{Verb: verb, On: on, Why: f.why, By: f.by, Life: time.Duration(f.life)}
	if f.key != "" || f.passkey {
		if q.Sign, _, err = c.signer(&f.signFlags, f.register, f.by); err != nil {
			return err
		}
	}
	if verb == custody.VerbLogKeyLost {
		return c.askLoss(ctx, f, q)
	}
	if q.Sign == nil {
		if err := twoOthers(f.register, f.by); err != nil {
			return err
		}
	}
	a, end, err := c.signing(ctx, &f.placeFlags, verb)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	if verb == custody.VerbCustody || verb == custody.VerbMove || verb == custody.VerbHandOver {
		warnings, err := a.SealWarnings(ctx, on)
		if err != nil {
			return err
		}
		for _, w := range warnings {
			c.say("warning:", yellow, w)
		}
	}
	asked, err := a.Ask(ctx, q)
	if err != nil {
		return err
	}
	return c.tellAsked(asked)
}

// twoOthers refuses an unsigned request that could never be approved: it takes two
// approvals by others.
func twoOthers(registerPath, by string) error {
	r, _, err := requiredRegister(registerPath)
	if err != nil || r.Quorum.People == 1 {
		return err
	}
	others := 0
	for i := range r.People {
		if p := &r.People[i]; custody.May(p, custody.VerbApprove) && !register.SamePerson(p.Name, by) {
			others++
		}
	}
	if others < 2 {
		return misused("sign it with --key or --passkey: then one approval by another is enough", "a request that nobody signs takes approvals by two others, and the register has %s", plural(others, "other approver", "other approvers"))
	}
	return nil
}

func (c *console) tellAsked(asked *app.Asked) error {
	p := c.page(c.stdout)
	shown := asked.Request.Shown()
	p.styled(0, 0, bold, "Request "+shortDigest(shown.Hash), "")
	p.askedFor(shown.Text)
	for _, w := range asked.Warnings {
		p.line(0, 2, "warning: "+w)
	}
	if asked.Needed > 0 {
		p.blank()
		p.line(0, 0, plural(asked.Needed, "approval is", "approvals are")+" needed. Each person reads it and signs:")
		const most = 4
		for _, name := range asked.Holders[:min(most, len(asked.Holders))] {
			p.line(2, 4, "halligan approve "+shortDigest(shown.Hash)+" --as "+quoteName(name)+" --key FILE")
		}
		p.line(2, 4, "halligan approve "+shortDigest(shown.Hash)+" --as NAME --key FILE")
		if len(asked.Holders) > 0 {
			p.line(0, 2, custody.Visible(strings.Join(asked.Holders, ", "))+" should sign first, for what they are to hold: with the last approval it is carried out, and without their receipt it is marked “"+custody.MarkNoReceipt+"”.")
		}
		for _, name := range asked.Unsigned {
			p.line(0, 2, custody.Visible(name)+" receives, and signs for it in the same way; nobody else can.")
		}
	} else {
		p.line(2, 4, app.NextStep(asked.Request))
	}
	_, err := fmt.Fprint(c.stdout, p.b.String())
	return err
}

func requestListCommand(c *console) *cobra.Command {
	var f placeFlags
	var format string
	var all bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list the requests that are open",
		Long: `List the requests that wait for approvals, that were approved and not carried out, or that cannot be used any more and why. Those that
are over are counted: carried out, expired, taken back, overtaken by another change; --all lists them, too. --format hashes prints one hash to a line, for scripts.`,
		Example: `  halligan request list
  halligan request list --all --format json`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return c.requestList(cmd.Context(), &f, all, format)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().BoolVar(&all, "all", false, "also those that were carried out, have expired, were taken back or overtaken")
	cmd.Flags().StringVar(&format, "format", "terminal", "`FORM`: terminal, json, hashes")
	complete(cmd, "format", "terminal", "json", "hashes")
	return cmd
}

func (c *console) requestList(ctx context.Context, f *placeFlags, all bool, format string) (err error) {
	if err := oneOf("format", format, "terminal", "json", "hashes"); err != nil {
		return err
	}
	a, end, err := c.reading(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	list, err := a.Requests(ctx)
	if err != nil {
		return err
	}
	shown := []app.RequestReport{}
	if waiting, err := a.Waiting(lossFile(a.Keys.String())); err != nil {
		return err
	} else if waiting != nil {
		shown = append(shown, *waiting)
	}
	for _, r := range list {
		if all || !r.State.Over() {
			shown = append(shown, r)
		}
	}
	switch format {
	case "json":
		return indented(c.stdout, shown)
	case "hashes":
		for _, r := range shown {
			if r.State == app.RequestRefused {
				continue // a script can do nothing with it
			}
			if _, err := fmt.Fprintln(c.stdout, r.Hash); err != nil {
				return err
			}
		}
		return nil
	}
	p := c.page(c.stdout)
	if len(shown) == 0 {
		p.line(0, 0, ifElse(all, "Nothing was ever asked for.", "No request is open."))
	}
	for i := range shown {
		p.request(&shown[i])
	}
	if hidden := hiddenRequests(list); hidden != "" && !all {
		p.line(0, 2, "Not listed: "+hidden+" (--all)")
	}
	_, err = fmt.Fprint(c.stdout, p.b.String())
	return err
}

func (p *page) request(r *app.RequestReport) {
	state := string(r.State)
	switch r.State {
	case app.RequestOpen:
		state = fmt.Sprintf("open, %d of %d approved", len(r.Approved), r.Needed)
	case app.RequestReady:
		state = "approved, not carried out: " + app.NextStep(r.Request)
	case app.RequestUsed:
		state = "carried out, entry " + number(*r.Used)
	case app.RequestRefused, app.RequestOvertaken:
		state = "no longer good: " + r.Why
	case app.RequestWithdrawn:
		state = "taken back, entry " + number(r.Withdrawn.Index) + ": " + custody.Visible(r.Withdrawn.Why)
	}
	p.styled(0, 4, bold, shortDigest(r.Hash), custody.Visible(string(r.Request.What)+" on "+r.Request.On+", asked by "+r.Request.By+", until "+r.Request.Expires.Format(time.DateTime)+" UTC: ")+state)
	p.line(4, 4, "why: "+custody.Visible(r.Request.Why))
	if len(r.Approved) > 0 {
		p.line(4, 4, "approved by "+strings.Join(r.Approved, ", "))
	}
	if len(r.Unsigned) > 0 {
		p.line(4, 4, "waits for the signature of "+strings.Join(r.Unsigned, ", ")+", who receives")
	}
	for _, w := range append(append([]string{}, r.Refused...), r.Warnings...) {
		p.line(4, 4, "! "+w)
	}
	if len(r.Marks) > 0 {
		p.line(4, 4, "["+strings.Join(r.Marks, "; ")+"]")
	}
}

func requestShowCommand(c *console) *cobra.Command {
	var f placeFlags
	var format string
	cmd := &cobra.Command{
		Use:   "show REQUEST",
		Short: "show a request: what it would change, who asks, what is missing, what is next",
		Long: `Show a request in the lines that those who approve it read: what it would change, who asks and why, until when it may be approved,
who has approved, what is still missing, and the next command. Letters that cannot be seen, that turn the reading direction or that
look like others are made visible; a request that has them is refused anyway. --format canonical shows it as it is signed, with
every digest; --format json has what it would bring about, too.`,
		Args: takes("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.requestShow(cmd.Context(), &f, args[0], format)
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().StringVar(&format, "format", "terminal", "`FORM`: terminal, json, canonical")
	complete(cmd, "format", "terminal", "json", "canonical")
	return cmd
}

func (c *console) requestShow(ctx context.Context, f *placeFlags, which, format string) (err error) {
	if err := oneOf("format", format, "terminal", "json", "canonical"); err != nil {
		return err
	}
	a, end, err := c.reading(ctx, f)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	r, err := c.requestOf(ctx, a, which)
	if err != nil {
		return err
	}
	switch format {
	case "json":
		return indented(c.stdout, r)
	case "canonical":
		_, err := fmt.Fprintf(c.stdout, "%s\n", r.Request.Canonical())
		return err
	}
	return c.showRequest(a.Register, r)
}

// requestOf finds a request in the log, or the one that waits beside it.
func (c *console) requestOf(ctx context.Context, a *app.App, which string) (*app.RequestReport, error) {
	waiting, err := a.Waiting(lossFile(a.Keys.String()))
	if err != nil {
		return nil, err
	}
	if waiting != nil && app.NamesRequest(which, waiting.Hash) {
		return waiting, nil
	}
	return a.Request(ctx, which)
}

func carryOutCommand(c *console) *cobra.Command {
	var f placeFlags
	cmd := &cobra.Command{
		Use:   "carry-out REQUEST",
		Short: "carry out a request that was approved, where the last approval did not",
		Long: `Carry out a request that enough people have approved. The last approval does that by itself; this is for when it could not. All of
it is looked at once more.`,
		Args: takes("REQUEST"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			a, end, err := c.writing(cmd.Context(), &f)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, end()) }()
			done, err := a.CarryOut(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return c.tellDone(done)
		},
	}
	f.add(cmd.Flags())
	return cmd
}

func (c *console) tellDone(d *app.Done) error {
	p := c.page(c.stdout)
	mark := ""
	if len(d.Marks) > 0 {
		mark = " [" + strings.Join(d.Marks, "; ") + "]"
	}
	p.styled(0, 2, bold, "Carried out", fmt.Sprintf("– entries %d to %d%s", d.Intent, d.Outcome, mark))
	for _, w := range d.Warnings {
		p.line(0, 2, "warning: "+w)
	}
	_, err := fmt.Fprint(c.stdout, p.b.String())
	return err
}
