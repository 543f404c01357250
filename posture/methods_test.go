package posture_test

import (
	"encoding/json"
	"slices"
	"testing"

	"halligan/entra"
	"halligan/posture"
)

// A key that was registered without attestation, where attestation is enforced,
// is not known to sign in: Microsoft's pages differ. The level is in the method as
// Graph gave it, which a world cannot write.
func TestAKeyWithoutAttestationIsNotKnownToBeAdmitted(t *testing.T) {
	for _, c := range []struct {
		name, raw string
		want      posture.Status
	}{
		{"not attested", `{"attestationLevel": "notAttested"}`, posture.Indeterminate},
		{"attested", `{"attestationLevel": "attested"}`, posture.Pass},
		{"not selected: attestation acts at registration", `{}`, posture.Pass},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := baseWorld(t).input(t)
			content := *in.Snapshot.View()
			content.Accounts = slices.Clone(content.Accounts)
			a := &content.Accounts[0]
			a.Methods = slices.Clone(a.Methods)
			a.Methods[0].Raw = json.RawMessage(c.raw)
			in.Snapshot = entra.NewSnapshot(content)
			expect(t, "am-aaguid-allowed", worst(statuses(posture.Judge(in)), "am-aaguid-allowed"), c.want)
		})
	}
}
