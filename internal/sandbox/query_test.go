package sandbox

import (
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestFilterSelectsWhatItSays(t *testing.T) {
	o := Object{"displayName": "O'Hara", "accountEnabled": true, "assignedLicenses": []any{Object{"skuId": "a"}}, "count": 7.0, "mail": nil,
		"createdDateTime": "2026-01-02T03:04:05.1234567Z", "kinds": []any{"interactiveUser"}, "nested": Object{"id": "X"}}
	for filter, want := range map[string]bool{
		"displayName eq 'o''hara'": true, "displayName ne 'x'": true, "not (displayName eq 'O''Hara')": false,
		"accountEnabled eq true and count ge 7": true, "count lt 7 or startsWith(displayName,'O')": true,
		"mail eq null": true, "mail ne null": false, "displayName in ('a','O''Hara')": true,
		"createdDateTime gt 2026-01-01T00:00:00Z": true, "createdDateTime lt 2026-01-01": false,
		"kinds/any(k: k eq 'interactiveUser')": true, "kinds/any(k:k eq 'other')": false, "assignedLicenses/any(l:l/skuId eq 'A')": true,
		"kinds/all(k: startsWith(k,'inter'))": true, "assignedLicenses/$count eq 1": true, "nested/id eq 'x'": true,
		"endsWith(displayName,'RA') and contains(displayName,'''')": true, "count gt null": false, "accountEnabled": true, "nested/gone eq 'x'": false,
	} {
		c, err := parseFilter(filter)
		if err != nil {
			t.Errorf("%s: %v", filter, err)
		} else if got := c.matches(o, nil); got != want {
			t.Errorf("%s: got %v", filter, got)
		}
	}
	for _, bad := range []string{"", "a", "a eq", "eq 'x'", "a eq 'x", "a eq 'x' and", "(a eq 1", "a eq 1)", "a like 'x'", "startsWith(a)", "a in ()", "a/any(x eq 1)", "'x' eq 1",
		strings.Repeat("(", 100) + "a eq 1" + strings.Repeat(")", 100), strings.Repeat("not ", 200) + "a eq 1", "a eq 1" + strings.Repeat(" or a eq 1", 400)} {
		if bad == "a" {
			continue // a Boolean property alone
		}
		if _, err := parseFilter(bad); err == nil {
			t.Errorf("%.60q is taken for a filter", bad)
		}
	}
}

// No filter, however strange, makes the parser or the comparison fail.
func FuzzFilter(f *testing.F) {
	for _, s := range []string{"displayName eq 'a'", "not (a ne null) and b/any(x: x/y in (1,2))", "startsWith(a,'b') or c ge 2026-01-01T00:00:00Z", "a/$count eq 0", "x eq '''", "any(", "a/any()"} {
		f.Add(s)
	}
	o := Object{"a": []any{Object{"y": 1.0}}, "displayName": "a", "b": nil}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := parseFilter(s)
		if err != nil {
			if _, ok := err.(*graphError); !ok {
				t.Fatalf("%q: %v is no answer of Graph", s, err)
			}
			return
		}
		c.matches(o, nil)
		c.walk(func(*filterNode) {})
	})
}

func FuzzOptions(f *testing.F) {
	f.Add("$select=id,displayName&$expand=members($select=id;$expand=memberOf)&$top=5")
	f.Add("$orderby=displayName desc&$count=true&$skiptoken=x")
	f.Fuzz(func(t *testing.T, raw string) {
		r := httptest.NewRequest("GET", "/v1.0/users", nil)
		r.URL = &url.URL{Path: "/v1.0/users", RawQuery: raw}
		o, err := parseOptions(r)
		if err == nil && o.top > 1000 {
			t.Fatalf("%q: a page of %d", raw, o.top)
		}
	})
}
