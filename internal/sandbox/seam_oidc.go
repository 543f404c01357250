package sandbox

import (
	"net/http"
	"time"
)

// Caller is whoever a request's token speaks for.
type Caller struct {
	AppID  string
	UserID string // "" for an application's own token
	// Permissions are the scopes of a delegated token or the app roles of an
	// application's.
	Permissions []string
	Audience    string // the resource: Graph, Resource Manager
}

// Delegated reports whether a person stands behind the call.
func (c Caller) Delegated() bool { return c.UserID != "" }

// caller verifies the bearer token of a request.
func (s *Server) caller(r *http.Request) (Caller, error) { return Caller{}, nil }

// Flow is an authorization that waits for a person: begun at /authorize or with
// a device code, ended by granted or refused.
type Flow struct {
	ID, ClientID, RedirectURI, State, Nonce, Challenge string
	ResponseMode, LoginHint, Prompt, Claims            string
	Resource                                           string   // application id of what is asked for
	Scopes                                             []string // as asked
	Device                                             bool     // device code
	Begun                                              time.Time
}

// Signed is a person who has signed in.
type Signed struct {
	UserID    string
	Methods   []string // amr values: pwd, mfa, fido, rsa, otp
	MFA       bool
	At        time.Time
	SessionID string
}

// flow finds a waiting authorization.
func (s *Server) flow(id string) (*Flow, bool) { return nil, false }

// granted ends a flow for a person who was let in: it asks for consent where
// that is missing and sends the browser back with a code.
func (s *Server) granted(w http.ResponseWriter, r *http.Request, f *Flow, who Signed) {}

// refused ends a flow with an OAuth error.
func (s *Server) refused(w http.ResponseWriter, r *http.Request, f *Flow, code, description string) {}
