package entra

import (
	"strconv"
	"strings"
	"time"
)

// readTime reads a time as Graph writes it, or as Windows PowerShell does:
// /Date(1777406310050)/. It returns nil for anything else.
func readTime(s string) *time.Time {
	if inner, ok := strings.CutPrefix(s, "/Date("); ok {
		inner, _, _ = strings.Cut(inner, ")")
		if i := strings.LastIndexAny(inner, "+-"); i > 0 {
			inner = inner[:i] // the offset says how to show it, not when it is
		}
		if ms, err := strconv.ParseInt(inner, 10, 64); err == nil {
			t := time.UnixMilli(ms).UTC()
			return &t
		}
		return nil
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return nil
	}
	t = t.UTC()
	return &t
}

func (r *reader) assignment(doc *document, v *node, _ Origin) {
	a := decodeAssignment(doc, v, AssignmentActive)
	r.content.RoleAssignments = append(r.content.RoleAssignments, a)
	r.keep(PartRoleAssignments, a.Principal, a.Raw)
}

func (r *reader) eligibility(doc *document, v *node, _ Origin) {
	a := decodeAssignment(doc, v, AssignmentEligible)
	r.content.RoleAssignments = append(r.content.RoleAssignments, a)
	r.keep(PartRoleEligibility, a.Principal, a.Raw)
}

func decodeAssignment(doc *document, v *node, how Assignment) RoleAssignment {
	p := plainOf(doc, v)
	a := RoleAssignment{Principal: p.id("principalId"), Role: p.id("roleDefinitionId"), Assignment: how,
		Scope: p.text("directoryScopeId"), Raw: doc.canonical(v)}
	if a.Principal == "" {
		a.Principal = ID(v.get("principal").str("id"))
	}
	if template := v.get("roleDefinition").str("templateId"); template != "" {
		a.Role = ID(template)
	} else if a.Role == "" {
		a.Role = ID(v.get("roleDefinition").str("id"))
	}
	if a.Scope == "" {
		a.Scope = p.text("appScopeId")
	}
	a.Activated = strings.EqualFold(p.text("assignmentType"), "Activated")
	end := v.member("endDateTime")
	if end == nil {
		end = v.get("scheduleInfo").get("expiration").get("endDateTime")
	}
	if end != nil && end.kind == '"' {
		a.End = readTime(end.text)
	}
	return a
}

// directoryRole reads a role with its members, which hold it actively and for
// the whole tenant.
func (r *reader) directoryRole(doc *document, v *node, at Origin) {
	role := ID(v.str("roleTemplateId"))
	members := v.get("members")
	if role == "" || members == nil {
		return
	}
	(&walk{doc: doc}).list(members, func(m *node) {
		if id := m.str("id"); id != "" {
			r.content.RoleAssignments = append(r.content.RoleAssignments, RoleAssignment{Principal: ID(id), Role: role, Scope: "/", Assignment: AssignmentActive})
			if looksLikeUser(m) {
				r.user(doc, m, at)
			}
		}
	})
}

// privilegedRole reads a role as ScubaGear reports it: its active assignments
// and the rules of PIM. The report has the most privileged roles only.
func (r *reader) privilegedRole(doc *document, v *node, at Origin) {
	role := ID(v.str("roleTemplateId"))
	w := &walk{doc: doc}
	w.list(v.get("assignments"), func(a *node) {
		if looksLikeAssignment(a) {
			ra := decodeAssignment(doc, a, AssignmentActive)
			if ra.Role == "" {
				ra.Role = role
			}
			r.content.RoleAssignments = append(r.content.RoleAssignments, ra)
		}
	})
	if rules := v.get("rules"); rules != nil && role != "" && !rules.unset() {
		r.content.RolePolicies = append(r.content.RolePolicies, decodeRules(doc, role, rules))
		r.some[PartRolePolicies] = true
	}
}

// rolePolicy reads policies/roleManagementPolicyAssignments with the policy and
// its rules expanded.
func (r *reader) rolePolicy(doc *document, v *node, _ Origin) {
	if t := v.str("scopeType"); t != "" && !strings.EqualFold(t, "DirectoryRole") && !strings.EqualFold(t, "Directory") {
		return // PIM for groups
	}
	rules := v.get("policy").get("rules")
	if rules == nil || rules.unset() {
		r.trouble(doc, v.off, "the PIM policy of a role comes without its rules: ask with $expand=policy($expand=rules)")
		return
	}
	p := decodeRules(doc, ID(v.str("roleDefinitionId")), rules)
	p.Raw = doc.canonical(v)
	r.content.RolePolicies = append(r.content.RolePolicies, p)
	r.keep(PartRolePolicies, p.Role, p.Raw)
}

// decodeRules reads the rules for an end user who activates an eligible role
// (graph: unifiedRoleManagementPolicyRule; the ids are fixed).
func decodeRules(doc *document, role ID, rules *node) RolePolicy {
	p := RolePolicy{Role: role}
	w := &walk{doc: doc}
	w.list(rules, func(rule *node) {
		o := plainOf(doc, rule)
		switch strings.ToLower(o.text("id")) {
		case "approval_enduser_assignment":
			setting := rule.member("setting")
			required := setting.get("isApprovalRequired")
			p.ApprovalRequired = required != nil && w.isTrue(required)
			for _, stage := range setting.get("approvalStages").elements() {
				for _, who := range stage.get("primaryApprovers").elements() {
					for _, key := range []string{"userId", "groupId", "id"} {
						if id := who.str(key); id != "" {
							p.Approvers = append(p.Approvers, ID(id))
							break
						}
					}
				}
			}
		case "enablement_enduser_assignment":
			if enabled := rule.member("enabledRules"); enabled != nil {
				w.strings(enabled, func(s string) {
					p.MFARequired = p.MFARequired || strings.EqualFold(s, "MultiFactorAuthentication")
				})
			}
		case "authenticationcontext_enduser_assignment":
			if o.isTrue("isEnabled") {
				p.AuthContext = o.text("claimValue")
			}
		}
	})
	return p
}

// elements returns the elements of a list, or the value that PowerShell left of
// a list of one.
func (n *node) elements() []*node {
	switch {
	case n == nil || n.unset():
		return nil
	case n.kind != '[':
		return []*node{n}
	}
	out := make([]*node, len(n.items))
	for i := range n.items {
		out[i] = &n.items[i]
	}
	return out
}

func (r *reader) resourceAction(doc *document, v *node, _ Origin) {
	p := plainOf(doc, v)
	r.content.ProtectedActions = append(r.content.ProtectedActions, ProtectedAction{
		Action: p.text("name"), Context: p.text("authenticationContextId"), Raw: doc.canonical(v)})
}
