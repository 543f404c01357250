package sandbox_test

import (
	"testing"

	"halligan/entra"
	. "halligan/internal/sandbox"
)

// A policy that PowerShell exported is enforced like one from Graph, and a
// strength that only the policy carries is kept with its bounds.
func TestSnapshotOfAPowerShellExport(t *testing.T) {
	snapshot, err := entra.Read(entra.Source{Name: "policies", Data: []byte(`[
	 {"Id":"p1","DisplayName":"capitals","State":"enabled","Conditions":{"Users":{"IncludeUsers":["All"]},"Applications":{"IncludeApplications":["All"]},"ClientAppTypes":["all"]},"GrantControls":{"Operator":"OR","BuiltInControls":["block"]}},
	 {"id":"p2","displayName":"strength","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]},"clientAppTypes":["all"]},
	  "grantControls":{"operator":"OR","builtInControls":[],"authenticationStrength":{"id":"s1","displayName":"one model","allowedCombinations":["fido2"],
	   "combinationConfigurations":[{"@odata.type":"#microsoft.graph.fido2CombinationConfiguration","id":"c","allowedAAGUIDs":["a1"],"appliesToCombinations":["fido2"]}]}}}]`)})
	if err != nil {
		t.Fatal(err)
	}
	content := snapshot.Content()
	content.TenantID = "0d0d0d0d-0000-4000-8000-000000000001"
	content.Users = []entra.User{{ID: "u1", UserPrincipalName: "ana@contoso.onmicrosoft.com", UserType: "Member"}}
	state, err := FromSnapshot(entra.NewSnapshot(content))
	if err != nil {
		t.Fatal(err)
	}
	got := Judge(state, noon, Attempt{UserID: "u1", AppID: "app", Used: []Shown{{Mode: "fido2", AAGUID: "b2"}}})
	want := []Blocker{{"p1", "block"}, {"p2", "authenticationStrength"}}
	if len(got.Blockers) != 2 || got.Blockers[0] != want[0] || got.Blockers[1] != want[1] {
		t.Errorf("denied by %v, want %v", got.Blockers, want)
	}
}
