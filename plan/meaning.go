package plan

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// meaning is a JSON value reduced to what it says. Two texts of one meaning are
// the same to Graph. The rules, which docs/changes.md repeats:
//
//   - The spelling of keys is compared without case (PowerShell writes them its
//     own way), and members of AdditionalProperties count as members.
//   - Annotations (keys with "@", except bindings), and the times of creation and
//     change, say nothing. The type of a named location does.
//   - null, "", an empty list, and an object or list of nothing but these are all
//     "not set", and the same as an absent key.
//   - A list is a set: neither order nor repetition matters, and a list of one is
//     that one. So are the members of a comma-joined enumeration.
//   - Ids and words of enumerations are compared without case; display names,
//     descriptions and the rules of filters are compared as they stand.
//   - A number or boolean written as a string is that number or boolean.
type meaning struct {
	// text is the compared form of a leaf, shown how its source wrote it.
	text, shown string
	// set holds the compared forms of a list's members; nil: not a list, or a
	// list of one, which is that one.
	set  map[string]string // compared → shown
	list bool              // stood in a list
	// fields of an object by compared key; nil: not an object.
	fields map[string]field
}

type field struct {
	name string // as spelled
	meaning
}

// silent are the keys that say nothing about what is in force.
var silent = words("createdDateTime", "modifiedDateTime", "lastModifiedDateTime")

// exact are the keys whose text is compared with case.
var exact = words("displayName", "description", "rule")

// joined are the keys whose text is a comma-joined set.
var joined = words("insiderRiskLevels", "agentIdRiskLevels", "transferMethods", "guestOrExternalUserTypes", "includeTrafficProfiles",
	"allowedCombinations", "appliesToCombinations")

func words(list ...string) map[string]bool {
	m := map[string]bool{}
	for _, w := range list {
		m[strings.ToLower(w)] = true
	}
	return m
}

// meaningOf reduces the JSON of an object; its own id is not part of it.
func meaningOf(raw json.RawMessage) (meaning, error) {
	o, err := parseObject(raw)
	if err != nil {
		return meaning{}, err
	}
	m := reduceObject(o)
	delete(m.fields, "id")
	return m, nil
}

func reduceObject(o object) meaning {
	m := meaning{fields: map[string]field{}}
	keys := make([]string, 0, len(o))
	for k := range o {
		keys = append(keys, k)
	}
	slices.Sort(keys) // of two spellings the last counts, as for a decoder
	for _, k := range keys {
		low := strings.ToLower(k)
		if low == "additionalproperties" {
			maps.Copy(m.fields, reduceObject(asObject(o[k])).fields)
			continue
		}
		if silent[low] || annotation(k) && low != "@odata.type" {
			continue
		}
		if v := reduce(o[k], low); !v.unset() {
			m.fields[low] = field{strings.ToLower(k[:1]) + k[1:], v}
		}
	}
	return m
}

// reduce reduces the value of a key.
func reduce(v any, key string) meaning {
	switch v := v.(type) {
	case nil:
		return meaning{}
	case []any:
		return reduceList(v, key)
	}
	if o := asObject(v); o != nil {
		return reduceObject(o)
	}
	text := fmt.Sprint(v)
	if joined[key] && strings.Contains(text, ",") && !combinations[key] {
		var members []any
		for m := range strings.SplitSeq(text, ",") {
			members = append(members, strings.TrimSpace(m))
		}
		return reduceList(members, key)
	}
	return meaning{text: compared(text, key), shown: text}
}

// combinations are the keys whose comma-joined sets stand in a list: the list is
// a set of sets.
var combinations = words("allowedCombinations", "appliesToCombinations")

func compared(text, key string) string {
	text = strings.TrimSpace(text)
	if exact[key] {
		return text
	}
	text = strings.ToLower(text)
	if combinations[key] && strings.Contains(text, ",") {
		modes := strings.Split(text, ",")
		for i := range modes {
			modes[i] = strings.TrimSpace(modes[i])
		}
		slices.Sort(modes)
		return strings.Join(modes, ",")
	}
	return text
}

func reduceList(list []any, key string) meaning {
	m := meaning{set: map[string]string{}}
	var only meaning
	for _, v := range list {
		e := reduce(v, key)
		delete(e.fields, "@odata.type") // of a member; Graph numbers and types these by itself
		delete(e.fields, "id")
		if e.unset() {
			continue
		}
		e.shown = e.show(v)
		only = e
		if e.set != nil && e.fields == nil { // a joined text inside a list
			maps.Copy(m.set, e.set)
			continue
		}
		m.set[e.key()] = e.shown
	}
	if len(m.set) == 1 && only.set == nil {
		only.list = true
		return only
	}
	return m
}

func (m *meaning) unset() bool {
	return m.text == "" && len(m.set) == 0 && len(m.fields) == 0
}

// key is a text that is the same for two values of one meaning.
func (m *meaning) key() string {
	switch {
	case m.fields != nil:
		var b strings.Builder
		b.WriteByte('{')
		for _, k := range sortedKeys(m.fields) {
			f := m.fields[k]
			fmt.Fprintf(&b, "%q:%s,", k, f.key())
		}
		return b.String() + "}"
	case m.set != nil:
		return fmt.Sprintf("%q", sortedKeys(m.set))
	}
	return fmt.Sprintf("%q", m.text)
}

// show returns the value as its source wrote it.
func (m *meaning) show(v any) string {
	if m.fields == nil && m.set == nil {
		return m.shown
	}
	b, err := object{"v": v}.bytes()
	if err != nil {
		return ""
	}
	return string(b[len(`{"v":`) : len(b)-1])
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
