package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/seal"
)

// keyFlags say what the holders bring.
type keyFlags struct {
	placeFlags
	identities, shares, sign []string
	why                      string
}

func (f *keyFlags) add(flags *pflag.FlagSet) {
	f.placeFlags.add(flags)
	flags.StringArrayVarP(&f.identities, "identity", "i", nil, "`FILE` of a private key of a holder: of age, of a plugin of age, under a passphrase, or of SSH; once for each")
	flags.StringArrayVar(&f.shares, "share", nil, "`FILE` with a share, as its words or the text of its QR code; - asks for it")
	flags.StringArrayVar(&f.sign, "sign", nil, "`FILE` of the SSH key with which an opener signs the record of the opening")
	flags.StringVar(&f.why, "why", "", "`TEXT`: the reason, for the record")
}

// openFlags are the flags of open alone.
type openFlags struct {
	get, request string
	toStdout     bool
}

func requestOpenCommand(c *console) *cobra.Command {
	var f askFlags
	cmd := &cobra.Command{
		Use:   "open FILE --by NAME --why TEXT --key FILE",
		Short: "have it approved that a sealed file is opened, for a drill or planned work",
		Long: `Ask to open a sealed file when there is time to ask: for a drill, or planned work. In an emergency halligan open needs no request; it
records the opening, and waits for nobody.`,
		Example: `  halligan request open account-1.sealed --by "Ana Weiss" --why "drill of November" --key ~/.ssh/id_ed25519`,
		Args:    takes("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			file, err := app.ReadSealed(args[0])
			if err != nil {
				return err
			}
			subject, err := app.OpenSubject(file)
			if err != nil {
				return err
			}
			return c.ask(cmd.Context(), &f, custody.VerbOpen, subject)
		},
	}
	f.add(cmd.Flags())
	return cmd
}

func openCommand(c *console) *cobra.Command {
	var f keyFlags
	var o openFlags
	cmd := &cobra.Command{
		Use:   "open [FILE]",
		Short: "open a sealed file, with the keys or shares of enough holders",
		Long: `Open what several people sealed. It needs the file and their keys or shares, and nothing else: no register, no evidence store and no
network. The secret goes to the terminal, with the account that it is of. Once it is there, the channels that the file names inside
are told of the opening, for at most ten seconds; Ctrl-C skips that. Who was told and who was not is said, and whom to tell yourself.
For a drill, say so with --why: it is told like any other. After Enter the screen is cleared; a terminal may keep what it showed all
the same (a log, a recorded session, tmux).

The opening is recorded in the evidence where that answers at once, else in a side log that is merged later. Openers sign the
record with --sign; without that it is an unsigned claim.`,
		Example: `  halligan open account-1.sealed --identity ana.key --identity ~/.ssh/id_ed25519
  halligan open account-1.sealed --share - --share -`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			harden()
			return c.unseal(cmd.Context(), &f, &o, strings.Join(args, ""))
		},
	}
	f.add(cmd.Flags())
	cmd.Flags().StringVar(&o.request, "request", "", "`HASH` of an approved request to open it (halligan request open), for a drill or planned work; an emergency needs none")
	cmd.Flags().StringVar(&o.get, "get", "", "`NAME` of a place of the register whose get: command brings the file")
	cmd.Flags().BoolVar(&o.toStdout, "to-stdout", false, "write the secret to standard output, and nothing else there")
	return cmd
}

// sealedFrom reads the file that is named, or gets it from a place.
func (c *console) sealedFrom(ctx context.Context, f *keyFlags, path, place string) (*seal.File, error) {
	if (path == "") == (place == "") {
		return nil, misused("for example halligan open account-1.sealed", "give the sealed FILE, or --get PLACE")
	}
	if place == "" {
		return app.ReadSealedToOpen(path)
	}
	r, _, err := requiredRegister(f.register)
	if err != nil {
		return nil, err
	}
	at, err := placeCalled(r, place)
	if err != nil {
		return nil, err
	}
	c.say("runs", bold, strings.Join(at.Get, " "))
	c.say("note:", yellow, "whoever can write the register can write this command; nothing here waits to ask whether it was approved")
	data, err := app.GetSealed(ctx, at)
	if err != nil {
		return nil, err
	}
	return seal.ParseToOpen(data)
}

func (c *console) unseal(ctx context.Context, f *keyFlags, o *openFlags, path string) error {
	if o.get != "" && !o.toStdout && !isTerminal(c.stdout) {
		return errNowhereToShow // before a command is run for it
	}
	file, err := c.sealedFrom(ctx, f, path, o.get)
	if err != nil {
		return err
	}
	if !o.toStdout && !isTerminal(c.stdout) {
		if err := c.enough(file, f); err != nil {
			return err
		}
		return errNowhereToShow
	}
	opened, err := c.openBy(ctx, file, f, o.request)
	if opened == nil {
		return err
	}
	defer opened.Wipe()
	if err != nil { // it is open, and its outcome is not recorded
		c.say("warning:", yellow, err.Error())
	}
	return c.opened(ctx, f, file, opened, o.toStdout)
}

// opened gives the secret out, and then tells and records that it was opened. Nothing
// is waited for before: who needs the secret has it by then. Nothing but its own way out
// withholds it, and whatever cannot be said or written after it ends nothing.
func (c *console) opened(ctx context.Context, f *keyFlags, file *seal.File, opened *seal.Opened, toStdout bool) error {
	// Whoever takes the secret and hangs up, or closes the terminal, ends nothing.
	signal.Ignore(syscall.SIGPIPE, syscall.SIGHUP)
	to := c.stdout
	if toStdout {
		to = c.stderr
	}
	var notes []note
	err := c.showOpened(file, opened, toStdout)
	o := app.OpeningOf(file, opened, time.Now(), f.why, account())
	telling, skip := c.telling(ctx, o, opened)
	defer skip()
	err = errors.Join(err, c.tellWhom(to, file, opened, nil))
	_, held := nextStop(ctx) // between a signature and the next wait Ctrl-C ends nothing
	defer held()
	c.signOpening(ctx, f, o, &notes)
	skipping, end := nextStop(ctx)
	defer end()
	context.AfterFunc(skipping, skip)
	if ctx.Err() != nil && len(f.sign) == 0 {
		skip()
	}
	c.sayTelling(opened, &notes)
	at := c.evidenceOf(ctx, f)
	kept := c.recordOpening(ctx, at, o, &notes)
	told := c.heard(telling, opened, &notes)
	c.recordTold(ctx, at, o, told, kept)
	if err == nil && !toStdout && c.answers() {
		err = c.clearOpened(ctx, file, opened, notes, func() error { return c.tellWhom(to, file, opened, &told) })
	}
	if err != nil {
		return err
	}
	if len(opened.Altered) > 0 || kept.against {
		return ended(exitTrouble)
	}
	return nil
}

// nextStop is a context that the next Ctrl-C ends, whatever one before it ended. Until
// its end is called no Ctrl-C ends the program.
func nextStop(ctx context.Context) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.WithoutCancel(ctx), os.Interrupt, syscall.SIGTERM)
}

var errNowhereToShow = misused("give the command on a terminal; or --to-stdout, for a program that needs the secret", "the secret is shown on a terminal, and here is none")

// enough says why what was brought cannot open a file, as far as that is public.
// Nobody is asked for anything: the secret has nowhere to go.
func (c *console) enough(file *seal.File, f *keyFlags) error {
	var keys []seal.Key
	for _, path := range f.identities {
		more, err := app.LoadKeys(path, nil)
		if errors.Is(err, app.ErrNobodyToAsk) {
			return nil // only with the passphrase can more be said
		}
		if err != nil {
			return err
		}
		keys = append(keys, more...)
	}
	var shares []seal.Given
	for i, path := range f.shares {
		if path == "-" {
			return nil
		}
		s, err := c.share(path, i+1)
		if err != nil {
			return err
		}
		defer s.Text.Wipe()
		shares = append(shares, s)
	}
	if err := seal.Enough(file, keys, shares); err != nil {
		return fmt.Errorf("open %s: %w", file.Manifest.Label, err)
	}
	return nil
}

// clearOpened waits until somebody has the secret, and clears the screen; what is not
// secret is said again. Ctrl-C clears it too.
func (c *console) clearOpened(ctx context.Context, file *seal.File, o *seal.Opened, notes []note, whom func() error) error {
	if ctx.Err() != nil && c.stop != nil { // the first Ctrl-C skipped the telling; the next one clears the screen
		again, end := nextStop(ctx)
		defer end()
		c.stop = again.Done()
	}
	_ = c.pressed("\nPress Enter when you have it: the screen is cleared. ")
	if _, err := fmt.Fprint(c.stdout, clearScreen); err != nil {
		return err
	}
	if err := c.tellOpened(c.stdout, file, o, false); err != nil {
		return err
	}
	for _, n := range notes {
		c.say(n.label, n.colour, n.text)
	}
	return whom()
}

// note is something that was said and is said again.
type note struct {
	label  string
	colour style
	text   string
}

// openBy opens a file, by an approved request where there is one.
func (c *console) openBy(ctx context.Context, file *seal.File, f *keyFlags, request string) (opened *seal.Opened, err error) {
	if request == "" {
		return c.openWith(file, f)
	}
	b, err := c.bring(file, f) // before the request is used
	if err != nil {
		return nil, err
	}
	defer b.wipe()
	a, end, err := c.writing(ctx, &f.placeFlags)
	if err != nil {
		return nil, err
	}
	opened, _, err = a.OpenApproved(ctx, request, file, func() (*seal.Opened, error) { return c.openBrought(file, b) })
	if _, used := errors.AsType[*app.UsedError](err); used && interrupted(err) {
		err = &interruption{"nothing was opened, and the approvals are used", "ask anew: halligan request open"}
	}
	return opened, errors.Join(err, end())
}

// openWith opens a file with what the flags name; on a terminal it asks for the
// shares that are missing.
func (c *console) openWith(file *seal.File, f *keyFlags) (*seal.Opened, error) {
	b, err := c.bring(file, f)
	if err != nil {
		return nil, err
	}
	defer b.wipe()
	return c.openBrought(file, b)
}

// errNotOpened is Ctrl-C before anything was opened.
var errNotOpened = &interruption{"nothing was opened", "give the command again"}

// brought is what the holders bring.
type brought struct {
	keys   []seal.Key
	shares []seal.Given
	// unread could not be read. The others may be enough without.
	unread []error
}

func (b *brought) wipe() {
	for _, s := range b.shares {
		s.Text.Wipe()
	}
}

// bring reads the keys and shares that the flags name. Nothing is opened. For the share
// of a file that takes none nobody is asked: they would type their half of a password in
// clear, and it is no row of words.
func (c *console) bring(file *seal.File, f *keyFlags) (*brought, error) {
	b := &brought{}
	asks := file.Manifest.Form == seal.FormShares
	if !asks && slices.Contains(f.shares, "-") {
		c.say("warning:", yellow, "--share - asks for nothing: this file takes none: its form is "+string(file.Manifest.Form))
	}
	for _, path := range f.identities {
		more, err := app.LoadKeys(path, c.talk())
		if interrupted(err) {
			b.wipe()
			return nil, errNotOpened
		}
		if err != nil {
			b.unread = append(b.unread, err)
			continue
		}
		b.keys = append(b.keys, more...)
	}
	for i, path := range f.shares {
		if path == "-" && !asks {
			continue
		}
		s, err := c.share(path, i+1)
		if interrupted(err) {
			b.wipe()
			return nil, errNotOpened
		}
		if err != nil {
			b.unread = append(b.unread, err)
			continue
		}
		b.shares = append(b.shares, s)
	}
	return b, nil
}

// openBrought opens a file, and tells what could not be used and was not needed.
func (c *console) openBrought(file *seal.File, b *brought) (*seal.Opened, error) {
	for {
		opened, err := seal.Open(file, b.keys, b.shares)
		if err == nil {
			for _, unused := range slices.Concat(b.unread, opened.Unused) {
				c.say("warning:", yellow, "not used, and not needed: "+unused.Error())
			}
			return opened, nil
		}
		tooFew := errors.Is(err, seal.ReasonTooFew)
		if tooFew && len(b.unread) > 0 {
			return nil, oneError(b.unread)
		}
		if !tooFew || file.Manifest.Form != seal.FormShares || !c.answers() {
			return nil, fmt.Errorf("open %s: %w", file.Manifest.Label, oneError(append(b.unread, err)))
		}
		c.say("note:", bold, err.Error())
		s, err := c.typedShare(len(b.shares) + 1)
		if interrupted(err) {
			return nil, errNotOpened
		}
		if err != nil {
			return nil, err
		}
		trial, err := seal.Open(file, nil, append(b.shares[:len(b.shares):len(b.shares)], s))
		if trial != nil {
			trial.Wipe()
		}
		if err != nil && !errors.Is(err, seal.ReasonTooFew) {
			c.say("error:", red, err.Error())
			c.say("hint:", yellow, hintOf(err))
			continue
		}
		b.shares = append(b.shares, s)
	}
}

// oneError is several errors as one, and a single one as it is.
func oneError(all []error) error {
	if len(all) == 1 {
		return all[0]
	}
	return errors.Join(all...)
}

const mostShareFile = 16 << 10

func (c *console) share(path string, number int) (seal.Given, error) {
	if path == "-" {
		return c.typedShare(number)
	}
	file, err := os.Open(path)
	if err != nil {
		return seal.Given{}, &fault{exitFailed, fmt.Errorf("read the share: %v", err), nearName(path, "give a file with the words or the text of the QR code; - asks for them")}
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, mostShareFile))
	return seal.Given{From: path, Text: custody.NewSecret(text)}, err
}

// typedShare takes in one share, row by row: a mistyped row is typed again.
func (c *console) typedShare(number int) (seal.Given, error) {
	given := seal.Given{From: fmt.Sprintf("what was typed as share %d", number)}
	_, _ = fmt.Fprintf(c.stderr, "Share %d: the %d rows of words of the page, or the text of its QR code.\n", number, seal.ShareRows)
	var text []byte
	var wrong error
	for row := 1; row <= seal.ShareRows; {
		_, _ = fmt.Fprintf(c.stderr, "row %d: ", row)
		line, err := c.readLine()
		switch {
		case interrupted(err):
			return given, err
		case err != nil:
			return given, &fault{exitFailed, errors.New("read a share: the input ended before it was whole"), "type all rows of the page"}
		case strings.TrimSpace(line) == "":
			continue
		case row == 1 && seal.IsQR(line):
			given.Text = custody.NewSecret([]byte(line))
			return given, nil
		}
		if err := seal.CheckRow(row, line); err != nil {
			if !c.answers() { // the rows behind it are of this share all the same
				wrong, row = cmp.Or(wrong, err), row+1
				continue
			}
			c.say("again:", yellow, err.Error())
			continue
		}
		text = append(append(text, line...), '\n')
		row++
	}
	given.Text = custody.NewSecret(text)
	return given, wrong
}

// readLine reads a line of the input, which others read on.
func (c *console) readLine() (string, error) {
	if c.lines == nil {
		c.lines = bufio.NewReaderSize(c.stdin, 4<<10)
	}
	line, err := awaitsIn(c, &c.left, func() (string, error) { return c.lines.ReadString('\n') })
	if err == io.EOF && line != "" {
		err = nil
	}
	return strings.TrimRight(line, "\r\n"), err
}

// tellOpened tells what was opened, with the secret or without it.
func (c *console) tellOpened(to io.Writer, file *seal.File, o *seal.Opened, secret bool) error {
	m := &file.Manifest
	defer func() { // after the secret, which waits for nothing
		for _, a := range o.Altered {
			c.say("WARNING:", red, a)
		}
	}()
	p := c.page(to)
	p.styled(0, 2, bold, "Opened", "by "+strings.Join(o.Openers, ", "))
	p.field("account", o.Account)
	p.field("what", o.What)
	p.field("set", m.Set+", made "+m.Made.Format(time.DateOnly))
	p.field("SHA-256", strings.TrimPrefix(file.Digest, "sha256:"))
	if secret {
		p.secret(o)
	}
	_, err := fmt.Fprint(to, p.b.String())
	return err
}

// showOpened gives the secret out, and says what was opened: on a terminal in one piece,
// else the secret first, since nothing that is said may withhold it.
func (c *console) showOpened(file *seal.File, o *seal.Opened, toStdout bool) error {
	if !toStdout {
		return c.tellOpened(c.stdout, file, o, true)
	}
	err := c.writeSecret(o)
	return errors.Join(err, c.tellOpened(c.stderr, file, o, false))
}

func (c *console) writeSecret(o *seal.Opened) error {
	for _, s := range secretsOf(o) {
		if s.Empty() {
			return &fault{exitFailed, errors.New("write the secret: one half is on paper alone"), "give the command on a terminal, and type the other half behind it"}
		}
	}
	for _, s := range secretsOf(o) {
		if _, err := c.stdout.Write(s.Reveal()); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintln(c.stdout)
	return err
}

// secretsOf are the secret, or its halves in order.
func secretsOf(o *seal.Opened) []custody.Secret {
	if len(o.Halves) == 0 {
		return []custody.Secret{o.Secret}
	}
	var out []custody.Secret
	for _, h := range o.Halves {
		out = append(out, h.Text)
	}
	return out
}

// field writes a name and what belongs to it, in a column of its own.
func (p *page) field(name, text string) {
	p.b.WriteString("  " + fmt.Sprintf("%-10s", name) + wrap(escape(text), p.columns-12, strings.Repeat(" ", 12)) + "\n")
}

// secret writes what was sealed, as it is and in groups of four.
func (p *page) secret(o *seal.Opened) {
	show := func(name string, s custody.Secret) {
		p.b.WriteString("  " + fmt.Sprintf("%-10s", name) + strings.ReplaceAll(escapeLines(string(s.Reveal())), "\n", "\n"+strings.Repeat(" ", 12)) + "\n")
		if groups := seal.Groups(s); string(groups.Reveal()) != string(s.Reveal()) {
			p.b.WriteString("            " + string(groups.Reveal()) + "  (in groups; no blanks are typed)\n")
		}
	}
	if len(o.Halves) == 0 {
		show("secret", o.Secret)
		return
	}
	for _, h := range o.Halves {
		if h.Text.Empty() {
			p.field(fmt.Sprintf("half %d", h.Number), "on paper, with "+h.Holder)
			continue
		}
		show(fmt.Sprintf("half %d", h.Number), h.Text)
	}
	p.field("", "the password is half 1 and, right behind it, half 2")
}

// escapeLines is escape, of a text of several lines.
func escapeLines(text string) string {
	lines := strings.Split(text, "\n")
	for i := range lines {
		lines[i] = escape(lines[i])
	}
	return strings.Join(lines, "\n")
}
