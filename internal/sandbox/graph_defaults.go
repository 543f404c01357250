package sandbox

// defaultSingle are the objects that every tenant has once, as Entra makes them
// (entra-docs: the page of each type; concept-authentication-methods-manage for
// the methods policy of a new tenant).
var defaultSingle = map[string]Object{
	pathMethods: {
		"id": "authenticationMethodsPolicy", "displayName": "Authentication Methods Policy",
		"description":          "The tenant-wide policy that controls which authentication methods are allowed in the tenant, authentication method registration requirements, and self-service password reset settings",
		"lastModifiedDateTime": "2024-01-15T09:00:00Z", "policyVersion": "1.5", "policyMigrationState": "migrationComplete", "reconfirmationInDays": nil,
		"registrationEnforcement": Object{"authenticationMethodsRegistrationCampaign": Object{"snoozeDurationInDays": 1, "enforceRegistrationAfterAllowedSnoozes": true,
			"state": "default", "excludeTargets": []any{}, "includeTargets": []any{Object{"id": "all_users", "targetType": "group", "targetedAuthenticationMethod": "microsoftAuthenticator"}}}},
		"reportSuspiciousActivitySettings": Object{"state": "default", "includeTarget": Object{"targetType": "group", "id": "all_users"}, "voiceReportingCode": 0},
		"systemCredentialPreferences":      Object{"state": "default", "excludeTargets": []any{}, "includeTargets": []any{Object{"id": "all_users", "targetType": "group"}}},
		"authenticationMethodConfigurations": []any{
			configuration("Fido2", "fido2", "enabled", Object{"isSelfServiceRegistrationAllowed": true, "isAttestationEnforced": false, "defaultPasskeyProfile": nil,
				"passkeyProfiles": []any{}, "keyRestrictions": Object{"isEnforced": false, "enforcementType": "block", "aaGuids": []any{}}}),
			configuration("MicrosoftAuthenticator", "microsoftAuthenticator", "enabled", Object{"isSoftwareOathEnabled": false,
				"featureSettings": Object{"displayAppInformationRequiredState": feature("default"), "displayLocationInformationRequiredState": feature("default")}}),
			configuration("Sms", "sms", "disabled", nil),
			configuration("TemporaryAccessPass", "temporaryAccessPass", "disabled", Object{"defaultLifetimeInMinutes": 60, "defaultLength": 8,
				"minimumLifetimeInMinutes": 60, "maximumLifetimeInMinutes": 480, "isUsableOnce": false}),
			configuration("HardwareOath", "hardwareOath", "disabled", nil),
			configuration("SoftwareOath", "softwareOath", "enabled", nil),
			configuration("Voice", "voice", "disabled", Object{"isOfficePhoneAllowed": false}),
			configuration("Email", "email", "enabled", Object{"allowExternalIdToUseEmailOtp": "default"}),
			configuration("X509Certificate", "x509Certificate", "disabled", Object{"certificateUserBindings": []any{
				Object{"x509CertificateField": "PrincipalName", "userProperty": "userPrincipalName", "priority": 1, "trustAffinityLevel": "low"}},
				"authenticationModeConfiguration": Object{"x509CertificateAuthenticationDefaultMode": "x509CertificateSingleFactor", "x509CertificateDefaultRequiredAffinityLevel": "low", "rules": []any{}},
				"issuerHintsConfiguration":        Object{"state": "disabled"}}),
			configuration("QRCodePin", "qrCodePin", "disabled", Object{"standardQRCodeLifetimeInDays": 365, "pinLength": 8}),
		},
	},
	pathDefaults: {"id": "00000000-0000-0000-0000-000000000005", "displayName": "Security Defaults", "isEnabled": false,
		"description": "Security defaults is a set of basic identity security mechanisms recommended by Microsoft. When enabled, these recommendations will be automatically enforced in your organization."},
	pathAuthorize: {"id": "authorizationPolicy", "displayName": "Authorization Policy", "description": "Used to manage authorization related settings across the company.",
		"allowInvitesFrom": "adminsAndGuestInviters", "allowedToSignUpEmailBasedSubscriptions": true, "allowedToUseSSPR": true,
		"allowEmailVerifiedUsersToJoinOrganization": false, "allowUserConsentForRiskyApps": false, "blockMsolPowerShell": true,
		"guestUserRoleId": "10dae51f-b6af-4016-8d66-8c2a99b929b3",
		"defaultUserRolePermissions": Object{"allowedToCreateApps": false, "allowedToCreateSecurityGroups": false, "allowedToCreateTenants": false,
			"allowedToReadBitlockerKeysForOwnedDevice": true, "allowedToReadOtherUsers": true, "permissionGrantPoliciesAssigned": []any{"ManagePermissionGrantsForSelf.microsoft-user-default-low"}},
		"permissionGrantPolicyIdsAssignedToDefaultUserRole": []any{"ManagePermissionGrantsForSelf.microsoft-user-default-low"}, "enabledPreviewFeatures": []any{}},
	pathCross: {"id": "crossTenantAccessPolicy", "displayName": "CrossTenantAccessPolicy", "allowedCloudEndpoints": []any{}},
	pathCross + "/default": {"id": "default", "isServiceDefault": true,
		"inboundTrust": Object{"isMfaAccepted": false, "isCompliantDeviceAccepted": false, "isHybridAzureADJoinedDeviceAccepted": false}},
}

func configuration(id, name, state string, more Object) Object {
	o := Object{"@odata.type": "#microsoft.graph." + name + "AuthenticationMethodConfiguration", "id": id, "state": state, "excludeTargets": []any{},
		"includeTargets": []any{Object{"targetType": "group", "id": "all_users", "isRegistrationRequired": false}}}
	for k, v := range more {
		o[k] = v
	}
	return o
}

func feature(state string) Object {
	return Object{"state": state, "includeTarget": Object{"targetType": "group", "id": "all_users"}, "excludeTarget": Object{"targetType": "group", "id": "00000000-0000-0000-0000-000000000000"}}
}

// tenantStrengths are the three that every tenant has (entra-docs
// concept-authentication-strengths).
func tenantStrengths() []Object {
	resistant := []any{"windowsHelloForBusiness", "fido2", "x509CertificateMultiFactor"}
	passwordless := append(append([]any{}, resistant...), "deviceBasedPush")
	mfa := append(append([]any{}, passwordless...), "temporaryAccessPassOneTime", "temporaryAccessPassMultiUse", "password,microsoftAuthenticatorPush",
		"password,softwareOath", "password,hardwareOath", "password,sms", "password,voice", "federatedMultiFactor", "microsoftAuthenticatorPush,federatedSingleFactor",
		"softwareOath,federatedSingleFactor", "hardwareOath,federatedSingleFactor", "sms,federatedSingleFactor", "voice,federatedSingleFactor")
	one := func(n, name, description string, allowed []any) Object {
		return Object{"id": "00000000-0000-0000-0000-00000000000" + n, "displayName": name, "description": description, "policyType": "builtIn", "requirementsSatisfied": "mfa",
			"createdDateTime": "2021-12-01T00:00:00Z", "modifiedDateTime": "2021-12-01T00:00:00Z", "allowedCombinations": allowed, "combinationConfigurations": []any{}}
	}
	return []Object{
		one("2", "Multifactor authentication", "Combinations of methods that satisfy strong authentication, such as a password + SMS", mfa),
		one("3", "Passwordless MFA", "Passwordless methods that satisfy strong authentication, such as Passwordless sign-in with the Microsoft Authenticator", passwordless),
		one("4", "Phishing-resistant MFA", "Phishing-resistant, Passwordless methods for the strongest authentication, such as a FIDO2 security key", resistant),
	}
}
