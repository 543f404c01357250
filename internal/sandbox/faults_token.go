package sandbox

import (
	"net/http"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// tokenFaults are those of tokens and of the token endpoint (faults 22 to 26).
// Variants without a function are looked up where tokens are made and verified.
var tokenFaults = []faultKind{
	{22, "expiry", "tokens that end in mid-run, or at once; a clock that is wrong", []faultVariant{
		{name: "expired", times: 1, reply: (*exchange).expire},
		{name: "zero"},
		{name: "ahead", value: "10m"},
		{name: "behind", value: "10m"},
	}},
	{23, "claims-challenge", "401 with a claims challenge (continuous access evaluation)", []faultVariant{
		{name: "once"},
		{name: "endless"},
	}},
	{24, "token-endpoint", "the token endpoint refuses, errs, waits, or answers for others", []faultVariant{
		{name: "429", times: 1, value: "1"},
		{name: "500", times: 1},
		{name: "slow", times: 1, value: "30s"},
		{name: "wrong-tenant"},
		{name: "wrong-audience"},
		{name: "certificate-expired"},
		{name: "secret-rotated"},
	}},
	{25, "national-cloud", "a token of another national cloud", []faultVariant{
		{name: "usgov", value: "https://graph.microsoft.us"},
		{name: "china", value: "https://microsoftgraph.chinacloudapi.cn"},
		{name: "public", value: "https://graph.microsoft.com"},
	}},
	{26, "consent-withdrawn", "consent is withdrawn", []faultVariant{
		{name: "token"},
		{name: "graph", reply: jsonError(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.")},
		{name: "disabled"},
	}},
}

// faultToken strikes at the token endpoint and reports whether it answered.
func (s *Server) faultToken(w http.ResponseWriter, r *http.Request) bool {
	if f, on := s.faults.on(24); on && strings.Contains(r.URL.Path, f.Path) {
		switch f.Variant {
		case "429", "500":
			if s.faults.take(f) {
				e := deny(50000)
				if f.Variant == "429" {
					w.Header().Set("Retry-After", f.Value)
					e = deny(90055)
				}
				s.writeRefusal(w, r, e)
				return true
			}
		case "slow":
			if by, err := time.ParseDuration(f.Value); err == nil && s.faults.take(f) {
				return !pauseFor(r.Context(), by)
			}
		}
	}
	f, on := s.faults.on(26)
	if !on || f.Variant == "graph" || !strings.Contains(r.URL.Path, f.Path) || !s.faults.take(f) {
		return false
	}
	id := r.PostFormValue("client_id")
	switch {
	case f.Variant == "disabled":
		s.writeRefusal(w, r, deny(7000112, id))
	case r.PostFormValue("grant_type") == "client_credentials":
		s.writeRefusal(w, r, deny(7000229, id, s.name()))
	default:
		s.writeRefusal(w, r, deny(65001, id, id))
	}
	return true
}

// falsify makes a token say what it should not (faults 24 and 25).
func (s *Server) falsify(claims jwt.MapClaims) {
	if f, on := s.faults.on(24); on {
		switch {
		case f.Variant == "wrong-tenant" && s.faults.take(f):
			claims["tid"], claims["iss"] = strangeTenant, s.issuerV1(strangeTenant)
		case f.Variant == "wrong-audience" && s.faults.take(f):
			claims["aud"] = "https://vault.azure.net"
		}
	}
	if f, on := s.faults.on(25); on && s.faults.take(f) {
		claims["aud"] = f.Value
	}
}

// challenged asks for a token with claims (fault 23): until one was issued for a
// challenge, or for ever.
func (s *Server) challenged(path string, claims jwt.MapClaims) error {
	f, on := s.faults.on(23)
	if !on || !strings.Contains(path, f.Path) {
		return nil
	}
	uti, _ := claims["uti"].(string)
	s.waiting.mu.Lock()
	answered := s.waiting.answered[uti]
	s.waiting.mu.Unlock()
	if f.Variant == "once" && answered || !s.faults.take(f) {
		return nil
	}
	return challenge("TokenIssuedBeforeRevocationTimestamp", s.now())
}
