package register

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Error is one thing that is wrong with a halligan.yaml. Nothing in What or Hint
// can act on a terminal, and neither quotes what looks like a secret.
type Error struct {
	File         string
	Line, Column int // from 1; the column counts letters
	// Path is where it stands, such as accounts[0].keys[1].aaguid; empty for the
	// document.
	Path string
	What string
	hint string
}

// Error returns file, line, column and what is wrong.
func (e *Error) Error() string {
	return fmt.Sprintf("%s:%d:%d: %s", e.File, e.Line, e.Column, e.What)
}

// Hint returns what to do about it.
func (e *Error) Hint() string { return e.hint }

// Errors is everything that is wrong with a halligan.yaml, by line.
type Errors []*Error

// errorsMost bounds what is collected: who has made the hundredth mistake has
// made another kind of mistake.
const errorsMost = 100

// Error returns one line for each error.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Hint returns the hints, each once, with the first line it is about when there
// are several.
func (e Errors) Hint() string {
	var lines []string
	seen := map[string]bool{}
	for _, one := range e {
		switch {
		case one.hint == "" || seen[one.hint]:
		case len(e) == 1:
			lines = append(lines, one.hint)
		default:
			lines = append(lines, fmt.Sprintf("line %d: %s", one.Line, one.hint))
		}
		seen[one.hint] = true
	}
	return strings.Join(lines, "\n")
}

// Unwrap returns the errors one by one.
func (e Errors) Unwrap() []error {
	out := make([]error, len(e))
	for i, one := range e {
		out[i] = one
	}
	return out
}

func (e Errors) sorted() Errors {
	slices.SortStableFunc(e, func(a, b *Error) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return e[:min(len(e), errorsMost)]
}

// shown quotes a value for an error: shortened, with controls and the marks that
// turn the direction of writing escaped, and never a secret.
func shown(value string) string {
	if secretIn(value) != "" || randomIn(value) || toldSecret.MatchString(value) {
		return "a value that is not shown here"
	}
	const most = 60
	if utf8.RuneCountInString(value) > most {
		value = string([]rune(value)[:most]) + "…"
	}
	return strconv.Quote(value)
}

// ErrorAt returns an error at the place of a path, such as
// attestations[2].check, in a text that Parse reads. It is for what other
// packages know: which checks there are, and what may be supposed. What and hint
// are quoted by the caller. A path that is not there is the first line.
func ErrorAt(file string, text []byte, path, what, hint string) *Error {
	_, d, _ := parse(file, text)
	at, is := d.at[path]
	if !is {
		at = spot{1, 1}
	}
	return &Error{File: file, Line: at.line, Column: at.column, Path: path, What: what, hint: hint}
}
