package lockout

import (
	"encoding/json"
	"slices"
	"strings"

	"halligan/entra"
)

// domainOf returns the values of a dimension that do not depend on the tenant,
// in the order of the vectors' conventions; nil when they do.
func domainOf(d Dimension) []string {
	switch d {
	case DimPlatform:
		return []string{string(entra.PlatformWindows), string(entra.PlatformMacOS), string(entra.PlatformLinux),
			string(entra.PlatformAndroid), string(entra.PlatformIOS), string(entra.PlatformWindowsPhone), string(entra.PlatformUnknown)}
	case DimCompliantNetwork, DimSmartLockout:
		return []string{"false", "true"}
	case DimSignInRisk, DimUserRisk:
		return []string{string(entra.RiskNone), string(entra.RiskLow), string(entra.RiskMedium), string(entra.RiskHigh)}
	case DimInsiderRisk:
		return []string{string(entra.InsiderNone), string(entra.InsiderMinor), string(entra.InsiderModerate), string(entra.InsiderElevated)}
	case DimClientApp:
		return []string{string(entra.ClientBrowser), string(entra.ClientNative), string(entra.ClientEAS), string(entra.ClientOther)}
	case DimFlow:
		return []string{string(entra.FlowNone), string(entra.FlowDeviceCode), string(entra.FlowTransfer)}
	case DimAuthService:
		return []string{"normal", "outageExistingSession", "outageNewSession"}
	}
	return nil
}

// deviceProperties are the attributes a device filter may ask for
// (ca-semantics 1.3).
var deviceProperties = []string{"deviceId", "displayName", "deviceOwnership", "enrollmentProfileName", "isCompliant", "manufacturer",
	"mdmAppId", "model", "operatingSystem", "operatingSystemVersion", "physicalIds", "profileType", "systemLabels", "trustType",
	"extensionAttribute1", "extensionAttribute2", "extensionAttribute3", "extensionAttribute4", "extensionAttribute5",
	"extensionAttribute6", "extensionAttribute7", "extensionAttribute8", "extensionAttribute9", "extensionAttribute10",
	"extensionAttribute11", "extensionAttribute12", "extensionAttribute13", "extensionAttribute14", "extensionAttribute15"}

func (r *vectorReader) quantifiers(at string, v any) map[Dimension]Quantifier {
	out := map[Dimension]Quantifier{}
	known := keys{}
	for _, d := range Dimensions {
		known[string(d)] = func(at string, v any) {
			var q Quantifier
			n := 0
			side := func(exists bool) func(string, any) {
				return func(at string, v any) {
					n++
					q.Exists = exists
					r.values(at, v, d, &q)
				}
			}
			r.object(at, v, keys{"forall": side(false), "exists": side(true)})
			if n != 1 {
				r.mistake(at, "want one of forall and exists")
			}
			out[d] = q
		}
	}
	r.object(at, v, known)
	return out
}

// values reads "*" or a list of values of one dimension.
func (r *vectorReader) values(at string, v any, d Dimension, q *Quantifier) {
	if s, ok := v.(string); ok {
		r.word(at, s, "*")
		q.All = true
		return
	}
	r.list(at, v, func(at string, v any) {
		if d == DimDevice {
			q.Devices = append(q.Devices, r.device(at, v))
			return
		}
		q.Values = append(q.Values, r.value(at, v, d))
	})
	if len(q.Values)+len(q.Devices) == 0 {
		r.mistake(at, "an empty list of values")
	}
}

// value reads one value of a dimension other than the device.
func (r *vectorReader) value(at string, v any, d Dimension) string {
	switch d {
	case DimIP, DimResourceIP:
		in := r.texts(at, v)
		slices.Sort(in)
		return strings.Join(slices.Compact(in), ",")
	case DimCompliantNetwork, DimSmartLockout:
		if b, ok := v.(bool); ok {
			if b {
				return "true"
			}
			return "false"
		}
		return r.word(at, v, "true", "false")
	case DimCountry, DimGPSCountry:
		s := r.text(at, v)
		if s != "unknown" {
			s = strings.ToUpper(s)
		}
		return s
	}
	return r.word(at, v, domainOf(d)...)
}

func (r *vectorReader) device(at string, v any) Device {
	d := Device{}
	known := keys{"registered": r.intoFlag(&d.Registered), "managed": r.intoFlag(&d.Managed)}
	for _, name := range deviceProperties {
		known[name] = func(at string, v any) {
			var values []string
			switch x := v.(type) {
			case bool:
				values = []string{map[bool]string{true: "True", false: "False"}[x]}
			case []any:
				values = r.texts(at, v)
			default:
				values = []string{r.text(at, v)}
			}
			if d.Attributes == nil {
				d.Attributes = map[string][]string{}
			}
			d.Attributes[name] = values
		}
	}
	r.object(at, v, known)
	r.require(at, v, "registered")
	return d
}

// deviceValue is how a device is written in a point.
func deviceValue(d Device) string {
	b, err := json.Marshal(d)
	if err != nil {
		panic(err) // booleans and strings only
	}
	return string(b)
}

func (r *vectorReader) point(at string, v any) map[Dimension]string {
	out := map[Dimension]string{}
	known := keys{}
	for _, d := range Dimensions {
		known[string(d)] = func(at string, v any) {
			if d == DimDevice {
				out[d] = deviceValue(r.device(at, v))
				return
			}
			out[d] = r.value(at, v, d)
		}
	}
	r.object(at, v, known)
	return out
}
