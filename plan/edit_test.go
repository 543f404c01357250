package plan

import "testing"

// A path is within another only at the border of a step: "grantControls" does
// not touch "grantControlsOld".
func TestWithinEndsAtABorder(t *testing.T) {
	for _, test := range []struct {
		path string
		want bool
	}{
		{"conditions.users", true}, {"conditions.users.includeUsers", true}, {"conditions.users[0]", true}, {"Conditions.Users.IncludeUsers", true},
		{"conditions.usersOld", false}, {"conditions.users2.includeUsers", false}, {"conditions", false}, {"conditions.user", false}, {"", false},
		{"state", true}, {"stateful", false},
	} {
		if got := within(test.path, []string{"conditions.users", "state"}); got != test.want {
			t.Errorf("within(%q): got %v, want %v", test.path, got, test.want)
		}
	}
	if within("state", nil) {
		t.Error("got a path within nothing")
	}
}
