package print

import (
	"fmt"
	"strconv"
	"strings"

	"rsc.io/qr"
)

// headings are the points of type and the space above a heading, by level.
var headings = [4]struct{ points, above, below float64 }{{}, {17, 2, 3}, {13, 6, 2}, {10.5, 4, 1}}

func (h Heading) level() int { return min(max(h.Level, 1), 3) }

func (h Heading) pieces(l *layout) ([]piece, error) {
	form := headings[h.level()]
	out := append([]piece{space(form.above)}, l.lines(bold, form.points, l.left, l.inner, h.Text)...)
	out[len(out)-1].marks = h.Text
	out = append(out, piece{height: form.below, draw: func(float64) {}})
	for i := range out {
		out[i].with = true
	}
	return out, nil
}

func (c Contents) pieces(l *layout) ([]piece, error) {
	var out []piece
	h := lineHeight(pointsBody) + 0.8
	for _, title := range c {
		text := l.prepare(body, title)
		out = append(out, piece{height: h, draw: func(y float64) {
			l.draw(body, pointsBody, l.left, y+h*0.7, l.wrap(body, pointsBody, l.inner-14, text)[0])
			page := strconv.Itoa(l.pageOf[title])
			x := l.left + l.inner - l.fonts.width(body, pointsBody, page)
			l.draw(body, pointsBody, x, y+h*0.7, page)
			l.pdf.SetLineWidth(0.2)
			l.pdf.SetDashPattern([]float64{0.3, 1.2}, 0)
			l.pdf.Line(l.left+l.fonts.width(body, pointsBody, text)+2, y+h*0.7, x-2, y+h*0.7)
			l.pdf.SetDashPattern(nil, 0)
		}})
	}
	return append(out, space(2)), nil
}

// styles are how a text is set, by Style.
var styles = map[Style]struct {
	kind   kind
	points float64
}{
	Plain: {body, pointsBody}, Soft: {body, pointsSmall}, Strong: {bold, pointsBody}, Large: {bold, pointsLarge}, Boxed: {bold, pointsBody}, Mono: {mono, pointsType},
}

func (t Text) pieces(l *layout) ([]piece, error) {
	s := styles[t.Style]
	switch t.Style {
	case Boxed:
		inside := stacked(l.lines(s.kind, s.points, l.left+4, l.inner-8, t.Text))
		return []piece{space(2), l.framed(inside, l.left, l.inner, false), space(2)}, nil
	case Mono:
		return []piece{l.command(l.left, l.inner, t.Text), space(1.5)}, nil
	}
	return append(together(l.lines(s.kind, s.points, l.left, l.inner, t.Text)), space(1.8)), nil
}

// framed puts a piece into a frame.
func (l *layout) framed(inside piece, x, width float64, shaded bool) piece {
	const pad = 2.2
	return piece{height: inside.height + 2*pad, draw: func(y float64) {
		style := "D"
		if shaded {
			l.pdf.SetFillColor(238, 238, 238)
			style = "F"
		}
		l.pdf.SetLineWidth(0.5)
		l.pdf.Rect(x, y, width, inside.height+2*pad, style)
		inside.draw(y + pad)
	}}
}

// command is a command on a grey ground. What continues a line is set in.
func (l *layout) command(x, width float64, text string) piece {
	const in = 6.0
	h := lineHeight(pointsType)
	var out []piece
	for typed := range strings.SplitSeq(l.prepare(mono, text), "\n") {
		for i, line := range l.wrap(mono, pointsType, width-4-in, typed) {
			from := x + 2
			if i > 0 {
				from += in
			}
			out = append(out, piece{height: h, draw: func(y float64) { l.draw(mono, pointsType, from, y+h*0.76, line) }})
		}
	}
	return l.framed(stacked(out), x, width, true)
}

func (t List) pieces(l *layout) ([]piece, error) {
	var out []piece
	h := lineHeight(pointsBody)
	for _, item := range t {
		one := stacked(l.lines(body, pointsBody, l.left+5, l.inner-5, item))
		draw := one.draw
		one.draw = func(y float64) {
			l.draw(body, pointsBody, l.left+1, y+h*0.76, "•")
			draw(y)
		}
		out = append(out, one, space(0.6))
	}
	return append(out, space(1.2)), nil
}

// Where the parts of a step stand.
const (
	stepNumber = 7.0
	stepText   = 14.0
	stepLabel  = 17.0
)

func (s Step) pieces(l *layout) ([]piece, error) {
	x := l.left + stepText
	width := l.inner - stepText
	parts := l.lines(bold, pointsBody, x, width, s.Do)
	for _, more := range []struct {
		label string
		kind  kind
		text  string
	}{{"Where", body, s.Where}, {"Type", mono, s.Command}, {"Expect", body, s.Expect}, {"If not", body, s.Otherwise}} {
		if more.text == "" {
			continue
		}
		label := more.label
		var one piece
		down := 0.0
		if more.kind == mono {
			one, down = l.command(x+stepLabel, width-stepLabel, more.text), 2.2
		} else {
			one = stacked(l.lines(more.kind, pointsBody, x+stepLabel, width-stepLabel, more.text))
		}
		draw, h := one.draw, lineHeight(pointsBody)
		one.draw = func(y float64) {
			l.pdf.SetTextColor(70, 70, 70)
			l.draw(body, pointsBody, x, y+down+h*0.76, label)
			l.pdf.SetTextColor(0, 0, 0)
			draw(y)
		}
		parts = append(parts, space(0.8), one)
	}
	whole := stacked(parts)
	draw := whole.draw
	number := strconv.Itoa(s.Number)
	whole.draw = func(y float64) {
		l.pdf.SetLineWidth(0.35)
		l.pdf.Rect(l.left, y+0.3, 4.2, 4.2, "D")
		l.draw(bold, pointsBody, l.left+stepNumber, y+lineHeight(pointsBody)*0.76, number)
		draw(y)
	}
	return []piece{whole, space(3.2)}, nil
}

// cellPad is the space around the text of a cell.
const cellPad = 1.3

// writeHeight is the height of a row that is filled in by hand.
const writeHeight = 10.0

func (t Table) widths(l *layout) []float64 {
	sum := 0.0
	for _, c := range t.Columns {
		sum += max(c.Share, 0.1)
	}
	var out []float64
	for _, c := range t.Columns {
		out = append(out, l.inner*max(c.Share, 0.1)/sum)
	}
	return out
}

func (t Table) pieces(l *layout) ([]piece, error) {
	if len(t.Columns) == 0 {
		return nil, fmt.Errorf("print a table: it has no columns")
	}
	if len(t.Rows) == 0 && t.Write == 0 {
		return Text{Soft, t.Empty}.pieces(l)
	}
	widths := t.widths(l)
	var titles []string
	for _, c := range t.Columns {
		titles = append(titles, c.Title)
	}
	head := l.row(t, widths, titles, true)[0]
	out := []piece{head}
	for _, row := range t.Rows {
		for _, p := range l.row(t, widths, row, false) {
			p.head = &head
			out = append(out, p)
		}
	}
	for range t.Write {
		p := l.grid(widths, writeHeight, false)
		p.head = &head
		out = append(out, p)
	}
	out[0].with = true
	if len(out) <= mostInShort {
		out = together(out)
	} else {
		out[len(out)-2].with = true // no row alone on a page
	}
	return append(out, space(2.5)), nil
}

// mostInShort is how many rows a table has that is not divided if it is not tall.
const mostInShort = 9

// row lays out a row: one piece, or several when it is taller than half a page.
func (l *layout) row(t Table, widths []float64, cells []string, head bool) []piece {
	k := body
	if head {
		k = bold
	}
	columns := make([][]piece, len(widths))
	most := 0
	x := l.left
	for i, w := range widths {
		kind := k
		if t.Columns[i].Mono && !head {
			kind = mono
		}
		points := pointsSmall
		if kind == mono {
			points = pointsFoot
		}
		if i < len(cells) {
			columns[i] = l.lines(kind, points, x+cellPad, w-2*cellPad, cells[i])
		}
		most = max(most, len(columns[i]))
		x += w
	}
	limit := max(1, int(l.room()/2/lineHeight(pointsSmall)))
	var out []piece
	for begin := 0; begin < max(most, 1); begin += limit {
		var stacks []piece
		height := lineHeight(pointsSmall)
		if t.Tall && !head {
			height = writeHeight - 2*cellPad
		}
		for _, c := range columns {
			s := stacked(c[min(begin, len(c)):min(begin+limit, len(c))])
			stacks = append(stacks, s)
			height = max(height, s.height)
		}
		grid := l.grid(widths, height+2*cellPad, head)
		draw := grid.draw
		grid.draw = func(y float64) {
			draw(y)
			for _, s := range stacks {
				s.draw(y + cellPad)
			}
		}
		out = append(out, grid)
	}
	return out
}

// grid draws the lines of a row.
func (l *layout) grid(widths []float64, height float64, shaded bool) piece {
	return piece{height: height, draw: func(y float64) {
		l.pdf.SetLineWidth(0.2)
		l.pdf.SetDrawColor(120, 120, 120)
		x := l.left
		for _, w := range widths {
			if shaded {
				l.pdf.SetFillColor(238, 238, 238)
				l.pdf.Rect(x, y, w, height, "FD")
			} else {
				l.pdf.Rect(x, y, w, height, "D")
			}
			x += w
		}
		l.pdf.SetDrawColor(0, 0, 0)
	}}
}

// quiet is the empty border that a reader needs around a code, in modules (ISO/IEC
// 18004, 9.1).
const quiet = 4

func (c Code) size() float64 {
	if c.Size > 0 {
		return c.Size
	}
	return 45
}

// encode makes the code. Level Q stands the loss of a quarter: paper is folded.
func (c Code) encode() (*qr.Code, error) {
	code, err := qr.Encode(string(c.Content.Reveal()), qr.Q)
	if err != nil {
		return nil, fmt.Errorf("print a code: %v", err) // says its length only
	}
	return code, nil
}

// bars are the dark stretches of a code, row by row: x, y and length in modules.
func bars(code *qr.Code) [][3]int {
	var out [][3]int
	for y := range code.Size {
		for x := 0; x < code.Size; x++ {
			begin := x
			for x < code.Size && code.Black(x, y) {
				x++
			}
			if x > begin {
				out = append(out, [3]int{begin, y, x - begin})
			}
		}
	}
	return out
}

func (c Code) pieces(l *layout) ([]piece, error) {
	code, err := c.encode()
	if err != nil {
		return nil, err
	}
	edge := c.size()
	module := edge / float64(code.Size+2*quiet)
	beside := stacked(l.lines(body, pointsBody, l.left+edge+4, l.inner-edge-4, c.Caption))
	return []piece{{height: max(edge, beside.height), draw: func(y float64) {
		l.pdf.SetFillColor(0, 0, 0)
		for _, b := range bars(code) {
			// A hair more than a module: else some readers see white lines between rows.
			l.pdf.Rect(l.left+float64(b[0]+quiet)*module, y+float64(b[1]+quiet)*module, float64(b[2])*module, module+0.01, "F")
		}
		beside.draw(y + float64(quiet)*module)
	}}, space(2)}, nil
}

// split returns the lines.
func (r Rows) split() []string {
	return strings.Split(strings.TrimRight(string(r.Lines.Reveal()), "\n"), "\n")
}

func (r Rows) pieces(l *layout) ([]piece, error) {
	const points, x = 14.0, 12.0
	var out []piece
	for i, line := range r.split() {
		number := strconv.Itoa(i + 1)
		one := stacked(l.lines(mono, points, l.left+x, l.inner-x, line))
		draw, h := one.draw, lineHeight(points)
		one.draw = func(y float64) {
			l.pdf.SetTextColor(70, 70, 70)
			l.draw(body, pointsBody, l.left+2, y+h*0.76, number)
			l.pdf.SetTextColor(0, 0, 0)
			draw(y)
		}
		out = append(out, one, space(1.6))
	}
	return out, nil
}

func (c Cut) pieces(l *layout) ([]piece, error) {
	return []piece{space(3), {height: 5, draw: func(y float64) {
		l.pdf.SetTextColor(70, 70, 70)
		text := l.prepare(body, string(c))
		w := l.fonts.width(body, pointsFoot, text)
		l.draw(body, pointsFoot, (l.width-w)/2, y+3.2, text)
		l.pdf.SetTextColor(0, 0, 0)
		l.pdf.SetLineWidth(0.2)
		l.pdf.SetDashPattern([]float64{2, 2}, 0)
		l.pdf.Line(6, y+2.2, (l.width-w)/2-3, y+2.2)
		l.pdf.Line((l.width+w)/2+3, y+2.2, l.width-6, y+2.2)
		l.pdf.SetDashPattern(nil, 0)
	}}, space(3)}, nil
}

func (PageBreak) pieces(*layout) ([]piece, error) {
	return []piece{{breaks: true, draw: func(float64) {}}}, nil
}
