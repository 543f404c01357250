package contract

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// template matches the paths of one operation, segment by segment.
type template struct {
	segments []segment
	literals int // how many segments are fixed: the operation with most wins
}

type segment struct {
	literal string         // "members", "microsoft.graph.user", "$ref"
	key     *regexp.Regexp // servicePrincipals(appId='…'), creationOptions(…=…)
	hole    bool           // {user-id}
	call    bool           // a function without parameters: delta or delta()
}

var hole = regexp.MustCompile(`\{[^}]*\}`)

func parseTemplate(path string) (template, error) {
	var t template
	for _, text := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		s := segment{literal: qualified(text)}
		switch {
		case strings.HasPrefix(text, "{") && strings.HasSuffix(text, "}"):
			s = segment{hole: true}
		case strings.HasSuffix(text, "()"):
			s = segment{literal: qualified(strings.TrimSuffix(text, "()")), call: true}
		case strings.Contains(text, "("):
			pattern := hole.ReplaceAllString(strings.ReplaceAll(regexp.QuoteMeta(text), `\{`, "{"), "\x00")
			pattern = strings.ReplaceAll(pattern, "'\x00'", `'(?:[^']|'')+'`)
			pattern = strings.ReplaceAll(pattern, "\x00", `[^'()]+`)
			re, err := regexp.Compile("^" + pattern + "$")
			if err != nil {
				return t, fmt.Errorf("read the path %s: %w", path, err)
			}
			s = segment{key: re}
		}
		if !s.hole {
			t.literals++
		}
		t.segments = append(t.segments, s)
	}
	return t, nil
}

// qualified writes a cast as it stands on the wire: the description abbreviates
// microsoft.graph.user to graph.user.
func qualified(segment string) string {
	if strings.HasPrefix(segment, "graph.") {
		return "microsoft." + segment
	}
	return segment
}

func (t template) matches(path []string) bool {
	if len(path) != len(t.segments) {
		return false
	}
	for i, s := range t.segments {
		if !s.matches(path[i]) {
			return false
		}
	}
	return true
}

func (s segment) matches(text string) bool {
	switch {
	case s.key != nil:
		return s.key.MatchString(text)
	case s.hole:
		if strings.HasPrefix(text, quotedKey) {
			return len(text) > len(quotedKey)
		}
		return text != "" && !strings.HasPrefix(text, "$") && !strings.HasPrefix(text, "microsoft.graph.") &&
			!strings.Contains(text, "(")
	case s.call:
		return text == s.literal || text == s.literal+"()" || text == "microsoft.graph."+s.literal || text == "microsoft.graph."+s.literal+"()"
	}
	return qualified(text) == s.literal
}

// quotedKey marks a segment that stood in quotes: it is a key, whatever it says.
const quotedKey = "\x00"

var keyed = regexp.MustCompile(`^(\w+)\('((?:[^']|'')*)'\)$`)

// split cuts the path of an address into its segments. users('x') becomes users
// and x; me becomes users and a key, since the description leaves /me out.
func split(path string) ([]string, error) {
	var segments []string
	for _, raw := range strings.Split(strings.TrimPrefix(path, "/"), "/") {
		text, err := url.PathUnescape(raw)
		if err != nil {
			return nil, fmt.Errorf("%s is no path: %w", path, err)
		}
		if m := keyed.FindStringSubmatch(text); m != nil {
			segments = append(segments, m[1], quotedKey+m[2])
			continue
		}
		segments = append(segments, text)
	}
	if segments[0] == "me" {
		segments = append([]string{"users", "me"}, segments[1:]...)
	}
	return segments, nil
}

// address cuts an address into version, path below the version, and query. A
// path that belongs to neither Graph nor Azure Resource Manager has version "".
func address(text string) (version, path, query string, err error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", "", "", fmt.Errorf("read the address %q: %w", text, err)
	}
	whole := u.EscapedPath()
	for _, v := range []string{V1, Beta} {
		if rest, is := strings.CutPrefix(whole, "/"+v+"/"); is {
			return v, "/" + rest, u.RawQuery, nil
		}
	}
	for _, prefix := range []string{"/subscriptions/", "/providers/"} {
		if strings.HasPrefix(strings.ToLower(whole), strings.ToLower(prefix)) {
			return ARM, whole, u.RawQuery, nil
		}
	}
	return "", whole, u.RawQuery, nil
}
