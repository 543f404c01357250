package verify

import (
	"fmt"
	"slices"
	"strings"
)

// truth is no (-1), not known (0) or yes (1).
type truth int8

func truthOf(b bool) truth {
	if b {
		return 1
	}
	return -1
}

// expression is a parsed filter rule in the grammar of dynamic membership rules:
// or above and above not above a comparison.
type expression struct {
	kind string // or, and, not, compare
	of   []*expression
	comparison
}

// comparison is one comparison of a property with literals.
type comparison struct {
	object string // device, customsecurityattribute; folded
	prop   string // folded
	op     string // eq, startswith, endswith, contains, in
	not    bool
	null   bool
	values []string // folded
}

type token struct {
	text   string
	quoted bool
}

// scan splits a rule into words, quoted strings and punctuation.
func scan(rule string) ([]token, error) {
	var out []token
	for i := 0; i < len(rule); {
		c := rule[i]
		switch {
		case strings.ContainsRune(" \t\r\n", rune(c)):
			i++
		case strings.ContainsRune("()[],", rune(c)):
			out = append(out, token{string(c), false})
			i++
		case c == '"' || c == '\'':
			text, n := unquote(rule[i+1:], c)
			if n < 0 {
				return nil, fmt.Errorf("a string has no end")
			}
			out = append(out, token{text, true})
			i += 1 + n
		default:
			j := i
			for j < len(rule) && !strings.ContainsRune(" \t\r\n()[],\"'", rune(rule[j])) {
				j++
			}
			out = append(out, token{rule[i:j], false})
			i = j
		}
	}
	return out, nil
}

// unquote reads up to the closing quote and returns the text and how many bytes
// it took with the quote, or -1. A quote is escaped by a backtick, a backslash
// or itself.
func unquote(s string, quote byte) (string, int) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		next := i+1 < len(s) && s[i+1] == quote
		switch {
		case next && (s[i] == '`' || s[i] == '\\' || s[i] == quote):
			b.WriteByte(quote)
			i++
		case s[i] == quote:
			return b.String(), i + 1
		default:
			b.WriteByte(s[i])
		}
	}
	return "", -1
}

type ruleReader struct {
	tokens []token
	depth  int
}

func readRule(rule string) (*expression, error) {
	if len(rule) > 16<<10 {
		return nil, fmt.Errorf("too long")
	}
	tokens, err := scan(rule)
	if err != nil {
		return nil, err
	}
	r := &ruleReader{tokens: tokens}
	e, err := r.any()
	if err == nil && len(r.tokens) > 0 {
		err = fmt.Errorf("unexpected %q", r.tokens[0].text)
	}
	return e, err
}

func (r *ruleReader) word() string {
	if len(r.tokens) == 0 || r.tokens[0].quoted {
		return ""
	}
	return strings.TrimPrefix(strings.ToLower(r.tokens[0].text), "-")
}

func (r *ruleReader) take() token {
	if len(r.tokens) == 0 {
		return token{}
	}
	t := r.tokens[0]
	r.tokens = r.tokens[1:]
	return t
}

func (r *ruleReader) any() (*expression, error) { return r.joined("or", r.all) }

func (r *ruleReader) all() (*expression, error) { return r.joined("and", r.one) }

func (r *ruleReader) joined(kind string, part func() (*expression, error)) (*expression, error) {
	e := &expression{kind: kind}
	for {
		x, err := part()
		if err != nil {
			return nil, err
		}
		e.of = append(e.of, x)
		if r.word() != kind {
			return e, nil
		}
		r.take()
	}
}

func (r *ruleReader) one() (*expression, error) {
	if r.depth++; r.depth > 10000 {
		return nil, fmt.Errorf("too deep")
	}
	switch r.word() {
	case "not":
		r.take()
		x, err := r.one()
		return &expression{kind: "not", of: []*expression{x}}, err
	case "(":
		r.take()
		x, err := r.any()
		if err == nil && r.word() != ")" {
			err = fmt.Errorf("a parenthesis is not closed")
		}
		r.take()
		return x, err
	}
	return r.compare()
}

var operators = map[string]string{"eq": "eq", "equals": "eq", "startswith": "startswith", "endswith": "endswith", "contains": "contains", "in": "in",
	"ne": "eq", "notequals": "eq", "notstartswith": "startswith", "notstartwith": "startswith", "notendswith": "endswith", "notendwith": "endswith",
	"notcontains": "contains", "notin": "in"}

func (r *ruleReader) compare() (*expression, error) {
	t := r.take()
	object, prop, ok := strings.Cut(strings.ToLower(t.text), ".")
	if !ok || t.quoted || prop == "" {
		return nil, fmt.Errorf("%q is no property", t.text)
	}
	e := &expression{kind: "compare", comparison: comparison{object: object, prop: prop}}
	name := r.word()
	r.take()
	if e.op, ok = operators[name]; !ok {
		return nil, fmt.Errorf("%q is no operator", name)
	}
	e.not = name == "ne" || strings.HasPrefix(name, "not")
	if r.word() != "[" {
		v, null, err := r.literal()
		e.values, e.null = []string{v}, null
		return e, err
	}
	if e.op != "in" {
		return nil, fmt.Errorf("%s takes no list", name)
	}
	for r.word() != "]" {
		r.take() // the bracket, or a comma
		v, null, err := r.literal()
		if err != nil || null || r.word() != "]" && r.word() != "," {
			return nil, fmt.Errorf("a list is broken")
		}
		e.values = append(e.values, v)
	}
	r.take()
	return e, nil
}

func (r *ruleReader) literal() (text string, null bool, err error) {
	t := r.take()
	low := strings.ToLower(t.text)
	switch {
	case t.quoted, low == "true", low == "false":
		return low, false, nil
	case low == "null":
		return "", true, nil
	}
	return "", false, fmt.Errorf("%q is no value", t.text)
}

// eval evaluates an expression; at judges one comparison.
func (e *expression) eval(at func(*comparison) truth) truth {
	switch e.kind {
	case "not":
		return -e.of[0].eval(at)
	case "compare":
		return at(&e.comparison)
	}
	out := e.of[0].eval(at)
	for _, x := range e.of[1:] {
		if e.kind == "or" {
			out = max(out, x.eval(at))
		} else {
			out = min(out, x.eval(at))
		}
	}
	return out
}

// each calls f for every comparison.
func (e *expression) each(f func(*comparison)) {
	if e.kind == "compare" {
		f(&e.comparison)
		return
	}
	for _, x := range e.of {
		x.each(f)
	}
}

// matches says whether a text satisfies the positive form of the comparison.
func (c *comparison) matches(text string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(c.values, func(v string) bool {
		switch c.op {
		case "startswith":
			return strings.HasPrefix(text, v)
		case "endswith":
			return strings.HasSuffix(text, v)
		case "contains":
			return strings.Contains(text, v)
		}
		return text == v
	})
}

// collections are the device properties with several values, on which contains
// means that one of them equals.
var collections = []string{"physicalids", "systemlabels"}

var deviceProperties = []string{"deviceid", "displayname", "deviceownership", "enrollmentprofilename", "iscompliant", "manufacturer", "mdmappid", "model",
	"operatingsystem", "operatingsystemversion", "physicalids", "profiletype", "systemlabels", "trusttype"}

// extension reports whether a property is one of extensionAttribute1 to 15.
func extension(prop string) bool {
	n, ok := strings.CutPrefix(prop, "extensionattribute")
	return ok && (len(n) == 1 && n >= "1" && n <= "9" || len(n) == 2 && n >= "10" && n <= "15")
}

// onDevice judges a rule on a device. Where extension attributes do not exist,
// one of them may make the whole filter be skipped.
func (e *expression) onDevice(d *Device) truth {
	skipped := false
	if d.Registered && !d.managed() {
		e.each(func(c *comparison) { skipped = skipped || c.object == "device" && extension(c.prop) })
	}
	if skipped {
		return 0
	}
	return e.eval(func(c *comparison) truth { return c.onDevice(d) })
}

// onDevice judges a comparison on a device.
func (c *comparison) onDevice(d *Device) truth {
	ext := extension(c.prop)
	if c.object != "device" || !ext && !slices.Contains(deviceProperties, c.prop) {
		return 0
	}
	if !d.Registered {
		// Every attribute is null: positive operators do not match, negative ones
		// do. What a comparison with null says is not documented.
		if c.null {
			return 0
		}
		return truthOf(c.not)
	}
	if ext && !d.managed() {
		return 0 // null, or the filter is skipped
	}
	values := d.values(c.prop)
	hit := c.null && len(values) == 0
	for _, v := range values {
		switch {
		case c.null:
		case c.op == "contains" && slices.Contains(collections, c.prop):
			hit = hit || slices.Contains(c.values, strings.ToLower(v))
		default:
			hit = hit || c.matches(v)
		}
	}
	return truthOf(hit != c.not)
}

func (d *Device) values(prop string) []string {
	var out []string
	for k, vs := range d.Attributes {
		if strings.EqualFold(k, prop) {
			out = append(out, vs...)
		}
	}
	return out
}

func (d *Device) is(prop, value string) bool {
	return d.Registered && slices.ContainsFunc(d.values(prop), func(v string) bool { return strings.EqualFold(v, value) })
}

// managed: extension attributes exist on managed, compliant and hybrid joined
// devices only.
func (d *Device) managed() bool {
	return d.Managed || d.is("isCompliant", "true") || d.is("trustType", "ServerAD")
}

// mayMatch says whether the device filter of a policy may let it apply to a
// device, and whether it surely does.
func (p *policy) deviceMatch(d *Device) (may, surely bool) {
	if p.deviceFilter == nil {
		return true, true
	}
	e, err := readRule(p.deviceFilter.rule)
	if err != nil || p.deviceFilter.mode == "" {
		return true, false
	}
	t := e.onDevice(d)
	if p.deviceFilter.mode == "exclude" {
		t = -t
	}
	return t >= 0, t > 0
}

// appMatch judges the application filter on the service principal of an
// audience: strings only, on attributes that were read.
func (a *account) appMatch(p *policy, audience string) truth {
	e, err := readRule(p.appFilter.rule)
	if err != nil {
		return 0
	}
	app := a.t.applications[audience]
	read := app.is("attributesRead") || app == nil && a.t.read("servicePrincipals")
	return e.eval(func(c *comparison) truth {
		if c.object != "customsecurityattribute" || c.null || !read {
			return 0
		}
		hit := false
		if attrs := app.get("attributes"); attrs != nil {
			for _, v := range attrs.strs(c.prop) {
				hit = hit || c.matches(v)
			}
		}
		return truthOf(hit != c.not)
	})
}
