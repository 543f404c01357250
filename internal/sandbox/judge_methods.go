package sandbox

import (
	"slices"
	"strings"
	"time"
)

// kit is what of the shown methods counts in one session.
type kit struct {
	shown []Shown
	modes map[string]bool
	first string // mode of the primary method
	mfa   truth
}

// accept keeps the methods that this person may use, and of certificates the
// first: a browser session holds one. Whether two passkeys can answer two
// strengths in one session is not documented.
func (w *World) accept(q *question) *kit {
	k := &kit{modes: map[string]bool{}}
	key := -1
	certificate := false
	for i, s := range q.Used {
		name := strings.ToLower(s.Mode)
		if q.PasswordGrant && name != "password" {
			continue
		}
		t := w.usable(q, name, s)
		if t == maybe {
			t = w.lean(false)
		}
		if t != yes {
			continue
		}
		switch {
		case name == "windowshelloforbusiness" && i != 0:
			continue // only as the primary method
		case strings.HasPrefix(name, "x509"):
			if certificate {
				continue
			}
			certificate = true
		case name == "fido2" && key >= 0 && !sameKey(k.shown[key], s):
			q.note("two passkeys in one session")
			if w.Against {
				continue
			}
		}
		if name == "fido2" && key < 0 {
			key = len(k.shown)
		}
		s.AAGUID = strings.ToLower(w.aaguid(q.who, s))
		k.shown = append(k.shown, s)
		k.modes[name] = true
		if k.first == "" && methodModes[name].primary {
			k.first = name
		}
	}
	k.mfa = w.multifactor(q, k)
	return k
}

func sameKey(a, b Shown) bool {
	return wireSame(a.MethodID, b.MethodID) && wireSame(a.AAGUID, b.AAGUID)
}

// lean is the reading of what nobody documents: for the person, or against.
func (w *World) lean(denies bool) truth { return truthOf(w.Against == denies) }

// multifactor: a combination of the built-in MFA strength, or a primary method
// with an external one (entra-docs concept-authentication-strengths;
// how-to-authentication-external-method-manage).
func (w *World) multifactor(q *question, k *kit) truth {
	if q.client == "exchangeactivesync" || q.client == "other" {
		return truthOf(w.is("legacy clients satisfy MFA")) // legacy clients satisfy no control
	}
	out := truthOf(k.modes["externalauthenticationmethod"] && k.first != "")
	for _, c := range judgedStrengths[strengthMFA] {
		out = out.or(truthOf(k.holds(strings.Split(c, ","))))
	}
	if out == yes && q.who.mfaAtIdP && !k.modes["federatedmultifactor"] {
		q.note("cloud methods of an account whose identity provider must do MFA")
		return maybe
	}
	return out
}

func (k *kit) holds(combination []string) bool {
	return !slices.ContainsFunc(combination, func(m string) bool { return !k.modes[m] })
}

// registered finds the authentication method that a shown one belongs to.
func (w *World) registered(u *signer, s Shown) Object {
	if s.MethodID == "" {
		return nil
	}
	for _, m := range u.methods {
		if wireSame(wireText(m["id"]), s.MethodID) {
			return m
		}
	}
	return nil
}

func (w *World) aaguid(u *signer, s Shown) string {
	if s.AAGUID != "" {
		return s.AAGUID
	}
	return wireText(w.registered(u, s)["aaGuid"])
}

// usable decides whether a person may use a method. A method without MethodID is
// taken as registered.
func (w *World) usable(q *question, name string, s Shown) truth {
	m, known := methodModes[name]
	if !known {
		q.note("authentication method mode " + name)
		return no
	}
	if name == "password" && (q.LockedOut || q.who.federated) {
		return no // smart lockout holds passwords alone; a federated account has its password elsewhere
	}
	if q.who.federated != strings.HasPrefix(name, "federated") && strings.HasPrefix(name, "federated") {
		return no
	}
	if (name == "sms" || name == "voice") && !w.foreign && !w.at.Before(telephonyEnds) {
		return no // entra-docs concept-sms-voice-retirement
	}
	if s.MethodID != "" && m.kind != "" {
		have := w.registered(q.who, s)
		if have == nil || !w.passValid(have) {
			return no
		}
	}
	out := w.modeUsable(q.who, name)
	if out == maybe {
		q.note("legacy settings for " + m.name)
	}
	if name == "fido2" && !w.is("key restrictions ignored") {
		t := w.keyAllowed(q.who, strings.ToLower(w.aaguid(q.who, s)), s.Synced)
		if t == maybe {
			q.note("passkey profiles")
		}
		out = out.and(t)
	}
	return out
}

// passValid holds a Temporary Access Pass to its time.
func (w *World) passValid(m Object) bool {
	if usable, said := m["isUsable"].(bool); said && !usable && wireSame(wireText(m["methodUsabilityReason"]), "Expired") {
		return false
	}
	start, err := time.Parse(time.RFC3339, wireText(m["startDateTime"]))
	if err != nil {
		return true
	}
	end := start.Add(time.Duration(wireNumber(m["lifetimeInMinutes"])) * time.Minute)
	return !w.at.Before(start) && (end.Equal(start) || w.at.Before(end))
}

// modeUsable reads the authentication methods policy (entra-docs
// concept-authentication-methods-manage): a method is usable when it is enabled
// for the person, where exclusion wins, or, until the migration is complete,
// perhaps by the legacy settings. A configuration that the policy does not hold
// restricts nobody.
func (w *World) modeUsable(u *signer, name string) truth {
	if t, done := u.usableModes[name]; done {
		return t
	}
	m := methodModes[name]
	out := yes
	if c := w.methods[strings.ToLower(m.config)]; m.config != "" && c != nil {
		out = truthOf(wireSame(wireText(c["state"]), "enabled") && w.targeted(u, c))
		if out == no && m.legacy && !w.settled {
			out = maybe
		}
	}
	u.usableModes[name] = out
	return out
}

func (w *World) targeted(u *signer, c Object) bool {
	if w.is("method targets ignored") {
		return true
	}
	in := func(targets any) bool {
		return slices.ContainsFunc(wireObjects(targets), func(t Object) bool { return u.target(t) })
	}
	return in(c["includeTargets"]) && !in(c["excludeTargets"])
}

func (u *signer) target(t Object) bool {
	id := strings.ToLower(wireText(t["id"]))
	return id == "all_users" || id == u.id || u.groups[id]
}

// keyAllowed applies key restrictions, which bind registration and sign-in alike
// (entra-docs how-to-enable-passkey-fido2): those of one passkey profile in
// scope, or those of the method where there are no profiles.
func (w *World) keyAllowed(u *signer, aaguid string, synced bool) truth {
	c := w.methods["fido2"]
	if c == nil {
		return yes
	}
	profiles := map[string]Object{}
	for _, p := range wireObjects(c["passkeyProfiles"]) {
		profiles[strings.ToLower(wireText(p["id"]))] = p
	}
	var ids []string
	for _, t := range wireObjects(c["includeTargets"]) {
		if u.target(t) {
			ids = append(ids, wireList(t["allowedPasskeyProfiles"])...)
		}
	}
	if len(ids) == 0 {
		return restrictionAllows(wireObject(c["keyRestrictions"]), aaguid)
	}
	out := no
	for _, id := range ids {
		p := profiles[id]
		if p == nil {
			out = out.or(maybe)
			continue
		}
		t := restrictionAllows(wireObject(p["keyRestrictions"]), aaguid)
		kind := "devicebound"
		if synced {
			kind = "synced"
		}
		if kinds := wireList(p["passkeyTypes"]); len(kinds) > 0 && !slices.Contains(kinds, kind) {
			t = no
		}
		out = out.or(t)
	}
	return out
}

func restrictionAllows(r Object, aaguid string) truth {
	if !wireBool(r["isEnforced"]) {
		return yes
	}
	listed := slices.Contains(wireList(r["aaGuids"]), aaguid)
	switch strings.ToLower(wireText(r["enforcementType"])) {
	case "allow":
		return truthOf(listed)
	case "block":
		return truthOf(!listed)
	}
	return maybe
}

// satisfies decides whether a kit holds an allowed combination of a strength,
// within its configurations (entra-docs concept-authentication-strength-advanced-options).
func (w *World) satisfies(q *question, k *kit, s *strength) truth {
	if q.client == "exchangeactivesync" || q.client == "other" {
		return no
	}
	if s.unknown {
		q.note("authentication strength that the tenant does not hold")
		return maybe
	}
	out := no
	for _, c := range s.combinations {
		if !k.holds(c) {
			continue
		}
		t := yes
		for i := range s.bounds {
			if slices.Contains(s.bounds[i].applies, strings.Join(c, ",")) {
				t = t.and(w.within(q, k, &s.bounds[i]))
			}
		}
		if q.who.mfaAtIdP && !slices.Contains(c, "federatedmultifactor") {
			q.note("cloud methods of an account whose identity provider must do MFA")
			t = t.and(maybe)
		}
		out = out.or(t)
	}
	return out
}

func (w *World) within(q *question, k *kit, b *narrowing) truth {
	out := yes
	if b.obscure {
		q.note("combination configuration")
		out = maybe
	}
	if len(b.aaguids) > 0 && !w.is("allowed AAGUIDs ignored") {
		out = out.and(truthOf(slices.ContainsFunc(k.shown, func(s Shown) bool {
			return wireSame(s.Mode, "fido2") && slices.Contains(b.aaguids, s.AAGUID)
		})))
	}
	if len(b.issuers)+len(b.policies) > 0 {
		out = out.and(truthOf(slices.ContainsFunc(k.shown, func(s Shown) bool {
			if !strings.HasPrefix(strings.ToLower(s.Mode), "x509") {
				return false
			}
			issuer := len(b.issuers) == 0 || slices.Contains(b.issuers, strings.ToLower(s.Issuer))
			policy := len(b.policies) == 0 || slices.ContainsFunc(wireList(s.Policies), func(o string) bool { return slices.Contains(b.policies, o) })
			return issuer && policy
		})))
	}
	return out
}

// reachable are the modes that a person could still show: of methods that are
// registered and may be used.
func (w *World) reachable(u *signer) map[string]bool {
	out := map[string]bool{}
	credentials := w.state.Credentials[u.id]
	for name, m := range methodModes {
		if t := w.modeUsable(u, name); t != yes && !(t == maybe && !w.Against) {
			continue
		}
		if strings.HasPrefix(name, "x509") {
			out[name] = credentials != nil && len(credentials.Certificates) > 0
			continue
		}
		for _, have := range u.methods {
			kind := strings.TrimSuffix(strings.TrimPrefix(wireText(have["@odata.type"]), "#microsoft.graph."), "AuthenticationMethod")
			if m.kind == "" || !wireSame(kind, m.kind) {
				continue
			}
			switch m.kind {
			case "fido2":
				out[name] = out[name] || w.keyAllowed(u, strings.ToLower(wireText(have["aaGuid"])), wireSame(wireText(have["passkeyType"]), "synced")) == yes
			case "temporaryAccessPass":
				once := wireBool(have["isUsableOnce"])
				out[name] = out[name] || w.passValid(have) && once == (name == "temporaryaccesspassonetime")
			default:
				out[name] = true
			}
		}
	}
	return out
}
