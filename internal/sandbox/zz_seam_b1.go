package sandbox

import (
	"fmt"
	"net/http"

	"halligan/entra"
)

func (s *Server) graphRoutes(mux *http.ServeMux) {}
func (s *Server) pageRoutes(mux *http.ServeMux)  {}
func (s *Server) armRoutes(mux *http.ServeMux)   {}

// Example is an example tenant by name.
func Example(name string) (*State, error) {
	if name != "contoso-p2" {
		return nil, fmt.Errorf("no example tenant %q", name)
	}
	s := NewState("00000000-0000-4000-8000-00000000c0de", "Contoso", "P2")
	s.Put("users", "u1", Object{"id": "u1", "userPrincipalName": "ada@contoso.example", "displayName": "Ada", "accountEnabled": true})
	s.Credentials["u1"] = &Credentials{Password: "correct horse"}
	return s, nil
}

// ExampleNames are the names that Example knows.
func ExampleNames() []string { return []string{"contoso-p2"} }

// FromSnapshot makes a tenant of what was read from one.
func FromSnapshot(s *entra.Snapshot) (*State, error) { return Example("contoso-p2") }
