package sandbox

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limits are the quotas that are kept (graph throttling-limits).
type Limits struct {
	// ConditionalAccess is one request a second for the tenant, over Conditional
	// Access and Identity Protection, without Retry-After.
	ConditionalAccess bool
	// Reports is 5 requests in 10 seconds for an application.
	Reports bool
	// Directory counts resource units per application, and tells them in headers.
	Directory bool
}

// families are the parts of the service that share a quota, by how a path
// begins after the version; the first that fits counts.
var families = []struct{ prefix, family string }{
	// Not among the resources that the one request a second is for (graph-docs
	// throttling-limits: conditionalAccessPolicy, namedLocation, riskDetection,
	// riskyUser).
	{"identity/conditionalAccess/authenticationContextClassReferences", "directory"},
	{"identity/conditionalAccess", "conditionalAccess"},
	{"identityProtection", "conditionalAccess"},
	{"auditLogs", "reports"},
	{"reports", "reports"},
	{"$batch", "batch"},
}

// familyOf names the part of the service that a path belongs to.
func familyOf(path string) string {
	rest, is := strings.CutPrefix(path, "/v1.0/")
	if !is {
		rest, is = strings.CutPrefix(path, "/beta/")
	}
	switch {
	case !is && isGraph(path):
		return "arm"
	case strings.HasSuffix(path, "/token"):
		return "token"
	case !is:
		return "login"
	}
	for _, f := range families {
		if rest == f.prefix || strings.HasPrefix(rest, f.prefix+"/") {
			return f.family
		}
	}
	return "directory"
}

// unitCosts are resource units of reads (graph throttling-limits, "resource unit
// cost per request"); what is not here costs 1. The longest ending counts.
var unitCosts = []struct {
	ending string
	cost   int
}{
	{"users", 2}, {"members", 3}, {"transitiveMembers", 5}, {"memberOf", 2}, {"transitiveMemberOf", 2}, {"ownedObjects", 2},
	{"licenseDetails", 2}, {"subscribedSkus", 3}, {"applications", 2}, {"appRoleAssignments", 2}, {"appRoleAssignedTo", 2},
	{"oauth2PermissionGrants", 2}, {"getByIds", 3}, {"checkMemberGroups", 4}, {"getMemberGroups", 2},
}

func unitCost(method string, u *url.URL) int {
	cost := 1
	last := u.Path[strings.LastIndex(u.Path, "/")+1:]
	for _, c := range unitCosts {
		if last == c.ending {
			cost = c.cost
		}
	}
	if method != http.MethodGet && method != http.MethodPost {
		return 1
	}
	query := u.Query()
	if query.Has("$select") {
		cost--
	}
	if query.Has("$expand") {
		cost++
	}
	if top, err := strconv.Atoi(query.Get("$top")); err == nil && top < 20 {
		cost--
	}
	return max(1, cost)
}

// pacer keeps the quotas, by the tenant's clock.
type pacer struct {
	limits Limits
	mu     sync.Mutex
	policy time.Time              // the last request of the Conditional Access family
	report map[string][]time.Time // by application, those of the last 10 seconds
	units  map[string]*bucket
}

type bucket struct {
	used  float64
	since time.Time
}

const (
	policyPace   = time.Second
	reportWindow = 10 * time.Second
	reportQuota  = 5
	unitWindow   = 10 * time.Second
)

func newPacer(limits Limits) *pacer {
	return &pacer{limits: limits, report: map[string][]time.Time{}, units: map[string]*bucket{}}
}

// throttled keeps the quotas; nil goes on.
func (s *Server) throttled(r *http.Request, method string, u *url.URL) *faultReply {
	p := s.pace
	if p.limits == (Limits{}) {
		return nil
	}
	now, app := s.now(), s.appOf(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	switch familyOf(u.Path) {
	case "conditionalAccess":
		if p.limits.ConditionalAccess {
			if wait := policyPace - now.Sub(p.policy); wait > 0 && wait <= policyPace {
				return s.tooManyNow(r, nil)
			}
			p.policy = now
		}
	case "reports":
		if p.limits.Reports {
			return s.reports(r, app, now)
		}
	case "directory":
		if p.limits.Directory {
			return s.spend(r, app, unitCost(method, u), now)
		}
	}
	return nil
}

func (s *Server) reports(r *http.Request, app string, now time.Time) *faultReply {
	var recent []time.Time
	for _, at := range s.pace.report[app] {
		if now.Sub(at) < reportWindow {
			recent = append(recent, at)
		}
	}
	if len(recent) >= reportQuota {
		s.pace.report[app] = recent
		wait := reportWindow - now.Sub(recent[0])
		return s.tooManyNow(r, map[string]string{"Retry-After": strconv.Itoa(int((wait + time.Second - 1) / time.Second))})
	}
	s.pace.report[app] = append(recent, now)
	return nil
}

// spend takes resource units; the bucket grows with the tenant's people.
func (s *Server) spend(r *http.Request, app string, cost int, now time.Time) *faultReply {
	size, tenant := 3500.0, ""
	s.View(func(state *State) {
		tenant = state.ID
		if users := state.Sets["users"]; users != nil && len(users.Order) > 500 {
			size = 8000
		} else if users != nil && len(users.Order) >= 50 {
			size = 5000
		}
	})
	b := s.pace.units[app]
	if b == nil || now.Sub(b.since) >= unitWindow {
		b = &bucket{since: now}
		s.pace.units[app] = b
	}
	if b.used+float64(cost) > size {
		wait := unitWindow - now.Sub(b.since)
		return s.tooManyNow(r, map[string]string{
			"Retry-After":                    strconv.Itoa(int((wait + time.Second - 1) / time.Second)),
			"x-ms-resource-unit":             strconv.Itoa(cost),
			"x-ms-throttle-scope":            fmt.Sprintf("Tenant_Application/ReadWrite/%s/%s", app, tenant),
			"x-ms-throttle-information":      "ResourceUnitLimitExceeded",
			"x-ms-throttle-limit-percentage": "1.0",
		})
	}
	b.used += float64(cost)
	return nil
}

// tellUnits writes what a request cost.
func (s *Server) tellUnits(w http.ResponseWriter, r *http.Request) {
	if !s.pace.limits.Directory || familyOf(r.URL.Path) != "directory" {
		return
	}
	w.Header().Set("x-ms-resource-unit", strconv.Itoa(unitCost(r.Method, r.URL)))
	s.pace.mu.Lock()
	b := s.pace.units[s.appOf(r)]
	used := 0.0
	if b != nil {
		used = b.used
	}
	s.pace.mu.Unlock()
	if share := used / 3500; share > 0.8 {
		w.Header().Set("x-ms-throttle-limit-percentage", strconv.FormatFloat(min(share, 1.8), 'f', 1, 64))
	}
}

// appOf is the application of a request's token, "" when it has none. Quotas
// count before anybody looks whether the token is good.
func (s *Server) appOf(r *http.Request) string {
	if c, err := s.caller(r); err == nil {
		return c.AppID
	}
	return ""
}

func (s *Server) tooManyNow(r *http.Request, header map[string]string) *faultReply {
	reply := (&wire{s: s, r: r}).graphReply(http.StatusTooManyRequests, "TooManyRequests", "Too many requests. Please retry later.")
	maps.Copy(reply.header, header)
	return reply
}

// requestCounter counts requests by family, for benchmarks.
type requestCounter struct {
	mu  sync.Mutex
	all map[string]int
}

func newRequestCounter() *requestCounter { return &requestCounter{all: map[string]int{}} }

func (c *requestCounter) add(family string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.all[family]++
}

func (c *requestCounter) counts() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return maps.Clone(c.all)
}

func (c *requestCounter) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	clear(c.all)
}
