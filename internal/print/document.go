package print

import (
	"fmt"
	"io"
	"strings"
	"time"

	"halligan/custody"
)

// Document is what is printed.
type Document struct {
	Title string
	// Version and Digest tell a printed copy from a later one; they stand on every
	// page, with the day of Date. Digest may be empty.
	Version, Digest string
	Date            time.Time
	Blocks          []Block
}

// Paper is a size of paper.
type Paper string

// The sizes.
const (
	A4     Paper = "a4"
	Letter Paper = "letter"
)

// Papers are the sizes by name, A4 first.
var Papers = []Paper{A4, Letter}

// size is the width and height of a paper in millimetres, upright.
var size = map[Paper][2]float64{A4: {210, 297}, Letter: {215.9, 279.4}}

// Options are how a document is printed.
type Options struct {
	Paper Paper // "" is A4
	// Fonts are TrueType fonts that are asked for a character that the built-in ones
	// do not have, in this order.
	Fonts [][]byte
}

// paper checks the options and returns the size.
func (o *Options) paper() ([2]float64, error) {
	if o.Paper == "" {
		return size[A4], nil
	}
	s, known := size[o.Paper]
	if !known {
		return s, fmt.Errorf("print: no paper %q", o.Paper)
	}
	return s, nil
}

// Form is one form in which a document can be written.
type Form struct {
	Name, Extension string
	// Write writes a document. Spelled are the symbols for which no font has a
	// picture, and which were written as code points.
	Write func(d *Document, w io.Writer, o Options) (spelled string, err error)
}

// Forms are the forms, the usual one first.
var Forms = []Form{
	{"pdf", ".pdf", (*Document).WritePDF},
	{"html", ".html", (*Document).WriteHTML},
}

// stamp is what stands at the foot of every page.
func (d *Document) stamp() string {
	out := []string{d.Title}
	if d.Version != "" {
		out = append(out, d.Version)
	}
	if d.Digest != "" {
		out = append(out, "digest "+d.Digest)
	}
	return strings.Join(append(out, d.Date.UTC().Format(time.DateOnly)), " · ")
}

// Block is one part of a document. The blocks are Heading, Contents, Text, List, Step,
// Table, Code, Rows, Cut, Folds, Figure and PageBreak.
type Block interface {
	// pieces lays the block out for the PDF, from top to bottom.
	pieces(l *layout) ([]piece, error)
	// markup writes the block as HTML.
	markup(m *markup) error
}

// Heading is a title of level 1 to 3. It stays with what comes next.
type Heading struct {
	Level int
	Text  string
}

// Style is how a text is set.
type Style int

// The styles.
const (
	Plain  Style = iota
	Soft         // an aside, smaller
	Strong       // bold
	Large        // to be read from afar
	Boxed        // a warning, in a frame
	Mono         // a command, as it is typed
)

// Text is a paragraph. A line break in it is kept.
type Text struct {
	Style Style
	Text  string
}

// List is a list of short texts.
type List []string

// Step is one step of a runbook, with a box to be ticked.
type Step struct {
	Number                                int
	Do, Where, Command, Expect, Otherwise string
}

// Column is a column of a table.
type Column struct {
	Title string
	// Share of the width; the shares of a table are added up.
	Share float64
	Mono  bool
}

// Table is a table whose head is repeated on every page. No row is divided over
// pages unless it is taller than one.
type Table struct {
	Columns []Column
	Rows    [][]string
	// Empty is said in place of a table without rows.
	Empty string
	// Write is the number of empty rows to be filled in by hand; Tall says that the
	// rows have room for that, too.
	Write int
	Tall  bool
}

// Contents lists headings with their pages; in HTML, as links.
type Contents []string

// Code is a QR code (ISO/IEC 18004), with a caption beside it.
type Code struct {
	Content custody.Secret
	Caption string
	// Size is the edge in millimetres, 0: 45.
	Size float64
}

// Rows are lines to be read out and typed, each with its number.
type Rows struct {
	Lines custody.Secret // one line for each row
}

// Cut is a line across the page, to be folded or cut along.
type Cut string

// Figure is the picture of who holds what where; nil: none.
type Figure struct{ Holdings *Holdings }

// PageBreak begins a page.
type PageBreak struct{}
