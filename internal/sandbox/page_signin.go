package sandbox

import (
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
)

// pageModes are the ways to sign in that the page offers: the modes that each can
// show, and whether it can come first.
var pageModes = []struct {
	id, name string
	modes    []string
	primary  bool
}{
	{"passkey", "Passkey or security key", []string{"fido2"}, true},
	{"password", "Password", []string{"password"}, true},
	{"certificate", "Certificate", []string{"x509CertificateMultiFactor", "x509CertificateSingleFactor"}, true},
	{"tap", "Temporary Access Pass", []string{"temporaryAccessPassOneTime", "temporaryAccessPassMultiUse"}, true},
	{"totp", "Code from an authenticator app", []string{"softwareOath"}, false},
}

// signInPage begins a sign-in: for an authorization that waits (flow), or for
// the security-info page.
func (p *pageHouse) signInPage(w http.ResponseWriter, r *http.Request, v *visitor) {
	flow, security := r.URL.Query().Get("flow"), r.URL.Query().Get("to") == "security-info"
	f, known := p.s.flow(flow)
	if !security && (flow == "" || !known) {
		p.show(w, v, http.StatusNotFound, pageData{Stage: "lost", Title: "Nothing to sign in to", Error: "This sign-in has expired or never began. Go back to the application and start again."})
		return
	}
	*v = visitor{csrf: v.csrf, seen: v.seen, since: v.since, posts: v.posts, where: v.where, signed: v.signed, flow: flow, security: security, correlation: newRecordID(), session: newRecordID()}
	if security {
		v.flow = ""
	}
	d := pageData{Stage: "name", Title: "Sign in"}
	if f != nil {
		d.User = f.LoginHint
	}
	p.show(w, v, http.StatusOK, d)
}

// signInSteps are the forms of the page by the value of their step.
var signInSteps = map[string]func(*pageHouse, http.ResponseWriter, *http.Request, *visitor){
	"name": (*pageHouse).nameStep, "choose": (*pageHouse).chooseStep, "password": (*pageHouse).passwordStep, "tap": (*pageHouse).passStep,
	"totp": (*pageHouse).codeStep, "passkey": (*pageHouse).passkeyStep, "certificate": (*pageHouse).certificateStep, "back": (*pageHouse).backStep,
}

func (p *pageHouse) signInStep(w http.ResponseWriter, r *http.Request, v *visitor) {
	step := signInSteps[r.PostForm.Get("step")]
	if step == nil || v.correlation == "" {
		p.show(w, v, http.StatusBadRequest, pageData{Stage: "lost", Title: "Nothing to sign in to", Error: "This sign-in has expired. Go back to the application and start again."})
		return
	}
	if r.PostForm.Has("ip") {
		v.where = readSurroundings(r)
	}
	step(p, w, r, v)
}

func readSurroundings(r *http.Request) surroundings {
	short := func(name string) string {
		s := strings.TrimSpace(r.PostForm.Get(name))
		return s[:min(len(s), 45)]
	}
	s := surroundings{short("ip"), strings.ToUpper(short("country")), short("platform"), short("device"), short("risk")}
	if net.ParseIP(s.IP) == nil {
		s.IP = ""
	}
	return s
}

func (p *pageHouse) nameStep(w http.ResponseWriter, r *http.Request, v *visitor) {
	v.name = strings.TrimSpace(r.PostForm.Get("user"))
	v.name = v.name[:min(len(v.name), 256)]
	v.userID, v.used = "", nil
	p.s.View(func(state *State) {
		for _, u := range state.All("users") {
			if wireSame(wireText(u["userPrincipalName"]), v.name) || wireSame(wireText(u["id"]), v.name) {
				v.userID = wireText(u["id"])
			}
		}
	})
	if v.userID == "" {
		p.s.signIn(r.Context(), p.attempt(r, v, "nobody"))
		p.show(w, v, http.StatusOK, pageData{Stage: "name", Title: "Sign in", User: v.name, Error: "This account does not exist here. Check the name, for example ana@contoso.onmicrosoft.com."})
		return
	}
	list := p.offered(v)
	if len(list) == 1 && list[0].ID != "passkey" {
		p.method(w, v, list[0].ID, "")
		return
	}
	p.show(w, v, http.StatusOK, pageData{Stage: "choose", Title: "Choose how to sign in", User: v.name, Methods: list})
}

// offered are the methods that would go on: before the first factor those the
// signer holds; after it those that make a wanted combination.
func (p *pageHouse) offered(v *visitor) []pageMethod {
	var out []pageMethod
	var held map[string]bool
	p.s.View(func(state *State) {
		world := NewWorld(state, p.s.now())
		if who := world.signer(v.userID); who != nil {
			held = world.reachable(who)
			held["password"] = true
			if c := state.Credentials[who.id]; c != nil && c.TAP != "" {
				held["temporaryaccesspassonetime"] = true
			}
		}
	})
	for _, m := range pageModes {
		for _, name := range m.modes {
			fits := len(v.used) == 0 && m.primary && held[strings.ToLower(name)]
			for _, c := range v.outcome.Wants {
				shown := slices.ContainsFunc(v.used, func(s Shown) bool { return wireSame(s.Mode, name) })
				fits = fits || len(v.used) > 0 && slices.Contains(c, name) && !shown
			}
			if fits {
				out = append(out, pageMethod{ID: m.id, Name: m.name})
				break
			}
		}
	}
	return out
}

func (p *pageHouse) chooseStep(w http.ResponseWriter, r *http.Request, v *visitor) {
	p.method(w, v, r.PostForm.Get("method"), "")
}

// method shows the form of a method.
func (p *pageHouse) method(w http.ResponseWriter, v *visitor, id, problem string) {
	i := slices.IndexFunc(pageModes, func(m struct {
		id, name string
		modes    []string
		primary  bool
	}) bool {
		return m.id == id
	})
	if i < 0 || v.userID == "" && id != "passkey" {
		p.show(w, v, http.StatusOK, pageData{Stage: "name", Title: "Sign in", User: v.name})
		return
	}
	d := pageData{Stage: id, Title: pageModes[i].name, User: v.name, Error: problem, Methods: p.offered(v)}
	if id == "passkey" {
		rp, err := p.s.relyingParty()
		if err != nil {
			d.Error = "Passkeys need a host name."
		} else if options, session, err := rp.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired)); err == nil {
			v.ceremony = session
			data, _ := json.Marshal(options.Response)
			d.Options = string(data)
		}
	}
	p.show(w, v, http.StatusOK, d)
}

func (p *pageHouse) passwordStep(w http.ResponseWriter, r *http.Request, v *visitor) {
	now := p.s.now()
	recent := slices.DeleteFunc(p.wrong[v.userID], func(t time.Time) bool { return now.Sub(t) > lockoutFor })
	p.wrong[v.userID] = recent
	locked := len(recent) >= lockoutAfter
	if locked || !p.secretIs(v.userID, r.PostForm.Get("secret"), func(c *Credentials) string { return c.Password }) {
		if !locked {
			p.wrong[v.userID] = append(recent, now)
		}
		a := p.attempt(r, v, v.userID)
		a.Wrong, a.LockedOut = "password", locked
		out := p.s.signIn(r.Context(), a)
		text := "Your account or password is incorrect."
		if out.Code == 50053 {
			text = "This account is locked for a minute after too many wrong passwords. A passkey still works."
		}
		p.method(w, v, "password", text)
		return
	}
	p.proceed(w, r, v, p.own(v.userID, "password", "password"))
}

func (p *pageHouse) secretIs(userID, given string, of func(*Credentials) string) bool {
	right := false
	p.s.View(func(state *State) {
		if c := state.Credentials[key(userID)]; c != nil && of(c) != "" {
			right = subtle.ConstantTimeCompare([]byte(of(c)), []byte(given)) == 1
		}
	})
	return right
}

// own names the registered method of a kind.
func (p *pageHouse) own(userID, mode, kind string) Shown {
	s := Shown{Mode: mode}
	p.s.View(func(state *State) {
		for _, m := range state.All("users/" + key(userID) + "/authentication/methods") {
			if wireSame(wireText(m["@odata.type"]), "#microsoft.graph."+kind+"AuthenticationMethod") {
				s.MethodID = wireText(m["id"])
			}
		}
	})
	return s
}

func (p *pageHouse) passStep(w http.ResponseWriter, r *http.Request, v *visitor) {
	given := strings.TrimSpace(r.PostForm.Get("secret"))
	s := p.own(v.userID, "temporaryAccessPassMultiUse", "temporaryAccessPass")
	if !p.secretIs(v.userID, given, func(c *Credentials) string { return c.TAP }) {
		a := p.attempt(r, v, v.userID)
		a.Wrong = s.Mode
		p.s.signIn(r.Context(), a)
		p.method(w, v, "tap", "That pass is incorrect or has expired.")
		return
	}
	// A pass for one use is spent by being right.
	err := p.s.Update(func(state *State) error {
		m := state.Get("users/"+key(v.userID)+"/authentication/methods", s.MethodID)
		if wireBool(m["isUsableOnce"]) {
			s.Mode = "temporaryAccessPassOneTime"
			credentialsOf(state, v.userID).TAP = ""
		}
		return nil
	})
	if err != nil {
		p.method(w, v, "tap", "The pass could not be used.")
		return
	}
	p.proceed(w, r, v, s)
}

func (p *pageHouse) codeStep(w http.ResponseWriter, r *http.Request, v *visitor) {
	var counter uint64
	right := false
	p.s.View(func(state *State) {
		if c := state.Credentials[key(v.userID)]; c != nil && c.TOTP != "" {
			counter, right = checkTOTP(c.TOTP, r.PostForm.Get("secret"), p.s.now(), p.codes[v.userID])
		}
	})
	if !right || len(v.used) == 0 {
		a := p.attempt(r, v, v.userID)
		a.Wrong = "softwareOath"
		p.s.signIn(r.Context(), a)
		p.method(w, v, "totp", "That code did not work. Check the code and try again.")
		return
	}
	p.codes[v.userID] = counter
	p.proceed(w, r, v, p.own(v.userID, "softwareOath", "softwareOath"))
}

func (p *pageHouse) passkeyStep(w http.ResponseWriter, r *http.Request, v *visitor) {
	session := v.ceremony
	v.ceremony = nil // a challenge is good once
	if session == nil {
		p.method(w, v, "passkey", "")
		return
	}
	var shown Shown
	userID := ""
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(r.PostForm.Get("credential")))
	rp, rpErr := p.s.relyingParty()
	if err == nil && rpErr == nil {
		err = p.s.Update(func(state *State) error {
			find := func(_, handle []byte) (webauthn.User, error) {
				b := bearerOf(state, string(handle))
				if b == nil || v.userID != "" && !wireSame(v.userID, b.id) {
					return nil, protocol.ErrBadRequest.WithDetails("another account's key")
				}
				userID = b.id
				return b, nil
			}
			_, c, err := rp.ValidatePasskeyLogin(find, *session, parsed)
			if err != nil {
				return err
			}
			shown = usedKey(state, userID, c)
			return nil
		})
	}
	if err != nil || rpErr != nil || shown.MethodID == "" {
		a := p.attempt(r, v, v.userID)
		a.Wrong = "fido2"
		p.s.signIn(r.Context(), a)
		p.method(w, v, "passkey", passkeyFailure(err))
		return
	}
	v.userID = userID
	p.proceed(w, r, v, shown)
}

func (p *pageHouse) certificateStep(w http.ResponseWriter, r *http.Request, v *visitor) {
	var s Shown
	ok := false
	p.s.View(func(state *State) { s, ok = certificateOf(state, v.userID, r, p.s.now()) })
	if !ok {
		a := p.attempt(r, v, v.userID)
		a.Wrong = "x509CertificateSingleFactor"
		p.s.signIn(r.Context(), a)
		p.method(w, v, "certificate", "Your browser sent no certificate that belongs to this account.")
		return
	}
	p.proceed(w, r, v, s)
}

// proceed judges with one more method shown, and goes on, in or out.
func (p *pageHouse) proceed(w http.ResponseWriter, r *http.Request, v *visitor, s Shown) {
	v.used = append(v.used, s)
	a := p.attempt(r, v, v.userID)
	v.outcome = p.s.signIn(r.Context(), a)
	if c := p.context(v); v.outcome.Allowed && c != "" {
		a.Context = c
		v.outcome = p.s.signIn(r.Context(), a)
	}
	if v.security && v.outcome.Allowed && !v.outcome.MFA {
		p.demandMFA(v)
	}
	if v.outcome.Allowed {
		p.enter(w, r, v)
		return
	}
	if list := p.offered(v); len(list) > 0 {
		if len(list) == 1 {
			p.method(w, v, list[0].ID, "")
			return
		}
		p.show(w, v, http.StatusOK, pageData{Stage: "choose", Title: "More is needed to sign in", User: v.name, Methods: list})
		return
	}
	p.refuse(w, r, v)
}

// demandMFA: whoever can do MFA must, before changing security information
// (entra-docs concept-registration-mfa-sspr-combined).
func (p *pageHouse) demandMFA(v *visitor) {
	p.s.View(func(state *State) {
		world := NewWorld(state, p.s.now())
		who := world.signer(v.userID)
		if who == nil || !world.canMFA(who) {
			return
		}
		a := Attempt{UserID: v.userID, Used: v.used, Action: "urn:user:registersecurityinfo"}
		q := world.question(&a, who)
		judged := &verdict{w: world, q: q, kit: world.accept(q), strong: []*strength{nil}}
		v.outcome.Allowed, v.outcome.Code, v.outcome.Wants = false, 50076, judged.wants()
		v.outcome.Reason = reasonText(50076)
	})
}

func (p *pageHouse) enter(w http.ResponseWriter, r *http.Request, v *visitor) {
	signed := Signed{UserID: v.userID, MFA: v.outcome.MFA, At: p.s.now(), SessionID: v.session}
	for _, s := range v.used {
		if amr := methodModes[strings.ToLower(s.Mode)].amr; amr != "" && !slices.Contains(signed.Methods, amr) {
			signed.Methods = append(signed.Methods, amr)
		}
	}
	if signed.MFA && !slices.Contains(signed.Methods, "mfa") {
		signed.Methods = append(signed.Methods, "mfa")
	}
	flow := v.flow
	v.flow, v.correlation, v.used = "", "", nil
	p.renew(w, v)
	if v.security {
		v.signed = &signed
		http.Redirect(w, r, "/security-info", http.StatusSeeOther)
		return
	}
	if f, ok := p.s.flow(flow); ok {
		p.s.granted(w, r, f, signed)
		return
	}
	p.show(w, v, http.StatusGone, pageData{Stage: "lost", Title: "Too late", Error: "The application no longer waits for this sign-in. Go back to it and start again."})
}

// refuse shows the page that Entra shows, with what an administrator needs to
// find the record.
func (p *pageHouse) refuse(w http.ResponseWriter, r *http.Request, v *visitor) {
	a := p.attempt(r, v, v.userID)
	out := v.outcome
	d := &pageRefusal{Heading: "You cannot access this right now", Text: "Your sign-in was successful but does not meet the criteria to access this resource.",
		Code: out.Code, Request: out.LogID, Correlation: out.CorrelationID, Time: p.s.now().UTC().Format(time.RFC3339), AppID: a.AppID, IP: a.IP,
		Device: a.Device.ID, OS: a.Platform, Back: v.flow != "", Register: out.Code == 50079 && !v.security}
	p.s.View(func(state *State) { d.App = appNameOf(state, a.AppID) })
	switch {
	case out.Code == 53000 || out.Code == 53001:
		d.Heading, d.Text = "You can't get there from here", "This application contains sensitive information and can only be accessed from devices or client applications that meet your organization's management compliance policy."
	case out.Code == 50079:
		d.Heading, d.Text = "More information required", "Your organization needs more information to keep your account secure: you have no method that would be enough."
	case out.Code < 53000 || out.Code == 90033 || out.Code == 500121 || out.Code == 530035:
		d.Heading, d.Text = "Sorry, but we're having trouble signing you in", out.Reason
	}
	p.show(w, v, http.StatusForbidden, pageData{Stage: "refused", Title: d.Heading, User: v.name, Refused: d})
}

// backStep returns a refusal to the application.
func (p *pageHouse) backStep(w http.ResponseWriter, r *http.Request, v *visitor) {
	f, ok := p.s.flow(v.flow)
	if !ok || v.outcome.Code == 0 {
		p.show(w, v, http.StatusOK, pageData{Stage: "name", Title: "Sign in", User: v.name})
		return
	}
	description := "AADSTS" + codeText(v.outcome.Code) + ": " + v.outcome.Reason + " Correlation ID: " + v.outcome.CorrelationID
	v.flow, v.correlation, v.used = "", "", nil
	p.s.refused(w, r, f, "access_denied", description)
}
