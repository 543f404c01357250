package sandbox_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	. "halligan/internal/sandbox"
	"halligan/internal/testenv"
)

// Published policies in all their spellings: none may upset the evaluator, and
// reading what is undocumented against a person never lets more people in.
func TestEvaluatorJudgesUnderPublishedPolicies(t *testing.T) {
	root := filepath.Join(testenv.Folder(t, "HALLIGAN_CORPUS"), "conditional-access")
	read, denied, filters := 0, 0, 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".json" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var policy Object
		if json.Unmarshal(bytes.TrimPrefix(data, []byte("\ufeff")), &policy) != nil || policy["conditions"] == nil {
			return nil // malformed on purpose, or no policy in Graph's spelling
		}
		read++
		conditions, _ := policy["conditions"].(map[string]any)
		devices, _ := conditions["devices"].(map[string]any)
		filter, _ := devices["deviceFilter"].(map[string]any)
		if rule, ok := filter["rule"].(string); ok && rule != "" {
			filters++
			if parses, _ := ParseFilter(rule); !parses {
				t.Errorf("%s: the filter %q does not parse", filepath.Base(path), rule)
			}
		}
		policy["id"], policy["state"] = "p", "enabled"
		s := bare(t)
		s.Put("identity/conditionalAccess/policies", "p", policy)
		soft, hard := NewWorld(s, noon), NewWorld(s, noon)
		hard.Against = true
		for _, platform := range []string{"windows", "iOS", ""} {
			for _, client := range []string{"browser", "mobileAppsAndDesktopClients", "other"} {
				a := attempt(func(a *Attempt) {
					a.Platform, a.ClientApp, a.AppID, a.Resource, a.SignInRisk = platform, client, shell, graphAPI, "high"
				})
				easy, strict := soft.Judge(a), hard.Judge(a)
				if !easy.Allowed && strict.Allowed {
					t.Errorf("%s: refused when read for the person, let in when read against", filepath.Base(path))
				}
				if easy.Allowed != strict.Allowed && len(easy.Unsure) == 0 {
					t.Errorf("%s: the readings differ, and nothing is named", filepath.Base(path))
				}
				if !easy.Allowed {
					denied++
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if read < 600 || denied < 500 || filters < 10 {
		t.Errorf("%d policies, %d refusals, %d filters: too few to mean anything", read, denied, filters)
	}
	t.Logf("%d policies, %d refusals, %d filters", read, denied, filters)
}

func TestFilterRules(t *testing.T) {
	for rule, want := range map[string][2]bool{
		`device.model -eq "x"`: {true, false}, `device.model -ne "x"`: {true, true}, `device.model -eq null`: {true, true},
		`device.model -in ["a","b"]`: {true, false}, `device.model -notIn ['a', 'b']`: {true, true}, `not device.model -eq "x"`: {true, true},
		`device.model -eq "x" -or device.model -ne "y" -and device.isCompliant -eq True`:   {true, false},
		`(device.model -eq "x" -or device.model -ne "y") -and device.isCompliant -ne True`: {true, true},
		`device.model -eq "x`: {}, `device.model -eq`: {}, `user.model -eq "x"`: {}, `device.model -eq "x" "y"`: {}, `(device.model -eq "x"`: {}, ``: {},
		`device.model -in ["a"`: {}, `device.model -like "x"`: {},
	} {
		if parses, bare := ParseFilter(rule); parses != want[0] || bare != want[1] {
			t.Errorf("%s: parses %v, meets a bare device %v; want %v", rule, parses, bare, want)
		}
	}
}

func FuzzFilterRule(f *testing.F) {
	for _, rule := range []string{`device.model -eq "x" -and -not (device.trustType -in ["a","b"])`, `device.isCompliant -eq True`, `((((`, `device.x -eq 'a`} {
		f.Add(rule)
	}
	f.Fuzz(func(t *testing.T, rule string) { ParseFilter(rule) })
}
