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
	if len(v.ForAll) > 0 {
		p.heading("Envelope")
		p.line(4, 2, "whatever the "+strings.Join(v.ForAll, ", "))
		p.line(4, 2, "only for "+strings.Join(v.Fixed, ", "))
		p.line(4, 2, "the operator chooses "+strings.Join(v.Exists, ", "))
	}
	p.troubles("Not read", r)
	var stale []string
	for _, s := range r.StaleData {
		stale = append(stale, s+" was last checked against Microsoft's pages over 12 months ago")
	}
	p.list("Old vendor data", stale)
	p.heading("Read")
	for _, fact := range v.Facts {
		p.line(4, 2, fact)
	}
	if len(r.Next) > 0 {
		p.heading("Next")
		for _, s := range r.Next {
			if s.Command { // wrapped, it could not be pasted
				p.b.WriteString("    " + p.paint.in(bold, escape(s.Do)) + "\n")
			} else {
				p.line(4, 2, s.Do)
			}
			p.line(8, 0, s.Why)
		}
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

func (p *page) account(v *accountView) {
	p.b.WriteString(p.paint.in(bold, wrap(escape(v.Heading), p.columns, "")) + "\n")
	if v.Intro != "" {
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
	p.policies(v)
	if len(v.Gates) > 0 {
		p.heading("Gates")
		for _, g := range v.Gates {
			p.styled(4, 2, relationStyle(g.Mark), g.Mark+" "+g.Word, "– "+g.Text+suffixed(g.Goals))
		}
	}
	if len(v.Settle) > 0 {
		p.heading("What would settle it, the most telling first")
		for _, s := range v.Settle {
			p.line(4, 2, s.What+" ("+plural(s.Touches, "policy or gate waits", "policies and gates wait")+")")
			p.line(8, 2, s.How)
		}
		if v.More > 0 {
			p.line(4, 2, fmt.Sprintf("and %d more (--all)", v.More))
		}
	}
	var supposed []string
	for _, s := range v.Suppositions {
		supposed = append(supposed, s.Expression+" – "+s.Meaning)
	}
	p.list("Supposing", supposed)
	p.list("Other ways to repair", v.Recovery)
	p.list("How much is denied", v.Blast)
	p.list("Margin", v.Margin)
	p.list("Leans on", v.Leans)
	p.list("To know", v.Warnings)
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
		text := fmt.Sprintf("– %s, %s: %s", x.Who, x.Title, x.After)
		if x.Before != x.After {
			text = fmt.Sprintf("– %s, %s: %s before, %s after, %s", x.Who, x.Title, x.Before, x.After, x.Because)
		}
		p.styled(4, 2, s, x.Word, strings.TrimSuffix(text, ", "))
	}
}

// troubles names what could not be read: all of it, for each item may hide a
// policy that denies.
func (p *page) troubles(title string, r *app.Report) {
	var items []string
	for _, t := range r.Troubles {
		items = append(items, placed(t.File, t.Line, t.Column)+": "+t.What)
	}
	if r.Change != nil {
		for _, t := range r.Change.Troubles {
			items = append(items, placed(t.File, t.Line, t.Column)+": "+t.What+" (change)")
		}
	}
	p.list(title, items)
	if p.all {
		items = nil
		for _, t := range r.Notes {
			items = append(items, placed(t.File, t.Line, t.Column)+": "+t.What)
		}
		p.list("Noted while reading", items)
	}
}
