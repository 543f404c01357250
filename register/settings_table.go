package register

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Setting documents one key of Settings: what may be chosen, what is chosen when
// nothing is, and why the choice exists.
type Setting struct {
	Key  string
	Kind Kind // KindWord or KindNumber
	// Default is the value of the key when it is not given, as it would be written.
	Default string
	Words   []string // the allowed words of a KindWord
	// Least and Most bound a KindNumber, in Unit.
	Least, Most int
	Unit        string // days, minutes, characters or empty
	// Conflict is the contradiction of the sources that the setting decides: C1 to
	// C9, or empty for a threshold.
	Conflict string
	// Sides are what the sources say, each with its date.
	Sides []Side
	Doc   string
	// Checks are the ids of the checks that judge by it.
	Checks []string
}

// Side is what one source says about a setting.
type Side struct {
	Text   string
	Source string
	Date   string // as exact as it is known; empty when it is not
}

const (
	sourceIANS       = "IANS: Key Considerations for Break-Glass Access in Azure AD"
	sourceIndefent   = "indefent: How to break glass fast"
	sourceBakker     = "Jan Bakker: Break glass accounts and Azure AD Security Defaults"
	sourceVanSurksum = "Kenneth van Surksum: Protecting your Break Glass accounts in Entra"
	sourceQA         = "Microsoft Q&A: MFA for Break-Glass Accounts"
	sourceMicrosoft  = "Microsoft: Manage emergency access accounts in Microsoft Entra ID"
	sourceGuardrails = "Canada Guardrails Solution Accelerator"
	ownChoice        = "choice of this project"

	dateIANS       = "2021-08-10"
	dateVanSurksum = "2025-01"
	dateQA         = "2025-02-25"
)

// SettingsTable returns every setting in the order of Settings.
func SettingsTable() []Setting {
	return slices.Concat(conflictsOfAccounts(), conflictsOfUse(), thresholdSettings())
}

// conflictsOfAccounts are C1 to C4: how accounts, policies and keys are set up.
func conflictsOfAccounts() []Setting {
	return []Setting{
		{Key: "names", Kind: KindWord, Default: "innocuous", Words: []string{"innocuous", "recognisable", "any"}, Conflict: "C1",
			Sides: []Side{
				{"Overly complex user names are a mistake: a name must be easy to remember and to type under stress.", sourceIANS, dateIANS},
				{"The name is non-obvious: not of a celebrity, nor emergency@ or breakglass@.", sourceIndefent, ""},
				{"A recognisable pattern: breakglass1@…", "CIPP: CIS_1_1_2.md", ""},
			},
			Doc:    "What the names of the accounts should be. innocuous: short, pronounceable, without the obvious words; recognisable: the obvious words are wanted; any: not judged. An obvious word is pointed out, never blocked.",
			Checks: []string{"id-upn-name"}},
		{Key: "passwordLength", Kind: KindNumber, Default: "40", Least: 8, Most: 256, Unit: "characters", Conflict: "C2",
			Sides: []Side{
				{"A password of 32 characters, split into two halves of 16, of characters that are easy to enter when tense.", sourceIANS, dateIANS},
				{"A password of 40 or more characters.", sourceIndefent, ""},
				{"A password of 100 characters, up to 256, that nobody stores.", sourceBakker, ""},
				{"A very long initial password that is not saved.", sourceVanSurksum, dateVanSurksum},
			},
			Doc:    "The least length of a password that is kept: split or vaulted. A discarded password should have the 256 characters that Entra allows, and is not judged by length. A password that people type should have characters that are easy to read; 32 is enough for two halves of 16.",
			Checks: []string{"pw-discarded-or-held"}},
		{Key: "policies", Kind: KindWord, Default: "judged", Words: []string{"judged", "excluded"}, Conflict: "C3",
			Sides: []Side{
				{"Exclude the accounts from all policies that might block access in emergencies.", sourceVanSurksum, dateVanSurksum},
				{"Exclude them from all policies except those for MFA and for MFA at the admin portals.", sourceIndefent, ""},
				{"An exception, so that device or policy constraints do not block them.", sourceIANS, dateIANS},
				{"A policy that targets only these accounts and requires MFA of them.", sourceBakker + " (comment)", ""},
				{"Require phishing-resistant MFA for all of your emergency accounts.", sourceMicrosoft, ""},
				{"Exclude break-glass accounts.", "Microsoft: Require phishing-resistant MFA for administrators", ""},
			},
			Doc:    "What is intended for a policy that the register does not name. judged: it may reach the accounts if they can satisfy it; excluded: the accounts must be excluded. A policy that targets only the accounts is never a missing exclusion.",
			Checks: []string{"ca-not-blocked", "ca-intended-included", "ca-fallback-exists"}},
		{Key: "keysPerAccount", Kind: KindNumber, Default: "2", Least: 1, Most: 10, Conflict: "C4",
			Sides: []Side{
				{"One key per account, and never several accounts on one key.", sourceBakker, ""},
				{"Two keys of different models.", sourceIndefent, ""},
				{"At least two device-bound keys per account.", "azd", ""},
			},
			Doc:    "How many keys an account should have. Each key belongs to exactly one account, whatever the number.",
			Checks: []string{"am-two-keys"}},
	}
}

// conflictsOfUse are C5 to C9: what an account signs in with, how often that is
// proved, and what hangs on it.
func conflictsOfUse() []Setting {
	return []Setting{
		{Key: "methods", Kind: KindWord, Default: "phishingResistant", Words: []string{"phishingResistant", "oathAccepted"}, Conflict: "C5",
			Sides: []Side{
				{"If the TOTP works for your architecture, why not?", sourceQA, dateQA},
				{"The accounts must be registered with a passkey (FIDO2) or certificate-based authentication.", sourceQA + " (moderator)", dateQA},
				{"One person knows the password, another holds the hard or soft OTP token.", sourceIANS, dateIANS},
				{"Hardware and software OATH are off.", sourceVanSurksum, dateVanSurksum},
			},
			Doc:    "Which methods count as strong. phishingResistant: passkeys and certificates; oathAccepted: a hardware token too, which is of lower assurance and is shown as such.",
			Checks: []string{"am-phish-resistant", "am-oath-alternate", "mmfa-ready"}},
		{Key: "drillDays", Kind: KindNumber, Default: "90", Least: 1, Most: 365, Unit: "days", Conflict: "C6",
			Sides: []Side{
				{"A routine to test the keys about every 90 days.", sourceBakker, ""},
				{"Each quarter, with both accounts and keys.", sourceIndefent, ""},
				{"Regularly, inside the tests of business continuity and disaster recovery.", sourceIANS, dateIANS},
				{"At least every 90 days, and after a change of staff or of subscriptions.", sourceMicrosoft, ""},
				{"A sign-in within 365 days.", sourceGuardrails, ""},
			},
			Doc:    "After how many days an account and a key must have been proved by a sign-in again.",
			Checks: []string{"drl-account-90d", "drl-key-90d"}},
		{Key: "licence", Kind: KindWord, Default: "none", Words: []string{"none", "accepted", "required"}, Conflict: "C7",
			Sides: []Side{
				{"No licence is needed.", sourceBakker, ""},
				{"Entra ID P2 on both accounts.", sourceGuardrails + ": Check-BreakGlassAccountIdentityProtectionLicense", ""},
				{"A mailbox whose mail is forwarded.", sourceMicrosoft, ""},
				{"No user with mailbox and permanent role assignment on Control Plane.", "Maester: MT.1028", ""},
			},
			Doc:    "Whether the accounts have licences. none: a licence or mailbox is pointed out as attack surface; accepted: not judged; required: its absence is pointed out.",
			Checks: []string{"id-no-licence"}},
		{Key: "owner", Kind: KindWord, Default: "nobody", Words: []string{"nobody", "manager"}, Conflict: "C8",
			Sides: []Side{
				{"The account is shared and belongs to nobody.", sourceIANS, dateIANS},
				{"A manager on both accounts.", sourceGuardrails + ": Check-BreakGlassAccountOwnersInformation", ""},
				{"Accounts of individuals are an alternative.", sourceMicrosoft, ""},
			},
			Doc:    "Whether an account may be linked to a person. nobody: a manager, a telephone or another address of a person is pointed out; manager: a manager is expected.",
			Checks: []string{"id-not-personal"}},
		{Key: "mfa", Kind: KindWord, Default: "required", Words: []string{"required", "excluded"}, Conflict: "C9",
			Sides: []Side{
				{"Mandatory MFA covers these accounts too.", sourceQA, dateQA},
				{"A user name with a complex password alone is no longer viable.", sourceVanSurksum, dateVanSurksum},
				{"No MFA on these accounts (before MFA became mandatory).", sourceGuardrails + ": pull request 242", ""},
			},
			Doc:    "Whether the accounts use MFA. excluded is what older advice wanted; Microsoft has made MFA mandatory for its admin portals since, exclusions or not, and a check says so beside each exclusion.",
			Checks: []string{"mmfa-ready", "ca-fallback-exists"}},
	}
}

func thresholdSettings() []Setting {
	days := func(key string, value, least, most int, doc string, side Side, checks ...string) Setting {
		return Setting{Key: key, Kind: KindNumber, Default: strconv.Itoa(value), Least: least, Most: most, Unit: "days", Doc: doc, Sides: []Side{side}, Checks: checks}
	}
	minutes := func(key string, value, least, most int, doc string, side Side, checks ...string) Setting {
		return Setting{Key: key, Kind: KindNumber, Default: strconv.Itoa(value), Least: least, Most: most, Unit: "minutes", Doc: doc, Sides: []Side{side}, Checks: checks}
	}
	count := func(key string, value, least, most int, doc string, side Side, checks ...string) Setting {
		return Setting{Key: key, Kind: KindNumber, Default: strconv.Itoa(value), Least: least, Most: most, Doc: doc, Sides: []Side{side}, Checks: checks}
	}
	length := func(key string, value, least, most int, doc string, side Side, checks ...string) Setting {
		s := count(key, value, least, most, doc, side, checks...)
		s.Unit = "characters"
		return s
	}
	const fiftyLetters = "A user name of 50 characters broke the registration of three keys; a shorter one cured it."
	return []Setting{
		count("accountsMin", 2, 1, 10, "The least number of emergency accounts.",
			Side{"At least two, in case one is deleted.", sourceBakker, ""}, "id-count-min"),
		count("accountsMax", 4, 1, 20, "The greatest number of emergency accounts.",
			Side{"Limit the number of accounts to the minimum.", sourceVanSurksum, dateVanSurksum}, "id-count-max"),
		count("globalAdminsMin", 2, 1, 10, "The least number of Global Administrators, these accounts included.",
			Side{"Between two and eight Global Administrators.", "CISA ScubaGear: MS.AAD.7.1", ""}, "role-ga-others"),
		count("globalAdminsMax", 8, 1, 100, "The greatest number of Global Administrators, these accounts included.",
			Side{"Between two and eight Global Administrators.", "CISA ScubaGear: MS.AAD.7.1", ""}, "role-ga-others"),
		length("upnWarn", 32, 1, 64, "The length of the name before the @ above which a warning is given.",
			Side{fiftyLetters, sourceBakker + " (comment)", ""}, "id-upn-length"),
		length("upnMax", 49, 1, 113, "The greatest length of the whole user principal name.",
			Side{fiftyLetters, sourceBakker + " (comment)", ""}, "id-upn-length"),
		minutes("alertMinutes", 15, 1, 1440, "Within how many minutes of a sign-in the alert must reach people.",
			Side{"Every sign-in triggers an immediate alert. How immediate is a choice: Entra writes most records within minutes.", sourceIndefent, ""}, "mon-latency", "drl-alert-proved"),
		minutes("ackMinutes", 30, 1, 1440, "Within how many minutes of the alert somebody must acknowledge it.",
			Side{"Verify that the security team acts appropriately. The number is a choice.", sourceIANS, dateIANS}, "drl-alert-proved"),
		minutes("tapMinutes", 60, 10, 43200, "The longest lifetime of a Temporary Access Pass that the methods policy should allow.",
			Side{"A Temporary Access Pass with a very limited timeframe.", sourceVanSurksum, dateVanSurksum}, "am-tap-out-of-scope"),
		count("failedSignIns", 10, 1, 10000, "How many failed sign-ins of an account in the records that were read are taken for an attack.",
			Side{"Alert on attempts, too. The number is a choice.", sourceVanSurksum, dateVanSurksum}, "risk-signin-fails"),
		days("retentionDays", 365, 7, 3650, "How many days sign-in and audit logs must be kept. Entra itself keeps 7 days on Free and 30 on P1, less than one drill interval. A year holds four quarterly drills and the last use of an account that is rarely used, so that an auditor finds their proof.",
			Side{"Logs are retained and regularly reviewed: why, when, and by whom. Guardrails asks for a sign-in within 365 days, whose proof must outlive short log retention (issue 567); hence the number.", sourceIndefent, ""}, "mon-retention"),
		days("sealDays", 90, 1, 365, "After how many days a seal must have been looked at again.",
			Side{"The sealed binder is reviewed each quarter.", sourceIndefent, ""}, "cus-seal-intact"),
		days("trainingDays", 365, 1, 1095, "After how many days a holder's training and awareness must be renewed.",
			Side{"Document the use and train the people. The number is a choice.", sourceVanSurksum, dateVanSurksum}, "cus-trained"),
		days("runbookDays", 90, 1, 365, "After how many days the runbook must have been reviewed again.",
			Side{"Each quarter: confirm access paths and recovery documentation.", sourceIndefent, ""}, "drl-runbook-current"),
		days("certificateDays", 60, 1, 365, "How many days before its end a certificate is pointed out.",
			Side{"Two months leave time for a ceremony with two people.", ownChoice, ""}, "am-cba-survives"),
		minutes("heartbeatMinutes", 15, 1, 1440, "After how many minutes of silence the watcher counts as dead.",
			Side{"A silent watcher must be noticed within the time in which an alert is expected.", ownChoice, ""}, "mon-heartbeat"),
		minutes("reevaluateMinutes", 60, 1, 10080, "Within how many minutes a change of Conditional Access must have been judged again.",
			Side{"Know when the accounts are used or touched. The number is a choice.", sourceBakker, ""}, "ca-new-policy-watch"),
		days("attestationDaysMost", 365, 1, 1095, "The longest time for which a person may attest something.",
			Side{"A statement that nobody renews is a pass in disguise.", ownChoice, ""}),
		days("acceptedDaysMost", 365, 1, 1095, "The longest time for which a risk may be accepted.",
			Side{"A risk that nobody decides on again is a failure in disguise.", ownChoice, ""}),
	}
}

// Settled returns the settings with the default of each that is not given.
func (s Settings) Settled() Settings {
	v := reflect.ValueOf(&s).Elem()
	for _, setting := range SettingsTable() {
		f := keyed(v, setting.Key)
		if !f.IsZero() {
			continue
		}
		if setting.Kind == KindNumber {
			n, _ := strconv.Atoi(setting.Default) // a test holds the defaults to their kind
			f.SetInt(int64(n))
		} else {
			f.SetString(setting.Default)
		}
	}
	return s
}

// In returns the value that the setting has in settings, as it would be written:
// the default where none is given.
func (s Setting) In(settings Settings) string {
	f := keyed(reflect.ValueOf(settings), s.Key)
	switch {
	case f.IsZero():
		return s.Default
	case s.Kind == KindNumber:
		return strconv.FormatInt(f.Int(), 10)
	}
	return f.String()
}

// keyed returns the field of a struct whose key in YAML is given.
func keyed(v reflect.Value, key string) reflect.Value {
	for i := range v.NumField() {
		if name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ","); name == key {
			return v.Field(i)
		}
	}
	return reflect.Value{}
}
