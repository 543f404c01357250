package app_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"halligan/custody"
	"halligan/entra"
	"halligan/internal/graph"
	"halligan/internal/sandbox"
	"halligan/lockout"
)

// agreeTenant is one tenant as both judges see it, and what random sign-ins of it
// are made from.
type agreeTenant struct {
	name      string
	snap      *entra.Snapshot
	state     *sandbox.State
	r         *rand.Rand
	enabled   []*entra.Policy
	index     map[string]int // of enabled by id
	people    []agreePerson
	inside    [][]int // by policy: a few whom it is meant for
	many      int     // how many these are
	outside   [][]int // by policy: everybody whom it is not meant for
	goals     []agreeGoal
	devices   []sandbox.Device
	envelope  map[lockout.Dimension]lockout.Quantifier
	addresses []agreeAddress
	places    [][]agreePlace // by policy: where it is meant for
	countries []string
}

// agreePerson is one account and the kits of methods with which it can sign in.
type agreePerson struct {
	id   entra.ID
	name string
	kits [][]sandbox.Shown
}

// agreeGoal is something to sign in for.
type agreeGoal struct {
	name string
	goal lockout.Goal
	step lockout.Step
}

// agreeAddress is an address and the ip locations that hold it.
type agreeAddress struct{ ip, locations string }

// finish prepares what random sign-ins are made from.
func (t *agreeTenant) finish(tb testing.TB, accounts []entra.ID) *agreeTenant {
	tb.Helper()
	var err error
	if t.state == nil {
		if t.state, err = sandbox.FromSnapshot(t.snap); err != nil {
			tb.Fatalf("%s: %v", t.name, err)
		}
	}
	c := t.snap.View()
	t.index = map[string]int{}
	ids := map[string]int{}
	for i := range c.Policies {
		ids[c.Policies[i].ID.Key()]++
	}
	for i := range c.Policies {
		if p := &c.Policies[i]; p.State == entra.StateEnabled && ids[p.ID.Key()] == 1 {
			t.index[p.ID.Key()] = len(t.enabled)
			t.enabled = append(t.enabled, p)
		}
	}
	for _, id := range accounts {
		t.people = append(t.people, t.person(id))
	}
	for i := range t.enabled {
		in, out := t.insiders(i)
		t.inside, t.outside = append(t.inside, in), append(t.outside, out)
	}
	t.makeGoals()
	t.makeDevices()
	t.makePlaces()
	for _, p := range t.enabled {
		t.places = append(t.places, t.placesOf(p.Conditions.Locations))
	}
	return t
}

// person lists the kits: all methods in every order that matters, each key and
// each certificate as the one of the session.
func (t *agreeTenant) person(id entra.ID) agreePerson {
	c := t.snap.View()
	p := agreePerson{id: id}
	for i := range c.Users {
		if c.Users[i].ID.Equal(id) {
			p.name = c.Users[i].UserPrincipalName
		}
	}
	var shown []sandbox.Shown
	for i := range c.Accounts {
		if !c.Accounts[i].ID.Equal(id) {
			continue
		}
		for _, m := range c.Accounts[i].Methods {
			shown = append(shown, showing(m)...)
		}
	}
	p.kits = append(p.kits, shown)
	for i := 1; i < len(shown); i++ { // each method first once: Hello, keys and certificates depend on it
		turned := slices.Concat(shown[i:i+1], shown[:i], shown[i+1:])
		if m := shown[i].Mode; m == "fido2" || m == "windowsHelloForBusiness" || strings.HasPrefix(m, "x509") {
			p.kits = append(p.kits, turned)
		}
	}
	return p
}

// showing is a registered method as it is shown in a sign-in.
func showing(m entra.AuthMethod) []sandbox.Shown {
	s := sandbox.Shown{Mode: string(m.Type), MethodID: string(m.ID), AAGUID: m.AAGUID, Synced: strings.EqualFold(m.PasskeyType, "synced")}
	switch m.Type {
	case entra.MethodTAP:
		s.Mode = "temporaryAccessPassMultiUse"
		if m.UsableOnce {
			s.Mode = "temporaryAccessPassOneTime"
		}
	case entra.MethodX509:
		s = sandbox.Shown{Mode: "x509CertificateSingleFactor", Issuer: m.IssuerSKI, Policies: m.PolicyOIDs}
		if m.MultiFactor {
			s.Mode = "x509CertificateMultiFactor"
		}
	case entra.MethodExternal:
		s.Mode = "externalAuthenticationMethod"
	case entra.MethodPlatform, entra.MethodEmail, entra.MethodUnknown:
		return nil
	}
	return []sandbox.Shown{s}
}

// insiders finds accounts that a policy includes and does not exclude, by the
// lists alone, and all whom it does not.
func (t *agreeTenant) insiders(i int) (in, out []int) {
	u := &t.enabled[i].Conditions.Users
	c := t.snap.View()
	has := func(p *agreePerson, users, groups, roles []entra.ID, guests *entra.Guests) bool {
		guest := strings.Contains(p.name, "guest") || strings.Contains(p.name, "#EXT#")
		for _, id := range users {
			if id.Equal("All") || id.Equal(p.id) || guest && id.Equal("GuestsOrExternalUsers") {
				return true
			}
		}
		for j := range c.Accounts {
			if c.Accounts[j].ID.Equal(p.id) && slices.ContainsFunc(groups, func(g entra.ID) bool { return slices.ContainsFunc(c.Accounts[j].Memberships, g.Equal) }) {
				return true
			}
		}
		for j := range c.RoleAssignments {
			a := &c.RoleAssignments[j]
			if a.Principal.Equal(p.id) && a.Scope == "/" && a.Assignment == entra.AssignmentActive && slices.ContainsFunc(roles, a.Role.Equal) {
				return true
			}
		}
		return guest && guests != nil
	}
	for j := range t.people {
		p := &t.people[j]
		if has(p, u.IncludeUsers, u.IncludeGroups, u.IncludeRoles, u.IncludeGuests) && !has(p, u.ExcludeUsers, u.ExcludeGroups, u.ExcludeRoles, u.ExcludeGuests) {
			in = append(in, j)
			continue
		}
		out = append(out, j)
	}
	t.r.Shuffle(len(in), func(a, b int) { in[a], in[b] = in[b], in[a] })
	return in[:min(len(in), max(t.many, 1))], out
}

const (
	exchangeOnline = entra.ID("00000002-0000-0ff1-ce00-000000000000")
	mySignIns      = entra.ID("19db86c3-b2b9-44cc-b339-36da233a3be2")
	microsoftGraph = entra.ID("00000003-0000-0000-c000-000000000000")
	someOtherApp   = entra.ID("a0000000-0000-4000-8000-00000000000a")
)

// makeGoals: the goals, every application that a policy names, the user actions
// and the authentication contexts.
func (t *agreeTenant) makeGoals() {
	seen := map[string]bool{}
	add := func(g agreeGoal) {
		if !seen[g.name] {
			seen[g.name] = true
			g.goal.Name, g.goal.ClientAppTypes = g.name, []entra.ClientAppType{entra.ClientBrowser}
			t.goals = append(t.goals, g)
		}
	}
	app := func(id entra.ID) {
		add(agreeGoal{name: "app " + id.Key(), goal: lockout.Goal{Client: id, Audiences: []entra.ID{id}}})
	}
	for _, name := range []string{"entraAdminCenter", "m365AdminCenter", "graphPowerShell", "azureCliWrite"} {
		g, _ := lockout.ResolveGoal(name)
		for _, a := range g.Audiences {
			seen["app "+a.Key()] = true // the portals are goals of their own
		}
		add(agreeGoal{name: name, goal: g})
	}
	shell, _ := lockout.ResolveGoal("graphPowerShell")
	add(agreeGoal{name: "baseline scopes", goal: lockout.Goal{Client: shell.Client, Audiences: shell.Audiences, LowPrivOnly: true}})
	app(exchangeOnline)
	app(someOtherApp)
	action := func(a string) {
		add(agreeGoal{name: a, step: lockout.Step{Action: a, Audiences: []entra.ID{mySignIns}},
			goal: lockout.Goal{Client: mySignIns, Audiences: []entra.ID{mySignIns}, Stage: &lockout.Stage{Kind: "userAction", Action: a, Audiences: []entra.ID{mySignIns}}}})
	}
	action("urn:user:registersecurityinfo")
	add(agreeGoal{name: "context c99", step: lockout.Step{Context: "c99"}, goal: shell})
	for _, p := range t.enabled {
		a := &p.Conditions.Applications
		for _, id := range slices.Concat(a.Include, a.Exclude) {
			if id.IsGUID() {
				app(id)
			}
		}
		for _, x := range a.UserActions {
			action(strings.ToLower(x))
		}
		for _, x := range a.AuthContexts {
			add(agreeGoal{name: "context " + x, step: lockout.Step{Context: x}, goal: shell})
		}
	}
}

// makeDevices: a bare one, the usual ones, and those that the filters ask for.
func (t *agreeTenant) makeDevices() {
	t.devices = []sandbox.Device{{},
		{ID: "dev-1", TrustType: "AzureAD", Managed: true, Compliant: true},
		{ID: "dev-2", TrustType: "ServerAD", Managed: true, Joined: true},
		{ID: "dev-3", TrustType: "Workplace"},
		{ID: "dev-4", TrustType: "Workplace", Managed: true, Compliant: true, ApprovedApp: true, AppMAM: true},
	}
	for _, p := range t.enabled {
		f := p.Conditions.DeviceFilter
		if f == nil || len(t.devices) > 12 {
			continue
		}
		d := sandbox.Device{ID: fmt.Sprintf("dev-f%d", len(t.devices)), TrustType: "AzureAD", Managed: true, Compliant: t.r.IntN(2) == 0, Properties: map[string]string{}}
		words := strings.FieldsFunc(f.Rule, func(r rune) bool { return strings.ContainsRune(" ()[]", r) })
		for i := 0; i+2 < len(words); i++ {
			name, is := strings.CutPrefix(words[i], "device.")
			value := strings.Trim(words[i+2], "\"'`,")
			if is && value != "" && !strings.EqualFold(name, "isCompliant") && !strings.EqualFold(name, "trustType") && !strings.EqualFold(name, "deviceId") {
				d.Properties[name] = value
			}
		}
		if len(d.Properties) > 0 {
			t.devices = append(t.devices, d)
		}
	}
	var list []lockout.Device
	for i := range t.devices {
		list = append(list, *proverDevice(&t.devices[i]))
	}
	t.envelope = map[lockout.Dimension]lockout.Quantifier{lockout.DimDevice: {Devices: list}}
	for _, d := range lockout.Dimensions {
		if d != lockout.DimDevice {
			t.envelope[d] = lockout.Quantifier{All: true}
		}
	}
}

// proverDevice is a device in the prover's words.
func proverDevice(d *sandbox.Device) *lockout.Device {
	if d.ID == "" {
		return &lockout.Device{}
	}
	out := &lockout.Device{Registered: true, Managed: d.Managed || d.Joined, Attributes: map[string][]string{"deviceId": {d.ID}, "trustType": {d.TrustType}, "isCompliant": {"False"}}}
	if d.Compliant {
		out.Attributes["isCompliant"] = []string{"True"}
	}
	for name, v := range d.Properties {
		out.Attributes[name] = []string{v}
		if strings.EqualFold(name, "physicalIds") || strings.EqualFold(name, "systemLabels") {
			out.Attributes[name] = strings.Split(v, ",")
		}
	}
	return out
}

// makePlaces: an address inside each range and outside all, with the locations
// that hold it; and the countries that decide.
func (t *agreeTenant) makePlaces() {
	var at []netip.Addr
	for _, s := range []string{"203.0.113.77", "8.8.4.4", "2001:db8:ffff::77"} {
		at = append(at, netip.MustParseAddr(s))
	}
	t.countries = []string{"", "NZ", "US"}
	c := t.snap.View()
	for i := range c.Locations {
		for _, r := range c.Locations[i].Ranges {
			at = append(at, r.First, r.Last)
		}
		for _, code := range c.Locations[i].Countries {
			if len(t.countries) < 30 && !slices.Contains(t.countries, code) {
				t.countries = append(t.countries, code)
			}
		}
	}
	for _, a := range at {
		var in []string
		for i := range c.Locations {
			l := &c.Locations[i]
			if l.Kind == entra.LocationIP && slices.ContainsFunc(l.Ranges, func(r entra.IPRange) bool {
				return r.First.Is4() == a.Is4() && r.First.Compare(a) <= 0 && a.Compare(r.Last) <= 0
			}) {
				in = append(in, string(l.ID))
			}
		}
		t.addresses = append(t.addresses, agreeAddress{a.String(), strings.Join(in, ",")})
	}
}

// agreeTenants are the example tenants, read over the wire, and the published
// sets, furnished with people.
func agreeTenants(t *testing.T) []*agreeTenant {
	var out []*agreeTenant
	for i, name := range sandbox.ExampleNames() {
		out = append(out, exampleTenant(t, name, uint64(i)))
	}
	out = append(out, furnished(t, "corners", cornerPolicies(), 98), furnished(t, "corners", cornerPolicies(), 99))
	for i, set := range corpusSets(t) {
		out = append(out, furnished(t, set.Repo+" "+set.Source, set.sources(t), uint64(100+i)))
	}
	return out
}

// exampleTenant reads an example tenant with the client of Graph, as the product
// does.
func exampleTenant(t *testing.T, name string, n uint64) *agreeTenant {
	t.Helper()
	state, err := sandbox.Example(name)
	if err != nil {
		t.Fatal(err)
	}
	var server *sandbox.Server
	front := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { server.ServeHTTP(w, r) }))
	t.Cleanup(front.Close)
	if server, err = sandbox.New(sandbox.Config{State: state, Host: strings.TrimPrefix(front.URL, "https://")}); err != nil {
		t.Fatal(err)
	}
	cloud, err := graph.CustomCloud(front.URL, front.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs)
	if err != nil {
		t.Fatal(err)
	}
	clientID, secret := "", ""
	for _, a := range state.All("applications") {
		if a["displayName"] == "Halligan reader" {
			clientID, _ = a["appId"].(string)
			key, _ := a["passwordCredentials"].([]any)[0].(sandbox.Object)["keyId"].(string)
			secret = state.Secrets[key]
		}
	}
	credential, err := graph.SignIn{Method: graph.MethodSecret, Cloud: cloud, Tenant: state.ID, ClientID: clientID, Secret: custody.NewSecret([]byte(secret))}.Build()
	if err != nil {
		t.Fatal(err)
	}
	client, err := graph.New(graph.Config{Cloud: cloud, Tenant: state.ID, Credential: credential})
	if err != nil {
		t.Fatal(err)
	}
	var scope graph.Scope
	var accounts []entra.ID
	for _, u := range state.All("users") {
		id, _ := u["id"].(string)
		upn, _ := u["userPrincipalName"].(string)
		if !strings.Contains(upn, ".onmicrosoft.com") && !strings.Contains(upn, "#EXT#") && len(accounts) > 6 && !strings.HasPrefix(upn, "svc-") {
			continue
		}
		scope.Accounts, accounts = append(scope.Accounts, id), append(accounts, entra.ID(id))
	}
	snap, err := client.Read(t.Context(), scope)
	if err != nil {
		t.Fatal(err)
	}
	for part, st := range snap.View().Parts {
		if st.Status == entra.StatusDenied && !strings.Contains(st.Detail, "licens") && !strings.Contains(st.Detail, "NonPremium") && !strings.Contains(st.Detail, "license") {
			t.Errorf("%s: %s was not read: %s", name, part, st.Detail)
		}
	}
	// The state itself is judged, not what was read of it: a mistake of reading
	// shows as a disagreement.
	a := &agreeTenant{name: name, snap: snap, state: state, r: rand.New(rand.NewPCG(agreeSeed, n))}
	return a.finish(t, accounts)
}

// furnished is a published set of policies with invented people, groups, roles,
// locations and methods around it.
func furnished(t *testing.T, name string, sources []entra.Source, n uint64) *agreeTenant {
	t.Helper()
	snap, err := entra.Read(sources...)
	if err != nil {
		t.Fatal(err)
	}
	f := &furnisher{r: rand.New(rand.NewPCG(agreeSeed, n)), policies: snap.View().Policies}
	f.furnish()
	c := entra.Assemble(f.id("tenant", int(n)), "public", agreeDay, f.answers).Content()
	read := snap.View()
	c.Policies, c.Troubles, c.Parts[entra.PartPolicies] = read.Policies, read.Troubles, read.Parts[entra.PartPolicies]
	c.Parts[entra.PartGroups] = entra.PartState{Status: entra.StatusRead}
	if n%3 != 0 {
		enforced := n%3 == 1
		c.LowPrivilegeScopes = &enforced
	}
	for i := range c.Accounts {
		if i%5 == 3 || slices.ContainsFunc(c.Accounts[i].Memberships, func(g entra.ID) bool { return g.Equal("corner certificates") || g.Equal("corner one issuer") }) { // Graph does not tell of certificates; a person does
			c.Accounts[i].Methods = append(c.Accounts[i].Methods,
				entra.AuthMethod{ID: "certificate-1", Type: entra.MethodX509, MultiFactor: i%2 == 0, IssuerSKI: "aa11"},
				entra.AuthMethod{ID: "certificate-2", Type: entra.MethodX509, MultiFactor: true, IssuerSKI: "bb22", PolicyOIDs: []string{"1.2.3"}})
		}
	}
	a := &agreeTenant{name: name, snap: entra.NewSnapshot(c), r: f.r}
	if name == "corners" {
		a.many = 8 // each with other methods
	}
	return a.finish(t, f.accounts)
}

func mustJSON(v any) json.RawMessage {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return text
}
