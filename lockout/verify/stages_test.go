package verify_test

import (
	"testing"

	"halligan/lockout/verify"
)

const (
	caAdmin = "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"
	update  = "microsoft.directory/conditionalAccessPolicies/basic/update"
)

func edits(fs ...func(*proof)) func(*proof) {
	return func(p *proof) {
		for _, f := range fs {
			f(p)
		}
	}
}

// recovery is the proof that an active Global Administrator can repair the
// policies; context c1 protects them, and asks for MFA.
func recovery() *proof {
	p := newProof()
	p.q.Goal.Name = "recover:entraAdminCenter"
	set(p.cert, "goal.name", "recover:entraAdminCenter")
	set(p.cert, "goal.recover", true)
	set(p.snap, "protectedActions", arr{obj{"action": update, "context": "c1"}})
	p.policy(enabled(conditions(everybody, `"applications":{"includeAuthenticationContextClassReferences":["C1"]}`), grant("OR", `"builtInControls":["mfa"]`)), notTarget)
	p.cert["lines"] = append(p.cert["lines"].(arr), parse(`{"policy":"p1","stage":"stepUp","leaf":-1,"reason":"satisfied","items":[`+mfaByKey+`]}`))
	p.gate("recoveryRole")["reason"], p.gate("recoveryRole")["detail"] = "active", globalAdmin
	p.gate("protectedAction")["reason"], p.gate("protectedAction")["detail"] = "contextHasPolicy", "c1"
	return p
}

// activation is the same for an eligible Conditional Access Administrator.
func activation() *proof {
	p := recovery()
	set(p.snap, "roleAssignments.0.role", "f2ef992c-3afb-46b9-b7cf-a126ee74c451")
	set(p.snap, "roleManagementPolicies", arr{obj{"role": caAdmin, "authContext": "c2", "mfaRequired": true}})
	set(p.cert, "options.0.choice.activateRole", caAdmin)
	p.policy(enabled(conditions(everybody, `"applications":{"includeAuthenticationContextClassReferences":["c2"]}`), grant("OR", `"builtInControls":["mfa"]`)), notTarget)
	for _, l := range []string{
		`{"policy":"p1","stage":"signInWithRole","leaf":-1,"reason":"targetNotInGoal"}`,
		`{"policy":"p2","stage":"signInWithRole","leaf":-1,"reason":"targetNotInGoal"}`,
		`{"policy":"p1","stage":"activation","leaf":-1,"reason":"targetNotInGoal"}`,
		`{"policy":"p2","stage":"activation","leaf":-1,"reason":"satisfied","items":[` + mfaByKey + `]}`,
		`{"policy":"p2","stage":"stepUp","leaf":-1,"reason":"targetNotInGoal"}`,
	} {
		p.cert["lines"] = append(p.cert["lines"].(arr), parse(l))
	}
	p.gate("recoveryRole")["reason"], p.gate("recoveryRole")["detail"] = "eligible", caAdmin
	g := p.gate("pimActivation")
	g["reason"], g["credentials"], g["combination"] = "mfa", arr{"key"}, arr{"fido2"}
	return p
}

func dropLine(i int) func(*proof) {
	return func(p *proof) {
		lines := p.cert["lines"].(arr)
		p.cert["lines"] = append(append(arr{}, lines[:i]...), lines[i+1:]...)
	}
}

func TestRecovery(t *testing.T) {
	run(t, recovery, []change{
		{"the step-up has no line", dropLine(1), false},
		{"the context has no enabled policy", in("conditionalAccessPolicies.0.raw.state", "disabled"), false},
		{"the context has another name", says("gates.12.detail", "c2"), false},
		{"policies are called unprotected", says("gates.12", obj{"gate": "protectedAction", "leaf": -1, "reason": "notProtected"}), false},
		{"policies are not protected", edits(in("protectedActions", arr{}), says("gates.12", obj{"gate": "protectedAction", "leaf": -1, "reason": "notProtected"}), dropLine(1)), true},
		{"whether policies are protected was not read", edits(in("protectedActions", arr{}), in("parts.protectedActions.status", "denied"),
			says("gates.12", obj{"gate": "protectedAction", "leaf": -1, "reason": "notProtected"}), dropLine(1)), false},
		{"the role is held in an administrative unit", in("roleAssignments.0.scope", "/administrativeUnits/x"), false},
		{"the role is only eligible", in("roleAssignments.0.assignment", "eligible"), false},
		{"the role is another's", in("roleAssignments.0.principal", "someone"), false},
		{"the role is a nested group's", in("roleAssignments.0.principal", "outer"), true},
		{"another role", says("gates.10.detail", caAdmin), false},
		{"a role that cannot change policies", edits(in("roleAssignments.0.role", "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"), says("gates.10.detail", "88d8e3e3-8f55-4a1e-953a-9b9898b8876b")), false},
	})
	run(t, activation, []change{
		{"activation has no line", dropLine(5), false},
		{"the sign-in with the role has no line", dropLine(3), false},
		{"another person must approve", in("roleManagementPolicies.0.approvalRequired", true), false},
		{"what PIM asks for was not read", edits(in("roleManagementPolicies", arr{}), in("parts.roleManagementPolicies.status", "notAsked")), false},
		{"the account is not eligible", in("roleAssignments.1.principal", "someone"), false},
		{"another eligible role is activated", says("options.0.choice.activateRole", "194ae4cb-b126-40b2-bd5b-6091b380977d"), false},
		{"activation is called unneeded", says("gates.11", obj{"gate": "pimActivation", "leaf": -1, "reason": "notNeeded"}), false},
		{"activation asks for no MFA of its own", edits(in("roleManagementPolicies.0.mfaRequired", nil), says("gates.11", obj{"gate": "pimActivation", "leaf": -1, "reason": "contextPolicies"})), true},
		{"it does, and is said not to", says("gates.11", obj{"gate": "pimActivation", "leaf": -1, "reason": "contextPolicies"}), false},
		{"with the role a policy for the role applies", func(p *proof) {
			p.policy(enabled(conditions(users(`"includeRoles":["`+caAdmin+`"]`), anything), blocks), notIncluded)
			for _, st := range []string{"signInWithRole", "activation", "stepUp"} {
				reason := "userNotIncluded"
				if st != "signInWithRole" {
					reason = "targetNotInGoal"
				}
				p.cert["lines"] = append(p.cert["lines"].(arr), obj{"policy": "p3", "stage": st, "leaf": -1, "reason": reason})
			}
		}, false},
		{"with the role an exclusion of the role holds", func(p *proof) {
			p.policy(enabled(conditions(users(`"includeGroups":["inner"],"excludeRoles":["`+caAdmin+`"]`), anything), grant("OR", `"builtInControls":["mfa"]`)), satisfied(mfaByKey))
			for _, st := range []string{"activation", "stepUp"} {
				p.cert["lines"] = append(p.cert["lines"].(arr), obj{"policy": "p3", "stage": st, "leaf": -1, "reason": "targetNotInGoal"})
			}
			p.cert["lines"] = append(p.cert["lines"].(arr), parse(`{"policy":"p3","stage":"signInWithRole","leaf":-1,"reason":"excluded","route":{"kind":"role","id":"`+caAdmin+`"}}`))
		}, true},
	})
}

// outage is the proof that an existing session survives an outage.
func outage() *proof {
	p := newProof()
	p.q.Envelope = map[string]verify.Quantifier{"authService": {Values: []string{"normal", "outageExistingSession"}}}
	p.dimension("authService")["values"] = arr{"normal", "outageExistingSession"}
	return p.policy(enabled(conditions(users(`"includeUsers":["All"],"excludeUsers":["bg"]`), anything, `"signInRiskLevels":["high"]`), blocks,
		`"sessionControls":{"disableResilienceDefaults":true}`), excluded("user", "bg"))
}

func TestOutage(t *testing.T) {
	policy := "conditionalAccessPolicies.0.raw."
	run(t, outage, []change{
		{"excluded through a group instead", edits(in(policy+"conditions.users", obj{"includeUsers": arr{"All"}, "excludeGroups": arr{"inner"}}),
			says("lines.0.route", obj{"kind": "group", "id": "inner"})), false},
		{"excluded through a group, resilience defaults on", edits(in(policy+"conditions.users", obj{"includeUsers": arr{"All"}, "excludeGroups": arr{"inner"}}),
			says("lines.0.route", obj{"kind": "group", "id": "inner"}), in(policy+"sessionControls", nil)), true},
		{"excluded directly, but the policy names a group too", in(policy+"conditions.users.excludeGroups", arr{"others"}), false},
		{"what it asks for was met at the start", edits(in(policy+"conditions.users", obj{"includeUsers": arr{"All"}, "excludeGroups": arr{"inner"}}),
			says("lines.0.route", obj{"kind": "group", "id": "inner"}), in(policy+"grantControls.builtInControls", arr{"mfa"})), true},
		{"no condition needs more than can be judged", edits(in(policy+"conditions.signInRiskLevels", nil)), true},
		{"for a group that the account is not in", edits(in(policy+"conditions.users", obj{"includeGroups": arr{"others"}}), func(p *proof) {
			p.cert["lines"] = arr{parse(`{"policy":"p1","stage":"signIn","leaf":-1,"reason":"userNotIncluded"}`)}
		}), false},
	})
}

// legacy is the proof for an ActiveSync client too.
func legacy() *proof {
	p := newProof()
	p.q.Goal = verify.Goal{Name: "mail", Client: "c", Audiences: []string{"00000002-0000-0ff1-ce00-000000000000"}, ClientAppTypes: []string{"exchangeActiveSync", "browser"}}
	p.cert["goal"] = obj{"name": "mail", "client": "c", "audiences": arr{"00000002-0000-0ff1-ce00-000000000000"}, "clientAppTypes": arr{"exchangeActiveSync", "browser"}}
	set(p.cert, "options.0.choice.clientAppType", "exchangeActiveSync")
	g := p.gate("mandatoryMfa")
	delete(g, "credentials")
	delete(g, "combination")
	g["reason"] = "notRequired"
	return p.policy(enabled(conditions(users(`"includeGroups":["inner"],"excludeUsers":["bg"]`), anything, `"clientAppTypes":["exchangeActiveSync"]`), blocks), excluded("user", "bg"))
}

func TestActiveSync(t *testing.T) {
	policy := "conditionalAccessPolicies.0.raw.conditions."
	run(t, legacy, []change{
		{"a policy on all users makes everybody subject", in(policy+"users.includeUsers", arr{"All"}), false},
		{"a policy on roles too", in(policy+"users.includeRoles", arr{caAdmin}), false},
		{"a browser is no ActiveSync client", edits(in(policy+"users.includeUsers", arr{"All"}), says("options.0.choice.clientAppType", "browser")), true},
		{"a policy on every kind of client is none for ActiveSync", edits(in(policy+"users.includeUsers", arr{"All"}), in(policy+"clientAppTypes", arr{"all"})), true},
		{"a policy on roles the account does not hold, for ActiveSync", edits(in(policy+"users", obj{"includeRoles": arr{"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"}}), func(p *proof) {
			p.cert["lines"] = arr{parse(`{"policy":"p1","stage":"signIn","leaf":-1,"reason":"userNotIncluded"}`)}
		}), false},
		{"the same for a browser", edits(in(policy+"users", obj{"includeRoles": arr{"88d8e3e3-8f55-4a1e-953a-9b9898b8876b"}}), says("options.0.choice.clientAppType", "browser"), func(p *proof) {
			p.cert["lines"] = arr{parse(`{"policy":"p1","stage":"signIn","leaf":-1,"reason":"userNotIncluded"}`)}
		}), true},
		{"MFA is nothing an ActiveSync client can do", edits(in("conditionalAccessPolicies.0.raw.grantControls.builtInControls", arr{"mfa"}), func(p *proof) {
			set(p.snap, policy+"users", obj{"includeUsers": arr{"bg"}})
			p.cert["lines"] = arr{parse(`{"policy":"p1","stage":"signIn","leaf":-1,"reason":"satisfied","items":[` + mfaByKey + `]}`)}
		}), false},
	})
}

// gps is the proof beside a policy that asks for the location by GPS.
func gps() *proof {
	p := newProof()
	set(p.snap, "namedLocations.1.raw.countryLookupMethod", "authenticatorAppGps")
	p.policy(enabled(conditions(users(`"includeUsers":["All"],"excludeUsers":["bg"]`), anything, `"locations":{"includeLocations":["de"]}`), blocks), excluded("user", "bg"))
	p.dimension("country")["values"] = arr{"XX", "unknown"}
	p.dimension("gpsCountry")["values"] = arr{"DE", "XX", "unknown"}
	return p
}

func TestLocationByGPS(t *testing.T) {
	policy := "conditionalAccessPolicies.0.raw."
	line := func(l string) func(*proof) {
		return func(p *proof) {
			p.cert["lines"] = arr{parse(`{"policy":"p1","stage":"signIn","leaf":-1,` + l + `}`)}
		}
	}
	reportOnly := edits(in(policy+"state", "enabledForReportingButNotEnforced"), in(policy+"conditions.users.excludeUsers", arr{}),
		line(`"reason":"notEnabled","state":"enabledForReportingButNotEnforced"`))
	run(t, gps, []change{
		{"a report-only policy still asks, and nobody can answer", reportOnly, false},
		{"a disabled one does not", edits(reportOnly, in(policy+"state", "disabled"), says("lines.0.state", "disabled")), true},
		{"a report-only policy for other clients", edits(reportOnly, in(policy+"conditions.clientAppTypes", arr{"other"})), true},
		{"the account has Authenticator", edits(reportOnly, func(p *proof) {
			acc := p.snap["accounts"].(arr)[0].(obj)
			acc["methods"] = append(acc["methods"].(arr), obj{"id": "push", "type": "microsoftAuthenticatorPush"})
			set(p.cert, "options.0.kit", arr{"key", "push", "pw"})
			raw := p.snap["authenticationMethodsPolicy"].(obj)["raw"].(obj)
			raw["authenticationMethodConfigurations"] = append(raw["authenticationMethodConfigurations"].(arr),
				parse(`{"id":"MicrosoftAuthenticator","state":"enabled","includeTargets":[{"targetType":"group","id":"all_users"}]}`))
		}), true},
	})
}

// strict is the proof beside a policy with strict location enforcement: the
// address that the resource sees counts too.
func strict() *proof {
	p := newProof()
	p.q.Envelope = map[string]verify.Quantifier{"ipLocations": {Values: []string{""}}}
	p.policy(enabled(conditions(users(`"includeUsers":["All"],"excludeUsers":["bg"]`), anything, `"locations":{"includeLocations":["l1"]}`), blocks), excluded("user", "bg"))
	p.policy(enabled(conditions(everybody, anything), `"sessionControls":{"continuousAccessEvaluation":{"mode":"strictLocation"}}`), satisfied())
	p.dimension("ipLocations")["values"] = arr{""}
	p.dimension("resourceSeenIp")["values"] = arr{"", "l1"}
	return p
}

func TestStrictLocation(t *testing.T) {
	policy := "conditionalAccessPolicies.0.raw."
	disjoint := edits(in(policy+"conditions.users.excludeUsers", arr{}), func(p *proof) {
		set(p.cert, "lines.0", parse(`{"policy":"p1","stage":"signIn","leaf":-1,"reason":"disjoint","condition":"locations"}`))
	})
	run(t, strict, []change{
		{"the resource may see an address inside", disjoint, false},
		{"it may, and the policy is satisfied there", edits(disjoint, in(policy+"grantControls.builtInControls", arr{"mfa"})), true},
		{"the strict policy is off", edits(disjoint, in("conditionalAccessPolicies.1.raw.state", "disabled"), func(p *proof) {
			set(p.cert, "lines.1", parse(`{"policy":"p2","stage":"signIn","leaf":-1,"reason":"notEnabled","state":"disabled"}`))
		}), true},
		{"the strict policy excludes the account", edits(disjoint, in("conditionalAccessPolicies.1.raw.conditions.users.excludeUsers", arr{"bg"}), func(p *proof) {
			set(p.cert, "lines.1", parse(`{"policy":"p2","stage":"signIn","leaf":-1,"reason":"excluded","route":{"kind":"user","id":"bg"}}`))
		}), true},
		{"the envelope pins the address that the resource sees to the inside", edits(disjoint, func(p *proof) {
			p.q.Envelope["resourceSeenIp"] = verify.Quantifier{Values: []string{"l1"}}
			p.dimension("resourceSeenIp")["values"] = arr{"l1"}
		}), false},
		{"it pins it to the outside", edits(disjoint, func(p *proof) {
			p.q.Envelope["resourceSeenIp"] = verify.Quantifier{Values: []string{""}}
			p.dimension("resourceSeenIp")["values"] = arr{""}
		}), true},
	})
}

// remediation is the proof that a password change is superseded.
func remediation() *proof {
	p := newProof()
	set(p.cert, "options.0.kit", arr{"key"})
	p.policy(enabled(conditions(everybody, anything, `"userRiskLevels":["high"]`), grant("AND", `"builtInControls":["passwordChange","mfa"]`)),
		satisfied(mfaByKey, `{"control":"passwordChange","by":"p2"}`))
	return p.policy(enabled(conditions(users(`"includeUsers":["bg"]`), anything, `"userRiskLevels":["medium","high"]`), grant("OR", `"builtInControls":["riskRemediation","mfa"]`)), satisfied(mfaByKey))
}

func TestSupersession(t *testing.T) {
	other := "conditionalAccessPolicies.1.raw."
	run(t, remediation, []change{
		{"by a policy that does not remediate", in(other+"grantControls.builtInControls", arr{"mfa"}), false},
		{"by a policy at another risk", in(other+"conditions.userRiskLevels", arr{"medium"}), false},
		{"by a policy on some platforms only", in(other+"conditions.platforms", obj{"includePlatforms": arr{"windows"}}), false},
		{"by a policy that may exclude the account", in(other+"conditions.users.excludeGroups", arr{"unread"}), false},
		{"by a policy that is report-only", edits(in(other+"state", "enabledForReportingButNotEnforced"), func(p *proof) {
			set(p.cert, "lines.1", parse(`{"policy":"p2","stage":"signIn","leaf":-1,"reason":"notEnabled","state":"enabledForReportingButNotEnforced"}`))
		}), false},
		{"by a policy of another name", says("lines.0.items.1.by", "p3"), false},
		{"by itself", says("lines.0.items.1.by", "p1"), false},
		{"MFA is not superseded", says("lines.0.items.0", obj{"control": "mfa", "by": "p2"}), false},
		{"the item is left out", says("lines.0.items", arr{parse(mfaByKey)}), false},
	})
}

// workstations is the proof over every device that a filter can tell apart.
func workstations() *proof {
	p := newProof()
	p.q.Envelope = map[string]verify.Quantifier{"device": {All: true}}
	p.policy(enabled(conditions(users(`"includeUsers":["All"],"excludeUsers":["bg"]`), anything, `"devices":{"deviceFilter":{"mode":"include","rule":"device.model -startsWith \"SAW\" -and device.model -contains \"X\""}}`), blocks), excluded("user", "bg"))
	var values, devices arr
	add := func(d string) {
		var dev verify.Device
		if err := unmarshal(d, &dev); err != nil {
			panic(err)
		}
		name := "unregistered"
		if dev.Registered {
			name = string(text(dev))
		}
		values, devices = append(values, name), append(devices, dev)
	}
	add(`{"registered":false}`)
	for _, compliant := range []string{"", `"isCompliant":["True"],`} {
		for _, trust := range []string{"", `"trustType":["ServerAD"],`} {
			for _, model := range []string{"SAW", "SAW X"} {
				add(`{"registered":true,"attributes":{` + compliant + trust + `"model":["` + model + `"]}}`)
			}
		}
	}
	p.dimension("device")["values"], p.dimension("device")["devices"] = values, devices
	return p
}

func TestEveryDevice(t *testing.T) {
	without := func(i int) func(*proof) {
		return func(p *proof) {
			d := p.dimension("device")
			v, x := d["values"].(arr), d["devices"].(arr)
			d["values"], d["devices"] = append(append(arr{}, v[:i]...), v[i+1:]...), append(append(arr{}, x[:i]...), x[i+1:]...)
		}
	}
	var list []change
	for i := range 9 {
		list = append(list, change{"without device " + string(rune('0'+i)), without(i), false})
	}
	policy := "conditionalAccessPolicies.0.raw.conditions.devices.deviceFilter."
	list = append(list,
		change{"the filter tells no devices apart that the list does not", in(policy+"rule", `device.model -eq "saw x"`), true},
		change{"the filter tells more apart", in(policy+"rule", `device.model -eq "SAW X" -or device.extensionAttribute3 -ne "y"`), false},
		change{"nobody can parse the filter", in(policy+"rule", `device.model -eq`), true},
	)
	run(t, workstations, list)
}
