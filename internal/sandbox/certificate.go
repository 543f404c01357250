package sandbox

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"net/http"
	"slices"
	"strings"
	"time"
)

// ClientCertificates is how the listener must ask for certificates: it offers,
// and whoever has none goes on without. Entra asks on a host of its own
// (certauth.login.microsoftonline.com); here one port serves everything, so the
// handshake that carries the pages asks, and the certificate is read when a
// signer chooses to sign in with it. Whether it is trusted is decided then, by
// its fingerprint (Credentials.Certificates), not by a chain.
const ClientCertificates = tls.RequestClientCert

// certificateOf reads the certificate of a request as a method of a user.
func certificateOf(state *State, userID string, r *http.Request, now time.Time) (Shown, bool) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return Shown{}, false
	}
	leaf := r.TLS.PeerCertificates[0]
	sum := sha256.Sum256(leaf.Raw)
	c := state.Credentials[key(userID)]
	if c == nil || now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) ||
		!slices.ContainsFunc(c.Certificates, func(have string) bool { return wireSame(strings.ReplaceAll(have, ":", ""), hex.EncodeToString(sum[:])) }) {
		return Shown{}, false
	}
	s := Shown{Issuer: hex.EncodeToString(leaf.AuthorityKeyId)}
	for _, oid := range leaf.PolicyIdentifiers {
		s.Policies = append(s.Policies, oid.String())
	}
	s.Mode = certificateMode(state, leaf, s.Policies)
	return s, true
}

// certificateMode reads how strong a certificate is: by the rules of the method,
// of which one for a policy OID goes before one for an issuer, else by its default
// (entra-docs identity/authentication/how-to-certificate-based-authentication).
func certificateMode(state *State, leaf *x509.Certificate, oids []string) string {
	var modeOf Object
	for _, c := range wireObjects(state.Single["policies/authenticationMethodsPolicy"]["authenticationMethodConfigurations"]) {
		if wireSame(wireText(c["id"]), "x509Certificate") {
			modeOf = wireObject(c["authenticationModeConfiguration"])
		}
	}
	for _, kind := range []string{"policyOID", "issuerSubject"} {
		for _, rule := range wireObjects(modeOf["rules"]) {
			id := wireText(rule["identifier"])
			hit := kind == "policyOID" && slices.Contains(oids, id) || kind == "issuerSubject" && wireSame(id, leaf.Issuer.String())
			if hit && wireSame(wireText(rule["x509CertificateRuleType"]), kind) {
				return wireText(rule["x509CertificateAuthenticationMode"])
			}
		}
	}
	if m := wireText(modeOf["x509CertificateAuthenticationDefaultMode"]); m != "" {
		return m
	}
	return "x509CertificateSingleFactor"
}
