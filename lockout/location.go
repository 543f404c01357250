package lockout

import (
	"net/netip"
	"slices"
	"sort"
	"strings"

	"halligan/entra"
)

const (
	compliantNetworkID = "3d46dbda-8382-466a-856d-eb00cbc6b910"
	mfaTrustedIPs      = "00000000-0000-0000-0000-000000000000"
	countryOther       = "XX"
	countryUnknown     = "unknown"
)

// places is the partition of where a sign-in can come from, made once per
// Snapshot from the locations that its policies name.
type places struct {
	byID map[string]*entra.NamedLocation
	// used are the ip locations that decide, in order of id; cells are the
	// signatures over them, each the list of their positions in used.
	used      []*entra.NamedLocation
	cells     [][]int
	cellNames []string
	countries []string // codes, "XX", "unknown"
	gps       []string // as countries; nil when no location uses GPS
	strict    bool     // a policy asks for strict location enforcement
}

func (p *Prover) makePlaces() *places {
	pl := &places{byID: map[string]*entra.NamedLocation{}}
	for i := range p.view.Locations {
		l := &p.view.Locations[i]
		pl.byID[l.ID.Key()] = l
	}
	named, trusted := map[string]bool{}, false
	for i := range p.view.Policies {
		pol := &p.view.Policies[i]
		if strings.EqualFold(pol.Session.ContinuousAccessEvaluation, "strictLocation") {
			pl.strict = true
		}
		if pol.Conditions.Locations == nil {
			continue
		}
		for _, list := range [][]entra.ID{pol.Conditions.Locations.Include, pol.Conditions.Locations.Exclude} {
			for _, id := range list {
				if named[id.Key()] = true; id.Key() == "alltrusted" {
					trusted = true
				}
			}
		}
	}
	codes, gps := map[string]bool{}, map[string]bool{}
	gpsUsed := false
	for i := range p.view.Locations {
		l := &p.view.Locations[i]
		if !named[l.ID.Key()] && !(trusted && l.Trusted) {
			continue
		}
		switch l.Kind {
		case entra.LocationIP:
			pl.used = append(pl.used, l)
		case entra.LocationCountry:
			set := codes
			if l.GPS {
				set, gpsUsed = gps, true
			}
			for _, c := range l.Countries {
				set[strings.ToUpper(c)] = true
			}
		}
	}
	sort.Slice(pl.used, func(i, j int) bool { return pl.used[i].ID.Key() < pl.used[j].ID.Key() })
	pl.cells = arrange(pl.used)
	for _, cell := range pl.cells {
		var ids []string
		for _, i := range cell {
			ids = append(ids, string(pl.used[i].ID))
		}
		slices.Sort(ids)
		pl.cellNames = append(pl.cellNames, strings.Join(ids, ","))
	}
	pl.countries = countryClasses(codes)
	if gpsUsed {
		pl.gps = countryClasses(gps)
	}
	return pl
}

func countryClasses(codes map[string]bool) []string {
	delete(codes, "XX") // user-assigned code, our name for "any other"
	list := make([]string, 0, len(codes)+2)
	for c := range codes {
		list = append(list, c)
	}
	slices.Sort(list)
	return append([]string{countryOther}, append(list, countryUnknown)...)
}

// arrange cuts the IPv4 and IPv6 address lines at the first and after the last
// address of every range, and returns the distinct sets of locations that hold
// an address, the set outside every location (if there is one) first.
func arrange(locs []*entra.NamedLocation) [][]int {
	type edge struct {
		at  netip.Addr
		loc int
		d   int
	}
	seen := map[string]bool{}
	var cells [][]int
	emit := func(depth []int) {
		var cell []int
		for i, d := range depth {
			if d > 0 {
				cell = append(cell, i)
			}
		}
		var key strings.Builder
		for _, i := range cell {
			key.WriteString(itoa(i))
			key.WriteByte(',')
		}
		if !seen[key.String()] {
			seen[key.String()] = true
			cells = append(cells, cell)
		}
	}
	for _, v6 := range []bool{false, true} {
		var edges []edge
		for i, l := range locs {
			for _, r := range l.Ranges {
				if !r.First.IsValid() || !r.Last.IsValid() || r.First.Is4() == v6 || r.Last.Is4() == v6 || r.Last.Less(r.First) {
					continue
				}
				edges = append(edges, edge{r.First, i, 1})
				if next := r.Last.Next(); next.IsValid() {
					edges = append(edges, edge{next, i, -1})
				}
			}
		}
		sort.Slice(edges, func(i, j int) bool { return edges[i].at.Less(edges[j].at) })
		depth := make([]int, len(locs))
		zero := netip.IPv4Unspecified()
		if v6 {
			zero = netip.IPv6Unspecified()
		}
		if len(edges) == 0 || zero.Less(edges[0].at) {
			emit(depth)
		}
		for i := 0; i < len(edges); {
			j := i
			for j < len(edges) && edges[j].at == edges[i].at {
				depth[edges[j].loc] += edges[j].d
				j++
			}
			emit(depth)
			i = j
		}
	}
	slices.SortStableFunc(cells, func(a, b []int) int {
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return slices.Compare(a, b)
	})
	return cells
}

func itoa(i int) string {
	if i < 10 {
		return string(rune('0' + i))
	}
	return itoa(i/10) + string(rune('0'+i%10))
}

// locSet is a set of sign-in places: a union over the four ways to be known,
// and whether something in it could not be resolved.
type locSet struct {
	all              bool
	ip, country, gps []bool
	compliant        bool
	why              []int
}

// resolve turns a list of location ids into a locSet.
func (p *Prover) resolveLocations(pol *compiled, ids []entra.ID) *locSet {
	pl := p.places
	s := &locSet{ip: make([]bool, len(pl.cells)), country: make([]bool, len(pl.countries)), gps: make([]bool, len(pl.gps))}
	open := func(what, settle string, subject entra.ID) {
		s.why = join(s.why, []int{p.unknowns.add(Unknown{ID: "location", Subject: string(subject), What: what, Settle: settle})})
	}
	for _, id := range ids {
		switch k := id.Key(); k {
		case "all":
			s.all = true
		case "alltrusted":
			if !p.read(entra.PartLocations) {
				open("which named locations are trusted was not read", "export the named locations (GET /identity/conditionalAccess/namedLocations)", "AllTrusted")
			}
			for _, l := range pl.byID {
				if l.Trusted && !p.fault(faultTrustedIgnored) {
					s.add(p, pl, l)
				}
			}
		case compliantNetworkID:
			s.compliant = true
		case mfaTrustedIPs:
			open("the MFA trusted IPs are not in Graph", "look them up in the legacy MFA settings and make a named location of them", id)
		default:
			l := pl.byID[k]
			if l == nil || l.Kind == entra.LocationUnknown {
				open("named location "+string(id)+" is not among the locations that were read", "export the named locations (GET /identity/conditionalAccess/namedLocations)", id)
				continue
			}
			s.add(p, pl, l)
			if len(l.Unmodelled) > 0 {
				open("named location "+string(id)+" holds something that is not modelled", "look at its unknown properties", id)
			}
		}
	}
	return s
}

func (s *locSet) add(p *Prover, pl *places, l *entra.NamedLocation) {
	switch l.Kind {
	case entra.LocationIP:
		at := slices.Index(pl.used, l)
		for c, cell := range pl.cells {
			if at >= 0 && slices.Contains(cell, at) {
				s.ip[c] = true
			}
		}
	case entra.LocationCountry:
		classes, set := pl.countries, s.country
		if l.GPS {
			classes, set = pl.gps, s.gps
		}
		for i, c := range classes {
			switch c {
			case countryUnknown:
				set[i] = set[i] || l.IncludeUnknown || p.fault(faultUnknownCountryIncluded)
			case countryOther:
			default:
				set[i] = set[i] || slices.ContainsFunc(l.Countries, func(x string) bool { return strings.EqualFold(x, c) })
			}
		}
	case entra.LocationCompliantNetwork:
		s.compliant = true
	}
}

// locationBoxes narrows base by the policy's network condition. The include
// list is a union over four dimensions and so gives up to four boxes; the
// exclude list is a conjunction and narrows each. ipDim is the dimension the
// addresses are read from: with strict location enforcement the address that
// the resource sees counts too, and of that only ip locations.
func (p *Prover) locationBoxes(cs *compiledSpace, pol *compiled, base box, ipDim Dimension, adverse bool) (out []box, why []int) {
	if pol.locInclude == nil {
		return []box{base}, nil
	}
	inc, exc := pol.locInclude, pol.locExclude
	if !adverse && len(exc.why) > 0 {
		return nil, exc.why
	}
	seen := ipDim == DimIP // the address that Entra sees; else the resource's
	if !seen && !adverse && (anyTrue(exc.country) || anyTrue(exc.gps) || exc.compliant) {
		return nil, nil // whether such an exclusion holds at the resource is not known
	}
	rest := cs.clone(base)
	cs.drop(rest, ipDim, exc.ip, false)
	if seen {
		cs.drop(rest, DimCountry, exc.country, false)
		cs.drop(rest, DimGPSCountry, exc.gps, false)
		if exc.compliant {
			cs.drop(rest, DimCompliantNetwork, onNetwork, false)
		}
	}
	why = join(inc.why, exc.why)
	if exc.all || cs.empty(rest) {
		return nil, why
	}
	if inc.all || adverse && len(inc.why) > 0 || !seen && adverse && (anyTrue(inc.country) || anyTrue(inc.gps) || inc.compliant) {
		return []box{rest}, why
	}
	keep := func(name Dimension, in []bool) {
		b := cs.clone(rest)
		cs.drop(b, name, in, true)
		if !cs.empty(b) {
			out = append(out, b)
		}
	}
	keep(ipDim, inc.ip)
	if seen {
		keep(DimCountry, inc.country)
		keep(DimGPSCountry, inc.gps)
		if inc.compliant {
			keep(DimCompliantNetwork, onNetwork)
		}
	}
	return out, why
}

// onNetwork is the set {true} over the classes false, true.
var onNetwork = []bool{false, true}

func anyTrue(b []bool) bool { return slices.Contains(b, true) }

// classIndex gives the positions, in a table of the partition, that a
// dimension's classes stand for, -1 for none. An envelope may have narrowed the
// classes.
func classIndex(values, table []string, other int) []int {
	out := make([]int, len(values))
	for v, value := range values {
		if out[v] = slices.Index(table, value); out[v] < 0 && value != countryUnknown {
			out[v] = other // for countries: a code that no location names
		}
	}
	return out
}

// drop clears from box the classes that are in the set, or, with keep, those
// that are not.
func (cs *compiledSpace) drop(b box, name Dimension, set []bool, keep bool) {
	i := cs.at(name)
	seg := cs.seg(b, i)
	for v, at := range cs.index[name] {
		in := at >= 0 && at < len(set) && set[at]
		if in != keep {
			seg[v/64] &^= 1 << uint(v%64)
		}
	}
}
