package register

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// element is one mapping whose keys change: what stands there and what is to.
type element struct {
	what    string // is attempted, for errors
	shapes  map[string]*Shape
	shape   *Shape
	was, to reflect.Value
	// at is the line before which new keys go, indent what they begin with.
	at     int
	indent string
}

// rewrite returns the text with the keys of a mapping that change: a value in its
// place, with the comment behind it; new keys below the others. What stays is not
// touched.
func (l *list) rewrite(mapping *ast.MappingNode, e *element) ([]byte, error) {
	if mapping.IsFlowStyle {
		return l.inBraces(mapping, e)
	}
	lines := slices.Clone(l.lines)
	w, written := writer{}, map[string]bool{}
	for i, entry := range mapping.Values {
		key, line := keyText(entry), position(entry.Key).line-1
		written[key] = true
		value, single := keyed(e.to, key), position(entry.Value).line-1 == line && isScalar(entry.Value)
		if single {
			e.indent = strings.Repeat(" ", position(entry.Key).column-1)
			e.at = line + 1
		}
		if reflect.DeepEqual(value.Interface(), keyed(e.was, key).Interface()) {
			continue
		}
		switch {
		case isNone(value) && i == 0 && strings.HasPrefix(strings.TrimLeft(lines[line], " "), "-"):
			return nil, &EditError{fmt.Sprintf("%s: %s begins with %s, which goes", e.what, "the element", key), "let another key follow the dash"}
		case isNull(entry.Value) && (value.Kind() == reflect.Slice || value.Kind() == reflect.Struct):
			written[key], lines[line] = false, "" // the key goes below the others, with what is new
			continue
		case !single:
			if err := l.several(lines, entry, e); err != nil {
				return nil, err
			}
			continue
		case isNone(value):
			lines[line] = ""
			continue
		}
		mark := strings.Repeat(byteOrderMark, strings.Count(lines[line], byteOrderMark))
		letters, was := []rune(strings.TrimPrefix(lines[line], byteOrderMark)), strings.TrimSpace(entry.Value.GetToken().Origin)
		from := min(len(letters), position(entry.Value).column-1)
		to := min(len(letters), from+len([]rune(was)))
		lines[line] = mark + string(letters[:from]) + w.scalar(value) + string(letters[to:])
	}
	if e.at > 0 && !strings.HasSuffix(lines[e.at-1], "\n") && lines[e.at-1] != "" {
		lines[e.at-1] += l.ending
	}
	return []byte(strings.Join(slices.Insert(lines, e.at, e.added(written, l.ending)), "")), nil
}

// several changes a list or a mapping: one in brackets within its line, any other
// with all its lines. A comment among these would be lost, and is not.
func (l *list) several(lines []string, entry *ast.MappingValueNode, e *element) error {
	key, value := keyText(entry), keyed(e.to, keyText(entry))
	from, to := position(entry.Key).line-1, position(entry.Key).line-1
	sequence, isList := entry.Value.(*ast.SequenceNode)
	if _, isMapping := entry.Value.(*ast.MappingNode); !isList && !isMapping {
		return &EditError{fmt.Sprintf("%s: %s stands on more than one line", e.what, key), "write it on one line"}
	}
	if isList && sequence.IsFlowStyle {
		begin, end := spotOf(sequence.Start), spotOf(sequence.End)
		if begin.line == end.line && begin.line-1 == from && value.Len() > 0 {
			letters := []rune(strings.TrimPrefix(lines[from], byteOrderMark))
			mark := strings.Repeat(byteOrderMark, strings.Count(lines[from], byteOrderMark))
			lines[from] = mark + string(letters[:begin.column-1]) + inBrackets(value) + string(letters[end.column:])
			return nil
		}
		to = end.line - 1
	}
	ast.Walk(lastLine{&to}, entry.Value)
	for at := from; at <= to; at++ {
		if before, _, has := strings.Cut(lines[at], "#"); has && (strings.TrimSpace(before) == "" || strings.HasSuffix(before, " ")) {
			return &EditError{fmt.Sprintf("%s: a comment stands within %s, and would be lost", e.what, key), "put the comment above the person, or change it with an editor"}
		}
	}
	w := writer{shapes: e.shapes}
	if !isNone(value) {
		letters := []rune(lines[from])
		column := position(entry.Key).column - 1
		w.field(e.shape.field(key), value, strings.Repeat(" ", column))
		lines[from] = string(letters[:column]) + strings.ReplaceAll(w.String(), "\n", l.ending)[column:]
		from++
	}
	for at := from; at <= to; at++ {
		lines[at] = ""
	}
	return nil
}

func isNull(node ast.Node) bool {
	_, is := node.(*ast.NullNode)
	return is
}

// lastLine is the last line, from 0, on which something stands below a node.
type lastLine struct{ at *int }

// Visit implements ast.Visitor.
func (v lastLine) Visit(node ast.Node) ast.Visitor {
	if t := node.GetToken(); t != nil && t.Position != nil {
		*v.at = max(*v.at, t.Position.Line-1)
	}
	return v
}

// inBrackets is a list on one line.
func inBrackets(value reflect.Value) string {
	w := writer{}
	var all []string
	for i := range value.Len() {
		all = append(all, w.scalar(value.Index(i)))
	}
	return "[" + strings.Join(all, ", ") + "]"
}

// added are the keys that are new, each on lines of its own.
func (e *element) added(written map[string]bool, ending string) string {
	w := writer{shapes: e.shapes}
	for i := range e.shape.Fields {
		if f := &e.shape.Fields[i]; !written[f.Key] && !isNone(keyed(e.to, f.Key)) {
			w.field(f, keyed(e.to, f.Key), e.indent)
		}
	}
	return strings.ReplaceAll(w.String(), "\n", ending)
}

func (l *list) inBraces(mapping *ast.MappingNode, e *element) ([]byte, error) {
	from, to := spotOf(mapping.Start), spotOf(mapping.End)
	if from.line != to.line {
		return nil, &EditError{e.what + ": it stands in braces on more than one line", "write one key to a line, or all on one line"}
	}
	w := writer{}
	var keys []string
	for i := range e.shape.Fields {
		value := keyed(e.to, e.shape.Fields[i].Key)
		switch {
		case isNone(value):
			continue
		case value.Kind() == reflect.Slice:
			keys = append(keys, e.shape.Fields[i].Key+": "+inBrackets(value))
		default:
			keys = append(keys, e.shape.Fields[i].Key+": "+w.scalar(value))
		}
	}
	lines := slices.Clone(l.lines)
	letters := []rune(strings.TrimPrefix(lines[from.line-1], byteOrderMark))
	mark := strings.Repeat(byteOrderMark, strings.Count(lines[from.line-1], byteOrderMark))
	lines[from.line-1] = mark + string(letters[:from.column-1]) + "{" + strings.Join(keys, ", ") + "}" + string(letters[to.column:])
	return []byte(strings.Join(lines, "")), nil
}

// setElement returns the text with another value for one element of a list, and
// believes the result only when it reads as the register before with that value.
func setElement(text []byte, key string, index int, what string, was, to reflect.Value, want *Register, d *decoder) ([]byte, error) {
	sequence := listOf(d, key)
	if d.body.IsFlowStyle || sequence == nil || sequence.IsFlowStyle {
		return nil, &EditError{what + ": the list is written in brackets", "write each of " + key + " on lines of their own that begin with a dash"}
	}
	mapping, is := sequence.Values[index].(*ast.MappingNode)
	l, err := listIn(d, string(text), key)
	if err != nil {
		return nil, err
	}
	if !is {
		return nil, &EditError{what + ": it is no mapping", "write one key to a line"}
	}
	next, err := l.rewrite(mapping, &element{what: what, shapes: d.shapes, shape: d.shapes[l.shape], was: was, to: to, at: position(mapping).line, indent: strings.Repeat(" ", l.dash+2)})
	if err != nil {
		return nil, err
	}
	got, err := Parse("halligan.yaml", next)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	if !reflect.DeepEqual(got, want) {
		return nil, &EditError{what + ": the place for it was not found", "change it with an editor"}
	}
	return next, nil
}
