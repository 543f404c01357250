package plan

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
)

// Unknown is something in a Terraform plan that nobody can say before apply, or
// that bears on a proof and is not read.
type Unknown struct {
	// Address of the resource, for example
	// module.ca.azuread_conditional_access_policy.block["legacy"].
	Address string `json:"address"`
	// Path of the argument, for example conditions.users.excluded_groups[1];
	// "" the resource as a whole.
	Path string `json:"path,omitempty"`
	// Why is a sentence without a full stop.
	Why string `json:"why"`
}

// terraformPlan is what terraform show -json writes, as far as it is read
// (developer.hashicorp.com/terraform/internals/json-format). Members that are
// not named here are to be ignored, that page says.
type terraformPlan struct {
	FormatVersion   string           `json:"format_version"`
	Errored         bool             `json:"errored"`
	Complete        *bool            `json:"complete"`
	ResourceChanges []resourceChange `json:"resource_changes"`
	DeferredChanges []struct {
		Reason         string         `json:"reason"`
		ResourceChange resourceChange `json:"resource_change"`
	} `json:"deferred_changes"`
	Configuration struct {
		RootModule configModule `json:"root_module"`
	} `json:"configuration"`
}

type resourceChange struct {
	Address string `json:"address"`
	Type    string `json:"type"`
	Change  struct {
		Actions      []string `json:"actions"`
		Before       any      `json:"before"`
		After        any      `json:"after"`
		AfterUnknown any      `json:"after_unknown"`
	} `json:"change"`
}

// step is one thing that an action does to an object.
type step struct {
	verb Verb
	// after: the object as it will be is read, not the one that is.
	after bool
}

// actions is the table of the actions of a plan. An object that Terraform
// forgets, or only reads, stays as it is.
var actions = map[string][]step{
	"no-op":         {},
	"read":          {},
	"forget":        {},
	"create":        {{VerbCreate, true}},
	"update":        {{VerbUpdate, true}},
	"delete":        {{VerbDelete, false}},
	"delete,create": {{VerbDelete, false}, {VerbCreate, true}},
	"create,delete": {{VerbDelete, false}, {VerbCreate, true}}, // the order does not matter once both are done
	"create,forget": {{VerbCreate, true}},
	"forget,create": {{VerbCreate, true}},
}

// FromTerraform reads the plan that terraform show -json PLANFILE writes, or
// tofu. It reads conditional access policies, named locations and authentication
// strengths of the provider hashicorp/azuread (versions 2 and 3) and names every
// other resource that bears on who gets in. A replaced object is removed and
// created. The error is a *FormatError.
//
// An object that the plan creates has the id "terraform:" and its address, by
// which other objects of the plan refer to it where its configuration says so.
func FromTerraform(data []byte) ([]Change, []Unknown, error) {
	p, err := parsePlan(data)
	if err != nil {
		return nil, nil, err
	}
	r := &terraformReader{plan: p}
	r.created = r.creations()
	for i := range p.ResourceChanges {
		if err := r.resource(&p.ResourceChanges[i]); err != nil {
			return nil, nil, err
		}
	}
	for i := range p.DeferredChanges {
		d := &p.DeferredChanges[i]
		if bears(d.ResourceChange.Type) {
			r.unknown(d.ResourceChange.Address, "", "the change is put off to a later plan ("+d.Reason+")")
		}
	}
	if p.Complete != nil && !*p.Complete {
		r.unknown("", "", "the plan says that it is not complete: another plan will follow")
	}
	return r.changes, r.unknowns, nil
}

func parsePlan(data []byte) (*terraformPlan, error) {
	if f := Recognise(data); f != FormatTerraformPlan {
		e, ok := mistakes[f]
		if !ok || f == FormatUnknown {
			e = FormatError{What: "not a Terraform plan", hint: "write one: " + showPlan}
		}
		if _, err := entra.Canonical(data); err != nil && f == FormatUnknown {
			e.What += ": " + err.Error()
		}
		return nil, &e
	}
	text, err := entra.Canonical(data)
	if err != nil {
		return nil, &FormatError{What: "not a Terraform plan: " + err.Error()}
	}
	var p terraformPlan
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	if err := d.Decode(&p); err != nil {
		return nil, &FormatError{What: "a Terraform plan that cannot be read: " + err.Error()}
	}
	if major, _, _ := strings.Cut(p.FormatVersion, "."); major != "0" && major != "1" {
		return nil, &FormatError{What: fmt.Sprintf("a Terraform plan in format version %q; versions 0 and 1 are known", p.FormatVersion),
			hint: "use a newer halligan"}
	}
	if p.Errored {
		return nil, &FormatError{What: "a Terraform plan that ended in an error: it does not hold all changes", hint: "correct the configuration and plan again"}
	}
	return &p, nil
}

type terraformReader struct {
	plan     *terraformPlan
	created  map[string]bool // addresses
	changes  []Change
	unknowns []Unknown
}

func (r *terraformReader) unknown(address, path, why string) {
	r.unknowns = append(r.unknowns, Unknown{address, path, why})
}

func (r *terraformReader) resource(rc *resourceChange) error {
	action := strings.Join(rc.Change.Actions, ",")
	steps, known := actions[action]
	if known && len(steps) == 0 {
		return nil
	}
	res := resourceFor(rc.Type)
	if res == nil {
		if why, ok := bearing(rc); ok {
			r.unknown(rc.Address, "", why)
		}
		return nil
	}
	if !known {
		return &FormatError{What: fmt.Sprintf("%s: the action %q is not known", rc.Address, action)}
	}
	for _, s := range steps {
		c, err := r.change(rc, res, s)
		if err != nil {
			return err
		}
		r.changes = append(r.changes, c)
	}
	return nil
}

func (r *terraformReader) change(rc *resourceChange, res *resource, s step) (Change, error) {
	before, after := asObject(rc.Change.Before), asObject(rc.Change.After)
	c := Change{Verb: s.verb, Kind: res.kind, Origin: entra.Origin{Path: rc.Address}}
	if s.verb == VerbCreate {
		c.Subject = createdID(rc.Address)
	} else {
		c.Subject = objectID(before)
		if c.Subject == "" {
			return c, &FormatError{What: rc.Address + ": the plan does not say the id of the object that it changes"}
		}
	}
	c.Name = before.text("display_name")
	if !s.after {
		return c, nil
	}
	if after == nil {
		return c, &FormatError{What: rc.Address + ": the plan does not say what the object will be"}
	}
	m := &mapper{reader: r, address: rc.Address}
	o := m.block(res.arguments, after, rc.Change.AfterUnknown, r.config(rc.Address).Expressions, "")
	if res.finish != nil {
		res.finish(o)
	}
	if s.verb == VerbCreate {
		o["id"] = c.Subject
	}
	if name, ok := o["displayName"].(string); ok {
		c.Name = name
	}
	raw, err := o.bytes()
	if err != nil {
		return c, err
	}
	c.Object = raw
	return c, nil
}

// createdID is the id of an object that has none before apply.
func createdID(address string) string { return "terraform:" + address }

// objectID takes the id of an object out of its resource.
func objectID(o object) string {
	for _, key := range []string{"object_id", "id"} {
		if id := lastGUID(o.text(key)); id != "" {
			return id
		}
	}
	return ""
}

// lastGUID takes the id out of a path such as
// /identity/conditionalAccess/policies/ID.
func lastGUID(id string) string {
	if last := id[strings.LastIndexByte(id, '/')+1:]; entra.ID(last).IsGUID() {
		return last
	}
	return id
}

// bearings say of resources that are not read why they matter. The first prefix
// of the type that fits counts.
var bearings = []struct{ prefix, why string }{
	{"azuread_group", "it changes a group; memberships are taken from the tenant as it is"},
	{"azuread_directory_role", "it changes who holds a role; roles are taken from the tenant as it is"},
	{"azuread_custom_directory_role", "it changes a role; roles are taken from the tenant as it is"},
	{"azuread_privileged_access_group", "it changes who is in a group; memberships are taken from the tenant as it is"},
	{"azuread_group_role_management_policy", "it changes the rules for activating a membership"},
	{"azuread_user", "it changes an account; accounts are taken from the tenant as it is"},
	{"azuread_custom_security_attribute", "it changes attributes that application filters may ask for"},
	{"azuread_authentication_", "it is a resource of a newer provider about authentication"},
	{"azuread_conditional_access_", "it is a resource of a newer provider about Conditional Access"},
}

// bearing says of a resource that is not read why it matters, if it does.
func bearing(rc *resourceChange) (string, bool) {
	for _, b := range bearings {
		if strings.HasPrefix(rc.Type, b.prefix) {
			return b.why, true
		}
	}
	// Providers that send JSON to Graph as it is.
	for _, v := range []any{rc.Change.Before, rc.Change.After} {
		url := strings.ToLower(asObject(v).text("url"))
		if slices.ContainsFunc([]string{"conditionalaccess", "authenticationstrength", "authenticationmethods", "identitysecuritydefaults"},
			func(s string) bool { return strings.Contains(url, s) }) {
			return "it sends JSON to Graph, which is not read; give that JSON as a draft", true
		}
	}
	return "", false
}

// bears reports whether a type of resource matters at all.
func bears(resourceType string) bool {
	_, ok := bearing(&resourceChange{Type: resourceType})
	return ok || resourceFor(resourceType) != nil
}
