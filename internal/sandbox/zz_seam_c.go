package sandbox

import "time"

// Faults stands in for the switches of the sandbox until they are here.
type Faults struct{ out map[string]bool }

func (f *Faults) outage(kind string) bool { return f != nil && f.out[kind] }

func (s *Server) now() time.Time {
	if s.config.Now != nil {
		return s.config.Now()
	}
	return time.Now()
}

func outageOf(kind string) *Faults { return &Faults{out: map[string]bool{kind: true}} }
