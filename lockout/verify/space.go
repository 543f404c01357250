package verify

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// The dimensions, by position in a box.
const (
	dPlatform = iota
	dIP
	dCountry
	dGPS
	dNetwork
	dDevice
	dSignInRisk
	dUserRisk
	dInsiderRisk
	dClient
	dFlow
	dLocked
	dService
	dResourceIP
	nDims
)

var dimNames = [nDims]string{"platform", "ipLocations", "country", "gpsCountry", "compliantNetwork", "device", "signInRisk", "userRisk", "insiderRisk",
	"clientAppType", "flow", "smartLockout", "authService", "resourceSeenIp"}

// activateRole stands among the choices of an option and is no dimension.
const activateRole = "activateRole"

// box is a set of sign-ins: for each dimension the classes inside; nil is all.
type box [nDims][]bool

// meet returns what two boxes share; ok is false when that is nothing.
func meet(a, b box) (out box, ok bool) {
	for d := range a {
		switch {
		case a[d] == nil:
			out[d] = b[d]
		case b[d] == nil:
			out[d] = a[d]
		default:
			out[d] = make([]bool, len(a[d]))
			for i := range a[d] {
				out[d][i] = a[d][i] && b[d][i]
			}
		}
		if out[d] != nil && !slices.Contains(out[d], true) {
			return out, false
		}
	}
	return out, true
}

// within reports whether a lies inside b.
func within(a, b box) bool {
	for d := range a {
		if b[d] == nil {
			continue
		}
		for i, in := range b[d] {
			if !in && (a[d] == nil || a[d][i]) {
				return false
			}
		}
	}
	return true
}

// covered reports whether boxes together hold all of one. Steps bound the work.
func covered(all box, by []box, steps *int) bool {
	if *steps--; *steps < 0 {
		return false
	}
	var touching []box
	for _, b := range by {
		if within(all, b) {
			return true
		}
		if _, ok := meet(all, b); ok {
			touching = append(touching, b)
		}
	}
	if len(touching) == 0 {
		return false
	}
	cut := touching[0]
	for d := range cut {
		if cut[d] == nil {
			continue
		}
		in, over := all, all
		in[d], over[d] = make([]bool, len(cut[d])), make([]bool, len(cut[d]))
		for i := range cut[d] {
			here := all[d] == nil || all[d][i]
			in[d][i], over[d][i] = here && cut[d][i], here && !cut[d][i]
		}
		if slices.Contains(over[d], true) {
			return covered(over, touching, steps) && covered(in, touching, steps)
		}
	}
	return false
}

// dimension is one dimension of the question with its classes.
type dimension struct {
	exists  bool
	free    bool // exists over everything: any concrete device
	values  []string
	devices []Device
}

var (
	allPlatforms = []string{"windows", "macOS", "linux", "android", "iOS", "windowsPhone", "unknown"}
	allRisks     = []string{"none", "low", "medium", "high"}
	allInsider   = []string{"none", "minor", "moderate", "elevated"}
	allClients   = []string{"browser", "mobileAppsAndDesktopClients", "exchangeActiveSync", "other"}
	allFlows     = []string{"none", "deviceCodeFlow", "authenticationTransfer"}
	allServices  = []string{"normal", "outageExistingSession", "outageNewSession"}
	noYes        = []string{"false", "true"}
)

const (
	otherCountry   = "XX"
	unknownCountry = "unknown"
)

// geography is where a sign-in can come from, as far as policies can tell.
type geography struct {
	cells     map[string]map[string]bool // name of a cell → ids of the locations in it, folded
	countries []string
	gps       []string
	strict    bool
	// known are the ids of all locations, used those of ip locations that
	// policies name; folded.
	known, used map[string]bool
}

// named lists the ids that the network conditions of policies name, folded.
func (t *tenant) named() map[string]bool {
	out := map[string]bool{}
	for _, p := range t.policies {
		if p.locations != nil {
			for _, id := range append(slices.Clone(p.locations.include), p.locations.exclude...) {
				out[id] = true
			}
		}
	}
	return out
}

func (t *tenant) geography() *geography {
	g := &geography{cells: map[string]map[string]bool{}, known: map[string]bool{}, used: map[string]bool{}}
	named := t.named()
	codes, gps := map[string]bool{}, map[string]bool{}
	usesGPS := false
	var ip []*location
	for _, id := range slices.Sorted(maps.Keys(t.locations)) {
		l := t.locations[id]
		g.known[id] = true
		if !named[id] && !(named["alltrusted"] && l.trusted) {
			continue
		}
		if l.kind == "ip" {
			ip = append(ip, l)
			g.used[id] = true
		}
		if l.kind == "country" {
			set := codes
			if l.gps {
				set, usesGPS = gps, true
			}
			for _, c := range l.codes {
				set[c] = true
			}
		}
	}
	for _, p := range t.policies {
		g.strict = g.strict || p.strictLocation
	}
	g.sweep(ip)
	g.countries = countryClasses(codes)
	if g.gps = []string{otherCountry}; usesGPS {
		g.gps = countryClasses(gps)
	}
	return g
}

func countryClasses(codes map[string]bool) []string {
	delete(codes, otherCountry)
	return append(slices.Sorted(maps.Keys(codes)), otherCountry, unknownCountry)
}

// sweep finds the sets of locations that hold an address, over IPv4 and IPv6.
func (g *geography) sweep(locs []*location) {
	type edge struct {
		at   netip.Addr
		loc  int
		open bool
	}
	for _, v4 := range []bool{true, false} {
		start := netip.IPv6Unspecified()
		if v4 {
			start = netip.IPv4Unspecified()
		}
		edges := []edge{{at: start, loc: -1}}
		for i, l := range locs {
			for _, r := range l.ranges {
				if r.first.Is4() != v4 {
					continue
				}
				edges = append(edges, edge{r.first, i, true})
				if after := r.last.Next(); after.IsValid() {
					edges = append(edges, edge{after, i, false})
				}
			}
		}
		slices.SortFunc(edges, func(a, b edge) int { return a.at.Compare(b.at) })
		inside := make([]int, len(locs))
		for i, e := range edges {
			switch {
			case e.loc < 0:
			case e.open:
				inside[e.loc]++
			default:
				inside[e.loc]--
			}
			if i+1 == len(edges) || edges[i+1].at != e.at {
				g.cell(locs, inside)
			}
		}
	}
}

func (g *geography) cell(locs []*location, inside []int) {
	var ids []string
	for i, n := range inside {
		if n > 0 {
			ids = append(ids, locs[i].id)
		}
	}
	slices.Sort(ids)
	name := strings.Join(ids, ",")
	if g.cells[name] != nil {
		return
	}
	in := map[string]bool{}
	for _, id := range ids {
		in[key(id)] = true
	}
	g.cells[name] = in
}

// dimensions are those of the question: the defaults of ca-semantics 0 and 1.2
// and what its envelope says instead.
func (t *tenant) dimensions(g *geography, goal *Goal, q *Question) (dims [nDims]dimension, err error) {
	cells := slices.Sorted(maps.Keys(g.cells))
	clients := goal.ClientAppTypes
	if len(clients) == 0 {
		clients = []string{"browser"}
	}
	for d, values := range [nDims][]string{dPlatform: allPlatforms, dIP: cells, dCountry: g.countries, dGPS: g.gps, dNetwork: {"false"}, dDevice: {"unregistered"},
		dSignInRisk: allRisks, dUserRisk: allRisks, dInsiderRisk: allInsider, dClient: clients, dFlow: {"none"}, dLocked: {"false"}, dService: {"normal"},
		dResourceIP: {""}} {
		dims[d].values = values
	}
	dims[dClient].exists, dims[dFlow].exists = true, true
	dims[dDevice].devices = []Device{{}}
	if g.strict {
		dims[dResourceIP].values = cells
	}
	whole := map[int][]string{dNetwork: noYes, dLocked: noYes, dClient: allClients, dFlow: allFlows, dService: allServices, dResourceIP: cells}
	for name, qu := range q.Envelope {
		d := slices.Index(dimNames[:], name)
		if d < 0 {
			return dims, fmt.Errorf("there is no dimension %q", name)
		}
		dims[d].exists = qu.Exists
		all := dims[d].values
		if w := whole[d]; w != nil {
			all = w
		}
		switch {
		case d == dDevice:
			dims[d].values, dims[d].devices = nil, nil
			dims[d].free = qu.All
			for i := range qu.Devices {
				dims[d].values, dims[d].devices = append(dims[d].values, qu.Devices[i].name()), append(dims[d].devices, qu.Devices[i])
			}
		case qu.All:
			dims[d].values = all
		default:
			dims[d].values = nil
			for _, v := range qu.Values {
				c, ok := g.spell(d, v, all)
				if !ok {
					return dims, fmt.Errorf("%q is not a value of dimension %s", v, name)
				}
				if !slices.Contains(dims[d].values, c) {
					dims[d].values = append(dims[d].values, c)
				}
			}
		}
		if len(dims[d].values) == 0 && !dims[d].free {
			return dims, fmt.Errorf("dimension %s is given no value", name)
		}
	}
	return dims, nil
}

// spell brings a value into the spelling of the classes.
func (g *geography) spell(d int, v string, all []string) (string, bool) {
	switch d {
	case dIP, dResourceIP:
		want := map[string]bool{}
		for id := range strings.SplitSeq(v, ",") {
			// A location that no policy names makes no difference.
			if id = key(id); g.used[id] || id != "" && !g.known[id] {
				want[id] = true
			}
		}
		for name, in := range g.cells {
			if maps.Equal(want, in) {
				return name, true
			}
		}
		return "", false
	case dCountry, dGPS:
		if key(v) == unknownCountry {
			return unknownCountry, true
		}
		return strings.ToUpper(v), len(v) == 2
	}
	i := slices.IndexFunc(all, func(x string) bool { return strings.EqualFold(x, v) })
	if i < 0 {
		return "", false
	}
	return all[i], true
}

// device reads the text of a device, as an option names it.
func device(text string) (Device, bool) {
	var d Device
	if text == "unregistered" {
		return d, true
	}
	err := json.Unmarshal([]byte(text), &d)
	return d, err == nil && d.name() == text
}
