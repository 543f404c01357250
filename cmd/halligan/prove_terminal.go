package main

import (
	"fmt"
	"io"
	"strings"

	"halligan/internal/app"
	"halligan/lockout"
)

// page writes lines that fit the width and cannot act on the terminal.
type page struct {
	b strings.Builder
	look
}

// page begins a page for a stream: as wide as it is, painted where it shows that.
func (c *console) page(w io.Writer) *page {
	return &page{look: look{columns: width(w, c.getenv), paint: c.paintOn(w)}}
}

// line writes text after indent; further lines are indented by hang more.
func (p *page) line(indent, hang int, text string) {
	p.styled(indent, hang, 0, "", text)
}

// styled writes a first word in a style before the text.
func (p *page) styled(indent, hang int, s style, word, text string) {
	in := strings.Repeat(" ", indent)
	whole := escape(text)
	if word != "" {
		whole = word + " " + whole
	}
	out := wrap(whole, p.columns-indent, strings.Repeat(" ", hang))
	out = strings.ReplaceAll(out, "\n", "\n"+in)
	if rest, ok := strings.CutPrefix(out, word); ok && word != "" && s != 0 {
		out = p.paint.in(s, word) + rest
	}
	p.b.WriteString(in + out + "\n")
}

func (p *page) heading(text string) {
	p.b.WriteString("\n  " + p.paint.in(bold, escape(text)) + "\n")
}

func (p *page) blank() { p.b.WriteByte('\n') }

// list writes a heading and items, or nothing when there are none.
func (p *page) list(title string, items []string) {
	if len(items) == 0 {
		return
	}
	p.heading(title)
	for _, item := range items {
		p.line(4, 2, item)
	}
}

func outcomeStyle(o lockout.Outcome) style {
	switch o {
	case lockout.Proved:
		return green
	case lockout.Lockout:
		return red
	}
	return yellow
}

func relationStyle(mark string) style {
	switch mark {
	case "✗":
		return red
	case "?":
		return yellow
	case "✓", "↷":
		return green
	}
	return 0
}

// writeTerminal writes the report for a person at a terminal: the verdicts
// first, then the reasons, then what would settle what is not known.
func writeTerminal(w io.Writer, r *app.Report, l look) error {
	p := &page{look: l}
	v := viewOf(r, l.all)
	for i := range v.Accounts {
		if i > 0 {
			p.blank()
		}
		p.account(&v.Accounts[i])
	}
	if len(v.Accounts) == 0 {
		p.styled(0, 2, yellow, "UNDETERMINED", "– there is no policy to judge by")
	}
	p.change(v.Change)
	p.list("Would take all accounts at once", v.Common)
	p.list("Envelope", v.envelope())
	p.list("Not read", v.NotRead)
	if l.all {
		p.list("Noted while reading", v.Noted)
	}
	p.heading("Read")
	for _, fact := range v.Facts {
		p.line(4, 2, fact)
	}
	p.nextSteps(r.Next)
	_, err := io.WriteString(w, p.b.String())
	return err
}

func (p *page) account(v *accountView) {
	p.b.WriteString(p.paint.in(bold, wrap(escape(v.Heading), p.columns, "")) + "\n")
	if v.Intro != "" && !v.Hypothesis {
		p.line(2, 0, v.Intro)
	}
	p.blank()
	for _, g := range v.Verdicts {
		text := "– " + g.Told
		if g.Beside != "" {
			text += " [" + g.Beside + "]"
		}
		p.styled(2, 2, outcomeStyle(g.Outcome), g.Word, text)
	}
	if v.Intro != "" && v.Hypothesis { // the verdict comes first
		p.blank()
		p.line(2, 0, v.Intro)
	}
	p.policies(v)
	p.gates(v)
	if len(v.Settle) > 0 {
		p.heading("What would settle it, the most telling first")
		for _, s := range v.Settle {
			p.line(4, 2, s.What+waits(&s))
			p.line(8, 2, s.How)
		}
		if v.More > 0 {
			p.line(4, 2, fmt.Sprintf("and %d more (--all)", v.More))
		}
	}
	for _, s := range v.Sections {
		p.list(s.Title, s.Items)
	}
}

func (p *page) gates(v *accountView) {
	if len(v.Gates) > 0 {
		p.heading("Gates")
	}
	for _, g := range v.Gates {
		p.styled(4, 2, relationStyle(g.Mark), g.Mark+" "+g.Word, "– "+g.Text+suffixed(g.Goals))
	}
}

func suffixed(goals string) string {
	if goals == "" {
		return ""
	}
	return " [" + goals + "]"
}

func (p *page) policies(v *accountView) {
	if len(v.Rows) == 0 && v.Hidden == "" {
		return
	}
	p.heading("Policies")
	for _, row := range v.Rows {
		p.styled(4, 2, relationStyle(row.Mark), row.Mark+" "+row.Word, row.Name+" – "+row.Why+suffixed(row.Goals))
		if p.all && row.Place != "" {
			p.line(6, 2, row.Place)
		}
	}
	if v.Excluded != "" {
		p.line(4, 2, v.Excluded)
	}
	if v.Hidden != "" {
		p.line(4, 2, ifElse(len(v.Rows) > 0, "the rest: ", "")+v.Hidden+" (--all tells them)")
	}
}

func (p *page) change(c *changeView) {
	if c == nil {
		return
	}
	p.list("Change: "+strings.Join(c.Source, ", "), c.Lines)
	p.heading("Before and after")
	for _, x := range c.Verdicts {
		s := style(0)
		switch x.Word {
		case "worse":
			s = red
		case "better":
			s = green
		}
		text := fmt.Sprintf("– %s, %s: %s", x.Who, x.Title, x.Is)
		if x.Before != x.After {
			text = fmt.Sprintf("– %s, %s: %s before, %s after, %s", x.Who, x.Title, x.Was, x.Is, x.Because)
		}
		p.styled(4, 2, s, x.Word, strings.TrimSuffix(text, ", "))
	}
}

// nextSteps writes what to do next, or nothing.
func (p *page) nextSteps(steps []app.Step) {
	if len(steps) == 0 {
		return
	}
	p.heading("Next")
	for _, s := range steps {
		if s.Command { // wrapped, it could not be pasted
			p.b.WriteString("    " + p.paint.in(bold, escape(s.Do)) + "\n")
		} else {
			p.line(4, 2, s.Do)
		}
		p.line(8, 0, s.Why)
	}
}
