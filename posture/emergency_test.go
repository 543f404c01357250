package posture_test

import (
	"testing"

	"halligan/entra"
	"halligan/posture"
)

// The checks of the tenant count every registered account, whichever are judged.
func TestTenantChecksCountEveryRegisteredAccount(t *testing.T) {
	w := baseWorld(t)
	whole := w.input(t)
	one := *whole
	one.Accounts = whole.Accounts[:1]
	all, some := statuses(posture.Judge(whole)), statuses(posture.Judge(&one))
	for _, c := range posture.Catalogue() {
		if !c.PerAccount && all[c.ID] != some[c.ID] {
			t.Errorf("%s: %s when all are judged, %s when one is", c.ID, all[c.ID], some[c.ID])
		}
	}
}

// An account that is registered and not judged can still be the one that fails.
func TestTenantChecksSeeTheAccountThatIsNotJudged(t *testing.T) {
	w := baseWorld(t)
	second := "22222222-2222-4222-8222-222222222222"
	for _, s := range []step{
		{Place: "snapshot/groups/id=aaaaaaaa-0000-4000-8000-00000000000a/members/" + second, Remove: true},
		{Place: "snapshot/accounts/id=" + second + "/memberships", To: []any{}},
	} {
		if err := w.apply(s); err != nil {
			t.Fatal(err)
		}
	}
	in := w.input(t)
	in.Accounts = in.Accounts[:1]
	got := statuses(posture.Judge(in))
	if got["grp-exists-static"] != posture.Fail {
		t.Errorf("grp-exists-static: %s, want fail", got["grp-exists-static"])
	}
	if in.Accounts[0].ID.Equal(entra.ID(second)) {
		t.Error("the account that is not judged is judged")
	}
}
