package sandbox

import "testing"

// outageOf are faults of which one outage is all.
func outageOf(kind string) *Faults {
	f, err := newFaults(nil, []string{kind})
	if err != nil {
		panic(err)
	}
	return f
}

func TestOutagesAreOfOneKind(t *testing.T) {
	for _, kind := range outageKinds {
		for _, other := range outageKinds {
			if got := outageOf(kind).outage(other); got != (kind == other) {
				t.Errorf("outage of %s: %s is out: %v", kind, other, got)
			}
		}
	}
}
