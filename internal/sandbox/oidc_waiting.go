package sandbox

import (
	"crypto/rand"
	"fmt"
	"sync"
	"time"
)

// Flow is an authorization that waits for a person: begun at /authorize or with
// a device code, ended by granted or refused.
type Flow struct {
	ID, ClientID, RedirectURI, State, Nonce, Challenge string
	ResponseMode, LoginHint, Prompt, Claims            string
	Resource                                           string   // application id of what is asked for
	Scopes                                             []string // as asked
	Device                                             bool     // device code
	Begun                                              time.Time

	method   string // of the challenge: S256 or plain
	audience string // the resource as the client named it
	userCode string
}

// Signed is a person who has signed in.
type Signed struct {
	UserID    string
	Methods   []string // amr values: pwd, mfa, fido, rsa, otp
	MFA       bool
	At        time.Time
	SessionID string
	// Attempt is what the sign-in was judged on. When it is there, each refresh
	// is judged on it again: policies that changed meanwhile count.
	Attempt *Attempt
}

// codeGrant is what a code, a refresh token or a device code stands for.
type codeGrant struct {
	flow    Flow
	who     Signed
	expires time.Time
	used    bool
	family  string // refresh tokens that descend from one sign-in
}

// deviceGrant is one device code.
type deviceGrant struct {
	flow    *Flow
	code    string
	expires time.Time
	polls   []time.Time // of the last interval
	granted *codeGrant
	denied  *refusal
}

// waitingRoom holds what is under way. It is memory only: a restart asks all to
// sign in again.
type waitingRoom struct {
	mu       sync.Mutex
	flows    map[string]*Flow
	consents map[string]*consent
	codes    map[string]*codeGrant
	refresh  map[string]*codeGrant
	devices  map[string]*deviceGrant // by device code
	revoked  map[string]bool         // families
	answered map[string]bool         // tokens that were issued on a claims challenge, by uti
}

const (
	flowLife    = 15 * time.Minute
	codeLife    = 10 * time.Minute // v2-oauth2-auth-code-flow: "typically, they expire after about 10 minutes"
	refreshLife = 90 * 24 * time.Hour
	maxWaiting  = 10_000
)

func newWaitingRoom() *waitingRoom {
	room := &waitingRoom{}
	room.clear()
	return room
}

func (q *waitingRoom) clear() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.flows, q.consents = map[string]*Flow{}, map[string]*consent{}
	q.codes, q.refresh = map[string]*codeGrant{}, map[string]*codeGrant{}
	q.devices, q.revoked, q.answered = map[string]*deviceGrant{}, map[string]bool{}, map[string]bool{}
}

// keepBounded puts a value into a map that forgets rather than grows without end.
func keepBounded[V any](m map[string]V, key string, v V) {
	if len(m) >= maxWaiting {
		for old := range m {
			delete(m, old)
			break
		}
	}
	m[key] = v
}

func (q *waitingRoom) begin(f *Flow) {
	q.mu.Lock()
	defer q.mu.Unlock()
	keepBounded(q.flows, f.ID, f)
}

// flow finds a waiting authorization.
func (s *Server) flow(id string) (*Flow, bool) {
	s.waiting.mu.Lock()
	defer s.waiting.mu.Unlock()
	f := s.waiting.flows[id]
	if f == nil || s.now().Sub(f.Begun) > flowLife {
		return nil, false
	}
	return f, true
}

// end takes a flow out, so that it ends once.
func (q *waitingRoom) end(f *Flow) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.flows[f.ID] == nil {
		return false
	}
	delete(q.flows, f.ID)
	return true
}

// newCode makes an authorization code.
func (q *waitingRoom) newCode(g *codeGrant, now time.Time) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	code := "1.A" + rand.Text() + rand.Text()
	g.expires = now.Add(codeLife)
	keepBounded(q.codes, code, g)
	return code
}

// newRefresh makes a refresh token of a family.
func (q *waitingRoom) newRefresh(g codeGrant, now time.Time) string {
	q.mu.Lock()
	defer q.mu.Unlock()
	token := "1.R" + rand.Text() + rand.Text()
	g.expires, g.used = now.Add(refreshLife), false
	keepBounded(q.refresh, token, &g)
	return token
}

// oidcID is a random GUID, version 4.
func oidcID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16])
}
