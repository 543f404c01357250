package lockout

import (
	"strings"
	"testing"
)

func TestDeviceFilters(t *testing.T) {
	bare := Device{}
	saw := Device{Registered: true, Managed: true, Attributes: map[string][]string{"extensionAttribute1": {"SAW"}, "trustType": {"AzureAD"}, "isCompliant": {"True"},
		"model": {"Surface Laptop"}, "physicalIds": {"[OrderID]:77", "[ZTDID]:1"}}}
	personal := Device{Registered: true, Attributes: map[string][]string{"trustType": {"Workplace"}}}
	for _, c := range []struct {
		name, rule string
		device     *Device
		want       tern
	}{
		{"a positive operator never matches an unregistered device", `device.model -eq "x"`, &bare, no},
		{"a negative operator matches an unregistered device", `device.model -ne "x"`, &bare, yes},
		{"notStartsWith is negative", `device.displayName -notStartsWith "PAW"`, &bare, yes},
		{"notIn is negative", `device.trustType -notIn ["AzureAD","ServerAD"]`, &bare, yes},
		{"equality without case", `device.trusttype -eq "azuread"`, &saw, yes},
		{"bare True", `device.isCompliant -eq True`, &saw, yes},
		{"operators without hyphen", `device.isCompliant eq true and device.trustType ne "Workplace"`, &saw, yes},
		{"word operators", `device.model StartsWith "surface"`, &saw, yes},
		{"single quotes", `device.trustType -eq 'AzureAD'`, &saw, yes},
		{"contains is a substring on strings", `device.model -contains "face lap"`, &saw, yes},
		{"contains is equality on collections", `device.physicalIds -contains "[OrderID]"`, &saw, no},
		{"one element equals", `device.physicalIds -contains "[orderid]:77"`, &saw, yes},
		{"and binds tighter than or", `device.model -eq "x" -and device.model -eq "y" -or device.trustType -eq "AzureAD"`, &saw, yes},
		{"parentheses", `device.model -eq "x" -and (device.model -eq "y" -or device.trustType -eq "AzureAD")`, &saw, no},
		{"not binds tighter than and", `-not device.model -eq "x" -and device.trustType -eq "AzureAD"`, &saw, yes},
		{"extension attribute on a managed device", `device.extensionAttribute1 -eq "saw"`, &saw, yes},
		{"extension attribute on a personal device is not described", `device.extensionAttribute1 -ne "saw"`, &personal, unknown},
		{"it may make the whole filter be skipped", `device.extensionAttribute1 -ne "saw" -and device.model -eq "x"`, &personal, unknown},
		{"a property that nobody knows", `device.colour -eq "red"`, &saw, unknown},
		{"what is known decides where it can", `device.colour -eq "red" -or device.trustType -eq "AzureAD"`, &saw, yes},
		{"null on an unregistered device is not described", `device.model -eq null`, &bare, unknown},
		{"an empty string", `device.model -eq ""`, &saw, no},
		{"a quote inside a string", `device.model -eq "a""b"`, &saw, no},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := parseRule(c.rule)
			if err != nil {
				t.Fatal(err)
			}
			if got := r.evalDevice(c.device); got != c.want {
				t.Errorf("%s: got %d, want %d", c.rule, got, c.want)
			}
		})
	}
}

func TestBrokenRulesAreRefused(t *testing.T) {
	for _, rule := range []string{"", "device", "device.model", `device.model -eq`, `device.model -like "x"`, `device.model -eq "x`, `(device.model -eq "x"`,
		`device.model -eq "x")`, `device.model -eq "x" -and`, `device.model -eq ["a"]`, `device.model -in ["a"`, `"x" -eq "y"`, `device.model -eq x`,
		strings.Repeat("(", 5000), strings.Repeat("-not ", 5000) + `device.model -eq "x"`} {
		if _, err := parseRule(rule); err == nil {
			t.Errorf("%.60q was accepted", rule)
		}
	}
}

func FuzzRule(f *testing.F) {
	f.Add(`device.trustType -eq "AzureAD" -and (device.model -notIn ['a','b'] -or -not device.isCompliant -eq True)`)
	f.Add(`CustomSecurityAttribute.Set_Name -contains "x"`)
	f.Fuzz(func(t *testing.T, text string) {
		r, err := parseRule(text)
		if err != nil {
			return
		}
		for _, d := range []*Device{{}, {Registered: true}, {Registered: true, Managed: true, Attributes: map[string][]string{"model": {"a"}}}} {
			if v := r.evalDevice(d); v < no || v > yes {
				t.Errorf("%q gives %d", text, v)
			}
		}
	})
}

func TestEveryDeviceTellsApartWhatFiltersTellApart(t *testing.T) {
	// The small model must hold, for each pattern of truth of the atoms that
	// some value has, a value that has it.
	var atoms []*atom
	for _, text := range []string{`device.model -startsWith "ab"`, `device.model -contains "b"`, `device.model -endsWith "ba"`, `device.model -eq "aba"`, `device.model -in ["x","ab"]`} {
		r, err := parseRule(text)
		if err != nil {
			t.Fatal(err)
		}
		r.atoms(func(a *atom) { atoms = append(atoms, a) })
	}
	pattern := func(v []string) string {
		d := Device{Registered: true, Managed: true, Attributes: map[string][]string{"model": v}}
		var b strings.Builder
		for _, a := range atoms {
			b.WriteByte("-?+"[a.onDevice(&d)+1])
		}
		return b.String()
	}
	have := map[string]bool{}
	for _, v := range candidates("model", atoms) {
		have[pattern(v)] = true
	}
	var walk func(s string)
	walk = func(s string) {
		if p := pattern([]string{s}); !have[p] {
			t.Errorf("no candidate has the pattern %s of %q", p, s)
		}
		if len(s) < 6 {
			for _, c := range "abx~" {
				walk(s + string(c))
			}
		}
	}
	walk("")
}
