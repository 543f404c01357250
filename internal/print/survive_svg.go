package print

import (
	"fmt"
	"html"
	"strconv"
	"strings"
	"unicode"
)

// Holdings is who holds what where: account by way, the parts of each, who holds them,
// and the places where they lie. It holds names only, never a secret.
type Holdings struct {
	Title    string
	Accounts []HoldingsAccount
	Places   []HoldingsPlace
}

// HoldingsAccount is one account with its ways in.
type HoldingsAccount struct {
	Name string
	Mark string // a sign and a word: ✓ takes two people
	Ways []HoldingsWay
}

// HoldingsWay is one way in, and the parts that it takes.
type HoldingsWay struct {
	Name  string
	Mark  string // a sign: ✓, ✗ or ?
	Parts []HoldingsPart
}

// HoldingsPart is one copy of one part.
type HoldingsPart struct {
	Name   string
	Holder string // "" not recorded
	Place  int    // index into Holdings.Places; -1: none
	// Missing: the part is needed and was not recorded.
	Missing bool
}

// HoldingsPlace is a place and who can open it.
type HoldingsPlace struct {
	Name, Site string
	OffSite    bool
	People     []string
}

// The measures of the picture, in user units; letters are as wide as those of a wide
// font.
const (
	picWide, picMargin              = 1040, 10
	picAccountX, picAccountW        = 10, 190
	picWayX, picWayW                = 230, 150
	picPartX, picPartW              = 410, 270
	picPlaceX, picPlaceW            = 770, 260
	picHead, picRow, picGap, picPad = 64, 44, 10, 6
	picLetter, picBold              = 7.6, 8.8
)

// strokes tell the accounts' lines apart without colour.
var strokes = []string{"", "7 4", "2 3", "10 3 2 3"}

// SVG draws the picture as one <svg> element, which stands by itself or within HTML. It
// has no colour of its own: lines and letters take that of the text around, so that it
// is legible on paper and on a dark screen. Every text in it is escaped.
func (p *Holdings) SVG() string {
	svg := &svgPen{}
	high := p.drawWith(svg)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="%s" font-family="system-ui, 'DejaVu Sans', sans-serif" font-size="13" fill="currentColor" stroke="none" style="width:100%%;height:auto">`,
		picWide, high, clean(p.Title))
	fmt.Fprintf(&b, "<title>%s</title>", clean(p.Title))
	b.WriteString(svg.lines.String() + svg.boxes.String() + "</svg>")
	return b.String()
}

// pen draws the picture, in user units from the top left.
type pen interface {
	box(x, y, wide, high int, dash string)
	// line is a curve that leaves and arrives level. Those of different accounts have
	// their own strokes.
	line(x1, y1, x2, y2 int, stroke string, at int)
	// text is a line that fits; what does not is cut.
	text(x, y, wide int, text, weight string)
}

// drawWith draws the picture and returns how high it is.
func (p *Holdings) drawWith(with pen) int {
	d := &drawing{pen: with}
	for _, head := range []struct {
		x    int
		text string
	}{{picAccountX, "Account"}, {picWayX, "Way in"}, {picPartX, "Part, and who holds it"}, {picPlaceX, "Place, and who can open it"}} {
		d.text(head.x, 24, picPlaceW, head.text, "700")
	}
	d.line(picMargin, 36, picWide-picMargin, 36, "", 0)
	d.places(p)
	y := picHead
	for i := range p.Accounts {
		y = d.account(p, i, y) + picGap
	}
	return max(y, d.bottom) + picMargin
}

// drawing is a picture in the making.
type drawing struct {
	pen
	placeY []int // the middle of each place
	bottom int
}

// places draws the places, those of one site together in a frame.
func (d *drawing) places(p *Holdings) {
	d.placeY = make([]int, len(p.Places))
	y := picHead
	done := make([]bool, len(p.Places))
	for i := range p.Places {
		if done[i] {
			continue
		}
		site := p.Places[i].Site
		top := y
		y += 24
		for j := i; j < len(p.Places); j++ {
			at := &p.Places[j]
			if done[j] || !strings.EqualFold(at.Site, site) || site == "" && j > i {
				continue
			}
			done[j] = true
			lines := wrapped(strings.Join(at.People, ", "), picPlaceW-4*picPad, 3)
			if len(at.People) == 0 {
				lines = []string{"? nobody recorded"}
			}
			high := 26 + 17*len(lines)
			d.box(picPlaceX+picPad, y, picPlaceW-2*picPad, high, "")
			d.text(picPlaceX+2*picPad, y+18, picPlaceW-4*picPad, at.Name, "600")
			for k, line := range lines {
				d.text(picPlaceX+2*picPad, y+35+17*k, picPlaceW-4*picPad, line, "")
			}
			d.placeY[j] = y + high/2
			y += high + picPad
		}
		title := "site not recorded"
		if site != "" {
			title = "site " + site
		}
		if p.Places[i].OffSite {
			title += " (off-site)"
		}
		d.text(picPlaceX+picPad, top+17, picPlaceW-2*picPad, title, "")
		d.box(picPlaceX, top, picPlaceW, y-top, "4 3")
		y += picGap
	}
	d.bottom = y
}

// account draws an account and returns where it ends.
func (d *drawing) account(p *Holdings, at, top int) int {
	a := &p.Accounts[at]
	stroke := strokes[at%len(strokes)]
	y := top
	for i := range a.Ways {
		w := &a.Ways[i]
		begin := y
		for j := range w.Parts {
			part := &w.Parts[j]
			dash := ""
			holder := "held by " + part.Holder
			switch {
			case part.Missing:
				dash, holder = "3 3", "? not recorded"
			case part.Holder == "":
				holder = "? no holder recorded"
			}
			d.box(picPartX, y, picPartW, picRow-8, dash)
			d.text(picPartX+picPad, y+15, picPartW-2*picPad, part.Name, "600")
			d.text(picPartX+picPad, y+31, picPartW-2*picPad, holder, "")
			if part.Place >= 0 && part.Place < len(d.placeY) {
				d.line(picPartX+picPartW, y+(picRow-8)/2, picPlaceX+picPad, d.placeY[part.Place], stroke, at)
			}
			y += picRow
		}
		y = max(y, begin+picRow)
		middle := begin + (y-begin-8)/2
		d.box(picWayX, middle-18, picWayW, 36, "")
		lines := wrapped(strings.TrimSpace(w.Mark+" "+w.Name), picWayW-2*picPad, 2)
		for k, line := range lines {
			d.text(picWayX+picPad, middle+5-8*(len(lines)-1)+16*k, picWayW-2*picPad, line, "")
		}
		for j := range w.Parts {
			d.line(picWayX+picWayW, middle, picPartX, begin+j*picRow+(picRow-8)/2, stroke, at)
		}
		d.line(picAccountX+picAccountW, top+32, picWayX, middle, stroke, at)
	}
	y = max(y, top+72)
	name, domain, _ := strings.Cut(a.Name, "@")
	d.box(picAccountX, top, picAccountW, 64, "")
	d.text(picAccountX+picPad, top+19, picAccountW-2*picPad, name, "700")
	if domain != "" {
		d.text(picAccountX+picPad, top+36, picAccountW-2*picPad, "@"+domain, "")
	}
	d.text(picAccountX+picPad, top+54, picAccountW-2*picPad, a.Mark, "")
	return y
}

// svgPen collects what is drawn as SVG: lines below, boxes above.
type svgPen struct{ lines, boxes strings.Builder }

func (d *svgPen) box(x, y, wide, high int, dash string) {
	fmt.Fprintf(&d.boxes, `<rect x="%d" y="%d" width="%d" height="%d" rx="4" fill="none" stroke="currentColor" stroke-width="1"%s/>`, x, y, wide, high, dashed(dash))
}

func (d *svgPen) line(x1, y1, x2, y2 int, stroke string, at int) {
	bend := (x2 - x1) / 2
	fmt.Fprintf(&d.lines, `<path d="M %d %d C %d %d %d %d %d %d" fill="none" stroke="currentColor" stroke-width="%s"%s/>`,
		x1, y1, x1+bend, y1, x2-bend, y2, x2, y2, strconv.FormatFloat(1.2+0.4*float64(at/len(strokes)), 'f', 1, 64), dashed(stroke))
}

func dashed(dash string) string {
	if dash == "" {
		return ""
	}
	return ` stroke-dasharray="` + dash + `"`
}

// text of which a part is cut stands in full in the title that a pointer shows.
func (d *svgPen) text(x, y, wide int, text, weight string) {
	short, cut := fitted(text, wide, weight)
	fmt.Fprintf(&d.boxes, `<text x="%d" y="%d"`, x, y)
	if weight != "" {
		fmt.Fprintf(&d.boxes, ` font-weight="%s"`, weight)
	}
	d.boxes.WriteString(">" + html.EscapeString(short))
	if cut {
		d.boxes.WriteString("<title>" + clean(text) + "</title>")
	}
	d.boxes.WriteString("</text>")
}

// fitted is as much of a text as fits, and whether some of it was cut.
func fitted(text string, wide int, weight string) (string, bool) {
	letter := picLetter
	if weight != "" {
		letter = picBold
	}
	most := int(float64(wide) / letter)
	short := []rune(seen(text))
	if len(short) <= most {
		return string(short), false
	}
	return string(short[:max(most-1, 0)]) + "…", true
}

// wrapped breaks a text at blanks into lines that fit, of which the last takes what is
// over.
func wrapped(text string, wide, lines int) []string {
	most := int(float64(wide) / picLetter)
	var out []string
	for word := range strings.FieldsSeq(text) {
		if n := len(out); n > 0 && (len([]rune(out[n-1]))+1+len([]rune(word)) <= most || n == lines) {
			out[n-1] += " " + word
		} else {
			out = append(out, word)
		}
	}
	return out
}

// clean makes a text fit for XML.
func clean(text string) string { return html.EscapeString(seen(text)) }

// seen leaves out what cannot be seen: controls, which XML forbids, and those that turn
// the reading direction.
func seen(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == unicode.ReplacementChar || r == 0xFFFE || r == 0xFFFF:
			return -1
		}
		return r
	}, text)
}
