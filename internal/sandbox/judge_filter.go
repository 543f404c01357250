package sandbox

import (
	"fmt"
	"slices"
	"strings"
)

// A filter rule has the syntax of dynamic membership rules (entra-docs
// identity/users/groups-dynamic-membership and
// identity/conditional-access/concept-condition-filters-for-devices):
//
//	or   := and {-or and}
//	and  := not {-and not}
//	not  := -not not | ( or ) | atom
//	atom := subject.property -op value
//
// filterRule is one, with its mode. A rule that does not parse has no test.
type filterRule struct {
	include bool
	test    filterTest
	extends bool // names an extension attribute
	names   []string
}

// filterTest asks a rule about a thing whose attributes look gives: their values,
// none when the attribute is null.
type filterTest func(look func(string) []string) bool

const filterLimit = 3072 // characters of a rule (concept-condition-filters-for-devices)

func readFilter(v any, subject string) *filterRule {
	o := wireObject(v)
	if wireEmpty(o["rule"]) {
		return nil
	}
	f := &filterRule{include: !wireSame(wireText(o["mode"]), "exclude")}
	p := &deviceRuleParser{subject: subject, words: filterWords(wireText(o["rule"]))}
	if len(wireText(o["rule"])) > filterLimit || p.words == nil {
		return f
	}
	test, err := p.or(0)
	if err == nil && p.at == len(p.words) {
		f.test, f.names = test, p.names
	}
	f.extends = slices.ContainsFunc(p.names, func(n string) bool { return strings.HasPrefix(n, "extensionattribute") })
	return f
}

// filterWord is a token: a bare word, a quoted text or one of ( ) [ ] ,
type filterWord struct {
	text   string
	quoted bool
}

// filterWords cuts a rule into tokens; nil when a text is not closed.
func filterWords(rule string) []filterWord {
	var out []filterWord
	for i := 0; i < len(rule); {
		switch c := rule[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case strings.IndexByte("()[],", c) >= 0:
			out = append(out, filterWord{text: string(c)})
			i++
		case c == '"' || c == '\'':
			var b strings.Builder
			i++
			for ; i < len(rule) && rule[i] != c; i++ {
				if (rule[i] == '`' || rule[i] == '\\') && i+1 < len(rule) && (rule[i+1] == c || rule[i+1] == rule[i]) {
					i++
				}
				b.WriteByte(rule[i])
			}
			if i == len(rule) {
				return nil
			}
			out = append(out, filterWord{b.String(), true})
			i++
		default:
			start := i
			for i < len(rule) && strings.IndexByte(" \t\r\n()[],\"'", rule[i]) < 0 {
				i++
			}
			out = append(out, filterWord{text: rule[start:i]})
		}
	}
	return out
}

type deviceRuleParser struct {
	subject string
	words   []filterWord
	at      int
	names   []string
}

// take moves over a bare word, with or without its hyphen.
func (p *deviceRuleParser) take(word string) bool {
	if p.at < len(p.words) && !p.words[p.at].quoted && wireSame(strings.TrimPrefix(p.words[p.at].text, "-"), word) {
		p.at++
		return true
	}
	return false
}

func (p *deviceRuleParser) or(depth int) (filterTest, error) { return p.chain("or", depth, p.and) }

func (p *deviceRuleParser) and(depth int) (filterTest, error) { return p.chain("and", depth, p.not) }

func (p *deviceRuleParser) chain(word string, depth int, next func(int) (filterTest, error)) (filterTest, error) {
	first, err := next(depth)
	if err != nil {
		return nil, err
	}
	tests := []filterTest{first}
	for p.take(word) {
		t, err := next(depth)
		if err != nil {
			return nil, err
		}
		tests = append(tests, t)
	}
	if len(tests) == 1 {
		return first, nil
	}
	any := word == "or"
	return func(look func(string) []string) bool {
		for _, t := range tests {
			if t(look) == any {
				return any
			}
		}
		return !any
	}, nil
}

func (p *deviceRuleParser) not(depth int) (filterTest, error) {
	if depth > 100 {
		return nil, fmt.Errorf("read filter rule: nested too deep")
	}
	if p.take("not") {
		t, err := p.not(depth + 1)
		if err != nil {
			return nil, err
		}
		return func(look func(string) []string) bool { return !t(look) }, nil
	}
	if p.take("(") {
		t, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if !p.take(")") {
			return nil, fmt.Errorf("read filter rule: a bracket is not closed")
		}
		return t, nil
	}
	return p.atom()
}

// filterOperators: each negative one is the positive one, denied. That a null
// attribute fails every positive and meets every negative operator then follows.
var filterOperators = map[string]struct {
	base   string
	denied bool
}{
	"eq": {"eq", false}, "ne": {"eq", true}, "equals": {"eq", false}, "notequals": {"eq", true},
	"startswith": {"starts", false}, "notstartswith": {"starts", true}, "notstartwith": {"starts", true},
	"endswith": {"ends", false}, "notendswith": {"ends", true}, "notendwith": {"ends", true},
	"contains": {"contains", false}, "notcontains": {"contains", true},
	"in": {"eq", false}, "notin": {"eq", true},
}

func (p *deviceRuleParser) atom() (filterTest, error) {
	if p.at+2 >= len(p.words) || p.words[p.at].quoted || p.words[p.at+1].quoted {
		return nil, fmt.Errorf("read filter rule: a comparison is not whole")
	}
	subject, name, dotted := strings.Cut(p.words[p.at].text, ".")
	if !dotted || !wireSame(subject, p.subject) || name == "" {
		return nil, fmt.Errorf("read filter rule: %q is no %s property", p.words[p.at].text, p.subject)
	}
	word := strings.ToLower(strings.TrimPrefix(p.words[p.at+1].text, "-"))
	op, known := filterOperators[word]
	if !known {
		return nil, fmt.Errorf("read filter rule: %q is no operator", p.words[p.at+1].text)
	}
	p.at += 2
	values, null, err := p.value()
	if err != nil {
		return nil, err
	}
	name = strings.ToLower(name)
	p.names = append(p.names, name)
	several := name == "physicalids" || name == "systemlabels" || p.subject != "device"
	return func(look func(string) []string) bool {
		have := look(name)
		hit := null && len(have) == 0
		for _, h := range have {
			hit = hit || slices.ContainsFunc(values, func(v string) bool { return filterHit(op.base, several, strings.ToLower(h), v) })
		}
		return hit != op.denied
	}, nil
}

func filterHit(op string, several bool, have, want string) bool {
	switch {
	case op == "eq" || op == "contains" && several:
		return have == want
	case op == "starts":
		return strings.HasPrefix(have, want)
	case op == "ends":
		return strings.HasSuffix(have, want)
	}
	return strings.Contains(have, want)
}

// value reads a text, a list of texts, True, False or null, in lower case.
func (p *deviceRuleParser) value() (values []string, null bool, err error) {
	w := p.words[p.at]
	p.at++
	if w.quoted {
		return []string{strings.ToLower(w.text)}, false, nil
	}
	switch strings.ToLower(strings.TrimPrefix(w.text, "$")) {
	case "null":
		return nil, true, nil
	case "true", "false":
		return []string{strings.ToLower(strings.TrimPrefix(w.text, "$"))}, false, nil
	case "[":
		for p.at < len(p.words) && (p.words[p.at].quoted || p.words[p.at].text != "]") {
			if p.words[p.at].quoted {
				values = append(values, strings.ToLower(p.words[p.at].text))
			} else if p.words[p.at].text != "," {
				return nil, false, fmt.Errorf("read filter rule: %q in a list", p.words[p.at].text)
			}
			p.at++
		}
		if p.at == len(p.words) {
			return nil, false, fmt.Errorf("read filter rule: a list is not closed")
		}
		p.at++
		return values, false, nil
	}
	return nil, false, fmt.Errorf("read filter rule: %q is no value", w.text)
}
