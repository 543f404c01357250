package print

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/bidi"
	"golang.org/x/text/unicode/norm"
)

// visible writes characters that are not seen as code points, so that no name on
// paper is other than it looks: controls, marks that turn the order of letters, what
// is nobody's. Joiners and soft hyphens, which are honest in some languages, go.
func visible(text string) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(strings.ToValidUTF8(text, "\uFFFD")) {
		switch {
		case r == '\n':
			b.WriteRune(r)
		case r == '\t' || unicode.Is(unicode.Zs, r):
			b.WriteByte(' ')
		case r == '\u200c' || r == '\u200d' || r == '\u00ad' || unicode.Is(unicode.Variation_Selector, r):
		case !unicode.IsGraphic(r):
			b.WriteString(codePoint(r))
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

func codePoint(r rune) string { return fmt.Sprintf("[U+%04X]", r) }

// isRightToLeft reports whether a text has a letter of a script that is written so.
func isRightToLeft(text string) bool {
	for _, r := range text {
		if r < 0x590 {
			continue
		}
		if p, _ := bidi.LookupRune(r); p.Class() == bidi.R || p.Class() == bidi.AL {
			return true
		}
	}
	return false
}

// arrange puts the characters of one line into the order in which they are drawn,
// from left to right (UAX 9). Package bidi tells the direction of each run; the order
// of runs is made here.
func arrange(line string) string {
	if !isRightToLeft(line) {
		return line
	}
	var p bidi.Paragraph
	if _, err := p.SetString(line); err != nil {
		return line
	}
	order, err := p.Order()
	if err != nil {
		return line
	}
	base := baseLevel(line)
	var runs []levelled
	for i := range order.NumRuns() {
		run := order.Run(i)
		text := []rune(run.String())
		switch {
		case run.Direction() == bidi.RightToLeft:
			runs = append(runs, levelled{1, text})
		case base == 1:
			runs = append(runs, levelled{2, text})
		default:
			// A number after letters from right to left stands within them.
			n := 0
			if i > 0 {
				n = leadingNumber(text)
			}
			for _, r := range []levelled{{2, text[:n]}, {0, text[n:]}} {
				if len(r.text) > 0 {
					runs = append(runs, r)
				}
			}
		}
	}
	// Rule L2: the order of whatever has level 1 or more is reversed. Two runs of level
	// 2 never meet, so that what is within them stays.
	for i := 0; i < len(runs); i++ {
		end := i
		for end < len(runs) && runs[end].level >= 1 {
			end++
		}
		slices.Reverse(runs[i:end])
		i = end
	}
	var b strings.Builder
	for _, r := range runs {
		if r.level == 1 {
			r.text = mirrored(r.text)
		}
		b.WriteString(string(r.text))
	}
	return b.String()
}

// levelled is a run of characters with its embedding level: without explicit marks,
// which visible takes out, there are 0, 1 and 2.
type levelled struct {
	level int
	text  []rune
}

// baseLevel is 1 for a line that begins with a letter from right to left (rule P2).
func baseLevel(line string) int {
	for _, r := range line {
		switch p, _ := bidi.LookupRune(r); p.Class() {
		case bidi.L:
			return 0
		case bidi.R, bidi.AL:
			return 1
		}
	}
	return 0
}

// leadingNumber is how many characters at the beginning are a number.
func leadingNumber(text []rune) int {
	n := 0
	for i, r := range text {
		switch p, _ := bidi.LookupRune(r); p.Class() {
		case bidi.EN, bidi.AN:
			n = i + 1
		case bidi.ET, bidi.ES, bidi.CS, bidi.NSM:
		default:
			return n
		}
	}
	return n
}

// mirrored reverses letters; marks stay with theirs, brackets change sides.
func mirrored(text []rune) []rune {
	var out []rune
	for end := len(text); end > 0; {
		begin := end - 1
		for begin > 0 && unicode.Is(unicode.Mn, text[begin]) {
			begin--
		}
		for _, r := range text[begin:end] {
			out = append(out, []rune(bidi.ReverseString(string(r)))...)
		}
		end = begin
	}
	return out
}

// forms are the presentation forms of an Arabic letter: alone, after another,
// before another, between two. A letter that joins only what comes before it has no
// third and fourth.
type forms [4]rune

func (f *forms) joinsNext() bool { return f[2] != 0 }

// arabic holds the forms by letter, ligatures the two of lam with an alef after it.
// Unicode lists them in the order of forms, and its decompositions say of which
// letter each is (UAX 15, Unicode chapter 9.2).
var arabic, ligatures = presentationForms()

func presentationForms() (map[rune]*forms, map[rune]*forms) {
	letters, pairs := map[rune]*forms{}, map[rune]*forms{}
	for _, block := range [][2]rune{{0xFE80, 0xFEFC}, {0xFB50, 0xFBB1}, {0xFBD3, 0xFBE9}, {0xFBFC, 0xFBFF}} {
		for r := block[0]; r <= block[1]; r++ {
			whole := []rune(norm.NFKC.String(string(r)))
			into, key := letters, whole[0]
			if len(whole) == 2 && whole[0] == 'ل' {
				into, key = pairs, whole[1]
			} else if len(whole) != 1 || key == r {
				continue
			}
			f := into[key]
			if f == nil {
				f = &forms{}
				into[key] = f
			}
			if at := slices.Index(f[:], 0); at >= 0 {
				f[at] = r
			}
		}
	}
	return letters, pairs
}

// tatweel lengthens the line between two letters and joins both.
const tatweel = 'ـ'

// shape gives Arabic letters the forms that their places ask for. Marks above and
// below letters make no difference.
func shape(text string) string {
	if !strings.ContainsFunc(text, func(r rune) bool { return arabic[r] != nil }) {
		return text
	}
	in := []rune(text)
	var out []rune
	for i := 0; i < len(in); i++ {
		f := arabic[in[i]]
		if f == nil {
			out = append(out, in[i])
			continue
		}
		before := letterAt(in, i, -1)
		after := letterAt(in, i, +1)
		joined := before == tatweel || arabic[before] != nil && arabic[before].joinsNext()
		if pair := ligatures[after]; in[i] == 'ل' && pair != nil && in[i+1] == after {
			out = append(out, pair[at(joined, false)])
			i++
			continue
		}
		form := f[at(joined && joinsBefore(in[i]), f.joinsNext() && (after == tatweel || joinsBefore(after)))]
		out = append(out, cmp.Or(form, f[0]))
	}
	return string(out)
}

func at(joined, joins bool) int {
	place := 0
	if joined {
		place |= 1
	}
	if joins {
		place |= 2
	}
	return place
}

// joinsBefore reports whether a letter joins the one before it: all do that have a
// second form.
func joinsBefore(r rune) bool { f := arabic[r]; return f != nil && f[1] != 0 }

// letterAt is the next character in a direction that is no mark; 0 at the end.
func letterAt(in []rune, i, step int) rune {
	for i += step; i >= 0 && i < len(in); i += step {
		if !unicode.Is(unicode.Mn, in[i]) {
			return in[i]
		}
	}
	return 0
}
