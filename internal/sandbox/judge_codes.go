package sandbox

// reasonTexts are the texts that the sign-in log holds for error codes
// (entra-docs identity-platform/reference-error-codes and
// conditional-access/troubleshoot-conditional-access; the log leaves the
// placeholders of the longer sentences out).
var reasonTexts = map[int]string{
	50034:  "The user account does not exist in the tenant. To sign into this application, the account must be added to the directory.",
	50053:  "The account is locked, you've tried to sign in too many times with an incorrect user ID or password.",
	50055:  "The password is expired.",
	50057:  "User account is disabled. The account has been disabled by an administrator.",
	50072:  "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication.",
	50074:  "Strong Authentication is required.",
	50076:  "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication.",
	50079:  "Due to a configuration change made by your administrator, or because you moved to a new location, you must enroll in multi-factor authentication.",
	50125:  "Sign-in was interrupted due to a password reset or password registration entry.",
	50126:  "Error validating credentials due to invalid username or password.",
	50135:  "Password change is required due to account risk.",
	50142:  "Password change is required due to a conditional access policy.",
	50158:  "External security challenge was not satisfied.",
	53000:  "Device is not in required device state: compliant. Conditional Access policy requires a compliant device, and the device is not compliant.",
	53001:  "Device is not in required device state: domain joined. Conditional Access policy requires a domain joined device, and the device is not domain joined.",
	53002:  "Application used is not an approved application for Conditional Access.",
	53003:  "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.",
	53009:  "Application needs to enforce Intune protection policies.",
	70044:  "The session has expired or is invalid due to sign-in frequency checks by conditional access.",
	90033:  "A transient error has occurred. Please try again.",
	130503: "Your Temporary Access Pass is incorrect. If you don't know your pass, contact your administrator.",
	500121: "Authentication failed during strong authentication request.",
	530035: "Access has been blocked by security defaults. This is due to the request using legacy auth or being deemed unsafe by security defaults policies.",
	530084: "Access has been blocked by conditional access token protection policy.",
}

func reasonText(code int) string {
	if s := reasonTexts[code]; s != "" {
		return s
	}
	return "Other."
}
