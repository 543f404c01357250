package verify

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"halligan/lockout/facts"
)

// tenant is what a Snapshot says, decoded here.
type tenant struct {
	cloud            string
	parts            map[string]string // status by part
	supposed         map[string]bool   // parts that a person stated
	policies         []*policy
	locations        map[string]*location // by id, folded
	strengths        map[string]*strength
	groups           map[string]*group
	users            map[string]*value
	domains          []*value
	agreements       map[string]*value
	applications     map[string]*value
	rolePolicies     map[string]*value
	assignments      []*value
	protected        map[string]string // context by action, both folded
	methods          map[string]*method
	migrated         bool
	methodsRead      bool
	campaigns        []*campaign
	securityDefaults *value
	legacyMethods    []string
	lowPrivilege     *value
	registrationOut  bool
	root             *value
}

type group struct {
	members []string
	read    bool
}

type location struct {
	id     string // as spelled
	kind   string // ip, country, compliantNetwork, "" not known
	ranges []addresses
	// codes are upper case.
	codes   []string
	unknown bool
	trusted bool
	gps     bool
	open    bool // something in it has no meaning here
}

type addresses struct{ first, last netip.Addr }

// readTenant decodes the canonical JSON of a Snapshot.
func readTenant(data []byte) (*tenant, error) {
	root, err := parse(data)
	if err != nil {
		return nil, err
	}
	if s := root.str("schema"); s != "halligan-snapshot/1" {
		return nil, fmt.Errorf("its form is %q, want halligan-snapshot/1", s)
	}
	t := &tenant{root: root, cloud: key(root.str("cloud")), parts: map[string]string{}, supposed: map[string]bool{}, locations: map[string]*location{}, strengths: map[string]*strength{},
		groups: map[string]*group{}, users: map[string]*value{}, agreements: map[string]*value{}, applications: map[string]*value{},
		rolePolicies: map[string]*value{}, protected: map[string]string{}, methods: map[string]*method{}}
	if p := root.get("parts"); p != nil {
		for i, k := range p.keys {
			t.parts[key(k)] = p.items[i].str("status")
			t.supposed[key(k)] = t.read(k) && p.items[i].str("detail") == "supposed"
		}
	}
	for _, e := range root.list("conditionalAccessPolicies") {
		t.policies = append(t.policies, readPolicy(e))
	}
	for _, e := range root.list("namedLocations") {
		l := readLocation(e)
		if err := once(t.locations, l.id, l, "named location"); err != nil {
			return nil, err
		}
	}
	for _, e := range root.list("authenticationStrengthPolicies") {
		s := readTenantStrength(e)
		if err := once(t.strengths, s.id, s, "authentication strength"); err != nil {
			return nil, err
		}
	}
	for _, e := range root.list("groups") {
		if err := once(t.groups, e.str("id"), &group{fold(e.strs("members")), e.is("membersRead")}, "group"); err != nil {
			return nil, err
		}
	}
	for _, list := range []struct {
		of   string
		id   string
		into map[string]*value
	}{{"users", "id", t.users}, {"agreements", "id", t.agreements}, {"servicePrincipals", "appId", t.applications}, {"roleManagementPolicies", "role", t.rolePolicies}} {
		for _, e := range root.list(list.of) {
			if err := once(list.into, e.str(list.id), e, list.of); err != nil {
				return nil, err
			}
		}
	}
	for _, e := range root.list("protectedActions") {
		if err := once(t.protected, e.str("action"), key(e.str("context")), "protected action"); err != nil {
			return nil, err
		}
	}
	t.assignments, t.domains = root.list("roleAssignments"), root.list("domains")
	t.securityDefaults, t.lowPrivilege = root.get("securityDefaults"), root.get("lowPrivilegeScopes")
	t.legacyMethods = fold(root.strs("legacyMethods"))
	t.registrationOut = root.is("registrationRuledOut")
	t.readMethodsPolicy(root.get("authenticationMethodsPolicy"))
	if c := root.get("campaignForced"); c != nil {
		t.campaigns = append(t.campaigns, readForced(c))
	}
	return t, nil
}

// once keeps an object by id; two of one id contradict each other.
func once[T any](in map[string]T, id string, x T, what string) error {
	k := key(id)
	if _, ok := in[k]; ok {
		return fmt.Errorf("%s %q is in it twice", what, id)
	}
	in[k] = x
	return nil
}

func (t *tenant) read(part string) bool { return t.parts[key(part)] == "read" }

// complete says why the Snapshot is nothing to prove on; nil: it is.
func (t *tenant) complete() error {
	if !t.read("conditionalAccessPolicies") {
		return fmt.Errorf("not all policies were read (%s)", t.parts["conditionalaccesspolicies"])
	}
	if n := len(t.root.list("troubles")); n > 0 {
		return fmt.Errorf("%d things could not be read", n)
	}
	return nil
}

const (
	compliantNetwork = "3d46dbda-8382-466a-856d-eb00cbc6b910"
	trustedIPs       = "00000000-0000-0000-0000-000000000000"
)

func readLocation(entry *value) *location {
	l := &location{id: entry.str("id")}
	raw := entry.get("raw")
	w := &walker{note: func(string, string) { l.open = true }}
	if raw == nil || raw.kind != '{' {
		l.open = true
		return l
	}
	var ranges, codes bool
	w.object(raw, map[string]func(*value){
		"id": ignore, "displayname": ignore, "createddatetime": ignore, "modifieddatetime": ignore, "description": ignore, "locationtype": ignore,
		"istrusted":            func(v *value) { l.trusted = w.yes(v) },
		"ipranges":             func(v *value) { ranges = ranges || !v.unset(); l.readRanges(w, v) },
		"countriesandregions":  func(v *value) { codes = codes || !v.unset(); l.codes = upper(w.texts(v)) },
		"compliantnetworktype": func(v *value) { l.kind = "compliantNetwork" },
		"includeunknowncountriesandregions": func(v *value) {
			l.unknown = w.yes(v)
		},
		"countrylookupmethod": func(v *value) { l.gps = w.word(v, "clientipaddress", "authenticatorappgps") == "authenticatorappgps" },
	})
	kind := ""
	for _, k := range []string{"@odata.type", "odataType", "AdditionalProperties"} {
		v := raw.get(k)
		if v != nil && v.kind == '{' {
			v = v.get("@odata.type")
		}
		if v != nil && v.kind == 's' && kind == "" {
			kind = strings.TrimPrefix(key(v.text), "#microsoft.graph.")
		}
	}
	switch {
	case kind == "ipnamedlocation":
		l.kind = "ip"
	case kind == "countrynamedlocation":
		l.kind = "country"
	case kind == "compliantnetworknamedlocation" || key(l.id) == compliantNetwork:
		l.kind = "compliantNetwork"
	case kind != "" && kind != "namedlocation":
		l.kind, l.open = "", true
	case ranges:
		l.kind = "ip"
	case codes:
		l.kind = "country"
	}
	if l.kind == "ip" && len(l.ranges) == 0 || l.kind == "country" && len(l.codes) == 0 && !l.unknown {
		l.open = true
	}
	l.open = l.open || l.kind == "" || len(entry.list("unmodelled")) > 0
	return l
}

func upper(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = strings.ToUpper(strings.TrimSpace(s))
	}
	return out
}

func (l *location) readRanges(w *walker, v *value) {
	list := []*value{v}
	if v.kind == '[' {
		list = v.items
	}
	for _, e := range list {
		if e.unset() {
			continue
		}
		var cidr, lower, last string
		if e.kind == 's' {
			cidr = e.text
		} else {
			w.object(e, map[string]func(*value){
				"cidraddress":  func(v *value) { cidr = w.text(v) },
				"loweraddress": func(v *value) { lower = w.text(v) },
				"upperaddress": func(v *value) { last = w.text(v) },
				"description":  ignore,
			})
		}
		a, ok := readAddresses(strings.TrimSpace(cidr), strings.TrimSpace(lower), strings.TrimSpace(last))
		if !ok {
			w.say("type")
			continue
		}
		l.ranges = append(l.ranges, a)
	}
}

func readAddresses(cidr, lower, last string) (addresses, bool) {
	if cidr == "" {
		a, err1 := netip.ParseAddr(lower)
		b, err2 := netip.ParseAddr(last)
		return addresses{a, b}, err1 == nil && err2 == nil && a.Zone() == "" && b.Zone() == "" && a.Is4() == b.Is4() && !b.Less(a)
	}
	if !strings.Contains(cidr, "/") {
		a, err := netip.ParseAddr(cidr)
		return addresses{a, a}, err == nil && a.Zone() == ""
	}
	p, err := netip.ParsePrefix(cidr)
	if err != nil {
		return addresses{}, false
	}
	// The last address has every bit past the prefix set.
	first := p.Masked().Addr()
	last16 := first.As16()
	skip := 128 - first.BitLen()
	for bit := skip + p.Bits(); bit < 128; bit++ {
		last16[bit/8] |= 1 << (7 - bit%8)
	}
	end := netip.AddrFrom16(last16)
	if first.Is4() {
		end = end.Unmap()
	}
	return addresses{first, end}, true
}

// strength is an authentication strength.
type strength struct {
	id           string
	combinations [][]string
	configs      []configuration
	known        bool // the combinations are
	configsKnown bool
	builtIn      bool
	open         bool
}

// configuration restricts the combinations that it names.
type configuration struct {
	applies          [][]string
	models           []string // AAGUIDs, folded; nil when it is not about keys
	issuers, oids    []string
	keys, certs, any bool // what it is about; any: not known
}

// readStrength reads a strength inside a grant. Its empty list of configurations
// proves nothing: Graph writes it there without reading it.
func readStrength(w *walker, v *value, inline bool) *strength {
	s := &strength{}
	outer := w.note
	w.note = func(path, kind string) {
		if kind == "member" && strings.Contains(path, ".allowedcombinations") {
			return // a combination that is not known is one more alternative
		}
		outer(path, kind)
	}
	configsGiven := false
	w.object(v, map[string]func(*value){
		"id": func(v *value) { s.id = key(w.text(v)) }, "displayname": ignore, "description": ignore, "createddatetime": ignore, "modifieddatetime": ignore,
		"requirementssatisfied": ignore,
		"policytype":            func(v *value) { s.builtIn = w.word(v, "builtin", "custom") == "builtin" },
		"allowedcombinations":   func(v *value) { s.combinations = readCombinations(w, v) },
		"combinationconfigurations": func(v *value) {
			configsGiven = v.kind == '['
			s.readConfigurations(w, v)
		},
	})
	w.note = outer
	s.known = len(s.combinations) > 0
	s.configsKnown = s.builtIn || configsGiven && (!inline || len(s.configs) > 0)
	return s
}

var modes = []string{"password", "voice", "hardwareoath", "softwareoath", "sms", "fido2", "windowshelloforbusiness", "microsoftauthenticatorpush", "devicebasedpush",
	"temporaryaccesspassonetime", "temporaryaccesspassmultiuse", "email", "x509certificatesinglefactor", "x509certificatemultifactor", "federatedsinglefactor",
	"federatedmultifactor", "qrcodepin"}

func readCombinations(w *walker, v *value) [][]string {
	list := []*value{v}
	if v.kind == '[' {
		list = v.items
	}
	var out [][]string
	for _, e := range list {
		if c := w.words(e, true, modes...); len(c) > 0 {
			out = append(out, c)
		}
	}
	return out
}

func (s *strength) readConfigurations(w *walker, v *value) {
	list := []*value{v}
	if v.kind == '[' {
		list = v.items
	}
	for _, e := range list {
		if e.unset() {
			continue
		}
		var c configuration
		w.object(e, map[string]func(*value){
			"id":                    ignore,
			"appliestocombinations": func(v *value) { c.applies = readCombinations(w, v) },
			"allowedaaguids":        func(v *value) { c.keys, c.models = true, fold(w.texts(v)) },
			"allowedissuerskis":     func(v *value) { c.certs, c.issuers = true, fold(w.texts(v)) },
			"allowedpolicyoids":     func(v *value) { c.certs, c.oids = true, fold(w.texts(v)) },
		})
		c.any = !c.keys && !c.certs
		s.configs = append(s.configs, c)
	}
}

func readTenantStrength(entry *value) *strength {
	s := &strength{}
	if raw := entry.get("raw"); raw != nil && raw.kind == '{' {
		open := false
		s = readStrength(&walker{note: func(string, string) { open = true }}, raw, false)
		s.open = open
	}
	s.id = key(entry.str("id"))
	return s
}

// resolve joins what a policy carries inline, what the tenant lists and what is
// built in.
func (t *tenant) resolve(s *strength) *strength {
	out := *s
	if own := t.strengths[s.id]; own != nil {
		if own.known {
			out.combinations, out.known = own.combinations, true
		}
		if own.configsKnown {
			out.configs, out.configsKnown = own.configs, true
		}
		out.open = out.open || own.open
	}
	for _, b := range facts.BuiltInStrengths() {
		if key(string(b.ID)) != s.id {
			continue
		}
		out.configsKnown = true // a built-in strength cannot be restricted
		if out.known {
			continue
		}
		out.known = true
		for _, c := range b.Combinations {
			out.combinations = append(out.combinations, modesOf(c))
		}
	}
	return &out
}

// modesOf folds the modes of a combination of the vendor data.
func modesOf[M ~string](c []M) []string {
	var out []string
	for _, m := range c {
		out = append(out, key(string(m)))
	}
	return out
}

func sameModes(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(a, b)
}
