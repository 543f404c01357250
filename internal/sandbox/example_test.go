package sandbox

import (
	"crypto/sha1" //nolint:gosec // RFC 6238
	"encoding/base32"
	"encoding/json"
	"hash"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"halligan/entra"
)

func base32Decode(s string) ([]byte, error) { return base32.StdEncoding.DecodeString(s) }

func newSHA1() hash.Hash { return sha1.New() }

// Everybody in an example can sign in, is of the table's types, and the same
// tenant comes out every time.
func TestExamplesAreWhole(t *testing.T) {
	for _, name := range ExampleNames() {
		st, err := Example(name)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := Example(name)
		one, _ := json.Marshal(st)
		two, _ := json.Marshal(again)
		if string(one) != string(two) {
			t.Errorf("%s is another tenant the second time", name)
		}
		if n := len(st.All("users")); n < 20 || n > 50 || len(st.administrators()) == 0 {
			t.Errorf("%s has %d users and %d administrators", name, n, len(st.administrators()))
		}
		for _, u := range st.All("users") {
			if cr := st.Credentials[key(text(u, "id"))]; cr == nil || cr.Password != ExamplePassword(text(u, "userPrincipalName")) {
				t.Errorf("%s: %s has no password", name, text(u, "userPrincipalName"))
			}
		}
		for set, typ := range map[string]string{"users": "user", "groups": "group", setPolicies: "conditionalAccessPolicy", setStrengths: "authenticationStrengthPolicy", setLocations: "namedLocation",
			"servicePrincipals": "servicePrincipal", "applications": "application", "auditLogs/signIns": "signIn", "domains": "domain"} {
			for _, o := range st.All(set) {
				if _, err := written(beta, typ, without(o, "templateId", "oauth2PermissionScopes")); err != nil {
					t.Errorf("%s: %s %s: %v", name, set, text(o, "displayName"), err)
				}
			}
		}
		if ExampleAbout(name) == "" {
			t.Errorf("%s says nothing of itself", name)
		}
	}
	if _, err := Example("fabrikam"); err == nil {
		t.Error("an unknown example is opened")
	}
}

func without(o Object, names ...string) Object {
	out := copied(o)
	for _, n := range names {
		delete(out, n)
	}
	return out
}

// A tenant made of a Snapshot serves the Snapshot's objects.
func TestSnapshotBecomesTenant(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "small.json"))
	if err != nil {
		t.Fatal(err)
	}
	snapshot, err := entra.Read(entra.Source{Name: "small.json", Data: data})
	if err != nil {
		t.Fatal(err)
	}
	st, err := FromSnapshot(snapshot)
	if err != nil {
		t.Fatal(err)
	}
	b := benchOf(t, st)
	for path, has := range map[string]string{
		"/v1.0/users/11111111-1111-4111-8111-111111111111":                             "juniper@small.onmicrosoft.com",
		"/v1.0/users/11111111-1111-4111-8111-111111111111/transitiveMemberOf":          "Exclusions",
		"/v1.0/users/11111111-1111-4111-8111-111111111111/authentication/fido2Methods": yubikey,
		"/v1.0/identity/conditionalAccess/policies":                                    "MFA for all",
		"/v1.0/roleManagement/directory/roleAssignments":                               globalAdmin,
		"/v1.0/roleManagement/directory/roleEligibilityScheduleInstances":              securityAdmin,
		"/v1.0/domains": "small.onmicrosoft.com",
		"/v1.0/policies/identitySecurityDefaultsEnforcementPolicy": `"isEnabled":false`,
		"/v1.0/policies/authenticationMethodsPolicy":               `"Fido2"`,
		"/v1.0/subscribedSkus":                                     "AAD_PREMIUM_P2",
		"/v1.0/auditLogs/signIns":                                  "99990000-0000-4000-8000-000000000099",
	} {
		if r := b.must(200, "GET", path, ""); !strings.Contains(r.text, has) {
			t.Errorf("GET %s lacks %s: %.400s", path, has, r.text)
		}
	}
	if nobody, err := FromSnapshot(entra.NewSnapshot(entra.Content{})); err != nil || nobody.ID == "" {
		t.Errorf("an export that does not say whose it is: got tenant %v, %v", nobody, err)
	}
}
