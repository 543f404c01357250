package lockout_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"halligan/entra"
	"halligan/lockout"
)

type (
	obj = map[string]any
	arr = []any
)

// world is a small tenant with a question: a vector, and what a vector cannot
// say because in it everything is read.
type world struct {
	vector obj
	tweaks []string
}

// file wraps the world into a file of vectors.
func (w *world) file() []byte {
	out, err := json.MarshalIndent(obj{"schema": lockout.VectorSchema, "vectors": arr{w.vector}}, "", " ")
	if err != nil {
		panic(err)
	}
	return out
}

// question builds the world through the public door.
func (w *world) question() (*entra.Snapshot, lockout.Question, error) {
	f, err := lockout.ReadVectors(w.file())
	if err != nil {
		return nil, lockout.Question{}, err
	}
	v := &f.Vectors[0]
	s, err := v.Snapshot()
	if err != nil {
		return nil, lockout.Question{}, err
	}
	q, err := v.Question(s)
	if err != nil || len(w.tweaks) == 0 {
		return s, q, err
	}
	c := s.Content()
	for _, name := range w.tweaks {
		tweaks[name](&c, &q)
	}
	return entra.NewSnapshot(c), q, nil
}

// tweaks are the things that were not read, or that a vector has no word for.
var tweaks = map[string]func(*entra.Content, *lockout.Question){
	"memberships not read, groups read": func(c *entra.Content, _ *lockout.Question) {
		c.Accounts[0].MembersRead, c.Accounts[0].Memberships = false, nil
	},
	"memberships and groups not read": func(c *entra.Content, _ *lockout.Question) {
		c.Accounts[0].MembersRead, c.Accounts[0].Memberships = false, nil
		for i := range c.Groups {
			c.Groups[i].MembersRead, c.Groups[i].Members = false, nil
		}
		c.Parts[entra.PartGroups] = entra.PartState{Status: entra.StatusDenied}
	},
	"one group not read": func(c *entra.Content, _ *lockout.Question) {
		c.Accounts[0].MembersRead, c.Accounts[0].Memberships = false, nil
		if len(c.Groups) > 0 {
			c.Groups[0].MembersRead, c.Groups[0].Members = false, nil
		}
	},
	"methods policy not read": func(c *entra.Content, _ *lockout.Question) {
		c.MethodsPolicy = nil
		c.Parts[entra.PartMethodsPolicy] = entra.PartState{Status: entra.StatusNotAsked}
	},
	"legacy settings not stated": func(c *entra.Content, _ *lockout.Question) { c.LegacyMethods = nil },
	"configurations of strengths not read": func(c *entra.Content, _ *lockout.Question) {
		for i := range c.Strengths {
			c.Strengths[i].ConfigurationsRead, c.Strengths[i].Configurations = false, nil
		}
		for i := range c.Policies {
			if s := c.Policies[i].Grant.Strength; s != nil {
				s.ConfigurationsRead, s.Configurations = false, nil
			}
		}
	},
	"roles through a group": func(c *entra.Content, _ *lockout.Question) {
		for i := range c.RoleAssignments {
			if len(c.Groups) > 0 {
				c.RoleAssignments[i].Principal = c.Groups[i%len(c.Groups)].ID
			}
		}
	},
	"roles not read": func(c *entra.Content, _ *lockout.Question) {
		c.RoleAssignments = nil
		c.Parts[entra.PartRoleAssignments] = entra.PartState{Status: entra.StatusDenied}
		c.Parts[entra.PartRoleEligibility] = entra.PartState{Status: entra.StatusDenied}
	},
	"registration not ruled out": func(c *entra.Content, _ *lockout.Question) { c.RegistrationRuledOut = false },
	"activation asks for MFA": func(c *entra.Content, _ *lockout.Question) {
		for i := range c.RolePolicies {
			c.RolePolicies[i].MFARequired = true
		}
	},
	"activation asks for context c2": func(c *entra.Content, _ *lockout.Question) {
		for i := range c.RolePolicies {
			c.RolePolicies[i].AuthContext = "c2"
		}
	},
	"per-user MFA not read":       func(c *entra.Content, _ *lockout.Question) { c.Accounts[0].PerUserMFA = "" },
	"security defaults not read":  func(c *entra.Content, _ *lockout.Question) { c.SecurityDefaults = nil },
	"kind of account not read":    func(c *entra.Content, _ *lockout.Question) { c.Users[0].UserType = "" },
	"whether enabled is not read": func(c *entra.Content, _ *lockout.Question) { c.Users[0].Enabled = nil },
	"attributes of applications not read": func(c *entra.Content, _ *lockout.Question) {
		for i := range c.Applications {
			c.Applications[i].Attributes, c.Applications[i].AttributesRead = nil, false
		}
	},
	"agreements not read": func(c *entra.Content, _ *lockout.Question) {
		c.Agreements = nil
		c.Parts[entra.PartAgreements] = entra.PartState{Status: entra.StatusDenied}
	},
	"applications not read": func(c *entra.Content, _ *lockout.Question) {
		c.Applications = nil
		c.Parts[entra.PartApplications] = entra.PartState{Status: entra.StatusDenied}
	},
	"2049 groups": func(c *entra.Content, _ *lockout.Question) {
		for i := range 2049 {
			c.Accounts[0].Memberships = append(c.Accounts[0].Memberships, entra.ID("filler-"+strconv.Itoa(i)))
		}
	},
	"campaign of the methods policy": func(c *entra.Content, _ *lockout.Question) {
		if c.MethodsPolicy != nil {
			c.MethodsPolicy.Campaign = &entra.RegistrationCampaign{State: "enabled",
				Include: []entra.MethodTarget{{TargetType: "group", ID: "all_users", Method: "microsoftAuthenticator"}}}
		}
	},
	"after SMS and voice": func(_ *entra.Content, q *lockout.Question) { q.Now = "2027-02-01" },
}

// tweakNames are the tweaks in a fixed order.
var tweakNames = func() []string {
	var out []string
	for name := range tweaks {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}()

// builder makes a world from a source of chance.
type builder struct {
	r *rand.Rand
	// groups, strengths, locations and agreements that policies may name.
	groups, strengths, ipLocations, countryLocations []string
}

func (b *builder) chance(percent int) bool { return b.r.IntN(100) < percent }

func one[T any](b *builder, list ...T) T { return list[b.r.IntN(len(list))] }

// some returns each element with a chance, in order.
func some[T any](b *builder, percent int, list ...T) arr {
	out := arr{}
	for _, v := range list {
		if b.chance(percent) {
			out = append(out, v)
		}
	}
	return out
}

// atLeast returns some elements, one at least.
func atLeast[T any](b *builder, percent int, list ...T) arr {
	if out := some(b, percent, list...); len(out) > 0 {
		return out
	}
	return arr{one(b, list...)}
}

const (
	account = "bg1"

	roleGA  = "62e90394-69f5-4237-9190-012177145e10"
	roleCA  = "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9"
	roleSec = "194ae4cb-b126-40b2-bd5b-6091b380977d"
	roleGR  = "f2ef992c-3afb-46b9-b7cf-a126ee74c451" // Global Reader: repairs nothing

	appPortal    = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
	appARM       = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
	appGraph     = "00000003-0000-0000-c000-000000000000"
	appDirectory = "00000002-0000-0000-c000-000000000000"
	appM365      = "00000006-0000-0ff1-ce00-000000000000"
	appExchange  = "00000002-0000-0ff1-ce00-000000000000"
	appOwn       = "11111111-1111-1111-1111-111111111111"

	keyA = "2fc0579f-8113-47ea-b116-bb5a8db9202a"
	keyB = "ee882879-721c-4913-9775-3dfcce97072a"
)

// makeWorld makes the world of a seed.
func makeWorld(seed uint64) *world {
	b := &builder{r: rand.New(rand.NewPCG(seed, 1))}
	t := obj{"policies": arr{}}
	b.makeGroups(t)
	b.makeStrengths(t)
	b.makeLocations(t)
	goal := b.goal()
	b.makeTenant(t, goal)
	for i := range 1 + b.r.IntN(5) {
		t["policies"] = append(t["policies"].(arr), b.policy("p"+strconv.Itoa(i+1)))
	}
	w := &world{vector: obj{"id": fmt.Sprintf("world-%d", seed), "title": "generated", "tenant": t, "accounts": arr{b.account()},
		"query": obj{"kind": "prove", "account": account, "goal": goal, "quantifiers": b.quantifiers()}, "expect": obj{}}}
	switch {
	case b.chance(5):
		b.asksForBoth(t, w.vector)
	case b.chance(8):
		w.tweaks = append(w.tweaks, "memberships not read, groups read")
	case b.chance(25):
		w.tweaks = append(w.tweaks, one(b, tweakNames...))
	}
	w.fit(b, one(b, 40, 80, 80, 150, 150, 150, 150, 300, 800))
	return w
}

func (b *builder) makeGroups(t obj) {
	members := func(others ...string) obj {
		m := some(b, 30, "someone")
		if b.chance(30) {
			m = append(m, account)
		}
		return obj{"members": append(m, some(b, 35, others...)...)}
	}
	groups := obj{"g1": members("g2"), "g2": members("g3"), "g3": members("g1", "g4"), "g4": members()}
	t["groups"] = groups
	b.groups = []string{"g1", "g2", "g3", "g4", "g-gone"}
}

func (b *builder) makeStrengths(t obj) {
	b.strengths = []string{"00000000-0000-0000-0000-000000000002", "00000000-0000-0000-0000-000000000003", "00000000-0000-0000-0000-000000000004"}
	list := arr{}
	for _, id := range some(b, 50, "s1", "s2") {
		s := obj{"id": id, "displayName": id, "policyType": "custom", "allowedCombinations": atLeast(b, 30, "fido2", "x509CertificateMultiFactor",
			"password,x509CertificateSingleFactor", "hardwareOath,password", "password,softwareOath", "temporaryAccessPassOneTime",
			"temporaryAccessPassMultiUse", "password,sms", "password,microsoftAuthenticatorPush", "windowsHelloForBusiness", "password")}
		if b.chance(60) {
			s["combinationConfigurations"] = atLeast(b, 40,
				obj{"@odata.type": "#microsoft.graph.fido2CombinationConfiguration", "appliesToCombinations": arr{"fido2"}, "allowedAAGUIDs": atLeast(b, 50, keyA, keyB)},
				obj{"@odata.type": "#microsoft.graph.x509CertificateCombinationConfiguration", "appliesToCombinations": atLeast(b, 60, "x509CertificateMultiFactor",
					"password,x509CertificateSingleFactor"), "allowedIssuerSkis": some(b, 50, "SKI1", "SKI2"), "allowedPolicyOIDs": some(b, 40, "1.2.3", "1.2.4")})
		}
		list = append(list, s)
		b.strengths = append(b.strengths, id.(string))
	}
	if len(list) > 0 {
		t["authenticationStrengthPolicies"] = list
	}
}

func (b *builder) makeLocations(t obj) {
	ranges := []string{"10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24", "192.0.2.0/25", "2001:db8::/32", "2001:db8:1::/48", "0.0.0.0/1", "128.0.0.0/1", "::/0"}
	list := arr{}
	for _, id := range some(b, 35, "l1", "l2", "l3") {
		cidrs := arr{}
		for _, c := range atLeast(b, 15, ranges...) {
			cidrs = append(cidrs, obj{"@odata.type": "#microsoft.graph.iPv4CidrRange", "cidrAddress": c})
		}
		list = append(list, obj{"@odata.type": "#microsoft.graph.ipNamedLocation", "id": id, "displayName": id, "isTrusted": b.chance(40), "ipRanges": cidrs})
		b.ipLocations = append(b.ipLocations, id.(string))
	}
	for _, id := range some(b, 30, "c1", "c2") {
		method := "clientIpAddress"
		if b.chance(20) {
			method = "authenticatorAppGps"
		}
		list = append(list, obj{"@odata.type": "#microsoft.graph.countryNamedLocation", "id": id, "displayName": id, "countriesAndRegions": atLeast(b, 50, "DE", "FR"),
			"includeUnknownCountriesAndRegions": b.chance(40), "countryLookupMethod": method})
		b.countryLocations = append(b.countryLocations, id.(string))
	}
	if b.chance(10) {
		list = append(list, obj{"@odata.type": "#microsoft.graph.compliantNetworkNamedLocation", "id": string(anyCompliantNetwork), "displayName": "network",
			"isTrusted": b.chance(30), "compliantNetworkType": "allTenantCompliantNetworks"})
	}
	t["namedLocations"] = list
}

func (b *builder) goal() any {
	switch n := b.r.IntN(100); {
	case n < 50:
		return one(b, "entraAdminCenter", "entraAdminCenter", "m365AdminCenter", "azureCliWrite", "graphPowerShell", "graphPowerShell")
	case n < 75:
		return "recover:" + one(b, "entraAdminCenter", "graphPowerShell", "azureCliWrite")
	}
	g := obj{"client": appOwn, "audiences": atLeast(b, 40, appGraph, appARM, appOwn, appExchange, appDirectory), "clientAppTypes": atLeast(b, 40, "browser",
		"mobileAppsAndDesktopClients", "exchangeActiveSync", "other"), "mandatoryMfa": one[any](b, nil, "phase1", "phase2")}
	if b.chance(25) {
		g["lowPrivOnly"] = true
		g["audiences"] = arr{appGraph}
	}
	if b.chance(40) {
		g["stage"] = obj{"kind": "userAction", "action": one(b, "urn:user:registersecurityinfo", "urn:user:registersecurityinfo", "urn:user:registerdevice"),
			"audiences": atLeast(b, 40, appOwn, appGraph, appDirectory)}
	}
	if b.chance(20) {
		g["recover"] = true
	}
	return g
}

func (b *builder) account() obj {
	a := obj{"id": account, "credentials": b.credentials()}
	if b.chance(60) {
		roles := arr{}
		for _, r := range atLeast(b, 25, roleGA, roleCA, roleSec, roleGR) {
			roles = append(roles, obj{"roleTemplateId": r, "directoryScopeId": one(b, "/", "/", "/", "/administrativeUnits/au1"),
				"assignment": one(b, "active", "eligible", "eligible")})
		}
		a["roles"] = roles
	}
	if b.chance(8) {
		a["userType"] = "Guest"
	}
	if b.chance(3) {
		a["accountEnabled"] = false
	}
	if b.chance(10) {
		a["perUserMfa"] = one(b, "enabled", "enforced")
	}
	return a
}

func (b *builder) credentials() arr {
	list := arr{}
	for i := range b.r.IntN(4) {
		k := obj{"type": "fido2", "id": "key" + strconv.Itoa(i+1), "aaGuid": one(b, keyA, keyB), "passkeyType": one(b, "deviceBound", "deviceBound", "synced")}
		list = append(list, k)
	}
	for i := range max(0, b.r.IntN(6)-3) {
		c := obj{"type": "x509", "id": "cert" + strconv.Itoa(i+1), "protection": one(b, "singleFactor", "multiFactor")}
		if b.chance(80) {
			c["issuerSki"] = one(b, "SKI1", "SKI2", "SKI3")
		}
		if b.chance(60) {
			c["policyOids"] = atLeast(b, 40, "1.2.3", "1.2.4", "1.2.5")
		}
		list = append(list, c)
	}
	if b.chance(45) {
		list = append(list, obj{"type": "password", "id": "pw"})
	}
	for _, t := range some(b, 18, "hardwareOath", "softwareOath", "sms", "voice", "microsoftAuthenticatorPush", "deviceBasedPush", "windowsHelloForBusiness") {
		list = append(list, obj{"type": t, "id": t})
	}
	for _, o := range some(b, 12, true, false) {
		list = append(list, obj{"type": "temporaryAccessPass", "id": fmt.Sprintf("pass-%v", o), "isUsableOnce": o})
	}
	return list
}
