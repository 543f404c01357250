package register

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// AddAttestation returns the text of a halligan.yaml with one attestation more,
// at the end of its list. Every other byte stays: comments, order, line ends. A
// text that Parse refuses, or would refuse with the attestation, is an error.
func AddAttestation(text []byte, a Attestation) ([]byte, error) {
	return add(text, "attestations", reflect.ValueOf(a), func(r *Register) { r.Attestations = append(r.Attestations, a) })
}

// AddAccepted does for an accepted risk what AddAttestation does for an
// attestation.
func AddAccepted(text []byte, a Accepted) ([]byte, error) {
	return add(text, "accepted", reflect.ValueOf(a), func(r *Register) { r.Accepted = append(r.Accepted, a) })
}

// EditError says why a register cannot be edited although it can be read.
type EditError struct {
	What string
	hint string
}

// Error returns what was attempted and why it failed.
func (e *EditError) Error() string { return e.What }

// Hint returns how to make it possible.
func (e *EditError) Hint() string { return e.hint }

// add splices an element into the text of a list and believes the result only
// when it reads as the register before with the element.
func add(text []byte, key string, element reflect.Value, change func(*Register)) ([]byte, error) {
	const file = "halligan.yaml"
	want, d, errs := parse(file, text)
	if len(errs) > 0 {
		return nil, errs
	}
	change(want)
	if d.body.IsFlowStyle {
		return nil, &EditError{fmt.Sprintf("add to %s: the whole register is written in braces", key), "write it with one key to a line"}
	}
	l, err := listIn(d, string(text), key)
	if err != nil {
		return nil, err
	}
	var refused error
	for _, line := range l.places() {
		next := l.splice(line, d.shapes, element)
		got, err := Parse(file, next)
		if err == nil && reflect.DeepEqual(got, want) {
			return next, nil
		}
		refused = err
	}
	// A register that is refused says more than that the splice failed.
	if refused != nil {
		return nil, fmt.Errorf("add to %s: %w", key, refused)
	}
	return nil, &EditError{fmt.Sprintf("add to %s: the place for it was not found", key), "add it with an editor"}
}

// list is where a list of the register stands in its text.
type list struct {
	key    string
	shape  string
	lines  []string // of the text, each with its end
	ending string   // of lines
	// indent is that of the keys of the register, dash that of the dashes.
	indent, dash int
	// header is the line of the key, from 0; -1: there is none.
	header int
	// empty: nothing stands under the key, or [], which is cut out of its line.
	empty bool
	cut   [2]spot
	// after is the line of the next key, or the number of lines.
	after int
}

func listIn(d *decoder, text, key string) (*list, error) {
	l := &list{key: key, header: -1, ending: "\n", shape: d.shapes[RootShape].field(key).Shape}
	l.lines = strings.SplitAfter(text, "\n")
	if last := len(l.lines) - 1; l.lines[last] == "" {
		l.lines = l.lines[:last]
	}
	if strings.HasSuffix(l.lines[0], "\r\n") {
		l.ending = "\r\n"
	}
	l.indent = position(d.body).column - 1
	l.dash = l.indent + 2
	l.after = len(l.lines)
	entries := d.body.Values
	for i, entry := range entries {
		if keyText(entry) != key {
			continue
		}
		l.header = position(entry.Key).line - 1
		if i+1 < len(entries) {
			l.after = position(entries[i+1].Key).line - 1
		}
		sequence, is := entry.Value.(*ast.SequenceNode)
		switch {
		case !is: // nothing, or null spelled out
			l.empty = true
			if null := entry.Value.GetToken(); null.Type == token.NullType && null.Position.Line == l.header+1 {
				from := spotOf(null)
				l.cut = [2]spot{from, {from.line, from.column + len(null.Value)}}
			}
		case len(sequence.Values) == 0:
			l.empty = true
			from, to := spotOf(sequence.Start), spotOf(sequence.End)
			if from.line != to.line || from.line != l.header+1 {
				return nil, &EditError{fmt.Sprintf("add to %s: the empty list stands on more than one line", key), "write " + key + ": [] on one line"}
			}
			l.cut = [2]spot{from, {to.line, to.column + 1}}
		case sequence.IsFlowStyle:
			return nil, &EditError{fmt.Sprintf("add to %s: the list is written in brackets", key), "write each element on a line of its own that begins with a dash"}
		default:
			l.dash = position(sequence).column - 1
		}
	}
	return l, nil
}

// places are the lines before which the element may go, the likeliest first:
// behind the last line of the list, before the blank lines and comments that
// lead to the next key; and right before the next key, for a block of text that
// ends in blank lines.
func (l *list) places() []int {
	switch {
	case l.header < 0:
		return []int{len(l.lines)}
	case l.empty:
		return []int{l.header + 1}
	}
	last := l.after
	for last > l.header+1 && l.leads(l.lines[last-1]) {
		last--
	}
	return []int{last, l.after}
}

// leads reports whether a line belongs to what follows the list: it is blank, or
// a comment that is not indented as deep as the elements.
func (l *list) leads(line string) bool {
	content := strings.TrimLeft(line, " ")
	indent := len(line) - len(content)
	content = strings.TrimSpace(content)
	return content == "" || content[0] == '#' && indent <= min(l.indent, l.dash)
}

func (l *list) splice(at int, shapes map[string]*Shape, element reflect.Value) []byte {
	w := writer{shapes: shapes}
	if l.header < 0 {
		fmt.Fprintf(&w, "\n%s%s:\n", strings.Repeat(" ", l.indent), l.key)
	}
	w.element(shapes[l.shape], element, strings.Repeat(" ", l.dash))
	insert := strings.ReplaceAll(w.String(), "\n", l.ending)

	var b strings.Builder
	for i, line := range l.lines[:at] {
		if i == l.header && l.cut[0].line > 0 {
			line = l.without(line)
		}
		b.WriteString(line)
	}
	if !strings.HasSuffix(b.String(), "\n") {
		b.WriteString(l.ending)
	}
	b.WriteString(insert)
	for _, line := range l.lines[at:] {
		b.WriteString(line)
	}
	return []byte(b.String())
}

// without cuts the empty value out of the line of the key, and the blanks before
// it where nothing follows.
func (l *list) without(line string) string {
	mark := ""
	if rest, is := strings.CutPrefix(line, byteOrderMark); is {
		mark, line = byteOrderMark, rest
	}
	letters := []rune(line)
	before, behind := string(letters[:l.cut[0].column-1]), string(letters[l.cut[1].column-1:])
	if strings.TrimSpace(behind) == "" {
		before = strings.TrimRight(before, " ")
	} else {
		behind = strings.TrimLeft(behind, " ")
	}
	return mark + before + behind
}
