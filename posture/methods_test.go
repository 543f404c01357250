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

// An account that nobody registered has no inventory and no declared password, and
// its data are judged all the same.
func TestAHypothesisIsJudgedWithoutARegister(t *testing.T) {
	in := baseWorld(t).input(t)
	in.Register = nil
	for i := range in.Accounts {
		in.Accounts[i].Hypothesis = true
	}
	got := statuses(posture.Judge(in))
	for id, want := range map[string]posture.Status{
		"role-ga-active": posture.Pass, "role-ga-permanent": posture.Pass, "role-ga-others": posture.NotSetUp, "role-azure-root": posture.Pass,
		"am-phish-resistant": posture.Pass, "am-two-keys": posture.Pass, "am-model-diversity": posture.Pass,
		"am-key-registry-match": posture.NotSetUp, "am-key-one-account": posture.NotSetUp, "am-registration-policies": posture.Indeterminate,
		"pw-discarded-or-held": posture.NotSetUp, "pw-age-vs-use": posture.NotApplicable, "pw-sspr-pattern": posture.Pass,
	} {
		expect(t, id, worst(got, id), want)
	}
}
