package graph

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// State is the outcome of a probe.
type State string

// The outcomes of a probe.
const (
	ProbeOK      State = "ok"
	ProbeWarn    State = "warn"
	ProbeFail    State = "fail"
	ProbeSkipped State = "skipped" // an earlier probe failed, or there is nothing to look at
)

// Probe is one line of `halligan doctor`.
type Probe struct {
	Name   string
	State  State
	Says   string
	Remedy string // "" when nothing has to be done
}

// Patient is what Examine looks at.
type Patient struct {
	SignIn      SignIn
	Client      *Client  // nil: not signed in, the token is not looked at
	Permissions []string // that are wanted
	Now         func() time.Time
}

// examination carries what one probe found to the next.
type examination struct {
	Patient
	host        string
	unreachable bool
	state       *tls.ConnectionState
	skew        time.Duration
	dated       bool
	claims      *Claims
}

// probes are made in this order; each sees what the ones before it found.
var probes = []struct {
	name string
	look func(context.Context, *examination) Probe
}{
	{"name of sign-in", func(ctx context.Context, e *examination) Probe { return e.name(ctx, e.SignIn.Cloud.Authority) }},
	{"name of Graph", func(ctx context.Context, e *examination) Probe { return e.name(ctx, e.SignIn.Cloud.Graph) }},
	{"route", func(ctx context.Context, e *examination) Probe { return e.route(ctx) }},
	{"encryption", func(ctx context.Context, e *examination) Probe { return e.encryption(ctx) }},
	{"clock", func(_ context.Context, e *examination) Probe { return e.clock() }},
	{"token store", func(_ context.Context, e *examination) Probe { return e.store() }},
	{"token", func(ctx context.Context, e *examination) Probe { return e.token(ctx) }},
	{"permissions", func(_ context.Context, e *examination) Probe { return e.permissions() }},
}

// readingRoles are the roles with which a person may read Conditional Access and
// the methods of administrators: Global Administrator, Global Reader, Security
// Administrator, Security Reader, Conditional Access Administrator (entra-docs
// permissions-reference).
var readingRoles = []string{"62e90394-69f5-4237-9190-012177145e10", "f2ef992c-3afb-46b9-b7cf-a126ee74c451", "194ae4cb-b126-40b2-bd5b-6091b380977d",
	"5d6b6bb7-de71-4623-b4af-96380a352509", "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"}

// probeTime is how long one probe may take.
const probeTime = 15 * time.Second

// Examine makes all probes, one after the other, and reads nothing of the tenant.
func Examine(ctx context.Context, p Patient) []Probe {
	if p.Now == nil {
		p.Now = time.Now
	}
	e := examination{Patient: p, host: hostOf(p.SignIn.Cloud.Graph)}
	var results []Probe
	for _, probe := range probes {
		ctx, cancel := context.WithTimeout(ctx, probeTime)
		result := probe.look(ctx, &e)
		cancel()
		result.Name = probe.name
		result.Says = clean(result.Says, maxMessage)
		results = append(results, result)
	}
	return results
}

func skipped(why string) Probe { return Probe{State: ProbeSkipped, Says: why} }

func (e *examination) name(ctx context.Context, base string) Probe {
	host := hostOf(base)
	if e.SignIn.Proxy != nil {
		return skipped("the proxy resolves " + host)
	}
	if net.ParseIP(host) != nil {
		return skipped(host + " is an address, no name")
	}
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil || len(addresses) == 0 {
		e.unreachable = true
		return Probe{State: ProbeFail, Says: host + " is not known here", Remedy: "Check the network and the name servers. Behind a proxy, set proxy: in halligan.yaml."}
	}
	return Probe{State: ProbeOK, Says: fmt.Sprintf("%s is %s", host, addresses[0])}
}

// route makes a connection without a word, to the proxy if there is one.
func (e *examination) route(ctx context.Context) Probe {
	target, _ := url.Parse(e.SignIn.Cloud.Graph)
	to, via := net.JoinHostPort(target.Hostname(), portOf(target)), ""
	if p := e.SignIn.Proxy; p != nil {
		to, via = p.Host, "the proxy "
		if p.Port() == "" {
			to = net.JoinHostPort(p.Hostname(), map[string]string{"http": "80", "https": "443", "socks5": "1080"}[p.Scheme])
		}
	} else if e.unreachable {
		return skipped("the name is not known")
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", to)
	if err != nil {
		e.unreachable = true
		return Probe{State: ProbeFail, Says: fmt.Sprintf("no connection to %s%s: %s", via, to, plainCause(err)),
			Remedy: "Check the firewall. Behind a proxy, set proxy: in halligan.yaml: the environment is not consulted."}
	}
	conn.Close()
	return Probe{State: ProbeOK, Says: fmt.Sprintf("connected to %s%s", via, to)}
}

// encryption asks Graph's description of itself, which needs no token, and looks
// at who vouches for the certificate.
func (e *examination) encryption(ctx context.Context) Probe {
	if e.unreachable {
		return skipped("there is no route")
	}
	roots := e.SignIn.Roots
	if roots == nil {
		roots = e.SignIn.Cloud.Roots
	}
	doer, err := newDoer(network{proxy: e.SignIn.Proxy, roots: roots, wrap: e.SignIn.Wrap})
	if err != nil {
		return Probe{State: ProbeFail, Says: err.Error(), Remedy: "Correct proxy: in halligan.yaml."}
	}
	doer.hosts, doer.limit = []string{e.SignIn.Cloud.Graph}, 1<<16
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, e.SignIn.Cloud.Graph+"/v1.0/", nil)
	if err != nil {
		return Probe{State: ProbeFail, Says: err.Error()}
	}
	asked := e.Now()
	response, err := doer.Do(request)
	if err != nil {
		e.unreachable = true
		return e.noEncryption(err)
	}
	io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	response.Body.Close()
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		e.skew, e.dated = asked.Add(e.Now().Sub(asked)/2).Sub(date), true
	}
	if response.TLS == nil || len(response.TLS.PeerCertificates) == 0 {
		return skipped("the connection did not say")
	}
	e.state = response.TLS
	issuer := nameOf(response.TLS.PeerCertificates[0])
	if e.SignIn.Cloud.Name != customName && !knownIssuer(issuer) {
		return Probe{State: ProbeWarn, Says: fmt.Sprintf("%s; the certificate is from %s, which is not one of Microsoft's", tls.VersionName(e.state.Version), issuer),
			Remedy: "Something opens your connections, probably your organization's proxy. It sees your token: make sure that it may."}
	}
	return Probe{State: ProbeOK, Says: fmt.Sprintf("%s, certificate from %s", tls.VersionName(e.state.Version), issuer)}
}

func (e *examination) noEncryption(err error) Probe {
	if unknown, is := errors.AsType[x509.UnknownAuthorityError](err); is && unknown.Cert != nil {
		return Probe{State: ProbeFail, Says: fmt.Sprintf("the certificate of %s is from %s, which is not trusted here", e.host, nameOf(unknown.Cert)),
			Remedy: "If that is your organization's proxy, set ca_bundle: in halligan.yaml to its certificate. For the sandbox, use the certificate that it prints."}
	}
	if invalid, is := errors.AsType[x509.CertificateInvalidError](err); is && invalid.Reason == x509.Expired {
		return Probe{State: ProbeFail, Says: fmt.Sprintf("the certificate of %s is not valid today", e.host), Remedy: "Is the clock of this machine right?"}
	}
	return Probe{State: ProbeFail, Says: fmt.Sprintf("no answer from %s: %s", e.host, plainCause(err)), Remedy: "Check the firewall and the proxy."}
}

// issuers are who signs the certificates of Microsoft's sign-in and Graph
// (azure-docs "Azure Certificate Authority details").
var issuers = []string{"Microsoft", "DigiCert"}

func knownIssuer(name string) bool {
	return slices.ContainsFunc(issuers, func(i string) bool { return strings.Contains(name, i) })
}

func nameOf(c *x509.Certificate) string {
	name := strings.Join(append(slices.Clone(c.Issuer.Organization), c.Issuer.CommonName), ", ")
	if name = clean(strings.Trim(name, ", "), 120); name == "" {
		return "somebody without a name"
	}
	return name
}

// The clock may be off by so much before a token or a certificate is refused.
const (
	skewWarn = time.Minute
	skewFail = 5 * time.Minute // entra-docs "Access token claims reference", nbf and exp
)

func (e *examination) clock() Probe {
	if !e.dated {
		return skipped("no answer said what time it is")
	}
	off := e.skew.Abs()
	direction := "ahead"
	if e.skew < 0 {
		direction = "behind"
	}
	says := fmt.Sprintf("this clock is %s %s", rounded(off.Round(time.Second)), direction)
	switch {
	case off > skewFail:
		return Probe{State: ProbeFail, Says: says, Remedy: "Set the clock, and have it kept by a time server. Tokens and TOTP codes fail like this."}
	case off > skewWarn:
		return Probe{State: ProbeWarn, Says: says, Remedy: "Have the clock kept by a time server."}
	}
	return Probe{State: ProbeOK, Says: "right to the minute"}
}

func (e *examination) store() Probe {
	persist, where, why := Store()
	if persist {
		return Probe{State: ProbeOK, Says: "tokens are kept " + where}
	}
	return Probe{State: ProbeWarn, Says: fmt.Sprintf("tokens are kept %s: %s", where, why), Remedy: "You sign in again for each command. For a machine, use a certificate or a federated token."}
}

func (e *examination) token(ctx context.Context) Probe {
	if e.Client == nil {
		return Probe{State: ProbeSkipped, Says: "nobody is signed in", Remedy: hints[KindNotSignedIn]}
	}
	if e.unreachable {
		return skipped("there is no route")
	}
	claims, err := e.Client.Claims(ctx)
	if err != nil {
		probe := Probe{State: ProbeFail, Says: err.Error(), Remedy: hints[KindNotSignedIn]}
		if h, is := err.(interface{ Hint() string }); is {
			probe.Remedy = h.Hint()
		}
		return probe
	}
	e.claims = &claims
	who := claims.Name
	if claims.IsApplication() {
		who = "application " + claims.App
	}
	left := claims.Expires.Sub(e.Now())
	probe := Probe{State: ProbeOK, Says: fmt.Sprintf("%s in tenant %s, until %s", who, claims.Tenant, claims.Expires.Format(time.RFC3339))}
	if left <= 0 {
		probe.State, probe.Remedy = ProbeFail, "The token has ended by this clock. Is the clock right? Else sign in with `halligan login`."
	}
	return probe
}

func (e *examination) permissions() Probe {
	if e.claims == nil {
		return skipped("there is no token to look at")
	}
	missing := e.claims.Missing(e.Permissions)
	if !e.claims.IsApplication() && len(e.claims.Roles) > 0 && !slices.ContainsFunc(e.claims.Roles, func(id string) bool { return slices.Contains(readingRoles, strings.ToLower(id)) }) {
		return Probe{State: ProbeWarn, Says: "the permissions are lent by a person whose roles do not read policies and methods: what needs that is refused",
			Remedy: "Give the person Global Reader, or sign in as somebody who has it."}
	}
	if len(missing) == 0 {
		return Probe{State: ProbeOK, Says: fmt.Sprintf("all %d that are wanted", len(e.Permissions))}
	}
	return Probe{State: ProbeWarn, Says: fmt.Sprintf("%d of %d are missing: %s", len(missing), len(e.Permissions), strings.Join(missing, ", ")),
		Remedy: "What needs them stays unknown. Sign in with `halligan login` and consent, or have an administrator grant them to the application."}
}
