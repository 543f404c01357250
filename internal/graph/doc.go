// Package graph is Halligan's way into a live tenant: signing in, and a typed
// layer over Microsoft Graph and Azure Resource Manager.
//
// # What it promises
//
// A token goes to exactly the host it was asked for, over TLS 1.2 or newer, and
// to no other: redirects are never followed, and the next page of a list only
// when its link has the configured scheme, host, port, API version and no user
// name. Anything else is a *SecurityError, and no request is sent.
//
// A read that fails for a moment is read again, within a bound and a deadline.
// A write whose answer was lost, or that was answered with 429 or 5xx, is never
// sent again: the error matches ErrOutcomeUnknown, and the caller reads back.
//
// Nothing that was not read is empty. A list is an error, or cut short with a
// reason, or complete; never silently shorter than it is. An answer that is cut
// off, has no value, or hides an error in a 200, is an error of its own.
//
// Each family of resources has its own lane (Families): Conditional Access and
// Identity Protection are limited to one request a second for all applications
// of a tenant together, reports to five in ten seconds; other lanes go on while
// one waits.
//
// # What it refuses
//
// It consults no environment variable for a proxy, a token or an authority, and
// follows no setting that was not given. It never prints a token, and keeps no
// answer of a token endpoint in its errors. It verifies no token's signature:
// claims are read to notice a wrong tenant or a missing permission early, and
// Graph is the judge.
//
// Every wait ends with its context. All methods of Client and Pacer may be used
// by several goroutines.
//
// Sources: entra-docs "Best practices for working with Microsoft Graph",
// "Microsoft Graph throttling guidance", "Microsoft Graph service-specific
// throttling limits", "Combine multiple requests in one HTTP call using JSON
// batching", "Paging Microsoft Graph data in your app", "Microsoft Graph error
// responses and resource types".
package graph
