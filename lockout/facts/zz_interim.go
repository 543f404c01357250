// Package facts is interim.
package facts

import "halligan/entra"

type Goal struct {
	Name, Title    string
	Client         entra.ID
	Audiences      []entra.ID
	ClientAppTypes []entra.ClientAppType
	MandatoryMFA   string
	Status, Note   string
}

const (
	portal = "c44b4083-3bb0-49c1-b47d-974e53cbdf3c"
	arm    = "797f4846-ba00-4fd7-ba43-dac1f8f63013"
	graph  = "00000003-0000-0000-c000-000000000000"
	aad    = "00000002-0000-0000-c000-000000000000"
	m365   = "00000006-0000-0ff1-ce00-000000000000"
)

func Goals() []Goal {
	b, n := []entra.ClientAppType{entra.ClientBrowser}, []entra.ClientAppType{entra.ClientNative}
	return []Goal{
		{"entraAdminCenter", "Entra admin center", portal, []entra.ID{portal, arm, graph, aad}, b, "phase1", "inferred", ""},
		{"m365AdminCenter", "", m365, []entra.ID{m365, arm, graph, aad}, b, "phase1", "inferred", ""},
		{"azureCliWrite", "", "04b07795-8ddb-461a-bbee-02f9e1bf7b46", []entra.ID{arm}, n, "phase2", "documented", ""},
		{"graphPowerShell", "", "14d82eec-204b-4c2f-b7e8-296a70dab67e", []entra.ID{graph}, n, "", "documented", ""},
	}
}
func LookupGoal(name string) (Goal, bool) {
	for _, g := range Goals() {
		if g.Name == name {
			return g, true
		}
	}
	return Goal{}, false
}

var pr = []entra.Combination{{"windowsHelloForBusiness"}, {"fido2"}, {"x509CertificateMultiFactor"}}

func MFACombinations() []entra.Combination {
	c := append([]entra.Combination{}, pr...)
	c = append(c, entra.Combination{"deviceBasedPush"}, entra.Combination{"temporaryAccessPassOneTime"}, entra.Combination{"temporaryAccessPassMultiUse"})
	for _, m := range []entra.CombinationMode{"microsoftAuthenticatorPush", "softwareOath", "hardwareOath", "x509CertificateSingleFactor", "x509CertificateMultiFactor", "sms", "voice"} {
		c = append(c, entra.Combination{"password", m})
	}
	c = append(c, entra.Combination{"federatedMultiFactor"})
	for _, m := range []entra.CombinationMode{"microsoftAuthenticatorPush", "softwareOath", "hardwareOath", "sms", "voice"} {
		c = append(c, entra.Combination{"federatedSingleFactor", m})
	}
	return c
}
func BuiltInStrength(id entra.ID) (entra.AuthStrength, bool) {
	switch id.Key() {
	case "00000000-0000-0000-0000-000000000002":
		return entra.AuthStrength{ID: id, DisplayName: "Multifactor authentication", Combinations: MFACombinations()}, true
	case "00000000-0000-0000-0000-000000000003":
		return entra.AuthStrength{ID: id, DisplayName: "Passwordless MFA", Combinations: append(append([]entra.Combination{}, pr...), entra.Combination{"deviceBasedPush"})}, true
	case "00000000-0000-0000-0000-000000000004":
		return entra.AuthStrength{ID: id, DisplayName: "Phishing-resistant MFA", Combinations: pr}, true
	}
	return entra.AuthStrength{}, false
}
func ServiceGroup(t string) ([]entra.ID, bool) {
	switch entra.ID(t).Key() {
	case "office365":
		return []entra.ID{m365}, true
	case "microsoftadminportals":
		return []entra.ID{portal, m365}, true
	case arm:
		return []entra.ID{arm, portal}, true
	}
	return nil, false
}
func RoleName(id entra.ID) string { return string(id) }
func RecoveryRoles() []entra.ID {
	return []entra.ID{"62e90394-69f5-4237-9190-012177145e10", "b1be1c3e-b65d-4f19-8427-f6fa0d97feb9", "194ae4cb-b126-40b2-bd5b-6091b380977d"}
}

type VendorDate struct{ ID, Date, Text, Source, Status string }

func Date(id string) VendorDate {
	return VendorDate{ID: id, Date: map[string]string{"smsVoiceRetirement": "2027-02-01", "customControlsRetirement": "2027-01-01"}[id]}
}

type RuleInfo struct{ ID, Status, Text, Source string }

func Rule(id string) RuleInfo                 { return RuleInfo{ID: id, Status: "inferred"} }
func StaleOn(string) []string                 { return nil }
func GraphPagesOnly(c entra.Combination) bool { return false }
