package graph

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Kind says what a failure means to whoever asked.
type Kind string

// The kinds of failure.
const (
	KindUnknown     Kind = ""             // none of the others
	KindDenied      Kind = "denied"       // 403: a permission or a role is missing
	KindNotLicensed Kind = "not licensed" // the tenant lacks the licence for this
	KindNotSignedIn Kind = "not signed in"
	KindThrottled   Kind = "throttled"
	KindUnavailable Kind = "unavailable" // 5xx, no route, connection broken
	KindNotFound    Kind = "not found"
	KindConflict    Kind = "conflict" // 409, 412, 423: the object is not as it was taken to be
	KindBadRequest  Kind = "bad request"
	KindMalformed   Kind = "malformed" // the answer is not what Graph describes
	KindRefused     Kind = "refused"   // we refused, for security
	KindCut         Kind = "cut"       // a limit of size, pages or items was reached
	KindDeadline    Kind = "deadline"  // time was up
)

// ErrOutcomeUnknown is matched by the error of a write that may or may not have
// been carried out. Read back before you write again.
var ErrOutcomeUnknown = errors.New("the outcome is unknown")

// What can be wrong with the body of a success. Each is kept apart from "none".
var (
	ErrTruncated   = errors.New("the answer is cut off or no JSON")
	ErrNotJSON     = errors.New("the answer is not JSON")
	ErrNoValue     = errors.New("the list has no value")
	ErrNullValue   = errors.New("the list's value is null")
	ErrErrorInside = errors.New("an error was sent as a success")
	ErrTooLarge    = errors.New("the answer is larger than the limit")
	ErrTooSlow     = errors.New("the answer did not arrive in time")
	ErrLoop        = errors.New("the pages go in a circle")
	ErrTooMany     = errors.New("there are more pages than the limit")
	ErrCount       = errors.New("the number of items differs from the count sent with them")
	ErrMissingPart = errors.New("the batch has no answer to this part")
)

// Error is a request that failed. Its text holds no token and no control
// character.
type Error struct {
	Operation   string // what was attempted, in words
	Status      int    // HTTP status; 0 without an answer
	Code        string // error.code of the answer
	Message     string // error.message, cleaned, at most 300 characters
	RequestID   string // request-id of the answer, for Microsoft's support
	RetryReason string // why we waited or stopped waiting
	Permission  string // the least permission for the operation, when the request named it
	Kind        Kind
	Attempts    int  // how often it was sent
	Unsure      bool // a write that may have been carried out

	cause error
}

// Error implements error.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.Operation)
	b.WriteString(": ")
	switch {
	case e.Status != 0 && e.Code != "":
		fmt.Fprintf(&b, "%d %s", e.Status, e.Code)
	case e.Status != 0:
		fmt.Fprintf(&b, "status %d", e.Status)
	case e.Code != "":
		b.WriteString(e.Code)
	default:
		b.WriteString(string(e.Kind))
	}
	if e.Message != "" {
		b.WriteString(": ")
		b.WriteString(e.Message)
	}
	if e.RetryReason != "" {
		fmt.Fprintf(&b, " (%s)", e.RetryReason)
	}
	if e.Unsure {
		b.WriteString("; whether it was carried out is unknown")
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " [request-id %s]", e.RequestID)
	}
	return b.String()
}

// Unwrap gives the cause, which may be one of this package's sentinels.
func (e *Error) Unwrap() error { return e.cause }

// Is lets a write of unknown outcome match ErrOutcomeUnknown.
func (e *Error) Is(target error) bool { return target == ErrOutcomeUnknown && e.Unsure }

// hints says, by kind, what a person can do.
var hints = map[Kind]string{
	KindDenied:      "Ask for the permission, or sign in as somebody with the role: `halligan permissions` lists both.",
	KindNotLicensed: "This needs Microsoft Entra ID P1 or P2. Without it the answer stays unknown.",
	KindNotSignedIn: "Sign in with `halligan login`.",
	KindThrottled:   "Graph asked to slow down and did not stop in time. Try again in some minutes, or give more time with --timeout.",
	KindUnavailable: "Graph did not answer. `halligan doctor` looks at the route; https://status.cloud.microsoft says whether it is Microsoft.",
	KindMalformed:   "The answer is not what Graph sends. A proxy may be in between: `halligan doctor` names it.",
	KindRefused:     "This was refused to protect your token. Do not go on until you know where the answer came from.",
	KindCut:         "A limit was reached before everything was read. What was not read is treated as unknown.",
	KindDeadline:    "Time was up. Give more with --timeout.",
	KindConflict:    "The object has changed, or is there already. Read it again.",
}

// Hint says what a person can do about it; "" when there is nothing to say.
func (e *Error) Hint() string {
	if e.Unsure {
		return "It may have been done. Look at the object before you do it again."
	}
	if e.Kind == KindDenied && e.Permission != "" {
		return fmt.Sprintf("It needs the permission %s. %s", e.Permission, hints[KindDenied])
	}
	return hints[e.Kind]
}

// SecurityError is an answer or a link that was refused to protect a token. No
// request was sent to the place it names.
type SecurityError struct {
	Operation string // what was attempted
	Why       string // what is wrong, without secrets
}

// Error implements error.
func (e *SecurityError) Error() string { return e.Operation + ": refused: " + e.Why }

// Hint says what a person can do about it.
func (e *SecurityError) Hint() string { return hints[KindRefused] }

// NonRetriable tells azcore not to try again.
func (e *SecurityError) NonRetriable() {}

// ConfigError is a setting that cannot be used.
type ConfigError struct {
	What string
	Cure string
}

// Error implements error.
func (e *ConfigError) Error() string { return e.What }

// Hint says what a person can do about it.
func (e *ConfigError) Hint() string { return e.Cure }

// KindOf returns what an error of this package means; KindUnknown for others.
func KindOf(err error) Kind {
	if e, is := errors.AsType[*Error](err); is {
		return e.Kind
	}
	if _, is := errors.AsType[*SecurityError](err); is {
		return KindRefused
	}
	if e, is := errors.AsType[*SignInError](err); is {
		return e.Kind
	}
	return KindUnknown
}

// licenceCodes are the codes with which Graph says that a licence is missing.
// Sources: graph-docs "List signIns" (known issue of the non-premium tenant),
// "Resolve Microsoft Graph authorization errors".
var licenceCodes = []string{
	"Authentication_RequestFromNonPremiumTenantOrB2CTenant",
	"AadPremiumLicenseRequired",
	"TenantIsNotLicensed",
	"LicenseRequired",
}

// licenceWords are how Graph says it when the code is only "Forbidden" or
// "AccessDenied". They only choose the hint: the answer is unknown either way.
var licenceWords = []string{
	"premium license", "premium licence", "doesn't have the required license", "does not have the required license",
	"needs to have microsoft entra", "not licensed", "aad premium", "insufficient license",
}

// kindOfStatus says what an answer means.
func kindOfStatus(status int, code, message string) Kind {
	switch {
	case status == 401:
		return KindNotSignedIn
	case status == 403 || status == 400 || status == 402:
		for _, c := range licenceCodes {
			if strings.EqualFold(c, code) {
				return KindNotLicensed
			}
		}
		lower := strings.ToLower(message)
		for _, w := range licenceWords {
			if strings.Contains(lower, w) {
				return KindNotLicensed
			}
		}
		if status == 400 {
			return KindBadRequest
		}
		return KindDenied
	case status == 404:
		return KindNotFound
	case status == 409 || status == 412 || status == 423:
		return KindConflict
	case status == 429:
		return KindThrottled
	case status >= 500:
		return KindUnavailable
	case status >= 400:
		return KindBadRequest
	}
	return KindMalformed
}

// maxMessage bounds what of a foreign text enters an error.
const maxMessage = 300

// clean makes a foreign text harmless: one line, no control or direction
// characters, at most max characters.
func clean(s string, max int) string {
	if len(s) > 8*max {
		s = s[:8*max]
	}
	s = strings.ToValidUTF8(s, "?")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\r' || r == '\t':
			return ' '
		case unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029':
			return -1
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if utf8.RuneCountInString(s) > max {
		s = string([]rune(s)[:max-1]) + "…"
	}
	return redact(s)
}

// redact takes out what looks like a token: three long parts with dots, as a
// JSON Web Token has them, and what follows the word Bearer.
func redact(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		if strings.Contains(w, "eyJ") && strings.Count(w, ".") >= 1 && len(w) > 20 {
			words[i] = "[token]"
		}
		if i > 0 && strings.EqualFold(words[i-1], "bearer") && len(w) > 12 {
			words[i] = "[token]"
		}
	}
	return strings.Join(words, " ")
}

// rounded is a time as people read it.
func rounded(d time.Duration) time.Duration {
	if d > time.Second {
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
