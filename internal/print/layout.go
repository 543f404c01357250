package print

import (
	"bytes"
	"fmt"
	"io"

	"codeberg.org/go-pdf/fpdf"
)

// Millimetres of a page, and points of type.
const (
	marginSide   = 18.0
	marginTop    = 16.0
	marginBottom = 18.0
	footAt       = 10.0 // of the foot, from below

	pointsBody  = 10.5
	pointsSmall = 9.0
	pointsFoot  = 7.8
	pointsLarge = 16.0
	pointsType  = 8.2  // of commands
	leading     = 1.32 // of a line, as a multiple of its type
	perPoint    = 25.4 / 72
)

// piece is what is not divided over pages. It is drawn with its top at y.
type piece struct {
	height float64
	draw   func(y float64)
	// with: it stays on the page of the next piece.
	with bool
	// head is drawn above the piece when it begins a page.
	head *piece
	// breaks: a page begins here, and nothing is drawn.
	breaks bool
	// marks: a heading by this text begins here.
	marks string
	// gap: nothing is lost when it is left out at the top of a page.
	gap bool
}

// layout is one PDF in the making: first the pieces, then the pages.
type layout struct {
	*fonts
	width, height float64        // of the paper
	left, inner   float64        // where text begins, and how wide it may be
	pageOf        map[string]int // of headings, once the pieces are on pages
}

// room is the height that pieces have on one page.
func (l *layout) room() float64 { return l.height - marginTop - marginBottom }

// WritePDF writes the document as PDF 1.x with its fonts in it. See Form.Write.
func (d *Document) WritePDF(w io.Writer, o Options) (spelled string, err error) {
	paper, err := o.paper()
	if err != nil {
		return "", err
	}
	if len(o.Fonts) > 0 { // a broken one may be noticed only when it is cut to what is used
		defer func() {
			if recover() != nil {
				spelled, err = "", &FontError{"it cannot be used"}
			}
		}()
	}
	pdf := fpdf.NewCustom(&fpdf.InitType{OrientationStr: "P", UnitStr: "mm", Size: fpdf.SizeType{Wd: paper[0], Ht: paper[1]}})
	pdf.SetCatalogSort(true) // without it the file differs from time to time
	pdf.SetCreationDate(d.Date.UTC())
	pdf.SetModificationDate(d.Date.UTC())
	pdf.SetAutoPageBreak(false, 0)
	pdf.SetTitle(visible(d.Title), true)
	pdf.SetCreator("Halligan", true)
	pdf.SetLang("en")
	f, err := loadFonts(pdf, o.Fonts)
	if err != nil {
		return "", err
	}
	l := &layout{fonts: f, width: paper[0], height: paper[1], left: marginSide, inner: paper[0] - 2*marginSide, pageOf: map[string]int{}}
	var all []piece
	for i, b := range d.Blocks {
		some, err := b.pieces(l)
		if err != nil {
			return "", err
		}
		if _, is := b.(Text); is && i+1 < len(d.Blocks) && introduces(d.Blocks[i+1]) {
			for j := range some {
				some[j].with = true
			}
		}
		all = append(all, some...)
	}
	stamp := l.prepare(body, d.stamp())
	if l.missing != nil {
		return "", l.missing
	}
	pages := l.divide(all)
	for i, page := range pages {
		pdf.AddPage()
		y := marginTop
		for _, p := range page {
			p.draw(y)
			y += p.height
		}
		l.foot(stamp, i+1, len(pages))
	}
	var b bytes.Buffer
	if err := pdf.Output(&b); err != nil {
		return "", fmt.Errorf("print: %v", err)
	}
	_, err = w.Write(b.Bytes())
	clear(b.Bytes()) // it may hold a secret
	return string(l.spelled), err
}

// introduces reports whether a text before a block stays with it.
func introduces(next Block) bool {
	switch next.(type) {
	case Table, Step, Rows, Code:
		return true
	}
	return false
}

// foot writes what stands below each page.
func (l *layout) foot(stamp string, page, pages int) {
	y := l.height - footAt
	l.pdf.SetDrawColor(150, 150, 150)
	l.pdf.SetLineWidth(0.2)
	l.pdf.Line(l.left, y-4, l.left+l.inner, y-4)
	l.pdf.SetTextColor(70, 70, 70)
	of := fmt.Sprintf("page %d of %d", page, pages)
	room := l.inner - l.fonts.width(body, pointsFoot, of) - 4
	lines := l.wrap(body, pointsFoot, room, stamp)
	for i, line := range lines[:min(2, len(lines))] {
		l.draw(body, pointsFoot, l.left, y+float64(i)*3.2, line)
	}
	l.draw(body, pointsFoot, l.left+l.inner-l.fonts.width(body, pointsFoot, of), y, of)
	l.pdf.SetTextColor(0, 0, 0)
	l.pdf.SetDrawColor(0, 0, 0)
}

// divide puts pieces on pages.
func (l *layout) divide(all []piece) [][]piece {
	pages := [][]piece{nil}
	used := 0.0
	turn := func() {
		pages = append(pages, nil)
		used = 0
	}
	for i := 0; i < len(all); i++ {
		p := all[i]
		if p.breaks {
			if len(pages[len(pages)-1]) > 0 {
				turn()
			}
			continue
		}
		// A piece comes with all that it stays with, if one page has room for it.
		together := 0.0
		for j := i; j < len(all) && !all[j].breaks; j++ {
			together += all[j].height
			if !all[j].with {
				break
			}
		}
		if used > 0 && used+p.height > l.room() || used > 0 && used+together > l.room() && together <= l.room() {
			turn()
			if p.head != nil {
				pages[len(pages)-1] = append(pages[len(pages)-1], *p.head)
				used += p.head.height
			}
		}
		if p.gap && used == 0 {
			continue
		}
		pages[len(pages)-1] = append(pages[len(pages)-1], p)
		used += p.height
		if p.marks != "" && l.pageOf[p.marks] == 0 {
			l.pageOf[p.marks] = len(pages)
		}
	}
	if len(pages) > 1 && len(pages[len(pages)-1]) == 0 {
		pages = pages[:len(pages)-1]
	}
	return pages
}

// lineHeight is the height of a line in millimetres.
func lineHeight(points float64) float64 { return points * leading * perPoint }

// lines is a text as one piece for each line.
func (l *layout) lines(k kind, points, x, width float64, text string) []piece {
	var out []piece
	h := lineHeight(points)
	for _, line := range l.wrap(k, points, width, l.prepare(k, text)) {
		out = append(out, piece{height: h, draw: func(y float64) { l.draw(k, points, x, y+h*0.76, line) }})
	}
	return out
}

// stacked is several pieces as one.
func stacked(parts []piece) piece {
	sum := 0.0
	for _, p := range parts {
		sum += p.height
	}
	return piece{height: sum, draw: func(y float64) {
		for _, p := range parts {
			p.draw(y)
			y += p.height
		}
	}}
}

func space(h float64) piece { return piece{height: h, draw: func(float64) {}, gap: true} }

// mostTogether is the height up to which a paragraph is not divided.
const mostTogether = 75.0

// together keeps pieces on one page if they are not too tall, else the first two and
// the last two.
func together(parts []piece) []piece {
	sum := 0.0
	for _, p := range parts {
		sum += p.height
	}
	for i := range parts {
		if i < len(parts)-1 && (sum <= mostTogether || i == 0 || i == len(parts)-2) {
			parts[i].with = true
		}
	}
	return parts
}
