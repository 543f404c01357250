package procedure

// The paths and commands are those of Microsoft's documentation, learn.microsoft.com:
//
//	entra/identity/role-based-access-control/security-emergency-access
//	entra/identity/conditional-access/policy-all-users-mfa-strength (Entra ID > Conditional Access > Policies)
//	entra/fundamentals/users-restore (Entra ID > Users > Deleted users; 30 days)
//	entra/identity/hybrid/connect/migrate-from-federation-to-cloud-authentication (Update-MgDomain)
//	graph/api/conditionalaccesspolicy-update, graph/api/directory-deleteditems-restore,
//	graph/api/user-revokesigninsessions, graph/api/fido2authenticationmethod-delete
const (
	portal       = "https://entra.microsoft.com"
	policiesPath = portal + " → Entra ID → Conditional Access → Policies"
	usersPath    = portal + " → Entra ID → Users"
	logsPath     = portal + " → Entra ID → Monitoring & health → Sign-in logs"
	methodsPath  = portal + " → Entra ID → Authentication methods → Policies"
)

// signIn are the steps by which every runbook gets in.
func signIn() []Step {
	return []Step{
		{Do: "Choose one emergency account and leave the others sealed. Fetch its parts: their places stand in this binder, under “Where the parts are”.",
			Expect:    "Each seal is whole and has the number that stands in this binder. Read the numbers aloud and write them down.",
			Otherwise: "Take the other account. Report the broken seal after the emergency."},
		{Do: "Take a device that the company does not manage, and a network that is not the company's: a private laptop and a mobile hotspot. Open a private window.",
			Where: portal, Otherwise: "Without a mobile network: a line at home, in a hotel or at another firm."},
		{Do: "Type the user name of the account, choose the security key, put it in, type its PIN, touch it.",
			Expect:    "You see the admin center, and the name of the account at the top right.",
			Otherwise: "After 3 wrong PINs take the key out and put it in again; after 8 in all it is locked for ever: stop after 3 and take the account's other key. For an account with a password, see the envelope."},
	}
}

func begin() Runbook {
	return Runbook{ID: "begin", Title: "Getting in with an emergency account",
		When: "No administrator can sign in, whatever the cause; or another runbook sends you here.",
		Steps: append([]Step{
			{Do: "Two people who may decide agree that this is an emergency. Write down both names, the time and the reason."},
		}, append(signIn(),
			Step{Do: "Tell the people who watch the alerts that it is you: using the account raises one.", Expect: "They saw the alert. If they did not, write that down.", Otherwise: "If they cannot be reached, write down the time of each sign-in, and tell them afterwards."},
			Step{Do: "Do only what ends the emergency. The other person reads aloud and writes down each change."},
			Step{Do: "When it is over, go through “After use”."})...)}
}

func conditionalAccess() Runbook {
	return Runbook{ID: "ca-lockout", Title: "Conditional Access locks everybody out",
		When: "Administrators see “You cannot access this right now” or AADSTS53003, or a demand that nobody can meet; often minutes after a policy was changed.",
		Steps: append(signIn(),
			Step{Do: "Find the policy. Open a failed sign-in and look at its Conditional Access tab.", Where: logsPath,
				Expect: "A policy with the result Failure. Write down its name and id.", Otherwise: "Sort the policies by the day on which they were changed; take the newest."},
			Step{Do: "Set that policy to report-only. Delete nothing.", Where: policiesPath + " → the policy → Enable policy: Report-only → Save",
				Command: "Connect-MgGraph -Scopes Policy.Read.All,Policy.ReadWrite.ConditionalAccess\nUpdate-MgIdentityConditionalAccessPolicy -ConditionalAccessPolicyId POLICY -State enabledForReportingButNotEnforced",
				Expect:  "The policy shows Report-only.", Otherwise: "If saving fails, exclude one administrator from the policy under Users → Exclude."},
			Step{Do: "Wait five minutes. Have one administrator sign in, in a private window.", Expect: "It works.", Otherwise: "There is a second policy. Begin again with the sign-in logs."},
			Step{Do: "Have that administrator mend the policy, and see that the emergency accounts are excluded from it.", Command: "halligan check"},
			Step{Do: "Go through “After use”."})}
}

func federation() Runbook {
	return Runbook{ID: "idp-down", Title: "The identity provider or the federation is down",
		When: "Signing in goes to AD FS, Okta, Ping or the like, and does not come back; or it comes back with AADSTS50008.",
		Steps: append(signIn(),
			Step{Do: "Find out with whoever runs the identity provider how long it will take. Under an hour, wait: the next steps change how everybody signs in.", Expect: "A time, and who said it. Write both down."},
			Step{Do: "See which domains are federated. The commands need PowerShell 7 and a module, which the private laptop may lack.", Where: portal + " → Entra ID → Domain names", Command: "Install-Module Microsoft.Graph -Scope CurrentUser\nConnect-MgGraph -Scopes Domain.ReadWrite.All,Directory.AccessAsUser.All\nGet-MgDomain | Format-Table Id,AuthenticationType"},
			Step{Do: "Keep the settings of the federation before you change it. Print or save them.", Command: "Get-MgDomainFederationConfiguration -DomainId DOMAIN | Format-List"},
			Step{Do: "Only if two people decide it: make the domain managed. Users then sign in with the password that Entra ID has, if password hash sync is on.",
				Command: "Update-MgDomain -DomainId DOMAIN -AuthenticationType Managed", Expect: "AuthenticationType is Managed. It may take an hour until everybody notices.",
				Otherwise: "Without password hash sync nobody has a password there: give each administrator one in the admin center, under Users → Reset password."},
			Step{Do: "When the provider is back, have those who run it federate the domain again."},
			Step{Do: "Go through “After use”."})}
}

func mfaService() Runbook {
	return Runbook{ID: "mfa-down", Title: "The second factor does not come",
		When: "Push messages, texts or calls do not arrive, for many people at once; or the other firm that does the second factor is down.",
		Steps: append([]Step{
			{Do: "Look whether Microsoft or the other firm reports it.", Where: "https://status.cloud.microsoft", Expect: "If it is said to be over soon, wait. Who has a security key gets in all the same."},
		}, append(signIn(),
			Step{Do: "Help single administrators first: give each a Temporary Access Pass, for one hour, once.", Where: usersPath + " → the user → Authentication methods → Add authentication method → Temporary Access Pass",
				Expect: "A pass is shown once. Read it to the person on the telephone when you have recognised the voice; where telephones are down, too, hand it over in person.", Otherwise: "The pass must be allowed for that user: " + methodsPath + " → Temporary Access Pass."},
			Step{Do: "Only if two people decide it: set the policy that asks for the broken factor to report-only. Write down the time; it must not stay so over night.", Where: policiesPath},
			Step{Do: "When the factor works again, turn the policy on, and see that it is.", Command: "halligan check"},
			Step{Do: "Go through “After use”."})...)}
}
