package plan

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// mapper makes Graph's object of one resource.
type mapper struct {
	reader  *terraformReader
	address string
	quiet   bool // inside a block that was named as unknown as a whole
}

// unknownValue stands for a value that nobody knows before apply.
func (m *mapper) unknownValue(path, why string) map[string]any {
	if !m.quiet {
		m.reader.unknown(m.address, path, why)
	}
	return map[string]any{afterApplyKey: path}
}

// block maps the arguments of a block or of the whole resource. values may be
// nil when all of it is unknown; unknown mirrors values and is true where a
// value is not known; expressions is what the configuration says of the block.
func (m *mapper) block(args arguments, values object, unknown any, expressions map[string]json.RawMessage, path string) object {
	if unknown == true {
		outer := m.quiet
		m.unknownValue(path, "known only after apply")
		m.quiet, unknown = true, allUnknown(args)
		defer func() { m.quiet = outer }()
	}
	o := object{}
	unknowns := asObject(unknown)
	for _, name := range sortedKeys(both(values, unknowns)) {
		at := strings.TrimPrefix(path+"."+name, ".")
		a, known := args[name]
		if !known {
			m.unheard(o, name, values[name], unknowns[name], at)
			continue
		}
		if a.to == "" {
			continue
		}
		_, said := values[name]
		if !said && !anyTrue(unknowns[name]) {
			continue
		}
		v := m.value(&a, name, values[name], unknowns[name], expressions, at)
		place(o, a.to, v)
	}
	return o
}

// place sets a value at a dotted key.
func place(o object, to string, v any) {
	outer, inner, nested := strings.Cut(to, ".")
	if !nested {
		o[to] = v
		return
	}
	if v == nil {
		o[outer] = nil
		return
	}
	o[outer] = map[string]any{inner: v}
}

// unheard keeps an argument that a newer provider has under its own name, which
// no decoder knows. Zero values are what the provider behaved like without it.
func (m *mapper) unheard(o object, name string, value, unknown any, path string) {
	switch {
	case anyTrue(unknown):
		o[name] = m.unknownValue(path, "the argument is not known to halligan, and its value not before apply")
	case !zero(value):
		m.reader.unknown(m.address, path, "the argument is not known to halligan")
		o[name] = value
	}
}

func (m *mapper) value(a *argument, name string, value, unknown any, expressions map[string]json.RawMessage, path string) any {
	switch {
	case a.block != nil:
		return m.blocks(a, name, value, unknown, expressions, path)
	case a.list && unknown != true:
		value = m.list(a, name, value, unknown, expressions, path)
	case anyTrue(unknown):
		if a.fallback != nil && leftOut(expressions, name) {
			return a.write(a.fallback)
		}
		if a.to == "displayName" || a.to == "description" {
			return m.address // it says nothing about who gets in
		}
		if a.list { // nobody knows of how many
			return []any{m.unknownValue(path, "known only after apply")}
		}
		if id, ok := m.resolve(a, name, expressions, 1); ok {
			return a.write(id)
		}
		return m.unknownValue(path, "known only after apply")
	}
	return a.write(value)
}

func (a *argument) write(v any) any {
	if a.as == nil {
		return v
	}
	return a.as(v)
}

// list joins the elements of a list with those that are unknown.
func (m *mapper) list(a *argument, name string, value, unknown any, expressions map[string]json.RawMessage, path string) any {
	values, unknowns := elements(value), elements(unknown)
	n := 0
	for _, u := range unknowns {
		if anyTrue(u) {
			n++
		}
	}
	if n == 0 {
		return value
	}
	id, resolved := m.resolve(a, name, expressions, n)
	var out []any
	for i := range max(len(values), len(unknowns)) {
		switch {
		case i < len(unknowns) && anyTrue(unknowns[i]) && resolved:
			out = append(out, id)
		case i < len(unknowns) && anyTrue(unknowns[i]):
			out = append(out, m.unknownValue(path+"["+strconv.Itoa(i)+"]", "known only after apply"))
		case i < len(values):
			out = append(out, values[i])
		}
	}
	return out
}

// blocks maps a nested block. Terraform writes each as a list, most of at most
// one element. An unknown block becomes one whose every argument is unknown.
func (m *mapper) blocks(a *argument, name string, value, unknown any, expressions map[string]json.RawMessage, path string) any {
	values, unknowns := elements(value), elements(unknown)
	said := blockExpressions(expressions, name)
	n := max(len(values), len(unknowns))
	out := []any{}
	for i := range n {
		at := fmt.Sprintf("%s[%d]", path, i)
		if !a.many {
			at = path
		}
		var v, u any
		if i < len(values) {
			v = values[i]
		}
		if i < len(unknowns) {
			u = unknowns[i]
		}
		var e map[string]json.RawMessage
		if len(said) == n {
			e = said[i]
		}
		if v == nil && !anyTrue(u) {
			continue // a block without arguments
		}
		b := m.block(a.block, asObject(v), u, e, at)
		if a.finish != nil {
			a.finish(b)
		}
		out = append(out, map[string]any(b))
	}
	switch {
	case a.many:
		return out
	case len(out) == 0:
		return nil
	}
	return out[0]
}

// allUnknown is the mark of a block of which nothing is known.
func allUnknown(args arguments) map[string]any {
	u := map[string]any{}
	for name, a := range args {
		switch {
		case a.block != nil:
			u[name] = []any{allUnknown(a.block)}
		case a.to != "":
			u[name] = true
		}
	}
	return u
}

// anyTrue reports whether something in a mirror of unknown values is unknown.
func anyTrue(v any) bool {
	switch v := v.(type) {
	case bool:
		return v
	case []any:
		if slices.ContainsFunc(v, anyTrue) {
			return true
		}
	}
	for _, e := range asObject(v) {
		if anyTrue(e) {
			return true
		}
	}
	return false
}
