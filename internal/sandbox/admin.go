package sandbox

import (
	"crypto/subtle"
	"encoding/json"
	"net"
	"net/http"
	"time"
)

// adminHeader carries the key that the sandbox prints when it begins.
const adminHeader = "X-Sandbox-Key"

// adminPaths are the doors of whoever runs the sandbox.
var adminPaths = []struct {
	pattern string
	answer  func(*Server, http.ResponseWriter, *http.Request) error
}{
	{"GET /sandbox/state", (*Server).adminState},
	{"POST /sandbox/reset", (*Server).adminReset},
	{"GET /sandbox/clock", (*Server).adminClock},
	{"POST /sandbox/clock", (*Server).adminAdvance},
	{"GET /sandbox/faults", (*Server).adminFaults},
	{"PUT /sandbox/faults", (*Server).adminSetFaults},
	{"PUT /sandbox/outage", (*Server).adminSetOutages},
	{"GET /sandbox/stats", (*Server).adminStats},
	{"DELETE /sandbox/stats", (*Server).adminClearStats},
	{"POST /sandbox/workload-token", (*Server).adminWorkloadToken},
}

func (s *Server) adminRoutes(mux *http.ServeMux) {
	for _, p := range adminPaths {
		mux.HandleFunc(p.pattern, func(w http.ResponseWriter, r *http.Request) {
			if !s.isAdmin(r) {
				oidcJSON(w, http.StatusForbidden, map[string]string{"error": "this door needs the key that the sandbox printed, in the header " + adminHeader + ", from this machine"})
				return
			}
			if err := p.answer(s, w, r); err != nil {
				oidcJSON(w, http.StatusBadRequest, map[string]string{"error": err.Error()})
			}
		})
	}
}

// isAdmin wants the key and this machine. The key is in a header that no page
// of another origin can send.
func (s *Server) isAdmin(r *http.Request) bool {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	ip := net.ParseIP(host)
	return err == nil && ip != nil && ip.IsLoopback() && r.Header.Get("Origin") == "" &&
		subtle.ConstantTimeCompare([]byte(r.Header.Get(adminHeader)), []byte(s.config.AdminKey)) == 1
}

func (s *Server) adminState(w http.ResponseWriter, _ *http.Request) error {
	data, err := s.Dump()
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(data) // the client may have gone
	return nil
}

func (s *Server) adminReset(w http.ResponseWriter, _ *http.Request) error {
	if err := s.Reset(); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) adminClock(w http.ResponseWriter, _ *http.Request) error {
	oidcJSON(w, http.StatusOK, map[string]any{"now": s.now(), "advanced": time.Duration(s.offset.Load()).String()})
	return nil
}

// Advance moves the tenant's clock forward.
func (s *Server) Advance(by time.Duration) { s.offset.Add(int64(by)) }

func (s *Server) adminAdvance(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Advance string `json:"advance"`
	}
	if err := strict(r, &asked); err != nil {
		return err
	}
	by, err := time.ParseDuration(asked.Advance)
	if err != nil {
		return err
	}
	s.Advance(by)
	return s.adminClock(w, r)
}

// armedView is how a fault that is on is shown.
type armedView struct {
	Fault
	Seen   int `json:"seen"`
	Struck int `json:"struck"`
}

func (s *Server) adminFaults(w http.ResponseWriter, _ *http.Request) error {
	on, out := []armedView{}, []string{}
	s.faults.mu.Lock()
	for _, k := range sortedKinds() {
		if a := s.faults.armed[k.n]; a != nil {
			on = append(on, armedView{a.Fault, a.seen, a.struck})
		}
	}
	for _, kind := range outageKinds {
		if s.faults.outages[kind] {
			out = append(out, kind)
		}
	}
	s.faults.mu.Unlock()
	oidcJSON(w, http.StatusOK, map[string]any{"faults": on, "outages": out, "catalogue": FaultList()})
	return nil
}

// SetFaults replaces the faults that are on; outages stay.
func (s *Server) SetFaults(specs ...string) error {
	var out []string
	for _, kind := range outageKinds {
		if s.faults.outage(kind) {
			out = append(out, kind)
		}
	}
	return s.faults.set(specs, out)
}

func (s *Server) adminSetFaults(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Faults []string `json:"faults"`
	}
	if err := strict(r, &asked); err != nil {
		return err
	}
	if err := s.SetFaults(asked.Faults...); err != nil {
		return err
	}
	return s.adminFaults(w, r)
}

// SetOutages replaces what is out altogether; faults stay.
func (s *Server) SetOutages(kinds ...string) error {
	checked, err := newFaults(nil, kinds)
	if err != nil {
		return err
	}
	s.faults.mu.Lock()
	defer s.faults.mu.Unlock()
	s.faults.outages = checked.outages
	return nil
}

func (s *Server) adminSetOutages(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Outages []string `json:"outages"`
	}
	if err := strict(r, &asked); err != nil {
		return err
	}
	if err := s.SetOutages(asked.Outages...); err != nil {
		return err
	}
	return s.adminFaults(w, r)
}

// Requests are how many requests came in, by family.
func (s *Server) Requests() map[string]int { return s.count.counts() }

func (s *Server) adminStats(w http.ResponseWriter, _ *http.Request) error {
	answer := map[string]any{"requests": s.count.counts()}
	if err := s.saved(); err != nil {
		answer["state"] = err.Error()
	}
	oidcJSON(w, http.StatusOK, answer)
	return nil
}

func (s *Server) adminClearStats(w http.ResponseWriter, _ *http.Request) error {
	s.count.clear()
	w.WriteHeader(http.StatusNoContent)
	return nil
}

func (s *Server) adminWorkloadToken(w http.ResponseWriter, r *http.Request) error {
	var asked struct {
		Subject string `json:"subject"`
	}
	if err := strict(r, &asked); err != nil {
		return err
	}
	token, err := s.WorkloadToken(asked.Subject)
	if err != nil {
		return err
	}
	oidcJSON(w, http.StatusOK, map[string]string{"token": token, "issuer": s.WorkloadIssuer(), "audience": WorkloadAudience})
	return nil
}

// strict reads a small JSON body whose keys are all known.
func strict(r *http.Request, into any) error {
	d := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 64<<10))
	d.DisallowUnknownFields()
	return d.Decode(into)
}
