package register

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// AddPerson does for a person what AddAttestation does for an attestation.
func AddPerson(text []byte, p Person) ([]byte, error) {
	return add(text, "people", reflect.ValueOf(p), func(r *Register) { r.People = append(r.People, p) })
}

// RemovePerson returns the text of a halligan.yaml without a person. Every other
// byte stays, and so does a comment above the person. A person who still holds a
// part, opens a place or manages somebody is not removed.
func RemovePerson(text []byte, name string) ([]byte, error) {
	const file = "halligan.yaml"
	want, d, errs := parse(file, text)
	if len(errs) > 0 {
		return nil, errs
	}
	gone := slices.IndexFunc(want.People, func(p Person) bool { return SamePerson(p.Name, name) })
	if gone < 0 {
		hint := "halligan person list shows who is there"
		var all []string
		for _, p := range want.People {
			all = append(all, p.Name)
		}
		if near := Nearest(name, all); near != "" {
			hint = fmt.Sprintf("did you mean %s?", shown(near))
		}
		return nil, &EditError{fmt.Sprintf("remove a person: the register has no %s", shown(name)), hint}
	}
	if err := want.needed(want.People[gone].Name); err != nil {
		return nil, err
	}
	sequence := listOf(d, "people")
	if d.body.IsFlowStyle || sequence == nil || sequence.IsFlowStyle {
		return nil, &EditError{"remove a person: the list is written in brackets", "write each person on lines of their own that begin with a dash"}
	}
	l, err := listIn(d, string(text), "people")
	if err != nil {
		return nil, err
	}
	from := l.dashOf(position(sequence.Values[gone]).line - 1)
	ends := l.places() // where the list ends, the likeliest first
	if gone+1 < len(sequence.Values) {
		next := l.dashOf(position(sequence.Values[gone+1]).line - 1)
		first := next
		for first > from+1 && isComment(l.lines[first-1]) {
			first-- // comments and blank lines lead to the next person
		}
		ends = []int{first, next}
	}
	if want.People = slices.Delete(want.People, gone, gone+1); len(want.People) == 0 {
		want.People = nil
	}
	for _, end := range ends {
		next := []byte(strings.Join(slices.Concat(l.lines[:from], l.lines[end:]), ""))
		if got, err := Parse(file, next); err == nil && reflect.DeepEqual(got, want) {
			return next, nil
		}
	}
	return nil, &EditError{fmt.Sprintf("remove %s: the lines to remove were not found", shown(name)), "remove the person with an editor"}
}

// needed is an error that names what still refers to a person.
func (r *Register) needed(name string) error {
	var uses []string
	for _, p := range r.Parts {
		if SamePerson(p.Holder, name) {
			uses = append(uses, strings.TrimSpace("holds the "+string(p.Kind)+" "+p.Key))
		}
	}
	for _, p := range r.Places {
		if slices.ContainsFunc(p.Access, func(a string) bool { return SamePerson(a, name) }) {
			uses = append(uses, "opens "+p.Name)
		}
	}
	for _, p := range r.People {
		if SamePerson(p.Manager, name) {
			uses = append(uses, "manages "+p.Name)
		}
	}
	if len(uses) == 0 {
		return nil
	}
	const most = 5
	if n := len(uses) - most; n > 0 {
		uses = append(uses[:most], fmt.Sprintf("%d more", n))
	}
	return &EditError{fmt.Sprintf("remove %s: the person %s", shown(name), strings.Join(uses, ", ")),
		"hand the parts over first, take the person out of access of the places and change their combinations, and name another manager"}
}

// SetQuorum returns the text of a halligan.yaml with another quorum. Every other
// byte stays.
func SetQuorum(text []byte, q Quorum) ([]byte, error) {
	const file = "halligan.yaml"
	want, d, errs := parse(file, text)
	if len(errs) > 0 {
		return nil, errs
	}
	want.Quorum = q
	if d.body.IsFlowStyle {
		return nil, &EditError{"set the quorum: the whole register is written in braces", "write it with one key to a line"}
	}
	l, err := listIn(d, string(text), "quorum")
	if err != nil {
		return nil, err
	}
	next, err := l.quorum(d, q)
	if err != nil {
		return nil, err
	}
	got, err := Parse(file, next)
	if err != nil {
		return nil, fmt.Errorf("set the quorum: %w", err)
	}
	if !reflect.DeepEqual(got, want) {
		return nil, &EditError{"set the quorum: the place for it was not found", "set it with an editor"}
	}
	return next, nil
}

// quorum writes the keys of a quorum into the lines: a value that changed in its
// place, with the comment behind it; new keys below the others.
func (l *list) quorum(d *decoder, q Quorum) ([]byte, error) {
	shape, v := d.shapes["quorum"], reflect.ValueOf(q)
	w := writer{shapes: d.shapes}
	mapping, _ := valueOf(d, "quorum").(*ast.MappingNode)
	if mapping != nil && mapping.IsFlowStyle {
		return l.inBraces(mapping, shape, v)
	}
	lines := slices.Clone(l.lines)
	written := map[string]bool{}
	at, indent := l.header+1, strings.Repeat(" ", l.indent+2)
	if mapping != nil {
		for _, entry := range mapping.Values {
			key, line := keyText(entry), position(entry.Key).line-1
			if position(entry.Value).line-1 != line || !isScalar(entry.Value) {
				return nil, &EditError{fmt.Sprintf("set the quorum: %s stands on more than one line", key), "write it on one line"}
			}
			indent = strings.Repeat(" ", position(entry.Key).column-1)
			at, written[key] = line+1, true
			value := keyed(v, key)
			if value.IsZero() {
				lines[line] = ""
				continue
			}
			letters, was := []rune(strings.TrimPrefix(lines[line], byteOrderMark)), strings.TrimSpace(entry.Value.GetToken().Origin)
			from := position(entry.Value).column - 1
			to := min(len(letters), from+len([]rune(was)))
			lines[line] = string(letters[:from]) + w.scalar(value) + string(letters[to:])
		}
	}
	var added strings.Builder
	for i := range shape.Fields {
		if f := &shape.Fields[i]; !written[f.Key] && !isNone(keyed(v, f.Key)) {
			added.WriteString(indent + f.Key + ": " + w.scalar(keyed(v, f.Key)) + l.ending)
		}
	}
	if l.header < 0 {
		last := len(lines) - 1
		if !strings.HasSuffix(lines[last], "\n") {
			lines[last] += l.ending
		}
		at = len(lines)
		lines = append(lines, l.ending+strings.Repeat(" ", l.indent)+"quorum:"+l.ending)
		at++
	} else if l.cut[0].line > 0 {
		lines[l.header] = l.without(lines[l.header])
	}
	return []byte(strings.Join(slices.Insert(lines, at, added.String()), "")), nil
}

func (l *list) inBraces(mapping *ast.MappingNode, shape *Shape, v reflect.Value) ([]byte, error) {
	from, to := spotOf(mapping.Start), spotOf(mapping.End)
	if from.line != to.line {
		return nil, &EditError{"set the quorum: it stands in braces on more than one line", "write one key to a line, or all on one line"}
	}
	w := writer{}
	var keys []string
	for i := range shape.Fields {
		if value := keyed(v, shape.Fields[i].Key); !isNone(value) {
			keys = append(keys, shape.Fields[i].Key+": "+w.scalar(value))
		}
	}
	lines := slices.Clone(l.lines)
	letters := []rune(strings.TrimPrefix(lines[from.line-1], byteOrderMark))
	mark := strings.Repeat(byteOrderMark, strings.Count(lines[from.line-1], byteOrderMark))
	lines[from.line-1] = mark + string(letters[:from.column-1]) + "{" + strings.Join(keys, ", ") + "}" + string(letters[to.column:])
	return []byte(strings.Join(lines, "")), nil
}

func isScalar(node ast.Node) bool {
	_, _, is := scalar(node)
	_, literal := node.(*ast.LiteralNode)
	return is && !literal
}

// valueOf returns what stands under a key of the document, or nil.
func valueOf(d *decoder, key string) ast.Node {
	for _, entry := range d.body.Values {
		if keyText(entry) == key {
			return entry.Value
		}
	}
	return nil
}

func listOf(d *decoder, key string) *ast.SequenceNode {
	sequence, _ := valueOf(d, key).(*ast.SequenceNode)
	return sequence
}

// dashOf is the line of the dash of an element whose first key stands on a line:
// the same, or one above it.
func (l *list) dashOf(line int) int {
	for line > 0 && !strings.HasPrefix(strings.TrimLeft(l.lines[line], " "), "-") {
		line--
	}
	return line
}

func isComment(line string) bool {
	content := strings.TrimSpace(line)
	return content == "" || content[0] == '#'
}
