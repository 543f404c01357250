package sandbox

import (
	"context"
	"crypto"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// Config says what tenant to emulate and how.
type Config struct {
	// State is where the tenant begins: Example or FromSnapshot.
	State *State
	// Host is the name and port under which it is reached: "localhost:8443".
	Host string
	// Now is the tenant's clock; nil is time.Now.
	Now func() time.Time
	// File keeps the state, when not "". A file that is there already is where
	// the tenant goes on; Reset goes back to State.
	File string
	// LogDelay is how long a sign-in or change takes to show in the logs.
	LogDelay time.Duration

	// Faults and Outages are on from the start, as on the command line:
	// "11=evil-suffix", "3,times=2,path=/identity/conditionalAccess"; "mfa".
	Faults  []string
	Outages []string
	// Limits are the quotas of Microsoft Graph that are kept.
	Limits Limits
	// Delay is added to each request, for benchmarks.
	Delay time.Duration
	// AdminKey opens /sandbox/; "" makes one.
	AdminKey string
	// Issuers are the public keys of outside issuers of workload tokens, by
	// issuer URL. The sandbox asks nobody for keys: an issuer that is not here
	// and is not the sandbox itself is refused.
	Issuers map[string]crypto.PublicKey

	// Record is told every request to Graph and Resource Manager with its answer,
	// one line of JSON each (record.go); nil nobody.
	Record io.Writer

	// routes serve Graph and Resource Manager; nil are the sandbox's own.
	routes func(*Server, *http.ServeMux)
}

// Server is one emulated tenant. It is an http.Handler, to be served over TLS
// under Config.Host.
type Server struct {
	Tenant
	config  Config
	mux     *http.ServeMux
	faults  *Faults
	tokens  *tokenMill
	waiting *waitingRoom
	pace    *pacer
	count   *requestCounter
	saver   *saver
	record  *recorder
	start   []byte // the dump that Reset goes back to
	replica func() (http.Handler, error)
	offset  atomic.Int64 // nanoseconds by which the clock was advanced
}

// New makes the server of one tenant.
func New(config Config) (*Server, error) {
	if config.State == nil || config.State.ID == "" {
		return nil, errors.New("open the sandbox: it needs a tenant with an id to begin with")
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.routes == nil {
		config.routes = func(s *Server, mux *http.ServeMux) {
			s.graphRoutes(mux)
			s.armRoutes(mux)
		}
	}
	if config.Host == "" {
		config.Host = "localhost"
	}
	if config.AdminKey == "" {
		config.AdminKey = rand.Text()
	}
	faults, err := newFaults(config.Faults, config.Outages)
	if err != nil {
		return nil, err
	}
	mill, err := newTokenMill()
	if err != nil {
		return nil, err
	}
	start, err := dump(config.State)
	if err != nil {
		return nil, err
	}
	s := &Server{config: config, mux: http.NewServeMux(), faults: faults, tokens: mill,
		waiting: newWaitingRoom(), pace: newPacer(config.Limits), count: newRequestCounter(), start: start, record: newRecorder(config.Record)}
	if err := s.open(); err != nil {
		return nil, err
	}
	s.replica = s.newReplica
	s.oidcRoutes(s.mux)
	s.pageRoutes(s.mux)
	s.adminRoutes(s.mux)
	config.routes(s, s.mux)
	return s, nil
}

// newReplica is the directory as it is now, for reads after it has changed
// (fault 19). Whoever asks has been let in by the server itself.
func (s *Server) newReplica() (http.Handler, error) {
	data, err := s.Dump()
	if err != nil {
		return nil, err
	}
	state, err := undump(data)
	if err != nil {
		return nil, err
	}
	old := &Server{Tenant: Tenant{state: state}, config: s.config, mux: http.NewServeMux(), faults: &Faults{},
		tokens: s.tokens, waiting: s.waiting, pace: s.pace, count: s.count}
	s.config.routes(old, old.mux)
	return old.mux, nil
}

// now is the tenant's time: the clock it was given, what was advanced, and by
// how much a fault makes it wrong.
func (s *Server) now() time.Time {
	return s.config.Now().Add(time.Duration(s.offset.Load()) + s.faults.skew()).UTC()
}

// base is the address of the tenant, without a slash at its end.
func (s *Server) base() string { return "https://" + s.config.Host }

// AdminKey opens /sandbox/ in the header X-Sandbox-Key.
func (s *Server) AdminKey() string { return s.config.AdminKey }

type passed struct{}

// ServeHTTP answers one request.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Context().Value(passed{}) != nil { // a part of a batch: the whole has passed
		s.mux.ServeHTTP(w, r)
		return
	}
	// A page of another name that resolves to this machine must not reach the
	// tenant (DNS rebinding).
	if r.Host != "" && !strings.EqualFold(r.Host, s.config.Host) {
		http.Error(w, fmt.Sprintf("this is %s, and no other name", s.config.Host), http.StatusMisdirectedRequest)
		return
	}
	r = r.WithContext(context.WithValue(r.Context(), passed{}, true))
	r.Body = http.MaxBytesReader(w, r.Body, maxRequest)
	if strings.HasPrefix(r.URL.Path, "/sandbox/") {
		s.mux.ServeHTTP(w, r)
		return
	}
	s.count.add(familyOf(r.URL.Path))
	if !pauseFor(r.Context(), s.config.Delay) {
		return
	}
	if isGraph(r.URL.Path) {
		s.record.around(s.serveGraph)(w, r)
		return
	}
	s.serveLogin(w, r)
}

// maxRequest is more than the largest request that Graph takes.
const maxRequest = 4 << 20

// pauseFor waits, and reports false when the client has gone.
func pauseFor(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// isGraph tells the requests that carry a token for Graph or Resource Manager.
func isGraph(path string) bool {
	for _, prefix := range []string{"/v1.0/", "/beta/", "/subscriptions/", "/providers/"} {
		if strings.HasPrefix(path, prefix) || path+"/" == prefix {
			return true
		}
	}
	return false
}
