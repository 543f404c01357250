package verify

import (
	"slices"
	"strings"

	"halligan/lockout/facts"
)

// method is the configuration of one method in the authentication methods
// policy.
type method struct {
	state            string
	include, exclude []target
	restrictions     *restrictions
	profiles         []profile
	defaultProfile   string
	open             bool // something in it has no meaning here
}

type target struct {
	user     bool
	id       string
	profiles []string
	method   string // campaigns: the method nudged towards
}

// restrictions limit key models, at registration and at sign-in.
type restrictions struct {
	enforced bool
	kind     string // allow, block
	models   []string
}

type profile struct {
	id           string
	types        []string
	restrictions *restrictions
}

// campaign is a registration campaign.
type campaign struct {
	forced           bool // stated by a person: the skips are used up
	disabled         bool
	mayEnforce       bool
	include, exclude []target
}

func (t *tenant) readMethodsPolicy(entry *value) {
	raw := entry.get("raw")
	if raw == nil || raw.kind != '{' {
		return
	}
	t.methodsRead = true
	w := &walker{note: func(string, string) {}}
	w.object(raw, map[string]func(*value){
		"policymigrationstate": func(v *value) {
			t.migrated = w.word(v, "premigration", "migrationinprogress", "migrationcomplete") == "migrationcomplete"
		},
		"registrationenforcement": func(v *value) {
			w.object(v, map[string]func(*value){"authenticationmethodsregistrationcampaign": func(v *value) {
				if !v.unset() {
					t.campaigns = append(t.campaigns, readCampaign(v))
				}
			}})
		},
		"authenticationmethodconfigurations": func(v *value) {
			for _, e := range v.items {
				id, m := readMethod(e)
				if before := t.methods[id]; before != nil {
					m.open = true // told twice: nobody can say which holds
				}
				t.methods[id] = m
			}
		},
	})
}

// harmlessMethodKeys say how a credential is made or shown, not whether it signs
// in.
var harmlessMethodKeys = []string{"displayname", "isattestationenforced", "isselfserviceregistrationallowed", "isusableonce", "maximumlifetimeinminutes",
	"minimumlifetimeinminutes", "defaultlifetimeinminutes", "defaultlength", "featuresettings", "issoftwareoathenabled", "isofficephoneallowed",
	"calleridnumber", "allowexternalidtouseemailotp", "pinlength", "standardqrcodelifetimeindays", "appid", "openidconnectsetting",
	"authenticationmodeconfiguration", "certificateauthorityscopes", "certificateuserbindings", "crlvalidationconfiguration", "issuerhintsconfiguration"}

// methodTypes gives the id of a configuration that does not say its own.
var methodTypes = []string{"fido2", "microsoftauthenticator", "sms", "voice", "email", "softwareoath", "hardwareoath", "temporaryaccesspass", "x509certificate", "qrcodepin"}

func readMethod(v *value) (string, *method) {
	m := &method{}
	id := ""
	w := &walker{note: func(string, string) { m.open = true }}
	known := map[string]func(*value){
		"id":              func(v *value) { id = key(w.text(v)) },
		"state":           func(v *value) { m.state = w.word(v, "enabled", "disabled") },
		"includetargets":  func(v *value) { m.include = readTargets(w, v) },
		"excludetargets":  func(v *value) { m.exclude = readTargets(w, v) },
		"keyrestrictions": func(v *value) { m.restrictions = readRestrictions(w, v) },
		"passkeyprofiles": func(v *value) {
			for _, e := range v.items {
				var p profile
				w.object(e, map[string]func(*value){
					"id": func(v *value) { p.id = key(w.text(v)) }, "name": ignore, "attestationenforcement": ignore,
					"passkeytypes":    func(v *value) { p.types = w.words(v, true, "devicebound", "synced") },
					"keyrestrictions": func(v *value) { p.restrictions = readRestrictions(w, v) },
				})
				m.profiles = append(m.profiles, p)
			}
		},
		"defaultpasskeyprofile": func(v *value) { m.defaultProfile = key(w.text(v)) },
	}
	for _, k := range harmlessMethodKeys {
		known[k] = ignore
	}
	w.object(v, known)
	if id == "" {
		kind := strings.TrimPrefix(key(v.str("@odata.type")), "#microsoft.graph.")
		for _, t := range methodTypes {
			if kind == t+"authenticationmethodconfiguration" {
				id = t
			}
		}
	}
	return id, m
}

func readTargets(w *walker, v *value) []target {
	list := []*value{v}
	if v.kind == '[' {
		list = v.items
	}
	var out []target
	for _, e := range list {
		if e.unset() {
			continue
		}
		var t target
		w.object(e, map[string]func(*value){
			"id": func(v *value) { t.id = key(w.text(v)) }, "targettype": func(v *value) { t.user = w.word(v, "group", "user") == "user" },
			"allowedpasskeyprofiles":       func(v *value) { t.profiles = fold(w.texts(v)) },
			"targetedauthenticationmethod": func(v *value) { t.method = key(w.text(v)) },
			"isregistrationrequired":       ignore, "authenticationmode": ignore, "isusableforsignin": ignore, "verifiedidprofiles": ignore,
		})
		out = append(out, t)
	}
	return out
}

func readRestrictions(w *walker, v *value) *restrictions {
	if v.unset() {
		return nil
	}
	r := &restrictions{}
	w.object(v, map[string]func(*value){
		"isenforced":      func(v *value) { r.enforced = w.yes(v) },
		"enforcementtype": func(v *value) { r.kind = w.word(v, "allow", "block") },
		"aaguids":         func(v *value) { r.models = fold(w.texts(v)) },
	})
	return r
}

func readCampaign(v *value) *campaign {
	c := &campaign{mayEnforce: true}
	w := &walker{note: func(string, string) {}}
	w.object(v, map[string]func(*value){
		"state": func(v *value) { c.disabled = w.word(v, "enabled", "disabled", "default") == "disabled" },
		"enforceregistrationafterallowedsnoozes": func(v *value) {
			if is, known := v.flag(); known && !is {
				c.mayEnforce = false
			}
		},
		"includetargets": func(v *value) { c.include = readTargets(w, v) },
		"excludetargets": func(v *value) { c.exclude = readTargets(w, v) },
	})
	return c
}

// readForced reads campaignForced of the Snapshot.
func readForced(v *value) *campaign {
	c := &campaign{forced: true, mayEnforce: true}
	read := func(k string) []target {
		var out []target
		for _, e := range v.list(k) {
			out = append(out, target{user: key(e.str("targetType")) == "user", id: key(e.str("id")), method: key(e.str("method"))})
		}
		return out
	}
	c.include, c.exclude = read("include"), read("exclude")
	return c
}

// governedBy maps a type of credential to the method that governs it.
var governedBy = map[string]string{"fido2": "fido2", "temporaryaccesspass": "temporaryaccesspass", "hardwareoath": "hardwareoath", "softwareoath": "softwareoath",
	"x509": "x509certificate", "sms": "sms", "voice": "voice", "microsoftauthenticatorpush": "microsoftauthenticator", "devicebasedpush": "microsoftauthenticator",
	"email": "email", "qrcodepin": "qrcodepin"}

// credential is a registered method of the account.
type credential struct {
	id     string
	kind   string // type, folded
	mode   string // in combinations; "" none
	model  string // AAGUID, folded
	bound  string // passkey type, folded; "" not known
	issuer string
	oids   []string
}

func (a *account) credential(v *value) *credential {
	c := &credential{id: v.str("id"), kind: key(v.str("type")), model: key(v.str("aaGuid")), bound: key(v.str("passkeyType")),
		issuer: key(v.str("issuerSki")), oids: fold(v.strs("policyOids"))}
	switch c.kind {
	case "password":
		if c.mode = "password"; a.federated {
			c.mode = "federatedsinglefactor"
		}
	case "temporaryaccesspass":
		if c.mode = "temporaryaccesspassmultiuse"; v.is("isUsableOnce") {
			c.mode = "temporaryaccesspassonetime"
		}
	case "x509":
		if c.mode = "x509certificatesinglefactor"; key(v.str("protection")) == "multifactor" {
			c.mode = "x509certificatemultifactor"
		}
	case "external", "platformcredential":
	default:
		if slices.Contains(modes, c.kind) {
			c.mode = c.kind
		}
	}
	return c
}

// usable says whether the account can surely sign in with a credential.
func (a *account) usable(c *credential, now string) bool {
	switch c.kind {
	case "password", "windowshelloforbusiness", "platformcredential", "external":
		return true
	case "sms", "voice":
		if now != "" && now >= facts.Date("smsVoiceRetirement").Date {
			return false
		}
	}
	id := governedBy[c.kind]
	if id == "" || !a.t.methodsRead {
		return false
	}
	if !a.t.migrated && slices.Contains(a.t.legacyMethods, c.kind) {
		return true
	}
	m := a.t.methods[id]
	return m != nil && !m.open && m.state == "enabled" && a.targeted(m.include, true) && !a.targeted(m.exclude, false) && (c.kind != "fido2" || a.passkey(m, c))
}

// targeted says whether a list of targets holds the account: surely, or, when
// surely is not set, possibly.
func (a *account) targeted(list []target, surely bool) bool {
	return slices.ContainsFunc(list, func(t target) bool { return a.hit(t, surely) })
}

func (a *account) hit(t target, surely bool) bool {
	switch {
	case t.id == "all_users":
		return true
	case t.user:
		return t.id == a.id
	case surely:
		return a.inGroup(t.id)
	}
	return a.mayBeIn(t.id)
}

// passkey says whether the key model may be used: by the passkey profiles that
// surely apply to the account, one of which is enough, else by the key
// restrictions of the method.
func (a *account) passkey(m *method, c *credential) bool {
	if len(m.profiles) == 0 {
		return m.restrictions.admit(c)
	}
	named := false
	var scoped []string
	for _, t := range m.include {
		named = named || len(t.profiles) > 0
		if a.hit(t, true) {
			scoped = append(scoped, t.profiles...)
		}
	}
	if !named && m.defaultProfile != "" {
		scoped = []string{m.defaultProfile}
	}
	return slices.ContainsFunc(m.profiles, func(p profile) bool {
		return slices.Contains(scoped, p.id) && (len(p.types) == 0 || slices.Contains(p.types, c.bound)) && p.restrictions.admit(c)
	})
}

func (r *restrictions) admit(c *credential) bool {
	if r == nil || !r.enforced {
		return true
	}
	listed := slices.Contains(r.models, c.model)
	return c.model != "" && (r.kind == "allow" && listed || r.kind == "block" && !listed)
}

// kit is the set of credentials of one option.
type kit struct {
	creds []*credential
}

var primaries = []string{"password", "fido2", "x509certificatesinglefactor", "x509certificatemultifactor", "temporaryaccesspassonetime",
	"temporaryaccesspassmultiuse", "windowshelloforbusiness", "devicebasedpush", "federatedsinglefactor", "federatedmultifactor"}

// open lists the credentials that can be used; with smart lockout the password
// cannot.
func (k *kit) open(locked bool) []*credential {
	if !locked {
		return k.creds
	}
	return slices.DeleteFunc(slices.Clone(k.creds), func(c *credential) bool { return c.kind == "password" })
}

func (k *kit) primary(locked bool) bool {
	return slices.ContainsFunc(k.open(locked), func(c *credential) bool { return slices.Contains(primaries, c.mode) })
}

func (k *kit) has(mode string, locked bool) bool {
	return slices.ContainsFunc(k.open(locked), func(c *credential) bool { return c.mode == mode })
}

// holds reports whether credentials make up a combination that a strength
// admits. A nil strength admits all.
func holds(creds []*credential, combination []string, s *strength) bool {
	if len(combination) == 0 {
		return false
	}
	for _, mode := range combination {
		if !slices.ContainsFunc(creds, func(c *credential) bool { return c.mode == mode && s.admits(combination, c) }) {
			return false
		}
	}
	return true
}

// admits says whether the configurations that bind a combination surely accept
// a credential.
func (s *strength) admits(combination []string, c *credential) bool {
	if s == nil {
		return true
	}
	certificate := strings.HasPrefix(c.mode, "x509")
	if !s.configsKnown && (c.mode == "fido2" || certificate) {
		return false
	}
	for _, cfg := range s.configs {
		if !slices.ContainsFunc(cfg.applies, func(x []string) bool { return sameModes(x, combination) }) && !(cfg.any && len(cfg.applies) == 0) {
			continue
		}
		switch {
		case cfg.any,
			cfg.keys && c.mode == "fido2" && !slices.Contains(cfg.models, c.model),
			certificate && len(cfg.issuers) > 0 && (c.issuer == "" || !slices.Contains(cfg.issuers, c.issuer)),
			certificate && len(cfg.oids) > 0 && !slices.ContainsFunc(c.oids, func(o string) bool { return slices.Contains(cfg.oids, o) }):
			return false
		}
	}
	return true
}

// mfaCombinations are those of the built-in strength for MFA.
func mfaCombinations() [][]string {
	var out [][]string
	for _, c := range facts.MFACombinations() {
		out = append(out, modesOf(c))
	}
	return out
}

// claims reports whether credentials make a claim of multifactor authentication.
func claims(creds []*credential) bool {
	for _, c := range mfaCombinations() {
		if holds(creds, c, nil) {
			return true
		}
	}
	external := slices.ContainsFunc(creds, func(c *credential) bool { return c.kind == "external" })
	return external && (&kit{creds}).primary(false)
}

func (k *kit) mfa(locked bool) bool { return claims(k.open(locked)) }

// meets reports whether the kit holds a combination of a strength.
func (k *kit) meets(s *strength, locked bool) bool {
	return s.known && !s.open && slices.ContainsFunc(s.combinations, func(c []string) bool { return holds(k.open(locked), c, s) })
}
