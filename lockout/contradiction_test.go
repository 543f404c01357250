package lockout_test

import (
	"testing"

	"halligan/entra"
	"halligan/lockout"
)

func TestSourcesThatContradictEachOtherProveNothing(t *testing.T) {
	for _, c := range []struct {
		name    string
		listed  []entra.ID // by the account
		members []entra.ID // of the group
		want    lockout.Outcome
	}{
		{"both say that the account is a member", []entra.ID{"g1"}, []entra.ID{"bg1"}, lockout.Proved},
		{"only the account's own list says so", []entra.ID{"g1"}, nil, lockout.Undetermined},
		{"only the group's list says so", nil, []entra.ID{"bg1"}, lockout.Undetermined},
		{"neither says so", nil, nil, lockout.Lockout},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := lockout.Suppose(onePolicy(nil), "bg1", []string{"role=GA", "key=any", "methods=default", "ordinary"})
			if err != nil {
				t.Fatal(err)
			}
			content := s.Content()
			content.Groups = []entra.Group{{ID: "g1", Members: c.members, MembersRead: true}}
			content.Parts[entra.PartGroups] = entra.PartState{Status: entra.StatusRead}
			content.Accounts[0].Memberships, content.Accounts[0].MembersRead = c.listed, true
			g, _ := lockout.ResolveGoal("entraAdminCenter")
			v, err := lockout.New(entra.NewSnapshot(content)).Prove(lockout.Question{Account: "bg1", Goal: g})
			if err != nil {
				t.Fatal(err)
			}
			if v.Outcome != c.want {
				t.Errorf("got %s, want %s", v.Outcome, c.want)
			}
		})
	}
}
