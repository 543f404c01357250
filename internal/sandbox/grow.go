package sandbox

import (
	"fmt"
	"strconv"
	"strings"
)

// grownID begins the ids of the users that Grow adds; the last twelve digits
// count them.
const grownID = "9a0c0000-0000-4000-8000-"

// Grow makes the tenant one of so many users. The users that it adds are made on
// demand, the same every time, so that a million of them weigh nothing: they
// have a name, no group, no role and a password only. One that is written to
// becomes an object of its own. All does not list them; Count and At do.
func (s *State) Grow(users int) {
	have := 0
	if c := s.Sets["users"]; c != nil {
		have = len(c.Order)
	}
	s.Grown = max(0, users-have)
	if s.Shed == nil {
		s.Shed = map[string]bool{}
	}
}

// Count is the number of objects of a set, with those made on demand. Some of
// the positions may be empty: At answers nil there.
func (s *State) Count(set string) int {
	n := 0
	if c := s.Sets[set]; c != nil {
		n = len(c.Order)
	}
	if set == "users" {
		n += s.Grown
	}
	return n
}

// Total is the number of objects of a set, empty positions left out.
func (s *State) Total(set string) int {
	n := s.Count(set)
	if set != "users" || s.Grown == 0 {
		return n
	}
	n -= len(s.Shed)
	if c := s.Sets["users"]; c != nil {
		for _, id := range c.Order {
			if strings.HasPrefix(id, grownID) && !s.Shed[id] {
				n--
			}
		}
	}
	return n
}

// At is the object at a position of a set; nil when nothing is there.
func (s *State) At(set string, i int) Object {
	c := s.Sets[set]
	if c != nil && i < len(c.Order) {
		return c.ByID[c.Order[i]]
	}
	if c != nil {
		i -= len(c.Order)
	}
	if set != "users" || i < 0 || i >= s.Grown {
		return nil
	}
	return s.grownUser(i)
}

// grown finds a user made on demand by its id.
func (s *State) grown(id string) Object {
	number, ok := strings.CutPrefix(id, grownID)
	if !ok || s.Grown == 0 {
		return nil
	}
	i, err := strconv.Atoi(number)
	if err != nil || i < 0 || i >= s.Grown {
		return nil
	}
	return s.grownUser(i)
}

func (s *State) grownUser(i int) Object {
	id := fmt.Sprintf("%s%012d", grownID, i)
	if s.Shed[id] {
		return nil
	}
	if c := s.Sets["users"]; c != nil && c.ByID[id] != nil {
		return nil // an object of its own by now
	}
	name := fmt.Sprintf("Employee %07d", i)
	return Object{
		"id": id, "displayName": name, "givenName": "Employee", "surname": strconv.Itoa(i),
		"userPrincipalName": fmt.Sprintf("employee%07d@%s", i, s.domain()), "userType": "Member", "accountEnabled": true,
		"businessPhones": []any{}, "createdDateTime": "2024-02-01T08:00:00Z",
	}
}

// domain is the initial domain of the tenant.
func (s *State) domain() string {
	first := ""
	for _, d := range s.All("domains") {
		if flag(d, "isInitial") {
			return text(d, "id")
		}
		if first == "" {
			first = text(d, "id")
		}
	}
	if first == "" {
		return "sandbox.onmicrosoft.com"
	}
	return first
}

// userNamed finds a user by id or user principal name.
func (s *State) userNamed(name string) Object {
	if o := s.Get("users", name); o != nil {
		return o
	}
	if c := s.Sets["users"]; c != nil {
		for _, id := range c.Order {
			if strings.EqualFold(text(c.ByID[id], "userPrincipalName"), name) {
				return c.ByID[id]
			}
		}
	}
	local, _, _ := strings.Cut(strings.ToLower(name), "@")
	if number, ok := strings.CutPrefix(local, "employee"); ok {
		i, err := strconv.Atoi(number)
		if o := s.grown(fmt.Sprintf("%s%012d", grownID, i)); err == nil && o != nil && strings.EqualFold(text(o, "userPrincipalName"), name) {
			return o
		}
	}
	return nil
}
