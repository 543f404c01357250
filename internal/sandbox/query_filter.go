package sandbox

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"time"
)

// filterNode is one node of a $filter (entra-docs filter-query-parameter).
type filterNode struct {
	op    string // and or not eq ne gt ge lt le in startswith endswith contains any all
	parts []*filterNode
	path  []string
	// values are the literals; one, but for in.
	values []any
	// variable is the range variable of any and all.
	variable string
}

// The limits of a filter: what is longer or deeper is refused.
const (
	maxFilterDepth = 24
	maxFilterNodes = 300
	maxChildren    = 15 // of or and in, for directory objects
)

type odataParser struct {
	text  string
	at    int
	nodes int
}

func parseFilter(text string) (*filterNode, error) {
	p := &odataParser{text: text}
	c, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if p.space(); p.at < len(p.text) {
		return nil, p.wrong()
	}
	return c, nil
}

func (p *odataParser) wrong() error {
	return badRequest("Invalid filter clause: syntax error at position %d in '%s'.", p.at, p.text)
}

func (p *odataParser) space() {
	for p.at < len(p.text) && (p.text[p.at] == ' ' || p.text[p.at] == '\t') {
		p.at++
	}
}

// word takes a word if it is the next one.
func (p *odataParser) word(w string) bool {
	p.space()
	end := p.at + len(w)
	if end > len(p.text) || !strings.EqualFold(p.text[p.at:end], w) || end < len(p.text) && nameByte(p.text[end]) {
		return false
	}
	p.at = end
	return true
}

func (p *odataParser) sign(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func nameByte(c byte) bool {
	return c == '_' || c == '$' || c == '.' || c == '@' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (p *odataParser) node(c filterNode) (*filterNode, error) {
	if p.nodes++; p.nodes > maxFilterNodes {
		return nil, badRequest("Invalid filter clause: the filter has too many nodes.")
	}
	return &c, nil
}

func (p *odataParser) joined(depth int, word string, next func(int) (*filterNode, error)) (*filterNode, error) {
	first, err := next(depth)
	if err != nil {
		return nil, err
	}
	parts := []*filterNode{first}
	for p.word(word) {
		more, err := next(depth)
		if err != nil {
			return nil, err
		}
		parts = append(parts, more)
	}
	if len(parts) == 1 {
		return first, nil
	}
	return p.node(filterNode{op: word, parts: parts})
}

func (p *odataParser) or(depth int) (*filterNode, error) {
	if depth > maxFilterDepth {
		return nil, badRequest("Invalid filter clause: the filter is nested too deeply.")
	}
	return p.joined(depth, "or", p.and)
}

func (p *odataParser) and(depth int) (*filterNode, error) { return p.joined(depth, "and", p.not) }

func (p *odataParser) not(depth int) (*filterNode, error) {
	if !p.word("not") {
		return p.primary(depth)
	}
	if depth >= maxFilterDepth {
		return nil, badRequest("Invalid filter clause: the filter is nested too deeply.")
	}
	inner, err := p.not(depth + 1)
	if err != nil {
		return nil, err
	}
	return p.node(filterNode{op: "not", parts: []*filterNode{inner}})
}

var textFunctions = []string{"startswith", "endswith", "contains"}

func (p *odataParser) primary(depth int) (*filterNode, error) {
	if p.sign('(') {
		c, err := p.or(depth + 1)
		if err != nil {
			return nil, err
		}
		if !p.sign(')') {
			return nil, p.wrong()
		}
		return c, nil
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	if len(path) == 1 && slices.Contains(textFunctions, strings.ToLower(path[0])) {
		return p.function(strings.ToLower(path[0]))
	}
	if last := strings.ToLower(path[len(path)-1]); len(path) > 1 && (last == "any" || last == "all") {
		return p.lambda(last, path[:len(path)-1], depth)
	}
	if len(path) == 1 && strings.EqualFold(path[0], "atScope") && p.sign('(') && p.sign(')') {
		return p.node(filterNode{op: "atscope"})
	}
	for _, op := range []string{"eq", "ne", "gt", "ge", "lt", "le"} {
		if p.word(op) {
			v, err := p.literal()
			if err != nil {
				return nil, err
			}
			return p.node(filterNode{op: op, path: path, values: []any{v}})
		}
	}
	if p.word("in") {
		return p.in(path)
	}
	if p.space(); p.at == len(p.text) || p.text[p.at] == ')' {
		return p.node(filterNode{op: "eq", path: path, values: []any{true}}) // a Boolean property alone
	}
	return nil, p.wrong()
}

func (p *odataParser) in(path []string) (*filterNode, error) {
	if !p.sign('(') {
		return nil, p.wrong()
	}
	var values []any
	for {
		v, err := p.literal()
		if err != nil {
			return nil, err
		}
		if values = append(values, v); len(values) > maxFilterNodes {
			return nil, badRequest("Invalid filter clause: the filter has too many nodes.")
		}
		if p.sign(')') {
			return p.node(filterNode{op: "in", path: path, values: values})
		}
		if !p.sign(',') {
			return nil, p.wrong()
		}
	}
}

func (p *odataParser) function(name string) (*filterNode, error) {
	if !p.sign('(') {
		return nil, p.wrong()
	}
	path, err := p.path()
	if err != nil {
		return nil, err
	}
	if !p.sign(',') {
		return nil, p.wrong()
	}
	v, err := p.literal()
	if err != nil {
		return nil, err
	}
	if _, text := v.(string); !text || !p.sign(')') {
		return nil, p.wrong()
	}
	if p.word("eq") { // startswith(x,'y') eq true
		if !p.word("true") {
			return nil, p.wrong()
		}
	}
	return p.node(filterNode{op: name, path: path, values: []any{v}})
}

func (p *odataParser) lambda(op string, path []string, depth int) (*filterNode, error) {
	if !p.sign('(') {
		return nil, p.wrong()
	}
	if p.sign(')') {
		return p.node(filterNode{op: op, path: path})
	}
	variable, err := p.path()
	if err != nil || len(variable) != 1 || !p.sign(':') {
		return nil, p.wrong()
	}
	inner, err := p.or(depth + 1)
	if err != nil {
		return nil, err
	}
	if !p.sign(')') {
		return nil, p.wrong()
	}
	return p.node(filterNode{op: op, path: path, variable: variable[0], parts: []*filterNode{inner}})
}

func (p *odataParser) path() ([]string, error) {
	p.space()
	start := p.at
	for p.at < len(p.text) && (nameByte(p.text[p.at]) || p.text[p.at] == '/') {
		p.at++
	}
	path := strings.Split(p.text[start:p.at], "/")
	if slices.Contains(path, "") || path[0][0] >= '0' && path[0][0] <= '9' {
		return nil, p.wrong()
	}
	return path, nil
}

// literal is a string in quotes, a number, a time, a GUID, true, false or null.
func (p *odataParser) literal() (any, error) {
	if p.space(); p.at == len(p.text) {
		return nil, p.wrong()
	}
	if p.text[p.at] == '\'' {
		return p.quoted()
	}
	start := p.at
	for p.at < len(p.text) && (nameByte(p.text[p.at]) || strings.IndexByte("-+:", p.text[p.at]) >= 0) {
		p.at++
	}
	switch text := p.text[start:p.at]; {
	case text == "":
		return nil, p.wrong()
	case strings.EqualFold(text, "true"), strings.EqualFold(text, "false"):
		return strings.EqualFold(text, "true"), nil
	case strings.EqualFold(text, "null"):
		return nil, nil
	default:
		if n, err := strconv.ParseFloat(text, 64); err == nil {
			return n, nil
		}
		if t, err := time.Parse(time.RFC3339, text); err == nil {
			return t, nil
		}
		if t, err := time.Parse(time.DateOnly, text); err == nil {
			return t, nil
		}
		if len(text) == 36 && strings.Count(text, "-") == 4 {
			return text, nil
		}
	}
	return nil, p.wrong()
}

func (p *odataParser) quoted() (any, error) {
	var b strings.Builder
	for p.at++; p.at < len(p.text); p.at++ {
		if p.text[p.at] == '\'' {
			if p.at+1 == len(p.text) || p.text[p.at+1] != '\'' {
				p.at++
				return b.String(), nil
			}
			p.at++
		}
		b.WriteByte(p.text[p.at])
	}
	return nil, p.wrong()
}

// walk visits every node.
func (c *filterNode) walk(f func(*filterNode)) {
	if c == nil {
		return
	}
	f(c)
	for _, p := range c.parts {
		p.walk(f)
	}
}

// matches reports whether an object satisfies a condition; vars are the range
// variables in sight.
func (c *filterNode) matches(o Object, vars map[string]any) bool {
	switch c.op {
	case "and":
		return !slices.ContainsFunc(c.parts, func(p *filterNode) bool { return !p.matches(o, vars) })
	case "or":
		return slices.ContainsFunc(c.parts, func(p *filterNode) bool { return p.matches(o, vars) })
	case "not":
		return !c.parts[0].matches(o, vars)
	case "any", "all":
		return c.quantified(o, vars)
	case "atscope":
		return true
	}
	v := follow(o, c.path, vars)
	if c.op == "in" {
		return slices.ContainsFunc(c.values, func(want any) bool { return compare(v, want, "eq") })
	}
	return compare(v, c.values[0], c.op)
}

func (c *filterNode) quantified(o Object, vars map[string]any) bool {
	list, _ := follow(o, c.path, vars).([]any)
	if len(c.parts) == 0 {
		return len(list) > 0
	}
	inner := map[string]any{}
	for k, v := range vars {
		inner[k] = v
	}
	for _, e := range list {
		inner[c.variable] = e
		if c.parts[0].matches(o, inner) != (c.op == "all") {
			return c.op == "any"
		}
	}
	return c.op == "all"
}

// follow reads a path; names compare without case. A last segment $count is the
// length of a list.
func follow(o Object, path []string, vars map[string]any) any {
	var at any = o
	if v, bound := vars[path[0]]; bound {
		at, path = v, path[1:]
	}
	for _, name := range path {
		if list, ok := at.([]any); ok && name == "$count" {
			return float64(len(list))
		}
		inner, ok := at.(Object)
		if !ok {
			return nil
		}
		v, has := inner[name]
		if !has {
			for k := range inner {
				if strings.EqualFold(k, name) {
					v = inner[k]
				}
			}
		}
		at = v
	}
	return at
}

// compare compares a property with a literal, text without case. null equals
// only null, and nothing is more or less than it.
func compare(v, want any, op string) bool {
	switch op {
	case "startswith", "endswith", "contains":
		text, ok := v.(string)
		part, _ := want.(string)
		text, part = strings.ToLower(text), strings.ToLower(part)
		return ok && (op == "startswith" && strings.HasPrefix(text, part) || op == "endswith" && strings.HasSuffix(text, part) ||
			op == "contains" && strings.Contains(text, part))
	}
	order, comparable := rankOf(v, want)
	switch op {
	case "eq":
		return comparable && order == 0
	case "ne":
		return !comparable || order != 0
	case "gt":
		return comparable && v != nil && order > 0
	case "ge":
		return comparable && v != nil && order >= 0
	case "lt":
		return comparable && v != nil && order < 0
	case "le":
		return comparable && v != nil && order <= 0
	}
	return false
}

func rankOf(v, want any) (int, bool) {
	switch w := want.(type) {
	case nil:
		return 0, v == nil
	case bool:
		b, ok := v.(bool)
		if b == w {
			return 0, ok
		}
		return 1, ok
	case float64:
		n, ok := number(v)
		return cmp.Compare(n, w), ok
	case time.Time:
		text, _ := v.(string)
		t, err := time.Parse(time.RFC3339Nano, text)
		return t.Compare(w), err == nil
	case string:
		text, ok := v.(string)
		return cmp.Compare(strings.ToLower(text), strings.ToLower(w)), ok
	}
	return 0, false
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case float64:
		return n, true
	case int:
		return float64(n), true
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	}
	return 0, false
}
