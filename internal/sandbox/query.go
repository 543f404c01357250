package sandbox

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// options are the query options of a request (entra-docs query-parameters,
// aad-advanced-queries).
type options struct {
	selected []string // as asked; nil everything
	filter   *filterNode
	order    []ordering
	expand   []expansion
	search   string
	top      int // 0 not given
	skip     int
	count    bool
	eventual bool // ConsistencyLevel: eventual
	token    string
	raw      url.Values
}

type ordering struct {
	path []string
	desc bool
}

// expansion is one relationship of $expand with the options in brackets.
type expansion struct {
	name     string
	selected []string
	inner    []expansion
	filter   *filterNode
}

const (
	maxOption    = 8192 // bytes of one query option
	pageDefault  = 100
	pageMost     = 999
	maxExpand    = 20 // members that $expand shows
	expandNested = 3
)

// parseOptions reads the query options of a request. Names may leave out the $
// (entra-docs query-parameters: the prefix is optional).
func parseOptions(r *http.Request) (options, error) {
	o := options{raw: r.URL.Query()}
	o.eventual = strings.EqualFold(r.Header.Get("ConsistencyLevel"), "eventual")
	for name, values := range o.raw {
		if len(values) > 1 {
			return o, badRequest("Query option '%s' was specified more than once, but it must be specified at most once.", name)
		}
		if len(values[0]) > maxOption {
			return o, badRequest("The query option '%s' is too long.", name)
		}
		read := optionTable[strings.TrimPrefix(strings.ToLower(name), "$")]
		if read == nil {
			if strings.HasPrefix(name, "$") {
				return o, badRequest("The query parameter '%s' is not supported.", name)
			}
			continue
		}
		if err := read(&o, values[0]); err != nil {
			return o, err
		}
	}
	return o, nil
}

var optionTable = map[string]func(*options, string) error{
	"select": func(o *options, v string) error {
		o.selected = names(v)
		if len(o.selected) == 0 {
			return badRequest("Parsing $select failed: a property name is missing.")
		}
		if len(o.selected) == 1 && o.selected[0] == "*" {
			o.selected = nil
		}
		return nil
	},
	"filter":  func(o *options, v string) (err error) { o.filter, err = parseFilter(v); return err },
	"orderby": func(o *options, v string) (err error) { o.order, err = parseOrder(v); return err },
	"expand":  func(o *options, v string) (err error) { o.expand, err = parseExpand(v, 0); return err },
	"search":  func(o *options, v string) error { o.search = v; return nil },
	"top": func(o *options, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return badRequest("Invalid value '%s' for $top query option found. The $top query option requires a non-negative integer value.", v)
		}
		if n == 0 || n > 1000 {
			return badRequest("Invalid page size specified: '%d'. Must be between 1 and 999 inclusive.", n)
		}
		o.top = n
		return nil
	},
	"skip": func(o *options, v string) error {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return badRequest("Invalid value '%s' for $skip query option found.", v)
		}
		o.skip = n
		return nil
	},
	"count": func(o *options, v string) (err error) {
		o.count, err = strconv.ParseBool(v)
		if err != nil {
			return badRequest("Invalid value '%s' for $count query option found.", v)
		}
		return nil
	},
	"skiptoken":  func(o *options, v string) error { o.token = v; return nil },
	"deltatoken": func(o *options, v string) error { o.token = "delta:" + v; return nil },
	"format":     func(o *options, v string) error { return nil },
}

func names(v string) []string {
	var out []string
	for _, n := range strings.Split(v, ",") {
		if n = strings.TrimSpace(n); n != "" {
			out = append(out, n)
		}
	}
	return out
}

func parseOrder(v string) ([]ordering, error) {
	var out []ordering
	for _, part := range names(v) {
		words := strings.Fields(part)
		o := ordering{path: strings.Split(words[0], "/")}
		switch {
		case len(words) == 2 && strings.EqualFold(words[1], "desc"):
			o.desc = true
		case len(words) == 1, len(words) == 2 && strings.EqualFold(words[1], "asc"):
		default:
			return nil, badRequest("Syntax error in '%s' of $orderby.", part)
		}
		out = append(out, o)
	}
	if len(out) == 0 {
		return nil, badRequest("Parsing $orderby failed: a property name is missing.")
	}
	return out, nil
}

// parseExpand reads name, name($select=a,b;$expand=c): brackets nest.
func parseExpand(v string, depth int) ([]expansion, error) {
	if depth > expandNested {
		return nil, badRequest("Parsing $select and $expand failed: the maximum depth was exceeded.")
	}
	var out []expansion
	for _, part := range splitOutside(v, ',') {
		part = strings.TrimSpace(part)
		name, inner, bracket := strings.Cut(part, "(")
		e := expansion{name: strings.TrimSpace(name)}
		if e.name == "" {
			return nil, badRequest("Parsing $select and $expand failed: a property name is missing.")
		}
		if bracket {
			inner, closed := strings.CutSuffix(inner, ")")
			if !closed {
				return nil, badRequest("Parsing $select and $expand failed: found an unbalanced bracket expression.")
			}
			if err := e.options(inner, depth); err != nil {
				return nil, err
			}
		}
		out = append(out, e)
	}
	return out, nil
}

func (e *expansion) options(text string, depth int) (err error) {
	for _, option := range splitOutside(text, ';') {
		name, value, _ := strings.Cut(strings.TrimSpace(option), "=")
		switch strings.TrimPrefix(strings.ToLower(name), "$") {
		case "select":
			e.selected = names(value)
		case "expand":
			e.inner, err = parseExpand(value, depth+1)
		case "filter":
			e.filter, err = parseFilter(value)
		default:
			err = badRequest("The query option '%s' is not allowed within $expand.", name)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// splitOutside splits at a separator that stands outside brackets and quotes.
func splitOutside(v string, sep byte) []string {
	var out []string
	depth, start, quoted := 0, 0, false
	for i := 0; i < len(v); i++ {
		switch c := v[i]; {
		case c == '\'':
			quoted = !quoted
		case quoted:
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == sep && depth == 0:
			out = append(out, v[start:i])
			start = i + 1
		}
	}
	return append(out, v[start:])
}
