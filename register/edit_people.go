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
	gone, err := want.personAt(name, "remove a person")
	if err != nil {
		return nil, err
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

// personAt finds a person by name, in whatever spelling.
func (r *Register) personAt(name, doing string) (int, error) {
	at := slices.IndexFunc(r.People, func(p Person) bool { return SamePerson(p.Name, name) })
	if at >= 0 {
		return at, nil
	}
	hint := "halligan person list shows who is there"
	var all []string
	for _, p := range r.People {
		all = append(all, p.Name)
	}
	if near := Nearest(name, all); near != "" {
		hint = fmt.Sprintf("did you mean %s?", shown(near))
	}
	return -1, &EditError{fmt.Sprintf("%s: the register has no %s", doing, shown(name)), hint}
}

// ChangePerson returns the text of a halligan.yaml in which a person is another: other
// roles, keys, manager, ways to reach them. change is given the person as they stand
// there; the name stays, since parts and places refer to it. Every byte of what stays
// is kept.
func ChangePerson(text []byte, name string, change func(*Person)) ([]byte, error) {
	want, d, errs := parse("halligan.yaml", text)
	if len(errs) > 0 {
		return nil, errs
	}
	i, err := want.personAt(name, "change a person")
	if err != nil {
		return nil, err
	}
	was, to := want.People[i], want.People[i]
	to.Roles, to.Reach = slices.Clone(was.Roles), slices.Clone(was.Reach)
	change(&to)
	to.Name = was.Name
	if len(to.Roles) == 0 {
		to.Roles = nil
	}
	if len(to.Reach) == 0 {
		to.Reach = nil
	}
	if to.ID.Equal(was.ID) {
		to.ID = was.ID // as it is spelled there
	}
	want.People[i] = to
	return setElement(text, "people", i, "change "+shown(was.Name), reflect.ValueOf(was), reflect.ValueOf(to), want, d)
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
	was := want.Quorum
	want.Quorum = q
	if d.body.IsFlowStyle {
		return nil, &EditError{"set the quorum: the whole register is written in braces", "write it with one key to a line"}
	}
	l, err := listIn(d, string(text), "quorum")
	if err != nil {
		return nil, err
	}
	next, err := l.quorum(d, was, q)
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

// quorum writes the keys of a quorum into the lines, where it stands or below the
// others.
func (l *list) quorum(d *decoder, was, q Quorum) ([]byte, error) {
	e := element{what: "set the quorum", shapes: d.shapes, shape: d.shapes["quorum"], was: reflect.ValueOf(was), to: reflect.ValueOf(q), at: l.header + 1, indent: strings.Repeat(" ", l.indent+2)}
	mapping, _ := valueOf(d, "quorum").(*ast.MappingNode)
	if mapping != nil {
		return l.rewrite(mapping, &e)
	}
	lines := slices.Clone(l.lines)
	if l.header < 0 {
		last := len(lines) - 1
		if !strings.HasSuffix(lines[last], "\n") {
			lines[last] += l.ending
		}
		lines = append(lines, l.ending+strings.Repeat(" ", l.indent)+"quorum:"+l.ending)
		e.at = len(lines)
	} else if l.cut[0].line > 0 {
		lines[l.header] = l.without(lines[l.header])
	}
	return []byte(strings.Join(slices.Insert(lines, e.at, e.added(nil, l.ending)), "")), nil
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
