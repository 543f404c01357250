package custody

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// Visible returns a text as it may be shown to somebody who decides by it: what
// cannot be seen, or turns the direction of writing, is written ‹U+202E›. A mark
// of that form in the text itself is written so, too, and cannot be mistaken.
func Visible(text string) string {
	var b strings.Builder
	for _, r := range text {
		if isHidden(r) || r == '‹' || r == '›' {
			fmt.Fprintf(&b, "‹U+%04X›", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// blanks are letters and marks that are printable by their class and show
// nothing, or change how the letter before them looks.
var blanks = &unicode.RangeTable{
	R16: []unicode.Range16{{0x034F, 0x034F, 1}, {0x115F, 0x1160, 1}, {0x17B4, 0x17B5, 1}, {0x180B, 0x180F, 1}, {0x2800, 0x2800, 1}, {0x3164, 0x3164, 1}, {0xFE00, 0xFE0F, 1}, {0xFFA0, 0xFFA0, 1}, {0xFFFC, 0xFFFD, 1}},
	R32: []unicode.Range32{{0xE0100, 0xE01EF, 1}},
}

// isHidden reports letters that cannot be seen for what they are: controls,
// formats such as the bidirectional marks, blanks but the common one.
func isHidden(r rune) bool { return !unicode.IsPrint(r) || unicode.Is(blanks, r) }

// styled are letters of other blocks that look like plain ones.
var styled = &unicode.RangeTable{
	R16: []unicode.Range16{{0x2100, 0x214F, 1}, {0x2460, 0x24FF, 1}, {0xA7F7, 0xA7FA, 1}, {0xFB00, 0xFB06, 1}, {0xFF01, 0xFF5E, 1}},
	R32: []unicode.Range32{{0x1D400, 0x1D7FF, 1}, {0x1F100, 0x1F1FF, 1}},
}

// alike are Cyrillic and Greek letters with the Latin one that each can be taken
// for (Unicode TS 39, confusables.txt; those that differ in no common font).
var alike = map[rune]rune{
	'а': 'a', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'һ': 'h', 'і': 'i', 'ј': 'j', 'ӏ': 'l', 'о': 'o', 'р': 'p', 'ԛ': 'q', 'ѕ': 's', 'у': 'y', 'ѵ': 'v', 'ԝ': 'w', 'х': 'x',
	'А': 'A', 'В': 'B', 'С': 'C', 'Е': 'E', 'Н': 'H', 'І': 'I', 'Ј': 'J', 'К': 'K', 'М': 'M', 'О': 'O', 'Р': 'P', 'Ѕ': 'S', 'Т': 'T', 'Х': 'X', 'У': 'Y',
	'α': 'a', 'ο': 'o', 'ν': 'v', 'ρ': 'p', 'ι': 'i', 'κ': 'k', 'υ': 'u',
	'Α': 'A', 'Β': 'B', 'Ε': 'E', 'Ζ': 'Z', 'Η': 'H', 'Ι': 'I', 'Κ': 'K', 'Μ': 'M', 'Ν': 'N', 'Ο': 'O', 'Ρ': 'P', 'Τ': 'T', 'Υ': 'Y', 'Χ': 'X',
}

// together are scripts that are written in one word as a matter of course.
var together = []string{"Bopomofo", "Han", "Hangul", "Hiragana", "Katakana", "Latin"}

// Hidden says what in a text cannot be seen, in words; nothing when all can.
func Hidden(text string) []string {
	var out []string
	for _, r := range text {
		if isHidden(r) {
			out = append(out, fmt.Sprintf("U+%04X cannot be seen", r))
		}
	}
	return few(out)
}

// Alike says which words of a text look like something else: letters of two
// scripts in one word, a word of letters that all look Latin beside Latin ones,
// letters of a special form.
func Alike(text string) []string {
	var out []string
	words := strings.FieldsFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && !unicode.IsDigit(r) })
	latin := strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Latin, r) })
	for _, word := range words {
		var scripts []string
		read := strings.Map(func(r rune) rune { return cmp.Or(alike[r], r) }, word)
		whole, marks := true, false
		for i, r := range word {
			if s := scriptOf(r); s != "" && !slices.Contains(scripts, s) {
				scripts = append(scripts, s)
			}
			whole = whole && alike[r] != 0
			marks = marks || i > 0 && unicode.Is(unicode.Mn, r) && slices.Contains(scripts, "Latin")
		}
		slices.Sort(scripts)
		mixed := len(scripts) > 1 && slices.ContainsFunc(scripts, func(s string) bool { return !slices.Contains(together, s) })
		switch {
		case mixed:
			out = append(out, fmt.Sprintf("%q mixes %s letters and reads like %q", Visible(word), strings.Join(scripts, " and "), read))
		case whole && latin:
			out = append(out, fmt.Sprintf("%q is of %s letters and reads like %q", Visible(word), strings.Join(scripts, " and "), read))
		case marks:
			out = append(out, fmt.Sprintf("%q has marks apart from their letters", Visible(word)))
		}
	}
	for _, r := range text {
		if unicode.Is(styled, r) {
			out = append(out, fmt.Sprintf("%q (U+%04X) is a letter of a special form", r, r))
		}
	}
	return few(out)
}

// few bounds what is said: a text of nothing else is told by its first.
func few(all []string) []string {
	const most = 8
	if len(all) > most {
		return append(all[:most:most], fmt.Sprintf("and %d more", len(all)-most))
	}
	return all
}

// scriptOf returns the script of a letter; nothing for marks and digits, which
// belong to all.
func scriptOf(r rune) string {
	switch {
	case r < 0x80 && unicode.IsLetter(r), unicode.Is(unicode.Latin, r):
		return "Latin"
	case unicode.Is(unicode.Cyrillic, r):
		return "Cyrillic"
	case unicode.Is(unicode.Greek, r):
		return "Greek"
	case !unicode.IsLetter(r):
		return ""
	}
	for name, table := range unicode.Scripts { // a letter is of one script
		if name != "Common" && name != "Inherited" && unicode.Is(table, r) {
			return name
		}
	}
	return ""
}
