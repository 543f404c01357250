package lockout_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"halligan/lockout"
)

// probe: each line of /tmp/probe is a vector object
func TestZZ(t *testing.T) {
	data, _ := os.ReadFile("/tmp/probe")
	for _, line := range strings.Split(string(data), "\n") {
		name, js, ok := strings.Cut(line, "|")
		if !ok {
			continue
		}
		var v obj
		if err := json.Unmarshal([]byte(js), &v); err != nil {
			t.Fatal(name, err)
		}
		w := &world{vector: v}
		s, q, err := w.question()
		if err != nil {
			t.Error(name, err)
			continue
		}
		a := newOracle(s, q).answer()
		got, err := lockout.New(s).Prove(q)
		t.Logf("%-40s prover %s oracle %s %v %v", name, got.Outcome, a.outcome, err, s.View().Policies[0].Unmodelled)
	}
}
