package entra

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// Object is one object as Graph, or Azure Resource Manager, gave it. The typed
// nouns carry what a proof needs; what only a check asks for is read from the
// object itself, so that a property that nobody selected is seen to be missing.
type Object struct {
	Part Part
	// Subject is the id of the object that the part is about: the object itself
	// for parts such as PartUsers, else the account, group or unit whose
	// relationship was read. Empty for what the tenant has once.
	Subject ID
	Raw     json.RawMessage
}

// Reading says how much of a part was read for one subject: that the list of an
// account's devices is empty is another thing than that nobody asked.
type Reading struct {
	Part    Part
	Subject ID
	PartState
}

// objectIndex finds objects and readings by part and subject.
type objectIndex struct {
	objects  map[Part]map[string][]*node
	order    map[Part][]string // subjects, sorted
	readings map[Part]map[string]PartState
}

func (s *Snapshot) index() *objectIndex {
	s.indexOnce.Do(func() {
		x := &objectIndex{map[Part]map[string][]*node{}, map[Part][]string{}, map[Part]map[string]PartState{}}
		for i := range s.content.Objects {
			o := &s.content.Objects[i]
			n := parseObject(o.Raw)
			if n == nil {
				continue // NewSnapshot has noted it
			}
			if x.objects[o.Part] == nil {
				x.objects[o.Part] = map[string][]*node{}
			}
			key := o.Subject.Key()
			if x.objects[o.Part][key] == nil {
				x.order[o.Part] = append(x.order[o.Part], key)
			}
			x.objects[o.Part][key] = append(x.objects[o.Part][key], n)
		}
		for p := range x.order {
			slices.Sort(x.order[p])
		}
		for _, r := range s.content.Readings {
			if x.readings[r.Part] == nil {
				x.readings[r.Part] = map[string]PartState{}
			}
			x.readings[r.Part][r.Subject.Key()] = r.PartState
		}
		s.indexed = x
	})
	return s.indexed
}

// Details returns what is known of one object of a part, over all the times it
// was read. A property that two readings give differently is not known.
func (s *Snapshot) Details(p Part, id ID) Fields { return Fields{s.index().objects[p][id.Key()]} }

// Objects returns the objects of a part that were read, each as one Fields.
func (s *Snapshot) Objects(p Part) []Fields {
	x := s.index()
	var out []Fields
	for _, key := range x.order[p] {
		for _, n := range x.objects[p][key] {
			out = append(out, Fields{[]*node{n}})
		}
	}
	return out
}

// Of returns what a part holds for one subject, and how much of it was read. The
// state is that of the subject's own reading, else that of the whole part: a list
// that was read to its end tells of everybody whom it lacks, too.
func (s *Snapshot) Of(p Part, subject ID) ([]Fields, PartState) {
	x := s.index()
	var out []Fields
	for _, n := range x.objects[p][subject.Key()] {
		out = append(out, Fields{[]*node{n}})
	}
	if st, ok := x.readings[p][subject.Key()]; ok {
		return out, st
	}
	return out, s.Status(p)
}

// Fields reads the properties of an object. Keys compare without case, and
// members that PowerShell put into AdditionalProperties count as members. The
// zero value knows nothing. Every reader also reports whether the property is
// known: one that is absent, or of another type, is not.
type Fields struct{ nodes []*node }

// ParseFields reads one JSON object; what is none gives Fields that know nothing.
func ParseFields(raw json.RawMessage) Fields {
	if n := parseObject(raw); n != nil {
		return Fields{[]*node{n}}
	}
	return Fields{}
}

// objectDepth bounds the nesting of one object.
const objectDepth = 100

// parseObject returns the one object that raw is, or nil.
func parseObject(raw json.RawMessage) *node {
	doc, err := parse("", raw, objectDepth)
	if err != nil || len(doc.values) != 1 || doc.values[0].kind != '{' {
		return nil
	}
	return &doc.values[0]
}

// Empty reports whether nothing is known at all.
func (f Fields) Empty() bool { return len(f.nodes) == 0 }

func (f Fields) member(key string) *node {
	var found *node
	for _, n := range f.nodes {
		v := n.member(key)
		if v == nil {
			continue
		}
		if found != nil && !bytes.Equal(found.canonical(nil), v.canonical(nil)) {
			return nil
		}
		found = v
	}
	return found
}

// path follows a path such as "owner.id".
func (f Fields) path(path string) *node {
	key, rest, more := strings.Cut(path, ".")
	if strings.HasPrefix(path, "@odata.") {
		key, rest, more = path, "", false
	}
	v := f.member(key)
	if !more || v == nil {
		return v
	}
	if v.kind != '{' {
		return nil
	}
	return Fields{[]*node{v}}.path(rest)
}

// Known reports whether a property is there, be it null. Paths use dots.
func (f Fields) Known(path string) bool { return f.path(path) != nil }

// Null reports whether a property is known to be null.
func (f Fields) Null(path string) bool {
	v := f.path(path)
	return v != nil && v.kind == 'n'
}

// Text returns a string; null is "".
func (f Fields) Text(path string) (string, bool) {
	switch v := f.path(path); {
	case v == nil:
		return "", false
	case v.kind == 'n':
		return "", true
	case v.kind == '"':
		return v.text, true
	}
	return "", false
}

// Str returns a string, or "" when it is not known: for names in evidence, not
// for judgement.
func (f Fields) Str(path string) string {
	s, _ := f.Text(path)
	return s
}

// Flag returns a boolean; null is false.
func (f Fields) Flag(path string) (is, known bool) {
	v := f.path(path)
	if v == nil {
		return false, false
	}
	switch v.kind {
	case 't':
		return true, true
	case 'f', 'n':
		return false, true
	}
	if v.kind == '"' { // PowerShell writes booleans as words
		switch strings.ToLower(v.text) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	}
	return false, false
}

// Int returns a whole number; null is not known.
func (f Fields) Int(path string) (int, bool) {
	if v := f.path(path); v != nil {
		return v.number()
	}
	return 0, false
}

// Time returns a time; null is the zero time and known.
func (f Fields) Time(path string) (time.Time, bool) {
	v := f.path(path)
	switch {
	case v == nil:
		return time.Time{}, false
	case v.kind == 'n', v.kind == '"' && v.text == "":
		return time.Time{}, true
	case v.kind == '"':
		if t := readTime(v.text); t != nil {
			return *t, true
		}
	}
	return time.Time{}, false
}

// Texts returns a list of strings; null is an empty list. A list with anything
// else in it is not known.
func (f Fields) Texts(path string) ([]string, bool) {
	items, known := f.elements(path, '"')
	var out []string
	for _, n := range items {
		out = append(out, n.text)
	}
	return out, known
}

// elements returns the elements of a list, all of one kind; null is an empty list.
func (f Fields) elements(path string, kind jsontext.Kind) ([]*node, bool) {
	v := f.path(path)
	switch {
	case v == nil:
		return nil, false
	case v.kind == 'n':
		return nil, true
	case v.kind != '[':
		return nil, false
	}
	out := []*node{}
	for i := range v.items {
		if v.items[i].kind != kind {
			return nil, false
		}
		out = append(out, &v.items[i])
	}
	return out, true
}

// Object returns an object within; Fields that know nothing when it is absent or
// null.
func (f Fields) Object(path string) Fields {
	if v := f.path(path); v != nil && v.kind == '{' {
		return Fields{[]*node{v}}
	}
	return Fields{}
}

// List returns a list of objects; null is an empty list.
func (f Fields) List(path string) ([]Fields, bool) {
	items, known := f.elements(path, '{')
	var out []Fields
	for _, n := range items {
		out = append(out, Fields{[]*node{n}})
	}
	return out, known
}

// ODataType returns the type without its namespace; "" when the object does not
// say.
func (f Fields) ODataType() string {
	for _, n := range f.nodes {
		if t := odataType(n); t != "" {
			return t
		}
	}
	return ""
}

// ID returns the property id.
func (f Fields) ID() ID { return ID(f.Str("id")) }

func objectNode(x *Object) node {
	var o object
	o.text("part", string(x.Part))
	o.text("subject", string(x.Subject))
	o.raw("raw", x.Raw)
	return o.node()
}

func readingNode(r *Reading) node {
	var o object
	o.text("part", string(r.Part))
	o.text("subject", string(r.Subject))
	o.text("status", string(r.Status))
	o.text("detail", r.Detail)
	return o.node()
}

var objectKeys = table(map[string]func(*walk, *Object, *node){
	"part":    func(w *walk, o *Object, v *node) { o.Part = Part(w.text(v)) },
	"subject": func(w *walk, o *Object, v *node) { o.Subject = w.id(v) },
	"raw": func(w *walk, o *Object, v *node) {
		if v.kind != '{' {
			w.unexpected(v)
			return
		}
		o.Raw = v.canonical(nil)
	},
})

var readingKeys = table(map[string]func(*walk, *Reading, *node){
	"part":    func(w *walk, r *Reading, v *node) { r.Part = Part(w.text(v)) },
	"subject": func(w *walk, r *Reading, v *node) { r.Subject = w.id(v) },
	"status":  func(w *walk, r *Reading, v *node) { r.Status = member[Status](w, v, statusWords) },
	"detail":  func(w *walk, r *Reading, v *node) { r.Detail = w.text(v) },
})

// settleObjects sorts objects and readings; what was read twice is kept once,
// and of two readings of one subject the one that promises less wins.
func (c *Content) settleObjects() {
	for i := range c.Objects {
		o := &c.Objects[i]
		if n := parseObject(o.Raw); n != nil {
			o.Raw = n.canonical(nil)
		} else {
			o.Raw = json.RawMessage("{}")
			speak(c).trouble(Trouble{What: "an object of " + string(o.Part) + " is no JSON object"})
		}
	}
	slices.SortFunc(c.Objects, func(a, b Object) int {
		return cmp.Or(cmp.Compare(a.Part, b.Part), cmp.Compare(a.Subject.Key(), b.Subject.Key()), bytes.Compare(a.Raw, b.Raw))
	})
	c.Objects = slices.CompactFunc(c.Objects, func(a, b Object) bool {
		return a.Part == b.Part && a.Subject.Equal(b.Subject) && bytes.Equal(a.Raw, b.Raw)
	})
	slices.SortFunc(c.Readings, func(a, b Reading) int {
		return cmp.Or(cmp.Compare(a.Part, b.Part), cmp.Compare(a.Subject.Key(), b.Subject.Key()), cmp.Compare(bad[b.Status], bad[a.Status]), cmp.Compare(a.Detail, b.Detail))
	})
	c.Readings = slices.CompactFunc(c.Readings, func(a, b Reading) bool { return a.Part == b.Part && a.Subject.Equal(b.Subject) })
}

// keep keeps an object as it came.
func (r *reader) keep(p Part, subject ID, raw json.RawMessage) {
	r.content.Objects = append(r.content.Objects, Object{p, subject, raw})
}
