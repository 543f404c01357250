package app

import (
	"fmt"
	"regexp"
	"slices"

	"halligan/entra"
	"halligan/lockout"
)

// placeholder is what templates of policies hold where the id of a user, group
// or role belongs: <…>, {{…}}, ${…}, %…%, REPLACE_WITH_…, and an id of x's.
var placeholder = regexp.MustCompile(`(?i)^(<.*>|\{\{.*\}\}|\[.*\]|\$\{?.+|%.+%|#\{.+|(replace|insert|enter|your|put)[-_ ].*|placeholder.*|change[-_ ]?me.*|x{8}-x{4}-x{4}-x{4}-x{12})$`)

// template is what was read of a tenant whose policies are a template.
type template struct {
	policies []string // display names
	ids      []entra.ID
}

func templateOf(v *entra.Content) template {
	var t template
	for i := range v.Policies {
		p := &v.Policies[i]
		u := &p.Conditions.Users
		found := false
		for _, id := range slices.Concat(u.IncludeUsers, u.ExcludeUsers, u.IncludeGroups, u.ExcludeGroups, u.IncludeRoles, u.ExcludeRoles) {
			if !placeholder.MatchString(string(id)) {
				continue
			}
			found = true
			if !slices.ContainsFunc(t.ids, id.Equal) {
				t.ids = append(t.ids, id)
			}
		}
		if found {
			t.policies = append(t.policies, fmt.Sprintf("%q", p.Label()))
		}
	}
	return t
}

// warnings say that a verdict is about a template, and that a proof takes a
// placeholder for the account's own.
func (t template) warnings(v *entra.Content, account entra.ID, outcome lockout.Outcome) []string {
	if len(t.ids) == 0 {
		return nil
	}
	out := []string{fmt.Sprintf("this is a template, not an export: placeholders such as %q stand for users, groups or roles in %s",
		t.ids[0], count(len(t.policies), "policy: ", "policies: ")+some(t.policies))}
	if outcome != lockout.Proved {
		return out
	}
	own := []entra.ID{account}
	for i := range v.Accounts {
		if v.Accounts[i].ID.Equal(account) {
			own = append(own, v.Accounts[i].Memberships...)
		}
	}
	for _, id := range own {
		if slices.ContainsFunc(t.ids, id.Equal) {
			out = append(out, fmt.Sprintf("the proof takes the placeholder %q for the account's own: put the real id into the policies and prove again", id))
		}
	}
	return out
}
