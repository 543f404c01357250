package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"halligan/entra"
	"halligan/internal/app"
	"halligan/internal/graph"
	"halligan/internal/sandbox"
	"halligan/posture"
)

// The faults of the catalogue (halligan sandbox --faults) are tested here through
// the program itself: an emulated tenant in which everything is right, and in
// which one thing goes wrong. Each case runs `halligan check` and `halligan
// prove`, and asserts what became unknown, why, and how both ended. Where the
// client has a defence, the same assertions must fail with the defence off.

// faultTenant is an emulated tenant that an application is signed in to.
type faultTenant struct {
	site     *sandbox.Site
	dir      string
	id       string
	app      string
	ca       string
	register string
	accounts []string
}

// openTenant serves an example tenant, writes a register of some of its accounts
// and signs in with the client secret of the application that reads.
func openTenant(t testing.TB, example string, accounts ...string) *faultTenant {
	t.Helper()
	state, err := sandbox.Example(example)
	must(t, err)
	f := &faultTenant{dir: t.TempDir(), id: state.ID}
	f.site, err = sandbox.Open(t.Context(), sandbox.Config{State: state}, "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = f.site.Close() }) // connections of a run that was cut may still be open
	f.ca, err = f.site.Save(f.dir)
	must(t, err)
	var secret string
	f.app, secret = secretOf(state, "Halligan reader")
	must(t, os.WriteFile(f.path("secret"), []byte(secret), 0o600))
	register := "version: 1\ntenant:\n  id: " + state.ID + "\naccounts:\n"
	for _, user := range state.All("users") {
		upn, _ := user["userPrincipalName"].(string)
		if slices.ContainsFunc(accounts, func(name string) bool { return strings.HasPrefix(upn, name+"@") }) {
			register += fmt.Sprintf("  - id: %s\n    name: %s\n", user["id"], upn)
			f.accounts = append(f.accounts, fmt.Sprint(user["id"]))
		}
	}
	f.register = f.path("halligan.yaml")
	must(t, os.WriteFile(f.register, []byte(register), 0o600))
	if code, _, said := f.run(t.Context(), nil, "login", "--method", "secret", "--tenant", f.id, "--client-id", f.app, "--secret-file", f.path("secret"),
		"--cloud", f.site.URL, "--ca", f.ca, "--register", f.register); code != 0 {
		t.Fatalf("login ended with %d: %s", code, said)
	}
	return f
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// secretOf finds an application by its name, and its client secret.
func secretOf(state *sandbox.State, name string) (app, secret string) {
	for _, a := range state.All("applications") {
		if credentials, _ := a["passwordCredentials"].([]any); a["displayName"] == name && len(credentials) > 0 {
			first, _ := credentials[0].(map[string]any)
			return fmt.Sprint(a["appId"]), state.Secrets[fmt.Sprint(first["keyId"])]
		}
	}
	return "", ""
}

func (f *faultTenant) path(name string) string { return filepath.Join(f.dir, name) }

// run runs the program.
func (f *faultTenant) run(ctx context.Context, tune func(*graph.Config), args ...string) (code int, out, said string) {
	var stdout, stderr bytes.Buffer
	c := &console{stdin: strings.NewReader(""), stdout: &stdout, stderr: &stderr, tune: tune, getenv: func(name string) string {
		return map[string]string{"HALLIGAN_HOME": f.path("home")}[name]
	}}
	code = c.run(ctx, args)
	return code, stdout.String(), stderr.String()
}

// faulted is what came of a case.
type faulted struct {
	exit, proof int              // of check, of prove
	said        string           // by check, on stderr
	proved      string           // by prove, on stdout
	report      *app.CheckReport // nil when there was none
	took        time.Duration    // check alone
	cut         bool             // it had to be ended
	events      []graph.Event
	sent        []sent
	tokens      int // requests to the token endpoint
}

// sent is one request that left for the network.
type sent struct {
	host, path string
	status     int
	at, done   time.Time
}

// watch stands between the client and the network. What is for another host than
// the tenant gets as far as here, and gets the answer that a thief would give.
type watch struct {
	next http.RoundTripper
	host string
	mu   *sync.Mutex
	log  *[]sent
}

// RoundTrip implements http.RoundTripper.
func (w *watch) RoundTrip(r *http.Request) (*http.Response, error) {
	at := time.Now()
	one := sent{host: r.URL.Scheme + "://" + r.URL.Host, path: r.URL.Path, at: at}
	var resp *http.Response
	var err error
	if one.host == w.host {
		resp, err = w.next.RoundTrip(r)
	} else {
		resp = &http.Response{StatusCode: 200, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(`{"value":[]}`)), Request: r}
	}
	if resp != nil {
		one.status = resp.StatusCode
	}
	one.done = time.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	*w.log = append(*w.log, one)
	return resp, err
}

const (
	hasteShare = 20               // a wait of a second takes 50 ms
	caseBound  = 20 * time.Second // after which a run is ended, and the case has failed
)

// run runs check and prove under faults.
func (c *faultCase) run(t testing.TB, f *faultTenant, off ...graph.Defence) *faulted {
	t.Helper()
	got := &faulted{}
	var mu sync.Mutex
	tune := func(config *graph.Config) {
		config.Limits.Attempt, config.Limits.Operation = 5*time.Second, 8*time.Second
		config.Limits.Body, config.Limits.Pages = 1<<20, 20
		config.Wrap = func(next http.RoundTripper) http.RoundTripper { return &watch{next, f.site.URL, &mu, &got.sent} }
		config.Sleep = hasty
		tell := config.Observe
		config.Observe = func(e graph.Event) {
			mu.Lock()
			got.events = append(got.events, e)
			mu.Unlock()
			if tell != nil {
				tell(e)
			}
		}
		if c.tune != nil {
			c.tune(config)
		}
		config.Without = map[graph.Defence]bool{}
		for _, d := range off {
			config.Without[d] = true
		}
	}
	bound := c.bound
	if bound == 0 {
		bound = caseBound
	}
	ctx, stop := context.WithTimeout(t.Context(), bound)
	defer stop()
	must(t, f.site.SetFaults(c.specs(f)...))
	before, start := f.site.Requests()["token"], time.Now()
	exit, out, said := f.run(ctx, tune, "check", "--register", f.register, "--format", "json", "--timeout", "30s")
	got.exit, got.said, got.took, got.tokens, got.cut = exit, said, time.Since(start), f.site.Requests()["token"]-before, ctx.Err() != nil
	var report app.CheckReport
	if json.Unmarshal([]byte(out), &report) == nil {
		got.report = &report
	}
	if c.checkOnly {
		got.proof = -1
		return got
	}
	// The proof is watched no more: what it sends would blur the counts.
	quiet := func(config *graph.Config) {
		tune(config)
		config.Observe, config.Wrap = nil, nil
	}
	must(t, f.site.SetFaults(c.specs(f)...)) // as fresh as for the check
	args := []string{"prove", "--timeout", "30s"}
	for _, a := range f.accounts {
		args = append(args, "--account", a)
	}
	got.proof, got.proved, _ = f.run(ctx, quiet, args...)
	got.cut = got.cut || ctx.Err() != nil
	return got
}

// hasty waits a fraction of what it should.
func hasty(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d / hasteShare)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// faultCase is one way in which one fault shows, and what must come of it.
type faultCase struct {
	name string // of the variant
	spec string // as --fault takes it; {account} is the id of one; "" none
	want want
	// off are the defences without which want must not hold; nil: the fault is
	// met by what has no switch.
	off []graph.Defence
	// tune changes how the tenant is spoken to.
	tune func(*graph.Config)
	// bound is when a run is ended; 0 is caseBound.
	bound     time.Duration
	checkOnly bool
	// otherTruth: with the fault the tenant truly is another one, so that checks
	// may pass that did not.
	otherTruth bool
}

func (c *faultCase) specs(f *faultTenant) []string {
	if c.spec == "" {
		return nil
	}
	return []string{strings.ReplaceAll(c.spec, "{account}", f.accounts[0])}
}

// want is an assertion about a case, beside the same tenant without a fault.
type want func(good, got *faulted) error

var baseline struct {
	once sync.Once
	good *faulted
}

// good runs the tenant without faults, once.
func good(t testing.TB) *faulted {
	baseline.once.Do(func() {
		f := openTenant(t, "contoso-hardened", hardened...)
		baseline.good = (&faultCase{}).run(t, f)
	})
	g := baseline.good
	if g == nil || g.report == nil || g.report.Verdict != "PROVED" || g.proof != 0 {
		t.Fatalf("without a fault the tenant is not as it should be: %+v", g)
	}
	return g
}

// hardened is an account of contoso-hardened. One is enough: the time goes into
// the proof.
var hardened = []string{"juniper.vale"}

// runFaults runs the cases of one fault.
func runFaults(t *testing.T, cases ...faultCase) {
	t.Helper()
	t.Parallel()
	base := good(t)
	f := openTenant(t, "contoso-hardened", hardened...)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			must(t, f.site.Reset())
			if err := c.judge(base, c.run(t, f)); err != nil {
				t.Fatal(err)
			}
			c.checkOnly = true // what the check shows is enough from here on
			for _, d := range c.off {
				must(t, f.site.Reset())
				err := c.judge(base, c.run(t, f, d))
				if err == nil {
					t.Errorf("the test does not notice that a defence is off: %s", d)
				} else {
					t.Logf("without %q: %v", d, err)
				}
			}
		})
	}
}

// judge asserts what holds under every fault, and what the case wants.
func (c *faultCase) judge(good, got *faulted) error {
	if got.cut {
		return fmt.Errorf("it did not end by itself in time; it said %s", got.said)
	}
	if err := nothingBetter(good, got); err != nil && !c.otherTruth {
		return err
	}
	if err := nobodyElse(good, got); err != nil {
		return err
	}
	return c.want(good, got)
}

func findingKey(f *app.FindingReport) string {
	return strings.TrimSpace(f.Check + " " + f.AccountName)
}

func statuses(o *faulted) map[string]posture.Status {
	out := map[string]posture.Status{}
	for _, f := range o.report.Findings {
		out[findingKey(f)] = f.Status
	}
	return out
}

// nothingBetter: a fault makes no check pass that did not pass without it, and
// proves nothing that rests on what was not read.
func nothingBetter(good, got *faulted) error {
	if got.report == nil {
		return nil
	}
	was := statuses(good)
	for _, f := range got.report.Findings {
		if f.Status == posture.Pass && was[findingKey(f)] != posture.Pass {
			return fmt.Errorf("false pass: %s passes under the fault, and is %q without: %s", findingKey(f), was[findingKey(f)], f.Says)
		}
	}
	if got.report.Verdict == "PROVED" && !slices.Equal(unread(got), unread(good)) {
		for _, part := range decisive {
			if statusOf(got, part).Status != statusOf(good, part).Status {
				return fmt.Errorf("PROVED although %s is %s", part, statusOf(got, part).Status)
			}
		}
	}
	return nil
}

// decisive are parts without which nothing is proved.
var decisive = []entra.Part{entra.PartPolicies, entra.PartStrengths, entra.PartMethodsPolicy, entra.PartSecurityDefaults, entra.PartAccounts}

// nobodyElse: no request leaves for another host, whatever goes wrong.
func nobodyElse(good, got *faulted) error {
	home := good.sent[0].host[:strings.LastIndex(good.sent[0].host, ":")+1] // but for the port, which each tenant has its own
	for _, s := range got.sent {
		if !strings.HasPrefix(s.host, home) || s.host != got.sent[0].host {
			return fmt.Errorf("a request went to %s%s", s.host, s.path)
		}
	}
	return nil
}

func unread(o *faulted) []string {
	var out []string
	for _, p := range o.report.Parts {
		if p.Status == entra.StatusDenied || p.Status == entra.StatusCutShort {
			out = append(out, string(p.Part))
		}
	}
	return out
}

func statusOf(o *faulted, part entra.Part) app.PartReport {
	for _, p := range o.report.Parts {
		if p.Part == part {
			return p
		}
	}
	return app.PartReport{Part: part, Status: entra.StatusRead}
}

// both wants several things.
func both(wants ...want) want {
	return func(good, got *faulted) error {
		for _, w := range wants {
			if err := w(good, got); err != nil {
				return err
			}
		}
		return nil
	}
}

// overcome: nothing is different from a run without the fault.
func overcome(good, got *faulted) error {
	switch {
	case got.report == nil:
		return fmt.Errorf("want a report; it ended with %d: %s", got.exit, got.said)
	case got.exit != good.exit || got.proof >= 0 && got.proof != good.proof:
		return fmt.Errorf("check and prove ended with %d and %d, without the fault with %d and %d; prove said: %s", got.exit, got.proof, good.exit, good.proof, got.proved)
	case !maps.Equal(statuses(good), statuses(got)):
		for name, was := range statuses(good) {
			if now := statuses(got)[name]; now != was {
				return fmt.Errorf("%s is %s, without the fault %s; unread: %v", name, now, was, unread(got))
			}
		}
		return errors.New("there are other findings than without the fault")
	case !slices.Equal(unread(good), unread(got)):
		return fmt.Errorf("unread are %v, without the fault %v", unread(got), unread(good))
	}
	return nil
}

// unknown: a part of the tenant was not read, with the operation and the reason,
// and a check that needs it says so ("" none does). proof is how prove ends.
func unknown(part entra.Part, check string, proof exitCode, operation, reason string) want {
	return func(good, got *faulted) error {
		if got.report == nil {
			return fmt.Errorf("want a report; it ended with %d: %s", got.exit, got.said)
		}
		p := statusOf(got, part)
		if p.Status == entra.StatusRead || !strings.Contains(p.Detail, operation) || !strings.Contains(p.Detail, reason) {
			return fmt.Errorf("%s is %s: %q; want it unread, with %q and %q", part, p.Status, p.Detail, operation, reason)
		}
		if got.proof >= 0 && got.proof != int(proof) {
			return fmt.Errorf("prove ended with %d, want %d", got.proof, proof)
		}
		// The register says nothing of custody and drills: that is trouble, fault or not.
		if got.exit != good.exit {
			return fmt.Errorf("check ended with %d, want the %d of its other findings", got.exit, good.exit)
		}
		return indeterminate(check, part, reason)(good, got)
	}
}

// indeterminate: a check cannot tell, for want of a part that was not read for a
// reason.
func indeterminate(check string, part entra.Part, reason string) want {
	return func(_, got *faulted) error {
		if check == "" {
			return nil
		}
		for _, f := range got.report.Findings {
			if f.Check != check {
				continue
			}
			if f.Status != posture.Indeterminate {
				return fmt.Errorf("%s is %s, want it indeterminate: %s", check, f.Status, f.Says)
			}
			if !slices.ContainsFunc(f.Missing, func(m posture.Missing) bool {
				return m.Part == part && (m.Property != "" || strings.Contains(m.Detail, reason))
			}) {
				return fmt.Errorf("%s does not say that it lacks %s (%s): %+v", check, part, reason, f.Missing)
			}
			return nil
		}
		return fmt.Errorf("there is no finding of %s", check)
	}
}

// ends: nothing is known of the tenant; check and prove end with a code and the
// reason.
func ends(code exitCode, texts ...string) want {
	return func(_, got *faulted) error {
		if got.report != nil || got.exit != int(code) || got.proof >= 0 && got.proof != int(code) {
			return fmt.Errorf("check and prove ended with %d and %d, want %d and no report; check said %s", got.exit, got.proof, code, got.said)
		}
		for _, text := range texts {
			if !strings.Contains(got.said, text) {
				return fmt.Errorf("want %q in what it said: %s", text, got.said)
			}
		}
		return nil
	}
}

// waited: the one wait that there was, for an operation, was at least and at most
// so long.
func waited(operation string, least, most time.Duration) want {
	return func(_, got *faulted) error {
		var waits []time.Duration
		for _, e := range got.events {
			if e.What != "waiting" {
				continue
			}
			if e.Operation != operation {
				return fmt.Errorf("%s had to wait for it as well (%s)", e.Operation, e.Reason)
			}
			waits = append(waits, e.Wait)
		}
		if len(waits) != 1 || waits[0] < least || waits[0] > most {
			return fmt.Errorf("%s waited %v, want once, between %s and %s", operation, waits, least, most)
		}
		return nil
	}
}

// times: a path was asked for so often.
func times(path string, least, most int) want {
	return func(_, got *faulted) error {
		n := 0
		for _, s := range got.sent {
			if strings.HasSuffix(s.path, path) {
				n++
			}
		}
		if n < least || n > most {
			return fmt.Errorf("%s was asked for %d times, want %d to %d", path, n, least, most)
		}
		return nil
	}
}

// tokens: the token endpoint was asked so often at most.
func tokens(most int) want {
	return func(_, got *faulted) error {
		if got.tokens > most {
			return fmt.Errorf("the token endpoint was asked %d times, want at most %d", got.tokens, most)
		}
		return nil
	}
}

// within: check ended in a time.
func within(most time.Duration) want {
	return func(_, got *faulted) error {
		if got.took > most {
			return fmt.Errorf("it took %s, want at most %s", got.took, most)
		}
		return nil
	}
}

// A defence that is off outside of a test would be no defence.
func TestOnlyTestsSwitchDefencesOff(t *testing.T) {
	root := os.DirFS(filepath.Join("..", ".."))
	must(t, fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := fs.ReadFile(root, path)
		for _, word := range []string{"graph.Defence", "custody.Defence", "Without[", "Without =", "tune:", ".tune ="} {
			// The two that have defences look up which are off.
			if path == "custody/decide.go" && word == "Without[" || strings.HasPrefix(path, "internal/graph/") {
				continue
			}
			if strings.Contains(string(text), word) {
				t.Errorf("%s: %s", path, word)
			}
		}
		return err
	}))
}
