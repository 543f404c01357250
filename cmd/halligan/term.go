package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"
)

// isTerminal says whether w is a terminal that a person looks at.
func isTerminal(w io.Writer) bool {
	file, is := w.(*os.File)
	return is && term.IsTerminal(int(file.Fd()))
}

const (
	defaultWidth = 80
	minWidth     = 40 // below, tables turn into confetti
)

// width returns how many columns w has: those of the terminal, else what
// COLUMNS says, else 80.
func width(w io.Writer, getenv func(string) string) int {
	if file, is := w.(*os.File); is {
		if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
			return max(columns, minWidth)
		}
	}
	if columns, err := strconv.Atoi(getenv("COLUMNS")); err == nil && columns > 0 {
		return max(columns, minWidth)
	}
	return defaultWidth
}

// style is how a piece of text looks on a terminal, as the number of an SGR sequence.
type style int

const (
	bold   style = 1
	red    style = 31
	green  style = 32
	yellow style = 33
)

// paint says whether styles are shown. Colour never carries a meaning that the
// words do not.
type paint bool

// paintOn decides for w: only on a terminal, and not when NO_COLOR is set or the
// terminal is too simple.
func (c *console) paintOn(w io.Writer) paint {
	if c.getenv("NO_COLOR") != "" || c.getenv("TERM") == "dumb" || !isTerminal(w) {
		return false
	}
	return paint(understandsANSI(w.(*os.File)))
}

// in returns text in a style, or text itself where styles are not shown. The
// text must have been escaped before.
func (p paint) in(s style, text string) string {
	if !p {
		return text
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", int(s), text)
}

const (
	zeroWidthNonJoiner = '\u200c'
	zeroWidthJoiner    = '\u200d'
)

// escape makes foreign text harmless on a terminal and in a line of output. A
// display name can hold anything: sequences that move the cursor or write the
// clipboard, line breaks that fake a second finding, controls that turn the
// reading direction so that one name looks like another. All of that becomes
// visible as \u{…} with the code point in hexadecimal, and a byte that is not UTF-8
// as \x{…}. Letters and spaces of every script stay.
//
// A backslash stays too, since names like CORP\ana are common: what escape
// returns is safe to show, not a code to be reversed.
func escape(text string) string {
	if isPlain(text) {
		return text
	}
	var b strings.Builder
	shown := rune(0) // the letter just before, if it stands as it was
	for i, r := range text {
		before := shown
		shown = 0
		switch {
		case r == utf8.RuneError && isBrokenByte(text[i:]):
			fmt.Fprintf(&b, `\x{%02x}`, text[i])
		case unicode.IsPrint(r), unicode.Is(unicode.Zs, r):
			b.WriteRune(r)
			shown = r
		case (r == zeroWidthJoiner || r == zeroWidthNonJoiner) && before > unicode.MaxASCII:
			// Persian and Indic spelling and emoji need one of them between two
			// letters. Between Latin letters, or twice, they only serve to make
			// two equal names differ.
			b.WriteRune(r)
		default:
			fmt.Fprintf(&b, `\u{%04x}`, r)
		}
	}
	return b.String()
}

// isPlain is the common case, in which escape need not build a new string.
func isPlain(text string) bool {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return false
		}
	}
	return true
}

// isBrokenByte tells an invalid byte from a U+FFFD that is really in the text.
func isBrokenByte(text string) bool {
	_, size := utf8.DecodeRuneInString(text)
	return size == 1
}

// wrap breaks text at spaces so that no line is longer than columns, where words
// allow it. Lines after the first begin with indent.
func wrap(text string, columns int, indent string) string {
	var b strings.Builder
	used := 0
	for i, word := range strings.Fields(text) {
		length := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case used+1+length > columns:
			b.WriteString("\n" + indent)
			used = utf8.RuneCountInString(indent)
		default:
			b.WriteByte(' ')
			used++
		}
		b.WriteString(word)
		used += length
	}
	return b.String()
}
