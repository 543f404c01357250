package plan

import (
	"encoding/json"
	"slices"
	"strings"
)

// configModule is a module of the configuration in a plan.
type configModule struct {
	Resources   []configResource `json:"resources"`
	ModuleCalls map[string]struct {
		Module configModule `json:"module"`
	} `json:"module_calls"`
}

// configResource is a resource as the configuration writes it.
type configResource struct {
	Address     string                     `json:"address"`
	Expressions map[string]json.RawMessage `json:"expressions"`
}

// creations lists the addresses of the objects that the plan creates.
func (r *terraformReader) creations() map[string]bool {
	out := map[string]bool{}
	for i := range r.plan.ResourceChanges {
		rc := &r.plan.ResourceChanges[i]
		if resourceFor(rc.Type) != nil && slices.Contains(rc.Change.Actions, "create") {
			out[rc.Address] = true
		}
	}
	return out
}

// address is the address of a resource, split.
type address struct {
	// module is the address of its module as it stands, with instances, or "".
	module string
	// calls are the names of the modules on the way, without instances.
	calls []string
	// config is the place in that module, without the instance: type.name.
	config string
}

// splitAddress splits an address such as module.a["x.y"].type.name[0].
func splitAddress(whole string) address {
	var steps []string
	var starts []int
	var step strings.Builder
	depth, quoted, start := 0, false, 0
	for i := 0; i < len(whole); i++ {
		switch c := whole[i]; {
		case quoted && c == '\\':
			i++
		case c == '"' && depth > 0:
			quoted = !quoted
		case quoted:
		case c == '[':
			depth++
		case c == ']':
			depth = max(0, depth-1)
		case depth > 0:
		case c == '.':
			steps, starts = append(steps, step.String()), append(starts, start)
			step.Reset()
			start = i + 1
		default:
			step.WriteByte(c)
		}
	}
	steps, starts = append(steps, step.String()), append(starts, start)
	var a address
	at := 0
	for at+2 < len(steps) && steps[at] == "module" {
		a.calls = append(a.calls, steps[at+1])
		at += 2
	}
	a.module = strings.TrimSuffix(whole[:starts[at]], ".")
	a.config = strings.Join(steps[at:], ".")
	return a
}

// inModule is the address of something in the module.
func (a address) inModule(config string) string { return strings.TrimPrefix(a.module+"."+config, ".") }

// config finds a resource in the configuration; an empty one without it.
func (r *terraformReader) config(whole string) *configResource {
	a := splitAddress(whole)
	m := &r.plan.Configuration.RootModule
	for _, name := range a.calls {
		call, ok := m.ModuleCalls[name]
		if !ok {
			return &configResource{}
		}
		m = &call.Module
	}
	for i := range m.Resources {
		if m.Resources[i].Address == a.config {
			return &m.Resources[i]
		}
	}
	return &configResource{}
}

// blockExpressions returns what the configuration says of each of the nested
// blocks of a name. Dynamic blocks are not there.
func blockExpressions(expressions map[string]json.RawMessage, name string) []map[string]json.RawMessage {
	var list []map[string]json.RawMessage
	if json.Unmarshal(expressions[name], &list) != nil {
		var one map[string]json.RawMessage
		if json.Unmarshal(expressions[name], &one) != nil {
			return nil
		}
		return []map[string]json.RawMessage{one}
	}
	return list
}

// leftOut reports whether the configuration of a block is known and does not
// have the argument.
func leftOut(expressions map[string]json.RawMessage, name string) bool {
	_, ok := expressions[name]
	return expressions != nil && !ok
}

// resolve finds the one object, created by the same plan, whose id an unknown
// value is. It does so only when nothing else could be meant: exactly one value
// is unknown, and the expression refers to ids of exactly one object that the
// plan creates, and otherwise to ids of objects that exist.
func (m *mapper) resolve(a *argument, name string, expressions map[string]json.RawMessage, unknown int) (string, bool) {
	if a.refers == "" || unknown != 1 {
		return "", false
	}
	var e struct {
		References []string `json:"references"`
	}
	if json.Unmarshal(expressions[name], &e) != nil {
		return "", false
	}
	var found string
	for _, ref := range e.References {
		whole, attribute, ok := m.reference(ref, a.refers)
		switch {
		case !ok || attribute != "" && attribute != "id" && attribute != "object_id":
			return "", false
		case m.reader.created[whole] && (found == "" || found == whole):
			found = whole
		case !m.reader.exists(whole):
			return "", false
		}
	}
	return createdID(found), found != ""
}

// reference splits a reference such as azuread_named_location.hq.id into the
// address of a resource in the same module and the attribute.
func (m *mapper) reference(ref, want string) (whole, attribute string, ok bool) {
	steps := strings.Split(ref, ".")
	if len(steps) < 2 || len(steps) > 3 || steps[0] != want {
		return "", "", false
	}
	if len(steps) == 3 {
		attribute = steps[2]
	}
	return splitAddress(m.address).inModule(steps[0] + "." + steps[1]), attribute, true
}

// exists reports whether the plan knows the object and does not create it: then
// its id is known.
func (r *terraformReader) exists(whole string) bool {
	return slices.ContainsFunc(r.plan.ResourceChanges, func(rc resourceChange) bool {
		return rc.Address == whole && !slices.Contains(rc.Change.Actions, "create")
	})
}
