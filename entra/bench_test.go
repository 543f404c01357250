package entra_test

import (
	"encoding/json"
	"testing"
	"time"

	"halligan/entra"
)

// The budget of decoding: reading 1,000 policies into types, with the walk for
// unknown keys and the canonical JSON, takes at most 2.5 times as long as
// json.Unmarshal into any.
const decodeBudget = 2.5

func BenchmarkDecode(b *testing.B) {
	data := marshal(b, generatePolicies(1000))
	b.Run("Read", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if s, _ := entra.Read(entra.Source{Name: "policies.json", Data: data}); s.PoliciesRead() != 1000 {
				b.Fatal(s.PoliciesRead())
			}
		}
	})
	b.Run("UnmarshalIntoAny", func(b *testing.B) {
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			var v any
			if err := json.Unmarshal(data, &v); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("Digest", func(b *testing.B) {
		s, _ := entra.Read(entra.Source{Name: "policies.json", Data: data})
		c := s.Content()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			entra.NewSnapshot(c).Digest()
		}
	})
	b.Run("Content", func(b *testing.B) {
		s, _ := entra.Read(entra.Source{Name: "policies.json", Data: data})
		for b.Loop() {
			s.Content()
		}
	})
}

// The ratio is of the fastest of several runs each, taken in turns, and of more
// runs while it is too high: a busy machine slows single runs by far more.
func TestDecodingKeepsItsBudget(t *testing.T) {
	data := marshal(t, generatePolicies(1000))
	fastest := func(best time.Duration, run func()) time.Duration {
		start := time.Now()
		run()
		return min(best, time.Since(start))
	}
	read, untyped, ratio := time.Hour, time.Hour, 0.0
	for i := 0; i < 5 || i < 40 && ratio > decodeBudget; i++ {
		read = fastest(read, func() { entra.Read(entra.Source{Name: "policies.json", Data: data}) })
		untyped = fastest(untyped, func() {
			var v any
			json.Unmarshal(data, &v)
		})
		ratio = float64(read) / float64(untyped)
	}
	if ratio > decodeBudget {
		t.Errorf("reading takes %.2f times as long as json.Unmarshal into any (%v, %v), want at most %.1f", ratio, read, untyped, decodeBudget)
	}
	t.Logf("reading takes %.2f times as long as json.Unmarshal into any (%v, %v)", ratio, read, untyped)
}
