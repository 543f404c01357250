package sandbox

import (
	"fmt"

	"halligan/entra"
)

func Example(name string) (*State, error) {
	if name != "contoso-p2" {
		return nil, fmt.Errorf("no example tenant %q", name)
	}
	s := NewState("00000000-0000-4000-8000-00000000c0de", "Contoso", "P2")
	s.Put("users", "9b1f6c1e-0000-4000-8000-000000000001", Object{"id": "9b1f6c1e-0000-4000-8000-000000000001", "userPrincipalName": "ada@contoso.example", "displayName": "Ada", "accountEnabled": true})
	s.Credentials["9b1f6c1e-0000-4000-8000-000000000001"] = &Credentials{Password: "correct horse"}
	s.Put("organization", s.ID, Object{"id": s.ID, "displayName": "Contoso"})
	return s, nil
}
func ExampleNames() []string { return []string{"contoso-p2"} }
func FromSnapshot(s *entra.Snapshot) (*State, error) { return Example("contoso-p2") }
