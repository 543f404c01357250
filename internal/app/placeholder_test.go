package app

import (
	"strings"
	"testing"
)

func TestPlaceholdersAreTold(t *testing.T) {
	for _, id := range []string{"<ExclusionTempGroup>", "REPLACE_WITH_BREAKGLASS_ACCOUNT_OBJECT_ID", "your-group-id", "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx",
		strings.ToUpper("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"), "{{breakGlass}}", "${var.group}", "%GROUP%", "[Insert group]"} {
		if !placeholder.MatchString(id) {
			t.Errorf("got no placeholder in %q", id)
		}
	}
	for _, id := range []string{"All", "None", "GuestsOrExternalUsers", "bc86f236-9a8f-47b6-88e1-ee622e9ae0ce", "CA-BreakGlassAccounts - Exclude", "Yourdan Ltd",
		"Insertion team", "50% off", "User", "Change managers"} {
		if placeholder.MatchString(id) {
			t.Errorf("got a placeholder in %q", id)
		}
	}
}
