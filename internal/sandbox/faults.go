package sandbox

import (
	"net/http"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

type Fault struct {
	N       int
	Variant string
}
type Faults struct{ mu sync.Mutex }

func newFaults(f, o []string) (*Faults, error)           { return &Faults{}, nil }
func (f *Faults) on(n int) (Fault, bool)                 { return Fault{}, false }
func (f *Faults) outage(kind string) bool                { return false }
func (f *Faults) take(x Fault) bool                      { return true }
func (f *Faults) skew() time.Duration                    { return 0 }
func (s *Server) falsify(c jwt.MapClaims)                {}
func (s *Server) challenged(c jwt.MapClaims) error       { return nil }
func (s *Server) setDate(w http.ResponseWriter)          {}
func (s *Server) faultToken(w http.ResponseWriter, r *http.Request) bool { return false }
func (s *Server) serveGraph(w http.ResponseWriter, r *http.Request) {
	if r, ok := s.authenticated(w, r); ok {
		s.mux.ServeHTTP(w, r)
	}
}
func (s *Server) adminRoutes(mux *http.ServeMux) {}

type Limits struct{}
type pacer struct{}

func newPacer(Limits) *pacer { return &pacer{} }

type requestCounter struct{}

func newRequestCounter() *requestCounter { return &requestCounter{} }
func (c *requestCounter) add(string)     {}
func familyOf(string) string             { return "" }
