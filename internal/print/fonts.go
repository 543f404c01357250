package print

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"codeberg.org/go-pdf/fpdf"
	"github.com/go-fonts/dejavu/dejavusanscondensed"
	"github.com/go-fonts/dejavu/dejavusanscondensedbold"
	"github.com/go-fonts/dejavu/dejavusansmono"
	"github.com/go-fonts/dejavu/dejavusansmonobold"
	"golang.org/x/image/font/sfnt"
)

// GlyphError is for letters that no font has: a name that cannot be read on paper is
// worse than none.
type GlyphError struct {
	Letters string // each once
	In      string // the first text that has one
}

func (e *GlyphError) Error() string {
	in, _, _ := strings.Cut(e.In, "\n")
	return fmt.Sprintf("print %q: no font can show %s", in, spellOut(e.Letters))
}

// Hint says what to do next.
func (e *GlyphError) Hint() string {
	if slices.ContainsFunc([]rune(e.Letters), func(r rune) bool { return r > lastOfPDF || unicode.In(r, woven...) }) {
		return "print it with --format html in a browser, whose fonts have them"
	}
	return "give a TrueType font that has them: --font FILE.ttf; or print it with --format html in a browser"
}

// mostSpelled bounds a message.
const mostSpelled = 5

func spellOut(letters string) string {
	var out []string
	all := []rune(letters)
	for _, r := range all[:min(mostSpelled, len(all))] {
		out = append(out, fmt.Sprintf("%c (U+%04X)", r, r))
	}
	if more := len(all) - mostSpelled; more > 0 {
		out = append(out, fmt.Sprintf("nor %d other characters", more))
	}
	return strings.Join(out, ", ")
}

// lastOfPDF is the last character that the PDF can have: its codes have 16 bits.
const lastOfPDF = 0xFFFF

// woven are scripts whose letters change their form or place beside others by rules
// that are not known here. Set one after another they would be misread, so that no
// font counts as having them.
var woven = []*unicode.RangeTable{
	unicode.Devanagari, unicode.Bengali, unicode.Gurmukhi, unicode.Gujarati, unicode.Oriya, unicode.Tamil, unicode.Telugu, unicode.Kannada, unicode.Malayalam,
	unicode.Sinhala, unicode.Khmer, unicode.Myanmar, unicode.Tibetan, unicode.Mongolian, unicode.Phags_Pa, unicode.Syriac, unicode.Mandaic, unicode.Nko,
	unicode.Balinese, unicode.Javanese, unicode.Sundanese, unicode.Buginese, unicode.Batak, unicode.Cham, unicode.Limbu, unicode.Lepcha, unicode.Meetei_Mayek,
	unicode.Syloti_Nagri, unicode.Saurashtra, unicode.Rejang, unicode.Tagalog, unicode.Hanunoo, unicode.Buhid, unicode.Tagbanwa, unicode.Tai_Tham, unicode.New_Tai_Lue, unicode.Kayah_Li,
}

// face is one font in one weight.
type face struct {
	family string
	table  *sfnt.Font
}

// has reports whether a font draws a character as it is read.
func (f *face) has(r rune, buf *sfnt.Buffer) bool {
	if r > lastOfPDF || r >= 0x700 && unicode.In(r, woven...) {
		return false
	}
	glyph, err := f.table.GlyphIndex(buf, r)
	return err == nil && glyph != 0
}

// kind is what a text is set in.
type kind int

const (
	body kind = iota
	bold
	mono
	monoBold
	kinds
)

// builtIn are the fonts of each kind.
var builtIn = [kinds][]byte{dejavusanscondensed.TTF, dejavusanscondensedbold.TTF, dejavusansmono.TTF, dejavusansmonobold.TTF}

// fonts are the fonts of one PDF. A text is set in the first font of its kind that
// has each character.
type fonts struct {
	pdf     *fpdf.Fpdf
	chain   [kinds][]*face
	buf     sfnt.Buffer
	chosen  [kinds]map[rune]*face
	spelled []rune // symbols that no font has
	missing *GlyphError
}

func loadFonts(pdf *fpdf.Fpdf, more [][]byte) (*fonts, error) {
	f := &fonts{pdf: pdf}
	var own [kinds]*face
	for k, data := range builtIn {
		one, err := addFont(pdf, fmt.Sprintf("own%d", k), data)
		if err != nil {
			return nil, err
		}
		own[k] = one
		f.chosen[k] = map[rune]*face{}
	}
	var given []*face
	for i, data := range more {
		one, err := addFont(pdf, fmt.Sprintf("given%d", i), data)
		if err != nil {
			return nil, fmt.Errorf("read font %d: %w", i+1, err)
		}
		given = append(given, one)
	}
	for k := range own {
		f.chain[k] = append([]*face{own[k], own[body]}, given...)
	}
	return f, nil
}

// addFont gives a font to the PDF. Fonts come from outside: what is no TrueType font
// is refused before the writer of the PDF, which trusts what it reads, sees it.
func addFont(pdf *fpdf.Fpdf, family string, data []byte) (f *face, err error) {
	defer func() {
		if recover() != nil {
			f, err = nil, &FontError{"it cannot be used"}
		}
	}()
	if data, err = single(data); err != nil {
		return nil, err
	}
	table, err := sfnt.Parse(data)
	if err != nil {
		return nil, &FontError{err.Error()}
	}
	if string(data[:4]) == "OTTO" || !has(data, "glyf") {
		return nil, &FontError{"its outlines are PostScript ones"}
	}
	pdf.AddUTF8FontFromBytes(family, "", slices.Clone(data))
	pdf.SetFont(family, "", 10)
	if err := pdf.Error(); err != nil {
		return nil, &FontError{"it cannot be used"}
	}
	return &face{family, table}, nil
}

// FontError is for a font that cannot be used.
type FontError struct{ Why string }

func (e *FontError) Error() string { return "no TrueType font: " + e.Why }

// Hint says what to do next.
func (*FontError) Hint() string {
	return "give a .ttf or .ttc file with TrueType outlines, as most .ttf are; not .otf or .woff"
}

// pick chooses the font for a character; nil: none has it.
func (f *fonts) pick(k kind, r rune) *face {
	one, known := f.chosen[k][r]
	if known {
		return one
	}
	for _, candidate := range f.chain[k] {
		if candidate.has(r, &f.buf) {
			one = candidate
			break
		}
	}
	f.chosen[k][r] = one
	return one
}

// prepare makes a text such that a font has each of its characters: controls and
// symbols without a picture as code points, Arabic letters in their forms. Letters
// that no font has are remembered.
func (f *fonts) prepare(k kind, text string) string {
	text = shape(visible(text))
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n' || f.pick(k, r) != nil:
			b.WriteRune(r)
		case unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsNumber(r):
			if f.missing == nil {
				f.missing = &GlyphError{In: text}
			}
			if !strings.ContainsRune(f.missing.Letters, r) {
				f.missing.Letters += string(r)
			}
		default:
			if !slices.Contains(f.spelled, r) {
				f.spelled = append(f.spelled, r)
			}
			b.WriteString(codePoint(r))
		}
	}
	return b.String()
}

// stretch is a piece of text in one font.
type stretch struct {
	face *face
	text string
}

// stretches divides one line, whose characters are in the order of drawing.
func (f *fonts) stretches(k kind, line string) []stretch {
	var out []stretch
	for _, r := range line {
		one := f.pick(k, r)
		if one == nil {
			continue
		}
		if n := len(out); n > 0 && out[n-1].face == one {
			out[n-1].text += string(r)
			continue
		}
		out = append(out, stretch{one, string(r)})
	}
	return out
}

// width measures a line in millimetres.
func (f *fonts) width(k kind, points float64, line string) float64 {
	sum := 0.0
	for _, s := range f.stretches(k, line) {
		f.pdf.SetFont(s.face.family, "", points)
		sum += f.pdf.GetStringWidth(s.text)
	}
	return sum
}

// draw writes one line with its baseline at y.
func (f *fonts) draw(k kind, points, x, y float64, line string) {
	for _, s := range f.stretches(k, arrange(line)) {
		f.pdf.SetFont(s.face.family, "", points)
		f.pdf.Text(x, y, s.text)
		x += f.pdf.GetStringWidth(s.text)
	}
}

// wrap divides a prepared text into lines of at most a width.
func (f *fonts) wrap(k kind, points, width float64, text string) []string {
	var out []string
	for paragraph := range strings.SplitSeq(text, "\n") {
		line, lineWidth := "", 0.0
		for _, word := range words(k, paragraph) {
			w := f.width(k, points, word)
			trimmed := w
			if strings.HasSuffix(word, " ") {
				trimmed = f.width(k, points, strings.TrimRight(word, " "))
			}
			if line != "" && lineWidth+trimmed > width {
				out = append(out, strings.TrimRight(line, " "))
				line, lineWidth = "", 0
			}
			for trimmed > width { // no word of a language is so long: divide it anywhere
				n := f.fitting(k, points, width, word)
				if hyphen := strings.LastIndexByte(word[:n], '-') + 1; hyphen > 3 {
					n = hyphen
				}
				out = append(out, word[:n])
				word = word[n:]
				w = f.width(k, points, word)
				trimmed = w
			}
			line += word
			lineWidth += w
		}
		out = append(out, strings.TrimRight(line, " "))
	}
	return out
}

// fitting is how many bytes of a word fit into a width, one character at least.
func (f *fonts) fitting(k kind, points, width float64, word string) int {
	sum, last := 0.0, 0
	for i, r := range word {
		sum += f.width(k, points, string(r))
		if i > 0 && sum > width {
			return i
		}
		last = i + len(string(r))
	}
	return last
}

// words divides a paragraph where a line may end: after blanks, after the marks in
// addresses and paths, and around Chinese and Japanese characters (a part of UAX 14).
// A command is divided after blanks only.
func words(k kind, paragraph string) []string {
	var out []string
	begin := 0
	runes := []rune(paragraph)
	for i := 1; i < len(runes); i++ {
		before, r := runes[i-1], runes[i]
		blank := before == ' ' && r != ' '
		mark := k != mono && k != monoBold && strings.ContainsRune("/@.,_?&=:", before) && unicode.IsLetter(r) && i-begin > 3
		wide := (isWide(r) || isWide(before)) && r != ' ' && !unicode.IsPunct(r)
		if blank || mark || wide {
			out = append(out, string(runes[begin:i]))
			begin = i
		}
	}
	return append(out, string(runes[begin:]))
}

// isWide reports whether lines may end before and after a character.
func isWide(r rune) bool {
	return unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana)
}

// FontLicence is the licence of the built-in fonts, which goes with every copy of them:
// with the program, and with what it prints where that is passed on.
//
//go:embed LICENSE-DejaVu.txt
var FontLicence string
