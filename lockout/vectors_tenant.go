package lockout

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"halligan/entra"
)

// vectorMethods are the methods of the authentication methods policy that are
// enabled for everybody when a vector leaves them out.
var vectorMethods = []string{"Fido2", "MicrosoftAuthenticator", "TemporaryAccessPass", "HardwareOath", "SoftwareOath", "X509Certificate",
	"Sms", "Voice", "Email", "QRCodePin"}

// vectorPlans are the licences of the conventions: P2 and insider risk.
var vectorPlans = []entra.ServicePlan{"AAD_PREMIUM", "AAD_PREMIUM_P2", "INSIDER_RISK", "INSIDER_RISK_MANAGEMENT"}

var credentialTypes = []string{string(entra.MethodPassword), string(entra.MethodFIDO2), string(entra.MethodTAP), string(entra.MethodHardwareOath),
	string(entra.MethodSoftwareOath), string(entra.MethodX509), string(entra.MethodSMS), string(entra.MethodVoice), string(entra.MethodAuthenticatorPush),
	string(entra.MethodPhoneSignIn), string(entra.MethodWindowsHello), string(entra.MethodEmail), string(entra.MethodQRCodePin)}

func (r *vectorReader) tenant(at string, v any, t *vectorTenant) {
	yes := true
	t.cloud, t.lowPriv, t.plans = "public", &yes, vectorPlans
	t.groups, t.protected, t.approval = map[string][]string{}, map[string]string{}, map[string]bool{}
	if m, ok := v.(map[string]any); ok {
		if given, there := m["lowPrivilegeScopesEnforced"]; there && given == nil {
			t.lowPriv = nil // the tenant's choice is not known
		}
	}
	var plans []string
	r.object(at, v, keys{
		"cloud":                          r.into(&t.cloud),
		"mandatoryMfa":                   func(at string, v any) { r.mandatoryMFA(at, v, t) },
		"securityDefaults":               r.intoFlag(&t.securityDefaults),
		"lowPrivilegeScopesEnforced":     func(at string, v any) { t.lowPriv = r.lowPriv(at, v) },
		"policies":                       r.intoGraph(&t.policies),
		"namedLocations":                 r.intoGraph(&t.locations),
		"authenticationStrengthPolicies": r.intoGraph(&t.strengths),
		"authenticationMethodsPolicy":    func(at string, v any) { t.methods = r.graph(at, v) },
		"groups":                         func(at string, v any) { r.each(at, v, r.group(t)) },
		"protectedActions": func(at string, v any) {
			r.each(at, v, func(at, name string, v any) { t.protected[name] = r.text(at, v) })
		},
		"servicePrincipals": func(at string, v any) {
			r.list(at, v, func(at string, v any) { t.applications = append(t.applications, r.application(at, v)) })
		},
		"agreements": func(at string, v any) {
			r.list(at, v, func(at string, v any) { t.agreements = append(t.agreements, r.agreement(at, v)) })
		},
		"roleManagementPolicies": func(at string, v any) {
			r.each(at, v, func(at, role string, v any) {
				approval := false
				r.object(at, v, keys{"approvalRequired": r.intoFlag(&approval)})
				t.approval[role] = approval
			})
		},
		"legacyMfaMethods": func(at string, v any) {
			r.list(at, v, func(at string, v any) {
				t.legacy = append(t.legacy, entra.MethodType(r.word(at, v, credentialTypes...)))
			})
		},
		"registrationCampaignForced": func(at string, v any) { t.campaign = r.campaign(at, v) },
		"licences": func(at string, v any) {
			plans = r.texts(at, v)
			t.plans = ids[entra.ServicePlan](plans)
		},
	})
}

func (r *vectorReader) mandatoryMFA(at string, v any, t *vectorTenant) {
	phase := func(name string) func(string, any) {
		return func(at string, v any) {
			if !r.flag(at, v) {
				t.mandatoryOff = append(t.mandatoryOff, name)
			}
		}
	}
	r.object(at, v, keys{"phase1": phase("phase1"), "phase2": phase("phase2")})
}

func (r *vectorReader) lowPriv(at string, v any) *bool {
	if s, ok := v.(string); ok {
		r.word(at, s, "unknown", "customized")
		return nil
	}
	b := r.flag(at, v)
	return &b
}

func (r *vectorReader) group(t *vectorTenant) func(at, id string, v any) {
	return func(at, id string, v any) {
		members := []string{}
		if _, list := v.([]any); list {
			members = r.texts(at, v)
		} else {
			r.object(at, v, keys{"members": r.intoTexts(&members)})
		}
		t.groups[id] = members
		t.groupIDs = append(t.groupIDs, id)
	}
}

func (r *vectorReader) application(at string, v any) entra.ServicePrincipal {
	sp := entra.ServicePrincipal{AttributesRead: true}
	var id string
	r.object(at, v, keys{
		"appId":       r.into(&id),
		"displayName": r.into(&sp.DisplayName),
		"customSecurityAttributes": func(at string, v any) {
			sp.Attributes = map[string][]string{}
			r.each(at, v, func(at, set string, v any) {
				if _, nested := v.(map[string]any); !nested {
					sp.Attributes[set] = r.textOrTexts(at, v) // already set_attribute
					return
				}
				r.each(at, v, func(at, name string, v any) {
					if !strings.Contains(name, "@odata.") && name != "@odata.type" {
						sp.Attributes[set+"_"+name] = r.textOrTexts(at, v)
					}
				})
			})
		},
	})
	r.require(at, v, "appId")
	sp.AppID = entra.ID(id)
	return sp
}

func (r *vectorReader) textOrTexts(at string, v any) []string {
	if _, list := v.([]any); list {
		return r.texts(at, v)
	}
	return []string{r.text(at, v)}
}

func (r *vectorReader) agreement(at string, v any) entra.Agreement {
	var a entra.Agreement
	var id string
	r.object(at, v, keys{
		"id":                            r.into(&id),
		"displayName":                   r.into(&a.DisplayName),
		"isPerDeviceAcceptanceRequired": r.intoFlag(&a.PerDevice),
	})
	r.require(at, v, "id")
	a.ID = entra.ID(id)
	return a
}

// campaign reads a registration campaign whose skips are used up. The method
// stands with each target, as Graph has it, or once for all of them.
func (r *vectorReader) campaign(at string, v any) *entra.RegistrationCampaign {
	yes, method := true, ""
	c := &entra.RegistrationCampaign{State: "enabled", Enforce: &yes}
	targets := func(out *[]entra.MethodTarget) func(string, any) {
		return func(at string, v any) {
			r.list(at, v, func(at string, v any) {
				t := entra.MethodTarget{TargetType: "group"}
				var id string
				r.object(at, v, keys{
					"id":                           r.into(&id),
					"targetType":                   r.intoWord(&t.TargetType, "group", "user"),
					"targetedAuthenticationMethod": r.into(&t.Method),
				})
				r.require(at, v, "id")
				t.ID = entra.ID(id)
				*out = append(*out, t)
			})
		}
	}
	r.object(at, v, keys{
		"includeTargets":               targets(&c.Include),
		"excludeTargets":               targets(&c.Exclude),
		"targetedAuthenticationMethod": r.into(&method),
	})
	for i := range c.Include {
		if c.Include[i].Method == "" {
			c.Include[i].Method = method
		}
		if c.Include[i].Method == "" {
			c.Include[i].Method = string(entra.MethodAuthenticatorPush)[:len("microsoftAuthenticator")]
		}
	}
	return c
}

func (r *vectorReader) account(at string, v any) vectorAccount {
	a := vectorAccount{userType: "Member", perUserMFA: "disabled", enabled: true, holdings: map[string]Holding{}}
	given := false
	r.object(at, v, keys{
		"id":             r.into(&a.id),
		"userType":       r.intoWord(&a.userType, "Member", "Guest"),
		"accountEnabled": r.intoFlag(&a.enabled),
		"perUserMfa":     r.intoWord(&a.perUserMFA, "disabled", "enabled", "enforced"),
		"roles": func(at string, v any) {
			given = true
			r.list(at, v, func(at string, v any) { a.roles = append(a.roles, r.role(at, v)) })
		},
		"credentials": func(at string, v any) {
			r.list(at, v, func(at string, v any) {
				m, h := r.credential(at, v, len(a.credentials))
				if slices.ContainsFunc(a.credentials, func(o entra.AuthMethod) bool { return o.ID.Equal(m.ID) }) {
					r.mistake(at, "two credentials are named %q", m.ID)
				}
				a.credentials = append(a.credentials, m)
				if h != nil {
					a.holdings[string(m.ID)] = *h
				}
			})
		},
	})
	r.require(at, v, "id")
	if !given {
		a.roles = []entra.RoleAssignment{{Role: roleGlobalAdmin, Scope: "/", Assignment: entra.AssignmentActive}}
	}
	for i := range a.roles {
		a.roles[i].Principal = entra.ID(a.id)
	}
	return a
}

// roleGlobalAdmin is the role of an account for which a vector names none.
const roleGlobalAdmin entra.ID = "62e90394-69f5-4237-9190-012177145e10"

func (r *vectorReader) role(at string, v any) entra.RoleAssignment {
	role, scope, how := "", "/", string(entra.AssignmentActive)
	r.object(at, v, keys{
		"roleTemplateId":   r.into(&role),
		"directoryScopeId": r.into(&scope),
		"assignment":       r.intoWord(&how, string(entra.AssignmentActive), string(entra.AssignmentEligible)),
	})
	r.require(at, v, "roleTemplateId")
	return entra.RoleAssignment{Role: entra.ID(role), Scope: scope, Assignment: entra.Assignment(how)}
}

// credentialKeys are the keys that belong to one type of credential only.
var credentialKeys = map[string]string{"aaGuid": "fido2", "passkeyType": "fido2", "isUsableOnce": "temporaryAccessPass",
	"issuerSki": "x509", "policyOids": "x509", "protection": "x509"}

func (r *vectorReader) credential(at string, v any, n int) (entra.AuthMethod, *Holding) {
	var m entra.AuthMethod
	var id, kind, protection string
	var h Holding
	r.object(at, v, keys{
		"id":           r.into(&id),
		"type":         r.intoWord(&kind, credentialTypes...),
		"aaGuid":       r.into(&m.AAGUID),
		"passkeyType":  r.intoWord(&m.PasskeyType, "deviceBound", "synced"),
		"isUsableOnce": r.intoFlag(&m.UsableOnce),
		"issuerSki":    r.into(&m.IssuerSKI),
		"policyOids":   r.intoTexts(&m.PolicyOIDs),
		"protection":   r.intoWord(&protection, "singleFactor", "multiFactor"),
		"site":         r.into(&h.Site),
		"custodians":   r.intoTexts(&h.Custodians),
	})
	r.require(at, v, "type")
	if members, ok := v.(map[string]any); ok {
		for _, k := range slices.Sorted(maps.Keys(credentialKeys)) {
			if members[k] != nil && kind != "" && credentialKeys[k] != kind {
				r.mistake(below(at, k), "a credential of type %s has no %s", kind, k)
			}
		}
	}
	if id == "" {
		id = fmt.Sprintf("%s-%d", kind, n+1)
	}
	m.ID, m.Type, m.MultiFactor = entra.ID(id), entra.MethodType(kind), protection == "multiFactor"
	if h.Site == "" && len(h.Custodians) == 0 {
		return m, nil
	}
	return m, &h
}
