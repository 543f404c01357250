// Package sandbox is an emulated Microsoft Entra tenant: the sign-in endpoints,
// Microsoft Graph and the little of Azure Resource Manager that Halligan reads,
// the sign-in and audit logs, and faults on demand. People try Halligan on it,
// train on it and exercise in it; every capability is tested against it.
//
// It is held against Microsoft's description, never against our client: it does
// not import package graph, and its judgement of a sign-in shares no code with
// package lockout. What it believes about Microsoft Entra names the page of the
// documentation that says so.
//
// One Server is one tenant behind one name, https://localhost:PORT:
//
//	/{tenant}/…                  sign-in: OpenID configuration, authorize, token, device code (oidc*.go)
//	/v1.0/…, /beta/…             Microsoft Graph (graph*.go, rules*.go)
//	/subscriptions/…, /providers Azure Resource Manager (arm.go)
//	/signin, /security-info      the pages on which people sign in and register (page*.go)
//	/sandbox/…                   the door of whoever runs the sandbox: state, reset, clock, faults (admin.go)
//
// The state (State) is plain data: objects as Graph shows them, links between
// them, and what Graph never shows (credentials). It lives in memory and, when a
// file is named, there too; Dump writes it canonically.
package sandbox
