package lockout

import (
	"fmt"
	"strings"
)

// tern is a three-valued answer: -1 no, 0 not known, +1 yes.
type tern int8

const (
	no      tern = -1
	unknown tern = 0
	yes     tern = 1
)

func (t tern) not() tern  { return -t }
func and3(a, b tern) tern { return min(a, b) }
func or3(a, b tern) tern  { return max(a, b) }
func ternOf(b bool) tern {
	if b {
		return yes
	}
	return no
}

// rule is a parsed filter rule. The grammar is that of dynamic membership
// rules (entra-docs groups-dynamic-membership); precedence: comparison, -not,
// -and, -or.
type rule struct {
	op   string // "and", "or", "not", or "" for an atom
	a, b *rule
	atom *atom
	// extension: the whole rule names an extension attribute of a device.
	extension bool
}

// atom is one comparison.
type atom struct {
	prefix string // "device" or "customsecurityattribute", folded
	prop   string // as written, without the prefix
	op     string // positive operator: eq, startsWith, endsWith, contains, in
	neg    bool
	values []string // several for in and notIn
	null   bool     // compared with null
}

const (
	maxRuleLength = 16 << 10 // Entra allows 3,072 characters
	maxRuleDepth  = 200
)

// parseRule parses a filter rule. An error means that nobody can say what the
// rule does.
func parseRule(text string) (*rule, error) {
	if len(text) > maxRuleLength {
		return nil, fmt.Errorf("rule of %d characters is too long", len(text))
	}
	p := &ruleParser{text: text}
	p.next()
	r, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.tok != "" {
		return nil, fmt.Errorf("rule: unexpected %q at %d", p.tok, p.start)
	}
	r.atoms(func(a *atom) {
		r.extension = r.extension || a.prefix == "device" && isExtensionAttribute(strings.ToLower(a.prop))
	})
	return r, nil
}

type ruleParser struct {
	text  string
	pos   int
	start int
	tok   string // "" at the end
	str   bool   // tok is a quoted string
	bad   error
}

func (p *ruleParser) next() {
	p.tok, p.str = "", false
	for p.pos < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.pos]) >= 0 {
		p.pos++
	}
	p.start = p.pos
	if p.pos >= len(p.text) {
		return
	}
	c := p.text[p.pos]
	switch {
	case strings.IndexByte("()[],", c) >= 0:
		p.tok = string(c)
		p.pos++
	case c == '"' || c == '\'':
		p.quoted(c)
	default:
		end := p.pos
		for end < len(p.text) && strings.IndexByte(" \t\r\n()[],\"'", p.text[end]) < 0 {
			end++
		}
		p.tok, p.pos = p.text[p.pos:end], end
	}
}

// quoted reads a string in either quote style; the escape is a backtick or a
// backslash before the quote, or the quote doubled.
func (p *ruleParser) quoted(q byte) {
	var b strings.Builder
	for i := p.pos + 1; i < len(p.text); i++ {
		c := p.text[i]
		if (c == '`' || c == '\\') && i+1 < len(p.text) && p.text[i+1] == q {
			b.WriteByte(q)
			i++
			continue
		}
		if c == q {
			if i+1 < len(p.text) && p.text[i+1] == q {
				b.WriteByte(q)
				i++
				continue
			}
			p.tok, p.str, p.pos = b.String(), true, i+1
			if p.tok == "" {
				p.tok = "\x00" // an empty string is a token too
			}
			return
		}
		b.WriteByte(c)
	}
	p.bad = fmt.Errorf("rule: string at %d has no end", p.pos)
	p.pos = len(p.text)
}

func (p *ruleParser) word() string {
	if p.str {
		return ""
	}
	return strings.ToLower(strings.TrimPrefix(p.tok, "-"))
}

func (p *ruleParser) or(depth int) (*rule, error) { return p.chain("or", depth, p.and) }

func (p *ruleParser) and(depth int) (*rule, error) { return p.chain("and", depth, p.not) }

func (p *ruleParser) chain(op string, depth int, sub func(int) (*rule, error)) (*rule, error) {
	left, err := sub(depth)
	if err != nil {
		return nil, err
	}
	for p.word() == op {
		p.next()
		right, err := sub(depth)
		if err != nil {
			return nil, err
		}
		left = &rule{op: op, a: left, b: right}
	}
	return left, nil
}

func (p *ruleParser) not(depth int) (*rule, error) {
	if p.bad != nil {
		return nil, p.bad
	}
	if depth > maxRuleDepth {
		return nil, fmt.Errorf("rule: nested deeper than %d", maxRuleDepth)
	}
	if p.word() == "not" {
		p.next()
		sub, err := p.not(depth + 1)
		if err != nil {
			return nil, err
		}
		return &rule{op: "not", a: sub}, nil
	}
	if p.tok == "(" && !p.str {
		p.next()
		sub, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if p.tok != ")" || p.str {
			return nil, fmt.Errorf("rule: missing ) at %d", p.start)
		}
		p.next()
		return sub, nil
	}
	return p.atom()
}

// ruleOps maps an operator, folded and without its hyphen, to its positive form
// and whether it is negated.
var ruleOps = map[string]struct {
	op  string
	neg bool
}{
	"eq": {"eq", false}, "equals": {"eq", false}, "ne": {"eq", true}, "notequals": {"eq", true},
	"startswith": {"startsWith", false}, "notstartswith": {"startsWith", true}, "notstartwith": {"startsWith", true},
	"endswith": {"endsWith", false}, "notendswith": {"endsWith", true}, "notendwith": {"endsWith", true},
	"contains": {"contains", false}, "notcontains": {"contains", true},
	"in": {"in", false}, "notin": {"in", true},
}

func (p *ruleParser) atom() (*rule, error) {
	if p.tok == "" || p.str {
		return nil, fmt.Errorf("rule: a property is missing at %d", p.start)
	}
	prefix, prop, ok := strings.Cut(p.tok, ".")
	if !ok || prop == "" {
		return nil, fmt.Errorf("rule: %q at %d is no property", p.tok, p.start)
	}
	a := &atom{prefix: strings.ToLower(prefix), prop: prop}
	p.next()
	op, ok := ruleOps[p.word()]
	if !ok {
		return nil, fmt.Errorf("rule: %q at %d is no operator", p.tok, p.start)
	}
	a.op, a.neg = op.op, op.neg
	p.next()
	if p.tok == "[" && !p.str {
		for {
			p.next()
			v, _, err := p.value()
			if err != nil {
				return nil, err
			}
			a.values = append(a.values, v)
			if p.tok == "]" && !p.str {
				p.next()
				break
			}
			if p.tok != "," || p.str {
				return nil, fmt.Errorf("rule: list at %d has no end", p.start)
			}
		}
		if a.op != "in" {
			return nil, fmt.Errorf("rule: -%s takes one value, not a list", a.op)
		}
		return &rule{atom: a}, nil
	}
	v, null, err := p.value()
	if err != nil {
		return nil, err
	}
	a.values, a.null = []string{v}, null
	return &rule{atom: a}, nil
}

func (p *ruleParser) value() (v string, null bool, err error) {
	if p.bad != nil {
		return "", false, p.bad
	}
	switch {
	case p.str:
		v = strings.TrimPrefix(p.tok, "\x00")
	case strings.EqualFold(p.tok, "null"):
		null = true
	case strings.EqualFold(p.tok, "true"), strings.EqualFold(p.tok, "false"):
		v = p.tok
	default:
		return "", false, fmt.Errorf("rule: %q at %d is no value", p.tok, p.start)
	}
	p.next()
	return v, null, nil
}

// eval evaluates the rule; each atom is judged by at.
func (r *rule) eval(at func(*atom) tern) tern {
	switch r.op {
	case "and":
		return and3(r.a.eval(at), r.b.eval(at))
	case "or":
		return or3(r.a.eval(at), r.b.eval(at))
	case "not":
		return r.a.eval(at).not()
	}
	return at(r.atom)
}

// atoms calls f for every atom.
func (r *rule) atoms(f func(*atom)) {
	if r == nil {
		return
	}
	if r.atom != nil {
		f(r.atom)
		return
	}
	r.a.atoms(f)
	r.b.atoms(f)
}

// matchString says whether one string satisfies the positive form of the atom.
// Strings compare without case (entra-docs groups-dynamic-membership).
func (a *atom) matchString(s string) bool {
	s = strings.ToLower(s)
	for _, v := range a.values {
		v = strings.ToLower(v)
		switch a.op {
		case "eq", "in":
			if s == v {
				return true
			}
		case "startsWith":
			if strings.HasPrefix(s, v) {
				return true
			}
		case "endsWith":
			if strings.HasSuffix(s, v) {
				return true
			}
		case "contains":
			if strings.Contains(s, v) {
				return true
			}
		}
	}
	return false
}

// deviceProps are the properties a device filter may name
// (entra-docs concept-condition-filters-for-devices), folded; true: a
// collection, on which contains means "one element equals".
var deviceProps = map[string]bool{
	"deviceid": false, "displayname": false, "deviceownership": false, "enrollmentprofilename": false,
	"iscompliant": false, "manufacturer": false, "mdmappid": false, "model": false, "operatingsystem": false,
	"operatingsystemversion": false, "physicalids": true, "profiletype": false, "systemlabels": true, "trusttype": false,
}

func isExtensionAttribute(prop string) bool {
	rest, ok := strings.CutPrefix(prop, "extensionattribute")
	if !ok || len(rest) == 0 || len(rest) > 2 || rest[0] == '0' {
		return false
	}
	n := 0
	for _, c := range []byte(rest) {
		if c < '0' || c > '9' {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return n <= 15
}

// evalDevice evaluates a device filter rule on a device. Extension attributes
// exist only on managed, compliant or hybrid joined devices; elsewhere they are
// null, or the whole filter is skipped: nobody says.
func (r *rule) evalDevice(d *Device) tern {
	if r.extension && d.Registered && !d.Managed && !d.managed() {
		return unknown
	}
	return r.eval(func(a *atom) tern { return a.onDevice(d) })
}

func (a *atom) onDevice(d *Device) tern {
	prop := strings.ToLower(a.prop)
	collection, known := deviceProps[prop]
	if a.prefix != "device" || !known && !isExtensionAttribute(prop) {
		return unknown
	}
	var values []string
	for k, v := range d.Attributes {
		if strings.EqualFold(k, a.prop) {
			values = v
		}
	}
	if d.Registered && !d.Managed && !known && !d.managed() {
		return unknown // an extension attribute
	}
	if a.null {
		// "-eq null" is not described for filters over devices.
		if !d.Registered {
			return unknown
		}
		t := ternOf(len(values) == 0)
		if a.neg {
			t = t.not()
		}
		return t
	}
	// An unregistered device has every attribute null: a positive operator does
	// not match, a negative one does (concept-condition-filters-for-devices).
	match := false
	if d.Registered {
		for _, v := range values {
			if collection && a.op == "contains" {
				match = match || len(a.values) == 1 && strings.EqualFold(v, a.values[0])
			} else {
				match = match || a.matchString(v)
			}
		}
	}
	return ternOf(match != a.neg)
}

// managed: compliant or hybrid joined devices carry extension attributes too.
func (d *Device) managed() bool {
	return d.is("isCompliant", "true") || d.is("trustType", "ServerAD")
}

// is reports whether an attribute has the value, without case.
func (d *Device) is(prop, value string) bool {
	for k, vs := range d.Attributes {
		if strings.EqualFold(k, prop) {
			for _, v := range vs {
				if strings.EqualFold(v, value) {
					return true
				}
			}
		}
	}
	return false
}
