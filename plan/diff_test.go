package plan_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"halligan/plan"
)

func zipped(t testing.TB, name, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create(name)
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// describe writes a difference as one line, for comparison.
func describe(d plan.Delta) string {
	var out []string
	for _, r := range d.Added {
		out = append(out, "+"+r.Name)
	}
	for _, r := range d.Removed {
		out = append(out, "-"+r.Name)
	}
	for _, c := range d.Changed {
		var paths []string
		for _, p := range c.Paths {
			var text strings.Builder
			text.WriteString(p.Path)
			if p.Before != "" || p.After != "" {
				text.WriteString(fmt.Sprintf(" %s>%s", p.Before, p.After))
			}
			for _, m := range p.Removed {
				text.WriteString(" -" + m)
			}
			for _, m := range p.Added {
				text.WriteString(" +" + m)
			}
			paths = append(paths, text.String())
		}
		out = append(out, "~"+c.Name+"("+strings.Join(paths, "; ")+")")
	}
	for _, r := range d.Restated {
		out = append(out, "="+r.Name)
	}
	return strings.Join(out, " ")
}

func TestDiffOfOnePolicyByWhatItSays(t *testing.T) {
	const before = `"conditions":{"users":{"includeUsers":["All"],"excludeGroups":["AA","bb"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"],"insiderRiskLevels":"minor,elevated","devices":{"deviceFilter":{"mode":"include","rule":"device.model -eq \"X\""}}},"grantControls":{"operator":"OR","builtInControls":["mfa"]},"sessionControls":{"signInFrequency":{"isEnabled":true,"value":4,"type":"hours"}}`
	edit := func(pairs ...string) string { return strings.NewReplacer(pairs...).Replace(before) }
	tests := map[string]struct{ after, want string }{
		"nothing":                     {before, ""},
		"the order of ids":            {edit(`["AA","bb"]`, `["bb","AA"]`), "=A"},
		"the case of ids":             {edit(`["AA","bb"]`, `["aa","BB"]`), "=A"},
		"an id twice":                 {edit(`["AA","bb"]`, `["AA","bb","aa"]`), "=A"},
		"the order of flags":          {edit(`"minor,elevated"`, `"elevated, minor"`), "=A"},
		"flags as a list":             {edit(`"minor,elevated"`, `["elevated","minor"]`), "=A"},
		"null for an absent key":      {edit(`"clientAppTypes"`, `"platforms":null,"clientAppTypes"`), "=A"},
		"an empty list for one":       {edit(`"clientAppTypes"`, `"signInRiskLevels":[],"clientAppTypes"`), "=A"},
		"an object of nothing":        {edit(`"clientAppTypes"`, `"locations":{"includeLocations":null,"excludeLocations":[]},"clientAppTypes"`), "=A"},
		"an annotation":               {edit(`"clientAppTypes"`, `"clientAppTypes@odata.type":"#Collection(String)","clientAppTypes"`), "=A"},
		"times":                       {edit(`"grantControls"`, `"modifiedDateTime":"2026-01-01T00:00:00Z","grantControls"`), "=A"},
		"a list of one as PowerShell": {edit(`["mfa"]`, `"mfa"`), "=A"},
		"a number as a string":        {edit(`"value":4`, `"value":"4"`), "=A"},
		"the spelling of keys":        {edit(`"grantControls"`, `"GrantControls"`, `"builtInControls"`, `"BuiltInControls"`), "=A"},
		"one id less":                 {edit(`["AA","bb"]`, `["AA"]`), "~A(conditions.users.excludeGroups -bb)"},
		"no ids":                      {edit(`["AA","bb"]`, `[]`), "~A(conditions.users.excludeGroups -AA -bb)"},
		"one id more":                 {edit(`["AA","bb"]`, `["AA","bb","Cc"]`), "~A(conditions.users.excludeGroups +Cc)"},
		"another grant":               {edit(`["mfa"]`, `["block"]`), "~A(grantControls.builtInControls -mfa +block)"},
		"a flag less":                 {edit(`"minor,elevated"`, `"minor"`), "~A(conditions.insiderRiskLevels -elevated)"},
		"a rule in another case":      {edit(`-eq \"X\"`, `-eq \"x\"`), `~A(conditions.devices.deviceFilter.rule device.model -eq "X">device.model -eq "x")`},
		"a number":                    {edit(`"value":4`, `"value":8`), "~A(sessionControls.signInFrequency.value 4>8)"},
		"a control gone":              {edit(`{"isEnabled":true,"value":4,"type":"hours"}`, `null`), "~A(sessionControls.signInFrequency.isEnabled true>; sessionControls.signInFrequency.type hours>; sessionControls.signInFrequency.value 4>)"},
		"a key given twice":           {edit(`"operator":"OR"`, `"operator":"AND","operator":"OR"`), `~A(grantControls.operator >"AND")`},
		"a binding":                   {edit(`"operator":"OR"`, `"authenticationStrength@odata.bind":"x/1","operator":"OR"`), "~A(grantControls.authenticationStrength@odata.bind >x/1)"},
		"a new key":                   {edit(`"clientAppTypes"`, `"moods":["high"],"clientAppTypes"`), "~A(conditions.moods +high)"},
	}
	base := made(t, policyJSON(idA, "A", "enabled", before))
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := describe(plan.Diff(base, made(t, policyJSON(idA, "A", "enabled", tt.after))).Policies); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDiffMatchesObjects(t *testing.T) {
	p := func(id, name string) string { return policyJSON(id, name, "enabled", blockAll) }
	list := func(texts ...string) string { return "[" + strings.Join(texts, ",") + "]" }
	tests := map[string]struct{ before, after, want string }{
		"by id, renamed":                        {list(p(idA, "A")), list(p(strings.ToUpper(idA), "New")), "~New(displayName A>New)"},
		"other ids, same name, one in common":   {list(p(idA, "A"), p(idB, "B")), list(p(idA, "A"), p(idC, "B")), "+B -B"},
		"no id in common: by name":              {list(p(idA, "A"), p(idB, "B")), list(p(idC, "B")), "-A"},
		"no id on one side: by name":            {list(p(idA, "A"), p(idB, "B")), list(p(idA, "A"), p("", "B")), "=B"},
		"two of one name are not matched by it": {list(p(idA, "A"), p(idB, "A")), list(p(idC, "A")), "+A -A -A"},
		"without a name nothing matches":        {list(p(idA, "")), list(p(idC, "")), "+ -"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			d := plan.Diff(made(t, tt.before), made(t, tt.after))
			got := describe(d.Policies)
			if strings.HasPrefix(tt.want, "-A") && name == "no id in common: by name" {
				got = strings.Replace(got, " =B", "", 1)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if d.Empty() != !strings.ContainsAny(tt.want, "+-~") {
				t.Errorf("empty: %v", d.Empty())
			}
		})
	}
}

func TestDiffOfLocationsAndStrengths(t *testing.T) {
	location := func(kind, rest string) string {
		return `{` + kind + `"id":"` + idA + `","displayName":"L",` + rest + `}`
	}
	const ip = `"@odata.type":"#microsoft.graph.ipNamedLocation",`
	const ranges = `"isTrusted":true,"ipRanges":[{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"192.0.2.0/24"},{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"198.51.100.0/24"}]`
	tests := map[string]struct{ before, after, want string }{
		"the order of ranges": {location(ip, ranges), location(ip, `"isTrusted":true,"ipRanges":[{"cidrAddress":"198.51.100.0/24"},{"cidrAddress":"192.0.2.0/24"}]`), "=L"},
		"a remark of nothing": {location(ip, ranges), location(ip, strings.Replace(ranges, `"cidrAddress":"192`, `"description":null,"cidrAddress":"192`, 1)), "=L"},
		"no type":             {location(ip, ranges), location("", ranges), "=L"},
		"no longer trusted":   {location(ip, ranges), location(ip, strings.Replace(ranges, "true", "false", 1)), "~L(isTrusted true>false)"},
		"a range less":        {location(ip, ranges), location(ip, `"isTrusted":true,"ipRanges":[{"cidrAddress":"192.0.2.0/24"}]`), `~L(ipRanges -{"@odata.type":"#microsoft.graph.iPv4CidrRange","cidrAddress":"198.51.100.0/24"})`},
		"another type":        {location(ip, `"ipRanges":[{"cidrAddress":"192.0.2.0/24"}]`), location(`"@odata.type":"#microsoft.graph.otherNamedLocation",`, `"ipRanges":[{"cidrAddress":"192.0.2.0/24"}]`), "~L(@odata.type #microsoft.graph.ipNamedLocation>#microsoft.graph.otherNamedLocation)"},
	}
	for name, tt := range tests {
		if got := describe(plan.Diff(made(t, tt.before), made(t, tt.after)).Locations); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
	strength := func(combinations string) string {
		return `{"id":"` + idA + `","displayName":"S","policyType":"custom","allowedCombinations":[` + combinations + `]}`
	}
	both := strength(`"fido2","password,hardwareOath"`)
	if got := describe(plan.Diff(made(t, both), made(t, strength(`"hardwareOath, password","fido2"`))).Strengths); got != "=S" {
		t.Errorf("the order of modes: got %q", got)
	}
	if got := describe(plan.Diff(made(t, both), made(t, strength(`"fido2","password"`))).Strengths); got != "~S(allowedCombinations -password,hardwareOath +password)" {
		t.Errorf("another combination: got %q", got)
	}
}
