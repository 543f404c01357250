package entra

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

var (
	migrationWords   = words("preMigration", "migrationInProgress", "migrationComplete")
	enabledWords     = words("enabled", "disabled")
	campaignWords    = words("enabled", "disabled", "default")
	enforcementWords = words("allow", "block")
	attestWords      = words("disabled", "registrationOnly")
	passkeyWords     = words("deviceBound", "synced")
	targetWords      = words("group", "user")
)

var methodsPolicyKeys = table(map[string]func(*walk, *MethodsPolicy, *node){
	"id":                   harmless[MethodsPolicy],
	"displayName":          harmless[MethodsPolicy],
	"description":          harmless[MethodsPolicy],
	"lastModifiedDateTime": harmless[MethodsPolicy],
	"policyVersion":        harmless[MethodsPolicy],
	"reconfirmationInDays": harmless[MethodsPolicy],
	"policyMigrationState": func(w *walk, m *MethodsPolicy, v *node) {
		m.MigrationState = member[string](w, v, migrationWords)
		if _, known := migrationWords.find(m.MigrationState); !known {
			m.MigrationState = ""
		}
	},
	"registrationEnforcement": func(w *walk, m *MethodsPolicy, v *node) { enforcementKeys.read(w, m, v) },
	"authenticationMethodConfigurations": func(w *walk, m *MethodsPolicy, v *node) {
		w.list(v, func(e *node) { m.Methods = append(m.Methods, readMethodConfiguration(w, e)) })
	},
	// Settings of prompts and reports; none closes a sign-in (ca-semantics 4.1).
	"microsoftAuthenticatorPlatformSettings": harmless[MethodsPolicy],
	"reportSuspiciousActivitySettings":       harmless[MethodsPolicy],
	"systemCredentialPreferences":            harmless[MethodsPolicy],
})

var enforcementKeys = table(map[string]func(*walk, *MethodsPolicy, *node){
	"authenticationMethodsRegistrationCampaign": func(w *walk, m *MethodsPolicy, v *node) {
		if v.unset() {
			return
		}
		m.Campaign = &RegistrationCampaign{}
		campaignKeys.read(w, m.Campaign, v)
	},
})

var campaignKeys = table(map[string]func(*walk, *RegistrationCampaign, *node){
	"state":                                  func(w *walk, c *RegistrationCampaign, v *node) { c.State = member[string](w, v, campaignWords) },
	"snoozeDurationInDays":                   func(w *walk, c *RegistrationCampaign, v *node) { c.SnoozeDays = w.integer(v) },
	"enforceRegistrationAfterAllowedSnoozes": func(w *walk, c *RegistrationCampaign, v *node) { c.Enforce = w.flag(v) },
	"includeTargets":                         func(w *walk, c *RegistrationCampaign, v *node) { c.Include = readTargets(w, v) },
	"excludeTargets":                         func(w *walk, c *RegistrationCampaign, v *node) { c.Exclude = readTargets(w, v) },
})

var targetKeys = table(map[string]func(*walk, *MethodTarget, *node){
	"targetType":                   func(w *walk, t *MethodTarget, v *node) { t.TargetType = member[string](w, v, targetWords) },
	"id":                           func(w *walk, t *MethodTarget, v *node) { t.ID = w.id(v) },
	"allowedPasskeyProfiles":       func(w *walk, t *MethodTarget, v *node) { t.Profiles = w.ids(v, anyID) },
	"targetedAuthenticationMethod": func(w *walk, t *MethodTarget, v *node) { t.Method = w.text(v) },
	"isRegistrationRequired":       harmless[MethodTarget],
	"authenticationMode":           harmless[MethodTarget], // push, deviceBasedPush or any: either is a sign-in
	"isUsableForSignIn":            harmless[MethodTarget],
	"verifiedIdProfiles":           harmless[MethodTarget],
	// As beta of 2022 had them; later featureSettings.
	"outlookMobileAllowedState":               harmless[MethodTarget],
	"displayAppInformationRequiredState":      harmless[MethodTarget],
	"displayLocationInformationRequiredState": harmless[MethodTarget],
	"numberMatchingRequiredState":             harmless[MethodTarget],
})

func readTargets(w *walk, v *node) []MethodTarget {
	var out []MethodTarget
	w.list(v, func(e *node) {
		var t MethodTarget
		targetKeys.read(w, &t, e)
		out = append(out, t)
	})
	return out
}

var methodConfigurationKeys = table(map[string]func(*walk, *MethodConfiguration, *node){
	"id":             func(w *walk, m *MethodConfiguration, v *node) { m.ID = w.text(v) },
	"state":          func(w *walk, m *MethodConfiguration, v *node) { m.State = readOnOff(w, v) },
	"includeTargets": func(w *walk, m *MethodConfiguration, v *node) { m.Include = readTargets(w, v) },
	"excludeTargets": func(w *walk, m *MethodConfiguration, v *node) { m.Exclude = readTargets(w, v) },
	// FIDO2
	"keyRestrictions":       func(w *walk, m *MethodConfiguration, v *node) { m.KeyRestrictions = readRestrictions(w, v) },
	"isAttestationEnforced": func(w *walk, m *MethodConfiguration, v *node) { m.AttestationEnforced = w.isTrue(v) },
	"defaultPasskeyProfile": func(w *walk, m *MethodConfiguration, v *node) { m.DefaultProfile = w.id(v) },
	"passkeyProfiles": func(w *walk, m *MethodConfiguration, v *node) {
		w.list(v, func(e *node) {
			var p PasskeyProfile
			profileKeys.read(w, &p, e)
			m.PasskeyProfiles = append(m.PasskeyProfiles, p)
		})
	},
	"isSelfServiceRegistrationAllowed": harmless[MethodConfiguration],
	// Temporary access pass
	"isUsableOnce":             func(w *walk, m *MethodConfiguration, v *node) { m.TAPOneTimeOnly = w.isTrue(v) },
	"maximumLifetimeInMinutes": func(w *walk, m *MethodConfiguration, v *node) { m.TAPMaxLifetimeMinute = w.integer(v) },
	"minimumLifetimeInMinutes": harmless[MethodConfiguration],
	"defaultLifetimeInMinutes": harmless[MethodConfiguration],
	"defaultLength":            harmless[MethodConfiguration],
	// Other methods: how a credential is made or shown, not whether it signs in.
	"featureSettings":              harmless[MethodConfiguration],
	"isSoftwareOathEnabled":        harmless[MethodConfiguration],
	"isOfficePhoneAllowed":         harmless[MethodConfiguration],
	"callerIdNumber":               harmless[MethodConfiguration],
	"allowExternalIdToUseEmailOtp": harmless[MethodConfiguration],
	"pinLength":                    harmless[MethodConfiguration],
	"standardQRCodeLifetimeInDays": harmless[MethodConfiguration],
	"displayName":                  harmless[MethodConfiguration],
	"appId":                        harmless[MethodConfiguration],
	"openIdConnectSetting":         harmless[MethodConfiguration],
	// Certificates: bindings and rules decide about a certificate, and are read
	// as its protection level, issuer and policies when it is registered.
	"authenticationModeConfiguration": harmless[MethodConfiguration],
	"certificateAuthorityScopes":      harmless[MethodConfiguration],
	"certificateUserBindings":         harmless[MethodConfiguration],
	"crlValidationConfiguration":      harmless[MethodConfiguration],
	"issuerHintsConfiguration":        harmless[MethodConfiguration],
})

func readOnOff(w *walk, v *node) string {
	s := member[string](w, v, enabledWords)
	if _, known := enabledWords.find(s); !known {
		return ""
	}
	return s
}

var restrictionKeys = table(map[string]func(*walk, *KeyRestrictions, *node){
	"isEnforced": func(w *walk, k *KeyRestrictions, v *node) { k.Enforced = w.isTrue(v) },
	"enforcementType": func(w *walk, k *KeyRestrictions, v *node) {
		k.Enforcement = member[string](w, v, enforcementWords)
		if _, known := enforcementWords.find(k.Enforcement); !known {
			k.Enforcement = ""
		}
	},
	"aaGuids": func(w *walk, k *KeyRestrictions, v *node) { k.AAGUIDs = w.texts(v) },
})

func readRestrictions(w *walk, v *node) *KeyRestrictions {
	if v.unset() {
		return nil
	}
	k := &KeyRestrictions{}
	restrictionKeys.read(w, k, v)
	return k
}

var profileKeys = table(map[string]func(*walk, *PasskeyProfile, *node){
	"id":                     func(w *walk, p *PasskeyProfile, v *node) { p.ID = w.id(v) },
	"name":                   func(w *walk, p *PasskeyProfile, v *node) { p.Name = w.text(v) },
	"passkeyTypes":           func(w *walk, p *PasskeyProfile, v *node) { p.PasskeyTypes = flags[string](w, v, passkeyWords) },
	"keyRestrictions":        func(w *walk, p *PasskeyProfile, v *node) { p.KeyRestrictions = readRestrictions(w, v) },
	"attestationEnforcement": func(w *walk, p *PasskeyProfile, v *node) { p.Attestation = member[string](w, v, attestWords) },
})

// methodIDs gives Graph's id for the type of a configuration that does not say
// its id.
var methodIDs = map[string]string{
	"fido2authenticationmethodconfiguration":                  "Fido2",
	"microsoftauthenticatorauthenticationmethodconfiguration": "MicrosoftAuthenticator",
	"smsauthenticationmethodconfiguration":                    "Sms",
	"voiceauthenticationmethodconfiguration":                  "Voice",
	"emailauthenticationmethodconfiguration":                  "Email",
	"softwareoathauthenticationmethodconfiguration":           "SoftwareOath",
	"hardwareoathauthenticationmethodconfiguration":           "HardwareOath",
	"temporaryaccesspassauthenticationmethodconfiguration":    "TemporaryAccessPass",
	"x509certificateauthenticationmethodconfiguration":        "X509Certificate",
	"qrcodepinauthenticationmethodconfiguration":              "QRCodePin",
	"verifiablecredentialsauthenticationmethodconfiguration":  "VerifiableCredentials",
}

// readMethodConfiguration reads one method. What is unmodelled in it is recorded
// with the method, not with the whole policy.
func readMethodConfiguration(w *walk, v *node) MethodConfiguration {
	var m MethodConfiguration
	before := len(w.unmodelled)
	methodConfigurationKeys.read(w, &m, v)
	kind := strings.ToLower(odataType(v))
	m.External = kind == "externalauthenticationmethodconfiguration"
	if m.ID == "" {
		m.ID = methodIDs[kind]
	}
	m.Unmodelled = slices.Clone(w.unmodelled[before:])
	w.unmodelled = w.unmodelled[:before]
	return m
}

func decodeMethodsPolicy(doc *document, obj *node, origin Origin) (MethodsPolicy, []Trouble) {
	w := &walk{doc: doc}
	m := MethodsPolicy{Origin: origin}
	methodsPolicyKeys.read(w, &m, obj)
	m.Unmodelled = w.unmodelled
	m.Raw = doc.canonical(obj)
	return m, w.notes
}

// looseMethods are the parts of a methods policy that a report keeps apart.
type looseMethods struct {
	doc     *document
	policy  *node
	origin  Origin
	methods []node
}

func (r *reader) methodsPolicy(doc *document, v *node, at Origin) {
	if r.methods.policy == nil {
		r.methods.doc, r.methods.policy, r.methods.origin = doc, v, at
		return
	}
	a, b := r.methods.policy, v
	switch full := a.has("authenticationMethodConfigurations"); {
	case full == b.has("authenticationMethodConfigurations"):
		if string(a.canonical(nil)) != string(b.canonical(nil)) {
			r.trouble(doc, v.off, "a second authentication methods policy with other content; the first one is kept")
		}
	case !full:
		r.methods.doc, r.methods.policy, r.methods.origin = doc, v, at
	}
}

func (r *reader) methodConfiguration(doc *document, v *node, at Origin) {
	for i := range r.methods.methods {
		if m := &r.methods.methods[i]; strings.EqualFold(m.str("id"), v.str("id")) {
			if string(m.canonical(nil)) != string(v.canonical(nil)) {
				r.trouble(doc, v.off, "a second configuration of the method "+v.str("id")+" with other content; the first one is kept")
			}
			return
		}
	}
	if r.methods.doc == nil {
		r.methods.doc, r.methods.origin = doc, at
	}
	r.methods.methods = append(r.methods.methods, *v)
}

// finishMethods puts the methods policy together: ScubaGear and EntraExporter
// keep the methods beside the policy.
func (r *reader) finishMethods() {
	l := &r.methods
	if l.policy == nil && len(l.methods) == 0 {
		return
	}
	whole := node{kind: jsontext.Kind('{')}
	if l.policy != nil {
		whole = *l.policy
	}
	switch {
	case whole.has("authenticationMethodConfigurations"):
	case len(l.methods) > 0:
		whole.pairs = slices.DeleteFunc(slices.Clone(whole.pairs), func(p pair) bool {
			return strings.EqualFold(p.key, "authenticationMethodConfigurations")
		})
		slices.SortStableFunc(l.methods, func(a, b node) int {
			return strings.Compare(strings.ToLower(a.str("id")), strings.ToLower(b.str("id")))
		})
		whole.pairs = append(whole.pairs, pair{"authenticationMethodConfigurations", 0, node{kind: jsontext.Kind('['), items: l.methods}})
		if l.policy == nil {
			r.cut(PartMethodsPolicy, "only single methods were given, not the policy")
		}
	case whole.get("authenticationMethodConfigurations") == nil:
		r.cut(PartMethodsPolicy, "the policy was given without its methods")
	}
	if r.content.MethodsPolicy != nil {
		if string(r.content.MethodsPolicy.Raw) != string(whole.canonical(nil)) {
			r.trouble(l.doc, whole.off, "a second authentication methods policy with other content; the first one is kept")
		}
		return
	}
	m, notes := decodeMethodsPolicy(l.doc, &whole, l.origin)
	r.content.Notes = append(r.content.Notes, notes...)
	r.content.MethodsPolicy = &m
}
