package lockout

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"halligan/entra"
)

// benchTenant makes a tenant with n policies and 200 locations. The account is
// excluded from most policies, as an emergency account is; from the rest it is
// not, and they block.
func benchTenant(n int, shape func(r *rand.Rand, i int, c *entra.Conditions)) (*entra.Snapshot, []entra.ID) {
	r := rand.New(rand.NewPCG(7, uint64(n)))
	c := entra.Content{Parts: map[entra.Part]entra.PartState{}}
	for _, part := range []entra.Part{entra.PartPolicies, entra.PartLocations, entra.PartRoleAssignments, entra.PartRoleEligibility, entra.PartRolePolicies,
		entra.PartProtectedActions, entra.PartDomains, entra.PartGroups, entra.PartAccounts, entra.PartUsers, entra.PartAgreements} {
		c.Parts[part] = entra.PartState{Status: entra.StatusRead}
	}
	off, on := false, true
	c.SecurityDefaults = &off
	for i := range 170 {
		a := netip.AddrFrom4([4]byte{20, byte(i), 0, 0})
		b := netip.AddrFrom4([4]byte{20, byte(i), 255, 255})
		c.Locations = append(c.Locations, entra.NamedLocation{ID: entra.ID(fmt.Sprintf("ip%03d", i)), Kind: entra.LocationIP, Trusted: i%7 == 0, Ranges: []entra.IPRange{{First: a, Last: b}}})
	}
	for i := range 30 {
		c.Locations = append(c.Locations, entra.NamedLocation{ID: entra.ID(fmt.Sprintf("co%02d", i)), Kind: entra.LocationCountry, Countries: []string{string(rune('A'+i/26)) + string(rune('A'+i%26))}})
	}
	accounts := []entra.ID{"bg1", "bg2"}
	for _, id := range accounts {
		c.Users = append(c.Users, entra.User{ID: id, UserType: "Member", Enabled: &on})
		c.Accounts = append(c.Accounts, entra.Account{ID: id, Memberships: []entra.ID{"g-bg"}, MembersRead: true, MethodsRead: true, PerUserMFA: "disabled",
			Methods: []entra.AuthMethod{{ID: "key-" + id, Type: entra.MethodFIDO2, AAGUID: "2fc0579f-8113-47ea-b116-bb5a8db9202a", PasskeyType: "deviceBound"}}})
		c.RoleAssignments = append(c.RoleAssignments, entra.RoleAssignment{Principal: id, Role: "62e90394-69f5-4237-9190-012177145e10", Scope: "/", Assignment: entra.AssignmentActive})
	}
	c.MethodsPolicy = &entra.MethodsPolicy{MigrationState: "migrationComplete", Methods: []entra.MethodConfiguration{{ID: "Fido2", State: "enabled", Include: []entra.MethodTarget{{TargetType: "group", ID: "all_users"}}}}}
	for i := range n {
		p := entra.Policy{ID: entra.ID(fmt.Sprintf("p%04d", i)), DisplayName: fmt.Sprintf("CA%04d", i), State: entra.StateEnabled}
		p.Conditions.Users.IncludeUsers = []entra.ID{"All"}
		p.Conditions.Applications.Include = []entra.ID{"All"}
		p.Grant = entra.Grant{Operator: entra.OperatorOr, Controls: []entra.GrantControl{entra.ControlBlock}}
		shape(r, i, &p.Conditions)
		c.Policies = append(c.Policies, p)
	}
	// One disabled policy names every location, so that every shape is judged in
	// the same space.
	all := entra.Policy{ID: "all-locations", State: entra.StateDisabled, Conditions: entra.Conditions{Locations: &entra.Locations{}}}
	for i := range c.Locations {
		all.Conditions.Locations.Include = append(all.Conditions.Locations.Include, c.Locations[i].ID)
	}
	c.Policies = append(c.Policies, all)
	return entra.NewSnapshot(c), accounts
}

// The shapes. random is what tenants look like; the others are built to hurt.
var benchShapes = []struct {
	name  string
	shape func(n int) func(r *rand.Rand, i int, c *entra.Conditions)
}{
	{"excluded", func(int) func(*rand.Rand, int, *entra.Conditions) {
		return func(r *rand.Rand, i int, c *entra.Conditions) {
			randomConditions(r, c)
			c.Users.ExcludeGroups = []entra.ID{"g-bg"}
		}
	}},
	{"random", func(int) func(*rand.Rand, int, *entra.Conditions) {
		return func(r *rand.Rand, i int, c *entra.Conditions) { randomConditions(r, c) }
	}},
	{"lastDimensions", func(int) func(*rand.Rand, int, *entra.Conditions) {
		return func(r *rand.Rand, i int, c *entra.Conditions) {
			c.ClientAppTypes = []entra.ClientAppType{clientOf(i)}
			c.UserRisk = []entra.RiskLevel{levels[(i/2)%4]}
			c.InsiderRisk = []entra.InsiderRisk{insider[(i/8)%4]}
			if clientOf(i) == entra.ClientNative && (i/2)%4 == 3 {
				c.InsiderRisk = []entra.InsiderRisk{insider[3]}
			}
			if clientOf(i) == entra.ClientBrowser && (i/2)%4 == 3 {
				c.InsiderRisk = []entra.InsiderRisk{insider[(i/8)%3]}
			}
		}
	}},
	{"parityProved", parity(false)},
	{"parityOnePoint", parity(true)},
}

var (
	levels  = []entra.RiskLevel{entra.RiskNone, entra.RiskLow, entra.RiskMedium, entra.RiskHigh}
	insider = []entra.InsiderRisk{entra.InsiderNone, entra.InsiderMinor, entra.InsiderModerate, entra.InsiderElevated}
)

func clientOf(i int) entra.ClientAppType {
	if i%2 == 0 {
		return entra.ClientBrowser
	}
	return entra.ClientNative
}

func randomConditions(r *rand.Rand, c *entra.Conditions) {
	for range 2 + r.IntN(3) {
		switch r.IntN(6) {
		case 0:
			c.Platforms = &entra.Platforms{Include: []entra.Platform{entra.Platform(platforms[r.IntN(6)])}}
		case 1:
			c.Locations = &entra.Locations{Include: []entra.ID{entra.ID(fmt.Sprintf("ip%03d", r.IntN(170))), entra.ID(fmt.Sprintf("co%02d", r.IntN(30)))}}
		case 2:
			c.SignInRisk = []entra.RiskLevel{levels[r.IntN(4)]}
		case 3:
			c.UserRisk = []entra.RiskLevel{levels[r.IntN(4)]}
		case 4:
			c.InsiderRisk = []entra.InsiderRisk{insider[r.IntN(4)]}
		case 5:
			c.ClientAppTypes = []entra.ClientAppType{clientOf(r.IntN(2))}
		}
	}
}

// parity: the browser is denied at points of even parity over six dimensions
// and the native client at points of odd parity, so that no single dimension
// tells anything; with one, one point is denied in both.
func parity(one bool) func(int) func(*rand.Rand, int, *entra.Conditions) {
	return func(n int) func(*rand.Rand, int, *entra.Conditions) {
		return func(r *rand.Rand, i int, c *entra.Conditions) {
			client := clientOf(i)
			c.ClientAppTypes = []entra.ClientAppType{client}
			bitsOf := i / 2
			want := i % 2
			pick := func(k int) int { return bitsOf >> k & 1 }
			sum := 0
			for k := range 5 {
				sum += pick(k)
			}
			last := (sum + want) % 2
			half := func(b int, xs []entra.RiskLevel) []entra.RiskLevel { return xs[b*2 : b*2+2] }
			if pick(0) == 0 {
				c.Platforms = &entra.Platforms{Include: []entra.Platform{"windows", "linux", "iOS", "unknown"}}
			} else {
				c.Platforms = &entra.Platforms{Include: []entra.Platform{"macOS", "android", "windowsPhone"}}
			}
			c.SignInRisk, c.UserRisk = half(pick(1), levels), half(pick(2), levels)
			c.InsiderRisk = insider[pick(3)*2 : pick(3)*2+2]
			var in []entra.ID
			for k := range 170 {
				// A different cut of the locations for each policy of a parity class.
				if (k%2 == 0) == (pick(4) == 0) {
					in = append(in, entra.ID(fmt.Sprintf("ip%03d", k)))
				}
			}
			c.Locations = &entra.Locations{Include: in}
			if last == 1 {
				c.DeviceFilter = &entra.Filter{Mode: entra.FilterInclude, Rule: `device.trustType -eq "AzureAD"`}
			} else {
				c.DeviceFilter = &entra.Filter{Mode: entra.FilterExclude, Rule: `device.trustType -eq "AzureAD"`}
			}
			if one && i < 2 {
				c.Platforms = &entra.Platforms{Include: []entra.Platform{"linux"}}
				c.SignInRisk, c.UserRisk, c.InsiderRisk = levels[3:], levels[3:], insider[3:]
				c.Locations = &entra.Locations{Include: []entra.ID{"ip169"}}
				c.DeviceFilter = &entra.Filter{Mode: entra.FilterInclude, Rule: `device.trustType -eq "AzureAD"`}
			}
		}
	}
}

func benchQuestions(accounts []entra.ID) []Question {
	var qs []Question
	for _, a := range accounts {
		for _, name := range []string{"entraAdminCenter", "recover:entraAdminCenter", "m365AdminCenter"} {
			g, _ := ResolveGoal(name)
			qs = append(qs, Question{Account: a, Goal: g, Envelope: map[Dimension]Quantifier{
				DimClientApp: {Exists: true, Values: []string{"browser", "mobileAppsAndDesktopClients"}},
				DimDevice:    {Devices: []Device{{}, {Registered: true, Attributes: map[string][]string{"trustType": {"AzureAD"}}}}},
			}})
		}
	}
	return qs
}

// BenchmarkProve judges two accounts for three goals, with everything that
// Prove returns.
func BenchmarkProve(b *testing.B) {
	for _, n := range []int{200, 1000} {
		for _, s := range benchShapes {
			snap, accounts := benchTenant(n, s.shape(n))
			qs := benchQuestions(accounts)
			b.Run(fmt.Sprintf("%s/%d", s.name, n), func(b *testing.B) {
				for b.Loop() {
					p := New(snap)
					for _, q := range qs {
						if _, err := p.Prove(q); err != nil {
							b.Fatal(err)
						}
					}
				}
			})
		}
	}
}

// BenchmarkEnumerate is the same question by brute force: every point of the
// space, every policy's conditions, which apply. One account and goal of the
// six, at 200 policies.
func BenchmarkEnumerate(b *testing.B) {
	for _, s := range benchShapes {
		snap, accounts := benchTenant(200, s.shape(200))
		q := benchQuestions(accounts)[0]
		b.Run(s.name+"/200", func(b *testing.B) {
			for b.Loop() {
				p := New(snap)
				cs, err := p.spaceFor(&q)
				if err != nil {
					b.Fatal(err)
				}
				pr := p.build(&q, p.account(q.Account), cs, true)
				got := enumerate(p, pr)
				if _, denied := newInstance(cs.space, pr.bad).find(); denied != (got > 0) {
					b.Fatalf("enumeration counts %d denied points, the search says %v", got, denied)
				}
				if in := newInstance(cs.space, pr.bad); true {
					if n, _, _ := in.count(); n != got {
						b.Fatalf("enumeration counts %d denied points, the search counts %d", got, n)
					}
				}
			}
		})
	}
}

// enumerate counts the denied points by looking at each: which policies'
// conditions match there, and whether every option is denied.
func enumerate(p *Prover, pr *problem) uint64 {
	sp := pr.cs.space
	point := make([]int, len(sp.dims))
	var n uint64
	applies := make([]bool, len(p.policies))
	var walk func(i int)
	walk = func(i int) {
		if i == len(sp.dims) {
			for k := range p.policies { // the full decision: which apply, not only whether
				applies[k] = slices.ContainsFunc(pr.cs.cond[1][k], func(b box) bool { return holds(sp, b, point) })
			}
			all := true
			for _, list := range pr.bad {
				all = all && slices.ContainsFunc(list, func(d denial) bool { return holds(sp, d.box, point) })
			}
			if all {
				n++
			}
			return
		}
		if sp.dims[i].exists {
			walk(i + 1)
			return
		}
		for v := range sp.dims[i].values {
			point[i] = v
			walk(i + 1)
		}
	}
	walk(0)
	_ = slices.Contains(applies, true)
	return n
}
