package entra_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"strings"
	"testing"

	"halligan/entra"
)

const methodsContext = `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#users('aaaaaaaa-0000-4000-8000-000000000001')/authentication/methods",`

func accountOf(t *testing.T, s *entra.Snapshot) entra.Account {
	t.Helper()
	if a := s.View().Accounts; len(a) == 1 {
		return a[0]
	}
	t.Fatalf("got accounts %+v, want one", s.View().Accounts)
	return entra.Account{}
}

// One export of an account's methods that is empty and one that is not: what the
// second has may have been removed since, or not.
func TestListsOfMethodsThatContradictEachOther(t *testing.T) {
	const key = `{"@odata.type":"#microsoft.graph.fido2AuthenticationMethod","id":"k1"}`
	const pass = `{"@odata.type":"#microsoft.graph.passwordAuthenticationMethod","id":"p1"}`
	for name, test := range map[string]struct {
		first, second string
		kept          int
	}{
		"the second is empty":     {`"value":[` + key + `]}`, `"value":[]}`, 0},
		"the first is empty":      {`"value":[]}`, `"value":[` + key + `]}`, 0},
		"they share the password": {`"value":[` + pass + `]}`, `"value":[` + key + `,` + pass + `]}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := entra.Read(entra.Source{Name: "a.json", Data: []byte(methodsContext + test.first)}, entra.Source{Name: "b.json", Data: []byte(methodsContext + test.second)})
			if err != nil {
				t.Fatal(err)
			}
			a := accountOf(t, s)
			if !s.Incomplete() || a.MethodsRead || len(a.Methods) != test.kept {
				t.Errorf("got incomplete %v, methods read %v: %+v; want %d kept", s.Incomplete(), a.MethodsRead, a.Methods, test.kept)
			}
			troubles := s.View().Troubles
			if len(troubles) != 1 || troubles[0].File != "b.json" || troubles[0].Other != "a.json" || !strings.Contains(troubles[0].What, "a.json:1") {
				t.Errorf("got troubles %+v, want one that names both files", troubles)
			}
		})
	}
}

func TestListsOfMethodsThatAgree(t *testing.T) {
	for name, test := range map[string]struct{ first, second string }{
		"the same twice": {`"value":[{"@odata.type":"#microsoft.graph.fido2AuthenticationMethod","id":"k1"}]}`, `"value":[{"@odata.type":"#microsoft.graph.fido2AuthenticationMethod","id":"k1"}]}`},
		"empty twice":    {`"value":[]}`, `"value":[]}`},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := entra.Read(entra.Source{Name: "a.json", Data: []byte(methodsContext + test.first)}, entra.Source{Name: "b.json", Data: []byte(methodsContext + test.second)})
			if a := accountOf(t, s); s.Incomplete() || !a.MethodsRead {
				t.Errorf("got incomplete %v, methods read %v, troubles %q", s.Incomplete(), a.MethodsRead, whats(s.View().Troubles))
			}
		})
	}
}

// Tools that encode twice write a policy as text. It is not read, and that must
// not look like a tenant without it.
func TestPolicyWithinAStringIsTrouble(t *testing.T) {
	policy := `{\"displayName\": \"CA1\", \"conditions\": {}, \"grantControls\": {\"builtInControls\": [\"block\"]}}`
	for name, text := range map[string]string{
		"alone": `"` + policy + `"`, "in a list": `{"value":["` + policy + `"]}`, "under a key": `{"body":"` + policy + `"}`, "a list as text": `{"body":" [` + policy + `]"}`,
	} {
		t.Run(name, func(t *testing.T) {
			s := read(t, "p.json", text)
			if v := s.View(); len(v.Troubles) != 1 || v.Troubles[0].Line != 1 || s.Status(entra.PartPolicies).Status != entra.StatusCutShort {
				t.Errorf("got troubles %q, policies %v", whats(v.Troubles), s.Status(entra.PartPolicies))
			}
		})
	}
	if s := read(t, "p.json", `{"body":"{\"conditions\": [\"sunny\"]}"}`); s.Incomplete() {
		t.Errorf("got %q for another text, want no trouble", whats(s.View().Troubles))
	}
}

func TestErrorOfGraphIsNamed(t *testing.T) {
	for text, want := range map[string]string{
		`{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges","innerError":{"date":"x"}}}`: "e.json:1:1: an error that Microsoft Graph answered with, not data: Authorization_RequestDenied: Insufficient privileges",
		`{"error":{"code":"TooManyRequests"}}`: "e.json:1:1: an error that Microsoft Graph answered with, not data: TooManyRequests",
	} {
		if got := whats(read(t, "e.json", text).View().Troubles); len(got) != 1 || got[0] != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestManyFilesThatWereNotReadAreNamedInPart(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := range 8 {
		if _, err := z.Create(fmt.Sprintf("f%d.txt", i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	want := "z.zip:0:0: 8 files were not read, for they are not JSON: f0.txt, f1.txt, f2.txt, f3.txt, f4.txt and 3 more"
	s, _ := entra.Read(entra.Source{Name: "z.zip", Data: b.Bytes()})
	if got := whats(s.View().Notes); len(got) != 1 || got[0] != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Of objects that two files give with other content, the trouble names both.
func TestObjectsThatContradictEachOtherNameBothFiles(t *testing.T) {
	policy := func(state string) []byte {
		return []byte(`{"id":"p1","displayName":"CA1","state":"` + state + `","conditions":{"users":{"includeUsers":["All"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}`)
	}
	s, _ := entra.Read(entra.Source{Name: "old.json", Data: policy("enabled")}, entra.Source{Name: "new.json", Data: policy("disabled")})
	tr := s.View().Troubles
	if len(tr) != 1 || tr[0].Other == "" || tr[0].Other == tr[0].File {
		t.Fatalf("got %+v, want one trouble with both files", tr)
	}
	again, err := entra.Read(entra.Source{Name: "snapshot.json", Data: s.JSON()})
	if err != nil || len(again.View().Troubles) != 1 {
		t.Errorf("got %+v (%v) after the round trip, want the one trouble", again.View().Troubles, err)
	}
}
