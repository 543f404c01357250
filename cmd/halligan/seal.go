package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/register"
	"halligan/seal"
)

// wishFlags say what is to be sealed, for whom.
type wishFlags struct {
	askFlags
	wish     app.SealWish
	form     string
	make     int
	alphabet string
	reseals  string
	replaces []string
	seals    string
}

func requestSealCommand(c *console) *cobra.Command {
	var f wishFlags
	cmd := &cobra.Command{
		Use:   "seal --account ID --holder NAME... --by NAME --why TEXT --key FILE",
		Short: "have it approved that a secret is sealed, and for whom",
		Long: `Ask to seal a secret of an account for several people, of whom no one alone can open it. The request says who they are and by which
keys; those stand in the register (receiving:). Who has none gets a share on paper. Nothing secret is asked for here: halligan
seal does that, once this is approved.

After a password was changed, the new one is sealed with --replaces and the old file: the old set is void then. Where the secret
stays and only the people change: --reseals.

Two of at most five people who have keys open it in pairs. Otherwise the key is split into shares, of which --need are enough.
--first and --second hold the two halves of a password, and nobody both.`,
		Example: `  halligan request seal --account ea-north@example.com --holder "Ana Weiss" --holder "Ben Ode" --make 40 --by "Ana Weiss" --why "first seal" --key ~/.ssh/id_ed25519`,
		Args:    takes(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.askSeal(cmd, &f) },
	}
	flags := cmd.Flags()
	f.askFlags.add(flags)
	flags.StringVar(&f.wish.Account, "account", "", "`ID` or name of the account in the register")
	flags.StringVar(&f.wish.What, "what", "the password", "`TEXT`: what is sealed of it; with the file of --reseals or --replaces as there, unless it is given")
	flags.StringVar(&f.wish.Label, "label", "", "`TEXT` that stands outside in place of the account's name (default: that of the file of --reseals or --replaces, else its number in the register)")
	flags.StringVar(&f.seals, "seal-number", "", "`NUMBERS` of the seals on the envelopes, one for each holder who gets paper, in their order: 5300,5301")
	flags.StringVar(&f.wish.Seal, "file-seal-number", "", "`NUMBER` of the seal at the file itself, such as on its stick")
	flags.StringArrayVar(&f.wish.Holders, "holder", nil, "`NAME` of somebody who holds a part; once for each")
	flags.StringArrayVar(&f.wish.First, "first", nil, "`NAME` of a holder of the first half of a password")
	flags.StringArrayVar(&f.wish.Second, "second", nil, "`NAME` of a holder of the second half")
	flags.IntVar(&f.wish.Need, "need", 2, "`NUMBER` of holders that open it")
	flags.StringVar(&f.form, "form", "", "`FORM`: pair, shares, halves (default: what fits the holders)")
	flags.IntVar(&f.make, "make", 0, "make the secret by chance, of so many `LETTERS`; without it, it is typed")
	flags.StringVar(&f.alphabet, "alphabet", seal.Alphabets[0].Name, "`NAME` of the letters of a made secret: letters that do not look like others, or digits")
	flags.StringVar(&f.reseals, "reseals", "", "sealed `FILE` whose place the new set takes; halligan reseal then does it")
	flags.StringArrayVar(&f.replaces, "replaces", nil, "sealed `FILE`, or the id of its set, whose secret is not good any more: the set is void once the new secret is sealed; once for each")
	complete(cmd, "form", string(seal.FormPair), string(seal.FormShares), string(seal.FormHalves))
	return cmd
}

func (c *console) askSeal(cmd *cobra.Command, f *wishFlags) error {
	if f.wish.Account == "" || len(f.wish.Holders)+len(f.wish.First)+len(f.wish.Second) == 0 {
		return misused(`for example --account ea-north@example.com --holder "Ana Weiss" --holder "Ben Ode"`, "of which account, and for whom?")
	}
	f.wish.Form = seal.Form(f.form)
	if f.seals != "" {
		for number := range strings.SplitSeq(f.seals, ",") {
			f.wish.Seals = append(f.wish.Seals, strings.TrimSpace(number))
		}
	}
	if f.make != 0 && f.reseals != "" {
		return misused("leave --make out: the secret is the one that was sealed", "--make and --reseals exclude each other")
	}
	if f.make != 0 {
		f.wish.Make = &app.Made{Alphabet: f.alphabet, Length: f.make}
	}
	if f.reseals != "" {
		old, err := app.ReadSealed(f.reseals)
		if err != nil {
			return err
		}
		f.calledAs(old, cmd.Flags())
		f.wish.Void = app.VoidOf(old, time.Now().UTC().Format(time.DateOnly))
	}
	if err := f.replaced(cmd.Flags()); err != nil {
		return err
	}
	subject, err := f.wish.Subject()
	if err != nil {
		return err
	}
	return c.ask(cmd.Context(), &f.askFlags, custody.VerbSeal, subject)
}

// calledAs calls the new set as the old one, which is of the same thing, unless somebody
// says otherwise.
func (f *wishFlags) calledAs(old *seal.File, flags *pflag.FlagSet) {
	if !flags.Changed("label") {
		f.wish.Label = old.Manifest.Label
	}
	if !flags.Changed("what") {
		f.wish.What = old.Manifest.What
	}
}

// replaced are the sets in whose place a new secret comes: by their files, or by their
// ids, which the log knows.
func (f *wishFlags) replaced(flags *pflag.FlagSet) error {
	if len(f.replaces) > 0 && f.reseals != "" {
		return misused("--reseals where the secret stays and the holders change; --replaces where there is a new secret", "--replaces and --reseals exclude each other")
	}
	for _, given := range f.replaces {
		if app.SetID(given) {
			f.wish.Replaces = append(f.wish.Replaces, given)
			continue
		}
		old, err := app.ReadSealed(given)
		if err != nil {
			return err
		}
		f.calledAs(old, flags)
		for _, v := range app.VoidOf(old, time.Now().UTC().Format(time.DateOnly)) {
			if !slices.ContainsFunc(f.wish.Void, func(has seal.Void) bool { return has.Set == v.Set }) {
				f.wish.Void = append(f.wish.Void, v)
			}
		}
		f.wish.Replaces = append(f.wish.Replaces, old.Manifest.Set)
	}
	return nil
}

// sealFlags are the flags of carrying out.
type sealFlags struct {
	placeFlags
	request, out, put    string
	show, secretToStdout bool
	papersToStdout       bool
	envelopes            envelopeFlags
}

func (f *sealFlags) add(flags *pflag.FlagSet) {
	f.placeFlags.add(flags)
	flags.StringVar(&f.request, "request", "", "`HASH` of the approved request, or its beginning")
	flags.StringVarP(&f.out, "out", "o", "", "`FILE` to write, such as account-1.sealed; it must not be there")
	flags.StringVar(&f.put, "put", "", "`NAME` of a place of the register whose put: command keeps the file, too")
	flags.BoolVar(&f.papersToStdout, "papers-to-stdout", false, "write what goes on paper to standard output, one after the other, for a printer behind a pipe")
	f.envelopes.add(flags)
}

func sealCommand(c *console) *cobra.Command {
	var f sealFlags
	cmd := &cobra.Command{
		Use:   "seal --request HASH --out FILE",
		Short: "seal a secret so that no one person can open it",
		Long: `Carry out an approved request to seal (halligan request seal). The secret is made here, or typed twice without being shown; it is
never an argument and never stands in a file that is not encrypted. The file is for several people together: halligan open
opens it, and so do age and a short program that the file carries, on a machine without Halligan.

What goes on paper is shown on this terminal, one person after the other, and the screen is cleared in between. For a printer
behind a pipe: --papers-to-stdout --envelopes pdf. That is one envelope for each person, and no file.
A made secret is shown once with --show, for whoever sets it in Entra.`,
		Example: "  halligan seal --request 5f0c2a71b9d4 --out account-1.sealed\n  halligan seal --request 5f0c2a71b9d4 --out account-1.sealed --papers-to-stdout --envelopes pdf | lp",
		Args:    takes(),
		RunE:    func(cmd *cobra.Command, _ []string) error { return c.seal(cmd.Context(), &f) },
	}
	f.add(cmd.Flags())
	cmd.Flags().BoolVar(&f.show, "show", false, "show the secret once on the terminal after it was sealed")
	cmd.Flags().BoolVar(&f.secretToStdout, "to-stdout", false, "write the secret to standard output, and nothing else there: for the program that sets it")
	return cmd
}

// required are the flags without which nothing can be carried out.
func (f *sealFlags) required() error {
	switch {
	case f.request == "":
		return misused("halligan request seal asks for it; halligan request list shows those that were approved", "which approved request is carried out? --request says it")
	case f.out == "":
		return misused("for example --out account-1.sealed", "into which file? --out says it")
	case f.papersToStdout && f.secretToStdout:
		return misused("give one of them", "--papers-to-stdout and --to-stdout exclude each other")
	}
	return nil
}

func (c *console) seal(ctx context.Context, f *sealFlags) (err error) {
	harden()
	if err := f.required(); err != nil {
		return err
	}
	if f.show && !isTerminal(c.stdout) {
		return misused("--to-stdout writes it to a program", "--show is for a terminal")
	}
	a, end, err := c.writing(ctx, &f.placeFlags)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	job, err := c.sealJob(ctx, a, f)
	if err != nil {
		return err
	}
	done, err := a.Seal(ctx, f.request, job)
	if done == nil {
		return notSealed(err)
	}
	defer done.Wipe()
	return errors.Join(err, c.tellSealed(f, done))
}

// sealJob is how this console seals. What would have nowhere to go is refused before
// anything is written.
func (c *console) sealJob(ctx context.Context, a *app.App, f *sealFlags) (*app.SealJob, error) {
	if err := c.envelopes(f); err != nil {
		return nil, err
	}
	if err := app.TakesSealed(f.out); err != nil {
		return nil, err
	}
	task, err := a.SealTask(ctx, f.request)
	if err != nil {
		return nil, err
	}
	if task.Papers > 0 && !f.papersToStdout && !(c.answers() && isTerminal(c.stdout)) {
		return nil, misused("give the command on a terminal; or --papers-to-stdout, with a printer behind the pipe", "%s shown to one person each, and there is no terminal", plural(task.Papers, "page is", "pages are"))
	}
	if how := f.envelopes.how; how != nil {
		if err := tryEnvelopes(how, task); err != nil {
			return nil, err
		}
	}
	job := &app.SealJob{Out: f.out, Talk: c.talk(), Secret: printable(f.envelopes.how, c.typedSecrets)}
	if f.put != "" {
		if job.Put, err = placeCalled(a.Register, f.put); err != nil {
			return nil, err
		}
		standing, err := a.CustodyStanding(ctx)
		if err != nil {
			return nil, err
		}
		if !standing.Stands() { // whoever can write the file could have written the command
			return nil, fmt.Errorf("run the command of place %s: %w", job.Put.Name, &app.UnrecordedError{Name: a.RegisterName})
		}
		c.say("runs", bold, strings.Join(job.Put.Put, " "))
	}
	return job, nil
}

// placeCalled finds a place of the register.
func placeCalled(r *register.Register, name string) (*register.Place, error) {
	var names []string
	for i := range r.Or().Places {
		if r.Places[i].Name == name {
			return &r.Places[i], nil
		}
		names = append(names, r.Places[i].Name)
	}
	return nil, &fault{exitFailed, fmt.Errorf("find place %q: the register has none of that name", name), suggest(name, names, "places: in halligan.yaml lists them")}
}

// talk is how people are asked and told here.
func (c *console) talk() *app.Talk {
	return &app.Talk{
		Ask: func(prompt string) (custody.Secret, error) {
			text, err := c.typed(prompt+" ", "give the command on a terminal: a passphrase is typed, and never an argument")
			return custody.NewSecret(text), err
		},
		AskOpen: func(prompt string) (string, error) {
			if !c.answers() {
				return "", misused("give the command on a terminal", "there is no terminal on which to ask")
			}
			_, _ = fmt.Fprint(c.stderr, escape(prompt)+" ")
			return c.readLine()
		},
		Say: func(text string) { c.say("key:", bold, text) },
	}
}

// typedSecrets asks for a secret, or for its halves, twice each.
func (c *console) typedSecrets(_ context.Context, t *app.SealTask) (out []custody.Secret, err error) {
	names := []string{t.What + " of " + t.Account}
	if t.Form == seal.FormHalves {
		names = []string{"first half of " + names[0], "second half of " + names[0]}
	}
	for _, name := range names {
		s, err := c.typedTwice(name)
		if err != nil {
			for _, before := range out {
				before.Wipe()
			}
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (c *console) typedTwice(name string) (custody.Secret, error) {
	const elsewhere = "give the command on a terminal, or ask for a secret that is made: halligan request seal --make LENGTH"
	first, err := c.typed(escape(name)+", not shown: ", elsewhere)
	if err != nil {
		return custody.Secret{}, err
	}
	second, err := c.typed("once more: ", elsewhere)
	if err == nil && string(first) != string(second) {
		err = &fault{exitFailed, errors.New("seal: what was typed the second time is not the same"), "nothing was sealed; give the command again"}
	}
	clear(second)
	if err != nil {
		clear(first)
	}
	return custody.NewSecret(first), err
}

func (c *console) tellSealed(f *sealFlags, done *app.SealDone) error {
	m := done.Sealed.Manifest
	to := c.stdout
	if f.secretToStdout || f.papersToStdout {
		to = c.stderr
	}
	p := c.page(to)
	p.styled(0, 2, bold, "Sealed", "in "+f.out+"; set "+m.Set)
	p.line(2, 4, "SHA-256, for the binder: "+strings.TrimPrefix(done.Sealed.Digest, "sha256:"))
	p.line(2, 4, fmt.Sprintf("%d of these open it, with halligan open or %s:", m.Need, m.Opens))
	for _, h := range m.Holders {
		half := ifElse(h.Half > 0, fmt.Sprintf(", half %d", h.Half), "")
		p.line(4, 6, fmt.Sprintf("%d  %s (%s)%s", h.Number, h.Name, kindWords[h.Kind], half))
	}
	for _, channel := range done.Task.Announce {
		p.line(2, 4, "halligan open tells "+channel)
	}
	for _, id := range done.Task.Voids() {
		p.line(2, 4, "Set "+id+" is void: its shares are refused by name.")
	}
	if done.Done != nil && done.Outcome > 0 {
		p.line(2, 4, fmt.Sprintf("recorded: entries %d to %d", done.Intent, done.Outcome))
	}
	if _, err := fmt.Fprint(to, p.b.String()); err != nil {
		return err
	}
	if err := c.showPapers(f, done); err != nil {
		return err
	}
	if err := c.showMade(f, done.Secrets); err != nil {
		return err
	}
	return c.tellKeeping(to, f, done)
}

// kindWords are what people have of each kind.
var kindWords = map[seal.Kind]string{seal.KindAge: "key of age", seal.KindHybrid: "post-quantum key of age", seal.KindSSH: "SSH key", seal.KindPlugin: "key of a plugin of age", seal.KindPaper: "paper"}

// clearScreen empties the screen and what was scrolled off it.
const clearScreen = "\x1b[2J\x1b[3J\x1b[H"

// showPapers shows each person what goes on their paper. What could not be shown is
// lost, and the error says what that means.
func (c *console) showPapers(f *sealFlags, done *app.SealDone) error {
	papers := done.Sealed.Papers
	if how := f.envelopes.how; how != nil && len(papers) > 0 {
		if err := c.writeEnvelopes(how, done.Sealed.Manifest, done.Task.Seals, papers); err != nil {
			return lostPapers(f, done, papers, err)
		}
		return nil
	}
	for i := range papers {
		show := c.showPaper
		if f.papersToStdout {
			show = c.writePaper
		}
		if err := show(&papers[i]); err != nil {
			return lostPapers(f, done, papers[i:], err)
		}
	}
	return nil
}

// paperName is what a paper is called.
func paperName(p *seal.Paper) string {
	if p.Half > 0 {
		return fmt.Sprintf("half %d", p.Half)
	}
	return fmt.Sprintf("share %d", p.Number)
}

// showPaper shows a paper to one person on the terminal.
func (c *console) showPaper(p *seal.Paper) (err error) {
	if err := c.pressed(fmt.Sprintf("\n%s of set %s is for %s. Press Enter when nobody else looks on. ", paperName(p), p.Set, escape(p.Holder))); err != nil {
		return err
	}
	if _, err := fmt.Fprint(c.stdout, clearScreen); err != nil {
		return err
	}
	defer func() {
		_, clearErr := fmt.Fprint(c.stdout, clearScreen)
		err = errors.Join(err, clearErr)
	}()
	if err := c.printPaper(p); err != nil {
		return err
	}
	return c.pressed("\nPress Enter when it is on paper. ")
}

// writePaper writes a paper for a printer.
func (c *console) writePaper(p *seal.Paper) error {
	err := c.printPaper(p)
	if err == nil {
		_, err = fmt.Fprint(c.stdout, "\f") // a new page
	}
	return err
}

func (c *console) printPaper(p *seal.Paper) error {
	if _, err := fmt.Fprintf(c.stdout, "%s of set %s, for %s\n\n%s\n", paperName(p), p.Set, escape(p.Holder), p.QR.Reveal()); err != nil {
		return err
	}
	for i, row := range strings.Split(string(p.Words.Reveal()), "\n") {
		if row == "" {
			continue
		}
		if _, err := fmt.Fprintf(c.stdout, "%d  %s\n", i+1, row); err != nil {
			return err
		}
	}
	return nil
}

// lostPapers says what it means that papers were not given out: they stand nowhere
// else.
func lostPapers(f *sealFlags, done *app.SealDone, lost []seal.Paper, cause error) error {
	m := done.Sealed.Manifest
	without := map[string]bool{}
	var names []string
	for _, p := range lost {
		without[p.Holder] = true
		names = append(names, p.Holder)
	}
	var have []string
	halves := map[int]bool{}
	for _, h := range m.Holders {
		if !without[h.Name] {
			have = append(have, h.Name)
			halves[h.Half] = true
		}
	}
	so := fmt.Sprintf("%s not %s to the end (%s), and nothing keeps them: set %s cannot be completed",
		plural(len(lost), "page was", "pages were"), ifElse(f.papersToStdout, "written", "shown"), strings.Join(names, ", "), m.Set)
	if (f.show || f.secretToStdout) && done.Task.Make != nil {
		so += "; nor was the secret shown that was made"
	}
	hint := "ask anew and seal anew: halligan request seal. Until then " + f.out + " is valid: " + strings.Join(have, ", ") + fmt.Sprintf(" can open it, %d together", m.Need)
	if len(have) < m.Need || m.Form == seal.FormHalves && !(halves[1] && halves[2]) {
		hint = "ask anew and seal anew: halligan request seal. Destroy " + f.out + ": nobody can open it"
	}
	if interrupted(cause) {
		return &interruption{so, hint}
	}
	return &fault{exitFailed, fmt.Errorf("give out the papers: %w: %s", cause, so), hint}
}

// showMade gives out a secret that must be set somewhere.
func (c *console) showMade(f *sealFlags, secrets []custody.Secret) (err error) {
	if !f.show && !f.secretToStdout {
		return nil
	}
	if f.show {
		defer func() {
			_, clearErr := fmt.Fprint(c.stdout, clearScreen)
			err = errors.Join(err, clearErr)
		}()
	}
	for _, s := range secrets {
		if _, err := c.stdout.Write(s.Reveal()); err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintln(c.stdout); err != nil || !f.show {
		return err
	}
	if err = c.pressed("Press Enter when it is set. "); interrupted(err) {
		return &interruption{"the secret is sealed in " + f.out + ", and was shown", "if it is not set yet, set it, or ask anew and seal another"}
	}
	return err
}

// notSealed says what is so when somebody pressed Ctrl-C before anything was sealed.
func notSealed(err error) error {
	if _, used := errors.AsType[*app.UsedError](err); !used && interrupted(err) {
		return &interruption{"nothing was sealed, and the request stays approved", "give the command again"}
	}
	return err
}

// detail is one value of the details in words.
func detail(value any) string {
	switch v := value.(type) {
	case map[string]any:
		var words []string
		for _, key := range slices.Sorted(maps.Keys(v)) {
			words = append(words, key+" "+detail(v[key]))
		}
		return strings.Join(words, ", ")
	case []any:
		var words []string
		for _, one := range v {
			words = append(words, detail(one))
		}
		return strings.Join(words, ", ")
	}
	return fmt.Sprint(value)
}
