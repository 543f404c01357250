package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/internal/app"
	"halligan/lockout"
)

// reportView is a report in the order and words in which a person reads it. The
// terminal, Markdown and HTML forms differ in layout, not in what they say.
// Its texts are raw: each writer escapes for its own form.
type reportView struct {
	*app.Report
	Title    string
	Word     string   // the verdict of the whole report
	Facts    []string // one line each, about the whole run
	Accounts []accountView
	ForAll   []string
	Fixed    []string
	Exists   []string
	Change   *changeView
	Common   []string // single points of failure of several accounts
	NotRead  []string
	Noted    []string
}

type accountView struct {
	*app.AccountReport
	names    names
	Heading  string
	Intro    string
	Verdicts []verdictView
	Rows     []policyRow
	Hidden   string // what Rows leaves out, in words
	Excluded string // what an exclusion does not do, when there is one
	Gates    []gateRow
	Settle   []app.Settlement
	More     int // settlements left out
	Sections []section
}

// waits tells how much hangs on a settlement.
func waits(s *app.Settlement) string {
	if s.Touches == 0 {
		return ""
	}
	return " (" + plural(s.Touches, "policy or gate waits", "policies and gates wait") + ")"
}

// section is a titled list; one without items is left out.
type section struct {
	Title string
	Items []string
}

type verdictView struct {
	*app.GoalReport
	Word   string
	Title  string
	Beside string // why the goal does not count
	Told   string // the sentence, without a reason that was told before
}

type policyRow struct {
	Relation   lockout.Relation
	Mark, Word string
	Name, ID   string
	Why        string
	Goals      string // which goals, when not all alike
	Place      string
}

type gateRow struct {
	Mark, Word string
	Text       string
	Goals      string
}

// fewSettlements is how many unknowns a person reads before looking away.
const fewSettlements = 5

// relationWords name the relations in the order in which they matter.
var relationWords = []struct {
	relation   lockout.Relation
	mark, word string
}{
	{lockout.RelBlocks, "✗", "blocks"},
	{lockout.RelUnknown, "?", "not known"},
	{lockout.RelExcluded, "↷", "excluded"},
	{lockout.RelSatisfied, "✓", "satisfied"},
	{lockout.RelNotInScope, "·", "not in scope"},
	{lockout.RelNotEnabled, "○", "not enabled"},
}

func relationAt(r lockout.Relation) int {
	for i := range relationWords {
		if relationWords[i].relation == r {
			return i
		}
	}
	return 1 // a relation that we cannot name is not known
}

func viewOf(r *app.Report, all bool) *reportView {
	v := &reportView{Report: r, Word: string(r.Verdict)}
	if r.Verdict == lockout.Proved && slices.ContainsFunc(r.Accounts, func(a *app.AccountReport) bool { return a.Supposing }) {
		v.Word += " supposing"
	}
	v.Title = "Emergency access: " + v.Word
	v.Facts = append(v.Facts, reading(r))
	titles := map[string]string{}
	for _, g := range r.Goals {
		titles[g.Name] = goalTitle(&g)
	}
	for _, a := range r.Accounts {
		v.Accounts = append(v.Accounts, viewAccount(a, titles, r.Names, all))
	}
	v.ForAll, v.Fixed, v.Exists = envelopeLines(r, titles)
	if r.Change != nil {
		v.Change = viewChange(r.Change, titles)
	}
	v.NotRead = troubleLines(r.Troubles, "")
	if r.Change != nil {
		v.NotRead = append(v.NotRead, troubleLines(r.Change.Troubles, " (in the change)")...)
	}
	v.Noted = troubleLines(r.Notes, "")
	if r.Independence != nil {
		for _, e := range r.Independence.SinglePoints {
			v.Common = append(v.Common, eventText(e, namesOf(r.Accounts)))
		}
	}
	return v
}

func troubleLines(troubles []entra.Trouble, suffix string) []string {
	var out []string
	for _, t := range troubles {
		out = append(out, strings.TrimPrefix(placed(t.File, t.Line, t.Column)+": ", ": ")+t.What+suffix)
	}
	return out
}

// envelope tells the envelope in up to three lines.
func (v *reportView) envelope() []string {
	var out []string
	for _, part := range []struct {
		words string
		list  []string
	}{{"whatever the ", v.ForAll}, {"only for ", v.Fixed}, {"the operator chooses ", v.Exists}} {
		if len(part.list) > 0 {
			out = append(out, names(v.Names).within(part.words+strings.Join(part.list, ", ")))
		}
	}
	return out
}

func goalTitle(g *app.GoalInfo) string {
	if strings.HasPrefix(g.Name, "recover:") {
		return "repair from " + g.Title
	}
	return g.Title
}

func reading(r *app.Report) string {
	s := ""
	if t := r.Tenant; t.ID != "" {
		s = "tenant " + string(t.ID)
		if t.Name != "" {
			s = t.Name + " (" + s + ")"
		}
		if t.Taken != "" {
			s += ", read " + strings.Replace(strings.TrimSuffix(t.Taken, "Z"), "T", " ", 1) + " UTC"
		}
		s += ": "
	}
	s += plural(r.PoliciesRead, "policy", "policies") + " read"
	if r.Date != "" {
		s += ", judged for " + string(r.Date)
	}
	if r.Incomplete {
		s += "; the input is incomplete"
	}
	return s
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func viewAccount(a *app.AccountReport, titles map[string]string, n names, all bool) accountView {
	v := accountView{AccountReport: a, names: n, Heading: a.Label(), Intro: introOf(a)}
	var reasons, also, leans, warnings, recovery []string
	var blast []section
	for _, g := range a.Goals {
		word := string(g.Outcome)
		if g.Outcome == lockout.Proved && len(g.Supposing) > 0 {
			word += " supposing"
		}
		vv := verdictView{GoalReport: g, Word: word, Title: titles[g.Goal], Told: g.Sentence}
		if g.Outcome == lockout.Proved {
			vv.Told = g.Claim // the word says "supposing" already
		}
		if c := g.Counterexample; c != nil {
			if slices.Contains(reasons, c.Sentence) && strings.Contains(g.Sentence, c.Sentence) {
				vv.Told = g.Claim + ", for the same reason"
			}
			reasons = append(reasons, c.Sentence)
		}
		for _, c := range g.Also {
			if !g.Counts {
				break
			}
			also = appendNew(also, c.Sentence)
		}
		if !g.Counts {
			vv.Beside = "another way in; it does not count"
		}
		v.Verdicts = append(v.Verdicts, vv)
		leans = appendNew(leans, leanLines(g)...)
		warnings = appendNew(warnings, g.Warnings...)
		if s := blastText(g); s != "" {
			blast = append(blast, section{titles[g.Goal], []string{s}})
		}
		if all || g.Outcome == lockout.Lockout { // otherwise it repeats what was not read
			recovery = appendNew(recovery, recoveryLines(g)...)
		}
	}
	v.addRows(titles, all)
	if slices.ContainsFunc(v.Rows, func(row policyRow) bool { return row.Relation == lockout.RelExcluded }) {
		v.Excluded = app.BesideExclusion("")
	}
	v.addGates(titles, all)
	v.Settle = a.Settle
	if !all && len(v.Settle) > fewSettlements {
		v.Settle, v.More = v.Settle[:fewSettlements], len(v.Settle)-fewSettlements
	}
	v.Settle = slices.Clone(v.Settle)
	for i := range v.Settle {
		if more := len(v.Settle[i].Subjects) - 1; more > 0 {
			v.Settle[i].What += fmt.Sprintf(", and %d more like it", more)
		}
	}
	var supposed []string
	for _, s := range a.Suppositions {
		supposed = append(supposed, s.Expression+" – "+s.Meaning)
	}
	for _, s := range []section{{"Other sign-ins that fail", also}, {"Supposing", supposed}, {"Other ways to repair", recovery}, {"How much is denied", titled(blast)},
		{"Margin", marginLines(a)}, {"Leans on", leans}, {"To know", warnings}} {
		if len(s.Items) > 0 {
			v.Sections = append(v.Sections, s)
		}
	}
	return v
}

func appendNew(list []string, items ...string) []string {
	for _, item := range items {
		if !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}

func ifElse(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

func introOf(a *app.AccountReport) string {
	c := a.Candidate
	switch {
	case c == nil && a.Name != "":
		return string(a.Account)
	case c == nil:
		return ""
	case c.Kind == app.CandidateNobody:
		return "a hypothesis: no policy excludes anybody, so this is any account"
	}
	which := "if this is your emergency account"
	if c.Kind == "group" {
		which = "if this group holds your emergency accounts"
	}
	among := plural(c.Enabled, "enabled policy", "enabled policies")
	if len(a.Goals) > 0 && !slices.ContainsFunc(a.Goals[0].Policies, func(l lockout.PolicyLine) bool { return l.State == string(entra.StateEnabled) }) {
		among = plural(c.Enabled, "policy", "policies") + ", and no policy is enabled"
	}
	return fmt.Sprintf("a hypothesis, %s: %s %s is excluded from %d of %s", which, c.Kind, c.ID, c.Excluded, among)
}

// addRows lays the policies of all goals over each other: what is the same for
// every goal is told once.
func (v *accountView) addRows(titles map[string]string, all bool) {
	type key struct {
		policy   string
		relation lockout.Relation
		why      string
	}
	var order []key
	lines := map[key]*lockout.PolicyLine{}
	goals := map[key][]string{}
	for _, g := range v.Goals {
		for i := range g.Policies {
			l := &g.Policies[i]
			k := key{l.Policy, l.Relation, l.Why}
			if lines[k] == nil {
				lines[k] = l
				order = append(order, k)
			}
			goals[k] = append(goals[k], titles[g.Goal])
		}
	}
	var rows []policyRow
	for _, k := range order {
		l := lines[k]
		at := relationAt(l.Relation)
		row := policyRow{Relation: l.Relation, Mark: relationWords[at].mark, Word: relationWords[at].word, Name: l.Name, ID: l.Policy, Why: l.Why}
		if l.Relation == lockout.RelUnknown && len(l.Unknowns) > 0 {
			row.Why = l.Unknowns[0].What
		}
		row.Why = v.names.within(row.Why)
		if len(goals[k]) < len(v.Goals) {
			row.Goals = strings.Join(goals[k], ", ")
		}
		if l.File != "" {
			row.Place = placed(l.File, l.Line, 0)
		}
		rows = append(rows, row)
	}
	slices.SortStableFunc(rows, func(a, b policyRow) int {
		return cmp.Or(cmp.Compare(relationAt(a.Relation), relationAt(b.Relation)), cmp.Compare(a.Name, b.Name))
	})
	v.Rows = rows
	if all {
		return
	}
	telling := tellingRelations(v.AccountReport)
	hidden := map[lockout.Relation]int{}
	v.Rows = slices.DeleteFunc(rows, func(row policyRow) bool {
		hide := !slices.Contains(telling, row.Relation)
		if hide {
			hidden[row.Relation]++
		}
		return hide
	})
	var parts []string
	for _, w := range relationWords {
		if n := hidden[w.relation]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, w.word))
		}
	}
	v.Hidden = strings.Join(parts, ", ")
}

// tellingRelations are those that explain a verdict: what denies, what may deny,
// or, when nothing does, why not.
func tellingRelations(a *app.AccountReport) []lockout.Relation {
	switch a.Verdict {
	case lockout.Lockout:
		return []lockout.Relation{lockout.RelBlocks}
	case lockout.Proved:
		return []lockout.Relation{lockout.RelBlocks, lockout.RelUnknown, lockout.RelExcluded, lockout.RelSatisfied}
	}
	return []lockout.Relation{lockout.RelBlocks, lockout.RelUnknown}
}

func (v *accountView) addGates(titles map[string]string, all bool) {
	type key struct{ gate, text string }
	v.Gates = nil
	var order []key
	goals := map[key][]string{}
	rows := map[key]gateRow{}
	for _, g := range v.Goals {
		for _, l := range g.Gates {
			k := key{l.Gate, l.Why}
			if _, ok := rows[k]; !ok {
				order = append(order, k)
				row := gateRow{Mark: "✓", Word: "open", Text: l.Why}
				switch {
				case !l.OK && len(l.Unknowns) > 0:
					row.Mark, row.Word = "?", "not known"
					row.Text = strings.Replace(l.Why, ": not known: ", ": ", 1) // the word says it
				case !l.OK:
					row.Mark, row.Word = "✗", "closed"
				}
				rows[k] = row
			}
			goals[k] = append(goals[k], titles[g.Goal])
		}
	}
	for _, k := range order {
		row := rows[k]
		row.Text = v.names.within(row.Text)
		if !all && row.Mark != "✗" {
			continue // what is not known is told with what would settle it
		}
		if len(goals[k]) < len(v.Goals) {
			row.Goals = strings.Join(goals[k], ", ")
		}
		v.Gates = append(v.Gates, row)
	}
}

func leanLines(g *app.GoalReport) []string {
	var out []string
	for _, l := range g.LeansOn {
		text := l.Rule
		if l.Text != "" {
			text = l.Text
		}
		text = fmt.Sprintf("%s (%s", text, l.Status)
		if l.Until != "" {
			text += " " + string(l.Until)
		}
		if l.Source != "" {
			text += "; " + l.Source
		}
		out = append(out, text+")")
	}
	return out
}

func recoveryLines(g *app.GoalReport) []string {
	words := map[string]string{"yes": "open", "no": "closed"}
	var out []string
	for _, p := range g.Recovery {
		word := words[p.Open]
		if word == "" {
			word = "not known"
		}
		out = append(out, p.Path+": "+word+" – "+p.Why)
	}
	return out
}

// titled writes what several goals share once, after all their names.
func titled(list []section) []string {
	var out []string
	for i, s := range list {
		if slices.ContainsFunc(list[:i], func(x section) bool { return x.Items[0] == s.Items[0] }) {
			continue
		}
		names := []string{s.Title}
		for _, x := range list[i+1:] {
			if x.Items[0] == s.Items[0] {
				names = append(names, x.Title)
			}
		}
		out = append(out, strings.Join(names, ", ")+": "+s.Items[0])
	}
	return out
}

func blastText(g *app.GoalReport) string {
	if g.Blast == nil {
		return ""
	}
	s := fmt.Sprintf("%s of the kinds of sign-in are denied (%d of %d)", share(g.Blast.Share), g.Blast.Denied, g.Blast.Points)
	for _, o := range g.Blast.Only {
		name := o.Name
		if name == "" {
			name = o.Policy
		}
		s += fmt.Sprintf("; %s by %q alone", share(o.Share), name)
	}
	return s
}

func share(x float64) string {
	switch {
	case x > 0 && x < 0.0001:
		return "under 0.01 %"
	case x < 0.01:
		return fmt.Sprintf("%.2f %%", x*100)
	case x > 0.99 && x < 1:
		return fmt.Sprintf("%.2f %%", x*100)
	}
	return fmt.Sprintf("%.0f %%", x*100)
}

// eventText tells a single mistake or loss.
func eventText(e lockout.Event, n names) string {
	at := func(i int) string {
		if i < len(e) {
			return e[i]
		}
		return ""
	}
	switch at(0) {
	case "removeExclusion":
		return "the exclusion of " + n.of(at(2)) + " is taken out of policy " + n.of(at(1))
	case "enablePolicy":
		return "policy " + n.of(at(1)) + " is switched on"
	case "deleteGroup":
		return "group " + n.of(at(1)) + " is deleted"
	case "disableMethod":
		return "method " + at(1) + " is disabled"
	case "revokeAaguid":
		return "key model " + at(1) + " is withdrawn"
	case "loseSite":
		return "site " + at(1) + " is lost"
	case "loseCustodian":
		return "custodian " + at(1) + " cannot be reached"
	case "loseCredential":
		return "credential " + at(1) + " is lost"
	}
	return strings.Join(e, " ")
}

func marginLines(a *app.AccountReport) []string {
	m := a.Margin
	if m == nil {
		return nil
	}
	if m.K < 0 {
		return []string{fmt.Sprintf("more than %s must happen together before it is no longer proved", plural(m.Limit, "mistake", "mistakes"))}
	}
	out := []string{fmt.Sprintf("%s from being no longer proved:", plural(m.K, "mistake", "mistakes"))}
	n := namesOf([]*app.AccountReport{a})
	for i, set := range m.Sets {
		if i == 20 {
			return append(out, fmt.Sprintf("and %d more", len(m.Sets)-i))
		}
		var events []string
		for _, e := range set {
			events = append(events, eventText(e, n))
		}
		out = append(out, strings.Join(events, " and "))
	}
	return out
}
