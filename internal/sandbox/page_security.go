package sandbox

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// labels of methods on the security-info page by @odata.type.
var methodLabels = map[string]string{
	"#microsoft.graph.fido2authenticationmethod": "Passkey", "#microsoft.graph.softwareoathauthenticationmethod": "Authenticator app (code)",
	"#microsoft.graph.passwordauthenticationmethod": "Password", "#microsoft.graph.temporaryaccesspassauthenticationmethod": "Temporary Access Pass",
	"#microsoft.graph.phoneauthenticationmethod":                  "Phone",
	"#microsoft.graph.microsoftauthenticatorauthenticationmethod": "Microsoft Authenticator", "#microsoft.graph.hardwareoathauthenticationmethod": "Hardware token",
}

// Methods that the page can remove: the others are taken away by an administrator.
var removable = map[string]bool{"#microsoft.graph.fido2authenticationmethod": true, "#microsoft.graph.softwareoathauthenticationmethod": true}

// fresh reports whether the visitor signed in to this page lately enough.
func (p *pageHouse) fresh(v *visitor, within time.Duration) bool {
	return v.signed != nil && v.security && p.s.now().Sub(v.signed.At) < within
}

func (p *pageHouse) securityPage(w http.ResponseWriter, r *http.Request, v *visitor) {
	if !p.fresh(v, securityFresh) {
		http.Redirect(w, r, "/signin?to=security-info", http.StatusSeeOther)
		return
	}
	p.security(w, v, "", "")
}

func (p *pageHouse) security(w http.ResponseWriter, v *visitor, problem, note string) {
	d := pageData{Stage: "security", Title: "Security info", Error: problem, Note: note}
	p.s.View(func(state *State) {
		u := state.Get("users", v.signed.UserID)
		d.User = wireText(u["userPrincipalName"])
		for _, m := range state.All("users/" + key(v.signed.UserID) + "/authentication/methods") {
			kind := strings.ToLower(wireText(m["@odata.type"]))
			line := pageMethod{Name: methodLabels[kind], Detail: wireText(m["displayName"])}
			if line.Name == "" {
				line.Name = "Another method"
			}
			if removable[kind] {
				line.ID = wireText(m["id"])
			}
			d.Registered = append(d.Registered, line)
		}
		d.MayKey = readKeyRules(state, v.signed.UserID, p.s.now()).allowed
		world := NewWorld(state, p.s.now())
		if who := world.signer(v.signed.UserID); who != nil {
			d.MayCode = world.modeUsable(who, "softwareoath") != no
		}
	})
	p.show(w, v, http.StatusOK, d)
}

var securitySteps = map[string]func(*pageHouse, http.ResponseWriter, *http.Request, *visitor){
	"key": (*pageHouse).keyBegin, "key-done": (*pageHouse).keyDone, "code": (*pageHouse).codeBegin, "code-done": (*pageHouse).codeDone,
	"remove": (*pageHouse).removeMethod, "leave": (*pageHouse).leave,
}

func (p *pageHouse) securityStep(w http.ResponseWriter, r *http.Request, v *visitor) {
	step := securitySteps[r.PostForm.Get("step")]
	if step == nil || !p.fresh(v, securityFresh) {
		http.Redirect(w, r, "/signin?to=security-info", http.StatusSeeOther)
		return
	}
	step(p, w, r, v)
}

func (p *pageHouse) leave(w http.ResponseWriter, r *http.Request, v *visitor) {
	v.signed = nil
	p.renew(w, v)
	http.Redirect(w, r, "/signin?to=security-info", http.StatusSeeOther)
}

// keyBegin starts the ceremony that makes a passkey.
func (p *pageHouse) keyBegin(w http.ResponseWriter, r *http.Request, v *visitor) {
	if !v.signed.MFA || !p.fresh(v, passkeyFresh) {
		p.security(w, v, "To add a passkey, sign in again with multifactor authentication. If you have no method for that, ask an administrator for a Temporary Access Pass.", "")
		return
	}
	var b *bearer
	var rules keyRules
	p.s.View(func(state *State) {
		b, rules = bearerOf(state, v.signed.UserID), readKeyRules(state, v.signed.UserID, p.s.now())
	})
	rp, err := p.s.relyingParty()
	if err != nil || b == nil || !rules.allowed {
		p.security(w, v, "A passkey cannot be added here. "+rules.why, "")
		return
	}
	options, session, err := rp.BeginRegistration(b,
		webauthn.WithConveyancePreference(protocol.PreferDirectAttestation),
		webauthn.WithExclusions(webauthn.Credentials(b.WebAuthnCredentials()).CredentialDescriptors()),
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{ResidentKey: protocol.ResidentKeyRequirementRequired,
			RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired}))
	if err != nil {
		p.security(w, v, "A passkey cannot be added now.", "")
		return
	}
	v.ceremony = session
	data, _ := json.Marshal(options.Response)
	p.show(w, v, http.StatusOK, pageData{Stage: "key", Title: "Add a passkey", User: b.name, Options: string(data)})
}

func (p *pageHouse) keyDone(w http.ResponseWriter, r *http.Request, v *visitor) {
	session := v.ceremony
	v.ceremony = nil // a challenge is good once
	if session == nil {
		p.security(w, v, "This page is out of date. Start again.", "")
		return
	}
	name := strings.TrimSpace(r.PostForm.Get("name"))
	if name == "" {
		name = "My passkey"
	}
	name = string([]rune(name)[:min(len([]rune(name)), 30)])
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(r.PostForm.Get("credential")))
	rp, rpErr := p.s.relyingParty()
	if err != nil || rpErr != nil {
		p.security(w, v, passkeyFailure(err), "")
		return
	}
	err = p.s.Update(func(state *State) error {
		c, err := rp.CreateCredential(bearerOf(state, v.signed.UserID), *session, parsed)
		if err != nil {
			return err
		}
		method, err := addKey(state, v.signed.UserID, name, c, readKeyRules(state, v.signed.UserID, p.s.now()), p.s.now())
		if err != nil {
			return err
		}
		p.changed(state, v, r, "User registered security info", nil, method)
		return nil
	})
	switch err {
	case nil:
		p.security(w, v, "", "Your passkey was added.")
	case errKeyModel, errKeyAttested:
		p.security(w, v, strings.TrimPrefix(err.Error(), "register a passkey: ")+".", "")
	default:
		p.security(w, v, passkeyFailure(err), "")
	}
}

// changed writes a change of security information to the audit log.
func (p *pageHouse) changed(state *State, v *visitor, r *http.Request, activity string, before, after Object) {
	u := state.Get("users", v.signed.UserID)
	target := func(m Object) Object {
		if m == nil {
			return nil
		}
		return Object{"id": wireText(u["id"]), "displayName": wireText(u["displayName"]), "userPrincipalName": wireText(u["userPrincipalName"]),
			"StrongAuthenticationMethod": wireText(m["@odata.type"])}
	}
	p.s.audit(state, Change{By: Caller{UserID: v.signed.UserID, AppID: msSecurityInfo}, Activity: activity, Category: "UserManagement",
		Service: "Authentication Methods", Before: target(before), Target: target(after), Type: "User", IP: r.RemoteAddr, UserAgent: r.UserAgent()})
}

func (p *pageHouse) codeBegin(w http.ResponseWriter, r *http.Request, v *visitor) {
	v.seed = newSeed()
	p.seedPage(w, v, "")
}

func (p *pageHouse) seedPage(w http.ResponseWriter, v *visitor, problem string) {
	name := ""
	p.s.View(func(state *State) {
		name = wireText(state.Get("users", v.signed.UserID)["userPrincipalName"])
	})
	uri := "otpauth://totp/" + url.PathEscape("Halligan sandbox:"+name) + "?secret=" + v.seed + "&issuer=Halligan%20sandbox"
	p.show(w, v, http.StatusOK, pageData{Stage: "code", Title: "Add an authenticator app", User: name, Seed: v.seed, URI: uri, Error: problem})
}

func (p *pageHouse) codeDone(w http.ResponseWriter, r *http.Request, v *visitor) {
	if v.seed == "" {
		p.security(w, v, "This page is out of date. Start again.", "")
		return
	}
	counter, ok := checkTOTP(v.seed, r.PostForm.Get("secret"), p.s.now(), 0)
	if !ok {
		p.seedPage(w, v, "That code did not work. Check the clock of your phone and try again.")
		return
	}
	err := p.s.Update(func(state *State) error {
		world := NewWorld(state, p.s.now())
		if who := world.signer(v.signed.UserID); who == nil || world.modeUsable(who, "softwareoath") == no {
			return errKeyModel
		}
		set := "users/" + key(v.signed.UserID) + "/authentication/methods"
		for _, m := range state.All(set) { // one seed for a user: Credentials holds one
			if wireSame(wireText(m["@odata.type"]), "#microsoft.graph.softwareOathAuthenticationMethod") {
				state.Delete(set, wireText(m["id"]))
			}
		}
		credentialsOf(state, v.signed.UserID).TOTP = v.seed
		method := Object{"@odata.type": "#microsoft.graph.softwareOathAuthenticationMethod", "id": newRecordID(), "secretKey": nil, "createdDateTime": p.s.now().UTC().Format(time.RFC3339)}
		state.Put(set, wireText(method["id"]), method)
		p.changed(state, v, r, "User registered security info", nil, method)
		return nil
	})
	v.seed = ""
	if err != nil {
		p.security(w, v, "Your organization does not allow authenticator apps for you.", "")
		return
	}
	p.codes[v.signed.UserID] = counter
	p.security(w, v, "", "Your authenticator app was added.")
}

func (p *pageHouse) removeMethod(w http.ResponseWriter, r *http.Request, v *visitor) {
	id := r.PostForm.Get("method")
	removed := false
	err := p.s.Update(func(state *State) error {
		set := "users/" + key(v.signed.UserID) + "/authentication/methods"
		m := state.Get(set, id)
		kind := strings.ToLower(wireText(m["@odata.type"]))
		if !removable[kind] {
			return nil
		}
		removed = state.Delete(set, id)
		if strings.Contains(kind, "fido2") {
			removeKey(state, v.signed.UserID, id)
		} else {
			credentialsOf(state, v.signed.UserID).TOTP = ""
		}
		p.changed(state, v, r, "User deleted security info", m, nil)
		return nil
	})
	if err != nil || !removed {
		p.security(w, v, "This method cannot be removed here.", "")
		return
	}
	p.security(w, v, "", "The method was removed.")
}
