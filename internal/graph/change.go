package graph

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"halligan/plan"
)

// shelf is where the objects of a kind are in Graph, and how they are written.
type shelf struct {
	noun       string
	path       []string
	family     Family
	permission string
	readOnly   []string // members that Graph sends and does not take
}

// shelves is the table of the kinds that can be changed. Sources: graph-docs
// "Create conditionalAccessPolicy", "Update conditionalAccessPolicy", "Create
// namedLocation", "Update ipNamedLocation", "Create
// authenticationStrengthPolicy", "Update authenticationStrengthPolicy".
var shelves = map[plan.Kind]shelf{
	plan.KindPolicy: {"policy", []string{"identity", "conditionalAccess", "policies"}, FamilyConditionalAccess,
		"Policy.ReadWrite.ConditionalAccess with Policy.Read.All", []string{"id", "createdDateTime", "modifiedDateTime", "deletedDateTime", "templateId"}},
	plan.KindLocation: {"named location", []string{"identity", "conditionalAccess", "namedLocations"}, FamilyConditionalAccess,
		"Policy.ReadWrite.ConditionalAccess with Policy.Read.All", []string{"id", "createdDateTime", "modifiedDateTime", "deletedDateTime"}},
	plan.KindStrength: {"authentication strength", []string{"policies", "authenticationStrengthPolicies"}, FamilyOther,
		"Policy.ReadWrite.AuthenticationMethod", []string{"id", "createdDateTime", "modifiedDateTime", "policyType", "requirementsSatisfied"}},
}

func (s shelf) request(method, operation string, parts ...string) Request {
	return Request{Operation: operation, Method: method, Path: PathOf(append(slices.Clone(s.path), parts...)...), Family: s.family, Permission: s.permission}
}

// Outcome is what became of a change. Whatever the error says, ID and After are
// what was last seen.
type Outcome struct {
	ID     string          // of the object
	Done   bool            // the tenant was seen to be as wanted
	Wrote  int             // requests sent that could change something
	Before json.RawMessage // the object as it was; nil when there was none
	After  json.RawMessage // the object as it was read back; nil when it is gone or was not seen
	Seen   string          // in words, for a person and for the evidence
}

// How long a change may take to be seen, and how many reads must agree before
// it is said to be changed back.
const (
	settleTime   = 2 * time.Minute
	agreeingRead = 3
)

// settleWaits are the pauses between two looks; the last repeats. The lane of
// Conditional Access allows one request a second.
var settleWaits = []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}

func settleWait(look int) time.Duration { return settleWaits[min(look, len(settleWaits)-1)] }

// Carry carries out one change of a policy, named location or authentication
// strength: create, update or delete. It sends each write at most once, and
// reads back until the tenant shows it. When the answer to a write is lost, the
// tenant is asked what became of it; when that stays open, the error matches
// ErrOutcomeUnknown, and nothing is repeated.
func (c *Client) Carry(ctx context.Context, ch plan.Change) (Outcome, error) {
	s, known := shelves[ch.Kind]
	if !known {
		return Outcome{}, &ConfigError{What: fmt.Sprintf("%s: changes of this kind are not made here", ch), Cure: "Make it in the Entra admin center, then check again."}
	}
	verbs := map[plan.Verb]func(context.Context, shelf, plan.Change) (Outcome, error){
		plan.VerbCreate: c.create, plan.VerbUpdate: c.update, plan.VerbDelete: c.remove,
	}
	carry, known := verbs[ch.Verb]
	if !known {
		return Outcome{}, &ConfigError{What: fmt.Sprintf("%s: %q is a question, not a change that can be made", ch, ch.Verb), Cure: "Turn it into a draft that creates, updates or deletes an object."}
	}
	if ch.Verb != plan.VerbCreate && !guid.MatchString(ch.Subject) {
		return Outcome{}, &ConfigError{What: fmt.Sprintf("%s: %q is no id", ch, clean(ch.Subject, 80)), Cure: "Name the object by its id: two may have the same name."}
	}
	return carry(ctx, s, ch)
}

// create looks for the object before it writes: a run that was broken off may
// have made it already.
func (c *Client) create(ctx context.Context, s shelf, ch plan.Change) (Outcome, error) {
	want, err := writable(s, ch.Object)
	if err != nil {
		return Outcome{}, fmt.Errorf("%s: %w", ch, err)
	}
	before, err := c.alike(ctx, s, ch, nil)
	if err != nil {
		return Outcome{}, err
	}
	for _, o := range before {
		if own, err := writable(s, o); err == nil && same(own, want) {
			return Outcome{ID: idOf(o), Done: true, Before: o, After: o, Seen: "it was there already, exactly so"}, nil
		}
	}
	r := s.request(http.MethodPost, ch.String())
	r.Body = want
	out := Outcome{Wrote: 1}
	answer, err := c.Do(ctx, r)
	if err != nil && !errors.Is(err, ErrOutcomeUnknown) {
		return out, err
	}
	if err == nil {
		if out.ID = idOf(answer.Body); out.ID != "" {
			return c.settle(ctx, s, ch, out, nil, shows(want))
		}
		err = &Error{Operation: r.Operation, Status: answer.Status, Kind: KindMalformed, Message: "the answer names no object", Unsure: true}
	}
	return c.search(ctx, s, ch, want, before, out, err)
}

// search looks for an object whose creation had no answer: one that was not
// there before, and has all that was wanted.
func (c *Client) search(ctx context.Context, s shelf, ch plan.Change, want json.RawMessage, before []json.RawMessage, out Outcome, lost error) (Outcome, error) {
	old := map[string]bool{}
	for _, o := range before {
		old[idOf(o)] = true
	}
	ours := shows(want)
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	for look := 0; ; look++ {
		found, err := c.alike(ctx, s, ch, func(o json.RawMessage) bool { return !old[idOf(o)] && ours(o) })
		if err == nil && len(found) == 1 {
			out.ID, out.After, out.Done = idOf(found[0]), found[0], true
			out.Seen = "the answer was lost; the object was found afterwards"
			return out, nil
		}
		if err == nil && len(found) > 1 {
			out.Seen = fmt.Sprintf("the answer was lost; %d objects like it were found afterwards", len(found))
			return out, lost
		}
		if c.sleep(ctx, settleWait(look)) != nil {
			out.Seen = fmt.Sprintf("the answer was lost; no such object was seen in %d looks", look+1)
			return out, lost
		}
	}
}

// alike lists the objects of a kind that pass a test; nil lets all pass.
func (c *Client) alike(ctx context.Context, s shelf, ch plan.Change, pass func(json.RawMessage) bool) ([]json.RawMessage, error) {
	list, err := c.List(ctx, s.request(http.MethodGet, "look for "+s.noun+" before "+ch.String()))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(list.Items, func(item json.RawMessage) bool { return pass != nil && !pass(item) }), nil
}

// step is one write of an update.
type step struct {
	method string
	parts  []string
	body   json.RawMessage
}

func (c *Client) update(ctx context.Context, s shelf, ch plan.Change) (Outcome, error) {
	want, err := writable(s, ch.Object)
	if err != nil {
		return Outcome{}, fmt.Errorf("%s: %w", ch, err)
	}
	before, err := c.Do(ctx, s.request(http.MethodGet, "read before "+ch.String(), ch.Subject))
	if err != nil {
		return Outcome{ID: ch.Subject}, err
	}
	same := shows(want)
	out := Outcome{ID: ch.Subject, Before: before.Body, After: before.Body}
	if same(before.Body) {
		out.Done, out.Seen = true, "it was so already"
		return out, nil
	}
	var lost error
	for _, st := range updateSteps(ch, want) {
		r := s.request(st.method, ch.String(), st.parts...)
		r.Body = st.body
		out.Wrote++
		if _, err := c.Do(ctx, r); errors.Is(err, ErrOutcomeUnknown) {
			lost = err
			break // what comes after could be built on sand
		} else if err != nil {
			return out, err
		}
	}
	return c.settle(ctx, s, ch, out, lost, same)
}

// updateSteps are the writes of an update. The combinations of an authentication
// strength are not taken by PATCH but by an action of their own (graph-docs
// "authenticationStrengthPolicy: updateAllowedCombinations").
func updateSteps(ch plan.Change, want json.RawMessage) []step {
	if ch.Kind != plan.KindStrength {
		return []step{{http.MethodPatch, []string{ch.Subject}, want}}
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(want, &members) != nil {
		return nil
	}
	var steps []step
	if combinations, has := members["allowedCombinations"]; has {
		delete(members, "allowedCombinations")
		body, _ := json.Marshal(map[string]json.RawMessage{"allowedCombinations": combinations})
		steps = append(steps, step{http.MethodPost, []string{ch.Subject, "updateAllowedCombinations"}, body})
	}
	if len(members) > 0 {
		body, _ := json.Marshal(members)
		steps = append(steps, step{http.MethodPatch, []string{ch.Subject}, body})
	}
	return steps
}

func (c *Client) remove(ctx context.Context, s shelf, ch plan.Change) (Outcome, error) {
	out := Outcome{ID: ch.Subject}
	before, err := c.Do(ctx, s.request(http.MethodGet, "read before "+ch.String(), ch.Subject))
	if KindOf(err) == KindNotFound {
		out.Done, out.Seen = true, "it was not there"
		return out, nil
	}
	if err != nil {
		return out, err
	}
	out.Before, out.Wrote = before.Body, 1
	_, err = c.Do(ctx, s.request(http.MethodDelete, ch.String(), ch.Subject))
	if err != nil && !errors.Is(err, ErrOutcomeUnknown) && KindOf(err) != KindNotFound {
		return out, err
	}
	if KindOf(err) == KindNotFound {
		err = nil
	}
	return c.settle(ctx, s, ch, out, err, nil)
}

// settle reads the object until it shows what is wanted; a nil test wants it to
// be gone. One read that shows it is proof that the write was carried out: the
// object was otherwise before. That other reads are stale for a while is not.
func (c *Client) settle(ctx context.Context, s shelf, ch plan.Change, out Outcome, lost error, same func(json.RawMessage) bool) (Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	var failed error
	for look := 0; ; look++ {
		answer, err := c.Do(ctx, s.request(http.MethodGet, "read back after "+ch.String(), out.ID))
		gone := KindOf(err) == KindNotFound
		switch {
		case err == nil:
			out.After, failed = answer.Body, nil
		case gone:
			out.After, failed = nil, nil
		default:
			failed = err
		}
		if same == nil && gone || same != nil && err == nil && same(answer.Body) {
			out.Done, out.Seen = true, fmt.Sprintf("read back after %d looks", look+1)
			if lost != nil {
				out.Seen = "the answer was lost; " + out.Seen
			}
			return out, nil
		}
		if c.has(DefenceSettle) && c.sleep(ctx, settleWait(look)) == nil {
			continue
		}
		out.Seen = fmt.Sprintf("not seen in %d looks", look+1)
		if lost != nil {
			return out, lost
		}
		e := &Error{Operation: ch.String(), Kind: KindUnknown, Unsure: true, Permission: s.permission, cause: failed,
			Message: "Graph took the change, and reads do not show it"}
		if failed != nil {
			e.Message = "Graph took the change, and it cannot be read back"
		}
		return out, e
	}
}

// Standing says whether a change that was made still holds.
type Standing string

// What a look at a change can show.
const (
	StandingUnknown Standing = ""
	StandingHolds   Standing = "holds"
	StandingGone    Standing = "changed back" // several reads in a row agree
)

// Stands looks whether a change that was seen to be done still holds. A replica
// may be old for a while: only when three reads in a row agree is it said to be
// changed back.
func (c *Client) Stands(ctx context.Context, ch plan.Change, id string) (Standing, error) {
	s, known := shelves[ch.Kind]
	if !known {
		return StandingUnknown, &ConfigError{What: fmt.Sprintf("%s: changes of this kind are not looked at", ch), Cure: "Check the tenant instead."}
	}
	var same func(json.RawMessage) bool
	if ch.Verb != plan.VerbDelete {
		want, err := writable(s, ch.Object)
		if err != nil {
			return StandingUnknown, fmt.Errorf("%s: %w", ch, err)
		}
		same = shows(want)
	}
	agreeing := agreeingRead
	if !c.has(DefenceAgree) {
		agreeing = 1
	}
	for look := range agreeing {
		if look > 0 {
			if err := c.sleep(ctx, settleWait(look)); err != nil {
				return StandingUnknown, err
			}
		}
		answer, err := c.Do(ctx, s.request(http.MethodGet, "look whether it holds: "+ch.String(), id))
		gone := KindOf(err) == KindNotFound
		if err != nil && !gone {
			return StandingUnknown, err
		}
		if same == nil && gone || same != nil && !gone && same(answer.Body) {
			return StandingHolds, nil
		}
	}
	return StandingGone, nil
}

// writable is an object in the form in which Graph takes it.
func writable(s shelf, object json.RawMessage) (json.RawMessage, error) {
	var members map[string]any
	if err := decodeNumbers(object, &members); err != nil || members == nil {
		return nil, fmt.Errorf("the object is not one of Graph's")
	}
	for _, name := range s.readOnly {
		delete(members, name)
	}
	stripNotes(members)
	if grant, is := members["grantControls"].(map[string]any); is {
		// Read expanded, written by its id alone.
		if strength, is := grant["authenticationStrength"].(map[string]any); is {
			grant["authenticationStrength"] = map[string]any{"id": strength["id"]}
		}
	}
	if len(members) == 0 {
		return nil, fmt.Errorf("nothing is left to write")
	}
	return json.Marshal(members)
}

func decodeNumbers(data []byte, to any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber() // 2^53+1 must come back as it went
	return d.Decode(to)
}

// stripNotes takes out what OData writes beside the members, but for the type.
func stripNotes(v any) {
	switch v := v.(type) {
	case map[string]any:
		maps.DeleteFunc(v, func(name string, _ any) bool {
			return strings.Contains(name, "@odata.") && name != "@odata.type" && !strings.HasSuffix(name, "@odata.bind")
		})
		for _, inner := range v {
			stripNotes(inner)
		}
	case []any:
		for _, inner := range v {
			stripNotes(inner)
		}
	}
}

// shows returns a test whether an object has all that is wanted. What is wanted
// says nothing about members that it does not mention.
func shows(want json.RawMessage) func(json.RawMessage) bool {
	var w any
	if decodeNumbers(want, &w) != nil {
		return func(json.RawMessage) bool { return false }
	}
	return func(got json.RawMessage) bool {
		var g any
		return decodeNumbers(got, &g) == nil && has(g, w)
	}
}

// same reports whether an object is exactly what is wanted: it has all of it, and
// beyond it only what Graph fills in by itself.
func same(got, want json.RawMessage) bool {
	var g, w any
	return decodeNumbers(got, &g) == nil && decodeNumbers(want, &w) == nil && has(g, w) && noMore(g, w, "")
}

// filledIn is what Graph writes where an object did not say (graph-docs
// "conditionalAccessConditionSet resource type", "countryNamedLocation resource type").
var filledIn = map[string]any{"clientAppTypes": []any{"all"}, "countryLookupMethod": "clientIpAddress"}

func noMore(got, want any, name string) bool {
	switch g := got.(type) {
	case nil:
		return true
	case map[string]any:
		w, _ := want.(map[string]any)
		for name, inner := range g {
			if !noMore(inner, w[name], name) {
				return false
			}
		}
		return true
	case []any:
		if w, is := want.([]any); is {
			return len(g) == len(w) // has has compared the elements
		}
		return len(g) == 0 || filledIn[name] != nil && has(g, filledIn[name])
	}
	return want != nil || got == false || got == "" || filledIn[name] == got || name == "@odata.type"
}

// has compares as Graph means it: lists without order, null as empty, flags
// ("a,b") as sets, ids without case.
func has(got, want any) bool {
	switch want := want.(type) {
	case nil:
		return isEmpty(got)
	case map[string]any:
		g, is := got.(map[string]any)
		if !is {
			return len(want) == 0 && got == nil
		}
		for name, w := range want {
			if name == "@odata.type" && g[name] == nil {
				continue // not sent where the type is the declared one
			}
			if !has(g[name], w) {
				return false
			}
		}
		return true
	case []any:
		if len(want) == 0 {
			return isEmpty(got)
		}
		g, is := got.([]any)
		return is && sameElements(g, want)
	case string:
		g, is := got.(string)
		return is && sameText(g, want)
	}
	return got == want
}

func isEmpty(v any) bool {
	list, is := v.([]any)
	return v == nil || is && len(list) == 0
}

// sameElements pairs each wanted element with another one of got.
func sameElements(got, want []any) bool {
	if len(got) != len(want) {
		return false
	}
	left := slices.Clone(got)
	for _, w := range want {
		i := slices.IndexFunc(left, func(g any) bool { return has(g, w) })
		if i < 0 {
			return false
		}
		left = slices.Delete(left, i, i+1)
	}
	return true
}

func sameText(got, want string) bool {
	if got == want {
		return true
	}
	if guid.MatchString(got) && guid.MatchString(want) {
		return strings.EqualFold(got, want)
	}
	if strings.Contains(want, ",") {
		g, w := flags(got), flags(want)
		return slices.Equal(g, w)
	}
	return false
}

func flags(s string) []string {
	var out []string
	for f := range strings.SplitSeq(s, ",") {
		out = append(out, strings.TrimSpace(f))
	}
	slices.Sort(out)
	return out
}
