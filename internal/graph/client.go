package graph

import (
	"cmp"
	"context"
	crand "crypto/rand"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
)

// Version says which interface a request is for. Nothing is shared between
// them: a link of one is refused by the other.
type Version string

// The interfaces.
const (
	V1   Version = "v1.0"
	Beta Version = "beta"
	ARM  Version = "arm"  // Azure Resource Manager: the caller gives api-version
	Logs Version = "logs" // Log Analytics queries
)

// Config is what a Client is made from. Only Credential and Cloud are needed.
type Config struct {
	Cloud      Cloud
	Tenant     string                 // id or domain; a token of another tenant is refused
	Credential azcore.TokenCredential // see Method.Build, or any other
	Scopes     []string               // for Graph; nil means its ".default"
	Proxy      *url.URL               // nil means none: the environment is not consulted
	Roots      *x509.CertPool         // nil means those of the cloud, then of the system
	Pacer      *Pacer                 // shared by the clients of a process; nil means an own one
	Limits     Limits                 // zero values mean the defaults
	UserAgent  string                 // "halligan" when empty
	Now        func() time.Time       // time.Now when nil
	Rand       io.Reader              // crypto/rand when nil: request ids and jitter

	// Observe is told of each attempt and each wait, from any goroutine; nil
	// means nobody listens.
	Observe func(Event)

	// Wrap lets a test stand between the client and the network.
	Wrap func(http.RoundTripper) http.RoundTripper
	// Sleep lets a test see each wait and shorten it; nil waits.
	Sleep func(context.Context, time.Duration) error
	// Without lets a test switch off defences, to see that it would notice;
	// outside of tests it is nil.
	Without map[Defence]bool
}

// Limits bound what one request may take. A zero value means the default.
type Limits struct {
	Body      int64         // decoded bytes of one answer: 64 MiB
	Pages     int           // of one list: 10,000
	Items     int           // of one list: 1,000,000
	Attempts  int           // of a read that fails for another reason than throttling: 4
	Attempt   time.Duration // one attempt with its body: 30 s
	Operation time.Duration // one request with all attempts and waits: 3 min
	List      time.Duration // all pages of a list: 10 min
	Parallel  int           // requests under way at a time: 64
}

// defaultLimits are generous for a tenant of a million users and small enough
// that a server gone mad cannot hold a run for an hour.
var defaultLimits = Limits{
	Body: 64 << 20, Pages: 10_000, Items: 1_000_000, Attempts: 4,
	Attempt: 30 * time.Second, Operation: 3 * time.Minute, List: 10 * time.Minute, Parallel: atOnce,
}

func (l Limits) orDefault() Limits {
	d := defaultLimits
	return Limits{
		Body: cmp.Or(l.Body, d.Body), Pages: cmp.Or(l.Pages, d.Pages), Items: cmp.Or(l.Items, d.Items),
		Attempts: cmp.Or(l.Attempts, d.Attempts), Attempt: cmp.Or(l.Attempt, d.Attempt),
		Operation: cmp.Or(l.Operation, d.Operation), List: cmp.Or(l.List, d.List), Parallel: cmp.Or(l.Parallel, d.Parallel),
	}
}

// Request is one call of Graph or Resource Manager.
type Request struct {
	Operation  string          // what it does, in words, for errors: "list policies"
	Method     string          // GET when empty
	Version    Version         // V1 when empty
	Path       string          // "/identity/conditionalAccess/policies": no version, no query, escaped by PathOf
	Query      url.Values      // "$select", "$filter", ...
	Header     http.Header     // besides what the client sets itself
	Body       json.RawMessage // nil means none
	Family     Family          // whose quota it uses
	Permission string          // the least permission it needs, for hints
	Pages      int             // of a list at most; 0 means the client's limit
	Eventual   bool            // ConsistencyLevel: eventual, on every page
	Read       bool            // a POST that changes nothing, such as What-If: may be sent again
	Paged      bool            // in a batch: the answer is a list, and all its pages are wanted
}

// reads reports whether sending the request twice does no harm.
func (r Request) reads() bool { return r.Read || r.Method == http.MethodGet }

// Answer is the success of a Request.
type Answer struct {
	Status int
	Header http.Header
	Body   json.RawMessage // valid JSON; nil when there was none (204)
}

// Event is one thing that happened on the way, for a progress line.
type Event struct {
	What      string // "answered", "failed" or "waiting"
	Operation string
	Family    Family
	Status    int           // 0 without an answer
	Took      time.Duration // of the attempt
	Wait      time.Duration // before the next one
	Reason    string        // why we wait, or what failed
}

// Stats counts what a Client has done so far.
type Stats struct {
	Attempts  int64 // requests sent
	Throttled int64 // of them answered with 429
	Again     int64 // reads sent once more
	Units     int64 // resource units that Graph said it charged
}

// Client speaks to one tenant. It is safe for concurrent use.
type Client struct {
	config Config
	limits Limits
	lanes  *Pacer
	gate   *gate
	ends   map[Version]endpoint
	seats  chan struct{}

	attempts, throttled, again, units atomic.Int64
}

// endpoint is where the requests of one Version go, and with whose token.
type endpoint struct {
	base   string // scheme://host[:port]
	prefix string // "/v1.0", "/beta" or ""
	pipe   runtime.Pipeline
}

// New returns a client. It sends nothing.
func New(config Config) (*Client, error) {
	if err := config.Cloud.check(); err != nil {
		return nil, err
	}
	if config.Credential == nil {
		return nil, &ConfigError{What: "make a client: there is no credential", Cure: hints[KindNotSignedIn]}
	}
	if err := checkScopes(config.Cloud, config.Scopes); err != nil {
		return nil, err
	}
	quiet()
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = crand.Reader
	}
	if config.Pacer == nil {
		config.Pacer = NewPacer()
	}
	config.UserAgent = cmp.Or(config.UserAgent, "halligan")
	c := &Client{config: config, limits: config.Limits.orDefault(), lanes: config.Pacer}
	c.seats = make(chan struct{}, c.limits.Parallel)
	c.gate = newGate(config)
	doer, err := newDoer(config.network())
	if err != nil {
		return nil, err
	}
	c.ends = c.endpoints(doer)
	return c, nil
}

// checkScopes refuses a scope of another host than the cloud's Graph: it would
// fetch a token for somebody else (fault 25).
func checkScopes(cloud Cloud, scopes []string) error {
	for _, s := range scopes {
		if rest, is := strings.CutPrefix(s, cloud.Graph+"/"); !is || rest == "" {
			return mixedClouds(fmt.Sprintf("ask for scope %q: it is not of %s", clean(s, 120), cloud.Graph))
		}
	}
	return nil
}

func (c *Client) endpoints(doer *doer) map[Version]endpoint {
	cloud := c.config.Cloud
	graphScopes := c.config.Scopes
	if len(graphScopes) == 0 {
		graphScopes = []string{cloud.Graph + "/.default"}
	}
	toGraph := c.pipeline(doer, cloud.Graph, graphScopes)
	return map[Version]endpoint{
		V1:   {cloud.Graph, "/v1.0", toGraph},
		Beta: {cloud.Graph, "/beta", toGraph},
		ARM:  {cloud.Resource, "", c.pipeline(doer, cloud.Resource, []string{cloud.ResourceScope})},
		Logs: {cloud.Logs, "", c.pipeline(doer, cloud.Logs, []string{cloud.LogsScope})},
	}
}

// pipeline is azcore's, with its retries off: what may be sent again, and when,
// is decided by send, which knows what is a read and whose turn it is.
func (c *Client) pipeline(doer *doer, base string, scopes []string) runtime.Pipeline {
	var refusal int64
	if c.has(DefenceSize) {
		refusal = c.limits.Body
	}
	return runtime.NewPipeline("halligan", "v0", runtime.PipelineOptions{
		PerRetry: []policy.Policy{runtime.NewBearerTokenPolicy(c.gate, scopes, nil), refusals{c.gate, scopes}},
	}, &policy.ClientOptions{
		Retry:     policy.RetryOptions{MaxRetries: -1},
		Telemetry: policy.TelemetryOptions{Disabled: true},
		Transport: doer.only(base, refusal),
	})
}

// Stats returns the counts so far.
func (c *Client) Stats() Stats {
	return Stats{c.attempts.Load(), c.throttled.Load(), c.again.Load(), c.units.Load()}
}

// PathOf puts a path together from its parts, each escaped: "users", "a#b".
func PathOf(parts ...string) string {
	var b strings.Builder
	for _, p := range parts {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

// checkRequest fills what is left out and refuses what could leave the host.
func (c *Client) checkRequest(r Request) (Request, error) {
	r.Method = cmp.Or(r.Method, http.MethodGet)
	r.Version = cmp.Or(r.Version, V1)
	r.Operation = cmp.Or(r.Operation, strings.ToLower(r.Method)+" "+clean(r.Path, 120))
	if _, known := c.ends[r.Version]; !known {
		return r, fmt.Errorf("%s: there is no interface %q", r.Operation, r.Version)
	}
	if _, known := Families[r.Family]; !known {
		return r, fmt.Errorf("%s: there is no family %q", r.Operation, r.Family)
	}
	if err := checkPath(r.Path); err != nil {
		return r, &SecurityError{Operation: r.Operation, Why: fmt.Sprintf("path %q: %v", clean(r.Path, 120), err)}
	}
	if r.Body != nil && !json.Valid(r.Body) {
		return r, fmt.Errorf("%s: the body is not JSON", r.Operation)
	}
	return r, nil
}

// checkPath keeps a path from being read as another one than it looks like.
func checkPath(path string) error {
	switch {
	case !strings.HasPrefix(path, "/") || strings.HasPrefix(path, "//"):
		return fmt.Errorf("it does not begin with one slash")
	case strings.ContainsAny(path, "?#\\") || strings.IndexFunc(path, func(r rune) bool { return r <= ' ' || r == 0x7f }) >= 0:
		return fmt.Errorf("it has characters that do not belong into a path")
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		return fmt.Errorf("it is not escaped correctly")
	}
	if slices.ContainsFunc(strings.FieldsFunc(plain, func(r rune) bool { return r == '/' || r == '\\' }), func(p string) bool {
		return p == ".." || p == "."
	}) {
		return fmt.Errorf("it climbs to another path")
	}
	return nil
}

// queryOf encodes a query with %20 for spaces and plain $ in names, as Graph's
// documentation writes it, in a fixed order.
func queryOf(q url.Values) string {
	if len(q) == 0 {
		return ""
	}
	encoded := strings.ReplaceAll(q.Encode(), "+", "%20")
	return "?" + strings.ReplaceAll(encoded, "%24", "$")
}

// relative is the address below the version, as a batch wants it.
func (r Request) relative() string { return r.Path + queryOf(r.Query) }

// address is the whole address of a request.
func (c *Client) address(r Request) string {
	e := c.ends[r.Version]
	return e.base + e.prefix + r.relative()
}

// Do sends one request and returns its success. A read is sent again when it
// fails for a moment; a write never: its error may match ErrOutcomeUnknown.
func (c *Client) Do(ctx context.Context, r Request) (*Answer, error) {
	r, err := c.checkRequest(r)
	if err != nil {
		return nil, err
	}
	return c.send(ctx, r, c.address(r), nil)
}
