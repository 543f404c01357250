package lockout_test

import (
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"

	"halligan/lockout"
)

// tri is a truth value: certainly not, not known, certainly.
type tri int

const (
	no tri = iota
	maybe
	yes
)

func (t tri) and(o tri) tri { return min(t, o) }
func (t tri) or(o tri) tri  { return max(t, o) }
func (t tri) not() tri      { return yes - t }

func sure(b bool) tri {
	if b {
		return yes
	}
	return no
}

// rule is a parsed filter rule (ca-semantics 1.3): an atom, or an operation on
// other rules.
type rule struct {
	op          string // "and", "or", "not", or the operator of an atom
	parts       []*rule
	subject     string
	literals    []string
	literalNull bool
}

var wordOperators = map[string]string{
	"eq": "eq", "equals": "eq", "ne": "ne", "notequals": "ne",
	"startswith": "startswith", "notstartswith": "notstartswith", "endswith": "endswith", "notendswith": "notendswith",
	"contains": "contains", "notcontains": "notcontains", "in": "in", "notin": "notin",
}

type ruleParser struct {
	tokens []string
	bad    error
}

var errRule = errors.New("the rule does not parse")

func parseRule(text string) (*rule, error) {
	tokens, err := ruleTokens(text)
	if err != nil {
		return nil, err
	}
	p := &ruleParser{tokens: tokens}
	r := p.or()
	if p.bad == nil && len(p.tokens) > 0 {
		p.bad = errRule
	}
	return r, p.bad
}

// ruleTokens cuts a rule into words, parentheses, brackets, commas and quoted
// strings; a string keeps its opening quote as a mark.
func ruleTokens(s string) ([]string, error) {
	var out []string
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case strings.IndexByte(" \t\r\n", c) >= 0:
			i++
		case strings.IndexByte("()[],", c) >= 0:
			out = append(out, string(c))
			i++
		case c == '"' || c == '\'':
			end := strings.IndexByte(s[i+1:], c)
			if end < 0 {
				return nil, errRule
			}
			out = append(out, `"`+s[i+1:i+1+end])
			i += end + 2
		default:
			j := i
			for j < len(s) && strings.IndexByte(" \t\r\n()[],\"'", s[j]) < 0 {
				j++
			}
			out = append(out, s[i:j])
			i = j
		}
	}
	return out, nil
}

func (p *ruleParser) peek() string {
	if len(p.tokens) == 0 {
		return ""
	}
	return p.tokens[0]
}

func (p *ruleParser) next() string {
	t := p.peek()
	if len(p.tokens) == 0 {
		p.bad = errRule
		return ""
	}
	p.tokens = p.tokens[1:]
	return t
}

func (p *ruleParser) word(w string) bool {
	return strings.EqualFold(strings.TrimPrefix(p.peek(), "-"), w)
}

func (p *ruleParser) or() *rule {
	r := &rule{op: "or", parts: []*rule{p.and()}}
	for p.bad == nil && p.word("or") {
		p.next()
		r.parts = append(r.parts, p.and())
	}
	return r
}

func (p *ruleParser) and() *rule {
	r := &rule{op: "and", parts: []*rule{p.not()}}
	for p.bad == nil && p.word("and") {
		p.next()
		r.parts = append(r.parts, p.not())
	}
	return r
}

func (p *ruleParser) not() *rule {
	switch {
	case p.bad != nil:
		return &rule{op: "and"}
	case p.word("not"):
		p.next()
		return &rule{op: "not", parts: []*rule{p.not()}}
	case p.peek() == "(":
		p.next()
		r := p.or()
		if p.next() != ")" {
			p.bad = errRule
		}
		return r
	}
	return p.atom()
}

func (p *ruleParser) atom() *rule {
	subject := p.next()
	op, ok := wordOperators[strings.ToLower(strings.TrimPrefix(p.next(), "-"))]
	if !ok || strings.HasPrefix(subject, `"`) || !strings.Contains(subject, ".") {
		p.bad = errRule
	}
	r := &rule{op: op, subject: subject}
	if p.peek() != "[" {
		r.literal(p)
		return r
	}
	p.next()
	for p.bad == nil {
		r.literal(p)
		if t := p.next(); t == "]" {
			break
		} else if t != "," {
			p.bad = errRule
		}
	}
	return r
}

func (r *rule) literal(p *ruleParser) {
	switch t := p.next(); {
	case strings.HasPrefix(t, `"`):
		r.literals = append(r.literals, t[1:])
	case strings.EqualFold(t, "true"), strings.EqualFold(t, "false"):
		r.literals = append(r.literals, t)
	case strings.EqualFold(t, "null"):
		r.literalNull = true
	default:
		p.bad = errRule
	}
}

// eval evaluates the rule; values returns what the subject has, nil for null,
// and whether that is known.
func (r *rule) eval(values func(subject string) ([]string, bool)) tri {
	out := no
	switch r.op {
	case "or":
		for _, p := range r.parts {
			out = out.or(p.eval(values))
		}
		return out
	case "and":
		out = yes
		for _, p := range r.parts {
			out = out.and(p.eval(values))
		}
		return out
	case "not":
		return r.parts[0].eval(values).not()
	}
	have, known := values(r.subject)
	if !known {
		return maybe
	}
	positive, negative := strings.CutPrefix(r.op, "not")
	if r.op == "ne" {
		positive, negative = "eq", true
	}
	return sure(r.positive(positive, have) != negative)
}

func (r *rule) positive(op string, values []string) bool {
	if len(values) == 0 {
		return r.literalNull && (op == "eq" || op == "in")
	}
	list := len(values) > 1 || isList(r.subject)
	for _, value := range values {
		v := strings.ToLower(value)
		for _, literal := range r.literals {
			l := strings.ToLower(literal)
			switch op {
			case "eq", "in":
				if v == l {
					return true
				}
			case "startswith":
				if strings.HasPrefix(v, l) {
					return true
				}
			case "endswith":
				if strings.HasSuffix(v, l) {
					return true
				}
			case "contains":
				if v == l || !list && strings.Contains(v, l) {
					return true
				}
			}
		}
	}
	return false
}

// subjects are what the rule asks for.
func (r *rule) subjects() []string {
	if r.subject != "" {
		return []string{r.subject}
	}
	var out []string
	for _, p := range r.parts {
		out = append(out, p.subjects()...)
	}
	return out
}

// unregistered is what an unregistered device has for every attribute: nothing
// that any literal matches, null included.
var unregistered = []string{"\x00"}

var ruleProperties = strings.Fields(`deviceId displayName deviceOwnership enrollmentProfileName isCompliant manufacturer mdmAppId model
	operatingSystem operatingSystemVersion physicalIds profileType systemLabels trustType`)

// property returns the name of the device property a rule asks for.
func property(subject string) (string, bool) {
	name, ok := strings.CutPrefix(strings.ToLower(subject), "device.")
	number, extension := strings.CutPrefix(name, "extensionattribute")
	if n, err := strconv.Atoi(number); extension {
		return "extensionAttribute" + number, ok && err == nil && n >= 1 && n <= 15
	}
	i := slices.IndexFunc(ruleProperties, func(p string) bool { return strings.EqualFold(p, name) })
	if !ok || i < 0 {
		return "", false
	}
	return ruleProperties[i], true
}

// isList: the properties that hold several values.
func isList(subject string) bool {
	s := strings.ToLower(subject)
	return strings.HasSuffix(s, "physicalids") || strings.HasSuffix(s, "systemlabels")
}

func isExtension(subject string) bool {
	return strings.HasPrefix(strings.ToLower(subject), "device.extensionattribute")
}

// deviceRule evaluates a device filter rule on a device.
func deviceRule(text string, d lockout.Device) tri {
	r, err := parseRule(text)
	if err != nil {
		return maybe
	}
	if !d.Registered {
		// Every positive atom is false, every negative one true.
		return r.eval(func(subject string) ([]string, bool) {
			_, ok := property(subject)
			return unregistered, ok
		})
	}
	if slices.ContainsFunc(r.subjects(), isExtension) && !wellKnown(d) {
		return maybe // null, or the filter is skipped
	}
	return r.eval(func(subject string) ([]string, bool) {
		if _, ok := property(subject); !ok {
			return nil, false // we do not know what that is
		}
		for name, values := range d.Attributes {
			if strings.EqualFold("device."+name, subject) {
				return values, true
			}
		}
		return nil, true
	})
}

// everyDevice are enough concrete devices to tell every rule of the tenant from
// every other: the unregistered one, and for registered devices every
// combination of compliance, join, management and of a few values of each other
// attribute that some rule asks for.
func (o *oracle) everyDevice() []lockout.Device {
	literals := map[string][]string{}
	for _, p := range o.c.Policies {
		if p.Conditions.DeviceFilter == nil {
			continue
		}
		r, err := parseRule(p.Conditions.DeviceFilter.Rule)
		if err != nil {
			continue
		}
		r.atoms(func(a *rule) {
			if name, ok := property(a.subject); ok {
				literals[name] = append(literals[name], a.literals...)
			}
		})
	}
	devices := []map[string][]string{{}}
	cross := func(name string, values [][]string) {
		var next []map[string][]string
		for _, d := range devices {
			for _, v := range values {
				m := maps.Clone(d)
				if v != nil {
					m[name] = v
				}
				next = append(next, m)
			}
		}
		devices = next
	}
	cross("isCompliant", [][]string{nil, {"True"}, {"False"}})
	cross("trustType", [][]string{nil, {"AzureAD"}, {"ServerAD"}, {"Workplace"}})
	for _, name := range slices.Sorted(maps.Keys(literals)) {
		if name == "isCompliant" || name == "trustType" {
			continue
		}
		cross(name, candidates(name, literals[name]))
	}
	out := []lockout.Device{{}}
	for _, attributes := range devices {
		for _, managed := range []bool{false, true} {
			out = append(out, lockout.Device{Registered: true, Managed: managed, Attributes: attributes})
		}
	}
	return out
}

// candidates are values of one attribute: none, some other value, each literal,
// and every two literals joined, for rules that look at the ends and the middle.
func candidates(name string, literals []string) [][]string {
	slices.Sort(literals)
	literals = slices.Compact(literals)
	out := [][]string{nil, {"~"}}
	for _, a := range literals {
		out = append(out, []string{a})
		for _, b := range literals {
			if a == b {
				continue
			}
			if isList(name) {
				out = append(out, []string{a, b})
			} else {
				out = append(out, []string{a + "~" + b})
			}
		}
	}
	return out
}

func (r *rule) atoms(visit func(*rule)) {
	if r.subject != "" {
		visit(r)
	}
	for _, p := range r.parts {
		p.atoms(visit)
	}
}

// wellKnown: extension attributes exist only on a device that is managed,
// compliant or hybrid joined.
func wellKnown(d lockout.Device) bool {
	return d.Managed || has(d, "isCompliant", "true") || has(d, "trustType", "serverad")
}

func has(d lockout.Device, attribute, value string) bool {
	return d.Registered && slices.ContainsFunc(d.Attributes[attribute], func(v string) bool { return strings.EqualFold(v, value) })
}
