package register

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"halligan/entra"
)

// decoder turns the tree of one document into a Register and remembers where
// everything stood.
type decoder struct {
	file   string
	shapes map[string]*Shape
	errs   Errors
	at     map[string]spot // path of a value, or of a mapping, to its place
	body   *ast.MappingNode
}

// root decodes the document. A version that the program does not know is the only
// error then: the rest would be judged by rules that are not its own.
func (d *decoder) root(body ast.Node, r *Register) {
	mapping, is := body.(*ast.MappingNode)
	if !is {
		d.report(position(body), "", "begin with version: 1", "a register is keys with values, and this is %s", described(body))
		return
	}
	d.body = mapping
	for _, entry := range mapping.Values {
		if keyText(entry) != "version" {
			continue
		}
		if n, is := number(entry.Value); is && n != Version {
			d.report(position(entry.Value), "version", "write version: 1, or use the program that wrote the file", "version %s: this program knows version %d", shown(entry.Value.GetToken().Value), Version)
			return
		}
	}
	d.mapping(mapping, d.shapes[RootShape], "", reflect.ValueOf(r).Elem())
	d.rules(r)
}

// mapping decodes the keys of one mapping into a struct.
func (d *decoder) mapping(node *ast.MappingNode, shape *Shape, path string, into reflect.Value) {
	here := position(node)
	if path != "" {
		d.at[path] = here
	}
	first := map[string]spot{}
	for _, entry := range node.Values {
		if len(d.errs) >= errorsMost {
			return
		}
		key, at := keyText(entry), position(entry.Key)
		inner := join(path, key)
		if before, twice := first[key]; twice {
			d.report(at, inner, "keep one of them", "the key %s is given twice, first on line %d", shown(key), before.line)
			continue
		}
		first[key] = at
		field := shape.field(key)
		if field == nil {
			d.unknown(at, inner, key, shape)
			continue
		}
		d.at[inner] = position(entry.Value)
		d.value(entry.Value, field, inner, keyed(into, key))
	}
	for i := range shape.Fields {
		f := &shape.Fields[i]
		if _, given := first[f.Key]; f.Required && !given {
			d.report(here, join(path, f.Key), fmt.Sprintf("add %s: %s", f.Key, example(f)), "%s lacks %s", named(shape, path), f.Key)
		}
	}
}

// renamed are keys of earlier forms of the register, and what they are now.
var renamed = map[string]string{
	RootShape + ".holders": "it is people: now, and what was role: of a holder is title:",
	"person.role":          "it is title: now; what a person may do stands under roles:",
}

// unknown reports a key that the shape does not have.
func (d *decoder) unknown(at spot, path, key string, shape *Shape) {
	near := Nearest(key, shape.keys())
	if now, is := renamed[shape.Name+"."+key]; is {
		d.report(at, path, now, "unknown key %s", shown(key))
		return
	}
	switch {
	case isSecretKey(key), near == "" && mentionsSecret(key):
		d.report(at, path, noSecrets, "the key %s would hold a secret", shown(key))
		return
	case near != "":
		d.report(at, path, fmt.Sprintf("did you mean %s?", near), "unknown key %s", shown(key))
		return
	}
	hint := "the keys here are " + strings.Join(shape.keys(), ", ")
	for _, other := range Shapes() {
		if other.Name != shape.Name && other.field(key) != nil && shape.Name != "settings" {
			hint = fmt.Sprintf("%s is a key of %s; the keys here are %s", key, other.Name, strings.Join(shape.keys(), ", "))
			break
		}
	}
	d.report(at, path, hint, "unknown key %s", shown(key))
}

// value decodes what stands under a key. Nothing is an empty list or mapping,
// and an error for anything else.
func (d *decoder) value(node ast.Node, f *Field, path string, into reflect.Value) {
	_, none := node.(*ast.NullNode)
	switch {
	case none && f.List && !f.Required, none && f.Kind == KindMapping && !f.List:
	case f.List:
		list, is := node.(*ast.SequenceNode)
		if !is {
			d.report(position(node), path, fmt.Sprintf("write each on a line of its own that begins with a dash: - %s", example(f)), "%s must be a list, and this is %s", f.Key, described(node))
			return
		}
		if f.Required && len(list.Values) == 0 {
			d.report(position(node), path, "name at least one: - "+example(f), "%s is empty", f.Key)
			return
		}
		if len(list.Values) == 0 && !f.Empty {
			return
		}
		into.Set(reflect.MakeSlice(into.Type(), len(list.Values), len(list.Values)))
		for i, element := range list.Values {
			if len(d.errs) >= errorsMost {
				return
			}
			inner := fmt.Sprintf("%s[%d]", path, i)
			d.at[inner] = position(element)
			d.one(element, f, inner, into.Index(i))
		}
	default:
		d.one(node, f, path, into)
	}
}

// one decodes a value that is no list.
func (d *decoder) one(node ast.Node, f *Field, path string, into reflect.Value) {
	at := position(node)
	if f.Kind == KindMapping {
		mapping, is := node.(*ast.MappingNode)
		if !is {
			shape := d.shapes[f.Shape]
			d.report(at, path, "its keys are "+strings.Join(shape.keys(), ", "), "%s must have keys of its own, and this is %s", subject(f), described(node))
			return
		}
		d.mapping(mapping, d.shapes[f.Shape], path, into)
		return
	}
	text, plain, is := scalar(node)
	switch {
	case !is:
		d.report(at, path, fmt.Sprintf("write %s: %s", f.Key, example(f)), "%s must be %s, and this is %s", subject(f), article(f.Kind), described(node))
	case f.Kind == KindNumber:
		d.number(node, f, path, into)
	case f.Kind == KindFlag:
		if !plain || text != "true" && text != "false" {
			d.report(at, path, "write true or false", "%s must be true or false, not %s", f.Key, shown(text))
			return
		}
		into.SetBool(text == "true")
	case plain && node.Type() == ast.BoolType && f.Kind != KindWord:
		d.report(at, path, fmt.Sprintf("put it in quotes if it is meant as text: %q", text), "%s must be %s, and this is %s", subject(f), article(f.Kind), described(node))
	case strings.TrimSpace(text) == "" && (f.Required || f.List || f.Kind != KindText && f.Kind != KindName && f.Kind != KindOpaque):
		d.report(at, path, fmt.Sprintf("write %s: %s, or remove the line", f.Key, example(f)), "%s is empty", f.Key)
	default:
		if d.text(text, at, f, path) {
			into.SetString(text)
		}
	}
}

// text judges a value by its kind.
func (d *decoder) text(text string, at spot, f *Field, path string) bool {
	switch f.Kind {
	case KindWord:
		if slices.Contains(f.Words, text) {
			return true
		}
		d.word(text, at, f, path)
	case KindID, KindGUID:
		if entra.ID(text).IsGUID() {
			return true
		}
		d.report(at, path, idHint(text, f), "%s must be %s, not %s", subject(f), article(f.Kind), shown(text))
	case KindDay:
		if Day(text).IsDay() {
			return true
		}
		d.report(at, path, "write a day of the calendar as 2027-02-01", "%s is no day: %s", f.Key, shown(text))
	case KindCheck:
		if isCheckID(text) {
			return true
		}
		d.report(at, path, "check ids look like id-count-min; halligan check --list has them", "%s is no check id: %s", subject(f), shown(text))
	case KindText:
		if !randomIn(text) && !(f.Key == "label" && isPIN(text)) && !tellsSecret(f, text) {
			return true
		}
		d.report(at, path, noSecrets, "%s looks like a secret", f.Key)
	case KindSigning:
		_, err := ParseSigningKey(text)
		return !d.badKey(path, err)
	case KindReceiving:
		return !d.badKey(path, CheckReceivingKey(text))
	default:
		return true
	}
	return false
}

func (d *decoder) word(text string, at spot, f *Field, path string) {
	all := strings.Join(f.Words, ", ")
	if isSecretKey(f.Key) {
		// Whoever writes something else here may have written the password.
		d.report(at, path, fmt.Sprintf("write what became of it: %s; %s", all, noSecrets), "%s is none of the allowed words", f.Key)
		return
	}
	hint := "one of " + all
	if near := Nearest(text, f.Words); near != "" {
		hint = fmt.Sprintf("did you mean %s? One of %s", near, all)
	}
	d.report(at, path, hint, "%s cannot be %s", f.Key, shown(text))
}

func (d *decoder) number(node ast.Node, f *Field, path string, into reflect.Value) {
	n, is := number(node)
	switch {
	case !is:
		d.report(position(node), path, fmt.Sprintf("write it in digits, without quotes: %s: %s", f.Key, example(f)), "%s must be a whole number, not %s", f.Key, shown(node.GetToken().Value))
	case n < f.Least || n > f.Most:
		d.report(position(node), path, fmt.Sprintf("%s may be %d to %d", f.Key, f.Least, f.Most), "%s is out of range: %d", f.Key, n)
	default:
		into.SetInt(int64(n))
	}
}

// number returns a whole number of decimal digits.
func number(node ast.Node) (int, bool) {
	if node.Type() != ast.IntegerType {
		return 0, false
	}
	text := node.GetToken().Value
	if strings.Trim(strings.TrimPrefix(text, "-"), "0123456789") != "" || len(text) > 1 && text[0] == '0' {
		return 0, false
	}
	n, err := strconv.Atoi(text)
	return n, err == nil
}

// scalar returns the text of a value as it is spelled, and whether it stands
// there without quotes.
func scalar(node ast.Node) (text string, plain, is bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, n.Token.Type == token.StringType, true
	case *ast.LiteralNode:
		return n.Value.Value, false, true
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, true, true
	}
	return "", false, false
}

// position is where a node begins. A mapping's own token is the colon of its
// first key.
func position(node ast.Node) spot {
	if mapping, is := node.(*ast.MappingNode); is && !mapping.IsFlowStyle && len(mapping.Values) > 0 {
		return position(mapping.Values[0].Key)
	}
	return spotOf(node.GetToken())
}

func keyText(entry *ast.MappingValueNode) string {
	if s, is := entry.Key.(*ast.StringNode); is {
		return s.Value
	}
	return entry.Key.GetToken().Value
}

func join(path, key string) string {
	switch {
	case secretIn(key) != "" || randomIn(key):
		key = "…"
	case !plainKey(key):
		key = strconv.Quote(key)
	}
	if path == "" {
		return key
	}
	return path + "." + key
}

func plainKey(key string) bool {
	return key != "" && strings.IndexFunc(key, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-')
	}) < 0
}

// described says what a node is, for people.
func described(node ast.Node) string {
	switch node.(type) {
	case *ast.MappingNode:
		return "keys with values"
	case *ast.SequenceNode:
		return "a list"
	case *ast.NullNode:
		return "nothing"
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.BoolNode:
		return "true or false"
	}
	return "a number"
}

// subject names a value in a sentence.
func subject(f *Field) string {
	if f.List {
		return "each of " + f.Key
	}
	return f.Key
}

func article(k Kind) string {
	switch {
	case k == KindText || k == KindFlag:
		return string(k)
	case strings.ContainsRune("aeio", rune(k[0])), k == KindSigning:
		return "an " + string(k)
	}
	return "a " + string(k)
}

func named(shape *Shape, path string) string {
	switch {
	case path == "":
		return "the file"
	case strings.HasPrefix(shape.Name, "a"):
		return "an " + strings.Replace(shape.Name, "accepted", "accepted risk", 1)
	}
	return "a " + shape.Name
}

// example is a value that the field could have.
func example(f *Field) string {
	switch f.Kind {
	case KindID, KindGUID:
		return "00000000-0000-0000-0000-000000000000"
	case KindDay:
		return "2027-02-01"
	case KindNumber:
		return strconv.Itoa(f.Least)
	case KindFlag:
		return "true"
	case KindWord:
		return f.Words[0]
	case KindCheck:
		return "id-count-min"
	case KindSigning:
		return "ssh-ed25519 AAAA…"
	case KindReceiving:
		return "age1…"
	}
	return "…"
}

func idHint(text string, f *Field) string {
	switch {
	case strings.Contains(text, "@") && f.Kind == KindID:
		return "give the object id; the name goes into name:"
	case strings.HasPrefix(text, "{"):
		return "write it without braces"
	case f.Kind == KindGUID:
		return "an AAGUID looks like 2fc0579f-8113-47ea-b116-bb5a8db9202a; the name of the model goes into model:"
	}
	return "the object id is on the object's page in the Entra admin center and looks like 2786d9fb-aa4e-4778-8abb-11a546852728"
}

func isCheckID(text string) bool {
	if text == "" || text[0] < 'a' || text[0] > 'z' || strings.HasSuffix(text, "-") || strings.Contains(text, "--") || len(text) > longestWord {
		return false
	}
	return strings.Trim(text, "abcdefghijklmnopqrstuvwxyz0123456789-") == ""
}

// isPIN: the label of a key that is nothing but so many digits is more likely
// its PIN than what is written on it.
func isPIN(text string) bool {
	return len(text) >= 4 && len(text) <= 6 && strings.Trim(text, "0123456789") == ""
}
