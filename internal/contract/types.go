package contract

import (
	"fmt"
	"maps"
	"math"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// typeInfo is one entry of types-*.json. A type expression is a name, with "?"
// when it may be null, or Collection(name).
type typeInfo struct {
	Kind       string            `json:"kind"` // entity, complex, enum
	Base       string            `json:"base"`
	Properties map[string]string `json:"properties"`
	Navigation map[string]string `json:"navigation"`
	Open       bool              `json:"open"`
	Abstract   bool              `json:"abstract"`
	Flags      bool              `json:"flags"`
	Members    []string          `json:"members"`

	required []string // properties that an answer's envelope must have
}

type index map[string]*typeInfo

// chain returns the type and its bases, the type first.
func (x index) chain(name string) []*typeInfo {
	var chain []*typeInfo
	for t := x[name]; t != nil && len(chain) < 32; t = x[t.Base] {
		chain = append(chain, t)
	}
	return chain
}

func (x index) derives(name, base string) bool {
	for n := name; n != ""; {
		if n == base {
			return true
		}
		t := x[n]
		if t == nil {
			return false
		}
		n = t.Base
	}
	return false
}

// property finds a property of a type or of one of its bases; navigation says
// that it leads to other objects.
func (x index) property(name, property string) (expression string, navigation, known bool) {
	for _, t := range x.chain(name) {
		if e, is := t.Navigation[property]; is {
			return e, true, true
		}
		if e, is := t.Properties[property]; is {
			return e, false, true
		}
	}
	return "", false, false
}

// anywhere finds a property on a type, its bases, or on a type that derives from
// it: what $select and $filter may name on a list of mixed objects.
func (x index) anywhere(name, property string) (string, bool) {
	if e, _, known := x.property(name, property); known {
		return e, true
	}
	for _, other := range slices.Sorted(maps.Keys(x)) {
		if other != name && x.derives(other, name) {
			if e, _, known := x.property(other, property); known {
				return e, true
			}
		}
	}
	return "", false
}

func (x index) open(name string) bool {
	return slices.ContainsFunc(x.chain(name), func(t *typeInfo) bool { return t.Open })
}

// sound finds primitive types that nothing here knows how to judge.
func (x index) sound() error {
	for _, name := range slices.Sorted(maps.Keys(x)) {
		for property, expression := range x[name].Properties {
			if e, _ := element(expression); primitives[e] == nil && x[e] == nil && (!strings.Contains(e, ".") || strings.HasPrefix(e, "Edm.")) {
				return fmt.Errorf("read the types of Graph: %s.%s has the unknown type %s", name, property, e)
			}
		}
	}
	return nil
}

// element strips "?" and Collection() from an expression.
func element(expression string) (name string, collection bool) {
	expression = strings.TrimSuffix(expression, "?")
	if inner, is := strings.CutPrefix(expression, "Collection("); is {
		return strings.TrimSuffix(strings.TrimSuffix(inner, ")"), "?"), true
	}
	return expression, false
}

// walker judges one body. Violations name JSON pointers.
type walker struct {
	types   index
	where   string // "request" or "response"
	version string
	used    map[*PropertyException]bool
	found   []Violation
}

func (w *walker) report(rule, at, format string, args ...any) {
	w.found = append(w.found, Violation{Rule: rule, Where: w.where + " " + at, Text: fmt.Sprintf(format, args...)})
}

// value holds one value against a type expression.
func (w *walker) value(v any, expression, at string) {
	if v == nil {
		if !strings.HasSuffix(expression, "?") {
			w.report("null", at, "null where %s may not be null", expression)
		}
		return
	}
	name, collection := element(expression)
	if !collection {
		w.single(v, name, at)
		return
	}
	list, is := v.([]any)
	if !is {
		w.report("type", at, "%s where a list of %s belongs", kindOf(v), name)
		return
	}
	for i, item := range list {
		here := fmt.Sprintf("%s/%d", at, i)
		if item == nil {
			w.report("null", here, "null in a list of %s", name)
			continue
		}
		w.single(item, name, here)
	}
}

func (w *walker) single(v any, name, at string) {
	if check, primitive := primitives[name]; primitive {
		if !check(v) {
			w.report("type", at, "%s is no %s", kindOf(v), name)
		}
		return
	}
	t := w.types[name]
	switch {
	case t == nil:
		// The target of a navigation property that the description leaves out: only
		// that it is an object can be said.
		if _, is := v.(map[string]any); !is {
			w.report("type", at, "%s where an object (%s) belongs", kindOf(v), name)
		}
	case t.Kind == "enum":
		w.enum(v, name, t, at)
	default:
		object, is := v.(map[string]any)
		if !is {
			w.report("type", at, "%s where an object (%s) belongs", kindOf(v), name)
			return
		}
		w.object(object, name, at)
	}
}

func (w *walker) enum(v any, name string, t *typeInfo, at string) {
	text, is := v.(string)
	if !is {
		w.report("type", at, "%s where a member of %s belongs", kindOf(v), name)
		return
	}
	members := []string{text}
	if t.Flags {
		members = strings.Split(text, ",")
	}
	for i, member := range members {
		if i > 0 {
			member = strings.TrimPrefix(member, " ")
		}
		if !slices.Contains(t.Members, member) {
			w.report("enum", at, "%q is no member of %s (%s)", member, name, strings.Join(t.Members, ", "))
		}
	}
}

// object holds an object against the type it says it has, or the declared one.
func (w *walker) object(object map[string]any, declared, at string) {
	name := w.runtime(object, declared, at)
	if name == "" {
		return
	}
	if w.types[name].Abstract && object["@removed"] == nil {
		w.report("discriminator", at, "%s is abstract: @odata.type must say which type it is", name)
		return
	}
	open := w.types.open(name)
	for _, key := range slices.Sorted(maps.Keys(object)) {
		w.member(object, key, name, open, at+"/"+escape(key))
	}
	for _, t := range w.types.chain(name) {
		for _, required := range t.required {
			if _, is := object[required]; !is {
				w.report("body", at, "%q is missing", required)
			}
		}
	}
}

// runtime returns the type that an object has, or "" when it cannot be told.
func (w *walker) runtime(object map[string]any, declared, at string) string {
	raw, given := object["@odata.type"]
	if !given {
		return declared
	}
	text, is := raw.(string)
	name, hash := strings.CutPrefix(text, "#")
	switch {
	case !is || !hash:
		w.report("discriminator", at+"/@odata.type", "%v is no type: it begins with #", raw)
	case w.types[name] == nil || w.types[name].Kind == "enum":
		w.report("discriminator", at+"/@odata.type", "type %s does not exist in %s", name, w.version)
	case !w.types.derives(name, declared):
		w.report("discriminator", at+"/@odata.type", "%s is no %s", name, declared)
	default:
		return name
	}
	return ""
}

func (w *walker) member(object map[string]any, key, name string, open bool, at string) {
	v := object[key]
	if property, annotation, is := strings.Cut(key, "@"); is {
		w.annotation(v, property, annotation, name, open, at)
		return
	}
	if expression, navigation, known := w.types.property(name, key); known {
		if navigation && !strings.HasPrefix(expression, "Collection(") && !strings.HasSuffix(expression, "?") {
			expression += "?" // nobody may be at the other end
		}
		w.value(v, expression, at)
		return
	}
	if x := propertyException(w.version, name, key, w.types); x != nil {
		w.used[x] = true
		w.value(v, x.Type, at)
		return
	}
	if open && extension.MatchString(key) || w.dictionary(name) {
		return
	}
	hint := ""
	if e, known := w.types.anywhere(name, key); known {
		hint = ": it is a property (" + e + ") of a type that derives; @odata.type must say so"
	}
	w.report("property", at, "property %q does not exist on type %s%s", key, name, hint)
}

// extension matches the names that may be added to an open directory object:
// directory extensions and schema extensions (graph: "Add custom data to
// resources using extensions").
var extension = regexp.MustCompile(`^(extension_[0-9a-f]{32}_\w+|ext[0-9a-z]{8}_\w+)$`)

// dictionary says that any name may be a key: an open type that is no entity
// holds what its owner put there.
func (w *walker) dictionary(name string) bool {
	t := w.types[name]
	return t.Kind == "complex" && w.types.open(name)
}

// annotations lists the annotations that Graph uses (OData JSON format 4.01,
// section 4.6; graph: delta query overview for @removed) and what each holds.
// The prefix odata. is part of the name.
var annotations = map[string]func(any) bool{
	"odata.context":         isLink,
	"odata.nextLink":        isLink,
	"odata.deltaLink":       isLink,
	"odata.count":           isInteger,
	"odata.type":            isText,
	"odata.id":              isText,
	"odata.etag":            isText,
	"odata.editLink":        isText,
	"odata.readLink":        isText,
	"odata.navigationLink":  isText,
	"odata.associationLink": isText,
	"odata.bind":            func(v any) bool { _, list := v.([]any); return list || isText(v) },
	"removed":               isRemoved,
	"delta":                 func(v any) bool { _, list := v.([]any); return list },
	"microsoft.graph.tips":  isText,
}

func (w *walker) annotation(v any, property, annotation, name string, open bool, at string) {
	check, known := annotations[annotation]
	if !known {
		w.report("property", at, "annotation @%s does not exist", annotation)
		return
	}
	if v == nil || !check(v) {
		w.report("type", at, "%s is no value for @%s", kindOf(v), annotation)
	}
	if property == "" {
		return
	}
	if _, _, declared := w.types.property(name, property); !declared && !open {
		w.report("property", at, "@%s is given for %q, which does not exist on type %s", annotation, property, name)
	}
}

func isText(v any) bool { _, is := v.(string); return is }

func isLink(v any) bool {
	text, is := v.(string)
	if !is {
		return false
	}
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && u.Host != ""
}

func isRemoved(v any) bool {
	object, is := v.(map[string]any)
	if !is || len(object) != 1 {
		return false
	}
	return object["reason"] == "changed" || object["reason"] == "deleted"
}

func isInteger(v any) bool {
	n, is := v.(float64)
	return is && n == math.Trunc(n)
}

func within(low, high float64) func(any) bool {
	return func(v any) bool {
		n, is := v.(float64)
		return is && n == math.Trunc(n) && n >= low && n <= high
	}
}

func matching(pattern string) func(any) bool {
	re := regexp.MustCompile(pattern)
	return func(v any) bool {
		text, is := v.(string)
		return is && re.MatchString(text)
	}
}

// primitives says what each primitive type looks like (OData ABNF: primitive
// literals; the patterns of date and time are those of the description).
var primitives = map[string]func(any) bool{
	"Edm.String":         isText,
	"string":             isText,
	"Edm.Boolean":        func(v any) bool { _, is := v.(bool); return is },
	"boolean":            func(v any) bool { _, is := v.(bool); return is },
	"Edm.Byte":           within(0, 255),
	"Edm.Int16":          within(math.MinInt16, math.MaxInt16),
	"Edm.Int32":          within(math.MinInt32, math.MaxInt32),
	"integer:int32":      within(math.MinInt32, math.MaxInt32),
	"Edm.Int64":          isInteger,
	"integer:int64":      isInteger,
	"integer":            isInteger,
	"Edm.Double":         isNumber,
	"Edm.Single":         isNumber,
	"Edm.Decimal":        isNumber,
	"number:double":      isNumber,
	"number":             isNumber,
	"Edm.Binary":         matching(`^[A-Za-z0-9+/_-]*={0,2}$`),
	"string:base64url":   matching(`^[A-Za-z0-9+/_-]*={0,2}$`),
	"Edm.Stream":         isText,
	"string:date":        matching(`^\d{4,}-(0[1-9]|1[012])-(0[1-9]|[12]\d|3[01])$`),
	"string:time":        matching(`^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,12})?$`),
	"Edm.Date":           matching(`^\d{4,}-(0[1-9]|1[012])-(0[1-9]|[12]\d|3[01])$`),
	"Edm.TimeOfDay":      matching(`^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,12})?$`),
	"Edm.DateTimeOffset": matching(moment),
	"string:date-time":   matching(moment),
	"Edm.Duration":       matching(duration),
	"string:error-date":  matching(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z?$`),
	"string:duration":    matching(duration),
	"Edm.Guid":           matching(guid),
	"string:uuid":        matching(guid),
	"any":                func(any) bool { return true },
}

const (
	duration = `^-?P(?:\d+Y)?(?:\d+M)?(?:\d+W)?(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+(?:\.\d+)?S)?)?$`
	moment   = `^\d{4,}-(0[1-9]|1[012])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,12})?(Z|[+-]\d\d:\d\d)$`
	guid     = `^[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}$`
)

func isNumber(v any) bool {
	if _, is := v.(float64); is {
		return true
	}
	return v == "NaN" || v == "INF" || v == "-INF"
}

func kindOf(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if len(v) > 60 {
			v = v[:60] + "…"
		}
		return fmt.Sprintf("the text %q", v)
	case bool:
		return fmt.Sprintf("the Boolean %t", v)
	case float64:
		return fmt.Sprintf("the number %v", v)
	case []any:
		return "a list"
	}
	return "an object"
}

// escape writes a name as a segment of a JSON pointer (RFC 6901).
func escape(key string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
}
