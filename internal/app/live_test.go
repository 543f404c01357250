package app_test

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"testing"
	"time"

	"halligan/custody"
	"halligan/entra"
	"halligan/internal/app"
	"halligan/internal/graph"
	"halligan/internal/sandbox"
)

// openTenant serves an emulated tenant for one test, and signs in as the
// application that every example tenant has for it.
func openTenant(t *testing.T, state *sandbox.State, change func(*sandbox.Config)) (*sandbox.Site, *graph.Client) {
	t.Helper()
	config := sandbox.Config{State: state}
	if change != nil {
		change(&config)
	}
	site, err := sandbox.Open(t.Context(), config, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = site.Close() })
	i := slices.IndexFunc(site.Apps(), func(a sandbox.App) bool { return a.Name == "Halligan reader" })
	if i < 0 {
		t.Fatal("the tenant has no application to read it")
	}
	reader := site.Apps()[i]
	cloud, err := graph.CustomCloud(site.URL, site.Pool())
	if err != nil {
		t.Fatal(err)
	}
	signIn := graph.SignIn{Method: graph.MethodSecret, Cloud: cloud, Tenant: site.TenantID(), ClientID: reader.ClientID, Secret: custody.NewSecret([]byte(reader.Secret))}
	credential, err := signIn.Build()
	if err != nil {
		t.Fatal(err)
	}
	client, err := graph.New(graph.Config{Cloud: cloud, Tenant: site.TenantID(), Credential: credential, Limits: graph.Limits{Parallel: 64}})
	if err != nil {
		t.Fatal(err)
	}
	return site, client
}

// once is a tenant that keeps what it was read as.
type once struct {
	*graph.Client
	read *entra.Snapshot
}

func (o *once) Read(ctx context.Context, scope graph.Scope) (*entra.Snapshot, error) {
	var err error
	o.read, err = o.Client.Read(ctx, scope)
	return o.read, err
}

var requestID = regexp.MustCompile(`request-id [0-9a-f-]+`)

// said is what a check found, without the ids of requests.
func said(r *app.CheckReport) map[string]string {
	out := map[string]string{}
	for _, f := range r.Findings {
		out[f.Check+" "+f.AccountName] = requestID.ReplaceAllString(fmt.Sprintf("%s: %s", f.Status, f.Says), "request-id")
	}
	return out
}

// A tenant that is read, kept as a snapshot and emulated from that snapshot is
// judged as the first one was: reader, snapshot and emulator lose nothing that a
// check asks for.
func TestATenantSurvivesItsSnapshot(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	judge := func(t *testing.T, client *graph.Client) (*app.CheckReport, *entra.Snapshot) {
		t.Helper()
		tenant := &once{Client: client}
		req := app.ProveRequest{Tenant: tenant, TenantName: "the sandbox", Now: "2026-11-01", Azure: true}
		report, err := app.Check(t.Context(), app.CheckRequest{ProveRequest: req, Time: now})
		if err != nil {
			t.Fatal(err)
		}
		return report, tenant.read
	}
	for _, name := range sandbox.ExampleNames() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			state, err := sandbox.Example(name)
			if err != nil {
				t.Fatal(err)
			}
			_, client := openTenant(t, state, nil)
			first, snap := judge(t, client)
			if len(first.Findings) < 100 {
				t.Fatalf("only %d findings", len(first.Findings))
			}
			again, err := entra.Read(entra.Source{Name: "snapshot", Data: snap.JSON()})
			if err != nil {
				t.Fatal(err)
			}
			state, err = sandbox.FromSnapshot(again)
			if err != nil {
				t.Fatal(err)
			}
			_, client = openTenant(t, state, nil)
			second, _ := judge(t, client)
			if first.Verdict != second.Verdict {
				t.Errorf("verdict %s became %s", first.Verdict, second.Verdict)
			}
			a, b := said(first), said(second)
			for k := range a {
				if a[k] != b[k] {
					t.Errorf("%s\n  was %s\n  is  %s", k, a[k], b[k])
				}
			}
			for k := range b {
				if _, ok := a[k]; !ok {
					t.Errorf("%s is new: %s", k, b[k])
				}
			}
		})
	}
}

// What the example tenants are is what Halligan says of them.
func TestExampleTenantsAreJudgedAsTheyAreMeant(t *testing.T) {
	for name, want := range map[string]struct {
		accounts []string
		fails    []string // checks that fail for one of them
		passes   []string
	}{
		"contoso-password-only": {[]string{"breakglass1@contoso.onmicrosoft.com", "breakglass2@contoso.onmicrosoft.com"}, []string{"mmfa-ready"}, nil},
		"contoso-pim-shared":    {[]string{"emergency.admin@contoso.onmicrosoft.com"}, []string{"role-ga-active", "grp-protected"}, nil},
		"contoso-hardened":      {[]string{"juniper.vale@contoso.onmicrosoft.com", "marlow.finch@contoso.onmicrosoft.com", "hazel.thorn@contoso.onmicrosoft.com"}, nil, []string{"mmfa-ready", "am-two-keys", "au-restricted"}},
	} {
		t.Run(name, func(t *testing.T) {
			state, err := sandbox.Example(name)
			if err != nil {
				t.Fatal(err)
			}
			_, client := openTenant(t, state, nil)
			report, err := app.Check(t.Context(), app.CheckRequest{ProveRequest: app.ProveRequest{Tenant: client, Accounts: want.accounts, Now: "2026-11-01", Azure: true}, Time: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)})
			if err != nil {
				t.Fatal(err)
			}
			status := map[string][]string{}
			for _, f := range report.Findings {
				status[f.Check] = append(status[f.Check], string(f.Status))
			}
			for _, id := range want.fails {
				if !slices.Contains(status[id], "fail") {
					t.Errorf("%s: got %v, want a failure", id, status[id])
				}
			}
			for _, id := range want.passes {
				if len(status[id]) == 0 || slices.ContainsFunc(status[id], func(s string) bool { return s != "pass" }) {
					t.Errorf("%s: got %v, want it to pass", id, status[id])
				}
			}
			if testing.Verbose() {
				for _, f := range report.Findings {
					if f.Status == "fail" || f.Status == "indeterminate" {
						t.Logf("%s %s %s: %s", f.Status, f.Check, f.AccountName, f.Says)
					}
				}
				for _, a := range report.Accounts {
					text, _ := json.Marshal(a.Verdict)
					t.Logf("%s %s", a.Name, text)
				}
			}
		})
	}
}

// What an answer has lost must not prove anything: a licensed tenant without a
// policy is not one that lets everybody in, and a tenant with policies is licensed.
func TestAnEmptyAnswerProvesNothing(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	check := func(t *testing.T, faults ...string) *app.CheckReport {
		t.Helper()
		state, err := sandbox.Example("contoso-hardened")
		if err != nil {
			t.Fatal(err)
		}
		_, client := openTenant(t, state, func(c *sandbox.Config) { c.Faults = faults })
		report, err := app.Check(t.Context(), app.CheckRequest{ProveRequest: app.ProveRequest{Tenant: client, Accounts: []string{"juniper.vale@contoso.onmicrosoft.com"}, Now: "2026-11-01"}, Time: now})
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	if got := check(t); got.Verdict != "PROVED" || got.Incomplete {
		t.Fatalf("without a fault: %s, incomplete %v", got.Verdict, got.Incomplete)
	}
	if got := check(t, "9=empty,times=0,path=/identity/conditionalAccess/policies"); got.Verdict == "PROVED" || !got.Incomplete {
		t.Errorf("no policy came: %s, incomplete %v", got.Verdict, got.Incomplete)
	}
	good, got := check(t), check(t, "9=empty,times=0,path=/subscribedSkus")
	for i, f := range got.Findings {
		if was := good.Findings[i]; f.Check == was.Check && was.Status == "fail" && f.Status == "notApplicable" {
			t.Errorf("%s failed, and is not applicable when no licence came", f.Check)
		}
	}
}
