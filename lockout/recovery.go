package lockout

import (
	"strings"

	"halligan/entra"
)

// roleChoices lists the eligible roles that the operator may activate, or the
// empty role when one is active already or none can be.
func (p *Prover) roleChoices(a *account) []entra.ID {
	if p.recoveryActive(a).v == yes {
		return []entra.ID{""}
	}
	var out []entra.ID
	for _, r := range recoveryRoles() {
		if a.eligible.has(r) {
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return []entra.ID{""}
	}
	return out
}

// recoveryActive says whether a role that can change policies is active at
// tenant scope (ca-semantics 4.6).
func (p *Prover) recoveryActive(a *account) ans {
	r := sure(false)
	for _, role := range recoveryRoles() {
		if r = r.or(p.holdsRole(a, role, "")); r.v == yes {
			return r
		}
	}
	return r
}

func (p *Prover) rolePolicy(role entra.ID) *entra.RolePolicy {
	for i := range p.view.RolePolicies {
		if p.view.RolePolicies[i].Role.Equal(role) {
			return &p.view.RolePolicies[i]
		}
	}
	return nil
}

func gateRecoveryRole(w *denialWriter, _ *moment) gateResult {
	if !w.q.Goal.Recover || w.o.role != "" {
		return gateResult{}
	}
	open := w.p.recoveryActive(w.a)
	if open.v == no && !w.a.eligibleRead {
		open = w.p.unknowns.open(Unknown{ID: "role-eligibility", What: "the account's eligible roles were not read", Settle: "export GET /roleManagement/directory/roleEligibilityScheduleInstances"})
	}
	return w.fromAns(open, "noRecoveryRole")
}

func passRecoveryRole(w *denialWriter, _ *moment) (string, []string, entra.Combination, string) {
	if !w.q.Goal.Recover {
		return "notAsked", nil, nil, ""
	}
	if w.o.role != "" {
		return "eligible", nil, nil, string(w.o.role)
	}
	for _, r := range recoveryRoles() {
		if w.a.active.has(r) {
			return "active", nil, nil, string(r)
		}
	}
	return "active", nil, nil, ""
}

// gateActivation: what PIM asks for before an eligible role is active. Policies
// for its authentication context are a stage of their own.
func gateActivation(w *denialWriter, m *moment) gateResult {
	if w.o.role == "" {
		return gateResult{}
	}
	rp := w.p.rolePolicy(w.o.role)
	if rp == nil && !w.p.read(entra.PartRolePolicies) {
		open := w.p.unknowns.open(Unknown{ID: "role-policy", Subject: string(w.o.role), What: "what PIM asks for at activation was not read", Settle: "export the role management policies"})
		return w.fromAns(open, "pimApproval")
	}
	if rp != nil && rp.ApprovalRequired && !w.p.fault(faultApprovalIgnored) {
		return denyIf(true, "pimApproval") // another person must approve
	}
	if w.activationNeedsMFA(rp) {
		return w.mfaResult(m, "pimMfa")
	}
	return gateResult{}
}

// activationNeedsMFA: activation asks for MFA when its rule says so; with a
// context that no policy targets plain MFA is required, and that fallback does
// not fire when the policy is off.
func (w *denialWriter) activationNeedsMFA(rp *entra.RolePolicy) bool {
	if rp == nil {
		return true
	}
	if rp.AuthContext == "" {
		return rp.MFARequired
	}
	for _, pol := range w.p.policies {
		if pol.contexts[strings.ToLower(rp.AuthContext)] {
			return rp.MFARequired
		}
	}
	return true
}

func passActivation(w *denialWriter, m *moment) (string, []string, entra.Combination, string) {
	if w.o.role == "" {
		return "notNeeded", nil, nil, ""
	}
	if w.activationNeedsMFA(w.p.rolePolicy(w.o.role)) {
		return w.passMFA(m)
	}
	return "contextPolicies", nil, nil, ""
}

// protectedBy returns the authentication context that protects an action.
func (p *Prover) protectedBy(action string) string {
	for i := range p.view.ProtectedActions {
		if strings.EqualFold(p.view.ProtectedActions[i].Action, action) {
			return p.view.ProtectedActions[i].Context
		}
	}
	return ""
}

// gateProtectedAction: a context without any enabled policy is never satisfied
// (entra-docs protected-actions-add).
func gateProtectedAction(w *denialWriter, _ *moment) gateResult {
	if !w.q.Goal.Recover || w.p.fault(faultProtectedActionIgnored) {
		return gateResult{}
	}
	ctx := w.p.protectedBy(actionUpdate)
	if ctx == "" {
		if w.p.read(entra.PartProtectedActions) {
			return gateResult{}
		}
		open := w.p.unknowns.open(Unknown{ID: "protected-actions", What: "whether changing policies is a protected action was not read",
			Settle: "read roleManagement/directory/resourceNamespaces/microsoft.directory/resourceActions?$select=authenticationContextId or --suppose ordinary"})
		return w.fromAns(open, "protectedAction")
	}
	if w.p.fault(faultProtectedWithoutPolicyOpen) {
		return gateResult{}
	}
	enabled := sure(false)
	for _, pol := range w.p.policies {
		switch {
		case pol.contexts[strings.ToLower(ctx)]:
			enabled = enabled.or(pol.enabled)
		case pol.widenTarget: // may be meant for the context
			enabled = enabled.or(pol.enabled.and(pol.unmodelledAns(w.p)))
		}
	}
	if w.p.incomplete() {
		// The policy that satisfies the context may be among those not read.
		enabled = enabled.or(w.p.unknowns.open(w.p.incompleteUnknown()))
	}
	return w.fromAns(enabled, "protectedActionNoEnabledPolicy")
}

func passProtectedAction(w *denialWriter, _ *moment) (string, []string, entra.Combination, string) {
	if !w.q.Goal.Recover {
		return "notAsked", nil, nil, ""
	}
	if ctx := w.p.protectedBy(actionUpdate); ctx != "" {
		return "contextHasPolicy", nil, nil, ctx
	}
	return "notProtected", nil, nil, ""
}
