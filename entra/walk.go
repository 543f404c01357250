package entra

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// walk is the state of reading one object: where we are in it, and what had no
// place in our types.
type walk struct {
	doc        *document
	path       []string
	unmodelled []Unmodelled
	foreign    []string
	notes      []Trouble
	verbatim   bool // the text is our own: no tool has lost anything in it
}

// keys is the table of the keys of one Graph type, each with what it means for
// our type T. A key that is not in the table is unmodelled.
type keys[T any] map[string]func(*walk, *T, *node)

// table prepares the keys for reading: they are found as Graph spells them, as
// PowerShell does, and in lower case.
func table[T any](graph map[string]func(*walk, *T, *node)) keys[T] {
	k := make(keys[T], 3*len(graph))
	for name, read := range graph {
		k[name] = read
		k[strings.ToUpper(name[:1])+name[1:]] = read
		k[strings.ToLower(name)] = read
	}
	return k
}

func (k keys[T]) find(key string) (func(*walk, *T, *node), bool) {
	if read, ok := k[key]; ok {
		return read, true
	}
	read, ok := k[strings.ToLower(key)]
	return read, ok
}

// harmless is for keys that Graph knows and that say nothing about a sign-in.
func harmless[T any](*walk, *T, *node) {}

// read walks all members of the object. It takes the members of
// AdditionalProperties, where the PowerShell SDK puts what its version does not
// know, as members of the object itself.
func (k keys[T]) read(w *walk, into *T, obj *node) {
	if obj.kind != '{' {
		if !obj.unset() {
			w.unexpected(obj)
		}
		return
	}
	w.duplicates(obj)
	for i := range obj.pairs {
		p := &obj.pairs[i]
		if annotation(p.key) {
			continue
		}
		w.path = append(w.path, p.key)
		if read, ok := k.find(p.key); ok {
			read(w, into, &p.val)
		} else {
			unknownKey(w, k, into, p)
		}
		w.path = w.path[:len(w.path)-1]
	}
}

func unknownKey[T any](w *walk, k keys[T], into *T, p *pair) {
	if strings.EqualFold(p.key, "AdditionalProperties") && (p.val.kind == '{' || p.val.unset()) {
		k.read(w, into, &p.val)
		return
	}
	if p.val.unset() {
		return
	}
	if w.area() == AreaSession && off(&p.val) {
		return // a session control that is switched off, whatever it is
	}
	if foreignKey(p.key) {
		w.foreign = append(w.foreign, w.where())
		return
	}
	w.record("key", &p.val)
}

// duplicates looks for keys given twice in one object, also in different case.
func (w *walk) duplicates(obj *node) {
	if len(obj.pairs) < 2 {
		return
	}
	if len(obj.pairs) <= 16 {
		for i := range obj.pairs {
			for j := i + 1; j < len(obj.pairs); j++ {
				a, b := &obj.pairs[i], &obj.pairs[j]
				if len(a.key) == len(b.key) && strings.EqualFold(a.key, b.key) {
					w.duplicate(a, b)
				}
			}
		}
		return
	}
	seen := make(map[string]*pair, len(obj.pairs))
	for i := range obj.pairs {
		b := &obj.pairs[i]
		low := strings.ToLower(b.key)
		if a, ok := seen[low]; ok {
			w.duplicate(a, b)
		}
		seen[low] = b
	}
}

func (w *walk) duplicate(a, b *pair) {
	if annotation(a.key) {
		return
	}
	w.path = append(w.path, b.key)
	if string(a.val.canonical(nil)) == string(b.val.canonical(nil)) {
		w.note(b.off, fmt.Sprintf("the key %q is given twice with the same value", w.where()))
	} else {
		w.record("duplicate", &a.val)
	}
	w.path = w.path[:len(w.path)-1]
}

// area tells to which part of a policy the current path belongs.
func (w *walk) area() Area {
	var steps [2]string
	n := 0
	for _, step := range w.path {
		if n < len(steps) && !strings.HasPrefix(step, "[") && !strings.EqualFold(step, "AdditionalProperties") {
			steps[n] = strings.ToLower(step)
			n++
		}
	}
	switch steps[0] {
	case "grantcontrols", "grantcontrols@odata.bind":
		return AreaGrant
	case "sessioncontrols":
		return AreaSession
	case "conditions":
		switch steps[1] {
		case "": // the conditions as a whole, users and targets with them
			return AreaOther
		case "users":
			return AreaUsers
		case "applications":
			return AreaTarget
		}
		return AreaConditions
	}
	return AreaOther
}

func (w *walk) where() string {
	var b strings.Builder
	for _, step := range w.path {
		if b.Len() > 0 && !strings.HasPrefix(step, "[") {
			b.WriteByte('.')
		}
		b.WriteString(step)
	}
	return b.String()
}

func (w *walk) record(kind string, v *node) {
	w.unmodelled = append(w.unmodelled, Unmodelled{Area: w.area(), Path: w.where(), Value: cut(v.canonical(nil)), Kind: kind})
}

func (w *walk) unexpected(v *node) { w.record("type", v) }

func (w *walk) note(off int, what string) {
	line, column := w.doc.position(off)
	w.notes = append(w.notes, Trouble{File: w.doc.file, Line: line, Column: column, What: what})
}

// cut shortens a value for the record to 200 bytes, at a character's border.
func cut(value []byte) string {
	if len(value) <= 200 {
		return string(value)
	}
	end := 200
	for end > 0 && !utf8.RuneStart(value[end]) {
		end--
	}
	return string(value[:end])
}

// text returns a string; anything else that is set is unexpected.
func (w *walk) text(v *node) string {
	switch {
	case v.kind == '"' && !w.lost(v.text):
		return v.text
	case v.unset():
	default:
		w.unexpected(v)
	}
	return ""
}

// id returns an id; a number is taken as one.
func (w *walk) id(v *node) ID {
	if v.kind == '0' {
		return ID(v.text)
	}
	return ID(w.text(v))
}

// flag returns a boolean, also one that a tool wrote as a string.
func (w *walk) flag(v *node) *bool {
	yes, no := true, false
	switch {
	case v.kind == 't', v.kind == '"' && strings.EqualFold(v.text, "true"):
		return &yes
	case v.kind == 'f', v.kind == '"' && strings.EqualFold(v.text, "false"):
		return &no
	case !v.unset():
		w.unexpected(v)
	}
	return nil
}

func (w *walk) isTrue(v *node) bool {
	b := w.flag(v)
	return b != nil && *b
}

func (w *walk) integer(v *node) int {
	n, ok := v.number()
	if !ok && !v.unset() {
		w.unexpected(v)
	}
	return n
}

// residue reports whether a string is what PowerShell writes in place of a list
// or object that it did not expand. What stood there is lost.
func residue(s string) bool {
	if s == "" || s[0] != '@' && s[0] != 'S' && s[0] != 'M' {
		return false
	}
	for _, prefix := range []string{"@{", "System.Object[]", "System.String[]", "System.Collections.", "System.Management.",
		"Microsoft.Graph.", "Microsoft.Open."} {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}

func (w *walk) lost(s string) bool { return !w.verbatim && residue(s) }

// list calls read for each element of a list. PowerShell writes a list of one
// element as that element.
func (w *walk) list(v *node, read func(*node)) {
	if v.kind != '[' {
		if !v.unset() {
			read(v)
		}
		return
	}
	for i := range v.items {
		if v.items[i].kind == 'n' {
			continue
		}
		w.path = append(w.path, "["+strconv.Itoa(i)+"]")
		read(&v.items[i])
		w.path = w.path[:len(w.path)-1]
	}
}

// texts reads a list of strings.
func (w *walk) texts(v *node) []string {
	var out []string
	if v.kind == '[' && len(v.items) > 0 {
		out = make([]string, 0, len(v.items))
	}
	w.strings(v, func(s string) { out = append(out, s) })
	return out
}

// strings calls add for each string of a list; what is no string is unexpected.
func (w *walk) strings(v *node, add func(string)) {
	if v.kind == '[' {
		for i := range v.items {
			if e := &v.items[i]; e.kind == '"' && (e.text != "" || w.verbatim) && !w.lost(e.text) {
				add(e.text)
			} else if e.kind != 'n' {
				w.path = append(w.path, "["+strconv.Itoa(i)+"]")
				w.unexpected(e)
				w.path = w.path[:len(w.path)-1]
			}
		}
		return
	}
	switch {
	case v.kind == '"' && v.text != "" && !w.lost(v.text):
		add(v.text)
	case !v.unset():
		w.unexpected(v)
	}
}

// ids reads a list of ids; the words of the vocabulary get Graph's spelling.
func (w *walk) ids(v *node, words vocabulary) []ID {
	var out []ID
	if v.kind == '[' && len(v.items) > 0 {
		out = make([]ID, 0, len(v.items))
	}
	w.strings(v, func(s string) {
		if word, ok := words.find(s); ok {
			s = word
		}
		out = append(out, ID(s))
	})
	return out
}

// vocabulary holds the words of an enumeration in Graph's spelling.
type vocabulary map[string]string // lower case → spelling

func words(spellings ...string) vocabulary {
	v := make(vocabulary, 2*len(spellings))
	for _, s := range spellings {
		v[s] = s
		v[strings.ToLower(s)] = s
	}
	return v
}

func (v vocabulary) find(s string) (string, bool) {
	if word, ok := v[s]; ok {
		return word, true
	}
	word, ok := v[strings.ToLower(strings.TrimSpace(s))]
	return word, ok
}

// member reads one member of an enumeration. One that we do not know is kept as
// spelled, and recorded.
func member[E ~string](w *walk, v *node, known vocabulary) E {
	s := w.text(v)
	if s == "" {
		return ""
	}
	if word, ok := known.find(s); ok {
		return E(word)
	}
	w.record("member", v)
	return E(s)
}

// members reads a list of members of an enumeration.
func members[E ~string](w *walk, v *node, known vocabulary) []E {
	var out []E
	if v.kind == '[' && len(v.items) > 0 {
		out = make([]E, 0, len(v.items))
	}
	w.list(v, func(e *node) {
		if e.kind == '"' && e.text == "" {
			w.unexpected(e)
			return
		}
		if m := member[E](w, e, known); m != "" {
			out = append(out, m)
		}
	})
	return out
}

// flags reads a flags enumeration: one comma-joined string, or, as some tools
// write it, a list. The word none is no member.
func flags[E ~string](w *walk, v *node, known vocabulary) []E {
	var out []E
	w.list(v, func(e *node) {
		for part := range strings.SplitSeq(w.text(e), ",") {
			part = strings.TrimSpace(part)
			if part == "" || strings.EqualFold(part, "none") {
				continue
			}
			m := member[E](w, &node{kind: jsontext.Kind('"'), off: e.off, text: part}, known)
			if !slices.Contains(out, m) {
				out = append(out, m)
			}
		}
	})
	return out
}

// foreign are keys that tools add beside Graph's, with who adds them. They mean
// nothing to the sign-in.
var foreign = map[string]string{
	"locationinfo":    "CIPP templates: copies of the named locations",
	"tenantfilter":    "CIPP templates: for which tenant",
	"guid":            "CIPP templates: id of the template",
	"source":          "CIPP and templates: where the template came from",
	"issynced":        "CIPP templates: kept equal to a repository",
	"reportonly":      "deployment tools: how to deploy, not what is in force",
	"present":         "tenant management framework: whether the policy should exist",
	"policyapplies":   "answers of the What-If API",
	"analysisreasons": "answers of the What-If API",
	"note":            "remarks of people",
	"notes":           "remarks of people",
	"comment":         "remarks of people",
	"comments":        "remarks of people",
}

// foreignKey reports whether the key cannot be one of Graph's: it is in the
// table, or no OData identifier.
func foreignKey(key string) bool {
	if _, ok := foreign[strings.ToLower(key)]; ok || key == "" {
		return true
	}
	return strings.ContainsAny(key[:1], "_$/") || (strings.ContainsAny(key, " /") && !strings.Contains(key, "@"))
}
