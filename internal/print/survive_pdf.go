package print

import "strings"

// pdfPen draws the picture of survivability on paper.
type pdfPen struct {
	l     *layout
	scale float64 // millimetres of a user unit
	left  float64
	// below and above are drawn in this order, with the top of the picture at y.
	below, above []func(y float64)
}

// picType is the size of type in the picture, in user units.
const picType = 13

func (p *pdfPen) box(x, y, wide, high int, dash string) {
	p.above = append(p.above, func(top float64) {
		p.stroke(1, dash)
		p.l.pdf.Rect(p.left+float64(x)*p.scale, top+float64(y)*p.scale, float64(wide)*p.scale, float64(high)*p.scale, "D")
		p.l.pdf.SetDashPattern(nil, 0)
	})
}

func (p *pdfPen) line(x1, y1, x2, y2 int, stroke string, at int) {
	bend := (x2 - x1) / 2
	p.below = append(p.below, func(top float64) {
		p.stroke(1.2+0.4*float64(at/len(strokes)), stroke)
		x := func(n int) float64 { return p.left + float64(n)*p.scale }
		y := func(n int) float64 { return top + float64(n)*p.scale }
		p.l.pdf.CurveBezierCubic(x(x1), y(y1), x(x1+bend), y(y1), x(x2-bend), y(y2), x(x2), y(y2), "D")
		p.l.pdf.SetDashPattern(nil, 0)
	})
}

func (p *pdfPen) text(x, y, wide int, text, weight string) {
	k := body
	if weight != "" {
		k = bold
	}
	short, _ := fitted(text, wide, weight)
	short = p.l.prepare(k, short)
	p.above = append(p.above, func(top float64) {
		p.l.draw(k, picType*p.scale/perPoint, p.left+float64(x)*p.scale, top+float64(y)*p.scale, short)
	})
}

// stroke sets the width of lines and their dashes, "7 4" being a long dash and a gap.
func (p *pdfPen) stroke(width float64, dash string) {
	p.l.pdf.SetLineWidth(width * p.scale)
	var lengths []float64
	for field := range strings.FieldsSeq(dash) {
		n := 0.0
		for _, digit := range field {
			n = n*10 + float64(digit-'0')
		}
		lengths = append(lengths, n*p.scale)
	}
	p.l.pdf.SetDashPattern(lengths, 0)
}

// leastScale is the smallest picture that can be read; a larger one is left out.
const leastScale = 0.11

// pieces draws the picture as one piece, as wide as the text: holes are punched into
// the margin. What is too high for a page is left out: the tables say the same.
func (f Figure) pieces(l *layout) ([]piece, error) {
	if f.Holdings == nil {
		return nil, nil
	}
	p := &pdfPen{l: l, scale: l.inner / (picWide - 2*picMargin)}
	high := float64(f.Holdings.drawWith(p))
	p.scale = min(p.scale, l.room()/high)
	if p.scale < leastScale {
		return Text{Soft, "The picture of who holds what where is too large for a page: halligan survive --format html shows it."}.pieces(l)
	}
	p.left = (l.width - picWide*p.scale) / 2
	return []piece{space(4), {height: high * p.scale, draw: func(y float64) {
		for _, draw := range append(p.below, p.above...) {
			draw(y)
		}
	}}}, nil
}

// markup puts the picture into the page as SVG.
func (f Figure) markup(m *markup) error {
	if f.Holdings != nil {
		m.WriteString("<figure>" + f.Holdings.SVG() + "</figure>\n")
	}
	return nil
}
