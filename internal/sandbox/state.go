package sandbox

import (
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"
)

// Object is one object as it stands on the wire: every property that Graph knows
// of it, whatever a request selects. Numbers are json.Number or Go's own.
type Object = map[string]any

// Set is a collection of objects in the order in which they came.
type Set struct {
	Order []string          `json:"order"` // ids, lower case
	ByID  map[string]Object `json:"byId"`
}

// State is everything that the tenant is. Its methods do not lock: use
// Tenant.View and Tenant.Update.
type State struct {
	ID    string `json:"id"`   // tenant id
	Name  string `json:"name"` // display name
	Cloud string `json:"cloud,omitempty"`
	// Plan is the licence: "Free", "P1", "P2".
	Plan string `json:"plan"`

	// Sets are the collections by their Graph path: "users",
	// "identity/conditionalAccess/policies".
	Sets map[string]*Set `json:"sets"`
	// Links are the relationships by name: "groups/members" holds, for a group,
	// the ids of its direct members.
	Links map[string]map[string][]string `json:"links"`
	// Single are the objects that a tenant has once, by Graph path:
	// "policies/authenticationMethodsPolicy".
	Single map[string]Object `json:"single"`
	// Credentials are what a user signs in with, by user id; Graph never shows
	// them whole.
	Credentials map[string]*Credentials `json:"credentials"`
	// Secrets are the client secrets of applications, by the keyId of their
	// passwordCredentials; Graph shows a secret once, when it is made.
	Secrets map[string]string `json:"secrets,omitempty"`
	// Born is when an object was written, by id, for the time in which it is not
	// yet visible everywhere.
	Born map[string]time.Time `json:"born,omitempty"`
	// Grown is how many users are made on demand (Grow), and Shed which of them
	// were deleted.
	Grown int             `json:"grown,omitempty"`
	Shed  map[string]bool `json:"shed,omitempty"`
}

// NewState returns an empty tenant.
func NewState(id, name, plan string) *State {
	return &State{ID: id, Name: name, Plan: plan, Sets: map[string]*Set{}, Links: map[string]map[string][]string{},
		Single: map[string]Object{}, Credentials: map[string]*Credentials{}, Secrets: map[string]string{}, Born: map[string]time.Time{}}
}

func key(id string) string { return strings.ToLower(id) }

// Get returns an object of a set; nil none.
func (s *State) Get(set, id string) Object {
	if c := s.Sets[set]; c != nil {
		if o := c.ByID[key(id)]; o != nil {
			return o
		}
	}
	if set == "users" {
		return s.grown(key(id))
	}
	return nil
}

// Put adds an object to a set, or replaces it.
func (s *State) Put(set, id string, o Object) {
	c := s.Sets[set]
	if c == nil {
		c = &Set{ByID: map[string]Object{}}
		s.Sets[set] = c
	}
	if c.ByID[key(id)] == nil {
		c.Order = append(c.Order, key(id))
	}
	c.ByID[key(id)] = o
}

// Delete removes an object from a set and reports whether it was there.
func (s *State) Delete(set, id string) bool {
	c := s.Sets[set]
	if set == "users" && strings.HasPrefix(key(id), grownID) && s.Get(set, id) != nil {
		if s.Shed == nil {
			s.Shed = map[string]bool{}
		}
		s.Shed[key(id)] = true
		if c == nil || c.ByID[key(id)] == nil {
			return true
		}
	}
	if c == nil || c.ByID[key(id)] == nil {
		return false
	}
	delete(c.ByID, key(id))
	c.Order = slices.DeleteFunc(c.Order, func(have string) bool { return have == key(id) })
	return true
}

// All returns the objects of a set in order.
func (s *State) All(set string) []Object {
	c := s.Sets[set]
	if c == nil {
		return nil
	}
	out := make([]Object, 0, len(c.Order))
	for _, id := range c.Order {
		out = append(out, c.ByID[id])
	}
	return out
}

// Link adds a relationship and reports whether it is new.
func (s *State) Link(relation, from, to string) bool {
	if s.Links[relation] == nil {
		s.Links[relation] = map[string][]string{}
	}
	if slices.Contains(s.Links[relation][key(from)], key(to)) {
		return false
	}
	s.Links[relation][key(from)] = append(s.Links[relation][key(from)], key(to))
	return true
}

// Unlink removes a relationship and reports whether it was there.
func (s *State) Unlink(relation, from, to string) bool {
	have := s.Links[relation][key(from)]
	i := slices.Index(have, key(to))
	if i < 0 {
		return false
	}
	s.Links[relation][key(from)] = slices.Delete(have, i, i+1)
	return true
}

// Linked returns the ids that a relationship leads to.
func (s *State) Linked(relation, from string) []string { return s.Links[relation][key(from)] }

// Tenant is a State that many may use at once.
type Tenant struct {
	mu    sync.RWMutex
	state *State
	dirty func() // told after each Update; may be nil
}

// View reads the state. What f keeps must be copied: objects are shared.
func (t *Tenant) View(f func(*State)) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	f(t.state)
}

// Update changes the state. Objects are replaced (Put), never changed in place,
// so that answers being written from an older one stay whole.
func (t *Tenant) Update(f func(*State) error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := f(t.state); err != nil {
		return err
	}
	if t.dirty != nil {
		t.dirty()
	}
	return nil
}

// Credentials are what one user can sign in with, beside what Graph shows as
// authentication methods (which live in Sets["users/{id}/authentication/…"]).
type Credentials struct {
	Password     string          `json:"password,omitempty"`     // a fiction: the sandbox holds no real secret
	TOTP         string          `json:"totp,omitempty"`         // seed, Base32
	TAP          string          `json:"tap,omitempty"`          // usable Temporary Access Pass
	Passkeys     json.RawMessage `json:"passkeys,omitempty"`     // go-webauthn credentials by method id
	Certificates []string        `json:"certificates,omitempty"` // SHA-256 of leaf certificates that map to the user
}
