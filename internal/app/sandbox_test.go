package app_test

import (
	"slices"
	"strings"
	"testing"

	"halligan/internal/graph"
	"halligan/internal/sandbox"
)

// Whoever tries Halligan signs in as the auditor of an example tenant: everything
// that reading asks for must have been granted there.
func TestTheExampleTenantsGrantWhatReadingNeeds(t *testing.T) {
	for _, name := range sandbox.ExampleNames() {
		s, err := sandbox.Example(name)
		if err != nil {
			t.Fatal(err)
		}
		var granted []string
		for _, g := range s.All("oauth2PermissionGrants") {
			scope, _ := g["scope"].(string)
			granted = append(granted, strings.Fields(scope)...)
		}
		for _, want := range graph.Scopes(graph.FeatureRead, graph.FeatureCross) {
			if !slices.Contains(granted, want) {
				t.Errorf("%s: nobody granted %s", name, want)
			}
		}
	}
}
