package contract

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Mutation is an exchange that was right and was made wrong in one way.
type Mutation struct {
	Way  string
	Name string // which way, and on what
	// Rules lists the rules of which the exchange breaks at least one: refused for
	// another reason, it would prove nothing.
	Rules    []string
	Exchange Exchange
}

// Mutations makes wrong exchanges of right ones: up to perWay for each way to be
// wrong, the seeds taken in turn. A seed that is not right itself is left out.
// The result is the same for the same seeds. Ways lists the ways.
func (c *Contract) Mutations(seeds []Exchange, perWay int) []Mutation {
	var right []mutant
	for _, x := range seeds {
		if v := c.Judge(x); len(v.All()) == 0 && x.Fault == "" {
			right = append(right, mutant{c: c, x: x, op: v.Operation})
		}
	}
	var all []Mutation
	for n, way := range ways {
		made := 0
		for i := range right {
			if made == perWay {
				break
			}
			// Each way begins at another seed, so that together they meet all.
			m := right[(i+n*37)%len(right)].clone()
			if at, done := way.make(&m); done {
				all = append(all, Mutation{Way: way.name, Rules: strings.Fields(way.rules), Name: way.name + " " + at + ": " + m.x.String(), Exchange: m.x})
				made++
			}
		}
	}
	return all
}

// Ways lists the names of the ways in which Mutations makes an exchange wrong.
func Ways() []string {
	var names []string
	for _, way := range ways {
		names = append(names, way.name)
	}
	return names
}

type mutant struct {
	c  *Contract
	x  Exchange
	op *Operation
}

func (m mutant) clone() mutant {
	m.x.RequestHeader = m.x.RequestHeader.Clone()
	m.x.ResponseHeader = m.x.ResponseHeader.Clone()
	return m
}

// spot is a value in a body, where it stands, and what type it has to have.
type spot struct {
	holder     map[string]any
	key        string
	expression string
	owner      string // the type of the holder
	at         string
	// request says which body: the one that was sent.
	request bool
	body    any
}

func (s spot) put(m *mutant, v any) (string, bool) {
	s.holder[s.key] = v
	return s.at, s.write(m)
}

func (s spot) write(m *mutant) bool {
	text, err := json.Marshal(s.body)
	if err != nil {
		return false
	}
	if s.request {
		m.x.RequestBody = text
	} else {
		m.x.ResponseBody = text
	}
	return true
}

// spots lists every declared property in a body, and for each object a spot
// without a key.
func (m *mutant) spots(request bool) []spot {
	body, expression := []byte(m.x.ResponseBody), m.op.response
	if request {
		body, expression = m.x.RequestBody, m.op.request
	}
	if !request && m.x.Status >= 400 {
		expression = "microsoft.graph.ODataErrors.ODataError"
	}
	v, err := decode(body)
	if err != nil || expression == "" {
		return nil
	}
	var all []spot
	m.visit(v, expression, "", func(s spot) {
		s.request, s.body = request, v
		all = append(all, s)
	})
	return all
}

func (m *mutant) visit(v any, expression, at string, see func(spot)) {
	types := m.c.types[m.op.Version]
	name, _ := element(expression)
	switch v := v.(type) {
	case []any:
		for i, item := range v {
			m.visit(item, name, fmt.Sprintf("%s/%d", at, i), see)
		}
	case map[string]any:
		if t, is := v["@odata.type"].(string); is {
			name = strings.TrimPrefix(t, "#")
		}
		if types[name] == nil {
			return
		}
		see(spot{holder: v, owner: name, expression: expression, at: at})
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if e, navigation, known := types.property(name, key); known && !navigation {
				see(spot{holder: v, key: key, expression: e, owner: name, at: at + "/" + key})
				m.visit(v[key], e, at+"/"+key, see)
			}
		}
	}
}

// first makes the change on the last value in either body that fits: the deeper
// the better.
func first(fits func(m *mutant, s spot) bool, change func(s spot) any) func(*mutant) (string, bool) {
	return func(m *mutant) (string, bool) {
		for _, request := range []bool{true, false} {
			all := m.spots(request)
			slices.Reverse(all)
			for _, s := range all {
				if s.key != "" && fits(m, s) {
					return s.put(m, change(s))
				}
			}
		}
		return "", false
	}
}

func (m *mutant) kind(expression string) string {
	name, collection := element(expression)
	switch t := m.c.types[m.op.Version][name]; {
	case collection:
		return "list"
	case t == nil:
		return name
	default:
		return t.Kind
	}
}

func primitive(names ...string) func(*mutant, spot) bool {
	return func(m *mutant, s spot) bool {
		return s.holder[s.key] != nil && slices.Contains(names, m.kind(s.expression))
	}
}

// objects changes an object of the chosen body.
func objects(request bool, change func(m *mutant, s spot) bool) func(*mutant) (string, bool) {
	return func(m *mutant) (string, bool) {
		all := m.spots(request)
		slices.Reverse(all)
		for _, s := range all {
			if s.key == "" && change(m, s) {
				return s.at, s.write(m)
			}
		}
		return "", false
	}
}

func addUnknown(m *mutant, s spot) bool {
	types := m.c.types[m.op.Version]
	if types[s.owner].Kind == "complex" && types.open(s.owner) {
		return false
	}
	s.holder["noSuchProperty"] = "x"
	return true
}

func dropType(m *mutant, s spot) bool {
	declared, _ := element(s.expression)
	if s.holder["@odata.type"] == nil || s.owner == declared {
		return false
	}
	types := m.c.types[m.op.Version]
	unlike := types[declared].Abstract
	for key := range s.holder {
		if _, _, known := types.property(declared, key); !known && !strings.Contains(key, "@") {
			unlike = true // without its type, this property does not exist
		}
	}
	if t := types[declared]; t != nil && t.Kind == "complex" && types.open(declared) {
		return false // a dictionary takes any name
	}
	delete(s.holder, "@odata.type")
	return unlike
}

// query changes the query of the address.
func query(change func(m *mutant, q url.Values) bool) func(*mutant) (string, bool) {
	return func(m *mutant) (string, bool) {
		u, err := url.Parse(m.x.URL)
		if err != nil || m.op.Version == ARM {
			return "", false
		}
		q := u.Query()
		if !change(m, q) {
			return "", false
		}
		u.RawQuery = q.Encode()
		m.x.URL = u.String()
		return "", true
	}
}

// option sets a query option to a wrong value where the operation has it.
func option(name, value string) func(*mutant) (string, bool) {
	return query(func(m *mutant, q url.Values) bool {
		if !slices.Contains(m.op.Query, name) || m.op.Item == "" {
			return false
		}
		q.Set(name, value)
		return true
	})
}

// members sets $expand on a request for groups.
func members(value string) func(*mutant) (string, bool) {
	return query(func(m *mutant, q url.Values) bool {
		if !slices.Contains(m.op.Query, "$expand") || !m.c.types[m.op.Version].derives(m.op.Item, "microsoft.graph.group") {
			return false
		}
		q.Set("$expand", value)
		return true
	})
}

func text(request bool, change func(m *mutant, body string) (string, bool)) func(*mutant) (string, bool) {
	return func(m *mutant) (string, bool) {
		body := &m.x.ResponseBody
		if request {
			body = &m.x.RequestBody
		}
		changed, done := change(m, string(*body))
		*body = rawBody(changed)
		return "", done
	}
}

// twice writes the first name of an object twice.
func twice(_ *mutant, body string) (string, bool) {
	v, err := decode([]byte(body))
	object, is := v.(map[string]any)
	if err != nil || !is || len(object) == 0 {
		return body, false
	}
	key := slices.Sorted(maps.Keys(object))[0]
	value, err := json.Marshal(object[key])
	if err != nil {
		return body, false
	}
	name, err := json.Marshal(key)
	if err != nil {
		return body, false
	}
	return "{" + string(name) + ":" + string(value) + "," + strings.TrimPrefix(strings.TrimSpace(body), "{"), true
}

func cut(_ *mutant, body string) (string, bool) {
	return strings.TrimSuffix(strings.TrimSpace(body), "}"), strings.HasSuffix(strings.TrimSpace(body), "}")
}

// top changes the outermost object of the answer.
func top(change func(m *mutant, body map[string]any) bool) func(*mutant) (string, bool) {
	return func(m *mutant) (string, bool) {
		v, err := decode(m.x.ResponseBody)
		object, is := v.(map[string]any)
		if err != nil || !is || m.x.Status >= 400 || strings.HasSuffix(m.op.Path, "/$batch") || !change(m, object) {
			return "", false
		}
		body, err := json.Marshal(object)
		m.x.ResponseBody = body
		return "", err == nil
	}
}

func status(from, to int) func(*mutant) (string, bool) {
	return func(m *mutant) (string, bool) {
		if m.x.Status != from || m.op.codes()[to] {
			return "", false
		}
		m.x.Status = to
		return fmt.Sprint(to), true
	}
}

func failing4xx(body string) func(*mutant) (string, bool) {
	return func(m *mutant) (string, bool) {
		if m.op.Version == ARM {
			return "", false
		}
		m.x.Status, m.x.ResponseBody = http.StatusForbidden, rawBody(body)
		if m.x.ResponseHeader != nil {
			m.x.ResponseHeader.Set("Content-Type", "application/json")
		}
		return "", true
	}
}
