package sandbox

import (
	"net/http"
	"time"
)

// Config says what tenant to emulate and how.
type Config struct {
	// State is where the tenant begins: Example or FromSnapshot.
	State *State
	// Host is the name and port under which it is reached: "localhost:8443".
	Host string
	// Now is the tenant's clock; nil is time.Now.
	Now func() time.Time
	// File keeps the state, when not "".
	File string
	// LogDelay is how long a sign-in or change takes to show in the logs.
	LogDelay time.Duration
}

// Server is one emulated tenant. It is an http.Handler, to be served over TLS
// under Config.Host.
type Server struct {
	Tenant
	config Config
	mux    *http.ServeMux
	faults *Faults
}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }
