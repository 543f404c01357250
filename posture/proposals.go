package posture

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"halligan/entra"
	"halligan/lockout"
)

// Proposal is an object that may be an emergency account, or a group of them,
// with the signs that speak for it. It is never a finding: only a person says
// which accounts are meant (S3).
type Proposal struct {
	lockout.Candidate
	// Permanent: an active assignment of Global Administrator without an end.
	Permanent bool `json:"permanent"`
	// Named: the name says so.
	Named bool `json:"named"`
	// Signs are the evidence as sentences.
	Signs []string `json:"signs"`
}

// Strong reports whether an object looks so much like an emergency account that
// it should be registered or explained: half or more of the policies exclude it,
// and more than one does.
func (p *Proposal) Strong() bool { return p.Excluded >= 2 && p.Excluded*2 >= p.Enabled }

const maxProposals = 20

// Proposals lists what may be an emergency account: permanent Global
// Administrators, objects that many policies exclude, telling names. The most
// likely come first.
func Proposals(s *entra.Snapshot) []Proposal {
	v := s.View()
	byKey := map[string]*Proposal{}
	get := func(kind string, id entra.ID) *Proposal {
		k := kind + id.Key()
		if byKey[k] == nil {
			byKey[k] = &Proposal{Candidate: lockout.Candidate{Kind: kind, ID: id}}
		}
		return byKey[k]
	}
	for _, c := range lockout.Candidates(s, maxProposals) {
		p := get(c.Kind, c.ID)
		p.Candidate = c
		p.Signs = append(p.Signs, fmt.Sprintf("%d of %d policies exclude it", c.Excluded, c.Enabled))
	}
	isGroup := func(id entra.ID) bool {
		return slices.ContainsFunc(v.Groups, func(g entra.Group) bool { return g.ID.Equal(id) })
	}
	for i := range v.RoleAssignments {
		a := &v.RoleAssignments[i]
		if a.Role.Equal(GlobalAdministrator) && a.Assignment == entra.AssignmentActive && !a.Activated && a.End == nil && (a.Scope == "/" || a.Scope == "") && !isGroup(a.Principal) {
			p := get("user", a.Principal)
			if !p.Permanent {
				p.Permanent = true
				p.Signs = append(p.Signs, "permanent Global Administrator")
			}
		}
	}
	for i := range v.Users {
		u := &v.Users[i]
		name := strings.ToLower(u.UserPrincipalName + " " + u.DisplayName)
		at := slices.IndexFunc(tellingWords, func(w string) bool { return strings.Contains(name, w) })
		p := byKey["user"+u.ID.Key()]
		if at >= 0 {
			p = get("user", u.ID)
			p.Named = true
			p.Signs = append(p.Signs, fmt.Sprintf("its name has %q in it", tellingWords[at]))
		}
		if p != nil {
			p.Name = cmp.Or(u.UserPrincipalName, u.DisplayName)
		}
	}
	for i := range v.Groups {
		g := &v.Groups[i]
		at := slices.IndexFunc(tellingWords, func(w string) bool { return strings.Contains(strings.ToLower(g.DisplayName), w) })
		if p := byKey["group"+g.ID.Key()]; p != nil && at >= 0 {
			p.Named = true
			p.Signs = append(p.Signs, fmt.Sprintf("its name has %q in it", tellingWords[at]))
		}
	}
	out := make([]Proposal, 0, len(byKey))
	for _, p := range byKey {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b Proposal) int {
		return cmp.Or(b.weight()-a.weight(), b.Excluded-a.Excluded, cmp.Compare(a.Kind+a.ID.Key(), b.Kind+b.ID.Key()))
	})
	return out[:min(len(out), maxProposals)]
}

func (p *Proposal) weight() int {
	w := 0
	if p.Enabled > 0 {
		w += 4 * p.Excluded / p.Enabled
	}
	if p.Permanent {
		w += 2
	}
	if p.Named {
		w++
	}
	return w
}

// tellingWords are the words by which emergency accounts are called.
var tellingWords = []string{"breakglass", "break-glass", "break glass", "break_glass", "emergency", "notfall", "firecall"}
