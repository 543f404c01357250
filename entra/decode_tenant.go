package entra

import (
	"maps"
	"slices"
	"strings"
)

func (r *reader) policy(doc *document, v *node, at Origin) {
	if v.has("deletedDateTime") {
		r.noteAt(doc, v, "a deleted policy; left out")
		return
	}
	if v.get("policyApplies") != nil {
		r.cut(PartPolicies, "a What-If result: it has the policies of one evaluation, not of the tenant")
	}
	p, notes := decodePolicy(doc, v, at)
	r.content.Notes = append(r.content.Notes, notes...)
	if p.DisplayName == "" {
		p.DisplayName = r.wrapper
	}
	for _, u := range p.Unmodelled {
		if u.Kind == "type" && residue(strings.Trim(u.Value, `"`)) {
			r.noteAt(doc, v, "policy "+p.Label()+": "+u.Path+" was lost when this file was written; export it again with ConvertTo-Json -Depth 20")
		}
	}
	r.content.Policies = append(r.content.Policies, p)
}

func (r *reader) location(doc *document, v *node, at Origin) {
	if v.has("deletedDateTime") {
		r.noteAt(doc, v, "a deleted named location; left out")
		return
	}
	l, notes := decodeLocation(doc, v, at)
	r.content.Notes = append(r.content.Notes, notes...)
	r.content.Locations = append(r.content.Locations, l)
}

func (r *reader) strength(doc *document, v *node, at Origin) {
	s, notes := decodeStrength(doc, v, at)
	r.content.Notes = append(r.content.Notes, notes...)
	r.content.Strengths = append(r.content.Strengths, s)
}

func (r *reader) noteAt(doc *document, v *node, what string) {
	line, column := doc.position(v.off)
	r.content.Notes = append(r.content.Notes, Trouble{File: doc.file, Line: line, Column: column, What: what})
}

func (r *reader) authContext(doc *document, v *node, _ Origin) {
	p := plainOf(doc, v)
	r.content.Contexts = append(r.content.Contexts, AuthContext{ID: p.text("id"), DisplayName: p.text("displayName"),
		Available: p.isTrue("isAvailable"), Raw: doc.canonical(v)})
}

func (r *reader) securityDefaults(doc *document, v *node, _ Origin) {
	r.setSwitch(doc, v, &r.content.SecurityDefaults, plainOf(doc, v).flag("isEnabled"), "security defaults are")
}

func (r *reader) authorization(doc *document, v *node, _ Origin) {
	r.keep(PartAuthorization, "", doc.canonical(v))
	r.setSwitch(doc, v, &r.content.SSPRAllowed, plainOf(doc, v).flag("allowedToUseSSPR"), "self-service password reset for admins is")
}

// setSwitch notes a tenant-wide switch; two sources that differ are a Trouble.
func (r *reader) setSwitch(doc *document, v *node, to **bool, is *bool, what string) {
	switch {
	case is == nil:
	case *to == nil:
		*to = is
	case **to != *is:
		r.trouble(doc, v.off, what+" on in one source and off in another")
	}
}

func (r *reader) agreement(doc *document, v *node, _ Origin) {
	p := plainOf(doc, v)
	r.content.Agreements = append(r.content.Agreements, Agreement{ID: p.id("id"), DisplayName: p.text("displayName"),
		PerDevice: p.isTrue("isPerDeviceAcceptanceRequired"), Raw: doc.canonical(v)})
}

// servicePrincipal reads an application with its custom security attributes:
// {"Set": {"Attribute": "value" or ["value", …]}}.
func (r *reader) servicePrincipal(doc *document, v *node, _ Origin) {
	p := plainOf(doc, v)
	s := ServicePrincipal{AppID: p.id("appId"), DisplayName: p.text("displayName"), Raw: doc.canonical(v)}
	r.keep(PartApplications, p.id("id"), s.Raw)
	if sets := v.get("customSecurityAttributes"); sets != nil {
		s.AttributesRead = true
		for _, set := range sets.pairs {
			for _, a := range set.val.pairs {
				if annotation(set.key) || annotation(a.key) || a.val.unset() {
					continue
				}
				if s.Attributes == nil {
					s.Attributes = map[string][]string{}
				}
				key := set.key + "_" + a.key
				for _, e := range a.val.elements() {
					s.Attributes[key] = append(s.Attributes[key], scalar(e))
				}
			}
		}
	}
	r.content.Applications = append(r.content.Applications, s)
}

// scalar returns a simple value as text.
func scalar(v *node) string {
	if v.kind == '"' {
		return v.text
	}
	return string(v.canonical(nil))
}

func (r *reader) domain(doc *document, v *node, _ Origin) {
	p := plainOf(doc, v)
	d := Domain{Name: p.text("id"), Initial: p.isTrue("isInitial"), Raw: doc.canonical(v)}
	for _, word := range []string{"Managed", "Federated"} {
		if strings.EqualFold(p.text("authenticationType"), word) {
			d.Authentication = word
		}
	}
	for _, f := range v.get("federationConfiguration").elements() {
		if b := f.str("federatedIdpMfaBehavior"); b != "" {
			d.IdpMFA = b
		}
	}
	r.content.Domains = append(r.content.Domains, d)
	r.keep(PartDomains, ID(d.Name), d.Raw)
}

// sku reads a subscription; plans of one that is suspended, deleted or locked
// out are not there.
func (r *reader) sku(doc *document, v *node, at Origin) {
	switch strings.ToLower(v.str("capabilityStatus")) {
	case "", "enabled", "warning":
		for _, p := range v.get("servicePlans").elements() {
			r.plan(doc, p, at)
		}
	}
}

func (r *reader) plan(_ *document, v *node, _ Origin) {
	switch strings.ToLower(v.str("provisioningStatus")) {
	case "disabled", "error":
		return
	}
	if name := v.str("servicePlanName"); name != "" {
		r.content.ServicePlans = append(r.content.ServicePlans, ServicePlan(name))
	}
}

// finish puts together what sources keep apart, gives the parts their states
// and returns the content.
func (r *reader) finish() Content {
	r.finishMethods()
	r.finishMethodLists()
	r.finishTree()
	c := &r.content
	if c.Parts == nil {
		c.Parts = map[Part]PartState{}
	}
	for _, part := range slices.Sorted(maps.Keys(r.some)) {
		if c.Parts[part].Status == "" {
			c.Parts[part] = PartState{StatusNotAsked, "some were given, but nothing says that they are all"}
		}
	}
	for part := range r.lists {
		if c.Parts[part].Status != StatusCutShort {
			c.Parts[part] = PartState{Status: StatusRead}
		}
	}
	for part, why := range r.short {
		c.Parts[part] = PartState{StatusCutShort, why}
	}
	return *c
}
