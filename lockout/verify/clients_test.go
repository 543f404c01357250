package verify_test

import (
	"testing"

	"halligan/lockout/verify"
)

// reach sets the goal of a proof to one without mandatory MFA.
func (p *proof) reach(audience, client string, lowPriv bool) *proof {
	p.q.Goal = verify.Goal{Name: "app", Client: "c", Audiences: []string{audience}, ClientAppTypes: []string{client}, LowPrivOnly: lowPriv}
	p.cert["goal"] = obj{"name": "app", "client": "c", "audiences": arr{audience}, "clientAppTypes": arr{client}, "lowPrivOnly": lowPriv}
	set(p.cert, "options.0.choice.clientAppType", client)
	g := p.gate("mandatoryMfa")
	delete(g, "credentials")
	delete(g, "combination")
	g["reason"] = "notRequired"
	return p
}

// passOnly is the proof of an account with a pass only, in a desktop client.
func passOnly() *proof {
	p := newProof().reach("00000003-0000-0000-c000-000000000000", "mobileAppsAndDesktopClients", false)
	set(p.snap, "accounts.0.methods", arr{obj{"id": "pass", "type": "temporaryAccessPass"}})
	set(p.snap, "authenticationMethodsPolicy.raw.authenticationMethodConfigurations", arr{
		parse(`{"id":"TemporaryAccessPass","state":"enabled","includeTargets":[{"targetType":"group","id":"all_users"}],"excludeTargets":[]}`)})
	set(p.cert, "options.0.kit", arr{"pass"})
	primary := p.gate("usableCredential")
	primary["credentials"], primary["combination"] = arr{"pass"}, arr{"temporaryAccessPassMultiUse"}
	p.gate("passRegistration")["reason"] = "notBrowser"
	return p
}

func TestRegistrationAfterAPass(t *testing.T) {
	reason := func(r string) func(*proof) { return func(p *proof) { p.gate("passRegistration")["reason"] = r } }
	browser := func(p *proof) { p.reach("00000003-0000-0000-c000-000000000000", "browser", false) }
	ruledOut := in("registrationRuledOut", true)
	run(t, passOnly, []change{
		{"a desktop client", edits(), true},
		{"in a browser registration may interrupt it", browser, false},
		{"ruled out, whatever the client says", edits(ruledOut, reason("outOfScope")), true},
		{"ruled out in a browser", edits(browser, ruledOut, reason("outOfScope")), true},
		{"a browser is a browser", edits(browser, ruledOut), false},
		{"nobody ruled it out", reason("outOfScope"), false},
		{"a pass is all that it begins with", reason("otherPrimary"), false},
	})
}

// baseline is the proof for baseline scopes in a tenant that is not moved.
func baseline() *proof {
	p := newProof().reach("00000003-0000-0000-c000-000000000000", "browser", true)
	p.snap["lowPrivilegeScopes"] = false
	return p.policy(enabled(conditions(everybody, `"applications":{"includeApplications":["All"],"excludeApplications":["some-app"]}`), blocks), notTarget)
}

func TestBaselineScopes(t *testing.T) {
	policy := "conditionalAccessPolicies.0.raw.conditions.applications."
	filter := func(mode string) func(*proof) {
		return edits(in(policy+"excludeApplications", nil), in(policy+"applicationFilter", obj{"mode": mode, "rule": `CustomSecurityAttribute.Eng_Tier -eq "gold"`}))
	}
	run(t, baseline, []change{
		{"they escape a policy with an exclusion", edits(), true},
		{"not where the tenant enforces it", in("lowPrivilegeScopes", true), false},
		{"not where nobody knows whether it does", in("lowPrivilegeScopes", nil), false},
		{"not without an exclusion", in(policy+"excludeApplications", arr{}), false},
		{"an exclusion of agent resources only may be none", in(policy+"excludeApplications", arr{"AllAgentIdResources"}), false},
		{"beside another one it does not matter", in(policy+"excludeApplications", arr{"AllAgentIdResources", "some-app"}), true},
		{"an exclusion by filter", filter("exclude"), true},
		{"a filter that includes is none", filter("include"), false},
		{"a filter of unknown mode may be none", filter("sideways"), false},
	})
}
