package main

import (
	"fmt"
	"io"
	"strings"

	"halligan/internal/app"
)

// markdown writes Markdown in which foreign text is only text.
type markdown struct{ b strings.Builder }

// markdownEscape makes foreign text harmless in Markdown, also in a cell of a
// table: no emphasis, code, link, image, HTML or automatic link survives.
func markdownEscape(text string) string {
	var b strings.Builder
	for _, r := range escape(text) {
		if strings.ContainsRune("\\`*_{}[]<>()#|~&$!", r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	out := strings.ReplaceAll(b.String(), "://", `\://`)
	return strings.NewReplacer("www.", `www\.`, "WWW.", `WWW\.`).Replace(out)
}

func (m *markdown) line(format string, args ...any) {
	for i, arg := range args {
		if text, is := arg.(string); is {
			args[i] = markdownEscape(text)
		}
	}
	fmt.Fprintf(&m.b, format+"\n", args...)
}

func (m *markdown) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	m.b.WriteString("\n### " + markdownEscape(title) + "\n\n")
	for _, item := range items {
		m.line("- %s", item)
	}
}

// writeMarkdown writes the report as Markdown, for a pull request or a wiki.
func writeMarkdown(w io.Writer, r *app.Report, l look) error {
	m := &markdown{}
	v := viewOf(r, l.all)
	m.line("# %s", v.Title)
	m.line("")
	for _, fact := range v.Facts {
		m.line("%s.", fact)
	}
	for i := range v.Accounts {
		m.account(&v.Accounts[i])
	}
	m.change(v.Change)
	m.list("Would take all accounts at once", v.Common)
	m.list("Envelope", v.envelope())
	m.list("Not read", v.NotRead)
	m.nextSteps(r.Next)
	_, err := io.WriteString(w, m.b.String())
	return err
}

func (m *markdown) account(v *accountView) {
	m.line("\n## %s", v.Heading)
	if v.Intro != "" {
		m.line("\n%s.", v.Intro)
	}
	m.line("")
	for _, g := range v.Verdicts {
		text := g.Told
		if g.Beside != "" {
			text += " (" + g.Beside + ")"
		}
		m.line("- **%s** – %s", g.Word, text)
	}
	if len(v.Rows) > 0 {
		m.line("\n| | policy | why |\n|---|---|---|")
		for _, row := range v.Rows {
			m.line("| %s %s | %s | %s |", row.Mark, row.Word, row.Name, row.Why+suffixed(row.Goals))
		}
	}
	if v.Excluded != "" {
		m.line("\n%s.", v.Excluded)
	}
	if v.Hidden != "" {
		m.line("\nOther policies: %s.", v.Hidden)
	}
	var gates, settle []string
	for _, g := range v.Gates {
		gates = append(gates, g.Mark+" "+g.Word+" – "+g.Text+suffixed(g.Goals))
	}
	m.list("Gates", gates)
	for _, s := range v.Settle {
		settle = append(settle, s.What+": "+s.How)
	}
	if v.More > 0 {
		settle = append(settle, fmt.Sprintf("and %d more", v.More))
	}
	m.list("What would settle it, the most telling first", settle)
	for _, s := range v.Sections {
		m.list(s.Title, s.Items)
	}
}

func (m *markdown) change(c *changeView) {
	if c == nil {
		return
	}
	m.list("Change: "+strings.Join(c.Source, ", "), c.Lines)
	m.line("\n### Before and after\n\n| account | goal | before | after | |\n|---|---|---|---|---|")
	for _, x := range c.Verdicts {
		m.line("| %s | %s | %s | %s | %s |", x.Who, x.Title, x.Was, x.Is, strings.TrimSpace(x.Word+" "+x.Because))
	}
}

// nextSteps writes what to do next, or nothing.
func (m *markdown) nextSteps(steps []app.Step) {
	if len(steps) > 0 {
		m.b.WriteString("\n## Next\n\n")
		for _, s := range steps {
			m.line("- %s\n  (%s)", s.Do, s.Why)
		}
	}
}
