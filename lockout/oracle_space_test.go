package lockout_test

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout"
)

// The oracle is a second evaluator, written from docs/prover.md (ca-semantics)
// alone and as plainly as possible: it enumerates every sign-in of the envelope
// times every choice of the operator times every kit, and evaluates every policy
// at each. It shares nothing with the prover but the types it is given.

// point is one sign-in: a value for every dimension.
type point struct {
	platform, country, gps      string
	signIn, user, insider       string
	client, flow, service       string
	where, resource             []string // ids of the IP locations that hold the address
	compliantNetwork, lockedOut bool
	device                      lockout.Device
}

// axis is one dimension with the values that are tried.
type axis struct {
	name    lockout.Dimension
	exists  bool
	values  []string
	devices []lockout.Device // of the device axis, one for each value
}

// set puts one value of the axis into the point.
func (a *axis) set(p *point, i int) {
	v := a.values[i]
	switch a.name {
	case lockout.DimPlatform:
		p.platform = v
	case lockout.DimIP:
		p.where = splitIDs(v)
	case lockout.DimResourceIP:
		p.resource = splitIDs(v)
	case lockout.DimCountry:
		p.country = v
	case lockout.DimGPSCountry:
		p.gps = v
	case lockout.DimCompliantNetwork:
		p.compliantNetwork = v == "true"
	case lockout.DimSmartLockout:
		p.lockedOut = v == "true"
	case lockout.DimDevice:
		p.device = a.devices[i]
	case lockout.DimSignInRisk:
		p.signIn = v
	case lockout.DimUserRisk:
		p.user = v
	case lockout.DimInsiderRisk:
		p.insider = v
	case lockout.DimClientApp:
		p.client = v
	case lockout.DimFlow:
		p.flow = v
	case lockout.DimAuthService:
		p.service = v
	}
}

func splitIDs(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, ",")
}

// axes are the dimensions of a question with their values.
func (o *oracle) axes(q lockout.Question) []axis {
	usual := map[lockout.Dimension][]string{
		lockout.DimPlatform:         {"windows", "macOS", "linux", "android", "iOS", "windowsPhone", "unknown"},
		lockout.DimIP:               o.cells(),
		lockout.DimCountry:          o.countries(false),
		lockout.DimGPSCountry:       o.countries(true),
		lockout.DimCompliantNetwork: {"false"},
		lockout.DimSignInRisk:       {"none", "low", "medium", "high"},
		lockout.DimUserRisk:         {"none", "low", "medium", "high"},
		lockout.DimInsiderRisk:      {"none", "minor", "moderate", "elevated"},
		lockout.DimFlow:             {"none"},
		lockout.DimSmartLockout:     {"false"},
		lockout.DimAuthService:      {"normal"},
		lockout.DimResourceIP:       {""},
	}
	if o.strictLocations() {
		usual[lockout.DimResourceIP] = o.cells()
	}
	if !o.licensed("AAD_PREMIUM_P2") {
		usual[lockout.DimSignInRisk], usual[lockout.DimUserRisk] = []string{"none"}, []string{"none"}
	}
	if !o.licensed("INSIDER_RISK") {
		usual[lockout.DimInsiderRisk] = []string{"none"}
	}
	for _, t := range q.Goal.ClientAppTypes {
		usual[lockout.DimClientApp] = append(usual[lockout.DimClientApp], string(t))
	}
	star := map[lockout.Dimension][]string{
		lockout.DimCompliantNetwork: {"false", "true"},
		lockout.DimFlow:             {"none", "deviceCodeFlow", "authenticationTransfer"},
		lockout.DimSmartLockout:     {"false", "true"},
		lockout.DimAuthService:      {"normal", "outageExistingSession", "outageNewSession"},
		lockout.DimResourceIP:       o.cells(),
	}
	var out []axis
	for _, d := range lockout.Dimensions {
		a := axis{name: d, values: usual[d], exists: d == lockout.DimClientApp || d == lockout.DimFlow}
		over, overridden := q.Envelope[d]
		if overridden {
			a.exists = over.Exists
		}
		switch {
		case d == lockout.DimDevice:
			a.devices = []lockout.Device{{}}
			if overridden && over.All {
				a.devices = o.everyDevice()
			} else if overridden {
				a.devices = over.Devices
			}
			a.values = nil
			for _, dev := range a.devices {
				a.values = append(a.values, deviceText(dev))
			}
		case overridden && over.All && star[d] != nil:
			a.values = star[d]
		case overridden && !over.All:
			a.values = over.Values
		}
		out = append(out, a)
	}
	return out
}

func deviceText(d lockout.Device) string {
	b, err := json.Marshal(d)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// cells are the sets of IP locations that some address lies in. An address
// changes its set only at the first address of a range and after the last one.
func (o *oracle) cells() []string {
	marks := []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	for _, l := range o.c.Locations {
		for _, r := range l.Ranges {
			marks = append(marks, r.First)
			if after := r.Last.Next(); after.IsValid() {
				marks = append(marks, after)
			}
		}
	}
	var out []string
	for _, m := range marks {
		var in []string
		for _, l := range o.c.Locations {
			if l.Kind == entra.LocationIP && slices.ContainsFunc(l.Ranges, func(r entra.IPRange) bool { return holds(r, m) }) {
				in = append(in, string(l.ID))
			}
		}
		slices.Sort(in)
		out = append(out, strings.Join(in, ","))
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func holds(r entra.IPRange, a netip.Addr) bool {
	return r.First.Is4() == a.Is4() && r.First.Compare(a) <= 0 && a.Compare(r.Last) <= 0
}

func (o *oracle) countries(gps bool) []string {
	out := []string{"XX", "unknown"}
	used := false
	for _, l := range o.c.Locations {
		if l.Kind == entra.LocationCountry && l.GPS == gps {
			used = true
			out = append(out, l.Countries...)
		}
	}
	if gps && !used {
		return []string{"XX"}
	}
	slices.Sort(out[2:])
	return slices.Compact(out)
}

func (o *oracle) strictLocations() bool {
	return slices.ContainsFunc(o.c.Policies, func(p entra.Policy) bool {
		return p.State != entra.StateDisabled && p.State != entra.StateReportOnly && strict(&p)
	})
}

func (o *oracle) licensed(plan entra.ServicePlan) bool {
	return slices.Contains(o.c.ServicePlans, plan)
}
