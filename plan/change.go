package plan

import (
	"encoding/json"
	"fmt"

	"halligan/entra"
)

// Kind is a kind of object that a change can make or unmake as a whole.
type Kind string

// The kinds of objects.
const (
	KindNone     Kind = ""
	KindPolicy   Kind = "policy"
	KindLocation Kind = "namedLocation"
	KindStrength Kind = "authenticationStrength"
)

// Verb says what a change does.
type Verb string

// The verbs. The first five are for objects of every Kind, with the object in
// Graph's form; the others are what "as if" asks.
const (
	VerbNone Verb = ""
	// VerbCreate adds an object. It fails when the id is taken.
	VerbCreate Verb = "create"
	// VerbUpdate changes what the object mentions, as PATCH does.
	VerbUpdate Verb = "update"
	// VerbPut updates the object if the tenant has it, else creates it.
	VerbPut Verb = "put"
	// VerbReplace makes the object exactly this.
	VerbReplace Verb = "replace"
	VerbDelete  Verb = "delete"

	VerbEnable              Verb = "enable"  // one policy
	VerbDisable             Verb = "disable" // one policy
	VerbEnableReportOnly    Verb = "enableReportOnly"
	VerbRemoveExclusion     Verb = "removeExclusion"
	VerbWithdrawKeyModel    Verb = "withdrawKeyModel"
	VerbDeleteGroup         Verb = "deleteGroup"
	VerbDisableMethod       Verb = "disableMethod"
	VerbSetSecurityDefaults Verb = "setSecurityDefaults"
	// VerbTakePart makes one part of the tenant what a second export says.
	VerbTakePart Verb = "takePart"
)

// Change is one change to a tenant. The functions of this package that return
// Changes fill them rightly; a Change made by hand is checked by On.
type Change struct {
	Verb Verb `json:"verb"`
	Kind Kind `json:"kind,omitempty"`
	// Subject is what is changed: the id of the object, or, where a person
	// wrote it, its id or display name.
	Subject string `json:"subject,omitempty"`
	// Value is the second thing a verb needs: the excluded id, "on" or "off".
	Value string `json:"value,omitempty"`
	// Name is the display name of the object, for messages.
	Name string `json:"name,omitempty"`
	// Object is the object in Graph's form.
	Object json.RawMessage `json:"object,omitempty"`
	// Origin says where the change was read; for Terraform, Path is the address
	// of the resource.
	Origin entra.Origin `json:"origin,omitzero"`

	next  *entra.Snapshot // VerbTakePart
	whole string          // VerbRemoveExclusion: subject and value as a person wrote them
}

// verb is what the table knows of a Verb.
type verb struct {
	name Verb
	// says tells the change in the imperative, as a clause without a full stop.
	says func(*Change) string
	do   func(*edit, *Change) error
}

// verbs is the table of what a change can do.
var verbs = []verb{
	{VerbCreate, sayObject("create"), (*edit).create},
	{VerbUpdate, sayObject("change"), (*edit).update},
	{VerbPut, sayObject("set"), (*edit).put},
	{VerbReplace, sayObject("change"), (*edit).replace},
	{VerbDelete, sayObject("remove"), (*edit).remove},
	{VerbEnable, sayObject("enable"), state(entra.StateEnabled)},
	{VerbDisable, sayObject("disable"), state(entra.StateDisabled)},
	{VerbEnableReportOnly, func(*Change) string { return "enable every report-only policy" }, (*edit).enableReportOnly},
	{VerbRemoveExclusion, func(c *Change) string {
		return fmt.Sprintf("remove the exclusion of %s from policy %q", c.Value, c.Subject)
	}, (*edit).removeExclusion},
	{VerbWithdrawKeyModel, func(c *Change) string { return "withdraw the key model " + c.Subject }, (*edit).withdrawKeyModel},
	{VerbDeleteGroup, func(c *Change) string { return fmt.Sprintf("delete the group %q", c.label()) }, (*edit).deleteGroup},
	{VerbDisableMethod, func(c *Change) string { return "disable the method " + c.Subject }, (*edit).disableMethod},
	{VerbSetSecurityDefaults, func(c *Change) string { return "turn security defaults " + c.Value }, (*edit).setSecurityDefaults},
	{VerbTakePart, func(c *Change) string { return "take the " + c.label() + " as the second export has them" }, (*edit).takePart},
}

func (c *Change) verb() *verb {
	for i := range verbs {
		if verbs[i].name == c.Verb {
			return &verbs[i]
		}
	}
	return nil
}

// sayObject says a verb of an object.
func sayObject(verb string) func(*Change) string {
	return func(c *Change) string {
		noun := "object"
		if s := shelfFor(c.Kind); s != nil {
			noun = s.noun
		}
		return fmt.Sprintf("%s %s %q", verb, noun, c.label())
	}
}

// label returns what a person calls the object of the change.
func (c *Change) label() string {
	if c.Name != "" {
		return c.Name
	}
	return c.Subject
}

// String tells the change as a clause, for example
// create policy "CA012: Require compliant device".
func (c Change) String() string {
	if v := c.verb(); v != nil {
		return v.says(&c)
	}
	return fmt.Sprintf("unknown change %q", string(c.Verb))
}

// On returns the Snapshot as it would be after the change. The Snapshot that it
// is given stays as it is. The error is a *ReferenceError when the change names
// something that the Snapshot does not hold.
func (c Change) On(s *entra.Snapshot) (*entra.Snapshot, error) { return Apply(s, c) }

// Apply carries out changes one after the other, as On does one. It stops at the
// first that fails.
func Apply(s *entra.Snapshot, changes ...Change) (*entra.Snapshot, error) {
	if len(changes) == 0 {
		return s, nil
	}
	e := &edit{c: s.Content()}
	for i := range changes {
		v := changes[i].verb()
		if v == nil {
			return nil, fmt.Errorf("%s", changes[i])
		}
		if err := v.do(e, &changes[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", changes[i], err) // callers rely on *ReferenceError
		}
	}
	return entra.NewSnapshot(e.c), nil
}
