package lockout_test

import (
	"os"
	"testing"

	"halligan/lockout"
)

// Whatever the file says, reading it, building its tenants and asking its
// questions ends without a panic.
func FuzzReadVectors(f *testing.F) {
	f.Add(file(plain))
	f.Add(file(everyKey))
	for _, id := range []string{"S20", "S21", "S38", "S39", "S40"} {
		f.Add([]byte(compactVector(f, id)))
	}
	if data, err := os.ReadFile("testdata/vectors/ca-vectors.json"); err == nil {
		f.Add(data[:len(data)/2])
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := lockout.ReadVectors(data)
		if err != nil {
			return
		}
		for i := range file.Vectors {
			s, err := file.Vectors[i].Snapshot()
			if err != nil {
				continue
			}
			if _, err := file.Vectors[i].Questions(s); err != nil {
				t.Errorf("a vector without question: %v", err)
			}
		}
	})
}
