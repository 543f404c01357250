package main

import (
	"cmp"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"reflect"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/internal/app"
	"halligan/lockout"
)

//go:embed prove.html.tmpl
var provePage string

// pageParts are what the pages share: the head with its styles, and the matrix.
//
//go:embed page.html.tmpl
var pageParts string

var proveTemplate = template.Must(pageTemplate("prove", provePage, nil))

// pageTemplate parses a page. The function t is how every foreign text enters it:
// html/template keeps it from being HTML, escape keeps it from turning the
// reading direction.
func pageTemplate(name, text string, more template.FuncMap) (*template.Template, error) {
	page := template.New(name).Funcs(template.FuncMap{
		"t":     func(s any) string { return escape(textOf(s)) },
		"class": func(s any) string { return classes[textOf(s)] },
		"sign":  func(word string) string { return signs[word] },
		"waits": func(s app.Settlement) string { return waits(&s) },
		"label": func(one, many string, n int) string { return plural(n, one, many) },
	}).Funcs(more)
	if _, err := page.New("parts").Parse(pageParts); err != nil {
		return nil, err
	}
	return page.Parse(text)
}

func textOf(s any) string {
	switch s := s.(type) {
	case string:
		return s
	case lockout.Outcome:
		return string(s)
	case lockout.Relation:
		return string(s)
	case entra.ID:
		return string(s)
	case lockout.Dimension:
		return dimensionNames[s]
	case fmt.Stringer:
		return s.String()
	}
	if v := reflect.ValueOf(s); v.Kind() == reflect.String { // other words of ours
		return v.String()
	}
	return "?"
}

// provedSupposing is the verdict that rests on what a person stated.
var provedSupposing = verdictWord(lockout.Proved, true)

// signs stand before verdicts, for those who do not see colours.
var signs = map[string]string{string(lockout.Proved): "✓", provedSupposing: "◇", string(lockout.Lockout): "✗", string(lockout.Undetermined): "?"}

// classes are the style classes of verdicts and relations: good, given, bad,
// open, and nothing for what does not matter.
var classes = map[string]string{
	string(lockout.Proved): "good", provedSupposing: "given", string(lockout.Lockout): "bad", string(lockout.Undetermined): "open",
	string(lockout.RelBlocks): "bad", string(lockout.RelUnknown): "open", string(lockout.RelExcluded): "good", string(lockout.RelSatisfied): "good",
	"green": "good", "amber": "open", "red": "bad", "!": "open",
	"✗": "bad", "?": "open", "✓": "good", "worse": "bad", "better": "good",
}

// matrixRow is one policy against all accounts.
type matrixRow struct {
	Name, Place, State string
	Cells              []matrixCell
	worst              int // index into relationWords
}

// matrixCell is what a policy means for one account: once when it means the same
// for every goal.
type matrixCell struct{ Parts []matrixPart }

type matrixPart struct {
	Relation   lockout.Relation
	Mark, Word string
	Why        string
	Goal       string
}

// matrix splits the policies into those that touch somebody and the rest.
func matrix(v *reportView) (telling, rest []matrixRow) {
	if len(v.Report.Accounts) == 0 || len(v.Report.Accounts[0].Goals) == 0 {
		return nil, nil
	}
	first := v.Report.Accounts[0].Goals[0].Policies
	for i := range first {
		row := matrixRow{Name: first[i].Name, State: first[i].State}
		if first[i].File != "" {
			row.Place = placed(first[i].File, first[i].Line, 0)
		}
		worst := len(relationWords)
		for a := range v.Accounts {
			cell := v.Accounts[a].cell(i)
			for _, part := range cell.Parts {
				worst = min(worst, relationAt(part.Relation))
			}
			row.Cells = append(row.Cells, cell)
		}
		row.worst = worst
		if worst <= relationAt(lockout.RelSatisfied) {
			telling = append(telling, row)
		} else {
			rest = append(rest, row)
		}
	}
	for _, rows := range [][]matrixRow{telling, rest} {
		slices.SortStableFunc(rows, func(a, b matrixRow) int { return cmp.Or(cmp.Compare(a.worst, b.worst), cmp.Compare(a.Name, b.Name)) })
	}
	return telling, rest
}

// cell gathers the lines of one policy over the goals of an account.
func (v *accountView) cell(policy int) matrixCell {
	var c matrixCell
	for _, g := range v.Verdicts {
		if policy >= len(g.Policies) {
			continue
		}
		l := &g.Policies[policy]
		at := relationAt(l.Relation)
		why := l.Why
		if l.Relation == lockout.RelUnknown && len(l.Unknowns) > 0 {
			why = l.Unknowns[0].What
		}
		why = v.names.within(why)
		if l.Relation == lockout.RelExcluded {
			why += " †"
		}
		c.Parts = append(c.Parts, matrixPart{Relation: l.Relation, Mark: relationWords[at].mark, Word: relationWords[at].word, Why: why, Goal: g.Title})
	}
	same := func(p matrixPart) bool { return p.Relation == c.Parts[0].Relation && p.Why == c.Parts[0].Why }
	if len(c.Parts) > 0 && !slices.ContainsFunc(c.Parts, func(p matrixPart) bool { return !same(p) }) {
		c.Parts = c.Parts[:1]
		c.Parts[0].Goal = ""
	}
	return c
}

// certificateView sums a certificate up; the whole is in the JSON.
type certificateView struct {
	Goal, Snapshot string
	Lines, Gates   int
	Leaves         int
	Reasons        []string
	Kits           []string
}

func certificates(a *accountView) []certificateView {
	var out []certificateView
	for _, g := range a.Verdicts {
		c := g.Certificate
		if c == nil {
			continue
		}
		cv := certificateView{Goal: g.Title, Snapshot: c.Snapshot, Lines: len(c.Lines), Gates: len(c.Gates), Leaves: len(c.Leaves)}
		counts := map[string]int{}
		var order []string
		for i := range c.Lines {
			word := reasonWords[c.Lines[i].Reason]
			if counts[word]++; counts[word] == 1 {
				order = append(order, word)
			}
		}
		for _, word := range order {
			cv.Reasons = append(cv.Reasons, plural(counts[word], "line: ", "lines: ")+word)
		}
		for _, o := range c.Options {
			kit := a.names.within(strings.Join(o.Kit, " + "))
			if o.Choice[lockout.DimClientApp] != "" {
				kit += ", client " + o.Choice[lockout.DimClientApp]
			}
			cv.Kits = append(cv.Kits, kit)
		}
		out = append(out, cv)
	}
	return out
}

var reasonWords = map[string]string{
	lockout.ReasonNotEnabled: "the policy is not enabled", lockout.ReasonUserNotIncluded: "the policy does not include the account",
	lockout.ReasonExcluded: "the policy excludes the account", lockout.ReasonTarget: "the policy is for other applications or actions",
	lockout.ReasonDisjoint: "a condition of the policy matches none of the sign-ins", lockout.ReasonSatisfied: "what the policy asks for is met",
}

// denial is the sign-in that fails, dimension by dimension.
type denial struct {
	Name   string
	Values string
}

func denials(g verdictView, n names) []denial {
	if g.Counterexample == nil {
		return nil
	}
	var out []denial
	for _, d := range lockout.Dimensions {
		if values, ok := g.Counterexample.Box[d]; ok {
			out = append(out, denial{dimensionNames[d], n.within(valuesText(d, values))})
		}
	}
	return out
}

// htmlPage is what the template sees.
type htmlPage struct {
	*reportView
	Telling, Rest []matrixRow
	Parts         []htmlAccount
	Envelope      []string
	Excluded      string // the note that † stands for
}

type htmlAccount struct {
	*accountView
	Certificates []certificateView
	Goals        []htmlGoal
	Fold         bool // the details of a hypothesis after the first
}

type htmlGoal struct {
	verdictView
	Fails []denial
}

// htmlTable is a part of the matrix.
type htmlTable struct {
	Accounts []accountView
	Rows     []matrixRow
}

// Table is called by the template.
func (p *htmlPage) Table(rows []matrixRow) htmlTable { return htmlTable{p.Accounts, rows} }

// writeHTML writes one page that needs nothing else: no script, no network.
func writeHTML(w io.Writer, r *app.Report, l look) error {
	return proveTemplate.Execute(w, pageOf(r, l))
}

func pageOf(r *app.Report, l look) *htmlPage {
	p := &htmlPage{reportView: viewOf(r, l.all)} // the matrix holds every policy in any case
	p.Telling, p.Rest = matrix(p.reportView)
	p.Envelope = p.envelope()
	p.Excluded = app.BesideExclusion(r.Date)
	titles := map[string]string{}
	for _, g := range r.Goals {
		titles[g.Name] = goalTitle(&g)
	}
	for i := range p.Accounts {
		p.Accounts[i].addGates(titles, true) // folded away, so there is room
		a := htmlAccount{accountView: &p.Accounts[i], Certificates: certificates(&p.Accounts[i]), Fold: r.Hypothesis && i > 0}
		for _, g := range p.Accounts[i].Verdicts {
			// The heading above the card names the account.
			g.Told = strings.Replace(g.Told, a.Label(), "it", 1)
			a.Goals = append(a.Goals, htmlGoal{g, denials(g, a.names)})
		}
		p.Parts = append(p.Parts, a)
	}
	return p
}
