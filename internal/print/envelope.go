package print

import (
	"cmp"
	"time"

	"halligan/custody"
)

// Envelope is what is printed for one part of one account: the outside, which
// everybody may see, and the page that goes in.
type Envelope struct {
	// Account is the alias of the account, never its user name: that is sealed (S22).
	Account string
	Part    string // what is inside: share 2 of 3, first half of the password
	Holder  string
	Seal    string // the number of the seal; "" leaves room to write it
	Rule    string // when, and by whom together, it may be opened
	Form    string // with what it opens: age 1.1.1 or later; post-quantum
	Set     string // the id of the sealed set
	Date    time.Time

	// QR is the text of the code, Words the same as rows to be typed, one a line.
	// Either may be missing.
	QR, Words custody.Secret
	// Typing says how the rows are typed; "" for shares, whose rows check themselves.
	Typing string
}

// Document returns two pages: the outside, and what goes in.
func (e *Envelope) Document() *Document {
	d := &Document{Title: "Envelope " + e.Account, Version: "set " + cmp.Or(e.Set, "none"), Date: e.Date}
	d.Blocks = append(e.outside(), e.inside()...)
	return d
}

// Envelopes are several of one set as one document: for each the outside, and what
// goes in.
func Envelopes(all []*Envelope) *Document {
	d := &Document{Title: "Envelopes"}
	for i, e := range all {
		one := e.Document()
		if i == 0 {
			d.Title, d.Version, d.Date = one.Title, one.Version, one.Date
		} else {
			d.Blocks = append(d.Blocks, PageBreak{})
		}
		d.Blocks = append(d.Blocks, one.Blocks...)
	}
	return d
}

func (e *Envelope) outside() []Block {
	seal := cmp.Or(e.Seal, "______________")
	return []Block{
		Text{Soft, "Outside: cut along the line and fix it to the envelope. Print one-sided: the next page is secret."},
		Text{Large, "Seal " + seal},
		Table{Columns: []Column{{"Sealed", 2, false}, {"", 7, false}}, Rows: [][]string{
			{"Account", cmp.Or(e.Account, unrecorded)}, {"Inside", cmp.Or(e.Part, unrecorded)}, {"Holder", cmp.Or(e.Holder, unrecorded)},
			{"Set", cmp.Or(e.Set, "none")}, {"Opens with", cmp.Or(e.Form, unrecorded)}, {"Sealed on", e.Date.UTC().Format(time.DateOnly)}}},
		Text{Boxed, "To be opened only so: " + cmp.Or(e.Rule, "by two people together, in an emergency or a drill that was approved.")},
		Table{Columns: []Column{{"", 2, false}, {"Day and time", 2, false}, {"First name and signature", 3, false}, {"Second name and signature", 3, false}},
			Rows: [][]string{{"Sealed"}, {"Checked"}, {"Checked"}, {"Opened, and why"}}, Tall: true},
		Text{Soft, "Is the seal broken, or has it another number? Do not open it. Write down day and time, and report it at once."},
		Cut("cut here"),
	}
}

func (e *Envelope) inside() []Block {
	out := []Block{PageBreak{}, Folds{}, Heading{1, "Secret: " + e.Part}}
	if !e.QR.Empty() { // above the first fold
		out = append(out, Code{Content: e.QR, Size: 60, Caption: "With a camera: scan it with a program that works off line, never with a telephone that keeps what it scans.\n\nWithout one: type the rows below."})
	}
	out = append(out,
		Text{Plain, "Fold it in three with the print inwards, and put it into an envelope that shows nothing against a lamp. Whoever reads this page has this part."},
		Table{Columns: []Column{{"Account", 3, false}, {"Set", 3, false}, {"Holder", 3, false}, {"Seal", 2, false}}, Rows: [][]string{{e.Account, cmp.Or(e.Set, "none"), e.Holder, e.Seal}}})
	if !e.Words.Empty() {
		out = append(out, Heading{2, "To be typed, row by row"}, Rows{Lines: e.Words},
			Text{Soft, cmp.Or(e.Typing, "Each row checks itself: a mistyped letter is named, with its row. Capitals make no difference.")})
	}
	return append(out, Text{Plain, "When it was used, this page is destroyed and a new set is made."})
}

// Folds are marks at the edges of the page, by which it is folded into thirds.
type Folds struct{}

func (Folds) pieces(l *layout) ([]piece, error) {
	return []piece{{with: true, draw: func(float64) {
		l.pdf.SetLineWidth(0.2)
		for i := range 2 {
			y := l.height * float64(i+1) / 3
			l.pdf.Line(3, y, 9, y)
			l.pdf.Line(l.width-9, y, l.width-3, y)
		}
	}}}, nil
}

func (Folds) markup(*markup) error { return nil } // only the browser knows where its pages end
