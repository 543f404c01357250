package sandbox

import "time"

// Fault is one fault's settings.
type Fault struct {
	N            int
	Variant      string
	Times, After int
	Path, Value  string
}

// Faults are the faults that are on.
type Faults struct{ set map[int]bool }

func (f *Faults) on(n int) (Fault, bool) {
	if f == nil {
		return Fault{}, false
	}
	return Fault{}, f.set[n]
}

func (s *Server) now() time.Time {
	if s.config.Now != nil {
		return s.config.Now()
	}
	return time.Now()
}
