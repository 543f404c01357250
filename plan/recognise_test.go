package plan_test

import (
	"testing"

	"halligan/plan"
)

// A draft that a person saved from Graph has an id. It is still one object, and
// taking it for a second export would remove every other policy.
func TestSinglePolicyIsADraft(t *testing.T) {
	policy := `{"id":"00000000-0000-4000-8000-000000000001","displayName":"CA001","state":"enabled","conditions":{"users":{"includeUsers":["All"]},"applications":{"includeApplications":["All"]}}}`
	for name, tt := range map[string]struct {
		text string
		want plan.Format
	}{
		"one with an id":       {policy, plan.FormatDraft},
		"a list of one":        {`{"value":[` + policy + `]}`, plan.FormatExport},
		"a bare list of one":   {`[` + policy + `]`, plan.FormatExport},
		"one deep in a report": {`{"report":{"policies":[` + policy + `]}}`, plan.FormatExport},
		"one of PowerShell":    {`{"Id":"00000000-0000-4000-8000-000000000001","DisplayName":"CA001","State":"enabled","Conditions":{"Users":{"IncludeUsers":["All"]},"Applications":{"IncludeApplications":["All"]}}}`, plan.FormatDraft},
		"nothing of Entra's":   {`{"displayName":"x"}`, plan.FormatUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			if got := plan.Recognise([]byte(tt.text)); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
