package sandbox

import (
	"context"
	"time"
)

// NewPages is a server for tests of the pages; it panics on a configuration that
// makes none.
func NewPages(config Config) *Server {
	s, err := New(judged(config))
	if err != nil {
		panic(err)
	}
	return s
}

// Doors of the package's own tests.
func (s *Server) SignIn(t interface{ Context() context.Context }, a Attempt) Outcome {
	return s.signIn(t.Context(), a)
}
func (s *Server) Audit(state *State, c Change) { s.audit(state, c) }
func (s *Server) Visible(o Object) bool        { return s.visible(o) }

func WhatIf(state *State, at time.Time, body Object) ([]Object, error) {
	return caEvaluate(state, at, body)
}
func LogView(o Object, version string) Object { return logView(o, version) }
func TOTP(seed string, at time.Time) string   { return totpAt(seed, uint64(at.Unix()/totpStep)) }
func CheckTOTP(seed, code string, at time.Time, last uint64) (uint64, bool) {
	return checkTOTP(seed, code, at, last)
}

// NewOutage is a server during an outage.
func NewOutage(config Config, kind string) *Server {
	s := NewPages(config)
	if err := s.faults.set(nil, []string{kind}); err != nil {
		panic(err)
	}
	return s
}

// ParseFilter reports whether a rule for devices parses, and asks it of a bare
// device.
func ParseFilter(rule string) (parses, bare bool) {
	f := readFilter(Object{"mode": "include", "rule": rule}, "device")
	if f == nil || f.test == nil {
		return false, false
	}
	return true, f.test(func(string) []string { return nil })
}
