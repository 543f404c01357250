package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// maxDepth bounds the nesting of what is read.
const maxDepth = 200

// value is one JSON value. Keys keep their order and repetition: a map would
// hide a key that is given twice.
type value struct {
	kind  byte // 'n' null, 't' true, 'f' false, 's' string, '0' number, '[' list, '{' object
	text  string
	items []*value
	keys  []string
}

// parse reads exactly one JSON value.
func parse(data []byte) (*value, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	v, err := next(dec, 0)
	if err != nil {
		return nil, err
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("something follows the JSON value")
	}
	return v, nil
}

func next(dec *json.Decoder, depth int) (*value, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("JSON nested deeper than %d", maxDepth)
	}
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case nil:
		return &value{kind: 'n'}, nil
	case bool:
		if t {
			return &value{kind: 't'}, nil
		}
		return &value{kind: 'f'}, nil
	case string:
		return &value{kind: 's', text: t}, nil
	case json.Number:
		return &value{kind: '0', text: t.String()}, nil
	case json.Delim:
		v := &value{kind: byte(t)}
		for dec.More() {
			if t == '{' {
				k, err := dec.Token()
				if err != nil {
					return nil, err
				}
				key, ok := k.(string)
				if !ok {
					return nil, fmt.Errorf("a key is no string")
				}
				v.keys = append(v.keys, key)
			}
			e, err := next(dec, depth+1)
			if err != nil {
				return nil, err
			}
			v.items = append(v.items, e)
		}
		_, err := dec.Token()
		return v, err
	}
	return nil, fmt.Errorf("unexpected JSON token %v", t)
}

// get returns the value of a key without regard to case, or nil; of a key given
// twice the last. A nil value has no keys.
func (v *value) get(key string) *value {
	if v == nil || v.kind != '{' {
		return nil
	}
	for i := len(v.keys) - 1; i >= 0; i-- {
		if strings.EqualFold(v.keys[i], key) {
			return v.items[i]
		}
	}
	return nil
}

// str returns the text of a string member, or "".
func (v *value) str(key string) string {
	if x := v.get(key); x != nil && x.kind == 's' {
		return x.text
	}
	return ""
}

// list returns the elements of a list member.
func (v *value) list(key string) []*value {
	if x := v.get(key); x != nil && x.kind == '[' {
		return x.items
	}
	return nil
}

// strs returns the strings of a list member.
func (v *value) strs(key string) []string {
	var out []string
	for _, e := range v.list(key) {
		if e.kind == 's' {
			out = append(out, e.text)
		}
	}
	return out
}

// is reports whether a member is true; absent and anything else is false.
func (v *value) is(key string) bool {
	b, known := v.get(key).flag()
	return known && b
}

// flag reads a boolean, also one that a tool wrote as a string.
func (v *value) flag() (is, known bool) {
	switch {
	case v == nil:
		return false, false
	case v.kind == 't', v.kind == 's' && strings.EqualFold(v.text, "true"):
		return true, true
	case v.kind == 'f', v.kind == 's' && strings.EqualFold(v.text, "false"):
		return false, true
	}
	return false, false
}

// unset reports whether a value says nothing: null, empty, or made of nothing
// but such values.
func (v *value) unset() bool {
	if v == nil {
		return true
	}
	switch v.kind {
	case 'n':
		return true
	case 's':
		return v.text == ""
	case '[':
		return !slices.ContainsFunc(v.items, func(e *value) bool { return !e.unset() })
	case '{':
		for i, k := range v.keys {
			if !annotation(k) && !v.items[i].unset() {
				return false
			}
		}
		return true
	}
	return false
}

// equal reports whether two values are the same, keys in any order.
func (v *value) equal(w *value) bool {
	if v.kind != w.kind || v.text != w.text || len(v.items) != len(w.items) {
		return false
	}
	if v.kind != '{' {
		return slices.EqualFunc(v.items, w.items, (*value).equal)
	}
	for i, k := range v.keys {
		j := slices.Index(w.keys, k)
		if j < 0 || !v.items[i].equal(w.items[j]) {
			return false
		}
	}
	return true
}

// annotation reports whether a key is an OData annotation, which says nothing
// about a sign-in. A bound reference is none.
func annotation(key string) bool {
	if strings.HasPrefix(key, "#") {
		return true
	}
	return strings.Contains(key, "@") && !strings.HasSuffix(strings.ToLower(key), "@odata.bind")
}

// foreignKey reports whether a key was put beside Graph's by a tool: one of
// those in the list, or one that is no OData identifier.
func foreignKey(key string) bool {
	switch strings.ToLower(key) {
	case "", "locationinfo", "tenantfilter", "guid", "source", "issynced", "reportonly", "present", "note", "notes", "comment", "comments":
		return true
	}
	return strings.ContainsAny(key[:1], "_$/") || strings.ContainsAny(key, " /") && !strings.Contains(key, "@")
}

// lost reports whether a string is what PowerShell writes in place of a list or
// object that it did not expand.
func lost(s string) bool {
	for _, prefix := range []string{"@{", "System.Object[]", "System.String[]", "System.Collections.", "System.Management.",
		"Microsoft.Graph.", "Microsoft.Open."} {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

// walker reads the raw JSON of one object and notes what has no meaning here.
type walker struct {
	path []string
	note func(path, kind string) // kinds as in the Snapshot: key, member, type, duplicate
}

func (w *walker) where() string { return strings.ToLower(strings.Join(w.path, ".")) }

func (w *walker) say(kind string) { w.note(w.where(), kind) }

// object reads the members of an object by a table of what is known, folded.
// The members of AdditionalProperties count as members of the object itself.
func (w *walker) object(v *value, known map[string]func(*value)) {
	if v.kind != '{' {
		if !v.unset() {
			w.say("type")
		}
		return
	}
	w.members(v, known, map[string]*value{})
}

func (w *walker) members(v *value, known map[string]func(*value), seen map[string]*value) {
	for i, key := range v.keys {
		if annotation(key) {
			continue
		}
		x, k := v.items[i], strings.ToLower(key)
		if k == "additionalproperties" && (x.kind == '{' || x.unset()) {
			if x.kind == '{' {
				w.members(x, known, seen)
			}
			continue
		}
		w.path = append(w.path, k)
		if before := seen[k]; before != nil && !before.equal(x) {
			w.say("duplicate")
		}
		seen[k] = x
		switch read := known[k]; {
		case read != nil:
			read(x)
		case x.unset(), foreignKey(key):
		case w.path[0] == "sessioncontrols" && off(x):
		default:
			w.say("key")
		}
		w.path = w.path[:len(w.path)-1]
	}
}

// off reports whether an object says isEnabled false.
func off(v *value) bool {
	is, known := v.get("isEnabled").flag()
	return known && !is
}

func ignore(*value) {}

// text reads a string; anything else that is set is noted.
func (w *walker) text(v *value) string {
	switch {
	case v.kind == 's' && !lost(v.text):
		return v.text
	case v.unset():
	case v.kind == '0':
		return v.text // an id that a tool wrote as a number
	default:
		w.say("type")
	}
	return ""
}

// texts reads a list of strings; a tool may write a list of one element as that
// element.
func (w *walker) texts(v *value) []string {
	list := []*value{v}
	if v.kind == '[' {
		list = v.items
	}
	var out []string
	for i, e := range list {
		if e.kind == 'n' {
			continue
		}
		w.path = append(w.path, "["+strconv.Itoa(i)+"]")
		switch {
		case e.kind == 's' && e.text != "" && !lost(e.text):
			out = append(out, e.text)
		case v.kind == '[' || !e.unset():
			w.say("type")
		}
		w.path = w.path[:len(w.path)-1]
	}
	return out
}

// words reads a list of members of an enumeration, folded; flags splits comma
// strings and drops the word none.
func (w *walker) words(v *value, flags bool, known ...string) []string {
	var out []string
	for _, s := range w.texts(v) {
		parts := []string{s}
		if flags {
			parts = strings.Split(s, ",")
		}
		for _, p := range parts {
			p = strings.ToLower(strings.TrimSpace(p))
			if flags && (p == "" || p == "none") {
				continue
			}
			if !slices.Contains(known, p) {
				w.say("member")
			}
			out = append(out, p)
		}
	}
	return out
}

// word reads one member of an enumeration, folded; "" when it is not known.
func (w *walker) word(v *value, known ...string) string {
	s := strings.ToLower(strings.TrimSpace(w.text(v)))
	if s != "" && !slices.Contains(known, s) {
		w.say("member")
		return ""
	}
	return s
}

// yes reads a boolean; anything that is set and no boolean is noted.
func (w *walker) yes(v *value) bool {
	is, known := v.flag()
	if !known && !v.unset() {
		w.say("type")
	}
	return is
}

func fold(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = key(s)
	}
	return out
}

// key is the form in which ids compare.
func key(id string) string { return strings.ToLower(strings.TrimSpace(id)) }
