package lockout

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
)

// strict reads a JSON tree of which every key must be known. It goes on after a
// mistake and collects all of them, each with its path.
type strict struct{ mistakes []string }

// keys says how each key of an object is read. A null is the same as a key that
// is left out.
type keys map[string]func(at string, v any)

// parseTree reads one JSON text. An object that names a key twice is an error:
// whoever wrote the second one meant something.
func parseTree(data []byte) (any, error) {
	if err := wellFormed(data); err != nil {
		return nil, err
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var tree any
	if err := dec.Decode(&tree); err != nil {
		return nil, err
	}
	return tree, nil
}

func wellFormed(data []byte) error {
	dec := jsontext.NewDecoder(bytes.NewReader(data))
	if _, err := dec.ReadValue(); err != nil {
		return err
	}
	if _, err := dec.ReadToken(); err != io.EOF {
		return fmt.Errorf("more than one JSON value, the second at offset %d", dec.InputOffset())
	}
	return nil
}

func (r *strict) mistake(at, format string, args ...any) {
	if at == "" {
		at = "(top level)"
	}
	r.mistakes = append(r.mistakes, at+": "+fmt.Sprintf(format, args...))
}

func (r *strict) err() error {
	if len(r.mistakes) == 0 {
		return nil
	}
	return fmt.Errorf("%s", strings.Join(r.mistakes, "\n"))
}

func below(at, key string) string {
	if at == "" {
		return key
	}
	return at + "." + key
}

// object reads the known keys in alphabetical order and refuses the others.
func (r *strict) object(at string, v any, known keys) {
	members, ok := v.(map[string]any)
	if !ok {
		r.wrong(at, "an object", v)
		return
	}
	for _, k := range slices.Sorted(maps.Keys(members)) {
		read, ok := known[k]
		switch {
		case !ok:
			r.mistake(below(at, k), "unknown key")
		case members[k] != nil:
			read(below(at, k), members[k])
		}
	}
}

// each reads an object whose keys are names chosen by the author.
func (r *strict) each(at string, v any, read func(at, name string, v any)) {
	members, ok := v.(map[string]any)
	if !ok {
		r.wrong(at, "an object", v)
		return
	}
	for _, k := range slices.Sorted(maps.Keys(members)) {
		read(below(at, k), k, members[k])
	}
}

func (r *strict) list(at string, v any, read func(at string, v any)) {
	items, ok := v.([]any)
	if !ok {
		r.wrong(at, "a list", v)
		return
	}
	for i, item := range items {
		read(fmt.Sprintf("%s[%d]", at, i), item)
	}
}

func (r *strict) wrong(at, want string, v any) {
	r.mistake(at, "want %s, found %s", want, kindOfJSON(v))
}

func kindOfJSON(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case string:
		return "a string"
	case json.Number:
		return "a number"
	case []any:
		return "a list"
	}
	return "an object"
}

func (r *strict) text(at string, v any) string {
	s, ok := v.(string)
	if !ok {
		r.wrong(at, "a string", v)
	}
	return s
}

// word reads one of a few words.
func (r *strict) word(at string, v any, known ...string) string {
	s, ok := v.(string)
	if !ok {
		r.wrong(at, "a string", v)
		return ""
	}
	if !slices.Contains(known, s) {
		r.mistake(at, "%q is none of %s", s, strings.Join(known, ", "))
		return ""
	}
	return s
}

func (r *strict) flag(at string, v any) bool {
	b, ok := v.(bool)
	if !ok {
		r.wrong(at, "a boolean", v)
	}
	return b
}

func (r *strict) whole(at string, v any) int {
	n, ok := v.(json.Number)
	if !ok {
		r.wrong(at, "a number", v)
		return 0
	}
	i, err := n.Int64()
	if err != nil {
		r.mistake(at, "%s is not a whole number", n)
	}
	return int(i)
}

func (r *strict) texts(at string, v any) []string {
	out := []string{}
	r.list(at, v, func(at string, v any) { out = append(out, r.text(at, v)) })
	return out
}

// graph takes an object that is not ours to check: entra's decoder reads it and
// records what it does not know.
func (r *strict) graph(at string, v any) json.RawMessage {
	if _, ok := v.(map[string]any); !ok {
		r.wrong(at, "an object", v)
		return nil
	}
	raw, err := json.Marshal(v)
	if err != nil {
		r.mistake(at, "%v", err)
	}
	return raw
}

// require reports keys that must be there.
func (r *strict) require(at string, v any, names ...string) {
	members, ok := v.(map[string]any)
	if !ok {
		return // already reported
	}
	for _, k := range names {
		if members[k] == nil {
			r.mistake(below(at, k), "missing")
		}
	}
}

// into returns a reader that stores a string.
func (r *strict) into(s *string) func(string, any) {
	return func(at string, v any) { *s = r.text(at, v) }
}

// intoTexts returns a reader that stores a list of strings.
func (r *strict) intoTexts(s *[]string) func(string, any) {
	return func(at string, v any) { *s = r.texts(at, v) }
}

// intoFlag returns a reader that stores a boolean.
func (r *strict) intoFlag(b *bool) func(string, any) {
	return func(at string, v any) { *b = r.flag(at, v) }
}

// intoWord returns a reader that stores one of a few words.
func (r *strict) intoWord(s *string, known ...string) func(string, any) {
	return func(at string, v any) { *s = r.word(at, v, known...) }
}

// list of the Graph objects of a part.
func (r *strict) intoGraph(out *[]json.RawMessage) func(string, any) {
	return func(at string, v any) {
		r.list(at, v, func(at string, v any) { *out = append(*out, r.graph(at, v)) })
	}
}
