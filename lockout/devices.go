package lockout

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// maxDevices bounds the product of device attributes.
const maxDevices = 1 << 17

// everyDevice is the exact small model of "any device": the unregistered one,
// and for registered ones every distinguishable combination of attributes
// under the filters of the Snapshot (ca-semantics 1.3).
func (p *Prover) everyDevice() ([]Device, error) {
	out := []Device{{}}
	byProp := map[string][]*atom{}
	for _, pol := range p.policies {
		pol.deviceRule.atoms(func(a *atom) {
			if a.prefix == "device" {
				k := strings.ToLower(a.prop)
				byProp[k] = append(byProp[k], a)
			}
		})
	}
	// These feed grant controls too and are always coordinates of their own.
	values := map[string][][]string{
		"iscompliant": {{"True"}, {"False"}, nil},
		"trusttype":   {{"AzureAD"}, {"ServerAD"}, {"Workplace"}, nil},
	}
	for prop, atoms := range byProp {
		if _, ok := values[prop]; ok {
			continue
		}
		values[prop] = candidates(prop, atoms)
	}
	props := make([]string, 0, len(values))
	for prop := range values {
		props = append(props, prop)
	}
	sort.Strings(props)
	devices := []Device{{Registered: true}, {Registered: true, Managed: true}}
	for _, prop := range props {
		var next []Device
		for _, d := range devices {
			for _, v := range values[prop] {
				if v != nil && isExtensionAttribute(prop) && !d.Managed && !d.managed() {
					continue // exists on managed devices only
				}
				n := Device{Registered: true, Managed: d.Managed, Attributes: map[string][]string{}}
				for k, x := range d.Attributes {
					n.Attributes[k] = x
				}
				if v != nil {
					n.Attributes[canonicalProp(prop)] = v
				}
				next = append(next, n)
			}
		}
		if len(next) > maxDevices {
			return nil, fmt.Errorf("envelope: the device filters tell more than %d kinds of device apart; declare the workstations instead", maxDevices)
		}
		devices = next
	}
	return append(out, p.distinct(devices)...), nil
}

// distinct keeps one device of each class that no filter and no control can
// tell apart.
func (p *Prover) distinct(devices []Device) []Device {
	seen := map[string]bool{}
	var out []Device
	for i := range devices {
		d := &devices[i]
		if sig := p.deviceSignature(d); !seen[sig] {
			seen[sig] = true
			out = append(out, *d)
		}
	}
	return out
}

// deviceSignature is all that controls and filters can see of a device.
func (p *Prover) deviceSignature(d *Device) string {
	var sig strings.Builder
	for _, b := range []bool{d.Registered, d.Managed || d.managed(), d.is("isCompliant", "true"), d.is("trustType", "ServerAD")} {
		sig.WriteByte("01"[b2i(b)])
	}
	for _, pol := range p.policies {
		if pol.deviceRule != nil {
			sig.WriteByte("-?+"[pol.deviceRule.evalDevice(d)+1])
		}
	}
	return sig.String()
}

func canonicalProp(folded string) string {
	for _, p := range []string{"isCompliant", "trustType", "displayName", "operatingSystem", "operatingSystemVersion", "physicalIds", "systemLabels",
		"deviceId", "deviceOwnership", "enrollmentProfileName", "manufacturer", "mdmAppId", "model", "profileType"} {
		if strings.ToLower(p) == folded {
			return p
		}
	}
	if isExtensionAttribute(folded) {
		return "extensionAttribute" + strings.TrimPrefix(folded, "extensionattribute")
	}
	return folded
}

// candidates are values of one attribute that realise every pattern of truth
// its atoms can have: each literal, and prefix + infixes + suffix joined by a
// separator that is in no literal, and nothing at all. Equal patterns are
// dropped.
func candidates(prop string, atoms []*atom) [][]string {
	var literals, prefixes, infixes, suffixes []string
	add := func(list *[]string, v string) {
		if v = strings.ToLower(v); !slices.Contains(*list, v) {
			*list = append(*list, v)
		}
	}
	for _, a := range atoms {
		for _, v := range a.values {
			add(&literals, v)
			switch a.op {
			case "startsWith":
				add(&prefixes, v)
			case "contains":
				add(&infixes, v)
			case "endsWith":
				add(&suffixes, v)
			}
		}
	}
	var values [][]string
	for _, l := range literals {
		values = append(values, []string{l})
	}
	sep := separator(literals)
	if deviceProps[prop] { // a collection: any subset of the literals
		values = append(values, subsets(literals)...)
	}
	for _, pre := range append([]string{""}, prefixes...) {
		for _, suf := range append([]string{""}, suffixes...) {
			for _, in := range subsets(infixes) {
				values = append(values, []string{pre + sep + strings.Join(in, sep) + sep + suf})
			}
		}
	}
	values = append(values, nil)
	seen := map[string]bool{}
	var out [][]string
	for _, v := range values {
		d := Device{Registered: true, Managed: true}
		if v != nil {
			d.Attributes = map[string][]string{prop: v}
		}
		var sig strings.Builder
		for _, a := range atoms {
			sig.WriteByte("-?+"[a.onDevice(&d)+1])
		}
		if !seen[sig.String()] {
			seen[sig.String()] = true
			out = append(out, v)
		}
	}
	return out
}

// subsets lists all subsets of up to 10 strings, the empty one first; of more
// strings the singletons, pairs and the whole.
func subsets(list []string) [][]string {
	out := [][]string{{}}
	if len(list) > 10 {
		for i, a := range list {
			out = append(out, []string{a})
			for _, b := range list[i+1:] {
				out = append(out, []string{a, b})
			}
		}
		return append(out, list)
	}
	for _, s := range list {
		for _, have := range slices.Clone(out) {
			out = append(out, append(slices.Clone(have), s))
		}
	}
	return out
}

func separator(literals []string) string {
	for _, c := range "~|#^\x1f" {
		if !slices.ContainsFunc(literals, func(l string) bool { return strings.ContainsRune(l, c) }) {
			return string(c)
		}
	}
	return "\u241f"
}
