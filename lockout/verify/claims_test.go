package verify_test

import (
	"strings"
	"testing"

	"halligan/lockout/verify"
)

// change is one change to a proof that is right, and whether it still is.
type change struct {
	name string
	edit func(p *proof)
	ok   bool
}

func run(t *testing.T, make func() *proof, list []change) {
	t.Helper()
	if err := make().check(); err != nil {
		t.Fatalf("the proof itself: %v", err)
	}
	for _, c := range list {
		t.Run(c.name, func(t *testing.T) {
			p := make()
			c.edit(p)
			err := p.check()
			if c.ok && err != nil {
				t.Errorf("refused: %v", err)
			}
			if !c.ok && err == nil {
				t.Error("accepted")
			}
		})
	}
}

// in edits the Snapshot, says the certificate.
func in(path string, v any) func(*proof)   { return func(p *proof) { set(p.snap, path, v) } }
func says(path string, v any) func(*proof) { return func(p *proof) { set(p.cert, path, v) } }

func TestTheWhole(t *testing.T) {
	run(t, newProof, []change{
		{"another form of certificate", says("schema", "halligan-certificate/2"), false},
		{"another form of Snapshot", in("schema", "halligan-snapshot/2"), false},
		{"a Snapshot that changed since", func(p *proof) {
			p.check()
			p.stale = true
			set(p.snap, "tenantId", "x")
		}, false},
		{"a key of the certificate that nobody knows", says("trust", true), false},
		{"policies of which some were not read", in("parts.conditionalAccessPolicies.status", "cutShort"), false},
		{"policies that nobody asked for", in("parts.conditionalAccessPolicies.status", "notAsked"), false},
		{"trouble while reading", in("troubles", arr{obj{"what": "x"}}), false},
		{"another account", says("account", "somebody"), false},
		{"the account in other case", says("account", "BG"), true},
		{"a question about the account by name", func(p *proof) { p.q.Account = "BG@contoso.onmicrosoft.com" }, true},
		{"a question about somebody else", func(p *proof) { p.q.Account = "somebody" }, false},
		{"a question about nobody", func(p *proof) { p.q.Account = "" }, false},
		{"another day", says("now", "2027-01-01"), false},
		{"the same day", func(p *proof) { p.q.Now = "2027-01-01"; set(p.cert, "now", "2027-01-01") }, true},
		{"another goal", says("goal.name", "azurePortal"), false},
		{"a goal with one audience less", says("goal.audiences", arr{"c44b4083-3bb0-49c1-b47d-974e53cbdf3c"}), false},
		{"a goal without mandatory MFA", says("goal.mandatoryMfa", ""), false},
		{"a goal that the vendor data do not know", func(p *proof) { p.q.Goal.Name = "moon"; set(p.cert, "goal.name", "moon") }, false},
		{"suppositions that are not in the Snapshot", says("supposing", arr{obj{"expression": "ordinary", "meaning": "x"}}), false},
		{"suppositions that are", func(p *proof) {
			set(p.snap, "supposed", arr{obj{"expression": "ordinary", "meaning": "x"}})
			set(p.cert, "supposing", arr{obj{"expression": "ordinary", "meaning": "x"}})
		}, true},
		{"an account that the Snapshot has twice", func(p *proof) {
			p.snap["accounts"] = append(p.snap["accounts"].(arr), obj{"id": "BG"})
		}, false},
		{"two credentials of one name", in("accounts.0.methods.1.id", "key"), false},
		{"a group that the Snapshot has twice", in("groups.0.id", "inner"), false},
	})
}

func TestDimensions(t *testing.T) {
	withPlaces := func() *proof {
		return newProof().policy(enabled(conditions(users(`"includeUsers":["None"]`), anything, `"locations":{"includeLocations":["l1","de"]}`), blocks), notIncluded)
	}
	run(t, withPlaces, []change{
		{"a platform is forgotten", says("dimensions.0.values", arr{"windows", "macOS", "linux", "android", "iOS", "windowsPhone"}), false},
		{"platforms in another order", says("dimensions.0.values", arr{"unknown", "macOS", "linux", "android", "iOS", "windowsPhone", "windows"}), true},
		{"a platform that does not exist", says("dimensions.0.values", arr{"windows", "macOS", "linux", "android", "iOS", "windowsPhone", "unknown", "amiga"}), false},
		{"a platform twice", says("dimensions.0.values", arr{"windows", "windows", "macOS", "linux", "android", "iOS", "windowsPhone", "unknown"}), false},
		{"outside of every location is forgotten", says("dimensions.1.values", arr{"l1"}), false},
		{"inside is forgotten", says("dimensions.1.values", arr{""}), false},
		{"an address range that nobody made", says("dimensions.1.values", arr{"", "l1", "l2"}), false},
		{"unknown countries are forgotten", says("dimensions.2.values", arr{"DE", "XX"}), false},
		{"high risk is forgotten", says("dimensions.6.values", arr{"none", "low", "medium"}), false},
		{"a dimension is missing", says("dimensions", arr{}), false},
		{"a dimension stands twice", func(p *proof) {
			p.cert["dimensions"] = append(p.cert["dimensions"].(arr), p.dimension("platform"))
		}, false},
		{"a dimension that does not exist", says("dimensions.0.dimension", "weather"), false},
		{"a dimension that the operator chooses", func(p *proof) {
			p.cert["dimensions"] = append(p.cert["dimensions"].(arr), obj{"dimension": "flow", "values": arr{"none"}})
		}, false},
		{"an IPv6 range too", in("namedLocations.0.raw.ipRanges", arr{obj{"cidrAddress": "10.0.0.0/8"}, obj{"cidrAddress": "2001:db8::/32"}}), true},
		{"ranges over everything: nothing is outside", func(p *proof) {
			set(p.snap, "namedLocations.0.raw.ipRanges", arr{obj{"cidrAddress": "0.0.0.0/0"}, obj{"lowerAddress": "::", "upperAddress": "7fff::"}, obj{"cidrAddress": "8000::/1"},
				obj{"lowerAddress": "7fff::1", "upperAddress": "7fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"}})
			p.dimension("ipLocations")["values"] = arr{"l1"}
		}, true},
		{"ranges over all of IPv4 only", func(p *proof) {
			set(p.snap, "namedLocations.0.raw.ipRanges", arr{obj{"cidrAddress": "0.0.0.0/0"}})
			p.dimension("ipLocations")["values"] = arr{"l1"}
		}, false},
		{"a location in the Snapshot that no policy names", in("namedLocations.1.id", "fr"), false},
		{"a device that nobody declared", func(p *proof) {
			p.dimension("device")["values"] = arr{"unregistered", `{"registered":true}`}
			p.dimension("device")["devices"] = arr{obj{"registered": false}, obj{"registered": true}}
		}, false},
		{"a device by another name", says("dimensions.5.values", arr{"any"}), false},
		{"a narrower envelope than was asked", func(p *proof) {
			p.dimension("platform")["values"] = arr{"windows"}
		}, false},
		{"the envelope that was asked", func(p *proof) {
			p.q.Envelope = map[string]verify.Quantifier{"platform": {Values: []string{"Windows"}}, "ipLocations": {Values: []string{"L1"}}, "country": {Values: []string{"fr"}}}
			p.dimension("platform")["values"] = arr{"windows"}
			p.dimension("ipLocations")["values"] = arr{"l1"}
			p.dimension("country")["values"] = arr{"FR"}
		}, true},
		{"an envelope over a dimension that does not exist", func(p *proof) {
			p.q.Envelope = map[string]verify.Quantifier{"weather": {All: true}}
		}, false},
		{"an envelope without values", func(p *proof) { p.q.Envelope = map[string]verify.Quantifier{"platform": {}} }, false},
		{"an envelope with a value that does not exist", func(p *proof) {
			p.q.Envelope = map[string]verify.Quantifier{"platform": {Values: []string{"amiga"}}}
		}, false},
	})
}

// split is a proof with two leaves: on Windows a compliant device is asked for,
// elsewhere nothing.
func split() *proof {
	p := newProof()
	p.q.Envelope = map[string]verify.Quantifier{"flow": {Exists: true, All: true}}
	p.policy(enabled(conditions(everybody, anything, `"platforms":{"includePlatforms":["windows"]}`, `"authenticationFlows":{"transferMethods":"authenticationTransfer"}`), blocks), "")
	p.policy(enabled(conditions(everybody, anything, `"platforms":{"includePlatforms":["all"],"excludePlatforms":["windows"]}`, `"authenticationFlows":{"transferMethods":"deviceCodeFlow"}`), blocks), "")
	p.cert["options"] = arr{obj{"choice": obj{"clientAppType": "browser", "flow": "deviceCodeFlow"}, "kit": arr{"key"}},
		obj{"choice": obj{"clientAppType": "browser", "flow": "authenticationTransfer"}, "kit": arr{"key"}}}
	p.cert["leaves"] = arr{obj{"region": obj{"platform": arr{"windows"}}, "option": 0},
		obj{"region": obj{"platform": arr{"macOS", "linux", "android", "iOS", "windowsPhone", "unknown"}}, "option": 1}}
	line := func(policy string, leaf int, condition string) obj {
		return obj{"policy": policy, "stage": "signIn", "leaf": leaf, "reason": "disjoint", "condition": condition}
	}
	p.cert["lines"] = arr{line("p1", 0, "authenticationFlows"), line("p1", 1, "platforms"), line("p2", 0, "platforms"), line("p2", 1, "authenticationFlows")}
	return p
}

func TestLeavesAndOptions(t *testing.T) {
	run(t, split, []change{
		{"a leaf is missing", says("leaves", arr{obj{"region": obj{"platform": arr{"windows"}}, "option": 0}}), false},
		{"no leaf at all", says("leaves", arr{}), false},
		{"a platform is in no leaf", says("leaves.1.region.platform", arr{"macOS", "linux", "android", "iOS", "windowsPhone"}), false},
		{"a platform is in both leaves and not both options work", says("leaves.1.region.platform", arr{"windows", "macOS", "linux", "android", "iOS", "windowsPhone", "unknown"}), false},
		{"the options are exchanged", func(p *proof) { set(p.cert, "leaves.0.option", 1); set(p.cert, "leaves.1.option", 0) }, false},
		{"an option that does not exist", says("leaves.0.option", 2), false},
		{"an option before the first", says("leaves.0.option", -1), false},
		{"an option that no leaf uses", func(p *proof) {
			p.cert["options"] = append(p.cert["options"].(arr), obj{"choice": obj{"clientAppType": "browser", "flow": "none"}, "kit": arr{"key"}})
		}, false},
		{"a region over a dimension that is chosen", says("leaves.0.region.flow", arr{"none"}), false},
		{"a region with a class that does not exist", says("leaves.0.region.platform", arr{"amiga"}), false},
		{"an empty region", says("leaves.0.region.platform", arr{}), false},
		{"lines of the two leaves are exchanged", func(p *proof) { set(p.cert, "lines.0.leaf", 1); set(p.cert, "lines.1.leaf", 0) }, false},
		{"one line for both leaves", func(p *proof) { set(p.cert, "lines.0.leaf", -1) }, true},
		{"a line that is not true, beside one that is", func(p *proof) {
			p.cert["lines"] = append(p.cert["lines"].(arr), obj{"policy": "p1", "stage": "signIn", "leaf": 0, "reason": "disjoint", "condition": "platforms"})
		}, false},
		{"a choice is missing", func(p *proof) { set(p.cert, "options.0.choice", obj{"flow": "deviceCodeFlow"}) }, false},
		{"a choice that was not offered", says("options.0.choice.clientAppType", "other"), false},
		{"a choice that is not the operator's", says("options.0.choice.platform", "windows"), false},
		{"a role to activate, without a repair", says("options.0.choice.activateRole", globalAdmin), false},
		{"a credential that is not there", says("options.0.kit", arr{"key", "other"}), false},
		{"a credential twice", says("options.0.kit", arr{"key", "key"}), false},
		{"no credential", says("options.0.kit", arr{}), false},
		{"a password only", says("options.0.kit", arr{"pw"}), false},
	})
}

func TestKits(t *testing.T) {
	method := "authenticationMethodsPolicy.raw.authenticationMethodConfigurations.0."
	add := func(m string, config string) func(p *proof) {
		return func(p *proof) {
			acc := p.snap["accounts"].(arr)[0].(obj)
			x := parse(m).(obj)
			acc["methods"] = append(acc["methods"].(arr), x)
			kit := p.cert["options"].(arr)[0].(obj)
			kit["kit"] = append(kit["kit"].(arr), x["id"])
			if config != "" {
				raw := p.snap["authenticationMethodsPolicy"].(obj)["raw"].(obj)
				raw["authenticationMethodConfigurations"] = append(raw["authenticationMethodConfigurations"].(arr), parse(config))
			}
		}
	}
	on := func(id string) string {
		return `{"id":"` + id + `","state":"enabled","includeTargets":[{"targetType":"group","id":"all_users"}]}`
	}
	both := func(fs ...func(*proof)) func(*proof) {
		return func(p *proof) {
			for _, f := range fs {
				f(p)
			}
		}
	}
	run(t, newProof, []change{
		{"keys are disabled", in(method+"state", "disabled"), false},
		{"keys are for another group", in(method+"includeTargets", arr{obj{"targetType": "group", "id": "others"}}), false},
		{"keys are for a nested group of the account", in(method+"includeTargets", arr{obj{"targetType": "group", "id": "outer"}}), true},
		{"keys are for a group that was not read", in(method+"includeTargets", arr{obj{"targetType": "group", "id": "unread"}}), false},
		{"keys are not for a group that was not read", in(method+"excludeTargets", arr{obj{"targetType": "group", "id": "unread"}}), false},
		{"keys are not for a group without the account", in(method+"excludeTargets", arr{obj{"targetType": "group", "id": "others"}}), true},
		{"the methods policy was not read", in("authenticationMethodsPolicy", nil), false},
		{"the model is allowed", in(method+"keyRestrictions", obj{"isEnforced": true, "enforcementType": "allow", "aaGuids": arr{strings.ToUpper(modelA)}}), true},
		{"another model is allowed", in(method+"keyRestrictions", obj{"isEnforced": true, "enforcementType": "allow", "aaGuids": arr{modelB}}), false},
		{"the model is blocked", in(method+"keyRestrictions", obj{"isEnforced": true, "enforcementType": "block", "aaGuids": arr{modelA}}), false},
		{"another model is blocked", in(method+"keyRestrictions", obj{"isEnforced": true, "enforcementType": "block", "aaGuids": arr{modelB}}), true},
		{"nobody knows what the restriction does", in(method+"keyRestrictions", obj{"isEnforced": true, "enforcementType": "perhaps", "aaGuids": arr{modelA}}), false},
		{"the restriction is not enforced", in(method+"keyRestrictions", obj{"isEnforced": false, "enforcementType": "allow", "aaGuids": arr{}}), true},
		{"something unknown in the method", in(method+"hardwareRestrictions", obj{"isEnforced": true}), false},
		{"a passkey profile admits the key", both(in(method+"passkeyProfiles", arr{obj{"id": "pp", "passkeyTypes": "deviceBound"}}),
			in(method+"includeTargets", arr{obj{"targetType": "group", "id": "all_users", "allowedPasskeyProfiles": arr{"pp"}}})), true},
		{"a passkey profile is for synced keys", both(in(method+"passkeyProfiles", arr{obj{"id": "pp", "passkeyTypes": "synced"}}),
			in(method+"includeTargets", arr{obj{"targetType": "group", "id": "all_users", "allowedPasskeyProfiles": arr{"pp"}}})), false},
		{"a passkey profile that nobody has", both(in(method+"passkeyProfiles", arr{obj{"id": "pp", "passkeyTypes": "deviceBound"}})), false},
		{"the default passkey profile", both(in(method+"passkeyProfiles", arr{obj{"id": "pp", "passkeyTypes": "deviceBound"}}), in(method+"defaultPasskeyProfile", "PP")), true},

		{"two keys in one session", add(`{"id":"key2","type":"fido2","aaGuid":"`+modelA+`"}`, ""), false},
		{"a certificate beside the key", add(`{"id":"cert","type":"x509","protection":"multiFactor"}`, on("X509Certificate")), true},
		{"two certificates in one session", both(add(`{"id":"c1","type":"x509"}`, on("X509Certificate")), add(`{"id":"c2","type":"x509"}`, "")), false},
		{"a method that nobody knows", add(`{"id":"x","type":"telepathy"}`, ""), false},
		{"SMS before its end", both(add(`{"id":"sms","type":"sms"}`, on("Sms")), func(p *proof) { p.q.Now = "2027-01-31"; set(p.cert, "now", "2027-01-31") }), true},
		{"SMS after its end", both(add(`{"id":"sms","type":"sms"}`, on("Sms")), func(p *proof) { p.q.Now = "2027-02-01"; set(p.cert, "now", "2027-02-01") }), false},
		{"a code by the legacy settings", both(add(`{"id":"otp","type":"softwareOath"}`, ""), in("legacyMethods", arr{"softwareOath"}),
			in("authenticationMethodsPolicy.raw.policyMigrationState", "migrationInProgress")), true},
		{"a code by legacy settings that no longer count", both(add(`{"id":"otp","type":"softwareOath"}`, ""), in("legacyMethods", arr{"softwareOath"})), false},
	})
}

func TestGates(t *testing.T) {
	mfa := func(gate string, ids, modes arr) func(p *proof) {
		return func(p *proof) {
			g := p.gate(gate)
			g["reason"], g["credentials"], g["combination"] = "mfa", ids, modes
		}
	}
	both := func(fs ...func(*proof)) func(*proof) {
		return func(p *proof) {
			for _, f := range fs {
				f(p)
			}
		}
	}
	gate := func(name, reason string) func(*proof) {
		return func(p *proof) { p.gate(name)["reason"] = reason }
	}
	locked := func(p *proof) {
		p.q.Envelope = map[string]verify.Quantifier{"smartLockout": {All: true}}
		p.dimension("smartLockout")["values"] = arr{"false", "true"}
	}
	run(t, newProof, []change{
		{"the account is disabled", in("users.0.enabled", false), false},
		{"whether it is enabled was not read", in("users.0.enabled", nil), false},
		{"the account is deleted", in("users.0.deleted", true), false},
		{"the password locked, a key in the kit", locked, true},
		{"the password locked, only it begins", both(locked, says("options.0.kit", arr{"pw"})), false},
		{"a sign-in begins with the password", says("gates.1", obj{"gate": "usableCredential", "leaf": -1, "reason": "primary", "credentials": arr{"pw"}, "combination": arr{"password"}}), true},
		{"a federated domain", in("domains.0.authentication", "Federated"), false},
		{"a domain that nobody read, at onmicrosoft.com", in("domains", arr{}), true},
		{"a domain that nobody read, elsewhere", both(in("domains", arr{}), in("users.0.userPrincipalName", "bg@contoso.com"), in("parts.domains.status", "denied")), false},
		{"mandatory MFA by the password", mfa("mandatoryMfa", arr{"pw"}, arr{"password"}), false},
		{"mandatory MFA by another name", mfa("mandatoryMfa", arr{"key"}, arr{"x509CertificateMultiFactor"}), false},
		{"no mandatory MFA in another cloud", both(in("cloud", "usgov"), func(p *proof) {
			g := p.gate("mandatoryMfa")
			delete(g, "credentials")
			delete(g, "combination")
			g["reason"] = "notRequired"
		}), true},
		{"security defaults are on: a key alone is not enough", both(in("securityDefaults", true), mfa("securityDefaults", arr{"key"}, arr{"fido2"})), false},
		{"security defaults are on, a code is registered", both(in("securityDefaults", true), mfa("securityDefaults", arr{"key"}, arr{"fido2"}), func(p *proof) {
			acc := p.snap["accounts"].(arr)[0].(obj)
			acc["methods"] = append(acc["methods"].(arr), obj{"id": "otp", "type": "softwareOath"})
			raw := p.snap["authenticationMethodsPolicy"].(obj)["raw"].(obj)
			raw["authenticationMethodConfigurations"] = append(raw["authenticationMethodConfigurations"].(arr),
				parse(`{"id":"SoftwareOath","state":"enabled","includeTargets":[{"targetType":"group","id":"all_users"}]}`))
		}), true},
		{"security defaults are on and called off", in("securityDefaults", true), false},
		{"security defaults were not read", in("securityDefaults", nil), false},
		{"security defaults were not read, a policy is enabled", func(p *proof) {
			set(p.snap, "securityDefaults", nil)
			p.policy(enabled(conditions(users(`"includeUsers":["None"]`), anything), blocks), notIncluded)
		}, true},
		{"per-user MFA is enforced and called off", in("accounts.0.perUserMfa", "enforced"), false},
		{"per-user MFA is enforced and met", both(in("accounts.0.perUserMfa", "enforced"), mfa("perUserMfa", arr{"key"}, arr{"fido2"})), true},
		{"per-user MFA was not read", in("accounts.0.perUserMfa", nil), false},
		{"a campaign that is called none", in("campaignForced", obj{"include": arr{obj{"id": "all_users"}}}), false},
		{"a campaign that forces Authenticator", both(in("campaignForced", obj{"include": arr{obj{"id": "all_users"}}}), gate("registrationCampaign", "notForced")), false},
		{"a campaign for others", both(in("campaignForced", obj{"include": arr{obj{"id": "others"}}}), gate("registrationCampaign", "notForced")), true},
		{"a campaign that may be for the account", both(in("campaignForced", obj{"include": arr{obj{"id": "unread"}}}), gate("registrationCampaign", "notForced")), false},
		{"a campaign without the account", both(in("campaignForced", obj{"include": arr{obj{"id": "all_users"}}, "exclude": arr{obj{"targetType": "user", "id": "bg"}}}), gate("registrationCampaign", "notForced")), true},
		{"a campaign for passkeys, a key is there", both(in("campaignForced", obj{"include": arr{obj{"id": "all_users", "method": "fido2"}}}), gate("registrationCampaign", "notForced")), true},
		{"a campaign where a policy blocks the registration", func(p *proof) {
			set(p.snap, "campaignForced", obj{"include": arr{obj{"id": "all_users"}}})
			p.gate("registrationCampaign")["reason"] = "notForced"
			p.policy(enabled(conditions(everybody, `"applications":{"includeUserActions":["urn:user:registersecurityinfo"]}`), blocks), notTarget)
		}, true},
		{"a campaign of the methods policy", both(in("authenticationMethodsPolicy.raw.registrationEnforcement", parse(`{"authenticationMethodsRegistrationCampaign":{"state":"default","includeTargets":[{"id":"all_users","targetType":"group","targetedAuthenticationMethod":"microsoftAuthenticator"}]}}`)),
			gate("registrationCampaign", "notForced")), false},
		{"a campaign of the methods policy that is off", in("authenticationMethodsPolicy.raw.registrationEnforcement", parse(`{"authenticationMethodsRegistrationCampaign":{"state":"disabled","includeTargets":[{"id":"all_users"}]}}`)), true},
		{"an outage with a new session", func(p *proof) {
			p.q.Envelope = map[string]verify.Quantifier{"authService": {All: true}}
			p.dimension("authService")["values"] = arr{"normal", "outageExistingSession", "outageNewSession"}
		}, false},
		{"evidence that no gate asks for", says("gates.0.credentials", arr{"key"}), false},
		{"a detail that no gate asks for", says("gates.0.detail", "x"), false},
		{"a gate that does not exist", says("gates.0.gate", "moat"), false},
		{"a gate of a leaf that does not exist", says("gates.0.leaf", 3), false},
	})
}
