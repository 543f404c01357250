package lockout

import (
	"slices"

	"halligan/entra"
)

// fault is a deliberate mistake in the evaluator. Tests switch one on to show
// that the vectors or the oracle would notice it; nothing else does.
type fault int

const (
	faultNone fault = iota
	faultExcludeIgnored
	faultNestingLost
	faultEligibleCounts
	faultScopedRoleCounts
	faultOperatorsSwapped
	faultReportOnlyEnforced
	faultDisabledEnforced
	faultFirstAudienceOnly
	faultServiceGroupsIgnored
	faultFlagsFirstOnly
	faultPlatformAllWithoutUnknown
	faultPlatformExclusionIgnored
	faultUnknownCountryIncluded
	faultTrustedIgnored
	faultIPv6Ignored
	faultRiskNoneOnly
	faultInsiderRiskIgnored
	faultFlowIgnored
	faultClientAppsIgnored
	faultDeviceFilterInverted
	faultCertificatesCombine
	faultOneKeyEver
	faultConfigurationsIgnored
	faultKeyRestrictionsIgnored
	faultMethodExclusionIgnored
	faultMandatoryMFAIgnored
	faultSecurityDefaultsIgnored
	faultPerUserMFAIgnored
	faultProtectedActionIgnored
	faultProtectedWithoutPolicyOpen
	faultApprovalIgnored
	faultActivationKeepsOldRoles
	faultUserActionMatchesResource
	faultContextMatchesResource
	faultUnmodelledIgnored
	faultLastOptionOnly
	faultEveryTimeIgnored
	faultSmartLockoutIgnored
	faultOutageIgnored
	faultCount
)

// faultNames are what each fault does, in the words of a person.
var faultNames = [faultCount]string{
	faultNone:                       "none",
	faultExcludeIgnored:             "an exclusion does not win over an inclusion",
	faultNestingLost:                "membership through nested groups is lost",
	faultEligibleCounts:             "an eligible role counts as active",
	faultScopedRoleCounts:           "a role scoped to an administrative unit counts",
	faultOperatorsSwapped:           "AND and OR of a grant are swapped",
	faultReportOnlyEnforced:         "report-only policies are enforced",
	faultDisabledEnforced:           "disabled policies are enforced",
	faultFirstAudienceOnly:          "only the first audience of a sign-in is looked at",
	faultServiceGroupsIgnored:       "service groups (Office365, MicrosoftAdminPortals) are not expanded",
	faultFlagsFirstOnly:             "of a flags list only the first member counts",
	faultPlatformAllWithoutUnknown:  "platform \"all\" leaves out unrecognised platforms",
	faultPlatformExclusionIgnored:   "excluded platforms are ignored",
	faultUnknownCountryIncluded:     "unmapped addresses belong to every country location",
	faultTrustedIgnored:             "AllTrusted matches no location",
	faultIPv6Ignored:                "the cell outside every location is forgotten",
	faultRiskNoneOnly:               "sign-in and user risk are always none",
	faultInsiderRiskIgnored:         "insider risk never matches",
	faultFlowIgnored:                "the authentication flow condition is ignored",
	faultClientAppsIgnored:          "the client app condition is ignored",
	faultDeviceFilterInverted:       "the mode of a device filter is inverted",
	faultCertificatesCombine:        "several certificates can be used in one session",
	faultOneKeyEver:                 "the favourable reading allows one key only",
	faultConfigurationsIgnored:      "key models and issuers of a strength are ignored",
	faultKeyRestrictionsIgnored:     "key restrictions are ignored at sign-in",
	faultMethodExclusionIgnored:     "exclusions of a method are ignored",
	faultMandatoryMFAIgnored:        "mandatory MFA is forgotten",
	faultSecurityDefaultsIgnored:    "security defaults are forgotten",
	faultPerUserMFAIgnored:          "per-user MFA is forgotten",
	faultProtectedActionIgnored:     "protected actions are forgotten",
	faultProtectedWithoutPolicyOpen: "a protected action whose context no policy targets is open",
	faultApprovalIgnored:            "approval of a role activation is forgotten",
	faultActivationKeepsOldRoles:    "after activation the sign-in is not evaluated again",
	faultUserActionMatchesResource:  "policies for user actions apply to resource sign-ins",
	faultContextMatchesResource:     "policies for authentication contexts apply to resource sign-ins",
	faultUnmodelledIgnored:          "what is not modelled is skipped",
	faultLastOptionOnly:             "only the last choice of the operator is tried",
	faultEveryTimeIgnored:           "sign-in frequency \"every time\" is harmless",
	faultSmartLockoutIgnored:        "smart lockout leaves the password usable",
	faultOutageIgnored:              "an outage of the sign-in service is harmless",
}

// Flaws names the deliberate mistakes that NewFlawed can make.
func Flaws() []string { return slices.Clone(faultNames[faultNone+1:]) }

// NewFlawed is New with one deliberate mistake of Flaws in it: tests show with it
// that a comparison with another judge would notice. Its verdicts are wrong, so
// nothing but tests calls it. A name that is none makes no mistake.
func NewFlawed(s *entra.Snapshot, flaw string) *Prover {
	return newProver(s, fault(max(slices.Index(faultNames[:], flaw), 0)))
}

func (p *Prover) fault(f fault) bool { return p.injected == f && f != faultNone }
