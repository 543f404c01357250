package sandbox

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// typesText is what Graph declares of the types that the sandbox serves, one
// type a line:
//
//	[+|-]name [< base] = [+|-]property:[@][[]]type[?] …
//	enum|flags name = member …
//
// + is beta only, - v1.0 only, @ a relationship that is written or read as part
// of the object, [] a list, ? may be null. The one-letter types are s string, b
// boolean, i integer, n number, t time, g GUID. types_test.go holds it against
// Microsoft's description; what that does not describe (agreement and below)
// comes from the entra-docs page of the type.
//
//go:embed graph_types.txt
var typesText string

const (
	v1   = "v1.0"
	beta = "beta"
)

// property is one declared property.
type property struct {
	name, typ            string
	list, null, relation bool
	only                 string // the one version that has it; "" both
}

func (p *property) in(version string) bool { return p.only == "" || p.only == version }

// entityType is one declared type with what it inherits.
type entityType struct {
	name, base string
	only       string
	props      map[string]*property
	order      []string
}

// catalogue is what the text of the types says.
type catalogue struct {
	types map[string]*entityType
	enums map[string][]string
	flags map[string]bool
}

var types = sync.OnceValue(func() *catalogue { return parseTypes(typesText) })

func parseTypes(text string) *catalogue {
	c := &catalogue{map[string]*entityType{}, map[string][]string{}, map[string]bool{}}
	for line := range strings.Lines(text) {
		head, rest, _ := strings.Cut(strings.TrimSpace(line), "=")
		words := strings.Fields(head)
		switch {
		case len(words) == 0:
		case words[0] == "enum" || words[0] == "flags":
			c.enums[words[1]] = strings.Fields(rest)
			c.flags[words[1]] = words[0] == "flags"
		default:
			t := &entityType{props: map[string]*property{}}
			t.name, t.only = versioned(words[0])
			if len(words) == 3 {
				t.base = words[2]
			}
			for _, w := range strings.Fields(rest) {
				p := parseProperty(w)
				t.props[p.name] = p
				t.order = append(t.order, p.name)
			}
			c.types[t.name] = t
		}
	}
	done := map[string]bool{}
	for name := range c.types {
		c.inherit(name, done)
	}
	return c
}

func versioned(word string) (name, only string) {
	switch word[0] {
	case '+':
		return word[1:], beta
	case '-':
		return word[1:], v1
	}
	return word, ""
}

func parseProperty(word string) *property {
	p := &property{}
	word, p.only = versioned(word)
	p.name, p.typ, _ = strings.Cut(word, ":")
	p.typ, p.null = strings.CutSuffix(p.typ, "?")
	p.typ, p.relation = strings.CutPrefix(p.typ, "@")
	p.typ, p.list = strings.CutPrefix(p.typ, "[]")
	return p
}

func (c *catalogue) inherit(name string, done map[string]bool) {
	t := c.types[name]
	if t == nil || done[name] {
		return
	}
	done[name] = true
	if t.base == "" {
		return
	}
	c.inherit(t.base, done)
	if b := c.types[t.base]; b != nil {
		own := t.order
		t.order = nil
		for _, n := range b.order {
			if t.props[n] == nil {
				t.props[n] = b.props[n]
				t.order = append(t.order, n)
			}
		}
		t.order = append(t.order, own...)
	}
}

// is reports whether a type is another, or derives from it.
func (c *catalogue) is(name, base string) bool {
	for t := c.types[name]; t != nil; t = c.types[t.base] {
		if t.name == base {
			return true
		}
	}
	return false
}

// typeOf is the runtime type of an object that stands where declared is expected.
func typeOf(o Object, declared string) string {
	if t, _ := o["@odata.type"].(string); t != "" {
		if t = strings.TrimPrefix(t, "#microsoft.graph."); types().is(t, declared) {
			return t
		}
	}
	return declared
}

// written checks what a caller writes against the declared properties, and
// returns it as Graph stores it: enumerations in their own spelling. Unknown
// properties are refused (graph.md: emulator 1).
func written(version, declared string, o Object) (Object, error) {
	if t, has := o["@odata.type"]; has {
		name, _ := t.(string)
		name = strings.TrimPrefix(strings.TrimPrefix(name, "#"), "microsoft.graph.")
		if !types().is(name, declared) {
			return nil, badRequest("A type named '%v' could not be resolved by the model or is not assignable to '%s'.", t, declared)
		}
		declared = name
	}
	t := types().types[declared]
	if t == nil {
		return o, nil
	}
	out := make(Object, len(o))
	for _, name := range slices.Sorted(maps.Keys(o)) {
		v := o[name]
		plain, note, annotated := strings.Cut(name, "@")
		if plain == "" && annotated {
			if note == "odata.type" {
				out[name] = "#microsoft.graph." + declared
			}
			continue
		}
		p := t.props[plain]
		if p == nil && annotated && note == "odata.bind" && bindable[plain] {
			out[name] = v
			continue
		}
		if p == nil || !p.in(version) {
			return nil, badRequest("Property '%s' does not exist as a declared property or extension property.", plain)
		}
		if annotated {
			if note == "odata.bind" || note == "delta" {
				out[name] = v
			}
			continue
		}
		w, err := writtenValue(version, p, v)
		if err != nil {
			return nil, err
		}
		out[name] = w
	}
	return out, nil
}

// bindable are the relationships that may be written with @odata.bind and are no
// declared property of the table.
var bindable = map[string]bool{"members": true, "owners": true, "manager": true, "authenticationStrength": true}

func writtenValue(version string, p *property, v any) (any, error) {
	if v == nil {
		if p.null || p.list {
			return nil, nil
		}
		if len(p.typ) == 1 {
			return nil, badRequest("Invalid value specified for property '%s' of resource.", p.name)
		}
		return nil, nil
	}
	if !p.list {
		return writtenOne(version, p, v)
	}
	items, ok := v.([]any)
	if !ok {
		return nil, badRequest("When trying to read a value of property '%s': an array was expected.", p.name)
	}
	out := make([]any, 0, len(items))
	for _, item := range items {
		w, err := writtenOne(version, p, item)
		if err != nil {
			return nil, err
		}
		out = append(out, w)
	}
	return out, nil
}

func writtenOne(version string, p *property, v any) (any, error) {
	wrong := badRequest("Cannot convert a value to target type of property '%s' because of conversion error or unsupported format.", p.name)
	switch p.typ {
	case "s", "t", "g":
		if _, ok := v.(string); !ok {
			return nil, wrong
		}
		return v, nil
	case "b":
		if _, ok := v.(bool); !ok {
			return nil, wrong
		}
		return v, nil
	case "i", "n":
		switch v.(type) {
		case json.Number, float64, int:
			return v, nil
		}
		return nil, wrong
	}
	if members, ok := types().enums[p.typ]; ok {
		text, ok := v.(string)
		if !ok {
			return nil, wrong
		}
		return enumerated(p, members, text)
	}
	o, ok := v.(Object)
	if !ok {
		return nil, wrong
	}
	return written(version, p.typ, o)
}

func enumerated(p *property, members []string, text string) (any, error) {
	parts := []string{text}
	if types().flags[p.typ] {
		parts = strings.Split(text, ",")
	}
	for i, part := range parts {
		at := slices.IndexFunc(members, func(m string) bool { return strings.EqualFold(m, strings.TrimSpace(part)) })
		if at < 0 {
			return nil, badRequest("Invalid value '%s' specified for property '%s': requested value was not found.", text, p.name)
		}
		parts[i] = members[at]
	}
	return strings.Join(parts, ","), nil
}

// shown is an object as Graph answers it where declared is expected: only what
// the version declares, only what is selected; @odata.type where the object is
// more than declared says.
func shown(version, declared string, o Object, selected []string) Object {
	return shownAs(version, declared, typeOf(o, declared), o, selected)
}

func shownAs(version, declared, runtime string, o Object, selected []string) Object {
	t := types().types[runtime]
	if t == nil {
		return o
	}
	out := make(Object, len(o))
	if runtime != declared {
		out["@odata.type"] = "#microsoft.graph." + runtime
	}
	if selected != nil {
		for _, name := range selected {
			if p := t.props[name]; p != nil && p.in(version) {
				out[name] = shownValue(version, p, o[name])
			}
		}
		return out
	}
	for name, v := range o {
		if p := t.props[name]; p != nil && p.in(version) {
			out[name] = shownValue(version, p, v)
		}
	}
	return out
}

func shownValue(version string, p *property, v any) any {
	if v == nil {
		if p.list {
			return []any{}
		}
		return nil
	}
	if len(p.typ) == 1 {
		return v
	}
	switch v := v.(type) {
	case Object:
		return shown(version, p.typ, v, nil)
	case []any:
		out := make([]any, 0, len(v))
		for _, e := range v {
			if o, ok := e.(Object); ok {
				e = shown(version, p.typ, o, nil)
			}
			out = append(out, e)
		}
		return out
	}
	return v
}

// complete gives an object the declared properties that it lacks, as null or an
// empty list, the way Graph lists them; nested objects too.
func complete(declared string, o Object) {
	t := types().types[typeOf(o, declared)]
	if t == nil {
		return
	}
	for _, p := range t.props {
		v, has := o[p.name]
		switch {
		case !has && p.list && !p.relation:
			o[p.name] = []any{}
		case !has && p.null && !p.relation:
			o[p.name] = nil
		case has && len(p.typ) > 1:
			switch v := v.(type) {
			case Object:
				complete(p.typ, v)
			case []any:
				for _, e := range v {
					if inner, ok := e.(Object); ok {
						complete(p.typ, inner)
					}
				}
			}
		}
	}
}

// selectable checks the names of a $select, without case, and returns them as
// the type spells them.
func selectable(version, declared string, names []string) ([]string, error) {
	t := types().types[declared]
	if t == nil {
		return names, nil
	}
	out := []string{}
	for _, n := range names {
		found := ""
		for _, have := range t.order {
			if strings.EqualFold(have, n) && t.props[have].in(version) {
				found = have
			}
		}
		if found == "" && (t.name == "directoryObject" || derivedHas(declared, n)) {
			found = n
		}
		if found == "" {
			return nil, &graphError{400, "BadRequest", fmt.Sprintf("Could not find a property named '%s' on type 'microsoft.graph.%s'.", n, declared)}
		}
		out = append(out, found)
	}
	return out, nil
}

// derivedHas reports whether some type that derives from declared has a property.
func derivedHas(declared, name string) bool {
	for n, t := range types().types {
		if t.props[name] != nil && n != declared && types().is(n, declared) {
			return true
		}
	}
	return false
}
