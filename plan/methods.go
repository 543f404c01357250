package plan

import (
	"errors"
	"slices"
	"strings"

	"halligan/entra"
)

// errNoMethodsPolicy: what was not read cannot be changed.
var errNoMethodsPolicy = errors.New("the authentication methods policy was not read")

// methodsEdit is the methods policy under edit.
type methodsEdit struct {
	policy  object
	methods []any
}

func (e *edit) methods() (*methodsEdit, error) {
	if e.c.MethodsPolicy == nil {
		return nil, errNoMethodsPolicy
	}
	o, err := parseObject(e.c.MethodsPolicy.Raw)
	if err != nil {
		return nil, err
	}
	methods := slices.DeleteFunc(slices.Clone(elements(o.get("authenticationMethodConfigurations"))), func(v any) bool { return v == nil })
	if len(methods) != len(e.c.MethodsPolicy.Methods) {
		return nil, errors.New("the methods of the authentication methods policy cannot be told apart")
	}
	return &methodsEdit{o, methods}, nil
}

// method returns the JSON of a method; the decoded form tells which it is, since
// some sources leave out the id.
func (m *methodsEdit) method(e *edit, id string) object {
	for i := range e.c.MethodsPolicy.Methods {
		if strings.EqualFold(e.c.MethodsPolicy.Methods[i].ID, id) {
			return asObject(m.methods[i])
		}
	}
	return nil
}

func (e *edit) storeMethods(m *methodsEdit) error {
	m.policy.set("authenticationMethodConfigurations", m.methods)
	raw, err := m.policy.bytes()
	if err != nil {
		return err
	}
	p, err := entra.DecodeMethodsPolicy(raw)
	if err != nil {
		return err
	}
	p.Origin = e.c.MethodsPolicy.Origin
	p.Unmodelled = append(p.Unmodelled, twice(e.c.MethodsPolicy.Unmodelled)...)
	for i := range p.Methods {
		p.Methods[i].Unmodelled = append(p.Methods[i].Unmodelled, twice(e.c.MethodsPolicy.Methods[i].Unmodelled)...)
	}
	e.c.MethodsPolicy = &p
	return nil
}

func (e *edit) disableMethod(c *Change) error {
	m, err := e.methods()
	if err != nil {
		return err
	}
	o := m.method(e, c.Subject)
	if o == nil {
		var ids []string
		for i := range e.c.MethodsPolicy.Methods {
			ids = append(ids, e.c.MethodsPolicy.Methods[i].ID)
		}
		return &ReferenceError{Noun: "method", Plural: "methods", Ref: c.Subject, Among: len(ids), Near: near(c.Subject, ids)}
	}
	o.set("state", "disabled")
	return e.storeMethods(m)
}

// withdrawKeyModel makes keys of a model unusable wherever the tenant says which
// models may be used: it leaves every allow-list and enters every block-list of
// the methods policy, and where there was neither there is a block-list of it.
// The allow-lists of authentication strengths stay: a key that the methods
// policy refuses meets none of them.
func (e *edit) withdrawKeyModel(c *Change) error {
	model := strings.TrimSpace(c.Subject)
	if known := e.keyModels(); !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, model) }) {
		return &ReferenceError{Noun: "key model", Plural: "key models", Ref: model, Among: len(known), Near: near(model, known)}
	}
	m, err := e.methods()
	if err != nil {
		return err
	}
	fido := m.method(e, "Fido2")
	if fido == nil {
		return &ReferenceError{Noun: "method", Plural: "methods", Ref: "Fido2", Among: len(m.methods)}
	}
	withdraw(fido, model)
	for _, p := range elements(fido.get("passkeyProfiles")) {
		if profile := asObject(p); profile != nil {
			withdraw(profile, model)
		}
	}
	return e.storeMethods(m)
}

// withdraw changes the key restrictions of the method or of one profile.
func withdraw(holder object, model string) {
	k := holder.child("keyRestrictions")
	if k == nil {
		k = object{}
	}
	enforced, _ := k.get("isEnforced").(bool)
	if text := k.text("isEnforced"); strings.EqualFold(text, "true") {
		enforced = true
	}
	models := elements(k.get("aaGuids"))
	switch {
	case enforced && strings.EqualFold(k.text("enforcementType"), "allow"):
		k.set("aaGuids", without(models, model))
	case enforced && strings.EqualFold(k.text("enforcementType"), "block"):
		k.set("aaGuids", append(without(models, model), model))
	case enforced:
		return // restrictions of a kind we do not know; they stay unknown
	default: // what is listed but not enforced would come into force with the switch
		k.set("isEnforced", true)
		k.set("enforcementType", "block")
		k.set("aaGuids", []any{model})
	}
	holder.set("keyRestrictions", map[string]any(k))
}

func without(models []any, model string) []any {
	return slices.DeleteFunc(slices.Clone(models), func(v any) bool {
		s, _ := v.(string)
		return strings.EqualFold(s, model)
	})
}

// keyModels lists every key model that the Snapshot names.
func (e *edit) keyModels() []string {
	var out []string
	add := func(models ...string) {
		for _, m := range models {
			if m != "" && !slices.ContainsFunc(out, func(o string) bool { return strings.EqualFold(o, m) }) {
				out = append(out, m)
			}
		}
	}
	for i := range e.c.Accounts {
		for j := range e.c.Accounts[i].Methods {
			add(e.c.Accounts[i].Methods[j].AAGUID)
		}
	}
	if p := e.c.MethodsPolicy; p != nil {
		for i := range p.Methods {
			if k := p.Methods[i].KeyRestrictions; k != nil {
				add(k.AAGUIDs...)
			}
			for _, profile := range p.Methods[i].PasskeyProfiles {
				if profile.KeyRestrictions != nil {
					add(profile.KeyRestrictions.AAGUIDs...)
				}
			}
		}
	}
	for i := range e.c.Strengths {
		for _, c := range e.c.Strengths[i].Configurations {
			add(c.AAGUIDs...)
		}
	}
	return out
}
