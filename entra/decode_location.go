package entra

import (
	"net/netip"
	"strings"
)

// compliantNetworkID is the id of the location "All Compliant Network
// locations", the same in every tenant.
const compliantNetworkID ID = "3d46dbda-8382-466a-856d-eb00cbc6b910"

var lookupWords = words("clientIpAddress", "authenticatorAppGps")

var locationKeys = table(map[string]func(*walk, *NamedLocation, *node){
	"id":          func(w *walk, l *NamedLocation, v *node) { l.ID = w.id(v) },
	"displayName": func(w *walk, l *NamedLocation, v *node) { l.DisplayName = w.text(v) },
	"isTrusted":   func(w *walk, l *NamedLocation, v *node) { l.Trusted = w.isTrue(v) },
	"ipRanges": func(w *walk, l *NamedLocation, v *node) {
		w.list(v, func(e *node) {
			if r, ok := readRange(w, e); ok {
				l.Ranges = append(l.Ranges, r)
			} else {
				w.unexpected(e)
			}
		})
	},
	"countriesAndRegions": func(w *walk, l *NamedLocation, v *node) {
		for _, c := range w.texts(v) {
			l.Countries = append(l.Countries, strings.ToUpper(strings.TrimSpace(c)))
		}
	},
	"includeUnknownCountriesAndRegions": func(w *walk, l *NamedLocation, v *node) { l.IncludeUnknown = w.isTrue(v) },
	"countryLookupMethod": func(w *walk, l *NamedLocation, v *node) {
		l.GPS = member[string](w, v, lookupWords) == "authenticatorAppGps"
	},
	"compliantNetworkType": harmless[NamedLocation],
	"createdDateTime":      harmless[NamedLocation],
	"modifiedDateTime":     harmless[NamedLocation],
	"description":          harmless[NamedLocation],
	"locationType":         harmless[NamedLocation], // tools' word for @odata.type
})

// addresses is one entry of ipRanges.
type addresses struct{ cidr, lower, upper string }

var rangeKeys = table(map[string]func(*walk, *addresses, *node){
	"cidrAddress":  func(w *walk, a *addresses, v *node) { a.cidr = w.text(v) },
	"lowerAddress": func(w *walk, a *addresses, v *node) { a.lower = w.text(v) },
	"upperAddress": func(w *walk, a *addresses, v *node) { a.upper = w.text(v) },
	"description":  harmless[addresses],
})

func readRange(w *walk, v *node) (IPRange, bool) {
	var a addresses
	if v.kind == '"' {
		a.cidr = v.text
	} else {
		rangeKeys.read(w, &a, v)
	}
	if a.cidr != "" {
		return prefixRange(a.cidr)
	}
	first, err1 := netip.ParseAddr(strings.TrimSpace(a.lower))
	last, err2 := netip.ParseAddr(strings.TrimSpace(a.upper))
	if err1 != nil || err2 != nil || first.Zone() != "" || last.Zone() != "" || first.Is4() != last.Is4() || last.Less(first) {
		return IPRange{}, false
	}
	return IPRange{first, last}, true
}

// prefixRange reads a CIDR; bits past the prefix do not count. A bare address
// is a range of one.
func prefixRange(s string) (IPRange, bool) {
	s = strings.TrimSpace(s)
	p, err := netip.ParsePrefix(s)
	if err != nil {
		a, err := netip.ParseAddr(s)
		return IPRange{a, a}, err == nil && a.Zone() == ""
	}
	p = p.Masked()
	last := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(last)*8; bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	end, _ := netip.AddrFromSlice(last)
	return IPRange{p.Addr(), end}, true
}

// decodeLocation reads one named location.
func decodeLocation(doc *document, obj *node, origin Origin) (NamedLocation, []Trouble) {
	w := &walk{doc: doc}
	l := NamedLocation{Origin: origin}
	locationKeys.read(w, &l, obj)
	l.Kind = locationKind(obj, l.ID)
	if l.Kind == LocationUnknown {
		w.path = append(w.path, "@odata.type")
		w.record("member", &node{kind: '"', text: odataType(obj)})
	}
	if l.Kind == LocationIP && len(l.Ranges) == 0 || l.Kind == LocationCountry && len(l.Countries) == 0 && !l.IncludeUnknown {
		w.path = append(w.path[:0], "ipRanges")
		if l.Kind == LocationCountry {
			w.path[0] = "countriesAndRegions"
		}
		w.record("type", &node{kind: 'n'}) // Graph does not accept an empty location: something was lost
	}
	l.Unmodelled = w.unmodelled
	l.Raw = doc.canonical(obj)
	return l, w.notes
}

// locationKind reads the type, else tells it from the keys: the PowerShell SDK
// and templates leave the type out.
func locationKind(obj *node, id ID) LocationKind {
	kind := strings.ToLower(odataType(obj))
	switch {
	case kind == "ipnamedlocation":
		return LocationIP
	case kind == "countrynamedlocation":
		return LocationCountry
	case kind == "compliantnetworknamedlocation", id.Equal(compliantNetworkID):
		return LocationCompliantNetwork
	case kind != "" && kind != "namedlocation":
		return LocationUnknown
	case obj.has("ipRanges"):
		return LocationIP
	case obj.has("countriesAndRegions"):
		return LocationCountry
	case obj.has("compliantNetworkType"):
		return LocationCompliantNetwork
	}
	return LocationUnknown
}
