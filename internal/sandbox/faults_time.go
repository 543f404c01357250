package sandbox

import (
	"crypto/sha256"
	"fmt"
	"maps"
	"net/http"
	"strings"
)

// timeFaults are answers of another moment than now (faults 19 and 20).
var timeFaults = []faultKind{
	{19, "stale", "the old value after a change", []faultVariant{
		{name: "old", times: 3, path: "/identity/conditionalAccess", whole: stale(func(int) bool { return true })},
		{name: "flip", path: "/identity/conditionalAccess", whole: stale(func(read int) bool { return read%2 == 0 })},
	}},
	{20, "restless", "policies change between two reads of one run", []faultVariant{
		{name: "edit", times: 1, path: policiesPath, whole: restless(func(s *State, x *exchange, first Object) Change {
			after := maps.Clone(first)
			after["displayName"] = strings.TrimSuffix(propText(first, "displayName"), " (edited)") + " (edited)"
			after["modifiedDateTime"] = x.s.now().Format("2006-01-02T15:04:05.0000000Z")
			s.Put(policiesSet, propText(first, "id"), after)
			return Change{Activity: "Update conditional access policy", Before: first, Target: after}
		})},
		{name: "add", times: 1, path: policiesPath, whole: restless(func(s *State, x *exchange, first Object) Change {
			next := maps.Clone(first)
			next["id"], next["displayName"] = oidcID(), "Added while you read"
			next["createdDateTime"], next["modifiedDateTime"] = x.s.now().Format("2006-01-02T15:04:05.0000000Z"), nil
			s.Put(policiesSet, propText(next, "id"), next)
			return Change{Activity: "Add conditional access policy", Target: next}
		})},
		{name: "remove", times: 1, path: policiesPath, whole: restless(func(s *State, _ *exchange, first Object) Change {
			s.Delete(policiesSet, propText(first, "id"))
			return Change{Activity: "Delete conditional access policy", Before: first}
		})},
	}},
}

const policiesSet = "identity/conditionalAccess/policies"

// stale serves reads from the tenant as it was before the last write, as a
// replica does that has not heard of it; old says for which reads since then.
func stale(old func(read int) bool) func(*exchange) bool {
	return func(x *exchange) bool {
		if x.method != http.MethodGet && x.method != http.MethodHead {
			before, err := x.s.replica()
			if err != nil {
				return false
			}
			got := x.record()
			if got.status < 300 {
				x.s.faults.mark(x.armed, func(marks map[string]any) { marks["replica"], marks["reads"] = before, 0 })
			}
			got.send(x.w)
			return true
		}
		var replica http.Handler
		x.s.faults.mark(x.armed, func(marks map[string]any) {
			read, _ := marks["reads"].(int)
			if r, is := marks["replica"].(http.Handler); is && old(read) {
				replica = r
			}
			marks["reads"] = read + 1
		})
		if replica == nil || !x.takes() {
			return false
		}
		replica.ServeHTTP(x.w, x.r)
		return true
	}
}

// restless changes the tenant right after a list of policies was read, as
// somebody does of whom the audit log tells.
func restless(change func(*State, *exchange, Object) Change) func(*exchange) bool {
	return func(x *exchange) bool {
		if x.method != http.MethodGet || !x.takes() {
			return false
		}
		got := x.record()
		// Update fails when its function does; this one does not.
		_ = x.s.Update(func(s *State) error {
			if all := s.All(policiesSet); len(all) > 0 {
				done := change(s, x, all[0])
				done.Category, done.Service, done.Type = "Policy", "Conditional Access", "Policy"
				x.s.audit(s, done)
			}
			return nil
		})
		got.send(x.w)
		return true
	}
}

// expire refuses the token that asks now, from now on (fault 22).
func (x *exchange) expire() *faultReply {
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(x.r.Header.Get("Authorization"))))
	refused := false
	x.s.faults.mark(x.armed, func(marks map[string]any) {
		switch {
		case marks[sum] != nil:
			refused = true
		case x.armed.strike():
			marks[sum], refused = true, true
		}
	})
	if !refused {
		return nil
	}
	x.mark()
	reply := x.graphReply(http.StatusUnauthorized, "InvalidAuthenticationToken", "Lifetime validation failed, the token is expired.")
	reply.header["WWW-Authenticate"] = `Bearer realm=""`
	return reply
}
