package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"halligan/custody"
	"halligan/internal/app"
	"halligan/lockout"
	"halligan/register"
)

// surviveFlags are the flags of survive.
type surviveFlags struct {
	register, scenario, format, output string
	side                               sideFlags
	record                             recordFlags
	all                                bool
}

// surviveFormats are the forms in which the report can be written.
var surviveFormats = []form[*app.SurviveReport]{
	{"text", []string{".txt", ".log"}, writeSurviveText},
	{"json", []string{".json"}, func(w io.Writer, r *app.SurviveReport, _ look) error { return indented(w, r) }},
	{"markdown", []string{".md", ".markdown", ".txt"}, writeSurviveMarkdown},
	{"html", []string{".html", ".htm"}, writeSurviveHTML},
}

func surviveCommand(c *console) *cobra.Command {
	var f surviveFlags
	cmd := &cobra.Command{
		Use:   "survive",
		Short: "tell what can be lost before no emergency account can be opened, and who could open one",
		Long: `Read from the register who holds what where, and tell what survives which loss: a person, a place, a site with all its places, a
key, a key model, a PIN, half or share, and the services and settings on which a sign-in rests.

First comes the judgement. It HOLDS when an account can be opened after the loss of any one place, site, key, key model or person,
or of any two people, and in every scenario; and when each account takes two people who are not of one line of management or one
role. Then, for each scenario and each single loss: who still gets in, with what, where. Then every smallest set of losses, of
three at most, that ends it, and every smallest set of people who could open an account. All of this is exact for what is recorded.
Whoever can open a place counts as having what lies in it: a seal shows that it was done and does not prevent it.

A part that was found missing (halligan custody verify --state missing) counts as lost, where the evidence is here and answers at
once; a broken seal is told. Without it the report says that what was found at the last looks is not known, or that the evidence did
not answer.

What is not recorded is not known, and not known is told apart: such a loss is "possible". From the register alone, which takes no
network and no tenant, the tenant's side is not known either: whether a group or a policy would shut an account out. With --live or
--from each way is proved on what was read, with the credentials of that way alone. A tenant that cannot be read leaves the answer of
the register, which says so.

Scenarios: ` + strings.Join(custody.ScenarioNames(), ", ") + `.

Exit codes: 0 holds, 3 a rule is broken, 5 not known, or the tenant was to be read (--live) and could not be,
or the evidence is there and does not answer.`,
		Example: `  halligan survive
  halligan survive --live --record
  halligan survive --register examples/custody/indefent.yaml
  halligan survive --scenario office-burnt
  halligan survive --from export/
  halligan survive --format html -o survive.html`,
		Args: takes(),
		RunE: func(cmd *cobra.Command, _ []string) error { return c.survive(cmd.Context(), &f) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.register, "register", "", "`FILE` of the register (default: "+registerFile+")")
	f.side.add(cmd)
	f.record.add(flags)
	flags.StringVar(&f.scenario, "scenario", "", "`NAME` of the one scenario to tell: "+strings.Join(custody.ScenarioNames(), ", "))
	flags.StringVar(&f.format, "format", "", "`FORM` of the report: "+strings.Join(formNames(surviveFormats), ", ")+" (default: text, or by the name after -o)")
	flags.StringVarP(&f.output, "output", "o", "", "`FILE` to write the report to (default: stdout)")
	flags.BoolVar(&f.all, "all", false, "tell every loss and set, not only those that end it or may; losses that leave the same ways in stand together")
	complete(cmd, "scenario", custody.ScenarioNames()...)
	complete(cmd, "format", formNames(surviveFormats)...)
	return cmd
}

func (c *console) survive(ctx context.Context, f *surviveFlags) error {
	format, err := chooseForm(surviveFormats, f.format, f.output)
	if err != nil {
		return err
	}
	r, name, err := requiredRegister(f.register)
	if err != nil {
		return err
	}
	held, silent := c.heldOf(ctx, r, f.register, &f.record)
	if silent != nil {
		c.say("warning:", yellow, "the evidence does not answer: "+silent.Error())
	}
	req := app.SurviveRequest{Register: r, RegisterName: name, Held: held, Silent: silent, Scenario: f.scenario,
		ProveRequest: app.ProveRequest{Now: lockout.Date(time.Now().UTC().Format(time.DateOnly)), Tool: "halligan " + versionName()}}
	var closed func()
	if req.Unread, closed, err = c.side(ctx, &f.side, &req.ProveRequest, f.register); err != nil {
		return err
	}
	defer closed()
	done := c.progress(&req.ProveRequest)
	report, err := app.Survive(ctx, req)
	done()
	if err != nil {
		return asMisuse(asUnread(err))
	}
	var out bytes.Buffer
	l := look{columns: width(c.stdout, c.getenv), paint: c.paintOn(c.stdout), all: f.all}
	if f.output != "" {
		l.paint = false
	}
	if err := format.write(&out, report, l); err != nil {
		return fmt.Errorf("write report: %w", err)
	}
	if err := c.deliver(f.output, out.Bytes()); err != nil {
		return err
	}
	c.tellUnread(report.Unread)
	c.tellTroubles(&app.Report{Troubles: report.Troubles}, true)
	c.warnRegister(ctx, r, f.register, &f.record)
	if f.record.on {
		if err := c.record(ctx, f.register, &f.record, app.RecordOfSurvival(report, r, register.DigestOf(out.Bytes()))); err != nil {
			return err
		}
	}
	code := map[custody.Answer]exitCode{custody.Yes: exitDone, custody.No: exitTrouble, custody.Maybe: exitUndetermined}[report.Holds]
	if report.Unread != nil || silent != nil {
		code = worse(code, exitUndetermined)
	}
	return ended(code)
}

// surviveView is the report in the order and words in which a person reads it.
// Its texts are raw: each writer escapes for its own form.
type surviveView struct {
	*app.SurviveReport
	Mark, Word string
	Notes      []string
	Ways       []string    // as they are now
	Days       []trialView // the scenarios
	Singles    []trialView // the losses that matter
	Quiet      []string    // of the losses that do not
	Sets       []setsView
	Openings   []openingView
}

// trialView is a loss, and who still gets in with what.
type trialView struct {
	Mark, Word, Title, Note string
	Left                    string   // the ways in by name
	Full                    []string // the ways in, with what, where
	More                    []string // what takes the others
	Many                    bool     // Title names every loss that leaves the same
}

// setsView are sets of losses of one certainty.
type setsView struct {
	Title, None string
	Items       []setView
}

type setView struct {
	Text string
	Why  []string
}

type openingView struct {
	Name, Mark, Word, Note string
	Sets                   []setView
}

var surviveWords = map[custody.Answer][2]string{custody.Yes: {"✓", "HOLDS"}, custody.No: {"✗", "BROKEN"}, custody.Maybe: {"?", "NOT KNOWN"}}
var standingWords = map[custody.Answer][2]string{custody.Yes: {"✓", "can be opened"}, custody.No: {"✗", "cannot be opened"}, custody.Maybe: {"?", "not known"}}
var twoPeopleWords = map[custody.Answer][2]string{custody.Yes: {"✓", "takes two people"}, custody.No: {"✗", "does not take two people"}, custody.Maybe: {"?", "not known"}}

func answerStyle(a custody.Answer) style {
	return map[custody.Answer]style{custody.Yes: green, custody.No: red, custody.Maybe: yellow}[a]
}

// setsShown bounds the lines of sets in a report for people; JSON has all.
const setsShown = 16

func viewSurvive(r *app.SurviveReport, all bool) *surviveView {
	v := &surviveView{SurviveReport: r, Mark: surviveWords[r.Holds][0], Word: surviveWords[r.Holds][1]}
	for _, s := range r.Remarks {
		v.Notes = append(v.Notes, "! "+s)
	}
	if r.Holds == custody.No {
		for _, s := range r.Open {
			v.Notes = append(v.Notes, "? "+s)
		}
	}
	for i := range r.Now {
		v.Ways = append(v.Ways, fullWay(&r.Now[i])+ifElse(r.Now[i].Why == "", "", " ("+r.Now[i].Why+")"))
	}
	for i := range r.Scenarios {
		v.Days = append(v.Days, viewTrial(&r.Scenarios[i], all))
	}
	quiet := 0
	var open []string // services that are not known
	for i := range r.Losses {
		t := &r.Losses[i]
		service := t.Lost[0].Service()
		switch {
		case all:
		case t.Works == custody.No, !service && t.Works == custody.Maybe, !service && t.Lost[0].Kind != custody.LossPart:
			v.Singles = append(v.Singles, viewTrial(t, all))
		case t.Works == custody.Yes:
			quiet++
		default:
			open = append(open, t.Title)
		}
	}
	if all {
		v.Singles = groupTrials(r.Losses)
	}
	if len(open) > 0 {
		v.Quiet = append(v.Quiet, "? not known after the loss of "+strings.Join(open, ", "))
	}
	if quiet > 0 {
		v.Quiet = append(v.Quiet, "✓ "+plural(quiet, "other loss leaves", "other losses leave")+" an account that can be opened")
	}
	if r.Sets != nil {
		v.Sets = viewSets(r.Sets, all)
	}
	for _, o := range r.Openings {
		v.Openings = append(v.Openings, viewOpening(o, all))
	}
	return v
}

func viewTrial(t *app.SurviveTrial, all bool) trialView {
	v := trialView{Mark: standingWords[t.Works][0], Word: standingWords[t.Works][1], Title: t.Title, Note: t.Unclear}
	by := map[custody.Answer][]string{}
	var why []string
	reasons := map[string][]string{}
	for i := range t.Ways {
		w := &t.Ways[i]
		by[w.Works] = append(by[w.Works], w.Label)
		if w.Works == t.Works && w.Works != custody.No {
			v.Full = append(v.Full, fullWay(w))
		}
		if w.Why != "" {
			if reasons[w.Why] == nil {
				why = append(why, w.Why)
			}
			reasons[w.Why] = append(reasons[w.Why], w.Label)
		}
	}
	if n := len(by[custody.Yes]); n > 1 && n == len(t.Ways) {
		v.Left, v.Full = "every way in is left", nil
	} else if n > 0 {
		v.Left = "left: " + strings.Join(by[custody.Yes], ", ")
	}
	if len(by[custody.Maybe]) > 0 {
		v.Left += ifElse(v.Left == "", "", "; ") + "perhaps " + strings.Join(by[custody.Maybe], ", ")
	}
	if t.Works == custody.Yes && !all {
		return v
	}
	for _, w := range why {
		v.More = append(v.More, strings.Join(reasons[w], ", ")+": "+w)
	}
	return v
}

// groupTrials tells every loss, those together that leave the same ways in: first what
// ends it, then what may, then what leaves fewer ways, last what leaves all. With what
// a way opens stands above, once.
func groupTrials(losses []app.SurviveTrial) []trialView {
	type group struct {
		view  trialView
		names []string
		rank  int
	}
	var groups []*group
	find := map[string]*group{}
	for i := range losses {
		t := &losses[i]
		one := viewTrial(t, true)
		left := 0
		for _, w := range t.Ways {
			if w.Works == custody.Yes {
				left++
			}
		}
		rank := map[custody.Answer]int{custody.No: -2, custody.Maybe: -1, custody.Yes: left}[t.Works]
		key := fmt.Sprint(rank, "\x00", one.Left, "\x00", one.Note)
		g := find[key]
		if g == nil {
			g = &group{view: trialView{Mark: one.Mark, Word: one.Word, Note: one.Note, Left: one.Left, Many: true}, rank: rank}
			find[key], groups = g, append(groups, g)
		}
		g.names = append(g.names, t.Title)
		for _, why := range one.More {
			if t.Works != custody.Yes && !slices.Contains(g.view.More, why) {
				g.view.More = append(g.view.More, why)
			}
		}
	}
	slices.SortStableFunc(groups, func(a, b *group) int { return a.rank - b.rank })
	var out []trialView
	for _, g := range groups {
		g.view.Title = strings.Join(g.names, ", ")
		out = append(out, g.view)
	}
	return out
}

// fullWay tells a way with all that it takes.
func fullWay(w *custody.Standing) string {
	who, _, _ := strings.Cut(w.Name, "@")
	return w.Way + ", which opens " + ifElse(who == "", string(w.Account), who) + ifElse(len(w.With) == 0, "", ": "+strings.Join(w.With, "; "))
}

// productText writes a set, or many in one: this or that, together with these.
func productText(lists [][]string) string {
	var parts []string
	for _, list := range lists {
		text := strings.Join(list, " or ")
		if len(list) > 2 {
			text = "one of " + strings.Join(list[:len(list)-1], ", ") + " and " + list[len(list)-1]
		}
		if len(list) > 1 && len(lists) > 1 {
			text = "(" + text + ")"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, " together with ")
}

func viewSets(sets *custody.LossSets, all bool) []setsView {
	var out []setsView
	for _, of := range []struct {
		title, none string
		list        []custody.LossSet
		least       int
	}{
		{"Ends it for certain", "no loss of up to " + fmt.Sprint(sets.Limit) + " does", sets.Certain, sets.Least},
		{"May end it, by what is not known", "nothing more of up to " + fmt.Sprint(sets.Limit) + " does", sets.Possible, sets.LeastPossible},
	} {
		v := setsView{Title: of.title}
		if len(of.list) == 0 {
			v.None = of.none
			switch {
			case of.least == -1:
				v.None = "nothing that is recorded does"
			case of.least == -2:
				v.None += "; the least number was not found, for all the ways there are"
			case of.least > sets.Limit:
				v.None += "; the fewest are " + fmt.Sprint(of.least)
			}
		}
		var lost [][]custody.Loss
		for _, s := range of.list {
			lost = append(lost, s.Lost)
		}
		products := custody.Products(lost, func(l custody.Loss) string { return string(l.Kind) + "/" + l.ID })
		for i, p := range products {
			if i == setsShown && !all {
				v.Items = append(v.Items, setView{Text: "and " + plural(len(products)-i, "other kind of set", "other kinds of sets") + " (--all, or --format json)"})
				break
			}
			var lists [][]string
			for _, list := range p.Of {
				var names []string
				for _, l := range list {
					names = append(names, l.String())
				}
				lists = append(lists, names)
			}
			text := productText(lists)
			if len(p.Of) == 0 {
				text = "nothing more has to be lost"
			}
			v.Items = append(v.Items, setView{text, of.list[p.First].Why})
		}
		out = append(out, v)
	}
	return out
}

func viewOpening(o *custody.Openings, all bool) openingView {
	two := o.TwoPeople()
	v := openingView{Name: o.Name, Mark: twoPeopleWords[two][0], Word: twoPeopleWords[two][1]}
	if v.Name == "" {
		v.Name = string(o.Account)
	}
	switch {
	case o.Reset:
		v.Note = "it is opened by a reset, which one person can do alone (S108)"
	case o.Unknown:
		v.Note = "how the account is opened is not recorded"
	case o.Cut:
		v.Note = "there are too many sets to tell them all"
	}
	for _, p := range o.Places {
		v.Sets = append(v.Sets, setView{"place " + p.Place + ifElse(p.Certain, "", " perhaps") + " holds all that opens it", []string{p.Way}})
	}
	for _, gap := range o.Unrecorded {
		v.Sets = append(v.Sets, setView{"perhaps somebody who is not recorded: " + gap, nil})
	}
	for i, list := range [][]custody.Opening{o.Certain, o.Possible} {
		// Sets that break the rule are told one by one.
		rest := slices.DeleteFunc(slices.Clone(list), func(x custody.Opening) bool { return x.Breaks() })
		how := ifElse(i == 1, "perhaps ", "")
		for _, x := range list {
			switch {
			case len(x.People) == 1:
				v.Sets = append(v.Sets, setView{how + x.People[0] + " alone", x.Why})
			case x.Line != "":
				v.Sets = append(v.Sets, setView{how + strings.Join(x.People, " together with ") + " – not independent: " + x.Line, x.Why})
			}
		}
		var people [][]string
		for _, x := range rest {
			people = append(people, x.People)
		}
		for j, p := range custody.Products(people, func(s string) string { return s }) {
			if j == setsShown && !all {
				v.Sets = append(v.Sets, setView{Text: "and others (--all, or --format json)"})
				break
			}
			v.Sets = append(v.Sets, setView{how + productText(p.Of), rest[p.First].Why})
		}
	}
	return v
}

// writeSurviveText writes the report for a person at a terminal.
func writeSurviveText(w io.Writer, r *app.SurviveReport, l look) error {
	p := &page{look: l}
	v := viewSurvive(r, l.all)
	p.styled(0, 2, answerStyle(r.Holds), v.Word, "– "+r.Judgement)
	p.line(2, 0, "Rests on "+r.Basis+".")
	for _, s := range v.Notes {
		p.line(2, 2, s)
	}
	if r.Circle.Empty() && !l.all {
		p.line(2, 2, "Nobody wrote down what lies where, so nothing more can be told. Begin with halligan custody place and halligan custody add, or write places: and parts: into halligan.yaml. What it takes to open each account: --all.")
		_, err := io.WriteString(w, p.b.String())
		return err
	}
	p.list("Ways in, with what, where", v.Ways)
	p.heading("Lost → who still gets in")
	for i := range v.Days {
		p.trial(&v.Days[i])
	}
	if len(v.Singles) > 0 {
		p.heading(ifElse(l.all, "Each single loss: what is left ← after the loss of", "Each single loss"))
		for i := range v.Singles {
			p.trial(&v.Singles[i])
		}
	}
	for _, text := range v.Quiet {
		p.line(4, 2, text)
	}
	for _, s := range v.Sets {
		p.heading(s.Title)
		if s.None != "" {
			p.line(4, 2, s.None)
		}
		p.sets(s.Items)
	}
	for _, o := range v.Openings {
		p.heading("Who could open " + o.Name)
		p.line(4, 2, o.Mark+" "+o.Word+ifElse(o.Note != "", ": "+o.Note, ""))
		p.sets(o.Sets)
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

func (p *page) trial(t *trialView) {
	if t.Many {
		what := t.Word + ifElse(t.Left != "", "; "+t.Left, "")
		if t.Word == standingWords[custody.Yes][1] {
			what = t.Left
		}
		p.styled(4, 6, relationStyle(t.Mark), t.Mark, what+ifElse(t.Note != "", ": "+t.Note, "")+" ← "+t.Title)
		for _, text := range t.More {
			p.line(8, 2, text)
		}
		return
	}
	p.styled(4, 2, relationStyle(t.Mark), t.Mark, t.Title+" → "+ifElse(t.Word == standingWords[custody.Yes][1], t.Left, t.Word+ifElse(t.Left != "", "; "+t.Left, ""))+ifElse(t.Note != "", ": "+t.Note, ""))
	if p.all {
		for _, text := range t.Full {
			p.line(8, 2, text)
		}
	}
	for _, text := range t.More {
		p.line(8, 2, text)
	}
}

func (p *page) sets(items []setView) {
	for _, s := range items {
		p.line(4, 2, "• "+s.Text)
		for _, why := range s.Why {
			p.line(8, 2, why)
		}
	}
}

// writeSurviveMarkdown writes the report as Markdown.
func writeSurviveMarkdown(w io.Writer, r *app.SurviveReport, l look) error {
	m := &markdown{}
	v := viewSurvive(r, l.all)
	m.line("# Survivability: %s", v.Word)
	m.line("\n%s %s.\n\nRests on %s.", v.Mark, r.Judgement, r.Basis)
	m.list("Notes", v.Notes)
	m.list("Ways in, with what, where", v.Ways)
	m.line("\n## Lost → who still gets in\n\n| lost | | with what, where |\n|---|---|---|")
	for _, list := range [][]trialView{v.Days, v.Singles} {
		for _, t := range list {
			m.line("| %s | %s | %s |", t.Title, t.Mark+" "+t.Word, strings.Join(slices.DeleteFunc(slices.Concat([]string{t.Left, t.Note}, t.Full, t.More), func(s string) bool { return s == "" }), "; "))
		}
	}
	for _, text := range v.Quiet {
		m.line("\n%s.", text)
	}
	section := func(title, none string, items []setView) {
		m.line("\n## %s\n", title)
		if none != "" {
			m.line("%s.", none)
		}
		for _, s := range items {
			m.line("- %s", s.Text)
			for _, why := range s.Why {
				m.line("  - %s", why)
			}
		}
	}
	for _, s := range v.Sets {
		section(s.Title, s.None, s.Items)
	}
	for _, o := range v.Openings {
		section("Who could open "+o.Name, o.Mark+" "+o.Word+ifElse(o.Note != "", ": "+o.Note, ""), o.Sets)
	}
	_, err := io.WriteString(w, m.b.String())
	return err
}
