package lockout

import (
	"slices"
	"strings"

	"halligan/entra"
)

// Candidate is an object that could be an emergency account, or a group of
// them, judging by the policies that exclude it. It is a proposal, never a
// finding: nobody but a person says which account is an emergency account.
type Candidate struct {
	Kind string   `json:"kind"` // "user" or "group"
	ID   entra.ID `json:"id"`
	Name string   `json:"name,omitempty"`
	// Excluded of Enabled: by how many of the enabled policies that include
	// people the object is excluded.
	Excluded int `json:"excluded"`
	Enabled  int `json:"enabled"`
	// Suppose are the suppositions under which the candidate is judged.
	Suppose []string `json:"suppose"`
}

// Account is the id under which a candidate is judged: its own for a user, and
// a stand-in for a member of a group.
func (c Candidate) Account() entra.ID {
	if c.Kind == "group" {
		return entra.ID("member-of:" + string(c.ID))
	}
	return c.ID
}

// Candidates proposes the users and groups that most enabled policies exclude,
// the most excluded first, at most n.
func Candidates(s *entra.Snapshot, n int) []Candidate {
	view := s.View()
	byKey := map[string]*Candidate{}
	enabled := 0
	count := func(kind string, ids []entra.ID) {
		for _, id := range ids {
			k := id.Key()
			if kind == "user" && (k == "all" || k == "none" || k == "guestsorexternalusers" || k == adminLiteral) || k == "" {
				continue
			}
			c := byKey[kind+k]
			if c == nil {
				c = &Candidate{Kind: kind, ID: id}
				byKey[kind+k] = c
			}
			c.Excluded++
		}
	}
	for _, onlyEnabled := range []bool{true, false} {
		for i := range view.Policies {
			p := &view.Policies[i]
			u := &p.Conditions.Users
			people := len(u.IncludeUsers)+len(u.IncludeGroups)+len(u.IncludeRoles) > 0 || u.IncludeGuests != nil
			if onlyEnabled && p.State != entra.StateEnabled || !people {
				continue
			}
			enabled++
			count("user", u.ExcludeUsers)
			count("group", u.ExcludeGroups)
		}
		if len(byKey) > 0 {
			break // otherwise look at the policies that are not enabled
		}
		enabled = 0
	}
	var out []Candidate
	for _, k := range sortedKeys(byKey) {
		c := byKey[k]
		c.Enabled = enabled
		c.name(view)
		out = append(out, *c)
	}
	slices.SortStableFunc(out, func(a, b Candidate) int {
		if a.Excluded != b.Excluded {
			return b.Excluded - a.Excluded
		}
		return strings.Compare(a.Kind+a.ID.Key(), b.Kind+b.ID.Key())
	})
	if len(out) > n {
		out = out[:n]
	}
	return out
}

func (c *Candidate) name(view *entra.Content) {
	if c.Kind == "group" {
		c.Suppose = []string{"member=" + string(c.ID)}
		for i := range view.Groups {
			if view.Groups[i].ID.Equal(c.ID) {
				c.Name = view.Groups[i].DisplayName
			}
		}
		return
	}
	for i := range view.Users {
		if view.Users[i].ID.Equal(c.ID) {
			c.Name = view.Users[i].UserPrincipalName
		}
	}
}
