package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// resource is one kind of object with what Graph does to it.
type resource struct {
	// set is the path of its Set; {id} and the like are the request's.
	set string
	typ string // declared type
	// cast keeps only objects of a derived type: "fido2AuthenticationMethod".
	cast string
	// context is what @odata.context names; "" is the set.
	context string
	// directory objects follow the rules for advanced queries and are replicated.
	directory bool
	// defaults are the properties that v1.0 gives unasked; nil all.
	defaults []string
	// unpaged sets come in one page.
	unpaged bool
	// kind, service and category are for the audit log; noun too: "Add {noun}".
	kind, service, category, noun string
	// make checks and completes a new object, change a changed one, remove
	// refuses. All hold the state for writing.
	make   func(c *call, st *State, o Object) error
	change func(c *call, st *State, before, after Object) error
	remove func(c *call, st *State, o Object) error
	// gate refuses, or changes, a read.
	gate func(c *call, st *State) error
	// view is what a read shows of an object, when not the object; nil hides it.
	view func(c *call, st *State, o Object) Object
	// all lists the objects when no Set holds them.
	all func(c *call, st *State) ([]Object, error)
	// find finds one object when the id alone does not.
	find func(c *call, st *State, id string) Object
	// ignores the body's unknown properties: for types outside the table.
	loose bool
}

func (res *resource) path(c *call) string {
	out := res.set
	for k, v := range c.args {
		out = strings.ReplaceAll(out, "{"+k+"}", key(v))
	}
	return out
}

func (res *resource) contextName() string {
	if res.context != "" {
		return res.context
	}
	return res.set
}

// window is how long a new object may not be visible (graph.md: eventual
// consistency; fault 18, whose value may name other seconds).
const window = 20 * time.Second

// replication is how long fault 18 hides a new object.
func (g *graph) replication() (time.Duration, bool) {
	fault, on := g.faults.on(18)
	if !on || fault.Variant != "" && fault.Variant != "late" {
		return 0, false
	}
	if d, err := time.ParseDuration(fault.Value); err == nil {
		return d, true
	}
	return window, true
}

// visible reports whether an object can be seen by now.
func (c *call) visible(st *State, id string) bool {
	wait, on := c.late()
	if !on {
		return true
	}
	born, is := st.Born[key(id)]
	return !is || c.now.Sub(born) >= wait
}

// get finds the object that the request names.
func (res *resource) get(c *call, st *State) (Object, error) {
	id := c.args["id"]
	if v := c.args["sub"]; v != "" {
		id = v
	}
	if res.find != nil {
		if o := res.find(c, st, id); o != nil && c.visible(st, text(o, "id")) {
			return o, nil
		}
		return nil, notFound(id)
	}
	if res.all != nil {
		list, err := res.all(c, st)
		if err != nil {
			return nil, err
		}
		for _, o := range list {
			if strings.EqualFold(text(o, "id"), id) {
				return o, nil
			}
		}
		return nil, notFound(id)
	}
	o := st.Get(res.path(c), id)
	if o == nil || !c.visible(st, id) || res.cast != "" && !types().is(typeOf(o, res.typ), res.cast) {
		return nil, notFound(id)
	}
	return o, nil
}

func (res *resource) declared() string {
	if res.cast != "" {
		return res.cast
	}
	return res.typ
}

// show is the object as the answer holds it, expanded and selected.
func (res *resource) show(c *call, st *State, o Object, selected []string) (Object, error) {
	if res.view != nil {
		if o = res.view(c, st, o); o == nil {
			return nil, nil
		}
	}
	if selected == nil && res.defaults != nil && c.version == v1 {
		selected = res.defaults
	}
	out := shown(c.version, res.declared(), o, selected)
	if res.loose {
		out = maps.Clone(o)
	}
	return out, c.expanded(st, res.declared(), o, out)
}

// readOne answers GET of one object.
func readOne(res *resource) func(*call) (answer, error) {
	return func(c *call) (a answer, err error) {
		selected, err := c.chosen(res)
		if err != nil {
			return a, err
		}
		c.View(func(st *State) {
			if err = c.gates(res, st); err != nil {
				return
			}
			var o, out Object
			if o, err = res.get(c, st); err != nil {
				return
			}
			if out, err = res.show(c, st, o, selected); err == nil {
				a = c.entity(http.StatusOK, contextSelected(res.contextName(), selected)+"/$entity", out)
			}
		})
		return a, err
	}
}

func (c *call) gates(res *resource, st *State) error {
	if err := c.licensed(st); err != nil {
		return err
	}
	if err := c.role(st); err != nil {
		return err
	}
	if res != nil && res.gate != nil {
		return res.gate(c, st)
	}
	return nil
}

func (c *call) chosen(res *resource) ([]string, error) {
	if c.query.selected == nil {
		return nil, nil
	}
	return selectable(c.version, res.declared(), c.query.selected)
}

// readAll answers GET of a collection.
func readAll(res *resource) func(*call) (answer, error) {
	return func(c *call) (a answer, err error) {
		selected, err := c.chosen(res)
		if err != nil {
			return a, err
		}
		if err := c.advanced(res); err != nil {
			return a, err
		}
		c.View(func(st *State) {
			if err = c.gates(res, st); err != nil {
				return
			}
			a, err = res.page(c, st, selected)
		})
		return a, err
	}
}

// source is where a list comes from: a position and what stands there.
type source struct {
	count int
	at    func(int) Object
}

func (res *resource) source(c *call, st *State) (source, error) {
	if res.all != nil {
		list, err := res.all(c, st)
		return listed(list), err
	}
	set := res.path(c)
	return source{st.Count(set), func(i int) Object { return st.At(set, i) }}, nil
}

func listed(list []Object) source {
	return source{len(list), func(i int) Object { return list[i] }}
}

func (res *resource) page(c *call, st *State, selected []string) (answer, error) {
	src, err := res.source(c, st)
	if err != nil {
		return answer{}, err
	}
	return res.paged(c, st, src, selected)
}

// paged answers one page of a source.
func (res *resource) paged(c *call, st *State, src source, selected []string) (answer, error) {
	var err error
	keep := func(o Object) bool {
		return o != nil && c.visible(st, text(o, "id")) && (res.cast == "" || types().is(typeOf(o, res.typ), res.cast)) &&
			(c.query.filter == nil || c.query.filter.matches(o, nil)) && c.found(o)
	}
	if len(c.query.order) > 0 {
		src = ordered(src, keep, c.query.order)
	}
	at, total := c.query.skip, -1
	if c.query.token != "" {
		if at, err = position(c.query.token); err != nil {
			return answer{}, err
		}
	}
	if c.query.count && (c.query.eventual || !res.directory) {
		total = 0
		if _, late := c.late(); res.set == "users" && res.all == nil && c.query.filter == nil && c.query.search == "" && !late {
			total = st.Total(res.set)
		} else {
			total = counted(src, keep)
		}
	}
	size := c.query.top
	if size == 0 {
		size = pageDefault
		if res.unpaged {
			size = src.count
		}
	}
	value := []any{}
	for ; at < src.count && len(value) < size; at++ {
		o := src.at(at)
		if !keep(o) {
			continue
		}
		out, err := res.show(c, st, o, selected)
		if err != nil {
			return answer{}, err
		}
		if out != nil {
			value = append(value, out)
		}
	}
	for at < src.count && !keep(src.at(at)) { // no page without anything on it
		at++
	}
	body := Object{"@odata.context": c.context(contextSelected(res.contextName(), selected)), "value": value}
	if total >= 0 {
		body["@odata.count"] = total
	}
	if at < src.count {
		body["@odata.nextLink"] = c.nextLink(at)
	}
	return answer{status: http.StatusOK, body: body}, nil
}

func counted(src source, keep func(Object) bool) int {
	n := 0
	for i := range src.count {
		if keep(src.at(i)) {
			n++
		}
	}
	return n
}

// found reports whether an object fits $search, of the form "property:text".
func (c *call) found(o Object) bool {
	if c.query.search == "" {
		return true
	}
	name, part, ok := strings.Cut(strings.Trim(c.query.search, `"`), ":")
	return ok && strings.Contains(strings.ToLower(text(o, name)), strings.ToLower(part))
}

func ordered(src source, keep func(Object) bool, by []ordering) source {
	var list []Object
	for i := range src.count {
		if o := src.at(i); keep(o) {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b Object) int {
		for _, k := range by {
			x, y := fmt.Sprint(follow(a, k.path, nil)), fmt.Sprint(follow(b, k.path, nil))
			n := strings.Compare(strings.ToLower(x), strings.ToLower(y))
			if k.desc {
				n = -n
			}
			if n != 0 {
				return n
			}
		}
		return 0
	})
	return listed(list)
}

// advanced refuses what needs ConsistencyLevel: eventual and $count=true and
// comes without (entra-docs aad-advanced-queries), and properties that do not
// exist.
func (c *call) advanced(res *resource) error {
	var err error
	needs := c.query.search != "" || len(c.query.order) > 0 && c.query.filter != nil
	c.query.filter.walk(func(f *filterNode) {
		needs = needs || f.op == "ne" || f.op == "not" || f.op == "endswith" || len(f.path) > 0 && f.path[len(f.path)-1] == "$count"
		if res.directory && (f.op == "or" && len(f.parts) > maxChildren || f.op == "in" && len(f.values) > maxChildren) {
			err = unsupported("Too many child clauses specified in search filter expression containing 'OR' operators: %d. Max allowed: %d.", max(len(f.parts), len(f.values)), maxChildren)
		}
	})
	if err != nil {
		return err
	}
	if res.directory && needs && !(c.query.eventual && c.query.count) {
		return unsupported("Unsupported Query. Request is missing ConsistencyLevel: eventual header and $count=true.")
	}
	if res.loose || types().types[res.declared()] == nil {
		return nil
	}
	return c.knownPaths(res)
}

func (c *call) knownPaths(res *resource) error {
	var err error
	bound := map[string]bool{}
	c.query.filter.walk(func(f *filterNode) {
		if f.variable != "" {
			bound[f.variable] = true
		}
	})
	check := func(path []string) {
		if len(path) == 0 || bound[path[0]] || path[0] == "$count" {
			return
		}
		if _, e := selectable(c.version, res.declared(), path[:1]); e != nil && !navigable[strings.ToLower(path[0])] {
			err = &graphError{400, "BadRequest", "Invalid filter clause: " + e.(*graphError).message}
		}
	}
	c.query.filter.walk(func(f *filterNode) { check(f.path) })
	for _, o := range c.query.order {
		check(o.path)
	}
	return err
}

// navigable are relationships that a filter may go through.
var navigable = map[string]bool{"roledefinition": true, "principal": true, "members": true, "owners": true, "memberof": true}

// create answers POST to a collection.
func create(res *resource) func(*call) (answer, error) {
	return func(c *call) (a answer, err error) {
		o, err := res.body(c)
		if err != nil {
			return a, err
		}
		err = c.Update(func(st *State) error {
			if err := c.gates(res, st); err != nil {
				return err
			}
			if text(o, "id") == "" || res.typ != "authenticationContextClassReference" {
				o["id"] = graphID()
			}
			if err := res.make(c, st, o); err != nil {
				return err
			}
			id := text(o, "id")
			set := res.path(c)
			if st.Get(set, id) != nil {
				return &graphError{409, "Conflict", "Another object with the same value for property id already exists."}
			}
			st.Put(set, id, o)
			st.Born[key(id)] = c.now
			c.audited(st, res, "Add "+res.noun, nil, o)
			out, err := res.show(c, st, o, nil)
			status := http.StatusCreated
			if res == contexts && c.version == beta {
				status = http.StatusOK // graph: conditionalaccessroot-post-authenticationcontextclassreferences
			}
			a = c.entity(status, res.contextName()+"/$entity", out)
			return err
		})
		return a, err
	}
}

func (res *resource) body(c *call) (Object, error) {
	if res.loose {
		return copied(c.body), nil
	}
	return written(c.version, res.declared(), c.body)
}

// update answers PATCH of one object: what is given replaces what was.
func update(res *resource) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		patch, err := res.body(c)
		if err != nil {
			return answer{}, err
		}
		return noContent, c.Update(func(st *State) error {
			if err := c.gates(res, st); err != nil {
				return err
			}
			before, err := res.get(c, st)
			if err != nil {
				return err
			}
			after := maps.Clone(before)
			maps.Copy(after, patch)
			if id, has := patch["id"]; has && id != before["id"] {
				return badRequest("Property 'id' is read-only and cannot be set.")
			}
			if res.change == nil {
				return denied()
			}
			if err := res.change(c, st, before, after); err != nil {
				return err
			}
			st.Put(res.path(c), text(before, "id"), after)
			c.audited(st, res, "Update "+res.noun, before, after)
			return nil
		})
	}
}

// erase answers DELETE of one object.
func erase(res *resource) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		return noContent, c.Update(func(st *State) error {
			if err := c.gates(res, st); err != nil {
				return err
			}
			o, err := res.get(c, st)
			if err != nil {
				return err
			}
			if res.remove != nil {
				if err := res.remove(c, st, o); err != nil {
					return err
				}
			}
			st.Delete(res.path(c), text(o, "id"))
			c.audited(st, res, "Delete "+res.noun, o, nil)
			return nil
		})
	}
}

func (c *call) audited(st *State, res *resource, activity string, before, after Object) {
	kind, service, category := res.kind, res.service, res.category
	if service == "" {
		service = "Core Directory"
	}
	if kind == "" {
		kind = "Other"
	}
	if category == "" {
		category = "DirectoryManagement"
	}
	c.audit(st, Change{By: c.caller, Activity: activity, Category: category, Service: service, Target: after, Before: before, Type: kind})
}

// readSingle answers GET of what a tenant has once.
func readSingle(set, typ string) func(*call) (answer, error) {
	return func(c *call) (a answer, err error) {
		selected := c.query.selected
		if selected != nil {
			if selected, err = selectable(c.version, typ, selected); err != nil {
				return a, err
			}
		}
		c.View(func(st *State) {
			if err = c.gates(nil, st); err != nil {
				return
			}
			a = c.entity(http.StatusOK, contextSelected(set, selected)+"/$entity", shown(c.version, typ, c.single(st, set), selected))
		})
		return a, err
	}
}

// updateSingle answers PATCH of what a tenant has once.
func updateSingle(set, typ, activity string, check func(c *call, st *State, before, after Object) error) func(*call) (answer, error) {
	return func(c *call) (answer, error) {
		patch, err := written(c.version, typ, c.body)
		if err != nil {
			return answer{}, err
		}
		return noContent, c.Update(func(st *State) error {
			if err := c.gates(nil, st); err != nil {
				return err
			}
			path := (&resource{set: set}).path(c)
			before := c.single(st, set)
			after := maps.Clone(before)
			if after == nil {
				after = Object{}
			}
			maps.Copy(after, patch)
			if err := check(c, st, before, after); err != nil {
				return err
			}
			st.Single[path] = after
			c.audit(st, Change{By: c.caller, Activity: activity, Category: "Policy", Service: "Core Directory", Before: before, Target: after, Type: "Policy"})
			return nil
		})
	}
}

// single is an object that a tenant has once, or its default.
func (c *call) single(st *State, set string) Object {
	path := (&resource{set: set}).path(c)
	if o := st.Single[path]; o != nil {
		return o
	}
	return copied(defaultSingle[set])
}
