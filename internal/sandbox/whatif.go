package sandbox

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
)

// errWhatIf is a body that names no identity or no context.
var errWhatIf = errors.New("evaluate conditional access: signInIdentity and signInContext must each name one thing")

// whatIf answers POST /identity/conditionalAccess/evaluate (Graph v1.0
// conditionalaccessroot-evaluate): for every policy whether it applies and why
// not. What the body leaves open makes a policy that asks for it
// notEnoughInformation. The caller holds the state.
func (s *Server) whatIf(state *State, body Object) ([]Object, error) {
	return caEvaluate(state, s.now(), body)
}

func caEvaluate(state *State, at time.Time, body Object) ([]Object, error) {
	identity := wireObject(body["signInIdentity"])
	w := NewWorld(state, at)
	if id := wireText(identity["servicePrincipalId"]); id != "" {
		return w.evaluateWorkload(id, body), nil
	}
	who := w.signer(wireText(identity["userId"]))
	a, open, ok := whatIfAttempt(body)
	if who == nil || !ok {
		return nil, errWhatIf
	}
	a.UserID = who.id
	q := w.question(&a, who)
	q.open = open
	var out []Object
	for _, p := range w.policies {
		reasons := w.reasons(p, q)
		out = append(out, whatIfResult(p, reasons))
	}
	return whatIfOnly(body, out), nil
}

// reasons are why a policy does not apply; none when it does.
func (w *World) reasons(p *caPolicy, q *question) []string {
	var out []string
	add := func(reason string) {
		if !slices.Contains(out, reason) {
			out = append(out, reason)
		}
	}
	for i := range conditions {
		q.unsure = map[string]bool{}
		t := conditions[i].match(w, p, q)
		for note := range q.unsure {
			if strings.HasPrefix(note, "open:") {
				t = maybe
			}
		}
		switch t {
		case no:
			add(reasonOf(conditions[i].reason, p, q))
		case maybe:
			add("notEnoughInformation")
		}
	}
	if p.state != "enabled" && p.state != "enabledforreportingbutnotenforced" {
		add("policyNotEnabled")
	}
	return out
}

func whatIfResult(p *caPolicy, reasons []string) Object {
	o := maps.Clone(p.raw)
	o["policyApplies"] = len(reasons) == 0
	o["analysisReasons"] = "notSet"
	if len(reasons) > 0 {
		o["analysisReasons"] = strings.Join(reasons, ",")
	}
	return o
}

func whatIfOnly(body Object, list []Object) []Object {
	if wireBool(body["appliedPoliciesOnly"]) {
		list = slices.DeleteFunc(list, func(o Object) bool { return !wireBool(o["policyApplies"]) })
	}
	return list
}

// evaluateWorkload answers for a service principal, to which policies for users
// never apply.
func (w *World) evaluateWorkload(id string, body Object) []Object {
	var out []Object
	apps := wireList(wireObject(body["signInContext"])["includeApplications"])
	for _, p := range w.policies {
		var reasons []string
		c := wireObject(wireObject(p.raw["conditions"])["clientApplications"])
		in, not := wireList(c["includeServicePrincipals"]), wireList(c["excludeServicePrincipals"])
		named := slices.Contains(in, "serviceprincipalsinmytenant") || slices.Contains(in, key(id))
		if !named || slices.Contains(not, key(id)) {
			reasons = append(reasons, "workloadIdentities")
		}
		if !slices.Contains(p.apps, "all") && !slices.ContainsFunc(apps, func(a string) bool { return w.appListed(p.apps, a) }) {
			reasons = append(reasons, "application")
		}
		if p.state == "disabled" {
			reasons = append(reasons, "policyNotEnabled")
		}
		out = append(out, whatIfResult(p, reasons))
	}
	return whatIfOnly(body, out)
}

var whatIfActions = map[string]string{"registersecurityinformation": "urn:user:registersecurityinfo", "registerorjoindevices": "urn:user:registerdevice"}

// whatIfAttempt reads context and conditions; open names what the body does not say.
func whatIfAttempt(body Object) (a Attempt, open map[string]bool, ok bool) {
	context := wireObject(body["signInContext"])
	a.Audiences = wireList(context["includeApplications"])
	a.Context = wireText(context["authenticationContextValue"])
	a.Action = whatIfActions[strings.ToLower(wireText(context["userAction"]))]
	if len(a.Audiences) == 0 && a.Context == "" && a.Action == "" {
		return a, nil, false
	}
	c := wireObject(body["signInConditions"])
	open = map[string]bool{}
	read := func(name string) string {
		v := wireText(c[name])
		if v == "" {
			open[name] = true
		}
		return v
	}
	a.ClientApp, a.Platform = read("clientAppType"), read("devicePlatform")
	a.Country, a.IP = read("country"), read("ipAddress")
	a.SignInRisk, a.UserRisk, a.InsiderRisk = read("signInRiskLevel"), read("userRiskLevel"), read("insiderRiskLevel")
	// The names that the conditions of the evaluator know.
	open["signInRisk"], open["userRisk"], open["insiderRisk"] = open["signInRiskLevel"], open["userRiskLevel"], open["insiderRiskLevel"]
	if a.Flow = wireText(wireObject(c["authenticationFlow"])["transferMethod"]); a.Flow == "" {
		open["authenticationFlow"] = true
	}
	open["location"] = open["ipAddress"]
	d := wireObject(c["deviceInfo"])
	if open["deviceInfo"] = wireEmpty(d); !open["deviceInfo"] {
		a.Device = whatIfDevice(d)
	}
	return a, open, true
}

func whatIfDevice(d Object) Device {
	out := Device{ID: wireText(d["deviceId"]), TrustType: wireText(d["trustType"]), Compliant: wireBool(d["isCompliant"]),
		Properties: map[string]string{"deviceOwnership": wireText(d["ownership"])}}
	for k, v := range d {
		switch v := v.(type) {
		case string:
			out.Properties[k] = v
		case []any:
			out.Properties[k] = strings.Join(wireElements(v), ",")
		}
	}
	out.Managed = out.Properties["mdmAppId"] != "" || out.Compliant
	return out
}
