package lockout_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"halligan/lockout"
)

func TestZY(t *testing.T) {
	data, _ := os.ReadFile("/tmp/probe2")
	for _, line := range strings.Split(string(data), "\n") {
		var v obj
		if json.Unmarshal([]byte(line), &v) != nil {
			continue
		}
		w := &world{vector: v}
		s, q, err := w.question()
		if err != nil {
			t.Error(err)
			continue
		}
		o := newOracle(s, q)
		a := o.answer()
		got, err := lockout.New(s).Prove(q)
		ad, fa, causes, err2 := lockout.New(s).At(q, nil)
		t.Logf("prover %s oracle %s %v at first: %v %v %s %v", got.Outcome, a.outcome, err, ad, fa, causeText(causes), err2)
		for _, c := range causes {
			for _, b := range c.Because {
				t.Logf("   because %s", b.What)
			}
		}
		for _, e := range got.Envelope {
			if e.Dimension == "resourceSeenIp" || e.Dimension == "ipLocations" {
				t.Logf("   %s %s %q", e.Dimension, e.Quantifier, e.Values)
			}
		}
	}
}
