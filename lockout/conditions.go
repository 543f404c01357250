package lockout

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
)

// compiledSpace is the space of an envelope with the boxes of every policy's
// conditions in it; users, target and grant are not part of them.
type compiledSpace struct {
	*space
	// cond[reading][policy]; reading 1 is adverse. where is the conditions
	// without the network, for what does not depend on it.
	cond    [2][][]box
	condWhy [2][][]int
	where   [2][]box // nil: matches nothing
	// whereWhy[policy]: what is not known about the conditions in where.
	whereWhy [2][][]int
	raw      []box // adverse, every condition but the network; may be empty in a dimension
	index    map[Dimension][]int
	resource [2][][]box // with the address the resource sees; nil when not used
}

var platforms = []string{string(entra.PlatformWindows), string(entra.PlatformMacOS), string(entra.PlatformLinux), string(entra.PlatformAndroid),
	string(entra.PlatformIOS), string(entra.PlatformWindowsPhone), string(entra.PlatformUnknown)}

// defaults gives every dimension its classes and its default quantifier
// (ca-semantics 0 and 1.2). The first class is the baseline.
func (p *Prover) defaults(g *Goal) []dim {
	var clients []string
	for _, c := range g.ClientAppTypes {
		clients = append(clients, string(c))
	}
	ip := p.places.cellNames
	if p.fault(faultIPv6Ignored) && len(ip) > 1 {
		ip = ip[1:]
	}
	gps := p.places.gps
	if gps == nil {
		gps = []string{countryOther}
	}
	resource := []string{""}
	if p.places.strict {
		resource = ip
	}
	risks := []string{"none", "low", "medium", "high"}
	if p.fault(faultRiskNoneOnly) {
		risks = risks[:1]
	}
	return []dim{
		{name: DimPlatform, values: platforms},
		{name: DimIP, values: ip},
		{name: DimCountry, values: p.places.countries},
		{name: DimGPSCountry, values: gps},
		{name: DimCompliantNetwork, values: []string{"false"}},
		{name: DimDevice, values: []string{deviceName(&Device{})}, devices: []Device{{}}},
		{name: DimSignInRisk, values: risks},
		{name: DimUserRisk, values: risks},
		{name: DimInsiderRisk, values: []string{"none", "minor", "moderate", "elevated"}},
		{name: DimClientApp, values: clients, exists: true},
		{name: DimFlow, values: []string{"none"}, exists: true},
		{name: DimSmartLockout, values: []string{"false"}},
		{name: DimAuthService, values: []string{"normal"}},
		{name: DimResourceIP, values: resource},
	}
}

// whole gives the domain behind "*" where it is wider than the default.
func (p *Prover) whole(name Dimension, d *dim) error {
	switch name {
	case DimCompliantNetwork, DimSmartLockout:
		d.values = []string{"false", "true"}
	case DimClientApp:
		d.values = []string{string(entra.ClientBrowser), string(entra.ClientNative), string(entra.ClientEAS), string(entra.ClientOther)}
	case DimFlow:
		d.values = []string{"none", "deviceCodeFlow", "authenticationTransfer"}
	case DimAuthService:
		d.values = []string{"normal", "outageExistingSession", "outageNewSession"}
	case DimResourceIP:
		d.values = p.places.cellNames
	case DimDevice:
		devices, err := p.everyDevice()
		if err != nil {
			return err
		}
		d.devices = devices
		d.values = nil
		for i := range d.devices {
			d.values = append(d.values, deviceName(&d.devices[i]))
		}
	}
	return nil
}

// dimsFor builds the dimensions of a question.
func (p *Prover) dimsFor(q *Question) ([]dim, error) {
	if len(q.Goal.ClientAppTypes) == 0 || len(q.Goal.Audiences) == 0 {
		return nil, fmt.Errorf("goal %q: it names no client app type or no audience, so there is nothing to sign in with or to", q.Goal.Name)
	}
	dims := p.defaults(&q.Goal)
	for name, qu := range q.Envelope {
		i := slices.IndexFunc(dims, func(d dim) bool { return d.name == name })
		if i < 0 {
			return nil, fmt.Errorf("envelope: there is no dimension %q", name)
		}
		d := &dims[i]
		d.exists = qu.Exists
		switch {
		case qu.All:
			if err := p.whole(name, d); err != nil {
				return nil, err
			}
		case name == DimDevice:
			d.values, d.devices = nil, nil
			for _, dev := range qu.Devices {
				if n := deviceName(&dev); !slices.Contains(d.values, n) {
					d.values, d.devices = append(d.values, n), append(d.devices, dev)
				}
			}
		default:
			vals, err := p.canonicalValues(name, d, qu.Values)
			if err != nil {
				return nil, err
			}
			d.values = vals
		}
		if len(d.values) == 0 {
			return nil, fmt.Errorf("envelope: dimension %s is given no value", name)
		}
	}
	return dims, nil
}

// canonicalValues brings the values of an envelope into the spelling of the
// classes; a value that is no class is an error that names it.
func (p *Prover) canonicalValues(name Dimension, d *dim, values []string) ([]string, error) {
	full := *d
	if err := p.whole(name, &full); err != nil {
		return nil, err
	}
	var out []string
	for _, v := range values {
		c, ok := p.canonicalValue(name, &full, v)
		if !ok {
			return nil, fmt.Errorf("envelope: %q is not a value of dimension %s (it has: %s)", v, name, strings.Join(full.values, ", "))
		}
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return out, nil
}

func (p *Prover) canonicalValue(name Dimension, d *dim, v string) (string, bool) {
	switch name {
	case DimIP, DimResourceIP:
		var ids []string
		for _, id := range strings.Split(v, ",") {
			for _, l := range p.places.used {
				if id = strings.TrimSpace(id); id != "" && l.ID.Equal(entra.ID(id)) {
					ids = append(ids, string(l.ID))
				}
			}
		}
		slices.Sort(ids)
		c := strings.Join(ids, ",")
		return c, slices.Contains(p.places.cellNames, c) || slices.Contains(d.values, c)
	case DimCountry, DimGPSCountry:
		if strings.EqualFold(v, countryUnknown) {
			return countryUnknown, true
		}
		return strings.ToUpper(v), len(v) == 2
	}
	if name == DimDevice {
		var dev Device
		if json.Unmarshal([]byte(v), &dev) == nil {
			return p.deviceClass(d, &dev)
		}
	}
	for _, x := range d.values {
		if strings.EqualFold(x, v) {
			return x, true
		}
	}
	return "", false
}

// deviceClass finds the class of a device: itself, or one that no filter and no
// control tells apart from it.
func (p *Prover) deviceClass(d *dim, dev *Device) (string, bool) {
	if i := d.index(deviceName(dev)); i >= 0 {
		return d.values[i], true
	}
	sig := p.deviceSignature(dev)
	for i := range d.devices {
		if p.deviceSignature(&d.devices[i]) == sig {
			return d.values[i], true
		}
	}
	return "", false
}

// deviceName is the canonical text of a device.
func deviceName(d *Device) string {
	if !d.Registered && len(d.Attributes) == 0 {
		return "unregistered"
	}
	b, _ := json.Marshal(d) // map keys are sorted; strings and booleans cannot fail
	return string(b)
}

// spaceFor compiles the conditions of all policies in the space of a question.
func (p *Prover) spaceFor(q *Question) (*compiledSpace, error) {
	dims, err := p.dimsFor(q)
	if err != nil {
		return nil, err
	}
	var key strings.Builder
	for _, d := range dims {
		fmt.Fprintf(&key, "%s %v %q\n", d.name, d.exists, d.values)
	}
	if cs := p.spaces[key.String()]; cs != nil {
		return cs, nil
	}
	cs := &compiledSpace{space: newSpace(dims), raw: make([]box, len(p.policies))}
	cs.index = map[Dimension][]int{
		DimIP:               classIndex(cs.dim(DimIP).values, p.places.cellNames, -1),
		DimResourceIP:       classIndex(cs.dim(DimResourceIP).values, p.places.cellNames, -1),
		DimCountry:          classIndex(cs.dim(DimCountry).values, p.places.countries, slices.Index(p.places.countries, countryOther)),
		DimGPSCountry:       classIndex(cs.dim(DimGPSCountry).values, p.places.gps, slices.Index(p.places.gps, countryOther)),
		DimCompliantNetwork: classIndex(cs.dim(DimCompliantNetwork).values, []string{"false", "true"}, -1),
	}
	strict := p.places.strict
	for r := range 2 {
		cs.cond[r], cs.condWhy[r] = make([][]box, len(p.policies)), make([][]int, len(p.policies))
		cs.where[r], cs.whereWhy[r] = make([]box, len(p.policies)), make([][]int, len(p.policies))
		cs.resource[r] = make([][]box, len(p.policies))
		for i, pol := range p.policies {
			if r == 1 {
				cs.raw[i], _ = p.narrow(cs.space, pol, true, false)
			}
			p.conditionBoxes(cs, pol, i, r == 1, strict)
		}
	}
	p.spaces[key.String()] = cs
	return cs, nil
}

func (p *Prover) conditionBoxes(cs *compiledSpace, pol *compiled, i int, adverse, strict bool) {
	r := 0
	if adverse {
		r = 1
	}
	if pol.widenConditions && !adverse {
		cs.condWhy[r][i] = pol.unmodelled
		return
	}
	base, why := p.narrow(cs.space, pol, adverse, true)
	if base == nil {
		return
	}
	cs.where[r][i], cs.whereWhy[r][i] = base, why
	boxes, locWhy := p.locationBoxes(cs, pol, base, DimIP, adverse)
	if adverse && pol.looseLocations {
		boxes, locWhy = []box{base}, join(locWhy, pol.unmodelled)
	}
	cs.cond[r][i], cs.condWhy[r][i] = boxes, join(why, locWhy)
	if strict && pol.locInclude != nil {
		cs.resource[r][i], _ = p.locationBoxes(cs, pol, base, DimResourceIP, adverse)
	}
}

// narrow cuts the full space by every condition but users, target and network.
// An enum member that is not known widens: adversely its condition matches
// everything. With orNil an empty box is nil.
func (p *Prover) narrow(sp *space, pol *compiled, adverse, orNil bool) (box, []int) {
	c := &pol.policy.Conditions
	b := sp.clone(sp.full)
	var why []int
	loose := map[string]bool{} // conditions with something unmodelled in them
	if adverse && !p.fault(faultUnmodelledIgnored) {
		for _, u := range pol.policy.Unmodelled {
			if parts := strings.Split(strings.ToLower(u.Path), "."); u.Area == entra.AreaConditions && len(parts) > 1 {
				name, _, _ := strings.Cut(parts[1], "[")
				loose[name] = true
				why = pol.unmodelled
			}
		}
	}
	cut := func(condition string, name Dimension, match func(v int, value string) bool) {
		if loose[strings.ToLower(condition)] {
			return
		}
		d := sp.at(name)
		for v, value := range sp.dims[d].values {
			if !match(v, value) {
				sp.seg(b, d)[v/64] &^= 1 << uint(v%64)
			}
		}
	}
	if len(c.ClientAppTypes) > 0 && !p.fault(faultClientAppsIgnored) {
		cut("clientAppTypes", DimClientApp, func(_ int, v string) bool {
			return contains(c.ClientAppTypes, string(entra.ClientAll)) || contains(c.ClientAppTypes, v) || v == string(entra.ClientEAS) && contains(c.ClientAppTypes, "easSupported")
		})
	}
	if c.Platforms != nil && len(c.Platforms.Include)+len(c.Platforms.Exclude) > 0 {
		cut("platforms", DimPlatform, func(_ int, v string) bool { return p.platformMatches(c.Platforms, v) })
	}
	risk := func(condition string, name Dimension, levels []entra.RiskLevel) {
		if len(levels) > 0 {
			cut(condition, name, func(_ int, v string) bool { return contains(levels, v) })
		}
	}
	risk("signInRiskLevels", DimSignInRisk, c.SignInRisk)
	risk("userRiskLevels", DimUserRisk, c.UserRisk)
	if len(c.InsiderRisk) > 0 {
		levels := c.InsiderRisk
		if p.fault(faultFlagsFirstOnly) {
			levels = levels[:1]
		}
		cut("insiderRiskLevels", DimInsiderRisk, func(_ int, v string) bool { return contains(levels, v) && !p.fault(faultInsiderRiskIgnored) })
	}
	if len(c.Flows) > 0 && !p.fault(faultFlowIgnored) {
		flows := c.Flows
		if p.fault(faultFlagsFirstOnly) {
			flows = flows[:1]
		}
		cut("authenticationFlows", DimFlow, func(_ int, v string) bool { return contains(flows, v) })
	}
	if c.DeviceFilter != nil && !loose["devices"] {
		d := sp.dim(DimDevice)
		cut("devices", DimDevice, func(v int, _ string) bool {
			m := p.deviceMatches(pol, &d.devices[v])
			if m.v == unknown {
				why = join(why, m.why)
			}
			return m.may(adverse)
		})
	}
	if orNil && sp.empty(b) {
		return nil, why
	}
	return b, why
}

func contains[T ~string](list []T, v string) bool {
	return slices.ContainsFunc(list, func(x T) bool { return strings.EqualFold(string(x), v) })
}

func (p *Prover) platformMatches(pl *entra.Platforms, v string) bool {
	in := len(pl.Include) == 0 || contains(pl.Include, v) ||
		contains(pl.Include, string(entra.PlatformAll)) && !(p.fault(faultPlatformAllWithoutUnknown) && (v == "unknown" || v == "linux" || v == "windowsPhone"))
	out := contains(pl.Exclude, v) || contains(pl.Exclude, string(entra.PlatformAll))
	return in && !(out && !p.fault(faultPlatformExclusionIgnored))
}

// deviceMatches says whether the device filter lets the policy apply to a
// device.
func (p *Prover) deviceMatches(pol *compiled, d *Device) ans {
	f := pol.policy.Conditions.DeviceFilter
	open := func(what, settle string) ans {
		return p.unknowns.open(Unknown{ID: "device-filter", Subject: string(pol.policy.ID), What: what, Settle: settle})
	}
	if pol.deviceRule == nil {
		return open("the device filter cannot be parsed", "correct the rule in the policy")
	}
	t := pol.deviceRule.evalDevice(d)
	if t == unknown {
		return open("the device filter asks for what is not described for this device", "drill with the declared workstation")
	}
	inverted := p.fault(faultDeviceFilterInverted)
	switch f.Mode {
	case entra.FilterInclude:
		return sure((t == yes) != inverted)
	case entra.FilterExclude:
		return sure((t == no) != inverted)
	}
	return pol.filterMode(p)
}
