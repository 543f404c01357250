package register

import (
	"slices"
	"strings"

	"halligan/entra"
)

// Person is somebody who holds something, decides something, or manages somebody
// who does. What a person may do follows from Roles; Title is for people.
type Person struct {
	Name string `yaml:"name"`
	// ID is the person's own directory object, by which leavers are noticed, and by
	// which one person under two names is.
	ID      entra.ID `yaml:"id,omitempty"`
	Title   string   `yaml:"title,omitempty"`
	Roles   []Role   `yaml:"roles,omitempty"`
	Manager string   `yaml:"manager,omitempty"` // name of another Person
	// Signing is one line of an SSH public key, with which the person approves;
	// a person with a Passkey has none.
	Signing string  `yaml:"signing,omitempty"`
	Passkey Passkey `yaml:"passkey,omitempty"`
	// Receiving is an age recipient or an SSH public key: what is meant for the
	// person is encrypted to it.
	Receiving string `yaml:"receiving,omitempty"`
	// Trained is the day of the last training, Aware of the last awareness
	// attestation (S88, S125).
	Trained Day      `yaml:"trained,omitempty"`
	Aware   Day      `yaml:"aware,omitempty"`
	Reach   []string `yaml:"reach,omitempty"` // two ways to reach the person
}

// Role is what a person may do; package custody holds the table.
type Role string

// The roles.
const (
	RoleViewer    Role = "viewer"
	RoleOperator  Role = "operator"
	RoleCustodian Role = "custodian"
	RoleApprover  Role = "approver"
	RoleAuditor   Role = "auditor"
)

// Passkey is the public side of a WebAuthn credential with which a person
// approves (WebAuthn Level 2, 6.5.1).
type Passkey struct {
	RPID         string `yaml:"rpId"`
	Origin       string `yaml:"origin"`
	CredentialID string `yaml:"credentialId"` // base64url
	PublicKey    string `yaml:"publicKey"`    // the COSE key, base64url
}

// Quorum is how many people there are, and how many of them a decision takes.
// The zero value asks for two approvals.
type Quorum struct {
	// People is how many people can take part; 0: not stated. With one, that
	// person decides alone, and everything done so is marked.
	People int `yaml:"people,omitempty"`
	// Approvals beside the request; 0: see Needed.
	Approvals int `yaml:"approvals,omitempty"`
	// Lines says whether people of one line of managers may decide together.
	Lines Lines `yaml:"lines,omitempty"`
	// Outside is who keeps the sealed second part where there is one person.
	Outside string `yaml:"outside,omitempty"`
}

// Lines is what a line of managers means for a quorum.
type Lines string

// The choices; LinesWarn is the default.
const (
	LinesWarn     Lines = "warn"     // said in the result
	LinesDistinct Lines = "distinct" // refused
)

// Needed is how many approvals by others a request takes: what Approvals says,
// else one where there are two or three people, and two where there are more or where
// nothing is said: who asks and who approves are two at least, and from three people
// on one may be missing. With one person it is that person's own.
func (q Quorum) Needed() int {
	switch {
	case q.Approvals > 0:
		return q.Approvals
	case q.People >= 1 && q.People <= 3:
		return 1
	}
	return 2
}

// Silence is a time in which alerts about one object are not sent.
type Silence struct {
	ID    entra.ID `yaml:"id"` // of an account, group, policy or writer of the register
	From  Day      `yaml:"from"`
	Until Day      `yaml:"until"`
	Why   string   `yaml:"why"`
}

// silenceDaysMost bounds a silence; a longer one is a change of what is watched.
const silenceDaysMost = 31

// Person returns the person with a name, or nil. Case and blanks make no
// difference, as for SamePerson.
func (r *Register) Person(name string) *Person {
	if r == nil || strings.TrimSpace(name) == "" {
		return nil
	}
	for i := range r.People {
		if SamePerson(r.People[i].Name, name) {
			return &r.People[i]
		}
	}
	return nil
}

// Has reports whether the person has a role.
func (p *Person) Has(role Role) bool { return slices.Contains(p.Roles, role) }

// Holders are the people without those who are there only as somebody's manager:
// who has no role, holds no part and opens no place, but manages somebody.
func (r *Register) Holders() []Person {
	r = r.Or()
	holds, manages := map[string]bool{}, map[string]bool{}
	for _, p := range r.Parts {
		holds[foldName(p.Holder)] = true
	}
	for _, p := range r.Places {
		for _, a := range p.Access {
			holds[foldName(a)] = true
		}
	}
	for _, p := range r.People {
		manages[foldName(p.Manager)] = true
	}
	var out []Person
	for _, p := range r.People {
		if name := foldName(p.Name); len(p.Roles) > 0 || holds[name] || !manages[name] {
			out = append(out, p)
		}
	}
	return out
}

// Line returns the managers above a person, the nearest first, by name. A circle
// ends it.
func (r *Register) Line(name string) []string {
	above := map[string]string{}
	for _, p := range r.Or().People {
		if key := foldName(p.Name); above[key] == "" {
			above[key] = p.Manager
		}
	}
	var out []string
	seen := map[string]bool{}
	for at := foldName(name); above[at] != "" && !seen[at]; at = foldName(above[at]) {
		seen[at] = true
		out = append(out, above[at])
	}
	return out
}

// InOneLine reports whether one of two people stands above the other.
func (r *Register) InOneLine(a, b string) bool {
	above := func(a, b string) bool {
		return slices.ContainsFunc(r.Line(a), func(m string) bool { return SamePerson(m, b) })
	}
	return above(a, b) || above(b, a)
}
