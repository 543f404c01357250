package lockout_test

import (
	"maps"
	"slices"
	"strings"
)

// fit narrows dimensions until the forall space has at most limit points.
func (w *world) fit(b *builder, limit int) {
	quantifiers := w.vector["query"].(obj)["quantifiers"].(obj)
	for {
		s, q, err := w.question()
		if err != nil {
			return // the caller will see it
		}
		n, widest, most := 1, axis{}, 0
		for _, a := range newOracle(s, q).axes(q) {
			if a.exists && len(a.values) > 6 {
				n *= len(a.values) // a choice costs as much as a point
			}
			if !a.exists {
				n *= len(a.values)
			}
			// The axis that shows most when it is wide is narrowed last.
			weight := len(a.values) * 10
			if _, given := quantifiers[string(a.name)]; given {
				weight -= 5
			}
			if len(a.values) > 1 && weight > most {
				widest, most = a, weight
			}
		}
		if n <= limit || most == 0 {
			return
		}
		side := "forall"
		if widest.exists {
			side = "exists"
		}
		keep := arr{}
		for range min(2, len(widest.values)-1) {
			if i := b.r.IntN(len(widest.values)); !slices.ContainsFunc(keep, func(v any) bool { return same2(v, widest.json(i)) }) {
				keep = append(keep, widest.json(i))
			}
		}
		quantifiers[string(widest.name)] = obj{side: keep}
	}
}

// json is a value of the axis as a vector spells it.
func (a *axis) json(i int) any {
	switch a.name {
	case "device":
		d := obj{"registered": a.devices[i].Registered}
		if a.devices[i].Managed {
			d["managed"] = true
		}
		for k, v := range a.devices[i].Attributes {
			list := arr{}
			for _, s := range v {
				list = append(list, s)
			}
			d[k] = list
		}
		return d
	case "ipLocations", "resourceSeenIp":
		list := arr{}
		for _, id := range splitIDs(a.values[i]) {
			list = append(list, id)
		}
		return list
	case "compliantNetwork", "smartLockout":
		return a.values[i] == "true"
	}
	return a.values[i]
}

// shrink removes one thing after the other as long as what is left still
// disagrees.
func (w *world) shrink(disagrees func(*world) bool) *world {
	best := w
	for again := true; again; {
		again = false
		if len(best.tweaks) > 0 {
			if c := (&world{vector: best.vector}); disagrees(c) {
				best, again = c, true
			}
		}
		for _, path := range paths(best.vector) {
			c := &world{vector: without(best.vector, path).(obj), tweaks: best.tweaks}
			if c.sensible() && disagrees(c) {
				best, again = c, true
				break
			}
		}
	}
	return best
}

// sensible: the world is still one that the generator could have made.
func (w *world) sensible() bool {
	query := w.vector["query"].(obj)
	if g, ok := query["goal"].(obj); ok {
		stage, staged := g["stage"].(obj)
		if empty(g["audiences"]) || empty(g["clientAppTypes"]) || staged && empty(stage["audiences"]) {
			return false
		}
	}
	locations, _ := w.vector["tenant"].(obj)["namedLocations"].(arr)
	for _, l := range locations {
		l := l.(obj)
		kind, _ := l["@odata.type"].(string)
		if l["id"] == nil || strings.Contains(kind, "ipNamed") && empty(l["ipRanges"]) || strings.Contains(kind, "country") && empty(l["countriesAndRegions"]) {
			return false
		}
	}
	policies, _ := w.vector["tenant"].(obj)["policies"].(arr)
	for _, p := range policies {
		p := p.(obj)
		c, ok := p["conditions"].(obj)
		if !ok || p["state"] == nil || p["id"] == nil || c["users"] == nil || c["applications"] == nil {
			return false
		}
	}
	return true
}

func empty(v any) bool {
	list, _ := v.(arr)
	return len(list) == 0
}

// paths lists what may be removed, large things first.
func paths(vector obj) [][]any {
	var out [][]any
	var visit func(v any, at []any)
	visit = func(v any, at []any) {
		switch x := v.(type) {
		case obj:
			for _, k := range slices.Sorted(maps.Keys(x)) {
				p := append(slices.Clone(at), k)
				out = append(out, p)
				visit(x[k], p)
			}
		case arr:
			for i := range x {
				p := append(slices.Clone(at), i)
				out = append(out, p)
				visit(x[i], p)
			}
		}
	}
	for _, k := range []string{"tenant", "accounts"} {
		visit(vector[k], []any{k})
	}
	if q, ok := vector["query"].(obj); ok {
		visit(q["quantifiers"], []any{"query", "quantifiers"})
		visit(q["goal"], []any{"query", "goal"})
	}
	out = slices.DeleteFunc(out, func(p []any) bool { return len(p) < 2 || strings.HasPrefix(toText(p[len(p)-1]), "@odata") })
	slices.SortStableFunc(out, func(a, b []any) int { return len(a) - len(b) })
	return out
}

func toText(v any) string {
	s, _ := v.(string)
	return s
}

// without returns a copy of the tree that lacks what is at the path.
func without(v any, path []any) any {
	switch x := v.(type) {
	case obj:
		c := maps.Clone(x)
		if len(path) == 1 {
			delete(c, path[0].(string))
		} else {
			c[path[0].(string)] = without(x[path[0].(string)], path[1:])
		}
		return c
	case arr:
		i := path[0].(int)
		c := slices.Clone(x)
		if len(path) == 1 {
			return slices.Delete(c, i, i+1)
		}
		c[i] = without(x[i], path[1:])
		return c
	}
	return v
}
