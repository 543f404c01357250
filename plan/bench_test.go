package plan_test

import (
	"fmt"
	"strings"
	"testing"

	"halligan/entra"
	"halligan/plan"
)

// thousand is a tenant with as many policies, all different.
func thousand(b *testing.B) *entra.Snapshot {
	var list []string
	for i := range 1000 {
		list = append(list, policyJSON(fmt.Sprintf("aaaaaaaa-0000-4000-8000-%012d", i), fmt.Sprintf("P%d", i), "enabled", blockAll))
	}
	return made(b, `{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#identity/conditionalAccess/policies","value":[`+strings.Join(list, ",")+`]}`)
}

func BenchmarkAsIfOnAThousandPolicies(b *testing.B) {
	s := thousand(b)
	c, err := plan.ParseAsIf("disable=P500")
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.On(s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkDiffOfAThousandPolicies(b *testing.B) {
	s := thousand(b)
	c := s.Content()
	for i := range c.Policies {
		p, err := entra.DecodePolicy([]byte(strings.Replace(string(c.Policies[i].Raw), `"mfa"`, `"block"`, 1)))
		if err != nil {
			b.Fatal(err)
		}
		p.State, p.Raw = entra.StateDisabled, []byte(strings.Replace(string(p.Raw), `"enabled"`, `"disabled"`, 1))
		c.Policies[i] = p
	}
	next := entra.NewSnapshot(c)
	for b.Loop() {
		if d := plan.Diff(s, next); len(d.Policies.Changed) != 1000 {
			b.Fatalf("%d changed", len(d.Policies.Changed))
		}
	}
}

func BenchmarkFromTerraform(b *testing.B) {
	data := fixture(b, "every-action.json")
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, _, err := plan.FromTerraform(data); err != nil {
			b.Fatal(err)
		}
	}
}
