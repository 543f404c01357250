package verify

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	maxKinds = 1 << 17 // of devices that can be told apart
	maxParts = 12      // of one property asked for by contains
)

// everyDevice checks that a list of devices holds one of every kind that the
// device filters and controls of the tenant can tell apart: the unregistered
// one, and every combination of attributes.
func (t *tenant) everyDevice(devices []Device) error {
	var rules []*expression
	compared := map[string][]*comparison{}
	for _, p := range t.policies {
		if p.deviceFilter == nil {
			continue
		}
		e, err := readRule(p.deviceFilter.rule)
		if err != nil {
			continue // matches any device alike
		}
		rules = append(rules, e)
		e.each(func(c *comparison) {
			if c.object == "device" {
				compared[c.prop] = append(compared[c.prop], c)
			}
		})
	}
	have := map[string]bool{}
	registered := false
	for i := range devices {
		have[kindOf(&devices[i], rules)] = true
		registered = registered || devices[i].Registered
	}
	if !have[kindOf(&Device{}, rules)] {
		return fmt.Errorf("no device is like an unregistered one")
	}
	if !registered {
		return fmt.Errorf("no device is registered")
	}
	kinds := []Device{{Registered: true}, {Registered: true, Managed: true}}
	for _, prop := range slices.Sorted(maps.Keys(withFixed(compared))) {
		values, err := candidates(prop, compared[prop])
		if err != nil {
			return err
		}
		var next []Device
		for i := range kinds {
			for _, v := range values {
				d := Device{Registered: true, Managed: kinds[i].Managed, Attributes: maps.Clone(kinds[i].Attributes)}
				if v != nil {
					if d.Attributes == nil {
						d.Attributes = map[string][]string{}
					}
					d.Attributes[prop] = v
				}
				next = append(next, d)
			}
		}
		if kinds = next; len(kinds) > maxKinds {
			return fmt.Errorf("the device filters tell more than %d kinds of device apart", maxKinds)
		}
	}
	for i := range kinds {
		d := &kinds[i]
		if !d.managed() && slices.ContainsFunc(slices.Collect(maps.Keys(d.Attributes)), extension) {
			continue // such a device does not exist
		}
		if !have[kindOf(d, rules)] {
			return fmt.Errorf("no device is like %s", d.name())
		}
	}
	return nil
}

// withFixed adds the properties that controls read.
func withFixed(compared map[string][]*comparison) map[string][]*comparison {
	out := maps.Clone(compared)
	for _, p := range []string{"iscompliant", "trusttype"} {
		if _, ok := out[p]; !ok {
			out[p] = nil
		}
	}
	return out
}

// kindOf is what filters and controls can tell of a device.
func kindOf(d *Device, rules []*expression) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%t %t %t ", d.Registered, d.is("isCompliant", "true"), d.is("trustType", "ServerAD"))
	for _, e := range rules {
		b.WriteByte("n?y"[1+e.onDevice(d)])
	}
	return b.String()
}

// candidates are values of a property among which every pattern of truth occurs
// that its comparisons can have (ca-semantics 1.3): each literal, a prefix with
// any of the parts and a suffix, joined by a character that is in none, and no
// value at all.
func candidates(prop string, compared []*comparison) ([][]string, error) {
	switch prop {
	case "iscompliant":
		return [][]string{{"True"}, {"False"}, nil}, nil
	case "trusttype":
		return [][]string{{"AzureAD"}, {"ServerAD"}, {"Workplace"}, nil}, nil
	}
	prefixes, suffixes := []string{""}, []string{""}
	var literals, parts []string
	for _, c := range compared {
		for _, v := range c.values {
			literals = append(literals, v)
			switch c.op {
			case "startswith":
				prefixes = append(prefixes, v)
			case "endswith":
				suffixes = append(suffixes, v)
			case "contains":
				parts = append(parts, v)
			}
		}
	}
	several := slices.Contains(collections, prop)
	if several {
		parts = literals
	}
	slices.Sort(parts)
	if parts = slices.Compact(parts); len(parts) > maxParts {
		return nil, fmt.Errorf("more than %d parts of %s are asked for", maxParts, prop)
	}
	gap := "\x1e"
	for strings.Contains(strings.Join(literals, ""), gap) {
		gap += "\x1e"
	}
	out := [][]string{nil}
	for _, l := range literals {
		out = append(out, []string{l})
	}
	for set := range 1 << len(parts) {
		var in []string
		for i, part := range parts {
			if set>>i&1 == 1 {
				in = append(in, part)
			}
		}
		if several && len(in) > 0 {
			out = append(out, in)
		}
		for _, p := range prefixes {
			for _, s := range suffixes {
				out = append(out, []string{p + gap + strings.Join(in, gap) + gap + s})
			}
		}
	}
	// One value of each pattern is enough.
	seen := map[string]bool{}
	return slices.DeleteFunc(out, func(v []string) bool {
		d := Device{Registered: true, Managed: true, Attributes: map[string][]string{prop: v}}
		if v == nil {
			d.Attributes = nil
		}
		var b strings.Builder
		for _, c := range compared {
			b.WriteByte("n?y"[1+c.onDevice(&d)])
		}
		again := seen[b.String()] && v != nil
		seen[b.String()] = true
		return again
	}), nil
}
