package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"halligan/entra"
	"halligan/internal/app"
	"halligan/lockout"
)

// hostile is a name that tries everything: the terminal, the reading direction,
// HTML, Markdown, a second line.
const hostile = "x\x1b[2J\u202e\u0007<img src=x onerror=alert(1)>|`**[a](https://evil.example)www.evil.example\nPROVED"

// hostileReport judges a tenant in which every name is hostile.
func hostileReport(t *testing.T) *app.Report {
	t.Helper()
	policy := fmt.Sprintf(`{"id":"p1","displayName":%q,"state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeUsers":[%q],"excludeGroups":[%[2]q]},
		"applications":{"includeApplications":["All"]},"locations":{"includeLocations":[%[2]q]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["block",%[2]q]}}`,
		jsonText(hostile), jsonText(hostile))
	policy = strings.NewReplacer(`\\u`, `\u`, `\\n`, `\n`).Replace(policy)
	r, err := app.Prove(t.Context(), app.ProveRequest{
		Sources: []entra.Source{{Name: hostile, Data: []byte(policy)}, {Name: hostile + "2", Data: []byte("{\"value\": [}")}},
		With:    []entra.Source{{Name: "draft", Data: []byte(strings.Replace(policy, `"id":"p1",`, "", 1))}},
		Suppose: []string{"key=any"}, Now: "2026-11-21",
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// jsonText is the text with what JSON forbids in strings written as \u or \n.
func jsonText(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case unicode.IsControl(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// Nothing that an export holds can act: not on the terminal, not on the reading
// direction, not as HTML or Markdown.
func TestForeignTextIsHarmless(t *testing.T) {
	r := hostileReport(t)
	if len(r.Accounts) == 0 || !strings.Contains(r.Accounts[0].Goals[0].Policies[0].Name, "\x1b[2J") {
		t.Fatalf("the hostile name did not arrive: %+v", r.Accounts)
	}
	for _, format := range proveFormats {
		if format.name == "json" || format.name == "certificate" {
			continue // JSON escapes what acts, and a reader wants the names as they are
		}
		t.Run(format.name, func(t *testing.T) {
			var out bytes.Buffer
			if err := format.write(&out, r, look{columns: 80, all: true}); err != nil {
				t.Fatal(err)
			}
			text := out.String()
			for i, c := range text {
				if c != '\n' && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c)) || c == utf8.RuneError {
					t.Fatalf("%U at %d: %q", c, i, text[max(0, i-60):i])
				}
			}
			if strings.Contains(text, "\nPROVED") {
				t.Error("a name made a line of its own")
			}
			if !strings.Contains(text, "evil.example") {
				t.Error("the name is not told at all")
			}
			forbidden := map[string][]string{
				"html":     {"<img", "onerror=alert(1)>"},
				"markdown": {"<img", " [a](", "https://", "`*", "www.evil"},
			}[format.name]
			// A backslash before it makes it text.
			for _, escaped := range []string{`\<`, `\[`, "\\`"} {
				text = strings.ReplaceAll(text, escaped, "")
			}
			for _, f := range forbidden {
				if strings.Contains(text, f) {
					t.Errorf("holds %q", f)
				}
			}
		})
	}
}

// A terminal of any width shows whole lines: only words and commands that have
// no space may be longer.
func TestLinesFit(t *testing.T) {
	r := hostileReport(t)
	for _, columns := range []int{60, 80, 200} {
		var out bytes.Buffer
		if err := writeTerminal(&out, r, look{columns: columns}); err != nil {
			t.Fatal(err)
		}
		longest := 0
		for line := range strings.Lines(out.String()) {
			line = strings.TrimRight(line, "\n")
			words := strings.Fields(line)
			longest = max(longest, utf8.RuneCountInString(line))
			if utf8.RuneCountInString(line) > columns && len(words) > 1 && !strings.HasPrefix(line, "    halligan prove") && !slices.ContainsFunc(words, func(w string) bool { return len(w) > columns/2 }) {
				t.Errorf("at %d columns: %q has %d", columns, line, utf8.RuneCountInString(line))
			}
		}
		if columns == 200 && longest < 120 {
			t.Errorf("at 200 columns the longest line has %d", longest)
		}
	}
}

// Colour goes with words, never instead of them.
func TestColourAddsNothing(t *testing.T) {
	r := hostileReport(t)
	var plain, coloured bytes.Buffer
	if err := writeTerminal(&plain, r, look{columns: 80}); err != nil {
		t.Fatal(err)
	}
	if err := writeTerminal(&coloured, r, look{columns: 80, paint: true}); err != nil {
		t.Fatal(err)
	}
	text := coloured.String()
	if !strings.Contains(text, "\x1b[33m") {
		t.Fatal("no colour where it was asked for")
	}
	for _, s := range []style{0, bold, red, green, yellow} {
		text = strings.ReplaceAll(text, fmt.Sprintf("\x1b[%dm", int(s)), "")
	}
	if text != plain.String() {
		t.Errorf("without its colours the text differs: %s", firstDifference(text, plain.String()))
	}
}

func TestMarkdownEscape(t *testing.T) {
	for text, want := range map[string]string{
		"CA012 Require MFA": "CA012 Require MFA", "a|b": `a\|b`, "`x`": "\\`x\\`", "<b>": `\<b\>`, "[a](b)": `\[a\]\(b\)`,
		"http://x": `http\://x`, "www.x.org": `www\.x.org`, `a\b`: `a\\b`, "&lt;": `\&lt;`, "a\nb": `a\\u\{000a\}b`, "bg1@contoso.example": "bg1@contoso.example",
	} {
		if got := markdownEscape(text); got != want {
			t.Errorf("markdownEscape(%q): got %q, want %q", text, got, want)
		}
	}
}

func TestEnvelope(t *testing.T) {
	tests := map[string]struct {
		dimensions  []string
		workstation string
		name        lockout.Dimension
		want        lockout.Quantifier
	}{
		"some values":      {[]string{"platform=forall:windows|macOS"}, "", lockout.DimPlatform, lockout.Quantifier{Values: []string{"windows", "macOS"}}},
		"the operator's":   {[]string{"Country=exists:DE"}, "", lockout.DimCountry, lockout.Quantifier{Exists: true, Values: []string{"DE"}}},
		"all":              {[]string{"flow=exists:*"}, "", lockout.DimFlow, lockout.Quantifier{Exists: true, All: true}},
		"locations by id":  {[]string{"ipLocations=forall:a,b|"}, "", lockout.DimIP, lockout.Quantifier{Values: []string{"a,b", ""}}},
		"any workstation":  {nil, "any", lockout.DimDevice, lockout.Quantifier{All: true}},
		"a bare one":       {nil, "unregistered", lockout.DimDevice, lockout.Quantifier{Devices: []lockout.Device{{}}}},
		"a registered one": {nil, `{"registered":true}`, lockout.DimDevice, lockout.Quantifier{Devices: []lockout.Device{{Registered: true}}}},
		"a device to choose": {[]string{`device=exists:[{"registered":true},{}]`}, "", lockout.DimDevice,
			lockout.Quantifier{Exists: true, Devices: []lockout.Device{{Registered: true}, {}}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := envelope(tt.dimensions, tt.workstation)
			if err != nil || len(got) != 1 || fmt.Sprint(got[tt.name]) != fmt.Sprint(tt.want) {
				t.Errorf("got %+v, %v; want %s %+v", got, err, tt.name, tt.want)
			}
		})
	}
}

func TestEventsAreTold(t *testing.T) {
	n := names{"p1": "CA001", "g1": "Rescue"}
	for want, event := range map[string]lockout.Event{
		`the exclusion of "Rescue" is taken out of policy "CA001"`: {"removeExclusion", "P1", "g1"},
		`policy "CA001" is switched on`:                            {"enablePolicy", "p1"},
		`group g2 is deleted`:                                      {"deleteGroup", "g2"},
		"method Fido2 is disabled":                                 {"disableMethod", "Fido2"},
		"key model m is withdrawn":                                 {"revokeAaguid", "m"},
		"site vault is lost":                                       {"loseSite", "vault"},
		"custodian ana cannot be reached":                          {"loseCustodian", "ana"},
		"credential key1 is lost":                                  {"loseCredential", "key1"},
		"something new":                                            {"something", "new"},
	} {
		if got := eventText(event, n); got != want {
			t.Errorf("%v: got %q, want %q", event, got, want)
		}
	}
}
