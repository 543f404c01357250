package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"strings"
	"time"
)

// contentFaults are answers in good form that do not say the truth, or say what
// nobody knows (faults 9, 14, 15).
var contentFaults = []faultKind{
	{9, "hollow", "200 with an error, with an empty value, with null, without value", []faultVariant{
		{name: "error-200", edit: func(x *exchange, body Object) Object {
			if !x.strikes() {
				return body
			}
			return x.s.graphErrorBody(x.r, "UnknownError", "")
		}},
		{name: "empty", edit: paged(func(_ *exchange, body Object, _ []Object) { body["value"] = []Object{} })},
		{name: "null", edit: paged(func(_ *exchange, body Object, _ []Object) { body["value"] = nil })},
		{name: "missing", edit: paged(func(_ *exchange, body Object, _ []Object) { delete(body, "value") })},
	}},
	{14, "swapped", "an answer for another tenant or id than asked", []faultVariant{
		{name: "tenant", path: "/organization", edit: func(x *exchange, body Object) Object {
			if !x.strikes() {
				return body
			}
			var tenant string
			x.s.View(func(state *State) { tenant = state.ID })
			return replaced(body, tenant, strangeTenant)
		}},
		{name: "id", edit: func(x *exchange, body Object) Object {
			id := propText(body, "id")
			if id == "" || !strings.Contains(strings.ToLower(x.path), strings.ToLower(id)) || !x.strikes() {
				return body
			}
			after := maps.Clone(body)
			after["id"] = strangeTenant
			return after
		}},
	}},
	{15, "unknown", "values and fields that nobody has seen yet, in policies", []faultVariant{
		{name: "enum", path: policiesPath, edit: strange(func(policy Object) { innerObject(policy, "conditions")["clientAppTypes"] = []any{"hologram"} })},
		{name: "state", path: policiesPath, edit: strange(func(policy Object) { policy["state"] = "enabledOnTuesdays" })},
		{name: "condition", path: policiesPath, edit: strange(func(policy Object) {
			innerObject(policy, "conditions")["moonPhases"] = Object{"includePhases": []any{"full"}}
		})},
		{name: "grant", path: policiesPath, edit: strange(func(policy Object) {
			controls := innerObject(policy, "grantControls")
			controls["operator"] = "AND"
			controls["builtInControls"] = append(anyList(controls["builtInControls"]), "retinaDance")
		})},
		{name: "field", path: policiesPath, edit: strange(func(policy Object) { policy["lunarSetting"] = Object{"isEnabled": true} })},
		{name: "type", path: policiesPath, edit: strange(func(policy Object) {
			innerObject(innerObject(policy, "conditions"), "users")["includeUsers"] = Object{"all": true}
		})},
	}},
	{18, "replication", "deleted between list and get; created and not visible yet", []faultVariant{
		{name: "deleted", path: "/users/", reply: func(x *exchange) *faultReply {
			if x.method != http.MethodGet || !objectPath.MatchString(x.path) {
				return nil
			}
			return x.when(func() *faultReply { return x.notFound() })
		}},
		{name: "late", value: "10s", reply: (*exchange).notYet, whole: (*exchange).rememberNew},
	}},
}

const policiesPath = "/identity/conditionalAccess/policies"

// objectPath is a path that names one object by id or user principal name.
var objectPath = regexp.MustCompile(`(?i)/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[^/]+@[^/]+)(/|$)`)

// replaced is a copy of a JSON value with one text in place of another.
func replaced[V any](v V, from, to string) V {
	var walk func(any) any
	walk = func(v any) any {
		switch v := v.(type) {
		case string:
			return strings.ReplaceAll(v, from, to)
		case map[string]any:
			out := make(map[string]any, len(v))
			for k, e := range v {
				out[k] = walk(e)
			}
			return out
		case []any:
			out := make([]any, 0, len(v))
			for _, e := range v {
				out = append(out, walk(e))
			}
			return out
		}
		return v
	}
	return walk(v).(V)
}

// strange changes the first policy of a list, or the one that was asked for.
func strange(change func(policy Object)) func(*exchange, Object) Object {
	return func(x *exchange, body Object) Object {
		if !x.strikes() {
			return body
		}
		after := replaced(body, "", "") // a deep copy: the state's objects are shared
		if items, is := after["value"].([]any); is {
			if len(items) > 0 {
				if policy, is := items[0].(map[string]any); is {
					change(policy)
				}
			}
			return after
		}
		change(after)
		return after
	}
}

// innerObject is an object of an object, made when it is not there.
func innerObject(o Object, key string) Object {
	inner, is := o[key].(map[string]any)
	if !is {
		inner = Object{}
		o[key] = inner
	}
	return inner
}

func anyList(v any) []any {
	l, _ := v.([]any)
	return l
}

func (x *exchange) notFound() *faultReply {
	return x.graphReply(http.StatusNotFound, "Request_ResourceNotFound",
		fmt.Sprintf("Resource '%s' does not exist or one of its queried reference-property objects are not present.", x.path[strings.LastIndex(x.path, "/")+1:]))
}

// rememberNew notes the id of what a POST made.
func (x *exchange) rememberNew() bool {
	if x.method != http.MethodPost || !x.takes() {
		return false
	}
	got := x.record()
	if body, is := got.object(); is && got.status == http.StatusCreated {
		if id := strings.ToLower(propText(body, "id")); id != "" {
			now := x.s.now() // asks the faults, so not within mark
			x.s.faults.mark(x.armed, func(marks map[string]any) { marks[id] = now })
		}
	}
	got.send(x.w)
	return true
}

// notYet hides a new object until it is visible everywhere.
func (x *exchange) notYet() *faultReply {
	life, err := time.ParseDuration(x.fault.Value)
	if err != nil {
		life = 10 * time.Second
	}
	hidden, now := false, x.s.now()
	x.s.faults.mark(x.armed, func(marks map[string]any) {
		for _, id := range strings.Split(strings.ToLower(x.path), "/") {
			if born, is := marks[id].(time.Time); is && now.Sub(born) < life {
				hidden = true
			}
		}
	})
	if !hidden {
		return nil
	}
	return x.notFound()
}
