package app

import (
	"testing"

	"halligan/posture"
)

// A baseline that knows a failure by check and account alone would hide whatever
// comes to fail later for the same reason.
func TestABaselineHidesNoNewObject(t *testing.T) {
	b, err := ReadBaseline("last.json", []byte(`{"schema":"`+CheckSchema+`","findings":[
		{"check":"ca-not-blocked","account":"A1","status":"fail","evidence":[{"id":"P1","name":"one"},{"id":"P2"},{"name":"a place"}]},
		{"check":"id-count-min","status":"fail","evidence":[]},
		{"check":"ca-licence","status":"pass","evidence":[]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	on := func(ids ...string) (out []posture.Evidence) {
		for _, id := range ids {
			out = append(out, posture.Evidence{ID: id, Detail: "today"})
		}
		return out
	}
	for name, c := range map[string]struct {
		f    FindingReport
		want bool
	}{
		"the same objects":       {FindingReport{Check: "ca-not-blocked", Account: "a1", Evidence: on("p2", "P1")}, true},
		"one of them":            {FindingReport{Check: "ca-not-blocked", Account: "a1", Evidence: on("P1")}, true},
		"the same without an id": {FindingReport{Check: "ca-not-blocked", Account: "a1", Evidence: []posture.Evidence{{Name: "a place"}}}, true},
		"a new object beside":    {FindingReport{Check: "ca-not-blocked", Account: "a1", Evidence: on("P1", "P2", "P3")}, false},
		"a name for an id":       {FindingReport{Check: "ca-not-blocked", Account: "a1", Evidence: []posture.Evidence{{Name: "P1"}}}, false},
		"another account":        {FindingReport{Check: "ca-not-blocked", Account: "a2", Evidence: on("P1")}, false},
		"nothing shown":          {FindingReport{Check: "id-count-min"}, true},
		"something shown now":    {FindingReport{Check: "id-count-min", Evidence: on("P1")}, false},
		"a check that passed":    {FindingReport{Check: "ca-licence"}, false},
	} {
		t.Run(name, func(t *testing.T) {
			c.f.Status = posture.Fail
			if got := b.has(&c.f); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}
