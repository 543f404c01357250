package print

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"html"
	"io"
	"strings"
)

//go:embed page.css
var pageCSS string

// paperCSS names a paper as CSS does (CSS Paged Media 3, 7.1).
var paperCSS = map[Paper]string{"": "A4", A4: "A4", Letter: "letter"}

// markup is one HTML page in the making.
type markup struct {
	bytes.Buffer
	stamp string // what stands at the foot of every page
}

// text writes text as such, with its line breaks.
func (m *markup) text(text string) {
	m.WriteString(strings.ReplaceAll(html.EscapeString(visible(text)), "\n", "<br>"))
}

// element writes an element with a text in it. Its direction follows from the text.
func (m *markup) element(name, class, text string) {
	m.WriteString("<" + name)
	if class != "" {
		m.WriteString(` class="` + class + `"`)
	}
	m.WriteString(` dir="auto">`)
	m.text(text)
	m.WriteString("</" + name + ">\n")
}

// WriteHTML writes the document as one HTML page that needs nothing else: no script,
// no network, no font but those of the browser, which are asked for every script.
// See Form.Write.
func (d *Document) WriteHTML(w io.Writer, o Options) (spelled string, err error) {
	if _, err := o.paper(); err != nil {
		return "", err
	}
	m := &markup{stamp: d.stamp()}
	fmt.Fprintf(m, `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>%s</title>
<style>
@page { size: %s; @bottom-left { content: "%s"; width: 84%%; } @bottom-right { content: "page " counter(page) " of " counter(pages); width: 16%%; text-align: right; white-space: nowrap; } }
%s</style></head><body><main>
`, html.EscapeString(visible(d.Title)), paperCSS[o.Paper], cssString(visible(m.stamp)), pageCSS)
	for _, b := range d.Blocks {
		if err := b.markup(m); err != nil {
			return "", err
		}
	}
	m.WriteString("</main>\n")
	m.element("footer", "", m.stamp)
	m.WriteString("</body></html>\n")
	_, err = w.Write(m.Bytes())
	clear(m.Bytes()) // it may hold a secret
	return "", err
}

// cssString escapes a text for a string of CSS within a style element: whatever is
// not plainly harmless, as its code point (CSS Syntax 3, 4.3.7).
func cssString(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r == ' ' || r == '.' || r == ',' {
			b.WriteRune(r)
			continue
		}
		fmt.Fprintf(&b, `\%06x `, r) // the blank belongs to it
	}
	return b.String()
}

func (h Heading) markup(m *markup) error {
	fmt.Fprintf(m, `<h%d id="%s" dir="auto">`, h.level(), anchor(h.Text))
	m.text(h.Text)
	fmt.Fprintf(m, "</h%d>\n", h.level())
	return nil
}

// anchor names a heading within the page.
func anchor(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "h" + hex.EncodeToString(sum[:6])
}

func (c Contents) markup(m *markup) error {
	m.WriteString("<ul class=\"contents\">\n")
	for _, title := range c {
		fmt.Fprintf(m, `<li><a href="#%s">`, anchor(title))
		m.text(title)
		m.WriteString("</a></li>\n")
	}
	m.WriteString("</ul>\n")
	return nil
}

// classes are the styles as classes of page.css.
var classes = map[Style][2]string{
	Plain: {"p", ""}, Soft: {"p", "soft"}, Strong: {"p", "strong"}, Large: {"p", "large"}, Boxed: {"p", "boxed"}, Mono: {"pre", ""},
}

// typed writes what is typed into a terminal: no word of it is divided, as a browser
// does after a hyphen, unless it is longer than the line.
func (m *markup) typed(name, class, text string) {
	fmt.Fprintf(m, "<%s class=%q>", name, class)
	for i, line := range strings.Split(text, "\n") {
		if i > 0 {
			m.WriteString("\n")
		}
		for j, word := range strings.Split(line, " ") {
			if j > 0 {
				m.WriteString(" ")
			}
			m.WriteString("<span>")
			m.text(word)
			m.WriteString("</span>")
		}
	}
	m.WriteString("</" + name + ">\n")
}

func (t Text) markup(m *markup) error {
	form := classes[t.Style]
	if t.Style == Mono {
		m.typed(form[0], "pre", t.Text)
		return nil
	}
	m.element(form[0], form[1], t.Text)
	return nil
}

func (t List) markup(m *markup) error {
	m.WriteString("<ul>\n")
	for _, item := range t {
		m.element("li", "", item)
	}
	m.WriteString("</ul>\n")
	return nil
}

func (s Step) markup(m *markup) error {
	fmt.Fprintf(m, `<section class="step"><span class="box"></span><b class="number">%d</b><div>`, s.Number)
	m.element("p", "strong", s.Do)
	m.WriteString("<dl>")
	for _, more := range [][3]string{{"Where", "", s.Where}, {"Type", "pre", s.Command}, {"Expect", "", s.Expect}, {"If not", "", s.Otherwise}} {
		if more[2] == "" {
			continue
		}
		m.element("dt", "", more[0])
		if more[1] != "" {
			m.typed("dd", more[1], more[2])
			continue
		}
		m.element("dd", "", more[2])
	}
	m.WriteString("</dl></div></section>\n")
	return nil
}

func (t Table) markup(m *markup) error {
	if len(t.Rows) == 0 && t.Write == 0 {
		return Text{Soft, t.Empty}.markup(m)
	}
	sum := 0.0
	for _, c := range t.Columns {
		sum += max(c.Share, 0.1)
	}
	class := ""
	if t.Tall {
		class = ` class="tall"`
	}
	fmt.Fprintf(m, `<div class="scroll"><table%s><colgroup>`, class)
	for _, c := range t.Columns {
		fmt.Fprintf(m, `<col style="width:%.1f%%">`, 100*max(c.Share, 0.1)/sum)
	}
	m.WriteString("</colgroup><thead><tr>")
	for _, c := range t.Columns {
		m.element("th", "", c.Title)
	}
	m.WriteString("</tr></thead><tbody>\n")
	for _, row := range t.Rows {
		m.WriteString("<tr>")
		for i, c := range t.Columns {
			class, text := "", ""
			if c.Mono {
				class = "mono"
			}
			if i < len(row) {
				text = row[i]
			}
			m.element("td", class, text)
		}
		m.WriteString("</tr>\n")
	}
	for range t.Write {
		m.WriteString(`<tr class="write">` + strings.Repeat("<td></td>", len(t.Columns)) + "</tr>\n")
	}
	m.WriteString("</tbody></table></div>\n")
	return nil
}

func (c Code) markup(m *markup) error {
	code, err := c.encode()
	if err != nil {
		return err
	}
	edge := code.Size + 2*quiet
	fmt.Fprintf(m, `<section class="code"><svg viewBox="0 0 %d %d" style="width:%.1fmm;height:%.1fmm" shape-rendering="crispEdges" role="img" aria-label="QR code"><path d="`, edge, edge, c.size(), c.size())
	for _, b := range bars(code) {
		fmt.Fprintf(m, "M%d %dh%dv1h-%dz", b[0]+quiet, b[1]+quiet, b[2], b[2])
	}
	m.WriteString(`"/></svg>`)
	m.element("p", "", c.Caption)
	m.WriteString("</section>\n")
	return nil
}

func (r Rows) markup(m *markup) error {
	m.WriteString("<ol class=\"rows\">\n")
	for _, line := range r.split() {
		m.element("li", "", line)
	}
	m.WriteString("</ol>\n")
	return nil
}

func (c Cut) markup(m *markup) error {
	m.element("p", "cut", string(c))
	return nil
}

// A section says at its end which print it is, as the margin of every printed page
// does: not every browser prints what stands there.
func (PageBreak) markup(m *markup) error {
	m.element("p", "stamp", m.stamp)
	m.WriteString("<div class=\"page\"></div>\n")
	return nil
}
