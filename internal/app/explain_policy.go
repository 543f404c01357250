package app

import (
	"fmt"
	"strings"

	"halligan/entra"
	"halligan/lockout/facts"
)

// namer finds the names of what a policy names by id.
type namer struct{ v *entra.Content }

func (n namer) one(id entra.ID) string {
	name := ""
	switch id.Key() {
	case "all":
		return "all"
	case "none":
		return "none"
	case "alltrusted":
		return "every trusted location"
	case "office365":
		return "Office 365"
	case "microsoftadminportals":
		return "Microsoft admin portals"
	case "guestsorexternalusers":
		return "all guests and external users"
	}
	for i := range n.v.Users {
		if n.v.Users[i].ID.Equal(id) {
			name = n.v.Users[i].UserPrincipalName
		}
	}
	for i := range n.v.Groups {
		if n.v.Groups[i].ID.Equal(id) {
			name = n.v.Groups[i].DisplayName
		}
	}
	for i := range n.v.Locations {
		if n.v.Locations[i].ID.Equal(id) {
			name = n.v.Locations[i].DisplayName
		}
	}
	for i := range n.v.Applications {
		if n.v.Applications[i].AppID.Equal(id) {
			name = n.v.Applications[i].DisplayName
		}
	}
	if name == "" {
		return string(id)
	}
	return fmt.Sprintf("%q", name)
}

// namesIn are the names of what verdicts name by id.
func namesIn(v *entra.Content) map[string]string {
	out := map[string]string{}
	name := func(id entra.ID, name string) {
		if id != "" && name != "" && !strings.EqualFold(name, string(id)) {
			out[id.Key()] = name
		}
	}
	for i := range v.Accounts {
		for j := range v.Accounts[i].Methods {
			m := &v.Accounts[i].Methods[j]
			words := string(m.Type)
			if m.DisplayName != "" {
				words += fmt.Sprintf(" %q", m.DisplayName)
			}
			name(m.ID, words)
		}
	}
	for i := range v.Users {
		name(v.Users[i].ID, v.Users[i].UserPrincipalName)
	}
	for i := range v.Groups {
		name(v.Groups[i].ID, v.Groups[i].DisplayName)
	}
	for i := range v.Locations {
		name(v.Locations[i].ID, v.Locations[i].DisplayName)
	}
	for i := range v.Strengths {
		name(v.Strengths[i].ID, v.Strengths[i].DisplayName)
	}
	return out
}

func (n namer) all(ids []entra.ID) []string {
	var out []string
	for _, id := range ids {
		out = append(out, n.one(id))
	}
	return out
}

// some joins a list; a long one is cut, its length told.
func some(list []string) string {
	const most = 8
	if len(list) > most {
		return strings.Join(list[:most], ", ") + fmt.Sprintf(" and %d more", len(list)-most)
	}
	return strings.Join(list, ", ")
}

func roles(ids []entra.ID) []string {
	var out []string
	for _, id := range ids {
		out = append(out, facts.RoleName(id))
	}
	return out
}

func words[T ~string](list []T) []string {
	var out []string
	for _, x := range list {
		out = append(out, string(x))
	}
	return out
}

// policySays tells what a policy asks of whom, one thought a sentence.
func policySays(snap *entra.Snapshot, p *entra.Policy) []string {
	n := namer{snap.View()}
	states := map[entra.PolicyState]string{entra.StateEnabled: "it is enabled", entra.StateReportOnly: "it is report-only: it decides nothing, and is written to the logs",
		entra.StateDisabled: "it is disabled"}
	says := []string{"its state is missing or not known"}
	if s := states[p.State]; s != "" {
		says[0] = s
	}
	if p.Managed {
		says = append(says, "Microsoft made it and may switch it on by itself")
	}
	says = append(says, who(n, p)...)
	says = append(says, target(n, p)...)
	says = append(says, when(n, p)...)
	says = append(says, grants(n, p)...)
	return append(says, sessions(p)...)
}

// part is one item of a list such as "groups A, B"; it is left out when empty.
func part(noun string, list []string) []string {
	switch {
	case len(list) == 0:
		return nil
	case len(list) == 1 && list[0] == "all":
		return []string{"all " + noun}
	}
	return []string{noun + " " + some(list)}
}

func who(n namer, p *entra.Policy) []string {
	u := &p.Conditions.Users
	side := func(users, groups, held []entra.ID, guests *entra.Guests) []string {
		out := part("users", n.all(users))
		out = append(out, part("members of", n.all(groups))...)
		out = append(out, part("holders of", roles(held))...)
		if guests != nil {
			out = append(out, part("guests:", words(guests.Types))...)
		}
		return out
	}
	var says []string
	in, ex := side(u.IncludeUsers, u.IncludeGroups, u.IncludeRoles, u.IncludeGuests), side(u.ExcludeUsers, u.ExcludeGroups, u.ExcludeRoles, u.ExcludeGuests)
	switch {
	case len(in) > 0:
		says = append(says, "it includes "+strings.Join(in, "; "))
	case p.Conditions.Workload || p.Conditions.Agents:
		says = append(says, "it is for workload or agent identities, not for people")
	default:
		says = append(says, "it includes nobody")
	}
	if len(ex) > 0 {
		says = append(says, "it excludes "+strings.Join(ex, "; "))
	} else {
		says = append(says, "it excludes nobody")
	}
	return says
}

func target(n namer, p *entra.Policy) []string {
	a := &p.Conditions.Applications
	in := part("applications", n.all(a.Include))
	in = append(in, part("user actions", a.UserActions)...)
	in = append(in, part("authentication contexts", a.AuthContexts)...)
	if a.GlobalSecureAccess {
		in = append(in, "traffic of Global Secure Access")
	}
	var says []string
	if len(in) > 0 {
		says = append(says, "it is for "+strings.Join(in, "; "))
	} else {
		says = append(says, "it names no application and no action")
	}
	if len(a.Exclude) > 0 {
		says = append(says, "not for applications "+some(n.all(a.Exclude)))
	}
	if a.Filter != nil {
		says = append(says, fmt.Sprintf("its application filter %ss %s", a.Filter.Mode, a.Filter.Rule))
	}
	return says
}

func when(n namer, p *entra.Policy) []string {
	c := &p.Conditions
	var out []string
	if len(c.ClientAppTypes) > 0 && c.ClientAppTypes[0] != entra.ClientAll {
		out = append(out, "the client is "+strings.Join(words(c.ClientAppTypes), " or "))
	}
	if c.Platforms != nil {
		s := "the platform is " + strings.Join(words(c.Platforms.Include), " or ")
		if len(c.Platforms.Exclude) > 0 {
			s += " but not " + strings.Join(words(c.Platforms.Exclude), " or ")
		}
		out = append(out, s)
	}
	if c.Locations != nil {
		s := "the sign-in comes from " + some(n.all(c.Locations.Include))
		if len(c.Locations.Include) == 1 && c.Locations.Include[0].Key() == "all" {
			s = "the sign-in comes from anywhere"
		}
		if len(c.Locations.Exclude) > 0 {
			s += " but not from " + some(n.all(c.Locations.Exclude))
		}
		out = append(out, s)
	}
	if c.DeviceFilter != nil {
		out = append(out, map[bool]string{true: "the device does not match ", false: "the device matches "}[c.DeviceFilter.Mode == entra.FilterExclude]+c.DeviceFilter.Rule)
	}
	for _, risk := range []struct {
		noun   string
		levels []string
	}{{"sign-in risk", words(c.SignInRisk)}, {"user risk", words(c.UserRisk)}, {"insider risk", words(c.InsiderRisk)}} {
		if len(risk.levels) > 0 {
			out = append(out, "the "+risk.noun+" is "+strings.Join(risk.levels, " or "))
		}
	}
	if len(c.Flows) > 0 {
		out = append(out, "the flow is "+strings.Join(words(c.Flows), " or "))
	}
	if len(out) == 0 {
		return []string{"it applies to every sign-in to these"}
	}
	return []string{"it applies when " + strings.Join(out, ", and ")}
}

func grants(n namer, p *entra.Policy) []string {
	g := &p.Grant
	var items []string
	for _, c := range g.Controls {
		items = append(items, string(c))
	}
	if g.Strength != nil {
		name := g.Strength.DisplayName
		for i := range n.v.Strengths {
			if n.v.Strengths[i].ID.Equal(g.Strength.ID) && n.v.Strengths[i].DisplayName != "" {
				name = n.v.Strengths[i].DisplayName
			}
		}
		if s, ok := facts.BuiltInStrength(g.Strength.ID); ok && name == "" {
			name = s.DisplayName
		}
		if name == "" {
			name = string(g.Strength.ID)
		}
		items = append(items, fmt.Sprintf("authentication strength %q", name))
	}
	for range g.TermsOfUse {
		items = append(items, "terms of use")
	}
	for _, f := range g.CustomFactors {
		items = append(items, "custom control "+f)
	}
	switch {
	case len(items) == 0:
		return []string{"it asks for nothing before access"}
	case len(items) == 1 && items[0] == string(entra.ControlBlock):
		return []string{"it blocks access"}
	case len(items) == 1:
		return []string{"it asks for " + items[0]}
	case g.Operator == entra.OperatorOr:
		return []string{"it asks for one of " + strings.Join(items, ", ")}
	case g.Operator == entra.OperatorAnd:
		return []string{"it asks for all of " + strings.Join(items, ", ")}
	}
	return []string{"it asks for one or all (the operator is not known) of " + strings.Join(items, ", ")}
}

func sessions(p *entra.Policy) []string {
	s := &p.Session
	var out []string
	if f := s.SignInFrequency; f != nil {
		often := fmt.Sprintf("after %d %s", f.Value, f.Unit)
		if f.EveryTime {
			often = "every time"
		}
		out = append(out, "sign in again "+often)
	}
	if s.PersistentBrowser != "" {
		out = append(out, "persistent browser session: "+s.PersistentBrowser)
	}
	if s.CloudAppSecurity != "" {
		out = append(out, "Defender for Cloud Apps: "+s.CloudAppSecurity)
	}
	if s.ContinuousAccessEvaluation != "" {
		out = append(out, "continuous access evaluation: "+s.ContinuousAccessEvaluation)
	}
	for _, flag := range []struct {
		on   bool
		word string
	}{{s.AppEnforcedRestrictions, "restrictions enforced by applications"}, {s.DisableResilienceDefaults, "resilience defaults off"},
		{s.SecureSignInSession, "token bound to the device"}, {s.GlobalSecureAccess, "a profile of Global Secure Access"}} {
		if flag.on {
			out = append(out, flag.word)
		}
	}
	if len(out) == 0 {
		return nil
	}
	return []string{"in the session: " + strings.Join(out, "; ")}
}
