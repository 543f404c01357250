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
		if rc.Mode != "data" && resourceFor(rc.Type) != nil && slices.Contains(rc.Change.Actions, "create") {
			out[rc.Address] = true
		}
	}
	return out
}

// configAddress splits the address of a resource into its module and its place
// there, both without the keys of instances: module.a["x"].type.name[0] gives
// module.a and type.name.
func configAddress(address string) (module, config string) {
	steps := addressSteps(address)
	at := 0
	for at+1 < len(steps) && steps[at] == "module" {
		at += 2
	}
	return strings.Join(steps[:at], "."), strings.Join(steps[at:], ".")
}

// addressSteps splits an address at its dots and leaves out what stands in
// brackets.
func addressSteps(address string) []string {
	var steps []string
	var step strings.Builder
	depth, quoted := 0, false
	for i := 0; i < len(address); i++ {
		switch c := address[i]; {
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
			steps = append(steps, step.String())
			step.Reset()
		default:
			step.WriteByte(c)
		}
	}
	return append(steps, step.String())
}

func join(module, config string) string { return strings.TrimPrefix(module+"."+config, ".") }

// module finds the module of a resource in the configuration; nil without one.
func (r *terraformReader) module(address string) *configModule {
	module, _ := configAddress(address)
	m := &r.plan.Configuration.RootModule
	if module == "" {
		return m
	}
	for i, step := range strings.Split(module, ".") {
		if i%2 == 0 {
			continue // the word module
		}
		call, ok := m.ModuleCalls[step]
		if !ok {
			return nil
		}
		m = &call.Module
	}
	return m
}

// config finds a resource in the configuration; an empty one without it.
func (r *terraformReader) config(address string) *configResource {
	if m := r.module(address); m != nil {
		_, config := configAddress(address)
		for i := range m.Resources {
			if m.Resources[i].Address == config {
				return &m.Resources[i]
			}
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
		address, attribute, ok := m.reference(ref, a.refers)
		switch {
		case !ok || attribute != "" && attribute != "id" && attribute != "object_id":
			return "", false
		case m.reader.created[address] && (found == "" || found == address):
			found = address
		case m.reader.created[address] || !m.reader.exists(address):
			return "", false
		}
	}
	return createdID(found), found != ""
}

// reference splits a reference such as azuread_named_location.hq.id into the
// address of a resource in the same module and the attribute.
func (m *mapper) reference(ref, want string) (address, attribute string, ok bool) {
	if ref != strings.Join(addressSteps(ref), ".") {
		return "", "", false // one of several instances
	}
	steps := strings.Split(ref, ".")
	if len(steps) < 2 || len(steps) > 3 || steps[0] != want {
		return "", "", false
	}
	if len(steps) == 3 {
		attribute = steps[2]
	}
	module, _ := configAddress(m.address)
	if prefix := modulePrefix(m.address); prefix != module {
		return "", "", false // the module itself has instances
	}
	return join(module, steps[0]+"."+steps[1]), attribute, true
}

// modulePrefix returns the address of the module as it stands, with instances.
func modulePrefix(address string) string {
	_, config := configAddress(address)
	name := strings.Split(config, ".")
	at := strings.LastIndex(address, "."+name[0]+".")
	if at < 0 {
		return ""
	}
	return address[:at]
}

// exists reports whether the plan knows the object and does not create it: then
// its id is known.
func (r *terraformReader) exists(address string) bool {
	return slices.ContainsFunc(r.plan.ResourceChanges, func(rc resourceChange) bool {
		return rc.Address == address && rc.Mode != "data" && !slices.Contains(rc.Change.Actions, "create")
	})
}
