package plan

import (
	"bytes"
	"slices"
	"strings"

	"halligan/entra"
)

// Difference is what differs between two Snapshots in policies, named locations
// and authentication strengths.
type Difference struct {
	Policies  Delta `json:"policies"`
	Locations Delta `json:"namedLocations"`
	Strengths Delta `json:"authenticationStrengths"`
}

// Empty reports whether nothing was added, removed or changed.
func (d *Difference) Empty() bool {
	for _, x := range []*Delta{&d.Policies, &d.Locations, &d.Strengths} {
		if len(x.Added)+len(x.Removed)+len(x.Changed) > 0 {
			return false
		}
	}
	return true
}

// Delta is the difference in one kind of objects, sorted by display name and id.
type Delta struct {
	Added   []Ref     `json:"added,omitempty"`
	Removed []Ref     `json:"removed,omitempty"`
	Changed []Changed `json:"changed,omitempty"`
	// Restated are objects whose JSON differs but says the same: another order
	// of ids, null for an absent key, a new time of change.
	Restated []Ref `json:"restated,omitempty"`
}

// Ref names an object.
type Ref struct {
	ID   entra.ID `json:"id"`
	Name string   `json:"name,omitempty"`
}

// Changed is an object that says something else than before. Its id and name
// are those it has now.
type Changed struct {
	Ref
	// WasID and WasName are set when the object was matched by its name, or was
	// renamed.
	WasID   entra.ID     `json:"wasId,omitempty"`
	WasName string       `json:"wasName,omitempty"`
	Paths   []PathChange `json:"paths"`
}

// PathChange is one place in the JSON of an object.
type PathChange struct {
	// Path is dotted, in Graph's spelling, for example
	// "conditions.users.excludeGroups".
	Path string `json:"path"`
	// Before and After are the value where it is not a list; "" not set.
	Before string `json:"before,omitempty"`
	After  string `json:"after,omitempty"`
	// Removed and Added are the members that a list lost and gained.
	Removed []string `json:"removed,omitempty"`
	Added   []string `json:"added,omitempty"`
}

// Diff compares two Snapshots by what their JSON says (the rules stand at
// meaning). Objects are matched by id. Display names, where they are unique on
// both sides, match objects of which one has no id of its own, and all objects
// when the two sides have no id in common: then they are two tenants, or a
// tenant and a baseline. Two objects with different ids of their own are
// otherwise one removed and one added, though they have the same name. Objects
// that have neither id nor name are matched by the id that their Snapshot gave
// them, which comes from the name of the file.
func Diff(base, next *entra.Snapshot) Difference {
	b, n := base.View(), next.View()
	var out [3]Delta
	for i := range shelves {
		out[i] = delta(&shelves[i], b, n)
	}
	return Difference{Policies: out[0], Locations: out[1], Strengths: out[2]}
}

func delta(s *shelf, b, n *entra.Content) Delta {
	m := match(s, b, n)
	var d Delta
	for _, i := range m.removed {
		d.Removed = append(d.Removed, ref(s.at(b, i)))
	}
	for _, i := range m.added {
		d.Added = append(d.Added, ref(s.at(n, i)))
	}
	for _, p := range m.pairs {
		was, is := s.at(b, p[0]), s.at(n, p[1])
		if bytes.Equal(*was.raw, *is.raw) && *was.name == *is.name {
			continue
		}
		paths := comparePaths(was, is)
		if len(paths) == 0 {
			d.Restated = append(d.Restated, ref(is))
			continue
		}
		c := Changed{Ref: ref(is), Paths: paths}
		if !was.id.Equal(*is.id) {
			c.WasID = *was.id
		}
		if *was.name != *is.name {
			c.WasName = *was.name
		}
		d.Changed = append(d.Changed, c)
	}
	slices.SortFunc(d.Added, compareRefs)
	slices.SortFunc(d.Removed, compareRefs)
	slices.SortFunc(d.Restated, compareRefs)
	slices.SortFunc(d.Changed, func(a, b Changed) int { return compareRefs(a.Ref, b.Ref) })
	return d
}

func ref(f fields) Ref { return Ref{*f.id, *f.name} }

func compareRefs(a, b Ref) int {
	if c := strings.Compare(a.Name, b.Name); c != 0 {
		return c
	}
	return strings.Compare(a.ID.Key(), b.ID.Key())
}

// matching pairs the objects of two sides, by place.
type matching struct {
	pairs          [][2]int
	removed, added []int
}

func match(s *shelf, b, n *entra.Content) matching {
	var m matching
	for i := range s.len(b) {
		m.removed = append(m.removed, i)
	}
	for j := range s.len(n) {
		m.added = append(m.added, j)
	}
	own := func(c *entra.Content, i int) string { return entra.ID(ownID(*s.at(c, i).raw)).Key() }
	m.pair(keyed(m.added, func(j int) string { return own(n, j) }), func(i int) string { return own(b, i) })
	strangers := len(m.pairs) == 0 // no id in common: ids say nothing
	byName := map[string][]int{}
	for _, i := range m.removed {
		byName[*s.at(b, i).name] = append(byName[*s.at(b, i).name], i)
	}
	names := keyed(m.added, func(j int) string { return *s.at(n, j).name })
	m.pair(names, func(i int) string {
		name := *s.at(b, i).name
		if len(byName[name]) != 1 || len(names[name]) != 1 || !strangers && own(b, i) != "" && own(n, names[name][0]) != "" {
			return ""
		}
		return name
	})
	// What has neither id nor name in common may still be the same file.
	m.pair(keyed(m.added, func(j int) string { return given(s, n, j) }), func(i int) string { return given(s, b, i) })
	return m
}

// given returns the id that a Snapshot gave to an object without one.
func given(s *shelf, c *entra.Content, i int) string {
	if f := s.at(c, i); ownID(*f.raw) == "" && *f.name == "" {
		return f.id.Key()
	}
	return ""
}

func keyed(list []int, key func(int) string) map[string][]int {
	out := map[string][]int{}
	for _, j := range list {
		if k := key(j); k != "" {
			out[k] = append(out[k], j)
		}
	}
	return out
}

// pair takes out of the removed and the added those that have a key in common.
// Of a key that sources gave twice, the first copies belong together.
func (m *matching) pair(added map[string][]int, key func(int) string) {
	taken := map[int]bool{}
	m.removed = slices.DeleteFunc(m.removed, func(i int) bool {
		k := key(i)
		at := added[k]
		if k == "" || len(at) == 0 {
			return false
		}
		m.pairs = append(m.pairs, [2]int{i, at[0]})
		taken[at[0]] = true
		added[k] = at[1:]
		return true
	})
	m.added = slices.DeleteFunc(m.added, func(j int) bool { return taken[j] })
}

// comparePaths lists the places at which two objects say different things. JSON
// that cannot be compared by meaning counts as changed as a whole.
func comparePaths(was, is fields) []PathChange {
	before, err1 := meaningOf(*was.raw)
	after, err2 := meaningOf(*is.raw)
	if err1 != nil || err2 != nil {
		return []PathChange{{Path: "", Before: string(*was.raw), After: string(*is.raw)}}
	}
	// Keys given twice are lost on the way; their record is not.
	paths := compare(nil, "", &before, &after)
	for _, u := range *is.unmodelled {
		if u.Kind == "duplicate" && !slices.Contains(*was.unmodelled, u) {
			paths = append(paths, PathChange{Path: u.Path, After: u.Value})
		}
	}
	for _, u := range *was.unmodelled {
		if u.Kind == "duplicate" && !slices.Contains(*is.unmodelled, u) {
			paths = append(paths, PathChange{Path: u.Path, Before: u.Value})
		}
	}
	return paths
}

func compare(out []PathChange, path string, a, b *meaning) []PathChange {
	switch {
	case a.set != nil || b.set != nil, (a.list || b.list) && (a.fields == nil || b.fields == nil):
		return compareSets(out, path, a.members(), b.members())
	case a.fields == nil && b.fields == nil:
		if a.text != b.text {
			out = append(out, PathChange{Path: path, Before: a.shown, After: b.shown})
		}
		return out
	case a.text != "" || b.text != "": // an object on one side only
		return append(out, PathChange{Path: path, Before: a.shown, After: b.shown})
	}
	for _, k := range sortedKeys(both(a.fields, b.fields)) {
		x, inA := a.fields[k]
		y, inB := b.fields[k]
		if k == "@odata.type" && !(inA && inB) {
			continue // PowerShell leaves it out
		}
		name := y.name
		if !inB {
			name = x.name
		}
		out = compare(out, strings.TrimPrefix(path+"."+name, "."), &x.meaning, &y.meaning)
	}
	return out
}

func compareSets(out []PathChange, path string, a, b map[string]string) []PathChange {
	c := PathChange{Path: path}
	for _, k := range sortedKeys(a) {
		if _, ok := b[k]; !ok {
			c.Removed = append(c.Removed, a[k])
		}
	}
	for _, k := range sortedKeys(b) {
		if _, ok := a[k]; !ok {
			c.Added = append(c.Added, b[k])
		}
	}
	if len(c.Removed)+len(c.Added) == 0 {
		return out
	}
	return append(out, c)
}

// members returns the value as a set; a single one is a set of one.
func (m *meaning) members() map[string]string {
	switch {
	case m.set != nil:
		return m.set
	case m.unset():
		return nil
	}
	return map[string]string{m.key(): m.shown}
}

func both[V any](a, b map[string]V) map[string]bool {
	out := map[string]bool{}
	for k := range a {
		out[k] = true
	}
	for k := range b {
		out[k] = true
	}
	return out
}
