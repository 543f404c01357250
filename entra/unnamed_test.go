package entra_test

import (
	"testing"
	"testing/fstest"

	"halligan/entra"
)

func TestPoliciesAreReadWhateverTheFileIsCalled(t *testing.T) {
	policy := []byte(`{"id":"p1","displayName":"p1","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}},"grantControls":{"operator":"OR","builtInControls":["block"]}}`)
	for _, name := range []string{"policy", "policy.txt", "policy.bak"} {
		s, err := entra.Read(entra.Source{Name: "folder", FS: fstest.MapFS{name: {Data: policy}, "notes.md": {Data: []byte("{not about policies}")}}})
		if err != nil {
			t.Fatal(err)
		}
		if s.PoliciesRead() != 1 || s.Incomplete() {
			t.Errorf("%s: %d policies read, incomplete %v, want 1 and complete", name, s.PoliciesRead(), s.Incomplete())
		}
	}
}
