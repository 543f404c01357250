package sandbox

import (
	"context"
	"slices"
	"strings"
	"time"
)

// signIn judges an attempt against the tenant as it is and writes the record of
// it to the sign-in log.
//
// An outage of sign-in is one of new sessions: nobody is served. In an outage of
// MFA the methods that Microsoft's MFA service verifies fail (push, codes, text
// message, call), while passkeys, certificates and passes do not pass through it;
// in one of federation nobody comes back from the identity provider (entra-docs
// role-based-access-control/security-emergency-access names these outages; which
// methods each takes down is inferred).
func (s *Server) signIn(ctx context.Context, a Attempt) Outcome {
	var out Outcome
	if err := ctx.Err(); err != nil {
		return Outcome{Code: 90033, Reason: reasonText(90033)}
	}
	err := s.Update(func(state *State) error {
		out = s.judge(state, &a)
		out.CorrelationID = a.CorrelationID
		if out.CorrelationID == "" {
			out.CorrelationID = newRecordID()
		}
		record := signInRecord(state, &a, &out, s.now())
		out.LogID = wireText(record["id"])
		state.Put("auditLogs/signIns", out.LogID, record)
		return nil
	})
	if err != nil {
		return Outcome{Code: 90033, Reason: reasonText(90033)}
	}
	return out
}

// judge fills in what the tenant knows and the attempt does not say, takes the
// outages into account and judges. The caller holds the state.
func (s *Server) judge(state *State, a *Attempt) Outcome {
	if a.UserRisk == "" {
		risky := state.Get("identityProtection/riskyUsers", a.UserID)
		if wireSame(wireText(risky["riskState"]), "atRisk") || wireSame(wireText(risky["riskState"]), "confirmedCompromised") {
			a.UserRisk = wireText(risky["riskLevel"])
		}
	}
	if s.faults.outage("signin") {
		a.Outage = "newSession"
	}
	asked := len(a.Used)
	a.Used = slices.Clone(a.Used)
	if s.faults.outage("mfa") {
		a.Used = slices.DeleteFunc(a.Used, func(m Shown) bool { return methodModes[strings.ToLower(m.Mode)].legacy })
	}
	if s.faults.outage("federation") {
		a.Used = slices.DeleteFunc(a.Used, func(m Shown) bool { return strings.HasPrefix(strings.ToLower(m.Mode), "federated") })
	}
	if a.Wrong != "" {
		code := wrongCodes[strings.ToLower(a.Wrong)]
		if code == 0 {
			code = 500121
		}
		if a.LockedOut && code == 50126 {
			code = 50053
		}
		return Outcome{Code: code, Reason: reasonText(code), Blockers: []Blocker{{"account", "noUsableCredential"}}}
	}
	out := NewWorld(state, s.now()).Judge(*a)
	if s.faults.outage("mfa") && !out.Allowed {
		// A combination whose second factor nobody can verify leads nowhere.
		out.Wants = slices.DeleteFunc(out.Wants, func(c []string) bool {
			return slices.ContainsFunc(c, func(m string) bool { return methodModes[strings.ToLower(m)].legacy })
		})
		if asked > len(a.Used) || len(out.Wants) == 0 && (out.Code == 50076 || out.Code == 50079) {
			out.Code, out.Reason = 500121, reasonText(500121)
		}
	}
	return out
}

// What a method that does not verify is called; of any other: 500121.
var wrongCodes = map[string]int{"password": 50126, "temporaryaccesspassonetime": 130503, "temporaryaccesspassmultiuse": 130503}

// visible reports whether a record of the sign-in or the audit log has had the
// time that records take to appear. Records are in their set from the start, with
// the time at which they happened; a list leaves out those that are not visible
// yet, so that a change of the delay acts on all of them.
func (s *Server) visible(o Object) bool {
	for _, name := range []string{"createdDateTime", "activityDateTime"} {
		if t, err := time.Parse(time.RFC3339, wireText(o[name])); err == nil {
			return !s.now().Before(t.Add(s.config.LogDelay))
		}
	}
	return true
}
