package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// object is a JSON object under edit. Keys are found without regard to case,
// because PowerShell writes them its own way. Numbers keep their spelling.
type object map[string]any

// The keys of objects that stand for a value nobody knows yet. No decoder of
// package entra knows them, which is what makes them count as unknown.
const (
	afterApplyKey    = "knownAfterApply"
	keptOrClearedKey = "keptUnlessReplaced"
)

func parseObject(raw json.RawMessage) (object, error) {
	var o object
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err := d.Decode(&o); err != nil {
		return nil, fmt.Errorf("parse object: %v", err)
	}
	if o == nil {
		return nil, fmt.Errorf("parse object: null is no object")
	}
	return o, nil
}

func (o object) bytes() (json.RawMessage, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(map[string]any(o)); err != nil {
		return nil, fmt.Errorf("write object: %v", err)
	}
	return bytes.TrimSpace(b.Bytes()), nil
}

// key returns the spelling under which the object has the key. Of several that
// differ in case it is the one that a decoder of package entra takes: the last
// in canonical order.
func (o object) key(key string) (string, bool) {
	found, ok := "", false
	for k := range o {
		if strings.EqualFold(k, key) && (!ok || k > found) {
			found, ok = k, true
		}
	}
	return found, ok
}

func (o object) get(key string) any {
	if k, ok := o.key(key); ok {
		return o[k]
	}
	return nil
}

func (o object) text(key string) string {
	s, _ := o.get(key).(string)
	return s
}

// child returns the object under the key, or nil.
func (o object) child(key string) object {
	return asObject(o.get(key))
}

func asObject(v any) object {
	switch v := v.(type) {
	case object:
		return v
	case map[string]any:
		return v
	}
	return nil
}

// set gives the key a value, in the spelling that the object has, and drops
// other spellings of it.
func (o object) set(key string, value any) {
	spelled, ok := o.key(key)
	if !ok {
		spelled = key
	}
	for k := range o {
		if strings.EqualFold(k, key) && k != spelled {
			delete(o, k)
		}
	}
	o[spelled] = value
}

// elements returns the members of a list; a single value is a list of one, as
// PowerShell writes it, and null one of none.
func elements(v any) []any {
	switch v := v.(type) {
	case nil:
		return nil
	case []any:
		return v
	}
	return []any{v}
}

// unset reports whether a value says nothing: null, empty, or made of nothing
// but such values. It is what package entra calls unset.
func unset(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return !slices.ContainsFunc(v, func(e any) bool { return !unset(e) })
	}
	o := asObject(v)
	for k, e := range o {
		if !strings.Contains(k, "@") && !unset(e) {
			return false
		}
	}
	return o != nil
}

// annotation reports whether a key only annotates another one. A binding is not
// an annotation, it is the value.
func annotation(key string) bool {
	return strings.HasPrefix(key, "#") || strings.Contains(key, "@") && !strings.HasSuffix(strings.ToLower(key), bindSuffix)
}

// patch makes the object what it is after Graph was sent the other one.
// settled says that Graph documents that what is not mentioned stays; it does
// for a policy and for its conditions, not for the objects below those.
func (o object) patch(with object, settled bool) {
	for k, v := range with {
		below, old := asObject(v), o.child(k)
		if below == nil || old == nil || atoms[strings.ToLower(k)] {
			o.set(k, v)
			continue
		}
		old.patch(below, settled && strings.EqualFold(k, "conditions"))
	}
	for k, v := range o {
		if settled || annotation(k) || idle(v) {
			continue
		}
		if _, said := with.key(k); said {
			continue
		}
		if name, bound := strings.CutSuffix(strings.ToLower(k), bindSuffix); bound {
			if _, said := with.key(name); said {
				delete(o, k) // the object itself was given in place of a reference
				continue
			}
		}
		if _, said := with.key(k + bindSuffix); said {
			delete(o, k)
			continue
		}
		o[k] = map[string]any{keptOrClearedKey: v}
	}
}

// idle reports whether it makes no difference if a value is kept or cleared: it
// is not set, or a control that is switched off.
func idle(v any) bool {
	if on, ok := asObject(v).get("isEnabled").(bool); ok && !on {
		return true
	}
	return zero(v)
}

// bindSuffix ends a key whose value is a reference in place of an object.
const bindSuffix = "@odata.bind"

// atoms are objects inside a policy that have one meaning as a whole.
var atoms = map[string]bool{
	"authenticationstrength": true, "devicefilter": true, "applicationfilter": true, "serviceprincipalfilter": true,
	"agentidserviceprincipalfilter": true, "includeguestsorexternalusers": true, "excludeguestsorexternalusers": true,
	"signinfrequency": true, "persistentbrowser": true, "cloudappsecurity": true, "applicationenforcedrestrictions": true,
	"securesigninsession": true, "continuousaccessevaluation": true, "globalsecureaccessfilteringprofile": true,
}
