package evidence_test

import (
	"strings"
	"testing"

	"halligan/evidence"
)

func (d damage) check(t testing.TB, who, got string) {
	t.Helper()
	if got != d.want && (d.want != "good" || !strings.HasPrefix(got, "good ")) {
		t.Errorf("%s: %s says %q, want %q", d.name, who, got, d.want)
	}
}

func TestEveryDamageIsFoundAndNamed(t *testing.T) {
	o := evidence.VerifyOptions{}.Remembering()
	for _, d := range damages(t) {
		d.check(t, "Verify", machine(d.files, d.options(o)))
	}
}

// A comparison whose loss no case notices is not needed, or not tested.
func TestEveryStepOfVerifyIsNeeded(t *testing.T) {
	all, remembering := damages(t), evidence.VerifyOptions{}.Remembering()
	if len(evidence.StepNames) != evidence.Steps {
		t.Fatalf("%d names for %d steps", len(evidence.StepNames), evidence.Steps)
	}
	for i, name := range evidence.StepNames {
		var missed []string
		for n, d := range all {
			if n%7 != 0 && strings.Contains(d.name, "swapped") {
				continue // there are thousands of them
			}
			if strings.HasPrefix(d.want, "bad ") && machine(d.files, d.options(remembering).Without(i)) != d.want {
				missed = append(missed, d.name)
			}
		}
		if len(missed) == 0 {
			t.Errorf("without %s every damage is still found", name)
			continue
		}
		t.Logf("without %s: %d damages are missed or named wrongly, for example %q", name, len(missed), missed[0])
	}
}
