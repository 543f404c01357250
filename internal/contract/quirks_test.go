package contract_test

// quirks lists the documented examples that differ from the description, with
// the rules they break and why. In each the documentation is wrong, shortened, or
// older than the description, unless the reason says otherwise.
var quirks = []struct{ why, rules, files string }{
	{
		why:   "the answer is one object wrapped in a list (or a request in value)",
		rules: "property",
		files: `beta.authenticationcontextclassreference-update.1.json
			beta.crosstenantaccesspolicy-get.1.json
			beta.microsoftauthenticatorauthenticationmethod-get.1.json
			beta.riskdetection-list.2.json
			beta.softwareoathauthenticationmethod-get.1.json
			beta.userregistrationdetails-get.1.json
			beta.windowshelloforbusinessauthenticationmethod-get.1.json
			v1.0.accessreviewscheduledefinition-get.1.json
			v1.0.crosstenantaccesspolicy-get.1.json
			v1.0.directoryaudit-get.1.json
			v1.0.microsoftauthenticatorauthenticationmethod-get.1.json
			v1.0.riskdetection-get.1.json
			v1.0.riskyuser-get.1.json
			v1.0.signin-get.1.json
			v1.0.windowshelloforbusinessauthenticationmethod-get.1.json`,
	},
	{
		why:   "the answer is a list, and the page shows one element",
		rules: "body property",
		files: `beta.directoryaudit-list.1.json
			beta.riskyusers-get.2.json`,
	},
	{
		why:   "the page leaves out the @odata.type by which Graph says what an element is",
		rules: "property",
		files: `beta.accessreviewscheduledefinition-get.1.json
			beta.directory-deleteditems-get.1.json
			beta.directoryrole-list-members.1.json
			beta.group-list-memberof.1.json
			beta.group-list-members.1.json
			beta.group-list-members.3.json
			beta.group-list-transitivememberof.1.json
			beta.group-list-transitivemembers.1.json
			v1.0.directory-deleteditems-get.1.json
			v1.0.directoryrole-list-members.1.json
			v1.0.group-list-memberof.1.json
			v1.0.group-list-members.1.json
			v1.0.group-list-members.3.json`,
	},
	{
		why:   "the page shows groups where the path asks for users",
		rules: "property",
		files: `beta.group-list-transitivemembers.4.json`,
	},
	{
		why:   "the page, or the service behind it, shows properties that the description does not have: older ones, and internal ones",
		rules: "property",
		files: `beta.application-get.1.json
			beta.authenticationmethodspolicy-get.1.json
			beta.authenticationmethodsroot-list-userregistrationdetails.1.json
			beta.conditionalaccessroot-post-policies.4.json
			beta.domain-list.1.json
			beta.serviceprincipal-get.1.json
			v1.0.conditionalaccessroot-evaluate.1.json
			v1.0.conditionalaccessroot-evaluate.2.json
			v1.0.conditionalaccessroot-post-policies.4.json
			v1.0.directoryaudit-list.1.json
			v1.0.group-get.1.json
			v1.0.group-post-groups.1.json
			v1.0.group-post-groups.2.json
			v1.0.group-post-groups.3.json
			v1.0.organization-get.1.json
			v1.0.organization-list.1.json
			v1.0.rbacapplication-list-roleassignments.1.json
			v1.0.rbacapplication-list-roleassignments.2.json
			v1.0.subscription-get.1.json
			v1.0.subscription-list.1.json
			v1.0.subscription-post-subscriptions.1.json
			v1.0.subscription-update.1.json`,
	},
	{
		why:   "the beta description lacks isUsable and methodUsabilityReason, which v1.0 has",
		rules: "property",
		files: `beta.authentication-list-temporaryaccesspassmethods.1.json
			beta.authentication-post-temporaryaccesspassmethods.1.json
			beta.temporaryaccesspassauthenticationmethod-get.1.json`,
	},
	{
		why:   "an older property, and endpoints without $expand",
		rules: "property query",
		files: `v1.0.serviceprincipal-get.1.json`,
	},
	{
		why:   "an older property, and the context of beta on a page of v1.0",
		rules: "context property",
		files: `v1.0.rbacapplication-post-roleassignments.3.json`,
	},
	{
		why:   "the context is that of the other version, or abbreviated",
		rules: "context",
		files: `beta.conditionalaccessroot-post-policies.2.json
			beta.user-get.3.json
			beta.user-list.4.json
			v1.0.directoryobject-checkmembergroups.2.json
			v1.0.rbacapplication-post-roleeligibilityschedulerequests.2.json`,
	},
	{
		why:   "the page leaves out a body that the description requires, or gives one to another address",
		rules: "body",
		files: `beta.passwordauthenticationmethod-resetpassword.2.json
			v1.0.authenticationmethod-resetpassword.2.json`,
	},
	{
		why:   "the page shows the type of the sister resource",
		rules: "discriminator",
		files: `beta.rbacapplication-list-roleassignmentschedules.1.json
			beta.unifiedroleeligibilityschedule-get.1.json`,
	},
	{
		why:   "the page leaves out the @odata.type of an abstract type",
		rules: "discriminator",
		files: `beta.unifiedrolemanagementpolicy-list-effectiverules.1.json`,
	},
	{
		why:   "@odata.type without its #",
		rules: "discriminator",
		files: `beta.unifiedrolemanagementpolicyrule-update.1.json`,
	},
	{
		why:   "@odata.type without its #, and members in other case",
		rules: "discriminator schema",
		files: `v1.0.unifiedrolemanagementpolicyrule-update.1.json`,
	},
	{
		why:   "the page forgets the header of an advanced query",
		rules: "header",
		files: `beta.group-list.6.json`,
	},
	{
		why:   "the link writes signins for signIns",
		rules: "link",
		files: `beta.signin-list.3.json
			v1.0.signin-list.2.json`,
	},
	{
		why:   "the link writes signins for signIns, and the token type is an older name",
		rules: "enum link schema",
		files: `beta.signin-list.2.json`,
	},
	{
		why:   "a member in other case, or an older name: Graph takes any case and answers in one",
		rules: "enum schema",
		files: `beta.rbacapplication-post-roleassignmentschedulerequests.1.json
			beta.rbacapplication-post-roleassignmentschedulerequests.2.json
			beta.rbacapplication-post-roleeligibilityschedulerequests.1.json
			beta.rbacapplication-post-roleeligibilityschedulerequests.2.json
			beta.riskdetection-get.2.json
			beta.riskdetection-list.3.json
			v1.0.rbacapplication-post-roleassignmentschedulerequests.1.json
			v1.0.rbacapplication-post-roleassignmentschedulerequests.2.json
			v1.0.riskdetection-list.1.json
			beta.authentication-post-phonemethods.1.json`,
	},
	{
		why:   "older members and older properties",
		rules: "enum property schema",
		files: `beta.deviceregistrationpolicy-get.1.json
			beta.signin-get.1.json
			beta.signin-list.1.json`,
	},
	{
		why:   "placeholders in place of values",
		rules: "enum schema type",
		files: `v1.0.riskyuser-list-history.1.json
			v1.0.riskyuser-list.1.json`,
	},
	{
		why:   "placeholders, or Booleans written as texts",
		rules: "schema type",
		files: `beta.authentication-post-hardwareoathmethods.1.json
			beta.rbacapplication-post-roledefinitions.1.json
			beta.serviceprincipal-list-oauth2permissiongrants.1.json
			v1.0.fido2authenticationmethodconfiguration-update.1.json`,
	},
	{
		why:   "the description has a list of texts, and Graph answers a list of @odata.id",
		rules: "schema type",
		files: `v1.0.administrativeunit-list-members.2.json`,
	},
	{
		why:   "a placeholder in place of a GUID, which the schemas do not check",
		rules: "type",
		files: `beta.subscribedsku-get.1.json`,
	},
}
