package register_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"halligan/entra"
	"halligan/register"
)

const maesterConfig = `{
  "GlobalSettings": {
    "EmergencyAccessAccounts": [
      {
        "Type": "User",
        "UserPrincipalName": "bg1@contoso.example"
      },
      {
        "Type": "User",
        "Id": "11111111-0000-4000-8000-000000000001"
      },
      {
        "Type": "Group",
        "Id": "22222222-0000-4000-8000-000000000002"
      }
    ]
  }
}
`

const scubaConfig = `Description: |
  a sample
ProductNames:
  - aad
Aad:
  MS.AAD.1.1v1: &Org
    CapExclusions:
      Groups:
        - "22222222-0000-4000-8000-000000000002"
      Users:
        - "11111111-0000-4000-8000-000000000001"
        - ""
  MS.AAD.2.1v1: *Org
  MS.AAD.3.1v1:
    CapExclusions:
      Users:
        - "33333333-0000-4000-8000-000000000003"
  MS.AAD.3.6v1:
    CapExclusions:
      Users: []
      Groups: [""]
  MS.AAD.7.4v1:
    RoleExclusions:
      Users:
        - "11111111-0000-4000-8000-000000000001"
        - "44444444-0000-4000-8000-000000000004"
      Groups: []
Exo:
  MS.EXO.1.1v2:
    AllowedForwardingDomains:
      - ""
`

func TestMaesterListComesOutUnchanged(t *testing.T) {
	n, is, err := register.ReadNeighbours("maester-config.json", []byte(maesterConfig))
	if err != nil || !is {
		t.Fatalf("%v %v", is, err)
	}
	users, groups := n.EmergencyAccounts()
	if want := []string{"bg1@contoso.example", "11111111-0000-4000-8000-000000000001"}; !reflect.DeepEqual(users, want) || len(groups) != 1 {
		t.Errorf("got %v and %v", users, groups)
	}
	r := &register.Register{Version: 1, Neighbours: *n, Accounts: []register.Account{{ID: "11111111-0000-4000-8000-000000000001"}, {ID: "44444444-0000-4000-8000-000000000004", Name: "BG1@contoso.example"}}}
	out, err := r.MaesterConfig()
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != maesterConfig {
		t.Errorf("got\n%s\nwant\n%s", out, maesterConfig)
	}
	r.Accounts = append(r.Accounts, register.Account{ID: "55555555-0000-4000-8000-000000000005"})
	if out, _ = r.MaesterConfig(); !strings.Contains(string(out), "55555555") || !json.Valid(out) {
		t.Errorf("an account that the list lacks is not in it:\n%s", out)
	}
}

// scubaLists are the lists of a configuration as ScubaGear sees them.
func scubaLists(t *testing.T, text []byte) map[string]map[string]map[string][]string {
	t.Helper()
	var doc struct {
		Aad map[string]map[string]map[string][]string `yaml:"Aad"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		t.Fatal(err)
	}
	for _, kinds := range doc.Aad {
		for _, lists := range kinds {
			for name, list := range lists {
				kept := []string{}
				for _, s := range list {
					if s != "" {
						kept = append(kept, s)
					}
				}
				lists[name] = kept
			}
		}
	}
	return doc.Aad
}

func TestScubaGearListsComeOutUnchanged(t *testing.T) {
	n, is, err := register.ReadNeighbours("scuba.yaml", []byte(scubaConfig))
	if err != nil || !is {
		t.Fatalf("%v %v", is, err)
	}
	// All three stand in some list, two of them in one only, one by its group: no
	// list may come to hold more of them.
	r := &register.Register{Version: 1, Neighbours: *n, Accounts: []register.Account{{ID: "33333333-0000-4000-8000-000000000003"},
		{ID: "44444444-0000-4000-8000-000000000004"}, {ID: "55555555-0000-4000-8000-000000000005", Groups: []entra.ID{"22222222-0000-4000-8000-000000000002"}}},
		Groups: []register.Group{{ID: "66666666-0000-4000-8000-000000000006", Use: register.GroupExclusion}}}
	if got, want := scubaLists(t, r.ScubaGearConfig()), scubaLists(t, []byte(scubaConfig)); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v\nwant %v", got, want)
	}
	if users, _ := n.EmergencyAccounts(); !reflect.DeepEqual(users, []string{"11111111-0000-4000-8000-000000000001", "44444444-0000-4000-8000-000000000004"}) {
		t.Errorf("a user that one policy excludes is taken for an emergency account: %v", users)
	}
	// The register keeps the lists through a write and a read.
	text, err := r.Write()
	if err != nil {
		t.Fatal(err)
	}
	again, err := register.Parse("halligan.yaml", text)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(again.Neighbours, r.Neighbours) {
		t.Errorf("got %+v\nwant %+v", again.Neighbours, r.Neighbours)
	}
	// Whoever stands in none follows in each.
	const late = "77777777-0000-4000-8000-000000000007"
	r.Accounts = append(r.Accounts, register.Account{ID: late})
	for policy, kinds := range scubaLists(t, r.ScubaGearConfig()) {
		for kind, lists := range kinds {
			if !slices.Contains(lists["Users"], late) {
				t.Errorf("%s of %s lacks the account that no list has: %v", kind, policy, lists)
			}
		}
	}
}

func TestAccountsWithoutListsGetWholeOnes(t *testing.T) {
	r := &register.Register{Version: 1, Accounts: []register.Account{{ID: "11111111-0000-4000-8000-000000000001"}},
		Groups: []register.Group{{ID: "22222222-0000-4000-8000-000000000002", Use: register.GroupExclusion}, {ID: "33333333-0000-4000-8000-000000000003", Use: register.GroupTAP}}}
	lists := scubaLists(t, r.ScubaGearConfig())
	if len(lists) < 9 || len(lists["MS.AAD.7.4v1"]["RoleExclusions"]["Users"]) != 1 || len(lists["MS.AAD.1.1v1"]["CapExclusions"]["Groups"]) != 1 {
		t.Errorf("got %v", lists)
	}
}

func TestBrokenListsOfNeighboursAreNamed(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"not JSON":             {`{"GlobalSettings":{"EmergencyAccessAccounts":[`, "Maester"},
		"another type":         {`{"GlobalSettings":{"EmergencyAccessAccounts":[{"Type":"Robot","Id":"x"}]}}`, "entry 1"},
		"an entry of nobody":   {`{"GlobalSettings":{"EmergencyAccessAccounts":[{"Type":"User"}]}}`, "neither Id nor"},
		"not YAML":             {"Aad:\n  MS.AAD.1.1v1:\n    CapExclusions: [", "ScubaGear"},
		"exclusions elsewhere": {"Exo:\n  CapExclusions:\n    Users: [a]", "no exclusions"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, is, err := register.ReadNeighbours("f", []byte(c.text)); !is || err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %v; want %q", is, err, c.want)
			}
		})
	}
	if _, is, _ := register.ReadNeighbours("f", []byte(`{"value":[]}`)); is {
		t.Error("an export is taken for a neighbour's list")
	}
}

func FuzzReadNeighbours(f *testing.F) {
	f.Add([]byte(maesterConfig))
	f.Add([]byte(scubaConfig))
	f.Fuzz(func(t *testing.T, text []byte) {
		n, is, err := register.ReadNeighbours("f", text)
		if is && err == nil {
			r := &register.Register{Version: 1, Neighbours: *n}
			if _, err := r.MaesterConfig(); err != nil {
				t.Error(err)
			}
			r.ScubaGearConfig()
		}
	})
}
