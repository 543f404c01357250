package plan

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
)

// edit is a Snapshot's content while changes are made to it.
type edit struct{ c entra.Content }

// shelf is where a Snapshot keeps the objects of one Kind.
type shelf struct {
	kind   Kind
	noun   string
	plural string
	part   entra.Part
	len    func(*entra.Content) int
	at     func(*entra.Content, int) fields
	// decode reads an object and stores it at the place, or after the last when
	// the place is -1.
	decode func(*entra.Content, int, json.RawMessage) (fields, error)
	drop   func(*entra.Content, int)
}

// fields point to what all kinds of objects have.
type fields struct {
	id         *entra.ID
	name       *string
	origin     *entra.Origin
	unmodelled *[]entra.Unmodelled
	raw        *json.RawMessage
}

var shelves = []shelf{
	shelfOf(KindPolicy, "policy", "policies", entra.PartPolicies, func(c *entra.Content) *[]entra.Policy { return &c.Policies },
		func(p *entra.Policy) fields { return fields{&p.ID, &p.DisplayName, &p.Origin, &p.Unmodelled, &p.Raw} }, entra.DecodePolicy),
	shelfOf(KindLocation, "named location", "named locations", entra.PartLocations, func(c *entra.Content) *[]entra.NamedLocation { return &c.Locations },
		func(l *entra.NamedLocation) fields {
			return fields{&l.ID, &l.DisplayName, &l.Origin, &l.Unmodelled, &l.Raw}
		}, entra.DecodeLocation),
	shelfOf(KindStrength, "authentication strength", "authentication strengths", entra.PartStrengths, func(c *entra.Content) *[]entra.AuthStrength { return &c.Strengths },
		func(s *entra.AuthStrength) fields {
			return fields{&s.ID, &s.DisplayName, &s.Origin, &s.Unmodelled, &s.Raw}
		}, entra.DecodeStrength),
}

func shelfOf[T any](kind Kind, noun, plural string, part entra.Part, list func(*entra.Content) *[]T, of func(*T) fields, decode func([]byte) (T, error)) shelf {
	return shelf{kind: kind, noun: noun, plural: plural, part: part,
		len: func(c *entra.Content) int { return len(*list(c)) },
		at:  func(c *entra.Content, i int) fields { return of(&(*list(c))[i]) },
		decode: func(c *entra.Content, i int, raw json.RawMessage) (fields, error) {
			x, err := decode(raw)
			if err != nil {
				return fields{}, err
			}
			l := list(c)
			if i < 0 {
				*l = append(*l, x)
				i = len(*l) - 1
			} else {
				(*l)[i] = x
			}
			return of(&(*l)[i]), nil
		},
		drop: func(c *entra.Content, i int) { l := list(c); *l = slices.Delete(*l, i, i+1) },
	}
}

func shelfFor(k Kind) *shelf {
	for i := range shelves {
		if shelves[i].kind == k {
			return &shelves[i]
		}
	}
	return nil
}

// byID returns the places of the objects with the id. There are several only
// when the sources contradicted each other.
func (s *shelf) byID(c *entra.Content, id entra.ID) []int {
	var at []int
	for i := range s.len(c) {
		if id.Key() != "" && s.at(c, i).id.Equal(id) {
			at = append(at, i)
		}
	}
	return at
}

// find returns the places of the object that a person means by an id or display
// name.
func (s *shelf) find(c *entra.Content, ref string) ([]int, error) {
	if at := s.byID(c, entra.ID(ref)); len(at) > 0 {
		return at, nil
	}
	same := []func(a, b string) bool{
		func(a, b string) bool { return a == b },
		func(a, b string) bool { return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b)) },
	}
	missing := &ReferenceError{Noun: s.noun, Plural: s.plural, Ref: ref, Among: s.len(c)}
	for _, same := range same {
		var at []int
		for i := range s.len(c) {
			if same(*s.at(c, i).name, ref) {
				at = append(at, i)
			}
		}
		if len(at) == 1 {
			return at, nil
		}
		if len(at) > 1 {
			for _, i := range at {
				missing.Matches = append(missing.Matches, string(*s.at(c, i).id))
			}
			return nil, missing
		}
	}
	return s.beginning(c, missing)
}

// beginning returns the place of the one object whose display name begins with
// what a person wrote: policies are called by their number.
func (s *shelf) beginning(c *entra.Content, missing *ReferenceError) ([]int, error) {
	var names, begins []string
	var at []int
	ref := strings.ToLower(strings.TrimSpace(missing.Ref))
	for i := range s.len(c) {
		f := s.at(c, i)
		if ref != "" && strings.HasPrefix(strings.ToLower(strings.TrimSpace(*f.name)), ref) {
			at, begins = append(at, i), append(begins, *f.name)
		}
		names = append(names, *f.name, string(*f.id))
	}
	switch {
	case len(at) == 1:
		return at, nil
	case len(at) > 1:
		missing.Begins = begins
	default:
		missing.Near = near(missing.Ref, names)
	}
	return nil, missing
}

// ReferenceError says that something a change names is not in the Snapshot, or
// is there more than once.
type ReferenceError struct {
	Noun, Plural string
	// Ref is what was asked for.
	Ref string
	// Among is how many there are of the noun.
	Among int
	// Near are those that may have been meant.
	Near []string
	// Matches are the ids of all that the name fits, when it fits several.
	Matches []string
	// Begins are the display names of all that begin with Ref, when several do.
	Begins []string
}

func (e *ReferenceError) Error() string {
	if len(e.Matches) > 0 {
		return fmt.Sprintf("%d %s are called %q", len(e.Matches), e.Plural, e.Ref)
	}
	if len(e.Begins) > 0 {
		return fmt.Sprintf("the names of %d %s begin with %q", len(e.Begins), e.Plural, e.Ref)
	}
	return fmt.Sprintf("there is no %s %q among the %d that were read", e.Noun, e.Ref, e.Among)
}

// Hint returns what to write instead.
func (e *ReferenceError) Hint() string {
	switch {
	case len(e.Matches) > 0:
		return "give the id: " + strings.Join(e.Matches, " or ")
	case len(e.Begins) > maxBegins:
		return fmt.Sprintf("write more of the name: %s and %d more", quoted(e.Begins[:maxBegins]), len(e.Begins)-maxBegins)
	case len(e.Begins) > 0:
		return "write more of the name: " + quoted(e.Begins)
	case len(e.Near) > 0:
		return "did you mean " + quoted(e.Near) + "?"
	}
	return ""
}

// maxBegins is how many names an error lists.
const maxBegins = 5

func quoted(list []string) string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(out, " or ")
}

// errNoKind is for a Change made by hand.
var errNoKind = errors.New("the change does not say of which kind its object is")

func (e *edit) shelf(c *Change) (*shelf, error) {
	if s := shelfFor(c.Kind); s != nil {
		return s, nil
	}
	return nil, errNoKind
}

// store writes the edited object, decodes it and puts it at the place of the old
// one. What the old one was recorded to have given twice stays so, except where
// the edit says what it is now.
func (e *edit) store(s *shelf, at int, o object, origin entra.Origin, touched []string) error {
	raw, err := o.bytes()
	if err != nil {
		return err
	}
	return e.storeJSON(s, at, raw, origin, slices.DeleteFunc(twice(*s.at(&e.c, at).unmodelled), func(u entra.Unmodelled) bool {
		return within(u.Path, touched)
	}))
}

// storeJSON decodes an object and puts it at the place of the old one, or after
// the last for -1. What the old one had by a way other than its JSON stays: an
// id of ours, a name.
func (e *edit) storeJSON(s *shelf, at int, raw json.RawMessage, origin entra.Origin, more []entra.Unmodelled) error {
	var id entra.ID
	var name string
	if at >= 0 {
		old := s.at(&e.c, at)
		id, name = *old.id, *old.name
		if origin == (entra.Origin{}) {
			origin = *old.origin
		}
	}
	f, err := s.decode(&e.c, at, raw)
	if err != nil {
		return err
	}
	*f.origin = origin
	if *f.id == "" {
		*f.id = id
	}
	if *f.name == "" {
		*f.name = name
	}
	*f.unmodelled = append(*f.unmodelled, more...)
	if s.kind == KindStrength && *f.id != "" {
		return e.refreshStrength(*f.id, *f.raw)
	}
	return nil
}

// twice returns the records of keys given twice with different values. JSON that
// was edited no longer shows them.
func twice(list []entra.Unmodelled) []entra.Unmodelled {
	return slices.DeleteFunc(slices.Clone(list), func(u entra.Unmodelled) bool { return u.Kind != "duplicate" })
}

// within reports whether a path is one of the touched ones or below one.
func within(path string, touched []string) bool {
	path = strings.ToLower(path)
	return slices.ContainsFunc(touched, func(t string) bool {
		rest, ok := strings.CutPrefix(path, t)
		return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
	})
}

// leaves lists the paths at which the object says something, in lower case.
func leaves(o object, path string) []string {
	var out []string
	for k, v := range o {
		at := strings.ToLower(path + k)
		if below := asObject(v); below != nil && !atoms[strings.ToLower(k)] {
			out = append(out, leaves(below, at+".")...)
		} else {
			out = append(out, at)
		}
	}
	return out
}

func (e *edit) create(c *Change) error {
	s, err := e.shelf(c)
	if err != nil {
		return err
	}
	o, err := parseObject(c.Object)
	if err != nil {
		return err
	}
	if id := o.text("id"); len(s.byID(&e.c, entra.ID(id))) > 0 {
		return fmt.Errorf("a %s with the id %s exists already", s.noun, id)
	}
	return e.storeJSON(s, -1, c.Object, c.Origin, nil)
}

func (e *edit) update(c *Change) error {
	s, err := e.shelf(c)
	if err != nil {
		return err
	}
	at := s.byID(&e.c, entra.ID(c.Subject))
	if len(at) == 0 && s.kind == KindStrength {
		if at, err = e.adoptStrength(s, entra.ID(c.Subject)); err != nil {
			return err
		}
	}
	if len(at) == 0 {
		_, err := s.find(&e.c, c.Subject)
		if err == nil {
			err = fmt.Errorf("%q is the name of a %s, not its id", c.Subject, s.noun)
		}
		return err
	}
	var scratch entra.Content
	said, err := s.decode(&scratch, -1, c.Object)
	if err != nil {
		return err
	}
	for _, i := range at {
		with, err := parseObject(c.Object)
		if err != nil {
			return err
		}
		o, err := parseObject(*s.at(&e.c, i).raw)
		if err != nil {
			return err
		}
		touched := leaves(with, "")
		o.patch(with, true)
		if err := e.store(s, i, o, c.Origin, touched); err != nil {
			return err
		}
		f := s.at(&e.c, i)
		*f.unmodelled = append(*f.unmodelled, twice(*said.unmodelled)...)
	}
	return nil
}

func (e *edit) put(c *Change) error {
	s, err := e.shelf(c)
	if err != nil {
		return err
	}
	if len(s.byID(&e.c, entra.ID(c.Subject))) > 0 {
		return e.update(c)
	}
	return e.create(c)
}

func (e *edit) replace(c *Change) error {
	s, err := e.shelf(c)
	if err != nil {
		return err
	}
	at, err := s.find(&e.c, c.Subject)
	if err != nil {
		return err
	}
	for i := len(at) - 1; i > 0; i-- {
		s.drop(&e.c, at[i])
	}
	return e.storeJSON(s, at[0], c.Object, c.Origin, nil)
}

func (e *edit) remove(c *Change) error {
	s, err := e.shelf(c)
	if err != nil {
		return err
	}
	at, err := s.find(&e.c, c.Subject)
	if err != nil {
		return err
	}
	for i := len(at) - 1; i >= 0; i-- {
		s.drop(&e.c, at[i])
	}
	return nil
}

// refreshStrength writes the new form of a strength into the policies that hold
// a copy of it, as Graph would give them back.
func (e *edit) refreshStrength(id entra.ID, raw json.RawMessage) error {
	policies := shelfFor(KindPolicy)
	for i := range e.c.Policies {
		strength := e.c.Policies[i].Grant.Strength
		if strength == nil || !strength.ID.Equal(id) {
			continue
		}
		o, err := parseObject(e.c.Policies[i].Raw)
		if err != nil {
			return err
		}
		grant := o.child("grantControls")
		if inline := grant.child("authenticationStrength"); len(inline) < 2 {
			continue // a reference by id only stays one
		}
		copied, err := parseObject(raw)
		if err != nil {
			return err
		}
		grant.set("authenticationStrength", map[string]any(copied))
		if err := e.store(policies, i, o, entra.Origin{}, nil); err != nil {
			return err
		}
	}
	return nil
}

// adoptStrength lists a strength that the sources held only inside policies. The
// empty list of configurations there says nothing and is left out.
func (e *edit) adoptStrength(s *shelf, id entra.ID) ([]int, error) {
	for i := range e.c.Policies {
		inline := e.c.Policies[i].Grant.Strength
		if inline == nil || !inline.ID.Equal(id) || len(inline.Raw) == 0 {
			continue
		}
		o, err := parseObject(inline.Raw)
		if err != nil {
			return nil, err
		}
		if k, ok := o.key("combinationConfigurations"); ok && unset(o[k]) {
			delete(o, k)
		}
		raw, err := o.bytes()
		if err != nil {
			return nil, err
		}
		if err := e.storeJSON(s, -1, raw, e.c.Policies[i].Origin, nil); err != nil {
			return nil, err
		}
		return []int{s.len(&e.c) - 1}, nil
	}
	return nil, nil
}
