package graph_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"halligan/internal/graph"
)

// examined runs all probes and returns them by name.
func examined(t *testing.T, p graph.Patient) map[string]graph.Probe {
	t.Helper()
	got := map[string]graph.Probe{}
	for _, probe := range graph.Examine(t.Context(), p) {
		if probe.Says == "" || (probe.State == graph.ProbeFail || probe.State == graph.ProbeWarn) && probe.Remedy == "" {
			t.Errorf("no words: %+v", probe)
		}
		got[probe.Name] = probe
	}
	if len(got) != 8 {
		t.Errorf("%d probes", len(got))
	}
	return got
}

func patient(t *testing.T, a *authority, claims map[string]any) graph.Patient {
	t.Helper()
	s := a.signIn(t, graph.MethodDeviceCode)
	c, err := graph.New(graph.Config{Cloud: s.Cloud, Tenant: tenant, Credential: &credential{give: func(int, policy.TokenRequestOptions) (azcore.AccessToken, error) {
		return azcore.AccessToken{Token: token(claims), ExpiresOn: time.Now().Add(time.Hour)}, nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return graph.Patient{SignIn: s, Client: c, Permissions: []string{"User.Read.All", "Policy.Read.All"}}
}

func TestDoctorFindsAHealthyClient(t *testing.T) {
	a := newAuthority(t)
	got := examined(t, patient(t, a, map[string]any{"tid": tenant, "aud": a.URL, "upn": "ann@contoso.com", "scp": "User.Read.All Policy.ReadWrite.All", "exp": time.Now().Add(time.Hour).Unix()}))
	for _, name := range []string{"route", "encryption", "clock", "token", "permissions"} {
		if got[name].State != graph.ProbeOK {
			t.Errorf("%s: %+v", name, got[name])
		}
	}
	if !strings.Contains(got["token"].Says, "ann@contoso.com") || !strings.Contains(got["encryption"].Says, "Acme Co") {
		t.Errorf("%+v", got)
	}
}

func TestDoctorNamesEachTrouble(t *testing.T) {
	a := newAuthority(t)
	good := map[string]any{"tid": tenant, "aud": a.URL, "scp": "User.Read.All", "exp": time.Now().Add(time.Hour).Unix()}
	tests := map[string]struct {
		change func(*graph.Patient)
		probe  string
		state  graph.State
		says   string
	}{
		"a clock 10 minutes ahead": {func(p *graph.Patient) { p.Now = func() time.Time { return time.Now().Add(10 * time.Minute) } }, "clock", graph.ProbeFail, " ahead"},
		"a clock 2 minutes behind": {func(p *graph.Patient) { p.Now = func() time.Time { return time.Now().Add(-2 * time.Minute) } }, "clock", graph.ProbeWarn, "behind"},
		"an authority unknown here": {func(p *graph.Patient) {
			p.SignIn.Roots = rootsOf(newOtherServer(t))
		}, "encryption", graph.ProbeFail, "Acme Co"},
		"a permission missing": {func(*graph.Patient) {}, "permissions", graph.ProbeWarn, "Policy.Read.All"},
		"nobody signed in":     {func(p *graph.Patient) { p.Client = nil }, "token", graph.ProbeSkipped, "nobody"},
		"a token of elsewhere": {func(p *graph.Patient) {
			p.Client = patient(t, a, map[string]any{"tid": otherTenant, "aud": a.URL}).Client
		}, "token", graph.ProbeFail, otherTenant},
		"a token that ended": {func(p *graph.Patient) {
			p.Client = patient(t, a, map[string]any{"tid": tenant, "aud": a.URL, "exp": 1700000000}).Client
		}, "token", graph.ProbeFail, "2023"},
		"a proxy that is not there": {func(p *graph.Patient) { p.SignIn.Proxy = &url.URL{Scheme: "http", Host: "127.0.0.1:1"} }, "route", graph.ProbeFail, "127.0.0.1:1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := patient(t, a, good)
			tt.change(&p)
			if got := examined(t, p)[tt.probe]; got.State != tt.state || !strings.Contains(got.Says, tt.says) {
				t.Errorf("got %+v, want %s with %q", got, tt.state, tt.says)
			}
		})
	}
}

func TestDoctorEndsWithItsContext(t *testing.T) {
	a := newAuthority(t)
	p := patient(t, a, map[string]any{"tid": tenant})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, probe := range graph.Examine(ctx, p) {
		if probe.State == graph.ProbeOK && probe.Name != "token store" && probe.Name != "name of sign-in" && probe.Name != "name of Graph" {
			t.Errorf("%+v", probe)
		}
	}
}

func TestInterceptedConnectionIsNamed(t *testing.T) {
	public, err := graph.CloudNamed("public")
	if err != nil {
		t.Fatal(err)
	}
	a := newAuthority(t)
	// A proxy that opens connections shows its own certificate for Graph.
	wrap := func(http.RoundTripper) http.RoundTripper {
		return roundTrip(func(r *http.Request) (*http.Response, error) {
			own := r.Clone(r.Context())
			own.URL.Host = strings.TrimPrefix(a.URL, "https://")
			return a.Client().Transport.RoundTrip(own)
		})
	}
	p := graph.Patient{SignIn: graph.SignIn{Method: graph.MethodBrowser, Cloud: public, Wrap: wrap, Proxy: mustURL(a.URL)}}
	if got := examined(t, p)["encryption"]; got.State != graph.ProbeWarn || !strings.Contains(got.Says, "Acme Co") {
		t.Errorf("%+v", got)
	}
}
