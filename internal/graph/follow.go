package graph

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Log is a log of the tenant that can be followed.
type Log string

// The logs.
const (
	LogSignIns Log = "signIns"
	LogAudits  Log = "directoryAudits"
)

// logRule is how a log is asked. Sources: graph-docs "List signIns" (beta, for
// signInEventTypes), "List directoryAudits", "directoryAudit resource type".
type logRule struct {
	version  Version
	path     string
	time     string              // member with the event's time
	about    func(string) string // filter for the events of one account
	perBatch int                 // accounts in one filter
	kinds    []string            // of events, asked for by name; nil means one kind
}

var logRules = map[Log]logRule{
	LogSignIns: {Beta, "/auditLogs/signIns", "createdDateTime",
		func(id string) string { return "userId eq '" + id + "'" }, 10,
		[]string{"interactiveUser", "nonInteractiveUser", "servicePrincipal", "managedIdentity"}},
	LogAudits: {V1, "/auditLogs/directoryAudits", "activityDateTime",
		func(id string) string {
			return "initiatedBy/user/id eq '" + id + "' or targetResources/any(t:t/id eq '" + id + "')"
		}, 5, nil},
}

// FollowConfig says what a Follower looks for.
type FollowConfig struct {
	Log      Log
	Accounts []string // object ids; none means everybody's events
	Kinds    []string // of sign-ins; none means all that are known
	Since    time.Time
	Seen     map[string]time.Time // of an earlier Follower's State

	Overlap   time.Duration // each look begins so long before the last one's end: 15 min
	Late      time.Duration // events may come so late: 24 h
	Deep      time.Duration // so often a look goes back by all of Late: 1 h
	Retention time.Duration // how long the tenant keeps the log: 7 days (Free); 30 days with P1
}

// Follower reads a log again and again. It gives each event once, also when it
// comes late or twice, as long as its State is kept. It is used by one goroutine.
type Follower struct {
	client  *Client
	config  FollowConfig
	rule    logRule
	through time.Time // everything before was asked for
	deep    time.Time // of the last look that went back by Late
	seen    map[string]time.Time
}

// Look is what one look at the log brought. Nothing of it counts as seen until
// it is given to Commit: what is lost in between comes again.
type Look struct {
	Events   []json.RawMessage // in the order of Graph
	From, To time.Time         // what was asked for
	Gap      *Gap              // nil when nothing can be missing

	ids  map[string]time.Time
	deep bool
}

// Gap is a time whose events may be gone: the tenant no longer keeps them.
type Gap struct{ From, To time.Time }

// FollowLog returns a Follower that begins at config.Since.
func (c *Client) FollowLog(config FollowConfig) (*Follower, error) {
	rule, known := logRules[config.Log]
	if !known {
		return nil, &ConfigError{What: fmt.Sprintf("follow the log %q: there is no such log", clean(string(config.Log), 40)), Cure: "Use signIns or directoryAudits."}
	}
	for _, id := range config.Accounts {
		if !guid.MatchString(id) {
			return nil, &ConfigError{What: fmt.Sprintf("follow the events of %q: that is no object id", clean(id, 60)), Cure: "Give object ids: a name can change, and the log would be silent."}
		}
	}
	for _, kind := range config.Kinds {
		if !slices.Contains(rule.kinds, kind) {
			return nil, &ConfigError{What: fmt.Sprintf("follow events of kind %q: %s has none", clean(kind, 40), config.Log), Cure: "Use " + strings.Join(rule.kinds, ", ") + "."}
		}
	}
	if config.Since.IsZero() {
		return nil, &ConfigError{What: "follow a log: the time to begin is missing", Cure: "Begin at the time until which events are known."}
	}
	if len(config.Kinds) == 0 {
		config.Kinds = rule.kinds
	}
	config.Overlap = cmp.Or(config.Overlap, 15*time.Minute)
	config.Late = cmp.Or(config.Late, 24*time.Hour)
	config.Deep = cmp.Or(config.Deep, time.Hour)
	config.Retention = cmp.Or(config.Retention, 7*24*time.Hour)
	f := &Follower{client: c, config: config, rule: rule, through: config.Since.UTC(), seen: map[string]time.Time{}}
	for id, at := range config.Seen {
		f.seen[id] = at
	}
	return f, nil
}

// Look asks for the events since the last committed look. With an error the Look
// holds what was read until then, and must not be committed.
func (f *Follower) Look(ctx context.Context) (Look, error) {
	now := f.client.config.Now().UTC()
	look := Look{To: now, From: f.through.Add(-f.config.Overlap), ids: map[string]time.Time{}}
	if f.deep.IsZero() || now.Sub(f.deep) >= f.config.Deep {
		look.deep = true
		look.From = f.through.Add(-f.config.Late - f.config.Overlap)
	}
	if kept := now.Add(-f.config.Retention); look.From.Before(kept) {
		if f.through.Before(kept) {
			look.Gap = &Gap{f.through, kept}
		}
		look.From = kept
	}
	for _, filter := range f.filters(look.From) {
		list, err := f.client.List(ctx, Request{
			Operation: "follow " + string(f.config.Log), Version: f.rule.version, Path: f.rule.path,
			Query: url.Values{"$filter": {filter}}, Family: FamilyReports, Permission: "AuditLog.Read.All",
		})
		// Graph's clock decides until when we have asked: ours may be ahead.
		if !list.Date.IsZero() && list.Date.Before(look.To) {
			look.To = list.Date
		}
		for _, event := range list.Items {
			f.take(&look, event, now)
		}
		if err != nil {
			return look, err
		}
	}
	return look, nil
}

// take adds an event that was not seen yet. One without an id is always given:
// a duplicate is better than a loss.
func (f *Follower) take(look *Look, event json.RawMessage, now time.Time) {
	id := idOf(event)
	if id != "" {
		if _, twice := f.seen[id]; twice {
			return
		}
		if _, twice := look.ids[id]; twice {
			return
		}
		look.ids[id] = eventTime(event, f.rule.time, now)
	}
	look.Events = append(look.Events, event)
}

// eventTime is when an event happened, or now when it does not say so.
func eventTime(event json.RawMessage, member string, now time.Time) time.Time {
	var members map[string]json.RawMessage
	var at time.Time
	if json.Unmarshal(event, &members) != nil || json.Unmarshal(members[member], &at) != nil || at.IsZero() || at.After(now) {
		return now
	}
	return at.UTC()
}

// filters are the questions of one look: accounts in chunks, so that no address
// becomes too long, and each kind of sign-in by name, since Graph gives only
// interactive ones unasked.
func (f *Follower) filters(from time.Time) []string {
	// No upper bound: with a clock that is behind, it would hide events.
	since := f.rule.time + " ge " + from.Format("2006-01-02T15:04:05Z")
	kinds := []string{""}
	if len(f.config.Kinds) > 0 {
		var any []string
		for _, k := range f.config.Kinds {
			any = append(any, "t eq '"+k+"'")
		}
		kinds = []string{" and signInEventTypes/any(t: " + strings.Join(any, " or ") + ")"}
	}
	if len(f.config.Accounts) == 0 {
		return []string{since + kinds[0]}
	}
	var filters []string
	for chunk := range slices.Chunk(f.config.Accounts, f.rule.perBatch) {
		var about []string
		for _, id := range chunk {
			about = append(about, f.rule.about(strings.ToLower(id)))
		}
		filters = append(filters, since+" and ("+strings.Join(about, " or ")+")"+kinds[0])
	}
	return filters
}

// Commit says that the events of a look are safe: they will not come again.
func (f *Follower) Commit(look Look) {
	for id, at := range look.ids {
		f.seen[id] = at
	}
	if look.To.After(f.through) {
		f.through = look.To
	}
	if look.deep {
		f.deep = look.To
	}
	// No look goes back further than this.
	oldest := f.through.Add(-f.config.Late - 2*f.config.Overlap)
	for id, at := range f.seen {
		if at.Before(oldest) {
			delete(f.seen, id)
		}
	}
}

// State is what the next Follower needs to go on where this one is: its Since
// and its Seen.
func (f *Follower) State() (through time.Time, seen map[string]time.Time) {
	seen = map[string]time.Time{}
	for id, at := range f.seen {
		seen[id] = at
	}
	return f.through, seen
}
