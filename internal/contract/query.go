package contract

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// options checks the query options of a request: each is one of the operation,
// stands once, and names properties that exist.
func (j *judge) options(raw string) {
	query, err := url.ParseQuery(raw)
	if err != nil {
		j.report("query", "request", "not a query: %v", err)
	}
	j.query = query
	for name, values := range query {
		where := "request " + name
		if len(values) != 1 {
			j.report("query", where, "stands %d times", len(values))
		}
		if !j.allows(name) {
			j.report("query", where, "is no query option of %s", j.op)
			continue
		}
		if check, known := optionChecks[name]; known && j.version != ARM {
			check(j, where, values[0])
		} else if j.version == ARM && values[0] == "" {
			j.report("query", where, "is empty")
		}
	}
	if j.version == ARM && !version.MatchString(query.Get("api-version")) {
		j.report("query", "request api-version", "%q is no version: Azure Resource Manager demands one", query.Get("api-version"))
	}
	for _, name := range mandatory[j.op.Path] {
		if !strings.Contains(query.Get("$filter"), name+" eq ") {
			j.report("query", "request $filter", "must say %s eq", name)
		}
	}
	j.advanced()
}

// mandatory lists the properties that the $filter of a list must name (graph:
// policyroot-list-rolemanagementpolicies, -list-rolemanagementpolicyassignments).
var mandatory = map[string][]string{
	"/policies/roleManagementPolicies":          {"scopeId", "scopeType"},
	"/policies/roleManagementPolicyAssignments": {"scopeId", "scopeType"},
}

var version = regexp.MustCompile(`^\d{4}-\d\d-\d\d(-preview)?$`)

// allows says whether an option belongs to the operation. The tokens stand in
// links that Graph itself wrote.
func (j *judge) allows(name string) bool {
	switch name {
	case "$skiptoken":
		return j.op.List
	case "$deltatoken", "$deltaToken":
		return strings.HasSuffix(j.op.Path, "/delta()")
	case "$orderBy": // as many pages write it
		name = "$orderby"
	}
	return slices.Contains(j.op.Query, name)
}

var optionChecks = map[string]func(j *judge, where, value string){
	"$select":     (*judge).checkSelect,
	"$expand":     (*judge).checkExpand,
	"$filter":     (*judge).checkFilter,
	"$orderby":    (*judge).checkOrder,
	"$orderBy":    (*judge).checkOrder,
	"$search":     (*judge).checkSearch,
	"$count":      (*judge).checkCount,
	"$top":        (*judge).checkTop,
	"$skip":       (*judge).checkNumber,
	"$skiptoken":  (*judge).checkToken,
	"$deltatoken": (*judge).checkToken,
}

func (j *judge) checkToken(where, value string) {
	if value == "" {
		j.report("query", where, "is empty")
	}
}

func (j *judge) checkNumber(where, value string) {
	if n, err := strconv.Atoi(value); err != nil || n < 0 {
		j.report("query", where, "%q is no number", value)
	}
}

// pages is the largest $top of each kind of object (graph: user-list,
// group-list, signin-list, directoryaudit-list).
func (j *judge) checkTop(where, value string) {
	most := 999
	if strings.HasPrefix(j.op.Path, "/auditLogs/") {
		most = 1000
	}
	if n, err := strconv.Atoi(value); err != nil || n < 1 || n > most {
		j.report("query", where, "%q is no number from 1 to %d", value, most)
	}
}

func (j *judge) checkCount(where, value string) {
	if value != "true" && value != "false" {
		j.report("query", where, "%q is neither true nor false", value)
	}
}

func (j *judge) checkSelect(where, value string) {
	names := list(value)
	if len(names) == 0 {
		j.report("query", where, "is empty")
	}
	j.selects(where, names, j.op.Item)
}

func (j *judge) selects(where string, names []string, item string) {
	for _, name := range names {
		if j.resolve(item, name) == "" {
			j.report("query", where, "property %q does not exist on type %s", name, item)
		}
	}
}

// resolve follows a path of properties from a type and returns the expression it
// ends at; "" when a part does not exist.
func (j *judge) resolve(item, path string) string {
	at := item
	expression := item
	for _, part := range strings.Split(path, "/") {
		name, _ := element(at)
		if strings.HasPrefix(part, "microsoft.graph.") {
			if !j.types.derives(part, name) {
				return ""
			}
			at, expression = part, part
			continue
		}
		if part == "$count" {
			return "integer"
		}
		e, known := j.types.anywhere(name, part)
		if !known {
			if x := propertyException(j.version, name, part, j.types); x != nil {
				j.used[x] = true
				e, known = x.Type, true
			}
		}
		switch {
		case known:
			at, expression = e, e
		case j.types.open(name) && (extension.MatchString(part) || j.types[name] != nil && j.types[name].Kind == "complex"):
			return "any"
		default:
			return ""
		}
	}
	return expression
}

// list cuts a list at its commas, those in parentheses and quotes aside.
func list(value string) []string {
	var parts []string
	depth, quoted, start := 0, false, 0
	for i, r := range value {
		switch {
		case r == '\'':
			quoted = !quoted
		case quoted:
		case r == '(':
			depth++
		case r == ')':
			depth--
		case r == ',' && depth == 0:
			parts = append(parts, strings.TrimSpace(value[start:i]))
			start = i + 1
		}
	}
	if last := strings.TrimSpace(value[start:]); last != "" || len(parts) > 0 {
		parts = append(parts, last)
	}
	return parts
}

// expansions lists the names that $expand asks for.
func expansions(value string) []string {
	var all []string
	for _, part := range list(value) {
		name, _, _ := strings.Cut(part, "(")
		all = append(all, name)
	}
	return all
}

func (j *judge) checkExpand(where, value string) {
	if value == "" {
		j.report("query", where, "is empty")
	}
	j.expands(where, value, j.op.Item)
}

func (j *judge) expands(where, value, item string) {
	for _, part := range list(value) {
		name, options, nested := strings.Cut(part, "(")
		if name == "*" {
			continue
		}
		path := strings.Split(name, "/")
		e, known := j.leads(item, path[0])
		if !known {
			j.report("query", where, "%q is no navigation property of %s", name, item)
			continue
		}
		target, _ := element(e)
		for _, cast := range path[1:] {
			if !j.types.derives(cast, target) {
				j.report("query", where, "%s is no %s", cast, target)
			}
			target = cast
		}
		if nested {
			j.nested(where, strings.TrimSuffix(options, ")"), target)
		}
	}
}

// leads finds a navigation property on a type, its bases, or one that derives.
func (j *judge) leads(item, name string) (string, bool) {
	if e, navigation, _ := j.types.property(item, name); navigation {
		return e, true
	}
	for other := range j.types {
		if j.types.derives(other, item) {
			if e, navigation, _ := j.types.property(other, name); navigation {
				return e, true
			}
		}
	}
	return "", false
}

// nested checks the options inside $expand=name(...).
func (j *judge) nested(where, options, target string) {
	for _, option := range strings.Split(options, ";") {
		name, value, _ := strings.Cut(option, "=")
		switch {
		case j.types[target] == nil: // left out of the description
		case name == "$select":
			j.selects(where, list(value), target)
		case name == "$expand":
			j.expands(where, value, target)
		}
		if !slices.Contains([]string{"$select", "$expand", "$levels", "$filter", "$top", "$count", "$orderby"}, name) {
			j.report("query", where, "%q is no option of $expand", name)
		}
	}
}

func (j *judge) checkOrder(where, value string) {
	for _, part := range list(value) {
		name, direction, _ := strings.Cut(part, " ")
		if d := strings.ToLower(direction); d != "" && d != "asc" && d != "desc" {
			j.report("query", where, "%q is no direction", direction)
		}
		if j.resolve(j.op.Item, name) == "" {
			j.report("query", where, "property %q does not exist on type %s", name, j.op.Item)
		}
	}
}

var searched = regexp.MustCompile(`"(\w+):(?:[^"\\]|\\.)*"`)

// checkSearch: $search="displayName:wa" OR "displayName:ad" (graph:
// search-query-parameter, "Using $search on directory object collections").
func (j *judge) checkSearch(where, value string) {
	clauses := searched.FindAllStringSubmatch(value, -1)
	if len(clauses) == 0 {
		j.report("query", where, `%q is no search: "property:text"`, value)
	}
	for _, clause := range clauses {
		if j.resolve(j.op.Item, clause[1]) == "" {
			j.report("query", where, "property %q does not exist on type %s", clause[1], j.op.Item)
		}
	}
}

// filterToken cuts a filter into literals, numbers and GUIDs, paths, and signs.
var filterToken = regexp.MustCompile(`^\s*(?:('(?:[^']|'')*')|(\d[\w:.+-]*|[0-9A-Fa-f]{8}-[0-9A-Fa-f-]{27}|-\d+|duration'[^']*')|([A-Za-z_$][\w.$]*(?:/[A-Za-z_$][\w.$]*)*)|([(),:]))`)

// words are what may stand in a filter beside properties (OData URL conventions
// 5.1.1; graph: filter-query-parameter).
var words = []string{"eq", "ne", "gt", "ge", "lt", "le", "has", "in", "and", "or", "not", "true", "false", "null", "any", "all"}

var functions = []string{"startswith", "endswith", "contains", "substringof", "tolower", "toupper", "length", "isof", "cast", "indexof", "concat", "trim", "year", "month", "day", "hour", "minute", "second", "now", "date"}

// checkFilter checks that each name in a filter is a property, a function, or
// the variable of a lambda.
func (j *judge) checkFilter(where, value string) {
	variables := map[string]string{}
	var pending string // the list that any or all ranges over
	rest, depth := value, 0
	for strings.TrimSpace(rest) != "" {
		m := filterToken.FindStringSubmatchIndex(rest)
		if m == nil {
			j.report("query", where, "cannot be read at %q", rest)
			return
		}
		text := strings.TrimSpace(rest[m[0]:m[1]])
		name := m[6] >= 0
		rest = rest[m[1]:]
		next := strings.TrimLeft(rest, " ")
		switch {
		case text == "(":
			depth++
		case text == ")":
			depth--
		case !name:
		case strings.HasPrefix(next, ":"):
			variables[text], _ = element(pending)
		case strings.HasPrefix(next, "("):
			pending = j.filterCall(where, text, variables, pending)
		case slices.Contains(words, strings.ToLower(text)):
		default:
			j.filterPath(where, text, variables)
		}
	}
	if depth != 0 {
		j.report("query", where, "the parentheses do not match")
	}
	if strings.TrimSpace(value) == "" {
		j.report("query", where, "is empty")
	}
}

func (j *judge) filterCall(where, text string, variables map[string]string, pending string) string {
	path, lambda := strings.CutSuffix(text, "/any")
	if !lambda {
		path, lambda = strings.CutSuffix(text, "/all")
	}
	if lambda {
		e := j.filterPath(where, path, variables)
		if _, collection := element(e); e != "" && e != "any" && !collection {
			j.report("query", where, "%q is no list", path)
		}
		return e
	}
	if word := strings.ToLower(text); !slices.Contains(functions, word) && !slices.Contains(words, word) {
		j.report("query", where, "%q is no function", text)
	}
	return pending
}

func (j *judge) filterPath(where, text string, variables map[string]string) string {
	first, rest, deeper := strings.Cut(text, "/")
	item := j.op.Item
	if t, is := variables[first]; is {
		if !deeper {
			return t
		}
		item, text = t, rest
	}
	e := j.resolve(item, text)
	if e == "" {
		j.report("query", where, "property %q does not exist on type %s", text, item)
	}
	return e
}

var advancedFilter = regexp.MustCompile(`(?i)\bendswith\(|\bne\b|\bnot\b|\$count\b`)

// advanced checks what the advanced queries on directory objects need (graph:
// aad-advanced-queries): the header for $search and $count, and in addition
// $count=true for what only the index can answer.
func (j *judge) advanced() {
	directory := j.types.derives(j.op.Item, "microsoft.graph.directoryObject")
	count := strings.HasSuffix(j.op.Path, "/$count")
	transitive := strings.HasSuffix(j.op.Path, "/transitiveRoleAssignments")
	if !directory && !count && !transitive {
		return
	}
	filter := j.query.Get("$filter")
	quoteless := regexp.MustCompile(`'(?:[^']|'')*'`).ReplaceAllString(filter, "''")
	order := j.query.Get("$orderby") + j.query.Get("$orderBy")
	index := advancedFilter.MatchString(quoteless) || filter != "" && order != "" || transitive
	if !index && !count && j.query.Get("$search") == "" && j.query.Get("$count") != "true" {
		return
	}
	if !strings.EqualFold(j.x.RequestHeader.Get("ConsistencyLevel"), "eventual") {
		j.report("header", "request ConsistencyLevel", "must be eventual for an advanced query")
	}
	if index && !count && j.query.Get("$count") != "true" {
		j.report("query", "request $count", "must be true for an advanced query")
	}
}
