package lockout_test

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"halligan/entra"
	"halligan/lockout"
)

// Which policies apply at a point is what somebody else's answer is compared with.
func TestWhichPoliciesApplyAtAPoint(t *testing.T) {
	const ana = "11111111-1111-4111-8111-111111111111"
	s, err := entra.Read(entra.Source{Name: "policies", Data: []byte(`[
	 {"id":"win","displayName":"windows only","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"],"platforms":{"includePlatforms":["windows"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}},
	 {"id":"browser","displayName":"browser only","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["browser"]},"grantControls":{"operator":"OR","builtInControls":["block"]}},
	 {"id":"group","displayName":"a group nobody read","state":"enabled","conditions":{"users":{"includeGroups":["22222222-2222-4222-8222-222222222222"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["block"]}},
	 {"id":"excluded","displayName":"excludes her","state":"enabled","conditions":{"users":{"includeUsers":["All"],"excludeUsers":["` + ana + `"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["block"]}},
	 {"id":"report","displayName":"report only","state":"enabledForReportingButNotEnforced","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["block"]}}
	]`)})
	if err != nil {
		t.Fatal(err)
	}
	goal, _ := lockout.ResolveGoal("entraAdminCenter")
	x, err := lockout.New(s).Applier(lockout.Question{Account: ana, Goal: goal, Envelope: map[lockout.Dimension]lockout.Quantifier{lockout.DimClientApp: {All: true}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		platform, client string
		want             map[string]string
	}{
		{"windows", "browser", map[string]string{"win": "surely", "browser": "surely", "group": "possibly", "excluded": "no"}},
		{"linux", "browser", map[string]string{"win": "no", "browser": "surely", "group": "possibly", "excluded": "no"}},
		{"linux", "mobileAppsAndDesktopClients", map[string]string{"win": "no", "browser": "no", "group": "possibly", "excluded": "no"}},
	} {
		got, err := x.At(map[lockout.Dimension]string{lockout.DimPlatform: c.platform, lockout.DimClientApp: c.client})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(c.want) {
			t.Errorf("%d policies, want %d: those in force and no others", len(got), len(c.want))
		}
		for _, p := range got {
			is := "no"
			switch {
			case p.Surely && p.Possibly:
				is = "surely"
			case p.Possibly:
				is = "possibly"
			case p.Surely:
				is = "surely and not possibly"
			}
			if is != c.want[string(p.Policy)] {
				t.Errorf("%s by %s on %s: got %s, want %s", p.Policy, c.client, c.platform, is, c.want[string(p.Policy)])
			}
		}
	}
}

// Nobody documents that policies on resources act while a device is registered;
// while security information is registered they do.
func TestPoliciesOnResourcesDuringUserActions(t *testing.T) {
	s, err := entra.Read(entra.Source{Name: "policies", Data: []byte(`[{"id":"all","displayName":"all resources","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},"grantControls":{"operator":"OR","builtInControls":["block"]}}]`)})
	if err != nil {
		t.Fatal(err)
	}
	goal, _ := lockout.ResolveGoal("graphPowerShell")
	for action, surely := range map[string]bool{"urn:user:registersecurityinfo": true, "urn:user:registerdevice": false} {
		x, err := lockout.New(s).ApplierOf(lockout.Question{Account: "11111111-1111-4111-8111-111111111111", Goal: goal}, lockout.Step{Action: action, Audiences: goal.Audiences})
		if err != nil {
			t.Fatal(err)
		}
		got, err := x.At(nil)
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Surely != surely || !got[0].Possibly {
			t.Errorf("%s: surely %v, possibly %v; want surely %v, and possibly in any case", action, got[0].Surely, got[0].Possibly, surely)
		}
	}
}

// A prover with a mistake in it is for tests alone.
func TestFlawedProversAreForTestsAlone(t *testing.T) {
	looked := 0
	err := fs.WalkDir(os.DirFS(".."), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || path == "lockout/faults.go" {
			return err
		}
		text, err := os.ReadFile("../" + path)
		if looked++; strings.Contains(string(text), "NewFlawed(") {
			t.Errorf("%s makes a flawed prover", path)
		}
		return err
	})
	if err != nil || looked < 100 {
		t.Errorf("%d files: %v", looked, err)
	}
}
