package register

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"halligan/entra"
)

// Neighbours are the lists by which other tools know the emergency accounts. They
// are kept as they came in, so that they can go out unchanged.
type Neighbours struct {
	// Maester is GlobalSettings.EmergencyAccessAccounts of maester-config.json;
	// ZeroTrustAssessment reads the same form.
	Maester []MaesterAccount `yaml:"maester,omitempty"`
	// ScubaGear are the exclusions of the section Aad, by policy, in their order.
	ScubaGear []ScubaExclusion `yaml:"scubagear,omitempty"`
}

// MaesterAccount is one entry of EmergencyAccessAccounts: a user by id or user
// principal name, or a group by id.
type MaesterAccount struct {
	Type              string   `json:"Type" yaml:"type"` // User or Group
	ID                entra.ID `json:"Id,omitempty" yaml:"id,omitempty"`
	UserPrincipalName string   `json:"UserPrincipalName,omitempty" yaml:"userPrincipalName,omitempty"`
}

// ScubaExclusion are the users and groups that one SCuBA policy excludes.
type ScubaExclusion struct {
	Policy string `yaml:"policy"` // MS.AAD.1.1v1
	// Kind is CapExclusions or RoleExclusions.
	Kind string `yaml:"kind"`
	// Users and Groups are nil where the list had none; an empty list was there.
	Users  []entra.ID `yaml:"users,omitempty"`
	Groups []entra.ID `yaml:"groups,omitempty"`
}

// neighbourLimit bounds the files of neighbours; the lists are short.
const neighbourLimit = 1 << 20

// ReadNeighbours reads the list of a neighbour, told by its content: a Maester or
// ZeroTrustAssessment configuration (JSON), or a ScubaGear configuration (YAML or
// JSON). The bool is false for what is neither. The error says what is wrong with
// one that is.
func ReadNeighbours(name string, text []byte) (*Neighbours, bool, error) {
	if len(text) > neighbourLimit {
		return nil, false, nil
	}
	switch {
	case bytes.Contains(text, []byte("EmergencyAccessAccounts")):
		n, err := readMaester(text)
		if err != nil {
			return nil, true, fmt.Errorf("read Maester configuration %s: %w", name, err)
		}
		return n, true, nil
	case bytes.Contains(text, []byte(capExclusions)) || bytes.Contains(text, []byte(roleExclusions)):
		n, err := readScubaGear(text)
		if err != nil {
			return nil, true, fmt.Errorf("read ScubaGear configuration %s: %w", name, err)
		}
		return n, true, nil
	}
	return nil, false, nil
}

func readMaester(text []byte) (*Neighbours, error) {
	var doc struct {
		GlobalSettings struct {
			EmergencyAccessAccounts []MaesterAccount
		}
	}
	if err := json.Unmarshal(bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")), &doc); err != nil {
		return nil, err
	}
	for i, a := range doc.GlobalSettings.EmergencyAccessAccounts {
		switch {
		case !strings.EqualFold(a.Type, "User") && !strings.EqualFold(a.Type, "Group"):
			return nil, fmt.Errorf("entry %d of EmergencyAccessAccounts: Type is %q, not User or Group", i+1, a.Type)
		case a.ID == "" && a.UserPrincipalName == "":
			return nil, fmt.Errorf("entry %d of EmergencyAccessAccounts has neither Id nor UserPrincipalName", i+1)
		}
	}
	return &Neighbours{Maester: doc.GlobalSettings.EmergencyAccessAccounts}, nil
}

const (
	capExclusions  = "CapExclusions"
	roleExclusions = "RoleExclusions"
)

func readScubaGear(text []byte) (*Neighbours, error) {
	// Samples use anchors; a list of users cannot grow much by them, but nested
	// ones could.
	if n := bytes.Count(text, []byte("*")); n > 200 {
		return nil, fmt.Errorf("%d aliases, more than a list needs", n)
	}
	var doc struct {
		Aad yaml.MapSlice `yaml:"Aad"`
	}
	if err := yaml.Unmarshal(text, &doc); err != nil {
		return nil, err
	}
	n := &Neighbours{}
	for _, item := range doc.Aad {
		policy, ok := item.Key.(string)
		if !ok || !strings.HasPrefix(strings.ToUpper(policy), "MS.AAD.") {
			continue
		}
		again, err := yaml.Marshal(item.Value)
		if err != nil {
			return nil, err
		}
		var kinds map[string]struct {
			Users  *[]string `yaml:"Users"`
			Groups *[]string `yaml:"Groups"`
		}
		if err := yaml.Unmarshal(again, &kinds); err != nil {
			return nil, fmt.Errorf("%s: %w", policy, err)
		}
		for _, kind := range []string{capExclusions, roleExclusions} {
			k, ok := kinds[kind]
			if !ok {
				continue
			}
			n.ScubaGear = append(n.ScubaGear, ScubaExclusion{Policy: policy, Kind: kind, Users: ids(k.Users), Groups: ids(k.Groups)})
		}
	}
	if len(n.ScubaGear) == 0 {
		return nil, fmt.Errorf("the section Aad has no exclusions")
	}
	return n, nil
}

// ids leaves out the empty strings of the sample configurations. A list that is
// there stays one.
func ids(list *[]string) []entra.ID {
	if list == nil {
		return nil
	}
	out := []entra.ID{}
	for _, s := range *list {
		if s = strings.TrimSpace(s); s != "" {
			out = append(out, entra.ID(s))
		}
	}
	return out
}

// scubaPolicies are the policies of ScubaGear that take exclusions, when no list
// came in (ScubaGear docs/configuration/configuration.md).
var scubaPolicies = []string{"MS.AAD.1.1v1", "MS.AAD.2.1v1", "MS.AAD.2.3v1", "MS.AAD.3.1v1", "MS.AAD.3.2v1", "MS.AAD.3.3v2", "MS.AAD.3.6v1", "MS.AAD.3.7v1", "MS.AAD.3.8v1"}

// scubaRoles is the policy against permanent assignments of Global Administrator.
const scubaRoles = "MS.AAD.7.4v1"

// MaesterConfig returns the accounts as maester-config.json has them. What came
// in goes out as it was; registered accounts that the list lacks follow.
func (r *Register) MaesterConfig() ([]byte, error) {
	list := append([]MaesterAccount{}, r.Neighbours.Maester...)
	has := func(id entra.ID, name string) bool {
		return slices.ContainsFunc(list, func(a MaesterAccount) bool {
			return a.ID != "" && a.ID.Equal(id) || a.UserPrincipalName != "" && strings.EqualFold(a.UserPrincipalName, name)
		})
	}
	for _, a := range r.Accounts {
		if !has(a.ID, a.Name) {
			list = append(list, MaesterAccount{Type: "User", ID: a.ID})
		}
	}
	var doc struct {
		GlobalSettings struct {
			EmergencyAccessAccounts []MaesterAccount
		}
	}
	doc.GlobalSettings.EmergencyAccessAccounts = list
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// ScubaGearConfig returns the section Aad of a ScubaGear configuration. What came
// in goes out as it was: who stands in one list and not in another does so on
// purpose. Only an account that stands in none follows in each. Without any list
// every policy that takes exclusions gets one, with the accounts and their groups.
func (r *Register) ScubaGearConfig() []byte {
	var list []ScubaExclusion
	for _, x := range r.Neighbours.ScubaGear {
		x.Users = slices.Clone(x.Users)
		for i := range r.Accounts {
			if !r.scubaKnows(&r.Accounts[i]) {
				x.Users = appendID(x.Users, r.Accounts[i].ID)
			}
		}
		list = append(list, x)
	}
	if len(list) == 0 {
		list = r.scubaWhole()
	}
	var b strings.Builder
	b.WriteString("Aad:\n")
	last := ""
	for _, x := range list {
		if x.Policy != last {
			fmt.Fprintf(&b, "  %s:\n", x.Policy)
			last = x.Policy
		}
		fmt.Fprintf(&b, "    %s:\n", x.Kind)
		scubaList(&b, "Users", x.Users)
		scubaList(&b, "Groups", x.Groups)
	}
	return []byte(b.String())
}

// scubaKnows reports whether some list that came in holds an account, or a group
// that the account is meant to be in.
func (r *Register) scubaKnows(a *Account) bool {
	return slices.ContainsFunc(r.Neighbours.ScubaGear, func(x ScubaExclusion) bool {
		return slices.ContainsFunc(x.Users, a.ID.Equal) ||
			slices.ContainsFunc(a.Groups, func(g entra.ID) bool { return slices.ContainsFunc(x.Groups, g.Equal) })
	})
}

// scubaWhole makes the lists for whoever had none.
func (r *Register) scubaWhole() []ScubaExclusion {
	var users, groups []entra.ID
	for i := range r.Accounts {
		users = appendID(users, r.Accounts[i].ID)
	}
	for _, g := range r.Groups {
		if g.Use == GroupExclusion {
			groups = appendID(groups, g.ID)
		}
	}
	var list []ScubaExclusion
	for _, p := range scubaPolicies {
		list = append(list, ScubaExclusion{Policy: p, Kind: capExclusions, Users: users, Groups: groups})
	}
	// ScubaGear's role exclusions are of the accounts themselves.
	return append(list, ScubaExclusion{Policy: scubaRoles, Kind: roleExclusions, Users: users})
}

func scubaList(b *strings.Builder, name string, ids []entra.ID) {
	switch {
	case ids == nil:
		return
	case len(ids) == 0:
		fmt.Fprintf(b, "      %s: []\n", name)
		return
	}
	fmt.Fprintf(b, "      %s:\n", name)
	for _, id := range ids {
		fmt.Fprintf(b, "        - %q\n", string(id))
	}
}

func appendID(list []entra.ID, id entra.ID) []entra.ID {
	if id == "" || slices.ContainsFunc(list, id.Equal) {
		return list
	}
	return append(list, id)
}

// EmergencyAccounts are the users that the neighbours' lists call emergency
// accounts, ids before names. ScubaGear's own notion is the exclusion from the ban
// on permanent Global Administrators; only without one are the users that its
// other policies exclude taken.
func (n *Neighbours) EmergencyAccounts() (users []string, groups []entra.ID) {
	add := func(s string) {
		if s != "" && !slices.ContainsFunc(users, func(x string) bool { return strings.EqualFold(x, s) }) {
			users = append(users, s)
		}
	}
	for _, a := range n.Maester {
		switch {
		case strings.EqualFold(a.Type, "Group"):
			groups = appendID(groups, a.ID)
		case a.ID != "":
			add(string(a.ID))
		default:
			add(a.UserPrincipalName)
		}
	}
	for _, kind := range []string{roleExclusions, capExclusions} {
		for _, x := range n.ScubaGear {
			if x.Kind == kind {
				if kind == roleExclusions || len(users) == 0 || !slices.ContainsFunc(n.ScubaGear, func(y ScubaExclusion) bool { return y.Kind == roleExclusions && len(y.Users) > 0 }) {
					for _, u := range x.Users {
						add(string(u))
					}
				}
				for _, g := range x.Groups {
					groups = appendID(groups, g)
				}
			}
		}
	}
	return users, groups
}
