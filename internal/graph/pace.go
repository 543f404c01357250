package graph

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Family is a group of resources that share a quota.
type Family string

// The families. FamilyOther has no documented limit of its own.
const (
	FamilyOther              Family = ""
	FamilyDirectory          Family = "directory"
	FamilyConditionalAccess  Family = "conditional access"
	FamilyIdentityProtection Family = "identity protection"
	FamilyReports            Family = "reports"
	FamilyResourceManager    Family = "resource manager"
	FamilyLogs               Family = "log analytics"
)

// Rule is how the requests of a family are paced.
type Rule struct {
	Lane    string        // families with the same lane share it
	Limit   int           // at most so many requests ...
	Window  time.Duration // ... begin in this time; zero means no such limit
	Spacing time.Duration // once throttled, this long between two requests; zero means each waits for itself
	Source  string        // the page that says so
}

const limitsPage = `graph-docs "Microsoft Graph service-specific throttling limits"`

// Families holds the rule of each family.
var Families = map[Family]Rule{
	FamilyOther: {Lane: "other", Source: `graph-docs "Microsoft Graph throttling guidance"`},
	// Resource units per application and tenant; the answers say how near the limit is.
	FamilyDirectory: {Lane: "directory", Source: limitsPage + ", Identity and access service limits"},
	// One request a second per tenant for all applications, and no Retry-After.
	// Nobody can know what the others use, so we begin at full speed and take
	// one second with jitter after the first 429.
	FamilyConditionalAccess:  {Lane: "conditional access", Spacing: time.Second, Source: limitsPage + ", Identity protection and conditional access service limits"},
	FamilyIdentityProtection: {Lane: "conditional access", Spacing: time.Second, Source: limitsPage + ", Identity protection and conditional access service limits"},
	// Five requests in ten seconds per application and tenant.
	FamilyReports:         {Lane: "reports", Limit: 5, Window: 10 * time.Second, Spacing: 2 * time.Second, Source: limitsPage + ", Identity and access reports service limits"},
	FamilyResourceManager: {Lane: "resource manager", Source: `azure-docs "Understand how Azure Resource Manager throttles requests"`},
	FamilyLogs:            {Lane: "log analytics", Source: `azure-docs "Azure Monitor service limits", log queries`},
}

const (
	floorWait   = time.Second             // never less after a 429
	maxSpacing  = 8 * time.Second         // of a lane that is throttled again and again
	calmAfter   = 2 * time.Minute         // without a 429 a lane runs free again
	slowFrom    = 0.9                     // of x-ms-throttle-limit-percentage
	jitterShare = 10                      // jitter is between a twentieth and a tenth of the spacing
	maxSlowing  = 1500 * time.Millisecond // between two requests at the documented worst, 1.8
)

// Pacer holds the lanes of all tenants of a process. Clients that share one
// share the lanes of the tenants they have in common.
type Pacer struct {
	mu    sync.Mutex
	lanes map[[2]string]*lane
}

// NewPacer returns a Pacer in which nothing has been throttled yet.
func NewPacer() *Pacer { return &Pacer{lanes: map[[2]string]*lane{}} }

func (p *Pacer) lane(f Family, tenant string) *lane {
	rule := Families[f]
	key := [2]string{strings.ToLower(tenant), rule.Lane}
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.lanes[key]
	if l == nil {
		l = &lane{rule: rule}
		p.lanes[key] = l
	}
	return l
}

// lane orders the requests of one family to one tenant in time.
type lane struct {
	rule Rule

	mu      sync.Mutex
	next    time.Time     // no request begins before
	spacing time.Duration // between two requests; zero means none
	slowed  time.Duration // between two requests because the quota is nearly used
	away    int           // requests under way
	back    time.Time     // when the last one was answered
	freed   chan struct{} // closed when one is; nil while nobody waits for that
	last429 time.Time
	starts  []time.Time // of the last Limit requests, also those still to begin
}

// turn is a request's place in its lane.
type turn struct{ paced bool }

// enter waits for the turn. It takes its place at once, so that requests begin
// in the order in which they came.
func (l *lane) enter(ctx context.Context, c *Client, waiting func(time.Duration, string)) (turn, error) {
	chance := c.chance()
	l.mu.Lock()
	now := time.Now()
	if l.spacing > 0 && now.Sub(l.last429) > calmAfter {
		l.spacing = 0
	}
	start, reason := now, ""
	if l.next.After(start) {
		start, reason = l.next, fmt.Sprintf("%s: one request in %s since it was throttled", l.rule.Lane, rounded(l.spacing))
		if l.spacing == 0 {
			reason = fmt.Sprintf("%s: the quota is nearly used", l.rule.Lane)
		}
	}
	if n := l.rule.Limit; n > 0 && len(l.starts) >= n {
		if free := l.starts[len(l.starts)-n].Add(l.rule.Window); free.After(start) {
			start, reason = free, fmt.Sprintf("%s: at most %d requests in %s", l.rule.Lane, n, l.rule.Window)
		}
	}
	if deadline, set := ctx.Deadline(); set && start.After(deadline) {
		l.mu.Unlock() // the place is left to others
		return turn{}, context.DeadlineExceeded
	}
	if n := l.rule.Limit; n > 0 {
		l.starts = append(l.starts[max(0, len(l.starts)-n+1):], start)
	}
	if gap := max(l.spacing, l.slowed); gap > 0 {
		// Never less than half the jitter: other programs use the quota as well.
		l.next = start.Add(gap + time.Duration((1+chance)/2*float64(gap)/jitterShare))
	}
	paced := l.spacing > 0
	l.mu.Unlock()
	if wait := start.Sub(now); wait > 0 {
		waiting(wait, reason)
		if err := c.sleep(ctx, wait); err != nil {
			return turn{}, err
		}
	}
	return turn{paced}, nil
}

// depart lets a request leave; whoever calls it calls arrive when the answer is
// there. In a throttled lane it waits until all that left before was answered, and
// the spacing from then on: what leaves evenly arrives unevenly, and only the
// answer shows when a request has arrived.
func (l *lane) depart(ctx context.Context, c *Client, t turn) error {
	for {
		l.mu.Lock()
		rest, freed := time.Duration(0), (chan struct{})(nil)
		if t.paced && c.config.Sleep == nil { // a test's sleeps are all the time that passes
			rest = time.Until(l.back.Add(l.spacing))
			if l.away > 0 {
				if l.freed == nil {
					l.freed = make(chan struct{})
				}
				freed = l.freed
			}
		}
		if freed == nil && rest <= 0 {
			l.away++
			l.mu.Unlock()
			return nil
		}
		l.mu.Unlock()
		if freed == nil {
			if err := c.sleep(ctx, rest); err != nil {
				return err
			}
			continue
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// arrive notes that a request was answered, or never will be.
func (l *lane) arrive() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.away--
	l.back = time.Now()
	if l.freed != nil {
		close(l.freed)
		l.freed = nil
	}
}

// leave learns from an answer.
func (l *lane) leave(t turn, status int, h http.Header) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.slowed = slowing(h)
	if status != http.StatusTooManyRequests || l.rule.Spacing == 0 {
		if status/100 == 2 && t.paced && l.spacing > l.rule.Spacing {
			l.spacing = max(l.spacing/2, l.rule.Spacing)
		}
		return
	}
	l.last429 = now
	if told := h.Get("Retry-After"); told != "" {
		// The quota is the lane's: others would only be refused as well.
		wait, _ := retryAfter(told, dateOf(h, now))
		defer func() { l.next = later(l.next, now.Add(wait)) }()
	}
	switch {
	case l.spacing == 0:
		l.spacing = l.rule.Spacing
		l.next = now.Add(l.spacing)
	case t.paced: // although we kept to it: somebody else uses the quota as well
		l.spacing = min(2*l.spacing, maxSpacing)
		l.next = later(l.next, now.Add(l.spacing))
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// dateOf is when an answer was sent by its own clock, so that a wrong local one
// does not matter.
func dateOf(h http.Header, now time.Time) time.Time {
	if t, err := http.ParseTime(h.Get("Date")); err == nil {
		return t
	}
	return now
}

// isPaced reports whether requests of this lane have to wait for each other.
func (l *lane) isPaced() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.rule.Limit > 0 || l.spacing > 0
}

// slowing is the gap between two requests that x-ms-throttle-limit-percentage
// asks for; Graph sends it above 0.8 of the quota, up to 1.8.
func slowing(h http.Header) time.Duration {
	share, err := strconv.ParseFloat(h.Get("X-Ms-Throttle-Limit-Percentage"), 64)
	if err != nil || !(share > slowFrom) {
		return 0
	}
	return time.Duration(min((share-slowFrom)/0.9, 1) * float64(maxSlowing))
}

// maxTold is the longest Retry-After that is taken at its word. Longer than any
// deadline of ours, so what is above is the same as this.
const maxTold = 24 * time.Hour

// retryAfter reads a Retry-After header: seconds, also with a fraction
// ("2.128" is sent in practice), or a date, read by the answer's own clock. It
// returns at least a second and at most a day, or zero with the reason when the
// header says nothing that can be followed.
func retryAfter(value string, now time.Time) (time.Duration, string) {
	value = strings.TrimSpace(value)
	quoted := strconv.Quote(clean(value, 40))
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && isDecimal(value) {
		switch {
		case seconds < 0:
			return 0, "asked to wait a negative time: " + quoted
		case seconds > maxTold.Seconds():
			return maxTold, "asked to wait longer than a day: " + quoted
		}
		told := time.Duration(seconds * float64(time.Second))
		if told < floorWait {
			return floorWait, fmt.Sprintf("asked to wait %s; waiting at least %s", quoted, floorWait)
		}
		return told, fmt.Sprintf("asked to wait %s", told)
	}
	if when, err := http.ParseTime(value); err == nil {
		told := when.Sub(now)
		switch {
		case told > maxTold:
			return maxTold, "asked to wait longer than a day: until " + quoted
		case told < floorWait:
			return floorWait, fmt.Sprintf("asked to wait until %s, which is past; waiting %s", quoted, floorWait)
		}
		return told, fmt.Sprintf("asked to wait until %s", quoted)
	}
	return 0, "asked to wait in words that are not understood: " + quoted
}

// isDecimal keeps out what ParseFloat takes and no server means: "Inf", "0x1p3", "1e3".
func isDecimal(s string) bool {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "+"), "-")
	return s != "" && strings.Trim(s, "0123456789.") == ""
}
