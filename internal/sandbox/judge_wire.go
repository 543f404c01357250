package sandbox

import (
	"slices"
	"strings"
)

// Reading plain objects: a property that is missing, null or of another kind
// reads as the zero value.

func wireText(v any) string { s, _ := v.(string); return s }

func wireBool(v any) bool { b, _ := v.(bool); return b }

func wireObject(v any) Object { o, _ := v.(map[string]any); return o }

// wireList reads a list of texts, or flags in one comma-joined text, in lower
// case: Graph compares ids and enum members without case.
func wireList(v any) []string {
	var out []string
	add := func(s string) {
		if s = strings.ToLower(strings.TrimSpace(s)); s != "" {
			out = append(out, s)
		}
	}
	switch list := v.(type) {
	case string:
		for part := range strings.SplitSeq(list, ",") {
			add(part)
		}
	case []string:
		for _, s := range list {
			add(s)
		}
	case []any:
		for _, e := range list {
			s, _ := e.(string)
			add(s)
		}
	}
	return out
}

func wireObjects(v any) []Object {
	var out []Object
	switch list := v.(type) {
	case []Object:
		return list
	case []any:
		for _, e := range list {
			if o := wireObject(e); o != nil {
				out = append(out, o)
			}
		}
	}
	return out
}

func wireSame(a, b string) bool { return strings.EqualFold(a, b) }

// wireEmpty: null, an empty list or text, or an object of nothing else. Exports
// spell "not set" in each of these ways.
func wireEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case []string:
		return len(v) == 0
	case map[string]any:
		for k, e := range v {
			if !strings.HasPrefix(k, "@") && !wireEmpty(e) {
				return false
			}
		}
		return true
	}
	return false
}

// wireUnknown lists properties that say something and are not known here.
func wireUnknown(o Object, known ...string) []string {
	var out []string
	for k, v := range o {
		if !strings.ContainsAny(k, "@#") && !slices.Contains(known, k) && !wireEmpty(v) {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// truth is yes, no, or that nobody says.
type truth int8

const (
	no    truth = -1
	maybe truth = 0
	yes   truth = 1
)

func truthOf(b bool) truth {
	if b {
		return yes
	}
	return no
}

func (t truth) and(u truth) truth { return min(t, u) }
func (t truth) or(u truth) truth  { return max(t, u) }

// wireNumber reads a number in any of the forms in which JSON may have left it.
func wireNumber(v any) float64 {
	switch n := v.(type) {
	case float64:
		return n
	case int:
		return float64(n)
	case int64:
		return float64(n)
	case interface{ Float64() (float64, error) }:
		f, _ := n.Float64()
		return f
	}
	return 0
}
